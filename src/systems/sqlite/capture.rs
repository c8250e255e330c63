//! Before a command: a copy of the database, and which rows it has.

use std::path::Path;
use std::time::{Duration, Instant};

use super::assess::NOT_KEPT;
use super::file::{self, MAIN};
use super::{NAME, look};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Locator, StateRef, SystemId};
use crate::systems::CaptureCx;
use crate::systems::tables::State;

/// Stores the database that a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    if let Some(why) = locator.opts.get(NOT_KEPT) {
        return Err(Error::failure(why.lossy()));
    }
    let path = locator.at.as_path();
    let (state, bytes) = read(path, true, cx)?;
    let resource = Bytes([b"sql:", locator.at.as_slice()].concat());
    let stored = state.store(cx.sink)?;
    let locator = Locator { at: locator.at.clone(), ..Locator::default() };
    let system = SystemId::new(NAME);
    Ok(vec![Capture {
        system,
        resource,
        locator,
        items: state.count(),
        bytes,
        state: stored,
        missing: Vec::new(),
    }])
}

/// The state now.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    read(captured.locator.at.as_path(), cx.contents, cx)?.0.store(cx.sink)
}

/// Copy and rows of one moment: one transaction reads both.
fn read(path: &Path, contents: bool, cx: &CaptureCx<'_>) -> Result<(State, u64)> {
    let until = Instant::now() + Duration::from_secs(60);
    let until = cx.deadline.map_or(until, |deadline| deadline.min(until));
    let meta = match std::fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Ok((look::state(None, path, cx.sink, until)?, 0));
        }
        other => other.map_err(|e| Error::io("read", path, &e))?,
    };
    if !meta.is_file() {
        return Err(Error::failure(format!("{} is no plain file", path.display())));
    }
    if meta.len() > cx.caps.named_bytes {
        return Err(Error::failure(format!("{} is larger than the cap", path.display())));
    }
    let db = file::open(path, false)?;
    db.execute_batch("BEGIN").map_err(file::failed("read", path))?;
    let mut state = look::state(Some(&db), path, cx.sink, until)?;
    let mut bytes = 0;
    if contents {
        let (parts, size) = file::image(&db, path, cx.sink)?;
        state.databases.insert(MAIN.to_owned(), parts);
        bytes = size;
    }
    Ok((state, bytes))
}
