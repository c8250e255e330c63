//! The stored pre-state of a resource, and the states it is compared with.

use serde::{Deserialize, Serialize};

use super::{Bytes, Locator, ObjectId, SystemId};

/// A state of a resource at one moment, in normalised form: two states are equal iff their digests are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateRef {
    /// Equality of states; what the system leaves out of it (timestamps, cache fields) is documented per system.
    pub digest: ObjectId,
    /// The object that describes the state; `None` where the resource was absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
}

/// One thing that a capture left out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// What is not in the store: a path, a ref, an object.
    pub what: Bytes,
    /// Why, in words for people: "over the 1 GiB cap", "permission denied", "socket".
    pub why: String,
}

/// The stored pre-state of one resource: complete, or partial with what is missing named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The system that took it and can restore it.
    pub system: SystemId,
    /// The resource, in the target grammar.
    pub resource: Bytes,
    /// Where the system finds it again.
    pub locator: Locator,
    /// The state before the command.
    pub state: StateRef,
    /// What was left out; empty means complete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
    /// How many things (files, refs, rows) it holds.
    pub items: u64,
    /// How many bytes they have, uncompressed.
    pub bytes: u64,
}

impl Capture {
    /// Nothing was left out.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// What was left out is the very thing that it is of: its state could not be read (a server that does not answer).
    pub fn holds_nothing(&self) -> bool {
        self.missing.iter().any(|one| one.what == self.resource)
    }

    /// The other side of what it is of (what a push overwrites) could not be read.
    pub fn lacks_the_remote(&self) -> bool {
        self.missing.iter().any(|one| one.what.as_slice() == b"remote")
    }
}

/// A capture with its post-state: what undo works from. `after` is `None` where the command never reported back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The pre-state.
    pub before: Capture,
    /// The state right after the command.
    pub after: Option<StateRef>,
}
