//! What verify reports.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::model::{Bytes, EventId, ObjectId};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing is wrong; it is worth knowing.
    Note,
    /// The unacknowledged end that a killed writer left. Nothing that was promised is lost.
    Torn,
    /// Derived data is wrong; `fr store rebuild` makes it anew.
    Repairable,
    /// Bytes that were written are not what they were, or are gone.
    Damaged,
}

/// One thing that verify found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file; a byte string in JSON, because its name need not be text.
    #[serde(serialize_with = "as_bytes")]
    pub file: PathBuf,
    /// Bytes from its start.
    pub offset: u64,
    /// What was found.
    pub what: String,
    /// The objects that were there and have no whole copy elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectId>,
    /// The events that need them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventId>,
}

impl Finding {
    /// A finding that concerns no objects.
    pub(crate) fn new(severity: Severity, file: &Path, offset: u64, what: impl Into<String>) -> Finding {
        let file = file.to_owned();
        Finding { severity, file, offset, what: what.into(), objects: Vec::new(), events: Vec::new() }
    }
}

fn as_bytes<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    Bytes::from(path).serialize(to)
}
