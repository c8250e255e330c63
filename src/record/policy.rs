//! What an agent is answered: a small policy over what a command does and what of it could be kept. Only commands that
//! destroy or overwrite something are ever asked about; for all others no setting is even read.

use serde::{Deserialize, Serialize};

use super::captures::Capturing;
use super::redact::{self, TagKey};
use super::{Config, guard, production, read};
use crate::error::Error;
use crate::intake::Request;
use crate::model::{ActorKind, Answers, Capture, Effect, Verdict};
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
    fn wanted(self, reason: String) -> Verdict {
        match self {
            Reaction::Proceed => Verdict::Allow,
            Reaction::Ask => Verdict::Ask { reason },
            Reaction::Deny => Verdict::Deny { reason },
        }
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

/// Whether commands are only recorded, or decided on as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Recorded; it never stands in the way.
    #[default]
    Observe,
    /// What can be undone exactly runs, what cannot is asked about, what nothing brings back on production is denied.
    Guard,
}

impl Mode {
    /// The word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Observe => "observe",
            Mode::Guard => "guard",
        }
    }
}

/// What a command that was recorded is answered, by what it does and what of that the store has.
pub fn on_record(request: &Request, effects: &[Effect], taken: &Capturing, home: &Home) -> Verdict {
    let matters = !taken.lacking.is_empty() || effects.iter().any(guard::counts);
    if !matters || request.answers == Answers::Nothing {
        return Verdict::Allow;
    }
    // Settings that cannot be read do not count; the event's warnings say so.
    let config = Config::load(home).unwrap_or_default();
    let guarded = match config.mode {
        Mode::Observe => Verdict::Allow,
        Mode::Guard => guard::judge(effects, &taken.captures, &taken.lacking, &config.production),
    };
    let kept = match taken.lacking.is_empty() {
        true => Verdict::Allow,
        false => config.on_incomplete_capture.wanted(format!(
            "{} [on-incomplete-capture = {}]",
            not_kept(&taken.lacking),
            config.on_incomplete_capture.as_str()
        )),
    };
    harder(guarded, kept).in_words(|reason| in_one_line(&reason, home)).within(request.answers)
}

/// What an agent is told of a command at the moment it is executed, where it must not run. Here nobody can be asked any
/// more, and the line was let run: only what is denied counts.
pub(super) fn at_exec(
    request: &Request,
    effects: &[Effect],
    captures: &[Capture],
    home: &Home,
) -> Option<Verdict> {
    if request.actor.kind != ActorKind::Agent || !effects.iter().any(guard::counts) {
        return None;
    }
    let alarmed = production::look(request, effects, captures, home).unwrap_or(Verdict::Allow);
    let config = Config::load(home).unwrap_or_default();
    let guarded = match config.mode {
        Mode::Observe => Verdict::Allow,
        Mode::Guard => guard::judge(effects, captures, &[], &config.production),
    };
    match harder(guarded, alarmed).in_words(|reason| in_one_line(&reason, home)) {
        deny @ Verdict::Deny { .. } => Some(deny.within(Answers::Deny)),
        Verdict::Ask { .. } | Verdict::Allow => None,
    }
}

/// What could not be kept, as a reason.
pub(super) fn not_kept(lacking: &[String]) -> String {
    format!(
        "the flight recorder (fr) could not keep all that this destroys, and cannot bring it back: {}",
        listed(lacking)
    )
}

/// The one of two that lets less through; the first where they let the same through.
pub(super) fn harder(one: Verdict, other: Verdict) -> Verdict {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Allow => 0,
        Verdict::Ask { .. } => 1,
        Verdict::Deny { .. } => 2,
    };
    if rank(&other) > rank(&one) { other } else { one }
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
    reaction.wanted(in_one_line(&reason, home)).within(request.answers)
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
