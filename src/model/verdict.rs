//! What the recorder answers to an agent that is about to run a command.

use serde::{Deserialize, Serialize};

/// What the recorder wants to happen to a command. Kept with the event where it is not [`Verdict::Allow`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Verdict {
    /// It runs.
    Allow,
    /// The agent asks its user first.
    Ask {
        /// Why, for people. Without secrets and control characters: it may be shown to a model.
        reason: String,
    },
    /// It does not run.
    Deny {
        /// Why, for people and for the agent. Without secrets and control characters: it is shown to a model.
        reason: String,
    },
}

impl Verdict {
    /// Why it does not just run; `None` where it does.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Verdict::Allow => None,
            Verdict::Ask { reason } | Verdict::Deny { reason } => Some(reason),
        }
    }

    /// The same with its reason put otherwise.
    pub fn in_words(self, say: impl FnOnce(String) -> String) -> Verdict {
        match self {
            Verdict::Allow => Verdict::Allow,
            Verdict::Ask { reason } => Verdict::Ask { reason: say(reason) },
            Verdict::Deny { reason } => Verdict::Deny { reason: say(reason) },
        }
    }

    /// The word used in JSON and in the timeline.
    pub fn as_str(&self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Ask { .. } => "ask",
            Verdict::Deny { .. } => "deny",
        }
    }
}

/// Which answers the channel that reports a command can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// None: a shell, a shim, `fr exec`. The person is there.
    Nothing,
    /// It can stop the command, and cannot ask anyone.
    Deny,
    /// It can also ask its user.
    AskOrDeny,
}

/// How a person goes on where the agent does not run the command.
const BY_HAND: &str = "if it is meant, ask the user to run it in a terminal of their own";

impl Verdict {
    /// The verdict as the channel can carry it out. Where it cannot ask, a question is a "no" that says how a person
    /// goes on: agents that do not know "ask" run the command (Codex, Cursor before tools) or wait for ever (Gemini).
    pub fn within(self, answers: Answers) -> Verdict {
        match (self, answers) {
            (Verdict::Allow, _) | (_, Answers::Nothing) => Verdict::Allow,
            (Verdict::Ask { reason }, Answers::Deny) => Verdict::Deny {
                reason: format!("{reason}. This needs approval, which cannot be asked for here: {BY_HAND}"),
            },
            (Verdict::Deny { reason }, _) => {
                Verdict::Deny { reason: format!("{reason}. Not run: {BY_HAND}") }
            }
            (ask, Answers::AskOrDeny) => ask,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_by_a_channel_that_cannot_ask() {
        let ask = || Verdict::Ask { reason: "it drops a table".into() };
        assert_eq!(ask().within(Answers::AskOrDeny), ask());
        assert_eq!(ask().within(Answers::Nothing), Verdict::Allow);
        let denied = ask().within(Answers::Deny);
        let reason = denied.reason().unwrap();
        assert!(matches!(denied, Verdict::Deny { .. }), "{denied:?}");
        assert!(reason.starts_with("it drops a table. ") && reason.contains("terminal"), "{reason}");
        assert_eq!(Verdict::Allow.within(Answers::AskOrDeny), Verdict::Allow);
    }
}
