//! Every payload that a real Claude Code 2.1.197 sent, and hostile ones that none ever did.

use fr::intake::{Action, Ending, Env, Happening, Request, hook};
use fr::model::{Bytes, Outcome};
use proptest::prelude::*;

use super::{corpus, damaged_payloads_do_not_panic, environment, shown};

/// The environment of Claude's hooks (agents.md 3).
fn claude_env() -> Env {
    environment(&[("CLAUDECODE", "1"), ("AI_AGENT", "claude-code_2-1-197_harness"), ("USER", "dev")])
}

fn claude(payload: &[u8]) -> Happening {
    hook("claude", payload, &claude_env())
}

fn request(payload: &[u8]) -> Request {
    match claude(payload) {
        Happening::Before(request) => *request,
        other => panic!("{other:?}"),
    }
}

fn ending(payload: &str) -> Ending {
    match claude(payload.as_bytes()) {
        Happening::After(ending) => ending,
        other => panic!("{other:?}"),
    }
}

fn reason(payload: &[u8]) -> String {
    match claude(payload) {
        Happening::Malformed(malformed) => malformed.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_recorded_payloads() {
    let mut all = String::new();
    for path in corpus("claude") {
        let happening = claude(&std::fs::read(&path).unwrap());
        all.push_str(&format!("{}: {}\n", super::name(&path), shown(&happening, &claude_env())));
    }
    assert_eq!(corpus("claude").len(), 43);
    insta::assert_snapshot!("claude", all.replace("090923af-75c4-44ef-a6cf-39d67bbb8c36", "SESSION"));
}

#[test]
fn every_announced_call_that_was_answered_finds_its_ending() {
    let (mut begun, mut ended) = (Vec::new(), Vec::new());
    for path in corpus("claude") {
        match claude(&std::fs::read(&path).unwrap()) {
            Happening::Before(request) => begun.push((request.session, request.call, Some(request.action))),
            Happening::After(ending) => ended.push((ending.session, ending.call, ending.action)),
            _ => {}
        }
    }
    assert_eq!((begun.len(), ended.len()), (18, 18));
    for half in &ended {
        assert!(begun.contains(half), "{half:?}");
    }
}

fn bash(command_json: &str) -> Vec<u8> {
    format!(
        r#"{{"session_id":"s","cwd":"/w","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{{"command":{command_json}}},"tool_use_id":"t"}}"#
    )
    .into_bytes()
}

#[test]
fn names_that_are_not_text_survive() {
    let line = |payload: &[u8]| request(payload).action;
    assert_eq!(line(&bash(r#""rm a\u0000b""#)), Action::Shell(b"rm a\0b".to_vec()));
    assert_eq!(line(&bash(r#""rm \ud800x""#)), Action::Shell("rm \u{fffd}x".as_bytes().to_vec()));
    let mut raw = bash(r#""rm caf@""#);
    let at = raw.iter().position(|byte| *byte == b'@').unwrap();
    raw[at] = 0xe9;
    assert_eq!(line(&raw), Action::Shell(b"rm caf\xe9".to_vec()));
    let edit = br#"{"session_id":"s","cwd":"/w","hook_event_name":"PreToolUse","tool_name":"Edit","tool_input":{"file_path":"caf@"}}"#;
    let edit: Vec<u8> = edit.iter().map(|byte| if *byte == b'@' { 0xe9 } else { *byte }).collect();
    let Action::EditFile { paths, .. } = request(&edit).action else { panic!("not an edit") };
    assert_eq!(paths, [Bytes(b"/w/caf\xe9".to_vec())], "relative paths are the session's");
}

#[test]
fn tools_are_told_apart() {
    let action = |tool: &str, input: &str| {
        let payload = format!(
            r#"{{"session_id":"s","cwd":"/w","hook_event_name":"PreToolUse","tool_name":"{tool}","tool_input":{input}}}"#
        );
        request(payload.as_bytes()).action
    };
    let other = |name: &str, raw: &str| Action::OtherTool { name: name.into(), raw: raw.as_bytes().to_vec() };
    for tool in ["Edit", "Write", "MultiEdit"] {
        let edit = Action::EditFile { tool: tool.into(), paths: vec!["/a b".into()] };
        assert_eq!(action(tool, r#"{"file_path":"/a b","x":1}"#), edit);
    }
    let notebook = Action::EditFile { tool: "NotebookEdit".into(), paths: vec!["/n.ipynb".into()] };
    assert_eq!(action("NotebookEdit", r#"{"notebook_path":"/n.ipynb"}"#), notebook);
    assert_eq!(
        action("Grep", r#"{"pattern":"x"}"#),
        Action::ReadOnly { tool: "Grep".into(), subject: "x".into() }
    );
    // Never "safe" when unsure: an unknown tool, or a known one with an input it never had.
    assert_eq!(action("Task", r#"{"p":"q"}"#), other("Task", r#"{"p":"q"}"#));
    assert_eq!(
        action("mcp__db__drop", r#"{"command": ["a"]}"#),
        other("mcp__db__drop", r#"{"command": ["a"]}"#)
    );
    assert_eq!(action("Bash", r#"{"command":["rm"]}"#), other("Bash", r#"{"command":["rm"]}"#));
    assert_eq!(action("Edit", r#"{"file":"x"}"#), other("Edit", r#"{"file":"x"}"#));
    assert_eq!(action("Skill", "null"), other("Skill", ""));
}

#[test]
fn a_relative_directory_is_none() {
    for (cwd, is) in [("/home/dev", "/home/dev"), ("'home/dev", ""), ("src", ""), ("", "")] {
        let payload = format!(
            r#"{{"session_id":"s","cwd":"{cwd}","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{{"command":"ls"}}}}"#
        );
        assert_eq!(request(payload.as_bytes()).cwd.lossy(), is);
    }
}

#[test]
fn endings_are_told_apart() {
    let post = |event: &str, rest: &str| {
        ending(&format!(r#"{{"session_id":"s","hook_event_name":"{event}","tool_name":"Bash",{rest}}}"#))
    };
    assert_eq!(post("PostToolUse", r#""tool_response":{"stdout":""}"#).outcome, Outcome::Succeeded);
    assert_eq!(
        post("PostToolUse", r#""tool_response":{"backgroundTaskId":"b"}"#).outcome,
        Outcome::Background
    );
    let failed = post("PostToolUseFailure", r#""error":"Exit code 137\nKilled","duration_ms":3.7"#);
    assert_eq!((failed.outcome, failed.duration_ms), (Outcome::Exited { code: 137 }, Some(3)));
    assert_eq!(post("PostToolUseFailure", r#""error":"it was refused""#).outcome, Outcome::Failed);
    let stopped = post("PostToolUse", r#""tool_response":{"interrupted":true}"#);
    assert_eq!((stopped.outcome, stopped.note), (Outcome::Failed, Some(b"interrupted".to_vec())));
    let long = post("PostToolUseFailure", &format!(r#""error":"Exit code 1\n{}""#, "x".repeat(100_000)));
    assert_eq!(long.note.unwrap().len(), 4096);
}

#[test]
fn what_cannot_be_understood_is_said_in_one_line() {
    for payload in
        [&b""[..], b"{", b"null", b"[]", b"\xff\xfe", b"{\"hook_event_name\":3}", br#"{"session_id":"s"}"#]
    {
        let reason = reason(payload);
        assert!(reason.starts_with("malformed hook payload") && !reason.contains('\n'), "{reason}");
    }
    assert!(reason(br#"{"hook_event_name":"PreToolUse"}"#).contains("session_id"));
    assert!(reason(br#"{"hook_event_name":"PreToolUse","session_id":"s"}"#).contains("tool_name"));
    assert_eq!(claude(br#"{"hook_event_name":"FromTheFuture","x":{}}"#), Happening::Ignore);
    assert!(
        matches!(hook("nobody", &b"{}"[..], &Env::new()), Happening::Malformed(m) if m.hint.contains("claude"))
    );
    let huge = hook("claude", std::io::Read::take(std::io::repeat(b' '), 17 << 20), &Env::new());
    assert!(matches!(huge, Happening::Malformed(m) if m.reason.contains("16 MiB")));
}

#[test]
fn depth_is_harmless() {
    // Deep enough to overflow the stack of anything that recurses.
    for open in ["[", "{\"a\":"] {
        let deep = open.repeat(1_000_000);
        let nested = format!(
            r#"{{"session_id":"s","cwd":"/","hook_event_name":"PreToolUse","tool_name":"mcp__x","tool_input":{deep}"#
        );
        assert!(reason(nested.as_bytes()).contains("malformed"));
    }
    let closed = format!(
        r#"{{"session_id":"s","cwd":"/","hook_event_name":"PreToolUse","tool_name":"mcp__x","x":{0}{1},"tool_input":{0}{1}}}"#,
        "[".repeat(1_000_000),
        "]".repeat(1_000_000)
    );
    assert!(matches!(request(closed.as_bytes()).action, Action::OtherTool { .. }));
}

#[test]
fn a_borrowed_registration_names_the_borrower() {
    let mut env = claude_env();
    env.insert("COPILOT_CLI".into(), "1".into());
    let payload = br#"{"session_id":"s","cwd":"/w","hook_event_name":"PreToolUse","tool_name":"Edit","tool_input":{"path":"a"}}"#;
    let Happening::Before(request) = hook("claude", &payload[..], &env) else { panic!("no request") };
    assert_eq!(request.actor.name, "copilot");
    assert_eq!(request.action, Action::EditFile { tool: "Edit".into(), paths: vec!["/w/a".into()] });
}

damaged_payloads_do_not_panic!("claude", ["claude"]);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The line that the agent runs is the line that is recorded.
    #[test]
    fn lines_survive_their_json(line in any::<String>()) {
        let json = serde_json::to_string(&line).unwrap();
        prop_assert_eq!(request(&bash(&json)).action, Action::Shell(line.into_bytes()));
    }
}
