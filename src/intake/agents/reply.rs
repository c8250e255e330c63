//! What the recorder answers to a hook.

use crate::model::Verdict;

/// What the hook process prints and how it exits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// For standard output; empty means print nothing.
    pub stdout: String,
    /// For standard error; empty means print nothing.
    pub stderr: String,
    /// The exit code. Never 1: Copilot CLI takes that for "block" (agents.md 1).
    pub code: u8,
}

impl Reply {
    /// Exit 0 and print nothing: every agent takes it for "go on".
    pub fn silent() -> Reply {
        Reply { stdout: String::new(), stderr: String::new(), code: 0 }
    }

    /// Exit 0 with JSON on standard output.
    pub fn json(answer: &serde_json::Value) -> Reply {
        Reply { stdout: answer.to_string(), stderr: String::new(), code: 0 }
    }

    /// The answer that Claude Code, Codex and VS Code understand: exit code 0 and `hookSpecificOutput` on standard
    /// output.
    pub fn hook_specific(verdict: &Verdict) -> Reply {
        let Some(reason) = verdict.reason() else { return Reply::silent() };
        Reply::json(&serde_json::json!({"hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": verdict.as_str(),
            "permissionDecisionReason": reason,
        }}))
    }

    /// The answer of those that know "deny" alone: Gemini CLI and our plugin for opencode.
    pub fn denial(verdict: &Verdict) -> Reply {
        let Some(reason) = verdict.reason() else { return Reply::silent() };
        Reply::json(&serde_json::json!({"decision": "deny", "reason": reason}))
    }
}
