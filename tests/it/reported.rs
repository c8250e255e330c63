//! Edits that nobody saw coming, and tasks in the background: what agents tell afterwards counts as far as it is certain.
//! The payloads are those that the agents once sent.

use serde_json::{Value, json};

use crate::env::{Output, TestEnv};

/// A recorded payload, with this world's project in place of the one it was recorded in.
fn payload(env: &TestEnv, name: &str) -> Value {
    let path = format!("{}/tests/corpus/payloads/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text.replace("/home/dev/app", env.project.to_str().unwrap())).unwrap()
}

fn tell(env: &TestEnv, agent: &str, payload: &Value) -> Output {
    let output = env.fr_with(&["hook", agent], payload.to_string().as_bytes());
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, "", ""), "{payload}");
    output
}

fn events(env: &TestEnv) -> Vec<Value> {
    env.fr(&["timeline", "--json", "--limit", "100"]).ok().json().as_array().unwrap().clone()
}

/// The agent, its report of an edit of `src/app.txt` and of a new `notes.txt`.
const REPORTS: [(&str, &str, &str); 2] = [
    ("claude", "claude/PostToolUse-8", "claude/PostToolUse-9"),
    ("gemini", "gemini/AfterTool-9", "gemini/AfterTool-10"),
];

#[test]
fn an_edit_that_was_reported_only_afterwards_is_taken_back() {
    for (agent, edit, _) in REPORTS {
        let env = TestEnv::new();
        env.write("src/app.txt", "goodbye\n");
        env.sh("chmod 640 src/app.txt").ok();
        tell(&env, agent, &payload(&env, edit));
        let seen = events(&env);
        assert_eq!(seen.len(), 1, "{agent}: {seen:#?}");
        let event = &seen[0];
        assert_eq!((&event["actor"]["name"], &event["outcome"]["how"]), (&json!(agent), &json!("succeeded")));
        assert_eq!(event["class"], "overwrite");
        assert!(event["command"]["line"].as_str().unwrap().ends_with("/src/app.txt"), "{event:#}");
        let shown = env.fr(&["show", "1"]).ok().stdout;
        assert!(shown.contains("warning: reported only after the edit"), "{shown}");
        assert!(env.fr(&["diff", "1"]).ok().stdout.contains("-hello"));
        // In part: that the mode was the same nobody has seen.
        let undone = env.fr(&["undo", "1", "--yes"]);
        assert_eq!(undone.code, 3, "{undone:?}");
        assert_eq!(env.read("src/app.txt"), "hello\n");
        assert_eq!(env.sh("stat -c %a src/app.txt").ok().stdout, "640\n");
        env.fr(&["redo", "--yes"]).ok();
        assert_eq!(env.read("src/app.txt"), "goodbye\n");
    }
}

#[test]
fn a_file_that_was_reported_as_new_goes_again() {
    for (agent, _, write) in REPORTS {
        let env = TestEnv::new();
        env.write("notes.txt", "new file\n");
        tell(&env, agent, &payload(&env, write));
        assert_eq!(env.fr(&["undo", "1", "--yes"]).code, 3);
        assert!(!env.exists("notes.txt"), "{agent}");
    }
}

/// Somebody has written to it since the agent has, perhaps before its report came.
#[test]
fn what_is_not_what_the_agent_wrote_is_a_conflict() {
    for (agent, edit, write) in REPORTS {
        let env = TestEnv::new();
        env.write("src/app.txt", "goodbye\nand a person's line\n");
        env.write("notes.txt", "a person's\n");
        tell(&env, agent, &payload(&env, edit));
        tell(&env, agent, &payload(&env, write));
        for id in ["1", "2"] {
            let refused = env.fr(&["undo", id, "--yes"]);
            assert_eq!(refused.code, 4, "{agent} {id}: {refused:?}");
        }
        assert_eq!(env.read("src/app.txt"), "goodbye\nand a person's line\n");
        assert_eq!(env.read("notes.txt"), "a person's\n");
    }
}

/// Agents read and write a file as text: with line feeds, without a byte order mark.
#[test]
fn the_files_own_line_ends_come_back() {
    for (agent, edit, _) in REPORTS {
        for (mark, end) in [("", "\r\n"), ("\u{feff}", "\n"), ("\u{feff}", "\r\n")] {
            let env = TestEnv::new();
            env.write("src/app.txt", format!("{mark}goodbye{end}"));
            tell(&env, agent, &payload(&env, edit));
            assert_eq!(env.fr(&["undo", "1", "--yes"]).code, 3);
            assert_eq!(env.read("src/app.txt"), format!("{mark}hello{end}"), "{agent}");
        }
    }
}

