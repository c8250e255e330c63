//! Codex CLI 0.169.0: with direct tools, in code mode, bypassing its hooks, and in its sandbox.

use fr::intake::{Action, Env, Happening, hook};
use fr::model::{Bytes, Outcome};
use serde_json::{Value, json};

use super::{
    all_shown, corpus, damaged_payloads_do_not_panic, ending, reason, replay, request, timeline, told,
};
use crate::env::TestEnv;

const DIRS: [&str; 4] = ["codex", "codex-direct", "codex-bypass", "codex-sandbox"];

#[test]
fn all_recorded_payloads() {
    assert_eq!(DIRS.map(|dir| corpus(dir).len()), [40, 32, 17, 11]);
    let mut shown = all_shown("codex", &DIRS, &Env::new());
    for (session, name) in [
        ("01a20311-8a27-7381-96c1-9c98e5d1db6e", "CODE"),
        ("01a20312-a33a-76b2-b4e8-bc565f6e4bb1", "DIRECT"),
        ("01a20301-1dbc-7f91-93dd-5a1b171f861d", "BYPASS"),
        ("01a20320-8146-79e3-b48e-3aaf5bd25644", "SANDBOX"),
    ] {
        shown = shown.replace(session, name);
    }
    insta::assert_snapshot!("codex", shown);
}

#[test]
fn every_ending_finds_its_beginning() {
    for (dir, announced, ended) in
        [("codex", 18, 16), ("codex-direct", 15, 13), ("codex-bypass", 7, 6), ("codex-sandbox", 4, 3)]
    {
        let (mut begun, mut done) = (Vec::new(), Vec::new());
        for path in corpus(dir) {
            match hook("codex", &std::fs::read(&path).unwrap()[..], &Env::new()) {
                Happening::Before(request) => {
                    begun.push((request.session, request.call, Some(request.action)))
                }
                Happening::After(ending) => done.push((ending.session, ending.call, ending.action)),
                _ => {}
            }
        }
        assert_eq!((begun.len(), done.len()), (announced, ended), "{dir}");
        assert!(done.iter().all(|half| begun.contains(half)), "{dir}");
    }
}

#[test]
fn a_whole_session_through_the_hook() {
    for (dir, announced) in [("codex", 18), ("codex-direct", 15), ("codex-bypass", 7), ("codex-sandbox", 4)] {
        let env = TestEnv::new();
        env.write("src/app.txt", "hello\n");
        replay(&env, "codex", dir);
        let events = timeline(&env);
        assert_eq!(events.len(), announced, "{dir}");
        for event in &events {
            assert_eq!((&event["actor"]["name"], &event["source"]), (&json!("codex"), &json!("hook")));
            assert!(event["cwd"].as_str().unwrap().starts_with(env.project.to_str().unwrap()), "{event}");
            assert_ne!(event["outcome"], Value::Null, "the session has ended: {event}");
        }
        insta::assert_snapshot!(format!("codex_{dir}_told"), told(&env));
        assert_eq!(env.waiting(), "", "{dir}");
        env.fr(&["store", "verify"]).ok();
    }
}

fn pre(tool: &str, input: Value) -> Vec<u8> {
    json!({
        "session_id": "s", "turn_id": "t", "cwd": "/w", "hook_event_name": "PreToolUse", "model": "m",
        "tool_name": tool, "tool_input": input, "tool_use_id": "c",
    })
    .to_string()
    .into_bytes()
}

fn post(tool: &str, response: Value) -> Outcome {
    let payload = json!({
        "session_id": "s", "turn_id": "t", "cwd": "/w", "hook_event_name": "PostToolUse",
        "tool_name": tool, "tool_input": {"command": "x"}, "tool_response": response, "tool_use_id": "c",
    });
    ending("codex", payload.to_string().as_bytes()).outcome
}

