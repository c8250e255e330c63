//! GitHub Copilot CLI 1.0.102, in both forms of its payloads.

use fr::intake::{Action, Env, Happening, hook};
use fr::model::Outcome;
use serde_json::{Value, json};

use super::{
    all_shown, corpus, damaged_payloads_do_not_panic, ending, environment, here, reason, replay, request,
    timeline, told,
};
use crate::env::TestEnv;

const DIRS: [&str; 2] = ["copilot", "copilot-pascal"];

#[test]
fn all_recorded_payloads() {
    assert_eq!(DIRS.map(|dir| corpus(dir).len()), [58, 42]);
    let shown = all_shown("copilot", &DIRS, &Env::new())
        .replace("3d05e675-0b92-445c-8c60-de94b66d94ee", "SESSION")
        .replace("9718e99d-8e92-4a3a-b134-851498cc1cc6", "SUB");
    insta::assert_snapshot!("copilot", shown);
}

/// Whatever registered the hook, the payload is Copilot's: it runs `.claude/settings.json` too (agents.md 4.8).
#[test]
fn the_registration_does_not_matter() {
    for dir in DIRS {
        for path in corpus(dir) {
            let payload = std::fs::read(&path).unwrap();
            let env = environment(&[
                ("COPILOT_PROJECT_DIR", "/home/dev/app"),
                ("CLAUDE_PROJECT_DIR", "/home/dev/app"),
            ]);
            let own = hook("copilot", &payload[..], &env);
            assert_eq!(hook("claude", &payload[..], &env), own, "{path:?}");
        }
    }
}

/// Both forms of one call are recorded alike: that is how the second one is known for what it is.
#[test]
fn both_forms_say_the_same() {
    for path in corpus("copilot-pascal") {
        let name = super::name(&path);
        let Some(number) = name.strip_prefix("PreToolUse-") else { continue };
        let camel = path.with_file_name(format!("../copilot/preToolUse-{number}.json"));
        let read = |path| request("copilot", &std::fs::read(path).unwrap());
        let (one, other) = (read(camel), read(path));
        assert_eq!(one, other, "{number}");
    }
}

#[test]
fn a_whole_session_through_the_hook() {
    for dir in DIRS {
        let env = TestEnv::new();
        env.write("src/app.txt", "hello\n");
        replay(&env, "copilot", dir);
        let events = timeline(&env);
        assert_eq!(events.len(), 17, "{dir}");
        for event in &events {
            assert_eq!(event["actor"]["name"], "copilot");
            assert_eq!(event["cwd"], env.project.to_str().unwrap());
            assert_ne!(event["outcome"], Value::Null, "{event}");
        }
        // The same in both forms.
        insta::assert_snapshot!("copilot_told", told(&env));
        env.fr(&["store", "verify"]).ok();
    }
}

/// Two registrations, as they came in the real session: camelCase from `~/.copilot/hooks`, PascalCase from
/// `.claude/settings.json`.
#[test]
fn a_session_reported_twice_is_recorded_once() {
    let env = TestEnv::new();
    env.write("src/app.txt", "hello\n");
    let send = |agent: &str, dir: &str, event: &str, number: usize| {
        let path =
            corpus(dir).into_iter().find(|path| super::name(path) == format!("{event}-{number}")).unwrap();
        let out = env.fr_with(&["hook", agent], &here(&env, &std::fs::read(path).unwrap()));
        assert_eq!(
            (out.code, out.stdout.as_str(), out.stderr.as_str()),
            (0, "", ""),
            "{event}-{number}: {out:?}"
        );
    };
    // Calls 12 and 13 ran in parallel; the sub-agent's, 16, ran inside 15.
    for batch in [
        &[1][..],
        &[2],
        &[3],
        &[4],
        &[5],
        &[6],
        &[7],
        &[8],
        &[9],
        &[10],
        &[11],
        &[12, 13],
        &[14],
        &[15],
        &[17],
    ] {
        for number in batch {
            send("copilot", "copilot", "preToolUse", *number);
            send("claude", "copilot-pascal", "PreToolUse", *number);
        }
        for number in batch {
            // One of the sub-agent's: endings are numbered in the order they came.
            let number = if *number == 15 { 16 } else { *number };
            send("copilot", "copilot", "postToolUse", number);
            send("claude", "copilot-pascal", "PostToolUse", number);
        }
    }
    let events = timeline(&env);
    assert_eq!(events.len(), 16);
    for event in &events {
        assert_eq!(event["actor"]["name"], "copilot");
        let background = event["outcome"]["how"] == "background";
        let captures = event["captures"].as_array().filter(|_| !background).map_or(0, Vec::len);
        assert_eq!(captures, event["after"]["post"].as_array().map_or(0, Vec::len), "{event}");
    }
    assert_eq!(env.waiting(), "");
}

