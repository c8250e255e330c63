//! What a call is taken for. A call that is not understood is opaque, never harmless.

use fr::intake::{Action, Happening, hook};
use fr::model::{Bytes, SessionMoment};
use serde_json::{Value, json};

use super::{env, heard, request};

/// A call of this tool as the agent announces it.
pub fn announced(agent: &str, tool: &str, input: Value) -> Value {
    match agent {
        "gemini" => {
            json!({"hook_event_name": "BeforeTool", "session_id": "s", "cwd": "/w", "tool_name": tool,
            "tool_input": input})
        }
        "cursor" => json!({"hook_event_name": "preToolUse", "conversation_id": "s", "cwd": "/w",
            "tool_name": tool, "tool_input": input, "tool_use_id": "t", "cursor_version": "2.4.0"}),
        "opencode" => json!({"hook": "tool.execute.before", "directory": "/w",
            "input": {"tool": tool, "sessionID": "s", "callID": "t"}, "output": {"args": input}}),
        _ => panic!("{agent}"),
    }
}

/// A line of shell as the agent announces it.
pub fn line(agent: &str, line: &Value) -> Value {
    match agent {
        "gemini" => announced(agent, "run_shell_command", json!({"command": line})),
        "opencode" => announced(agent, "bash", json!({"command": line})),
        "cursor" => {
            json!({"hook_event_name": "beforeShellExecution", "conversation_id": "s", "command": line,
            "cwd": "/w", "cursor_version": "2.4.0"})
        }
        "windsurf" => json!({"agent_action_name": "pre_run_command", "trajectory_id": "s",
            "tool_info": {"command_line": line, "cwd": "/w"}}),
        _ => panic!("{agent}"),
    }
}

fn call(agent: &str, tool: &str, input: Value) -> Action {
    request(agent, &announced(agent, tool, input)).action
}

fn edit(tool: &str, paths: &[&str]) -> Action {
    Action::EditFile { tool: tool.into(), paths: paths.iter().map(|path| Bytes::from(*path)).collect() }
}

fn other(name: &str, raw: &str) -> Action {
    Action::OtherTool { name: name.into(), raw: raw.as_bytes().to_vec() }
}

#[test]
fn edits_name_their_files() {
    assert_eq!(call("gemini", "replace", json!({"file_path": "/a b"})), edit("replace", &["/a b"]));
    assert_eq!(
        call("gemini", "write_file", json!({"file_path": "src/a"})),
        edit("write_file", &["/w/src/a"])
    );
    assert_eq!(call("opencode", "edit", json!({"filePath": "a"})), edit("edit", &["/w/a"]));
    let patch =
        "*** Begin Patch\n*** Update File: a\n*** Move to: b\n@@\n-x\n+y\n*** Delete File: /c\n*** End Patch";
    assert_eq!(
        call("opencode", "apply_patch", json!({"patchText": patch})),
        edit("apply_patch", &["/w/a", "/w/b", "/c"])
    );
    for key in ["file_path", "path", "target_file"] {
        assert_eq!(call("cursor", "StrReplace", json!({key: "a"})), edit("StrReplace", &["/w/a"]));
    }
    assert_eq!(call("cursor", "Delete", json!({"file_path": "/w/gone"})), edit("Delete", &["/w/gone"]));
}

#[test]
fn what_is_not_understood_is_opaque() {
    let cases = [
        ("gemini", "run_shell_command", json!({"command": ["rm"]})),
        ("gemini", "replace", json!({"path": "x"})),
        ("gemini", "save_memory", json!({"fact": "x"})),
        ("gemini", "invoke_agent", json!({"prompt": "x"})),
        ("gemini", "read_file", json!({"file_path": 3})),
        ("opencode", "read", json!({"filePath": 3})),
        ("opencode", "bash", json!({"cmd": "rm"})),
        ("opencode", "apply_patch", json!({"patchText": "no file in it"})),
        ("opencode", "task", json!({"prompt": "x"})),
        ("opencode", "execute", json!({"code": "x"})),
        ("cursor", "Write", json!({"where": "x"})),
        ("cursor", "MCP:wipe", json!({"file_path": "x"})),
        ("cursor", "MCP:Read", json!({"file_path": "x"})),
        ("cursor", "Task", json!({"prompt": "x"})),
    ];
    for (agent, tool, input) in cases {
        assert_eq!(call(agent, tool, input.clone()), other(tool, &input.to_string()), "{agent}");
    }
}

