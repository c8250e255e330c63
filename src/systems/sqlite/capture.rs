//! Before a command: a copy of the database, and which rows it has.

use std::path::Path;
use std::time::Instant;

use super::file::{self, MAIN};
use super::{NAME, look, rows};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Locator, StateRef, SystemId};
use crate::systems::CaptureCx;
use crate::systems::tables::{self, NOT_KEPT, SCRIPT, State};

/// Stores the database that a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    if let Some(why) = locator.opts.get(NOT_KEPT) {
        return Err(Error::failure(why.lossy()));
    }
    let path = locator.at.as_path();
    if let Some((earlier, _)) = tables::earlier(effect, locator, cx)?
        && rows::is_rows(&earlier)
        && path.exists()
    {
        let now = rows_now(&earlier, path, true, cx)?;
        return Ok(vec![tables::finished(&now, effect.resource.clone(), locator, (0, Vec::new()), cx)?]);
    }
    let resource = Bytes([b"sql:", locator.at.as_slice()].concat());
    let script = locator.unsaid.get(SCRIPT).and_then(Bytes::as_str);
    let is_large =
        std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() > cx.caps.database_rows_above);
    if let Some(script) = script.filter(|_| is_large) {
        let db = file::open(path, false)?;
        db.execute_batch("BEGIN").map_err(file::failed("read", path))?;
        if let Some((mut state, bytes)) = rows::before(&db, script, path, cx.sink, until(cx))? {
            state.file = file::of(path);
            let place = Locator { at: locator.at.clone(), ..Locator::default() };
            return Ok(vec![tables::finished(&state, resource, &place, (bytes, Vec::new()), cx)?]);
        }
    }
    let (state, bytes) = read(path, true, cx)?;
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
    let path = captured.locator.at.as_path();
    let earlier = State::load(&captured.state, cx.source)?;
    if rows::is_rows(&earlier) && path.exists() {
        return rows_now(&earlier, path, cx.contents, cx)?.store(cx.sink);
    }
    read(path, cx.contents, cx)?.0.store(cx.sink)
}

fn rows_now(earlier: &State, path: &Path, contents: bool, cx: &CaptureCx<'_>) -> Result<State> {
    let db = file::open(path, false)?;
    db.execute_batch("BEGIN").map_err(file::failed("read", path))?;
    let mut state = rows::again(&db, earlier, path, (cx.source, cx.sink), contents)?;
    state.file = file::of(path);
    Ok(state)
}

fn until(cx: &CaptureCx<'_>) -> Instant {
    tables::until(cx, 60)
}

/// Copy and rows of one moment: one transaction reads both.
fn read(path: &Path, contents: bool, cx: &CaptureCx<'_>) -> Result<(State, u64)> {
    let until = until(cx);
    let meta = match std::fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Ok((look::state(None, path, cx.sink, until)?, 0));
        }
        other => other.map_err(|e| Error::io("read", path, &e))?,
    };
    if !meta.is_file() {
        return Err(Error::failure(format!("{} is no plain file", path.display())));
    }
    if meta.len() > cx.caps.database_file_bytes.min(cx.caps.named_bytes) {
        let mib = meta.len() >> 20;
        return Err(Error::failure(format!("{} ({mib} MiB) is larger than what is copied", path.display())));
    }
    let db = file::open(path, false)?;
    db.execute_batch("BEGIN").map_err(file::failed("read", path))?;
    let mut state = look::state(Some(&db), path, cx.sink, until)?;
    state.file = file::of(path);
    let mut bytes = 0;
    if contents {
        let (parts, size) = file::image(&db, path, cx.sink)?;
        state.databases.insert(MAIN.to_owned(), parts);
        bytes = size;
    }
    Ok((state, bytes))
}
