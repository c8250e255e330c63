//! Copilot's agent mode in VS Code: payloads made from its documentation, not captured.

use fr::intake::{Action, Env, Happening, hook};
use fr::model::Outcome;
use serde_json::{Value, json};

use super::{all_shown, damaged_payloads_do_not_panic, reason, request, timeline};
use crate::env::TestEnv;

#[test]
fn the_documented_payloads() {
    insta::assert_snapshot!("vscode", all_shown("vscode", &["vscode"], &Env::new()));
}

fn spelled(snake: bool, event: &str, tool: &str, input: Value) -> Value {
    let (session, name) =
        if snake { ("session_id", "hook_event_name") } else { ("sessionId", "hookEventName") };
    json!({
        "timestamp": "2026-02-09T10:30:00.000Z", "cwd": "/w", session: "s", name: event, "transcript_path": "/t",
        "tool_name": tool, "tool_input": input, "tool_use_id": "c", "tool_response": "done",
    })
}

#[test]
fn both_spellings_under_any_registration() {
    for snake in [true, false] {
        let payload = spelled(snake, "PreToolUse", "run_in_terminal", json!({"command": "rm x"})).to_string();
        for registration in ["vscode", "claude", "copilot"] {
            let asked = request(registration, payload.as_bytes());
            assert_eq!(
                (asked.actor.name.as_str(), asked.session.as_str()),
                ("vscode", "s"),
                "{registration}"
            );
            assert_eq!((asked.call.as_deref(), asked.action), (Some("c"), Action::Shell(b"rm x".to_vec())));
        }
    }
}

#[test]
fn every_file_that_an_edit_names() {
    let paths = |tool: &str, input: Value| {
        let payload = spelled(true, "PreToolUse", tool, input).to_string();
        match request("vscode", payload.as_bytes()).action {
            Action::EditFile { paths, .. } => paths.iter().map(|path| path.lossy().into_owned()).collect(),
            other => vec![format!("{other:?}")],
        }
    };
    assert_eq!(paths("editFiles", json!({"files": ["src/a", "/b"]})), ["/w/src/a", "/b"]);
    assert_eq!(paths("create_file", json!({"filePath": "file:///a%20b", "content": ""})), ["/a b"]);
    let many = json!({"replacements": [{"filePath": "/a"}, {"filePath": "/b"}, {"filePath": "/a"}]});
    assert_eq!(paths("multi_replace_string_in_file", many), ["/a", "/b"]);
    let patch = "*** Begin Patch\n*** Delete File: /x\n*** End Patch";
    assert_eq!(paths("apply_patch", json!({"input": patch, "explanation": "e"})), ["/x"]);
    assert!(paths("editFiles", json!({"files": []}))[0].starts_with("OtherTool"));
    assert!(
        paths("deleteFile", json!({"filePath": "/x"}))[0].starts_with("OtherTool"),
        "it may be a directory"
    );
}

#[test]
fn endings_say_no_more_than_vscode_does() {
    let outcome = |tool: &str, input: Value| {
        let payload = spelled(true, "PostToolUse", tool, input).to_string();
        match hook("vscode", payload.as_bytes(), &Env::new()) {
            Happening::After(ending) => ending.outcome,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(outcome("run_in_terminal", json!({"command": "false"})), Outcome::Ended);
    assert_eq!(
        outcome("run_in_terminal", json!({"command": "x", "isBackground": true})),
        Outcome::Background
    );
    assert_eq!(outcome("create_file", json!({"filePath": "/a"})), Outcome::Succeeded);
    assert!(reason("vscode", b"{}").contains("no event"));
    let later = spelled(false, "PreCompact", "", json!({})).to_string();
    assert_eq!(hook("vscode", later.as_bytes(), &Env::new()), Happening::Ignore);
}

/// It reads `.github/hooks`, `.claude/settings.json` and `~/.claude/settings.json`: three registrations of one call.
#[test]
fn three_registrations_are_one_event() {
    let env = TestEnv::new();
    env.write("a.txt", "one\n");
    for line in ["ls", "rm a.txt"] {
        for event in ["PreToolUse", "PostToolUse"] {
            let mut payload = spelled(false, event, "runTerminalCommand", json!({"command": line}));
            payload["cwd"] = json!(env.project.to_str().unwrap());
            payload["tool_use_id"] = json!(format!("call {line}"));
            for registration in ["copilot", "claude", "claude"] {
                env.fr_with(&["hook", registration], payload.to_string().as_bytes()).ok();
            }
        }
    }
    let events = timeline(&env);
    assert_eq!(events.len(), 2);
    assert!(
        events.iter().all(|event| event["outcome"]["how"] == "ended" && event["actor"]["name"] == "vscode")
    );
    assert_eq!(events[1]["after"]["post"].as_array().unwrap().len(), 1);
}

damaged_payloads_do_not_panic!("vscode", ["vscode"]);
