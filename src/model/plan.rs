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
    /// It can be done, and is done only where a person asks for it by name: it reaches further than a state.
    OnRequest {
        /// Why, and how it is asked for.
        reason: String,
    },
    /// The capture does not hold it.
    NotCaptured {
        /// Why not, as noted at capture time.
        reason: String,
    },
}

/// What is done about targets that somebody changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Nothing at all is written.
    Abort,
    /// They are left alone, the others are restored.
    Skip,
    /// The command's change is taken out of the present; what was changed since stays.
    Merge,
    /// The old version is put beside the present.
    SideBySide,
    /// The present is overwritten, after it was captured.
    Force,
}

impl Policy {
    /// As it is written after `--on-conflict`.
    pub fn word(self) -> &'static str {
        match self {
            Policy::Abort => "abort",
            Policy::Skip => "skip",
            Policy::Merge => "merge",
            Policy::SideBySide => "side-by-side",
            Policy::Force => "force",
        }
    }
}

/// A way out of a conflict: what the step becomes if its policy is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// Which policy.
    pub policy: Policy,
    /// What will be done.
    pub action: String,
    /// `Restore` or `Already` where it can be gone; `Conflict` with the reason where it cannot.
    #[serde(flatten)]
    pub verdict: StepVerdict,
    /// What it writes, where that is another place than the step's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locator: Option<Locator>,
    /// The step's payload then.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub payload: serde_json::Value,
}

impl Way {
    /// A way that cannot be gone, and why.
    pub fn closed(policy: Policy, reason: impl Into<String>) -> Way {
        Way {
            policy,
            action: "stays in conflict".to_owned(),
            verdict: StepVerdict::Conflict { reason: reason.into() },
            locator: None,
            payload: serde_json::Value::Null,
        }
    }
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
    /// The policy by which a conflict became this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// For a conflict: what each policy would do. A system that knows nothing of a policy names none, and the conflict
    /// stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Way>,
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
