//! The files of the journal: `journal/00000001.frj`, `00000002.frj`, …

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A new segment is begun when the last one has reached this size.
pub(crate) const SEGMENT_BYTES: u64 = 64 << 20;

/// Where a frame begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The segment's number, from 1. 0 is before the first.
    pub segment: u32,
    /// Bytes from the segment's start.
    pub offset: u64,
}

impl Position {
    /// The start of the journal.
    pub const START: Position = Position { segment: 0, offset: 0 };
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08}.frj at {}", self.segment, self.offset)
    }
}

/// The path of a segment.
pub(crate) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:08}.frj"))
}

fn number_of(name: &std::ffi::OsStr) -> Option<u32> {
    let digits = name.to_str()?.strip_suffix(".frj")?;
    (digits.len() == 8).then(|| digits.parse().ok()).flatten().filter(|n| *n > 0)
}

/// The numbers of the segments there are, ascending.
pub(crate) fn list(dir: &Path) -> Result<Vec<u32>> {
    let mut numbers = Vec::new();
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(numbers),
        Err(e) => return Err(Error::io("list", dir, &e)),
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("list", dir, &e))?;
        numbers.extend(number_of(&entry.file_name()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
