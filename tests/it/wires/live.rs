//! From an agent's hook to the record and back, through the built binary.

use std::path::Path;

use serde_json::{Value, json};

use super::kinds::line;
use crate::env::{Output, TestEnv};

/// Sends one payload to `fr hook`, in this world's project.
fn tell(env: &TestEnv, agent: &str, payload: &Value) -> Output {
    env.fr_with(&["hook", agent], payload.to_string().as_bytes())
}

/// The payload with the project for its directory.
fn here(env: &TestEnv, payload: &Value) -> Value {
    let project = env.project.to_str().unwrap();
    serde_json::from_str(&payload.to_string().replace("\"/w\"", &json!(project).to_string())).unwrap()
}

fn timeline(env: &TestEnv) -> Vec<Value> {
    let mut events: Vec<Value> = serde_json::from_value(env.fr(&["timeline", "--json"]).ok().json()).unwrap();
    events.sort_by_key(|event| event["id"].as_u64());
    events
}

/// True where some file below has this content.
fn holds(dir: &Path, content: &[u8]) -> bool {
    let entries = dir.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().any(|path| match path.is_dir() {
        true => holds(&path, content),
        false => std::fs::read(path).unwrap() == content,
    })
}

#[test]
fn what_an_agent_deletes_comes_back() {
    for agent in ["cursor", "gemini", "opencode", "windsurf"] {
        let env = TestEnv::new();
        env.write("build/a.txt", "precious\n");
        let answer = tell(&env, agent, &here(&env, &line(agent, &json!("rm -r build"))));
        assert_eq!((answer.code, answer.stdout.as_str(), answer.stderr.as_str()), (0, "", ""), "{agent}");
        env.sh("rm -r build").ok();
        let events = timeline(&env);
        assert_eq!(events.len(), 1, "{agent}: {events:?}");
        assert_eq!(events[0]["actor"]["name"], agent);
        assert_eq!(events[0]["actor"]["evidence"], "its own hook");
        assert_eq!(events[0]["command"]["line"], "rm -r build");
        assert_eq!(events[0]["session"], "s");
        env.fr(&["undo", "1", "--yes"]).ok();
        assert_eq!(env.read("build/a.txt"), "precious\n", "{agent}");
    }
}

#[test]
fn what_an_agent_overwrites_is_kept() {
    let edits = [
        (
            "gemini",
            json!({"hook_event_name": "BeforeTool", "session_id": "s", "cwd": "/w",
            "tool_name": "replace", "tool_input": {"file_path": "a.txt", "old_string": "x", "new_string": "y"}}),
        ),
        (
            "opencode",
            json!({"hook": "tool.execute.before", "directory": "/w",
            "input": {"tool": "apply_patch", "sessionID": "s", "callID": "t"},
            "output": {"args": {"patchText": "*** Begin Patch\n*** Update File: a.txt\n@@\n-x\n+y\n*** End Patch"}}}),
        ),
        (
            "cursor",
            json!({"hook_event_name": "preToolUse", "conversation_id": "s", "cwd": "/w",
            "tool_name": "Write", "tool_input": {"file_path": "a.txt", "content": "y"}, "tool_use_id": "t"}),
        ),
        (
            "windsurf",
            json!({"agent_action_name": "pre_write_code", "trajectory_id": "s",
            "tool_info": {"file_path": "a.txt", "edits": [{"old_string": "x", "new_string": "y"}], "cwd": "/w"}}),
        ),
    ];
    for (agent, edit) in edits {
        let env = TestEnv::new();
        env.write("a.txt", "x\n");
        tell(&env, agent, &here(&env, &edit)).ok();
        env.write("a.txt", "y\n");
        let beside = env.root().join("beside");
        env.fr(&["restore", "1", "--to", beside.to_str().unwrap()]).ok();
        assert!(holds(&beside, b"x\n"), "{agent}");
    }
}

#[test]
fn a_broken_payload_does_not_stop_the_agent() {
    for agent in ["cursor", "gemini", "opencode", "windsurf"] {
        let env = TestEnv::new();
        let answer = env.fr_with(&["hook", agent], b"{\"session_id\":");
        assert_eq!((answer.code, answer.stdout.as_str()), (0, ""), "{answer:?}");
        assert!(answer.stderr.starts_with("fr: not recorded: malformed hook payload"), "{answer:?}");
        assert!(answer.stderr.contains(&format!("docs/agents/{agent}.md")), "{answer:?}");
    }
}
