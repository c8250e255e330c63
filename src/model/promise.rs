//! What the store really has of an event, and what undo can therefore promise: the class of the command, lowered by what its
//! capture got.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Before, EffectClass, Reversibility};

/// Whether the state before a command is in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// It changed nothing: there was nothing to keep.
    #[serde(rename = "n/a")]
    NotApplicable,
    /// All of it.
    All,
    /// A part; what is missing is named in the event.
    Part,
    /// Nothing of it.
    Nothing,
}

impl Kept {
    /// As the before-half tells.
    pub fn of(before: &Before) -> Kept {
        let changes = before.effects.iter().any(|effect| effect.class.changes_state());
        let partial =
            !before.warnings.is_empty() || before.captures.iter().any(|capture| !capture.is_complete());
        match (changes, before.captures.is_empty(), partial) {
            (false, _, _) => Kept::NotApplicable,
            (true, true, _) => Kept::Nothing,
            (true, false, true) => Kept::Part,
            (true, false, false) => Kept::All,
        }
    }

    /// True where it changed something of which not all is in the store.
    pub fn lacks(self) -> bool {
        matches!(self, Kept::Part | Kept::Nothing)
    }

    /// The word used in JSON and in the timeline.
    pub fn as_str(self) -> &'static str {
        match self {
            Kept::NotApplicable => "n/a",
            Kept::All => "all",
            Kept::Part => "part",
            Kept::Nothing => "nothing",
        }
    }
}

/// What can come back of an event: its reversibility, lowered by what was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// It changed nothing.
    #[serde(rename = "n/a")]
    NotApplicable,
    /// The same identity and content.
    Exact,
    /// The record of it.
    StateOnly,
    /// An equivalent with a new identity.
    Recreate,
    /// It can only be countered.
    Compensating,
    /// A part was not kept.
    InPart,
    /// A program did it that nobody can look into, and nothing was kept: whether anything was lost is not known.
    Unknown,
    /// Nothing.
    Irreversible,
}

impl Promise {
    /// Of an event of which this was kept.
    pub fn of(before: &Before, kept: Kept) -> Promise {
        let changing = || before.effects.iter().filter(|effect| effect.class.changes_state());
        let class = changing().map(|effect| effect.reversibility).max();
        let whole = match class.unwrap_or(Reversibility::NotApplicable) {
            Reversibility::NotApplicable => Promise::NotApplicable,
            Reversibility::Exact => Promise::Exact,
            Reversibility::StateOnly => Promise::StateOnly,
            Reversibility::Recreate => Promise::Recreate,
            Reversibility::Compensating => Promise::Compensating,
            Reversibility::Irreversible => Promise::Irreversible,
        };
        match kept {
            Kept::NotApplicable => Promise::NotApplicable,
            Kept::All => whole,
            Kept::Part => whole.max(Promise::InPart),
            Kept::Nothing if changing().all(|effect| effect.class == EffectClass::Opaque) => Promise::Unknown,
            Kept::Nothing => Promise::Irreversible,
        }
    }

    /// The word used in JSON and in the timeline.
    pub fn as_str(self) -> &'static str {
        match self {
            Promise::NotApplicable => "n/a",
            Promise::Exact => "exact",
            Promise::StateOnly => "state-only",
            Promise::Recreate => "recreate",
            Promise::Compensating => "compensating",
            Promise::InPart => "in-part",
            Promise::Unknown => "unknown",
            Promise::Irreversible => "irreversible",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
