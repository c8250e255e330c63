//! Which reports are one command, and which ending belongs to which beginning: through the built binary.

use serde_json::{Value, json};

use crate::env::TestEnv;

/// The timeline, oldest first.
fn timeline(env: &TestEnv) -> Vec<Value> {
    let mut events: Vec<Value> =
        serde_json::from_value(env.fr(&["timeline", "--json", "-n", "100"]).ok().json()).unwrap();
    events.sort_by_key(|event| event["id"].as_u64());
    events
}

/// How each event ended, in the timeline's word for it.
fn endings(env: &TestEnv) -> Vec<String> {
    timeline(env)
        .iter()
        .map(|event| match &event["outcome"] {
            Value::Null => "open".to_string(),
            outcome => match &outcome["code"] {
                Value::Null => outcome["how"].as_str().unwrap().to_string(),
                code => code.to_string(),
            },
        })
        .collect()
}

/// A hook event without a call id, in Claude's words: what ran stands for the call.
fn without_id(env: &TestEnv, event: &str, command: &str, more: Value) {
    let mut payload = json!({
        "hook_event_name": event, "tool_name": "Bash", "tool_input": {"command": command},
    });
    payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let out = env.claude_hook(payload);
    assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (0, "", ""), "{out:?}");
}

fn begins(env: &TestEnv, command: &str) {
    without_id(env, "PreToolUse", command, json!({}));
}

fn fails(env: &TestEnv, command: &str, code: i32) {
    without_id(env, "PostToolUseFailure", command, json!({"error": format!("Exit code {code}\n")}));
}

#[test]
fn calls_without_ids_end_first_in_first_out() {
    let env = TestEnv::new();
    // Harmless, in parallel; two of them are the same line.
    for command in ["git status", "ls", "git status"] {
        begins(&env, command);
    }
    fails(&env, "ls", 7);
    fails(&env, "git status", 1);
    fails(&env, "git status", 2);
    assert_eq!(endings(&env), ["1", "7", "2"]);
}

#[test]
fn captured_calls_without_ids_get_their_post_state() {
    let env = TestEnv::new();
    env.write("a.txt", "one\n");
    for round in ["two", "three"] {
        let line = "cat new > a.txt";
        begins(&env, line);
        env.write("a.txt", format!("{round}\n"));
        without_id(&env, "PostToolUse", line, json!({}));
    }
    let events = timeline(&env);
    assert_eq!(events.len(), 2);
    for event in &events {
        assert_eq!(event["after"]["post"].as_array().unwrap().len(), 1, "{event}");
    }
    // The post-state is what tells our change from a later one by hand.
    env.fr(&["undo", "2", "--yes"]).ok();
    assert_eq!(env.read("a.txt"), "two\n");
    env.write("a.txt", "by hand\n");
    assert_eq!(env.fr(&["undo", "1", "--yes"]).code, 4, "a conflict");
    assert_eq!(env.read("a.txt"), "by hand\n");
    assert_eq!(env.waiting(), "", "nothing is left waiting");
}

#[test]
fn the_same_captured_line_in_parallel_is_two_events() {
    let env = TestEnv::new();
    env.write("a.txt", "one\n");
    let line = "echo x >> a.txt";
    begins(&env, line);
    begins(&env, line);
    fails(&env, line, 1);
    fails(&env, line, 2);
    assert_eq!(endings(&env), ["1", "2"]);
    for event in timeline(&env) {
        assert_eq!(event["after"]["post"].as_array().unwrap().len(), 1, "{event}");
    }
}

