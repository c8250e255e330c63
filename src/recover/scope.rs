//! How much of the chosen events is taken back.

use crate::model::{Bytes, SystemId};

/// A part of what events changed; empty lists mean everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Scope {
    /// Only these systems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub systems: Vec<String>,
    /// Only what is at or below these absolute paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<Bytes>,
}

impl Scope {
    /// Everything.
    pub fn is_whole(&self) -> bool {
        self.systems.is_empty() && self.paths.is_empty()
    }

    /// Whether this system is in it.
    pub fn has_system(&self, id: &SystemId) -> bool {
        self.systems.is_empty() || self.systems.iter().any(|name| *name == id.0)
    }
}