#[test]
fn an_mcp_server_cannot_pass_its_tool_off_as_a_reader() {
    let mut payload = announced("gemini", "read_file", json!({"file_path": "/a"}));
    let plain = request("gemini", &payload).action;
    assert_eq!(plain, Action::ReadOnly { tool: "read_file".into(), subject: "/a".into() });
    payload["mcp_context"] = json!({"server_name": "evil", "tool_name": "read_file", "command": "python3"});
    assert_eq!(request("gemini", &payload).action, other("read_file", r#"{"file_path":"/a"}"#));
}

#[test]
fn a_command_runs_where_its_call_says() {
    for (agent, tool, key) in [("gemini", "run_shell_command", "dir_path"), ("opencode", "bash", "workdir")] {
        for (dir, is) in [("src", "/w/src"), ("/srv", "/srv"), ("", "/w/")] {
            let call = request(agent, &announced(agent, tool, json!({"command": "rm x", key: dir})));
            assert_eq!((call.cwd.lossy().as_ref(), call.action), (is, Action::Shell(b"rm x".to_vec())));
        }
    }
    let background =
        announced("gemini", "run_shell_command", json!({"command": "make", "is_background": true}));
    assert!(request("gemini", &background).background);
}

#[test]
fn a_relative_directory_is_none() {
    for (agent, key) in [("gemini", "cwd"), ("cursor", "cwd"), ("opencode", "directory")] {
        for (dir, is) in [("/home/dev", "/home/dev"), ("src", ""), ("", "")] {
            let mut payload = line(agent, &json!("ls"));
            payload[key] = json!(dir);
            assert_eq!(request(agent, &payload).cwd.lossy(), is, "{agent}");
        }
    }
}

#[test]
fn a_directory_that_is_not_told_is_the_only_workspace() {
    let mut payload = line("cursor", &json!("rm x"));
    payload["cwd"] = json!("");
    payload["workspace_roots"] = json!(["/one"]);
    assert_eq!(request("cursor", &payload).cwd.lossy(), "/one");
    payload["workspace_roots"] = json!(["/one", "/two"]);
    assert_eq!(request("cursor", &payload).cwd.lossy(), "", "which of them?");
    let mcp = json!({"agent_action_name": "pre_mcp_tool_use", "trajectory_id": "s",
        "tool_info": {"mcp_server_name": "db", "mcp_tool_name": "drop", "mcp_tool_arguments": {"t": 1}}});
    let call = request("windsurf", &mcp);
    assert_eq!(
        (call.cwd.lossy().as_ref(), call.action),
        ("/home/u/project", other("mcp db drop", r#"{"t":1}"#))
    );
}

/// Cursor announces a shell command twice, and to Claude's hooks a third time. It is one command.
#[test]
fn a_cursor_command_is_one_event() {
    let general = announced("cursor", "Shell", json!({"command": "rm x"}));
    let mut claudes = general.clone();
    claudes["hook_event_name"] = json!("PreToolUse");
    let own = line("cursor", &json!("rm x"));
    for (registered, payload) in [("cursor", &general), ("claude", &general), ("claude", &claudes)] {
        let happening = hook(registered, payload.to_string().as_bytes(), &env());
        assert_eq!(happening, Happening::Ignore, "{registered}");
    }
    assert_eq!(request("cursor", &own).action, Action::Shell(b"rm x".to_vec()));
    for event in ["beforeMCPExecution", "afterMCPExecution", "beforeReadFile", "afterFileEdit", "preCompact"]
    {
        let payload = json!({"hook_event_name": event, "conversation_id": "s", "cursor_version": "2.4.0",
            "tool_name": "wipe", "file_path": "/a", "content": "secret"});
        assert_eq!(heard("cursor", payload.to_string().as_bytes()), Happening::Ignore, "{event}");
    }
}

#[test]
fn a_borrowed_registration_does_not_hide_the_borrower() {
    let write = announced("cursor", "Write", json!({"file_path": "/w/a", "content": "x"}));
    let call = request("claude", &write);
    assert_eq!((call.actor.name.as_str(), call.actor.version.as_deref()), ("cursor", Some("2.4.0")));
    assert_eq!((call.call.as_deref(), call.action), (Some("t"), edit("Write", &["/w/a"])));
    let windsurf = request("claude", &line("windsurf", &json!("ls")));
    assert_eq!(windsurf.actor.name, "windsurf");
    // `gemini hooks migrate --from-claude` copies the command line as it is.
    let payload = line("gemini", &json!("ls")).to_string();
    let mut with = env();
    with.insert("GEMINI_SESSION_ID".into(), "s".into());
    let Happening::Before(call) = hook("claude", payload.as_bytes(), &with) else { panic!("no request") };
    assert_eq!(call.actor.name, "gemini");
    // A line that only speaks of Cursor's payloads is Claude's all the same.
    let about = json!({"session_id": "s", "cwd": "/w", "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": r#"echo '{"cursor_version":"2","agent_action_name":"x"}'"#, "cursor_version": 1}});
    assert_eq!(request("claude", &about).actor.name, "claude");
}

#[test]
fn a_sub_agent_of_opencode_belongs_to_the_session_that_asked_for_it() {
    let mut payload = line("opencode", &json!("ls"));
    payload["parent"] = json!("root");
    payload["agent"] = json!("general");
    let call = request("opencode", &payload);
    assert_eq!((call.session.as_str(), call.actor.subagent.as_deref()), ("root", Some("general s")));
    for (hook, alone, below) in [
        ("session.created", SessionMoment::Start, SessionMoment::SubagentStart),
        ("session.idle", SessionMoment::Stop, SessionMoment::SubagentStop),
        ("session.deleted", SessionMoment::End, SessionMoment::SubagentStop),
    ] {
        for (parent, session, moment) in [(json!(null), "s", alone), (json!("root"), "root", below)] {
            let payload =
                json!({"hook": hook, "directory": "/w", "parent": parent, "input": {"sessionID": "s"}});
            let Happening::Session(signal) = heard("opencode", payload.to_string().as_bytes()) else {
                panic!("{hook}")
            };
            assert_eq!((signal.session.as_str(), signal.moment), (session, moment), "{hook}");
        }
    }
}
