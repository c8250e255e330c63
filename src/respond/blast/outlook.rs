//! What can be had back of something that was hit, or is back.

use serde::Serialize;

use crate::model::{Capture, Reversibility};

/// What can be had back of something, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outlook {
    /// It is back already: an undo has read it again.
    Back,
    /// An equivalent with another identity is back already.
    BackAnew,
    /// The same identity and content.
    Exactly,
    /// The record of it, not the thing.
    RecordOnly,
    /// An equivalent with another identity.
    Anew,
    /// Only a part: an undo left something of it, or the capture is partial.
    InPart,
    /// It can only be countered.
    Countered,
    /// An undo was run and left it as it is.
    NotBack,
    /// An undo left something and the record does not say of what; or a program did it that nobody can look into, and nothing was
    /// captured.
    Unknown,
    /// Nothing.
    NotAtAll,
}

impl Outlook {
    /// The words for people.
    pub fn words(self) -> &'static str {
        match self {
            Outlook::Back => "is back",
            Outlook::BackAnew => "is back, anew",
            Outlook::Exactly => "exactly",
            Outlook::RecordOnly => "record only",
            Outlook::Anew => "made anew",
            Outlook::InPart => "in part",
            Outlook::Countered => "countered",
            Outlook::NotBack => "not back yet",
            Outlook::Unknown => "not known",
            Outlook::NotAtAll => "not at all",
        }
    }

    /// Somebody has to do more about it than to undo.
    pub fn is_loss(self) -> bool {
        self > Outlook::Exactly
    }

    /// There is nothing left to take back.
    pub fn is_back(self) -> bool {
        matches!(self, Outlook::Back | Outlook::BackAnew)
    }
}

/// What its command and its capture promise, whatever was taken back since.
pub(super) fn promised(promised: Reversibility, capture: Option<&Capture>) -> Outlook {
    match capture {
        Some(capture) if capture.holds_nothing() => Outlook::NotAtAll,
        Some(capture) if !capture.is_complete() => Outlook::InPart,
        _ => match promised {
            Reversibility::NotApplicable | Reversibility::Exact => Outlook::Exactly,
            Reversibility::StateOnly => Outlook::RecordOnly,
            Reversibility::Recreate => Outlook::Anew,
            Reversibility::Compensating => Outlook::Countered,
            Reversibility::Irreversible => Outlook::NotAtAll,
        },
    }
}