/// The agent's word is only taken where nobody looked before: what is on record stays as it is.
#[test]
fn an_edit_that_was_seen_coming_is_one_event() {
    for (agent, before, edit) in [
        ("claude", "claude/PreToolUse-8", "claude/PostToolUse-8"),
        ("gemini", "gemini/BeforeTool-9", "gemini/AfterTool-9"),
    ] {
        let env = TestEnv::new();
        env.write("src/app.txt", "what was really there\n");
        let mut announced = payload(&env, before);
        let reported = payload(&env, edit);
        for key in ["tool_name", "tool_input", "tool_use_id", "cwd"] {
            announced[key] = reported[key].clone();
        }
        tell(&env, agent, &announced);
        env.write("src/app.txt", "goodbye\n");
        tell(&env, agent, &reported);
        if agent == "claude" {
            // A second registration tells the same end.
            tell(&env, agent, &reported);
        }
        let seen = events(&env);
        assert_eq!(seen.len(), 1, "{agent}: {seen:#?}");
        env.fr(&["undo", "1", "--yes"]).ok();
        assert_eq!(env.read("src/app.txt"), "what was really there\n");
    }
}

/// The same file is edited again and again; each report is one edit.
#[test]
fn each_late_report_is_an_event_of_its_own() {
    let env = TestEnv::new();
    env.write("src/app.txt", "goodbye\n");
    for n in 0..3 {
        let mut claude = payload(&env, "claude/PostToolUse-8");
        claude["tool_use_id"] = json!(format!("t{n}"));
        tell(&env, "claude", &claude);
        tell(&env, "gemini", &payload(&env, "gemini/AfterTool-9"));
    }
    assert_eq!(events(&env).len(), 6);
}

#[test]
fn what_does_not_tell_the_old_content_is_no_event() {
    let env = TestEnv::new();
    env.write("src/app.txt", "goodbye\n");
    env.claude_pre("ls");
    let claude = payload(&env, "claude/PostToolUse-8");
    for (field, value) in [
        // As Claude strips it for its transcripts.
        ("/tool_response/originalFile", Value::Null),
        ("/tool_response", json!("done")),
        ("/hook_event_name", json!("PostToolUseFailure")),
        ("/tool_response/originalFile", json!(["hello"])),
    ] {
        let mut payload = claude.clone();
        *payload.pointer_mut(field).unwrap() = value;
        tell(&env, "claude", &payload);
    }
    let mut gemini = payload(&env, "gemini/AfterTool-9");
    gemini["tool_response"]["error"] = json!({"type": "edit_no_occurrence_found", "message": "no"});
    tell(&env, "gemini", &gemini);
    assert_eq!(events(&env).len(), 1);
}

/// Claude puts a command into the background, and is told of its end when the model asks for its output.
fn background(env: &TestEnv) -> crate::env::Call {
    let input = json!({"command": "sleep 1; echo late > late.txt", "run_in_background": true});
    let call = env.claude_tool("Bash", input);
    env.claude_hook(json!({"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_use_id": call.id,
        "tool_input": call.input, "tool_response": {"stdout": "", "stderr": "", "backgroundTaskId": "b1a2"}}));
    call
}

fn polled(env: &TestEnv, id: &str, status: &str, code: Value) {
    let input = json!({"task_id": id, "block": true, "timeout": 30000});
    let call = env.claude_tool("TaskOutput", input);
    env.claude_hook(json!({"hook_event_name": "PostToolUse", "tool_name": "TaskOutput", "tool_use_id": call.id,
        "tool_input": call.input, "tool_response": {"retrieval_status": "success", "task": {"task_id": id,
            "task_type": "local_bash", "status": status, "description": "x", "output": "", "exitCode": code}}}));
}

#[test]
fn a_task_in_the_background_is_taken_back_once_its_end_was_told() {
    let env = TestEnv::new();
    background(&env);
    polled(&env, "b1a2", "running", Value::Null);
    let how = |env: &TestEnv| env.fr(&["show", "1", "--json"]).ok().json()["outcome"].clone();
    assert_eq!(how(&env)["how"], "background");
    env.write("late.txt", "late\n");
    assert_eq!(env.fr(&["undo", "1", "--yes"]).code, 4, "it may still write");
    // Another session's task of the same name is another task.
    env.claude_hook(json!({"hook_event_name": "PostToolUse", "session_id": "other", "tool_name": "TaskOutput",
        "tool_use_id": "x", "tool_input": {}, "tool_response": {"task": {"task_id": "b1a2", "status": "completed"}}}));
    assert_eq!(how(&env)["how"], "background");
    polled(&env, "b1a2", "completed", json!(3));
    assert_eq!(how(&env), json!({"how": "exited", "code": 3}));
    // Its end is told once.
    polled(&env, "b1a2", "completed", json!(0));
    assert_eq!(how(&env), json!({"how": "exited", "code": 3}));
    env.fr(&["undo", "1", "--yes"]).ok();
    assert!(!env.exists("late.txt"));
}

#[test]
fn a_task_that_nobody_asked_for_stays_in_the_background() {
    let env = TestEnv::new();
    background(&env);
    env.write("late.txt", "late\n");
    for event in ["Stop", "SessionEnd"] {
        env.claude_hook(json!({"hook_event_name": event}));
    }
    assert_eq!(env.fr(&["show", "1", "--json"]).ok().json()["outcome"]["how"], "background");
    assert_eq!(env.fr(&["undo", "1", "--yes"]).code, 4);
    let left = env.waiting();
    assert_eq!(left, "", "nothing waits for a session that is over");
}
