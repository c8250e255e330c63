//! How a call is said to have ended.

use fr::model::Outcome;
use serde_json::{Value, json};

use super::ending;

fn gemini(tool: &str, response: Value) -> (Outcome, String) {
    let ended = ending(
        "gemini",
        &json!({"hook_event_name": "AfterTool", "session_id": "s", "cwd": "/w", "tool_name": tool,
            "tool_input": {"command": "x", "file_path": "/a"}, "tool_response": response}),
    );
    (ended.outcome, String::from_utf8(ended.note.unwrap_or_default()).unwrap())
}

fn shell(said: &str, display: &str) -> Outcome {
    let said = format!("<untrusted_context>\n{said}\n</untrusted_context>");
    gemini("run_shell_command", json!({"llmContent": said, "returnDisplay": display})).0
}

#[test]
fn gemini_says_the_exit_code_behind_the_output() {
    assert_eq!(shell("Output: a\nProcess Group PGID: 1", "a"), Outcome::Succeeded);
    assert_eq!(
        shell("Output: (empty)\nExit Code: 3\nProcess Group PGID: 1", ""),
        Outcome::Exited { code: 3 }
    );
    assert_eq!(
        shell("Output: a\nExit Code: 4\nBackground PIDs: 7, 8\nProcess Group PGID: 1", "a"),
        Outcome::Exited { code: 4 }
    );
    assert_eq!(shell("Output: a\nSignal: 9\nProcess Group PGID: 1", "a"), Outcome::Signalled { signal: 9 });
    assert_eq!(shell("Output: a\nError: spawn ENOENT\nProcess Group PGID: 1", "a"), Outcome::Failed);
    let failed = json!({"llmContent": "Output: no\nExit Code: 1", "returnDisplay": "no"});
    assert_eq!(gemini("run_shell_command", failed), (Outcome::Exited { code: 1 }, "no".into()));
}

#[test]
fn output_that_looks_like_an_exit_code_is_output() {
    let output = "tests\nExit Code: 5\nProcess Group PGID: 9";
    assert_eq!(shell(&format!("Output: {output}\nProcess Group PGID: 1"), output), Outcome::Succeeded);
    assert_eq!(
        shell(&format!("Output: {output}\nExit Code: 2\nProcess Group PGID: 1"), output),
        Outcome::Exited { code: 2 }
    );
    assert_eq!(
        shell("Output: Command moved to background", "Command moved to background"),
        Outcome::Succeeded
    );
}

#[test]
fn gemini_refuses_cancels_and_puts_into_the_background() {
    for (said, outcome) in [
        ("Command injection detected: command substitution syntax ($(), …) found", Outcome::Refused),
        ("Command was cancelled by user before it could start.", Outcome::Refused),
        ("Command was cancelled by user before it could complete.", Outcome::Failed),
        (
            "Command was automatically cancelled because it exceeded the timeout of 5.0 minutes",
            Outcome::Failed,
        ),
        ("Command moved to background (PID: 1894). Output hidden.", Outcome::Background),
        ("Command is running in background. PID: 7. Initial output:\n", Outcome::Background),
        ("The build failed because of a missing file.", Outcome::Unknown),
    ] {
        let plain = gemini("run_shell_command", json!({"llmContent": said, "returnDisplay": said}));
        assert_eq!((plain.0, shell(said, said)), (outcome, outcome), "{said}");
    }
    let error = |kind: &str| json!({"llmContent": "x", "error": {"message": "why", "type": kind}});
    assert_eq!(gemini("replace", error("edit_no_occurrence_found")), (Outcome::Failed, "why".into()));
    assert_eq!(gemini("run_shell_command", error("path_not_in_workspace")), (Outcome::Refused, "why".into()));
    assert_eq!(gemini("replace", json!({"returnDisplay": {"fileDiff": ""}})).0, Outcome::Succeeded);
    assert_eq!(gemini("run_shell_command", json!([1])).0, Outcome::Unknown);
}

#[test]
fn opencode_tells_the_exit_code() {
    let after = |output: Value| {
        ending(
            "opencode",
            &json!({"hook": "tool.execute.after", "directory": "/w", "duration_ms": 12,
            "input": {"tool": "bash", "sessionID": "s", "callID": "t", "args": {"command": "x"}}, "output": output}),
        )
    };
    assert_eq!(after(json!({"metadata": {"exit": 3}})).outcome, Outcome::Exited { code: 3 });
    assert_eq!(after(json!({"metadata": {"exit": null}})).outcome, Outcome::Failed, "opencode killed it");
    assert_eq!(after(json!({"metadata": {}})).outcome, Outcome::Succeeded);
    assert_eq!(after(json!({"isError": true})).outcome, Outcome::Failed);
    assert_eq!(after(json!({})).duration_ms, Some(12));
    let threw = |error: &str| {
        ending(
            "opencode",
            &json!({"hook": "tool.failed", "error": error,
            "input": {"tool": "edit", "sessionID": "s", "callID": "t", "args": {"filePath": "/a"}}}),
        )
    };
    let rejected = threw("The user rejected permission to use this specific tool call.");
    assert_eq!(rejected.outcome, Outcome::Refused);
    assert_eq!(threw("Error: fr: not without a backup").outcome, Outcome::Refused);
    let failed = threw("oldString not found in content");
    assert_eq!((failed.outcome, failed.note.unwrap().len()), (Outcome::Failed, 30));
    assert_eq!(threw(&"x".repeat(100_000)).note.unwrap().len(), 4096);
}

#[test]
fn cursor_says_more_of_tools_than_of_commands() {
    let ended = |event: &str, tool: &str, rest: Value| {
        let mut payload = json!({"hook_event_name": event, "conversation_id": "s", "cursor_version": "2.4.0",
            "tool_name": tool, "tool_input": {"command": "x", "file_path": "/a"}, "tool_use_id": "t"});
        payload.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        ending("cursor", &payload)
    };
    let written = ended("postToolUse", "Write", json!({"duration": 5.5}));
    assert_eq!(
        (written.outcome, written.call, written.duration_ms),
        (Outcome::Succeeded, Some("t".into()), Some(5))
    );
    let ran = ending(
        "cursor",
        &json!({"hook_event_name": "afterShellExecution", "conversation_id": "s",
        "command": "x", "output": "", "duration": 9}),
    );
    assert_eq!((ran.outcome, ran.call), (Outcome::Unknown, None));
    // A command that its user refused never reaches `afterShellExecution`.
    let refused = ended("postToolUseFailure", "Shell", json!({"failure_type": "permission_denied"}));
    assert_eq!((refused.outcome, refused.call, &refused.action), (Outcome::Refused, None, &ran.action));
    let late =
        ended("postToolUseFailure", "Write", json!({"failure_type": "timeout", "error_message": "30 s"}));
    assert_eq!((late.outcome, late.note), (Outcome::Failed, Some(b"30 s".to_vec())));
}