#[test]
fn the_same_call_id_is_one_event_however_often_it_is_reported() {
    let env = TestEnv::new();
    env.write("a.txt", "one\n");
    for line in ["ls", "rm a.txt"] {
        let payload = json!({
            "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": line},
            "tool_use_id": format!("toolu_{line}"),
        });
        for _ in 0..2 {
            env.claude_hook(payload.clone()).ok();
        }
        let mut payload = payload;
        payload["hook_event_name"] = json!("PostToolUse");
        for _ in 0..2 {
            env.claude_hook(payload.clone()).ok();
        }
    }
    assert_eq!(endings(&env), ["succeeded", "succeeded"]);
    assert_eq!(timeline(&env)[1]["after"]["post"].as_array().unwrap().len(), 1);
    let sessions = env.fr(&["sessions", "--json"]).ok().json();
    assert_eq!(sessions[0]["events"], 2);
    // The number that the journal gave the second report shows the same event.
    assert_eq!(env.fr(&["show", "2", "--json"]).ok().json()["id"], 1);
    env.fr(&["store", "verify"]).ok();
}

/// Some model servers give every call the id `call_0`.
#[test]
fn an_id_that_comes_again_with_another_command_is_another_call() {
    let env = TestEnv::new();
    env.write("a.txt", "one\n");
    env.write("b.txt", "two\n");
    for line in ["ls", "pwd", "rm a.txt", "rm b.txt"] {
        env.claude_hook(json!({
            "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": line},
            "tool_use_id": "call_0",
        }))
        .ok();
        std::fs::remove_file(env.project.join(line.strip_prefix("rm ").unwrap_or("none"))).ok();
    }
    assert_eq!(timeline(&env).len(), 4);
    env.fr(&["undo", "3", "--yes"]).ok();
    env.fr(&["undo", "4", "--yes"]).ok();
    assert_eq!((env.read("a.txt"), env.read("b.txt")), ("one\n".into(), "two\n".into()));
}

/// Refused by the agent, or its process killed: an announcement is no run (agents.md 4.3).
#[test]
fn what_nobody_reports_is_not_known_when_the_turn_ends() {
    let env = TestEnv::new();
    env.write("a.txt", "one\n");
    let harmless = env.claude_pre("git status");
    env.claude_pre("rm a.txt");
    assert_eq!(endings(&env), ["open", "open"]);
    // What happens meanwhile in the session closes neither.
    env.claude_runs("true");
    env.claude_hook(json!({"hook_event_name": "SubagentStop"})).ok();
    assert_eq!(endings(&env), ["open", "open", "succeeded"]);
    env.claude_hook(json!({"hook_event_name": "Stop"})).ok();
    assert_eq!(endings(&env), ["unknown", "unknown", "succeeded"]);
    let shown = env.fr(&["show", "1"]).ok().stdout;
    assert!(shown.contains("not known: it may have run"), "{shown}");
    // A sub-agent in the background goes on after its parent's turn: what it reports then counts.
    env.claude_fail(&harmless, 1);
    assert_eq!(endings(&env), ["1", "unknown", "succeeded"]);
}

#[test]
fn a_report_after_the_turn_still_brings_the_post_state() {
    let env = TestEnv::new();
    env.write("a.txt", "one\n");
    let call = env.claude_pre("rm a.txt");
    env.claude_hook(json!({"hook_event_name": "Stop"})).ok();
    std::fs::remove_file(env.project.join("a.txt")).unwrap();
    env.claude_post(&call).ok();
    assert_eq!(endings(&env), ["succeeded"]);
    assert_eq!(timeline(&env)[0]["after"]["post"].as_array().unwrap().len(), 1);
    env.fr(&["store", "rebuild"]).ok();
    assert_eq!(endings(&env), ["succeeded"]);
}

#[test]
fn a_refused_line_does_not_take_the_ending_of_its_repetition() {
    let env = TestEnv::new();
    begins(&env, "git status");
    env.claude_hook(json!({"hook_event_name": "Stop"})).ok();
    begins(&env, "git status");
    fails(&env, "git status", 3);
    assert_eq!(endings(&env), ["unknown", "3"]);
}

