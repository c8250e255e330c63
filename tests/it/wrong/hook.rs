//! What an agent may send by mistake.

use serde_json::json;

use super::{clean, fails, lets_it_run};
use crate::env::{SESSION, TestEnv, run};

const EVENTS: &str = r#""session_id":"s","cwd":"/","hook_event_name":"#;

#[test]
fn what_is_no_payload_lets_the_command_run_and_leaves_a_gap() {
    let deep = "[".repeat(200_000);
    let whole = format!(
        "{{{EVENTS}\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{{\"command\":\"rm x\"}},\"tool_use_id\":\"t\"}}"
    );
    let mut wrong: Vec<Vec<u8>> = ["", "{", "null", "[]", "\"text\"", "17", "{}", "\u{feff}{}", &deep]
        .into_iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    for cut in (1..whole.len()).step_by(7) {
        wrong.push(whole.as_bytes()[..cut].to_vec());
    }
    wrong.push(b"\0\0\0\0".to_vec());
    wrong.push(b"\xff\xfe{\0}\0".to_vec());
    wrong.push(b"\x1b[2J\x1b]0;title\x07".to_vec());
    wrong.push(format!("{{{EVENTS}17}}").into_bytes());
    wrong.push(format!("{{{EVENTS}\"PreToolUse\"}}").into_bytes());
    wrong.push(br#"{"hook_event_name":"PreToolUse","session_id":["s"]}"#.to_vec());
    let env = TestEnv::new();
    for payload in &wrong {
        let out = env.fr_with(&["hook", "claude"], payload);
        assert!(out.stderr.starts_with("fr: not recorded: malformed hook payload"), "{payload:?}: {out:?}");
        lets_it_run(&out);
    }
    let shown = env.fr(&["timeline"]).ok();
    assert!(shown.stdout.contains("gap now: malformed hook payload"), "{shown:?}");
    clean(&shown.stdout);
    env.fr(&["store", "verify"]).ok();
}

#[test]
fn a_huge_payload_is_drained_and_named() {
    let env = TestEnv::new();
    let line = "x".repeat(17 << 20);
    let out = env.claude_hook(json!({
        "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": line}, "tool_use_id": "t",
    }));
    assert!(out.stderr.contains("over 16 MiB"), "{out:?}");
    lets_it_run(&out);
    // Below the limit it is recorded, and the record can be read.
    let line = format!("rm -f gone # {}", "x".repeat(2 << 20));
    let call = env.claude_pre(&line);
    assert_eq!((call.answer.code, call.answer.stdout.as_str()), (0, ""));
    assert_eq!(env.claude_post(&call).code, 0);
    let shown = env.fr(&["timeline", "--json", "-n", "1"]).ok();
    assert_eq!(shown.json()[0]["session"], SESSION);
}

#[test]
fn events_that_came_later_are_passed_over_in_silence() {
    let env = TestEnv::new();
    for event in ["Tomorrow", "PreCompact", "", "pretooluse"] {
        let out = env.claude_hook(json!({"hook_event_name": event}));
        assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (0, "", ""), "{event}");
    }
}

#[test]
fn an_unknown_agent_and_no_agent_let_the_command_run() {
    let env = TestEnv::new();
    let unknown = env.fr_with(&["hook", "cl\x1baude"], b"{}");
    assert!(unknown.stderr.contains("no agent is called"), "{unknown:?}");
    assert!(unknown.stderr.contains("claude"), "the hint names those there are");
    lets_it_run(&unknown);
    lets_it_run(&env.fr(&["hook"]));
    let mut command = env.command(TestEnv::binary());
    command.arg("hook").arg(not_utf8());
    lets_it_run(&run(command, b"{}"));
    lets_it_run(&env.fr(&["hook", "shell", "sideways"]));
}

#[test]
fn nul_and_bytes_that_are_no_text_are_recorded_as_they_are() {
    let env = TestEnv::new();
    let call = env.claude_pre("rm -f a\0b");
    assert_eq!((call.answer.code, call.answer.stderr.as_str()), (0, ""));
    let payload = [
        format!("{{{EVENTS}\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_use_id\":\"t\",\"tool_input\":{{\"command\":\"rm caf")
            .as_bytes(),
        b"\xe9\"}}",
    ]
    .concat();
    let out = env.fr_with(&["hook", "claude"], &payload);
    assert_eq!((out.code, out.stderr.as_str()), (0, ""));
    let shown = env.fr(&["timeline"]).ok();
    clean(&shown.stdout);
    assert!(shown.stdout.contains("rm caf\\xe9") && shown.stdout.contains("rm -f a\\x00b"), "{shown:?}");
    let exact = &env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0]["command"]["line"]["hex"];
    assert_eq!(exact, "726d20636166e9");
}

#[test]
fn nothing_on_stdin_and_nowhere_to_talk_to() {
    let env = TestEnv::new();
    let closed = env.sh("fr hook claude <&-");
    lets_it_run(&closed);
    assert_eq!(env.sh("echo '{' | fr hook claude 2>&-").code, 0);
    assert_eq!(env.sh("echo '{' | fr hook claude >&- 2>&-").code, 0);
    fails(&env.sh("fr timeline --since x <&-"), 2);
}

fn not_utf8() -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(b"cl\xff".to_vec())
}