#[test]
fn tools_are_told_apart() {
    let action = |tool: &str, input: Value| request("codex", &pre(tool, input)).action;
    assert_eq!(action("Bash", json!({"command": "ls"})), Action::Shell(b"ls".to_vec()));
    let argv = Action::Argv(vec!["bash".into(), "-lc".into(), "rm x".into()]);
    assert_eq!(action("shell", json!({"command": ["bash", "-lc", "rm x"]})), argv);
    let patch = "*** Begin Patch\n*** Add File: a b\n+x\n*** Update File: /o\n*** Move to: n\n@@\n-a\n+b\n*** End Patch";
    let paths: Vec<Bytes> = vec!["/w/a b".into(), "/o".into(), "/w/n".into()];
    let edit = Action::EditFile { tool: "apply_patch".into(), paths };
    assert_eq!(action("apply_patch", json!({"command": patch})), edit);
    // Never "safe" when unsure.
    for (tool, input) in [("apply_patch", json!({"command": "no patch"})), ("Bash", json!({"command": 3}))] {
        assert!(matches!(action(tool, input), Action::OtherTool { .. }), "{tool}");
    }
    let unknown = Action::OtherTool { name: "from_2027".into(), raw: br#"{"a":[1]}"#.to_vec() };
    assert_eq!(action("from_2027", json!({"a": [1]})), unknown);
}

#[test]
fn what_codex_does_not_say_is_not_made_up() {
    assert_eq!(post("Bash", json!("")), Outcome::Ended);
    // A command may print what looks like a code.
    assert_eq!(post("Bash", json!("Exit code: 0\n")), Outcome::Ended);
    assert_eq!(post("apply_patch", json!("Exit code: 1\nno")), Outcome::Exited { code: 1 });
    assert_eq!(post("apply_patch", json!("Output:\nExit code: 1")), Outcome::Ended);
    assert_eq!(post("mcp__a__b", json!({"content": []})), Outcome::Succeeded);
    assert_eq!(post("mcp__a__b", json!({"content": [], "isError": true})), Outcome::Failed);
}

#[test]
fn what_cannot_be_understood_is_said_in_one_line() {
    for payload in [&b""[..], b"{", b"null", b"[]", b"\xff\xfe", b"{}", br#"{"session_id":"s"}"#] {
        assert!(reason("codex", payload).starts_with("malformed hook payload"));
    }
    assert!(reason("codex", br#"{"hook_event_name":"PreToolUse"}"#).contains("session_id"));
    assert!(reason("codex", br#"{"hook_event_name":"PreToolUse","session_id":"s"}"#).contains("tool_name"));
    for event in ["PermissionRequest", "UserPromptSubmit", "PreCompact", "From2027"] {
        let payload = format!(r#"{{"session_id":"s","turn_id":"t","hook_event_name":"{event}"}}"#);
        assert_eq!(hook("codex", payload.as_bytes(), &Env::new()), Happening::Ignore, "{event}");
    }
    let deep = format!(r#"{{"hook_event_name":"PreToolUse","x":{}"#, "[".repeat(1_000_000));
    assert!(reason("codex", deep.as_bytes()).contains("malformed"));
}

/// `apply_patch` in a command: applied by Codex itself, no process, no report of its end. What it was to leave stands in
/// the patch: where that is there now, undo takes it back; what somebody has changed since is a conflict.
#[test]
fn a_patch_inside_a_command_is_captured() {
    let env = TestEnv::new();
    env.write("src/keep.txt", "one\n");
    env.write("src/gone.txt", "two\n");
    let line = "cd src && apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: keep.txt\n@@\n-one\n+1\n\
                *** Delete File: gone.txt\n*** Add File: new/deep.txt\n+x\n*** End Patch\nEOF";
    let mut payload: Value = serde_json::from_slice(&pre("Bash", json!({"command": line}))).unwrap();
    payload["cwd"] = json!(env.project.to_str().unwrap());
    env.fr_with(&["hook", "codex"], payload.to_string().as_bytes()).ok();
    env.write("src/keep.txt", "1\n");
    env.write("src/new/deep.txt", "x\n");
    std::fs::remove_file(env.project.join("src/gone.txt")).unwrap();
    env.fr_with(
        &["hook", "codex"],
        br#"{"session_id":"s","cwd":"/w","hook_event_name":"Stop","turn_id":"t"}"#,
    )
    .ok();
    assert_eq!(timeline(&env)[0]["outcome"]["how"], "unknown");
    let undone = env.fr(&["undo", "1", "--yes"]).ok();
    assert!(undone.stdout.contains("undone and verified"), "{undone:?}");
    assert_eq!((env.read("src/keep.txt"), env.read("src/gone.txt")), ("one\n".into(), "two\n".into()));
    assert!(!env.exists("src/new"));
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!((env.read("src/keep.txt"), env.read("src/new/deep.txt")), ("1\n".into(), "x\n".into()));
    // A later command found just that: both are taken back as one.
    env.claude_runs("echo more >> src/keep.txt");
    let both = env.fr(&["undo", "--yes", "1..9"]);
    assert_eq!(both.code, 0, "{both:?}");
    assert_eq!((env.read("src/keep.txt"), env.read("src/gone.txt")), ("one\n".into(), "two\n".into()));
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!(env.read("src/keep.txt"), "1\nmore\n");
    env.write("src/keep.txt", "1 and more\n");
    assert_eq!(env.fr(&["undo", "1", "--yes"]).code, 4);
    assert_eq!(env.fr(&["undo", "1", "--yes", "--on-conflict", "skip"]).code, 3);
    assert_eq!((env.read("src/keep.txt"), env.read("src/gone.txt")), ("1 and more\n".into(), "two\n".into()));
    let beside = env.root().join("beside");
    env.fr(&["restore", "1", "--to", beside.to_str().unwrap()]);
    let old = env.sh(&format!("cat $(find {} -name keep.txt)", beside.display())).ok().stdout;
    assert_eq!(old, "one\n");
}

damaged_payloads_do_not_panic!("codex", DIRS);
