//! What came of a rehearsal: the evidence that recovery works, as the journal keeps it.

use serde::{Deserialize, Serialize};

/// How a rehearsal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrillOutcome {
    /// Everything came back identical.
    Passed,
    /// Something did not come back, or the rehearsal broke off.
    Failed,
    /// It was not rehearsed: something that it needs is not here.
    Skipped,
}

impl DrillOutcome {
    /// The word for people, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            DrillOutcome::Passed => "passed",
            DrillOutcome::Failed => "failed",
            DrillOutcome::Skipped => "skipped",
        }
    }
}

/// One scenario of a drill, as it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drilled {
    /// Its name, after the system whose recovery it rehearses: `files`, `git`, `git-remote`.
    pub system: String,
    /// How it ended.
    pub outcome: DrillOutcome,
    /// How many commands came back: identical, or as something new where that was the promise.
    pub restored: u64,
    /// How many commands were to be taken back.
    pub commands: u64,
    /// How long the slowest of the undos took that brought everything back, from its start to its end, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slowest_undo_ms: Option<u64>,
    /// How long all of it took, milliseconds.
    pub took_ms: u64,
    /// Why it failed or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