/// An agent's hook and the shell that the agent starts: `BASH_ENV` makes the shell report what the hook has announced.
#[test]
fn a_shell_that_reports_what_its_agent_announced_is_no_second_event() {
    let mut env = TestEnv::new();
    env.write("a.txt", "one\n");
    env.vars.push(("CODEX_THREAD_ID".into(), "s".into()));
    let announce = |line: &str, call: &str| {
        let payload = json!({
            "session_id": "s", "turn_id": "t", "cwd": env.project.to_str().unwrap(),
            "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": line},
            "tool_use_id": call,
        });
        env.fr_with(&["hook", "codex"], payload.to_string().as_bytes()).ok();
    };
    let shell = |line: &str, pid: &str| {
        env.fr_with(&["hook", "shell", "before", &format!("shell-{pid}-1"), "1"], line.as_bytes()).ok();
    };
    for (number, line) in ["ls", "rm a.txt"].into_iter().enumerate() {
        announce(line, &format!("call-{number}"));
        shell(line, &format!("10{number}"));
    }
    assert_eq!(timeline(&env).len(), 2);
    // What the agent types into a shell that it left open was announced by nobody (agents.md 4.1).
    shell("rm -r build", "100");
    // And one announcement is one run.
    shell("ls", "103");
    let events = timeline(&env);
    assert_eq!(events.len(), 4, "{events:?}");
    assert_eq!(events[2]["source"], "shell");
    assert_eq!(events[3]["actor"]["name"], "codex");
}

/// The user was asked first, so the shell comes later than any guess allows; Codex tells it the id of the call.
#[test]
fn a_shell_that_knows_the_call_may_come_late() {
    let mut env = TestEnv::new();
    env.write("a.txt", "one\n");
    let codex = |env: &mut TestEnv, line: &str, seconds: u64, call: Option<&str>| {
        env.vars = vec![("FR_FAKE_TIME".into(), (seconds * 1_000_000_000).to_string())];
        let Some(call) = call else {
            let payload = json!({
                "session_id": "s", "turn_id": "t", "cwd": env.project.to_str().unwrap(),
                "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": line},
                "tool_use_id": format!("call {line}"),
            });
            env.fr_with(&["hook", "codex"], payload.to_string().as_bytes()).ok();
            return;
        };
        env.vars.push(("CODEX_THREAD_ID".into(), "s".into()));
        env.vars.push(("CODEX_TOOL_CALL_ID".into(), call.into()));
        env.fr_with(&["hook", "shell", "before", "shell-1-1", "whole"], line.as_bytes()).ok();
    };
    for (at, line) in [(1000, "ls"), (2000, "rm a.txt")] {
        codex(&mut env, line, at, None);
        codex(&mut env, line, at + 40, Some(&format!("call {line}")));
    }
    assert_eq!(timeline(&env).len(), 2);
    codex(&mut env, "ls", 1050, Some("another call"));
    assert_eq!(timeline(&env).len(), 3);
}

/// Cursor fires one hook with a call id and one without for the same command.
#[test]
fn a_report_with_an_id_and_one_without_are_one_event() {
    let env = TestEnv::new();
    env.write("a.txt", "one\n");
    for line in ["ls", "rm a.txt"] {
        let with_id = |event: &str| {
            json!({
                "hook_event_name": event, "tool_name": "Bash", "tool_input": {"command": line}, "tool_use_id": line,
            })
        };
        env.claude_hook(with_id("PreToolUse")).ok();
        begins(&env, line);
        fails(&env, line, 4);
        env.claude_hook(with_id("PostToolUse")).ok();
    }
    let events = timeline(&env);
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[1]["after"]["post"].as_array().unwrap().len(), 1);
}

/// `make; make` as two calls within two seconds.
#[test]
fn the_same_line_by_the_same_registration_ran_twice() {
    let env = TestEnv::new();
    env.write("a.txt", "one\n");
    for line in ["git status", "touch a.txt"] {
        for code in [1, 2] {
            begins(&env, line);
            fails(&env, line, code);
        }
        for code in [3, 4] {
            let call = env.claude_pre(line);
            env.claude_fail(&call, code).ok();
        }
    }
    assert_eq!(endings(&env), ["1", "2", "3", "4", "1", "2", "3", "4"]);
}
