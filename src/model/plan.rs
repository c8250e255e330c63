//! What undo will do, as a value: made by systems, shown to people, applied step by step.

use serde::{Deserialize, Serialize};

use super::{Bytes, Locator, Reversibility, SystemId};

/// What planning found for a step's target (B = before, A = after, N = now).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum StepVerdict {
    /// N = A: it can be restored.
    Restore,
    /// N = B: it is back already.
    Already,
    /// N is neither: somebody changed it since; the reason names what.
    Conflict {
        /// What stands in the way, for people.
        reason: String,
    },
    /// The capture does not hold it.
    NotCaptured {
        /// Why not, as noted at capture time.
        reason: String,
    },
}

/// One step of an undo plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The system that applies it.
    pub system: SystemId,
    /// The target, in the target grammar.
    pub resource: Bytes,
    /// What will be done: "restore 12 files", "move refs/heads/main back to 1a2b3c4".
    pub action: String,
    /// What it promises, lowered by what the capture really got.
    pub reversibility: Reversibility,
    /// Whether it can be done.
    #[serde(flatten)]
    pub verdict: StepVerdict,
    /// What does not come back although the step succeeds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_restored: Vec<String>,
    /// Where the system finds the target: also what is captured before the step writes.
    pub locator: Locator,
    /// The system's own instructions, with the expected present state: the compare-and-swap guard.
    pub payload: serde_json::Value,
}

/// How applying a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum StepOutcome {
    /// All of it was written.
    Done,
    /// An operation goes on elsewhere (a cloud restore); ask again with this handle.
    Waiting {
        /// The operation's id at its provider.
        operation: String,
    },
    /// The target changed between plan and apply; nothing of it was overwritten.
    Conflict {
        /// What was found.
        reason: String,
    },
    /// It failed, perhaps in part.
    Failed {
        /// What failed, naming what did not come back.
        reason: String,
    },
}

/// What reading a target again after the undo showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Verification {
    /// It equals its recorded state.
    Verified,
    /// It was restored but could not be compared.
    NotVerified {
        /// Why not.
        reason: String,
    },
    /// It does not equal its recorded state.
    Failed {
        /// What differs.
        reason: String,
    },
}
