//! A capture of tables: what it is called, how it names its own state, how it is taken again before an undo.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::State;
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Locator, Missing, ObjectId, StateRef, StepOutcome, SystemId};
use crate::systems::{ApplyCx, CaptureCx};

/// Option of a capture's locator: its own stored state.
pub const STATE: &str = "state";
/// The same of an undo's own capture: the state whose place it looks at.
pub const FOR: &str = "for";

/// When a capture or a look gives up.
pub fn until(cx: &CaptureCx<'_>, seconds: u64) -> Instant {
    let own = Instant::now() + Duration::from_secs(seconds);
    cx.deadline.map_or(own, |deadline| deadline.min(own))
}

/// A capture of a state.
pub fn finished(
    state: &State,
    asked: Bytes,
    locator: &Locator,
    (bytes, missing): (u64, Vec<Missing>),
    cx: &CaptureCx<'_>,
) -> Result<Capture> {
    let stored = state.store(cx.sink)?;
    let mut opts: BTreeMap<String, Bytes> = locator.opts.clone();
    if let Some(earlier) = opts.remove(STATE) {
        opts.insert(FOR.to_owned(), earlier);
    }
    if let Some(id) = stored.object {
        opts.insert(STATE.to_owned(), Bytes::from(id.to_string()));
    }
    Ok(Capture {
        system: SystemId(state.system.clone().into()),
        resource: named(state, asked),
        locator: Locator { at: locator.at.clone(), opts, ..Locator::default() },
        items: state.count(),
        bytes,
        state: stored,
        missing,
    })
}

/// The capture that an effect names: an undo is about to write what it covers. `None`: it is a command's.
pub fn earlier(effect: &Effect, locator: &Locator, cx: &CaptureCx<'_>) -> Result<Option<(State, Capture)>> {
    let Some(id) = locator.opts.get(STATE) else { return Ok(None) };
    let id = id.as_str().and_then(|hex| hex.parse::<ObjectId>().ok());
    let id = id.ok_or_else(|| Error::corrupt("a capture of a database that does not say what it covers"))?;
    let state = StateRef { digest: id, object: Some(id) };
    let loaded = State::load(&state, cx.source)?;
    let capture = Capture {
        system: effect.system.clone(),
        resource: effect.resource.clone(),
        locator: locator.clone(),
        state,
        missing: Vec::new(),
        items: 0,
        bytes: 0,
    };
    Ok(Some((loaded, capture)))
}

/// What was captured, for people: by its names where they are few.
pub fn named(state: &State, asked: Bytes) -> Bytes {
    const NAMED: usize = 3;
    let database = state.server.get("database").cloned().unwrap_or_default();
    let tables: Vec<String> = state.read.keys().map(|name| name.replace('`', "")).collect();
    let whole: Vec<&str> = state.databases.keys().map(String::as_str).collect();
    let text = match (tables.as_slice(), whole.as_slice()) {
        ([], []) if state.defined.is_some() => format!("sql:{database}/definitions"),
        ([], []) => return asked,
        ([], some) => some.iter().map(|name| format!("sql:database:{name}")).collect::<Vec<_>>().join(" "),
        (few, _) if few.len() <= NAMED => format!("sql:{database}/{}", few.join(",")),
        ([first, ..], _) => format!("sql:{database}/{first} and {} more", tables.len() - 1),
    };
    Bytes::from(text)
}

/// Writes the old rows and definitions as files.
pub fn restore_to(captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let state = State::load(&captured.state, cx.source)?;
    (cx.progress)(super::write_files(&state, to, cx.source)?);
    Ok(StepOutcome::Done)
}
