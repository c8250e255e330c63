//! From an agent's hook to the record and back, through the built binary.

use serde_json::{Value, json};

use super::corpus;
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
    let mut events: Vec<Value> =
        serde_json::from_value(env.fr(&["timeline", "--limit", "100", "--json"]).ok().json()).unwrap();
    events.sort_by_key(|event| event["id"].as_u64());
    events
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

/// Both halves of an edit of `a.txt`.
fn edits() -> [(&'static str, Value, Value); 4] {
    let patch = "*** Begin Patch\n*** Update File: a.txt\n@@\n-x\n+y\n*** End Patch";
    let half = |event: &str| {
        json!({"hook_event_name": event, "session_id": "s", "conversation_id": "s", "cwd": "/w", "tool_use_id": "t",
            "tool_name": if event.ends_with("ToolUse") { "Write" } else { "replace" },
            "tool_input": {"file_path": "a.txt", "old_string": "x", "new_string": "y"}})
    };
    let code = |event: &str| {
        json!({"agent_action_name": event, "trajectory_id": "s",
            "tool_info": {"file_path": "a.txt", "edits": [{"old_string": "x", "new_string": "y"}], "cwd": "/w"}})
    };
    [
        ("gemini", half("BeforeTool"), half("AfterTool")),
        ("cursor", half("preToolUse"), half("postToolUse")),
        ("windsurf", code("pre_write_code"), code("post_write_code")),
        (
            "opencode",
            json!({"hook": "tool.execute.before", "directory": "/w", "output": {"args": {"patchText": patch}},
                "input": {"tool": "apply_patch", "sessionID": "s", "callID": "t"}}),
            json!({"hook": "tool.execute.after", "directory": "/w", "output": {},
                "input": {"tool": "apply_patch", "sessionID": "s", "callID": "t", "args": {"patchText": patch}}}),
        ),
    ]
}

#[test]
fn what_an_agent_overwrites_comes_back() {
    for (agent, before, after) in edits() {
        let env = TestEnv::new();
        env.write("a.txt", "x\n");
        tell(&env, agent, &here(&env, &before)).ok();
        env.write("a.txt", "y\n");
        tell(&env, agent, &here(&env, &after)).ok();
        assert_eq!(timeline(&env)[0]["outcome"]["how"], "succeeded", "{agent}");
        env.fr(&["undo", "1", "--yes"]).ok();
        assert_eq!(env.read("a.txt"), "x\n", "{agent}");
    }
}

/// What a person did to the file after the agent is not taken back with it.
#[test]
fn a_later_edit_is_a_conflict() {
    for (agent, before, after) in edits() {
        let env = TestEnv::new();
        env.write("a.txt", "x\n");
        tell(&env, agent, &here(&env, &before)).ok();
        env.write("a.txt", "y\n");
        tell(&env, agent, &here(&env, &after)).ok();
        env.write("a.txt", "mine\n");
        assert_eq!(env.fr(&["undo", "1", "--yes"]).code, 4, "{agent}");
        assert_eq!(env.read("a.txt"), "mine\n", "{agent}");
    }
}

/// The recorded session of Gemini CLI 0.61.0, in its order and in this world's directories.
#[test]
fn a_recorded_gemini_session_is_on_the_timeline() {
    let env = TestEnv::with_git();
    let moved = |payload: &[u8]| {
        let text = String::from_utf8(payload.to_vec()).unwrap();
        let text = text.replace("/home/dev/app", env.project.to_str().unwrap());
        text.replace("/home/dev/out", env.root().to_str().unwrap())
    };
    let mut payloads: Vec<String> = corpus("gemini").iter().map(|(_, payload)| moved(payload)).collect();
    payloads.sort_by_key(|payload| {
        let payload: Value = serde_json::from_str(payload).unwrap();
        payload["timestamp"].as_str().unwrap().to_string()
    });
    for payload in &payloads {
        let answer = env.fr_with(&["hook", "gemini"], payload.as_bytes());
        assert_eq!((answer.code, answer.stdout.as_str(), answer.stderr.as_str()), (0, "", ""), "{payload}");
    }
    let story: String = timeline(&env)
        .iter()
        .map(|event| {
            let line =
                event["command"]["line"].as_str().unwrap().replace(env.root().to_str().unwrap(), "ROOT");
            let line: String = line.chars().take(60).collect();
            let outcome = &event["outcome"];
            let number = outcome["code"].as_i64().or(outcome["signal"].as_i64());
            let number = number.map(|number| format!(" {number}")).unwrap_or_default();
            let how = outcome["how"].as_str().unwrap_or("open");
            format!("{how}{number} {} {line}\n", event["command"]["tool"].as_str().unwrap())
        })
        .collect();
    insta::assert_snapshot!("gemini_timeline", story);
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
