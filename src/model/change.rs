//! What differs between two states of a resource, for people and for `fr diff`.

use serde::{Deserialize, Serialize};

use super::Bytes;

/// How a thing differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is there only in the later state.
    Added,
    /// It is there only in the earlier state.
    Removed,
    /// Its content differs.
    Changed,
    /// Only its metadata (mode, owner, attributes) differs.
    Metadata,
    /// The later state is not known.
    Unknown,
}

/// One thing that differs between two states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What: an absolute path, a ref.
    pub what: Bytes,
    /// How.
    pub how: ChangeKind,
    /// The earlier content, or a short text for it, where it is stored and small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Bytes>,
    /// The later content, or a short text for it, where it is stored and small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Bytes>,
}
