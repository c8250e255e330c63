//! What an undo could not bring back, target by target.

use serde::{Deserialize, Serialize};

use super::{Bytes, SystemId};

/// One thing that is not as it was before the command, after an undo of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    /// The system of the target, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemId>,
    /// The target, in the target grammar; empty where it concerns the undo as a whole.
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub target: Bytes,
    /// What, in words for people, redacted.
    pub what: String,
    /// The target is there again, and only lacks this: its old id, what was on its disks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub there: bool,
}

impl Lack {
    /// As the note of an undo says it.
    pub fn said(&self) -> String {
        match self.target.is_empty() {
            true => self.what.clone(),
            false => format!("{}: {}", self.target.lossy(), self.what),
        }
    }
}