fn pre(tool: &str, args: Value) -> Vec<u8> {
    json!({"sessionId": "s", "timestamp": 1, "cwd": "/w", "toolName": tool, "toolArgs": args})
        .to_string()
        .into_bytes()
}

#[test]
fn arguments_may_be_a_json_text() {
    let args = r#"{"command":"rm -rf build","mode":"async"}"#;
    let asked = request("copilot", &pre("bash", json!(args)));
    assert_eq!((asked.action, asked.background), (Action::Shell(b"rm -rf build".to_vec()), true));
    let edit = request("copilot", &pre("edit", json!(r#"{"path":"a b"}"#))).action;
    assert_eq!(edit, Action::EditFile { tool: "edit".into(), paths: vec!["/w/a b".into()] });
    let patch = "*** Begin Patch\n*** Delete File: x\n*** End Patch";
    let patched = Action::EditFile { tool: "apply_patch".into(), paths: vec!["/w/x".into()] };
    for args in [json!(patch), json!({"input": patch}), json!(json!({"patch": patch}).to_string())] {
        assert_eq!(request("copilot", &pre("apply_patch", args.clone())).action, patched, "{args}");
    }
    let other = |raw: &str| Action::OtherTool { name: "db-drop".into(), raw: raw.as_bytes().to_vec() };
    assert_eq!(request("copilot", &pre("db-drop", json!({"a": 1}))).action, other(r#"{"a":1}"#));
    assert_eq!(request("copilot", &pre("db-drop", json!(r#"{"a":1}"#))).action, other(r#"{"a":1}"#));
    assert_eq!(request("copilot", &pre("db-drop", json!("free text"))).action, other("free text"));
}

#[test]
fn the_code_is_read_from_copilots_own_mark() {
    let outcome = |tool: &str, kind: &str, said: &str| {
        let payload = json!({"sessionId": "s", "timestamp": 1, "cwd": "/w", "toolName": tool, "toolArgs": {},
            "toolResult": {"resultType": kind, "textResultForLlm": said}});
        ending("copilot", payload.to_string().as_bytes()).outcome
    };
    let exited = |code| Outcome::Exited { code };
    assert_eq!(outcome("bash", "success", "x\n<shellId: 6 completed with exit code 3>"), exited(3));
    assert_eq!(
        outcome("bash", "success", "<command started in background with shellId: 7>"),
        Outcome::Background
    );
    // What a command prints is not Copilot's word.
    let printed = "<shellId: 6 completed with exit code 0>\n<shellId: 6 completed with exit code 9>";
    assert_eq!(outcome("bash", "success", printed), exited(9));
    assert_eq!(outcome("bash", "success", "<shellId: 6 completed with exit code 0>\nbye"), Outcome::Ended);
    assert_eq!(outcome("view", "success", "<shellId: 6 completed with exit code 3>"), Outcome::Succeeded);
    assert_eq!(outcome("bash", "denied", "no"), Outcome::Refused);
    assert_eq!(outcome("bash", "from-2027", "?"), Outcome::Failed);
}

#[test]
fn what_cannot_be_understood_is_said_in_one_line() {
    for payload in [&b""[..], b"{", b"null", b"[]", b"\xff\xfe", b"{}"] {
        assert!(reason("copilot", payload).starts_with("malformed hook payload"));
    }
    assert!(reason("copilot", br#"{"toolName":"bash","toolArgs":{}}"#).contains("no session"));
    for payload in [
        r#"{"sessionId":"s","timestamp":1,"hookName":"permissionRequest","toolName":"bash"}"#,
        r#"{"sessionId":"s","timestamp":1,"error":{"message":"x"},"errorContext":"system"}"#,
        r#"{"sessionId":"s","timestamp":1,"trigger":"auto"}"#,
        r#"{"sessionId":"s","timestamp":1,"from2027":true}"#,
        r#"{"session_id":"s","timestamp":"t","hook_event_name":"From2027"}"#,
    ] {
        assert_eq!(hook("copilot", payload.as_bytes(), &Env::new()), Happening::Ignore, "{payload}");
    }
}

damaged_payloads_do_not_panic!("copilot", DIRS);
