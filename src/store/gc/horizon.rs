//! How far back gc has removed things: `packs/horizon`, so that verify can tell an expired capture from a lost one.

use std::path::Path;

use crate::error::Result;
use crate::store::file;

/// Events before this wall time, nanoseconds since 1970, may have lost their captures to gc; `i64::MIN` where none has.
pub(crate) fn read(packs: &Path) -> i64 {
    let text = std::fs::read_to_string(packs.join("horizon")).unwrap_or_default();
    text.trim().parse().unwrap_or(i64::MIN)
}

/// Moves the horizon forward, never back; durable before anything is removed.
pub(crate) fn advance(packs: &Path, to_ns: i64) -> Result<()> {
    if to_ns > read(packs) {
        file::replace(&packs.join("horizon"), format!("{to_ns}\n").as_bytes())?;
    }
    Ok(())
}
