//! What an agent is answered: a small policy over what a command does and what of it could be kept. Only commands that
//! destroy or overwrite something are ever asked about; for all others no setting is even read.

use serde::{Deserialize, Serialize};

use super::redact::{self, TagKey};
use super::{Config, read};
use crate::error::Error;
use crate::intake::Request;
use crate::model::{Answers, Effect, Verdict};
use crate::platform::home::Home;

/// The most bytes of a reason: a model reads it.
const LONGEST: usize = 500;

/// The most things that a reason names.
const NAMED: usize = 3;

/// What to do where the recorder cannot do its part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reaction {
    /// The command runs; the record says what is missing.
    #[default]
    Proceed,
    /// The agent asks its user; where it cannot, it is told to have the user run the command.
    Ask,
    /// The command does not run.
    Deny,
}

impl Reaction {
    fn verdict(self, reason: String, answers: Answers) -> Verdict {
        let wanted = match self {
            Reaction::Proceed => Verdict::Allow,
            Reaction::Ask => Verdict::Ask { reason },
            Reaction::Deny => Verdict::Deny { reason },
        };
        wanted.within(answers)
    }

    /// The word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Reaction::Proceed => "proceed",
            Reaction::Ask => "ask",
            Reaction::Deny => "deny",
        }
    }
}

/// What a command that was recorded is answered. `lacking` is what it destroys and the store does not have.
pub fn on_record(request: &Request, lacking: &[String], home: &Home) -> Verdict {
    if lacking.is_empty() || request.answers == Answers::Nothing {
        return Verdict::Allow;
    }
    // Settings that cannot be read do not count; the event's warnings say so.
    let reaction = Config::load(home).unwrap_or_default().on_incomplete_capture;
    let reason = format!(
        "the flight recorder (fr) could not keep all that this destroys, and cannot bring it back: {} \
         [on-incomplete-capture = {}]",
        listed(lacking),
        reaction.as_str()
    );
    reaction.verdict(in_one_line(&reason, home), request.answers)
}

/// What a command that could not be recorded is answered.
pub fn on_failure(request: &Request, cause: &Error, home: &Home) -> Verdict {
    if request.answers == Answers::Nothing {
        return Verdict::Allow;
    }
    let reaction = Config::load(home).unwrap_or_default().on_failure;
    if reaction == Reaction::Proceed || !destroys(&read(&request.action, &request.cwd, &request.env).effects)
    {
        return Verdict::Allow;
    }
    let reason = format!(
        "the flight recorder (fr) could not record this, and cannot bring back what it destroys: {cause} \
         [on-failure = {}]",
        reaction.as_str()
    );
    reaction.verdict(in_one_line(&reason, home), request.answers)
}

fn destroys(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| effect.class.is_destructive())
}

fn listed(lacking: &[String]) -> String {
    let mut named = lacking.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    if lacking.len() > NAMED {
        named.push_str(&format!("; and {} more", lacking.len() - NAMED));
    }
    named
}

/// Without secrets, line breaks and what a terminal would obey: names of files are in it.
pub(super) fn in_one_line(text: &str, home: &Home) -> String {
    let redacted = redact::redact(text.as_bytes(), &TagKey::load(home));
    let redacted = String::from_utf8_lossy(&redacted);
    let mut plain = String::new();
    for c in redacted.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if plain.len() + c.len_utf8() > LONGEST {
            plain.push('…');
            break;
        }
        plain.push(c);
    }
    plain
}
