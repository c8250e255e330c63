//! What the recorder answers to a hook.

/// What the recorder wants to happen to the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It runs.
    Allow,
    /// The agent asks its user first.
    Ask {
        /// Why, for people. Sanitised by the caller: it may be shown to a model.
        reason: String,
    },
    /// It does not run.
    Deny {
        /// Why, for people and for the agent. Sanitised by the caller: it is shown to a model.
        reason: String,
    },
}

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

impl Verdict {
    /// The answer that Claude Code, Codex and VS Code understand: exit code 0 and `hookSpecificOutput` on standard
    /// output.
    pub fn hook_specific(&self) -> Reply {
        let (decision, reason) = match self {
            Verdict::Allow => return Reply::silent(),
            Verdict::Ask { reason } => ("ask", reason),
            Verdict::Deny { reason } => ("deny", reason),
        };
        let answer = serde_json::json!({"hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": decision,
            "permissionDecisionReason": reason,
        }});
        Reply { stdout: answer.to_string(), stderr: String::new(), code: 0 }
    }
}

impl Reply {
    /// Exit 0 and print nothing: every agent takes it for "go on".
    pub fn silent() -> Reply {
        Reply { stdout: String::new(), stderr: String::new(), code: 0 }
    }
}

/// The reason of an "ask" for an agent whose hooks cannot ask: it is answered with "deny", so it says how a person
/// approves.
pub fn approval(reason: &str) -> String {
    format!(
        "{reason}; this needs a person's approval, which a hook cannot ask for here: run it yourself in a terminal"
    )
}
