//! SQLite: database files, read and written by the SQLite that is built in. `docs/systems/sqlite.md` says what is captured,
//! what equality means and what cannot come back.

mod apply;
mod assess;
mod capture;
mod file;
mod look;
mod plan;
mod rows;
mod value;

use std::path::Path;

use super::functions::Functions;
use super::tables::{self, State};
use super::{ApplyCx, Held};
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Capture, Context, ContextKind, Locator, ObjectSource, StepOutcome, contexts as named,
};

/// The name in records.
const NAME: &str = "sqlite";

/// The `sqlite` system.
pub static SQLITE: Functions = Functions {
    id: NAME,
    programs: &["sqlite3", "sqlite"],
    contexts,
    assess: assess::assess,
    capture: capture::capture,
    observe: capture::observe,
    plan: plan::plan,
    net: |taken, cx, plan| tables::net(taken, cx, plan, false),
    waiting: Some(tables::waiting),
    apply: apply::apply,
    arrange: None,
    verify: None,
    aim: None,
    same_place: tables::same_place,
    changes: |before, after, cx| tables::changes(before, after, cx.source),
    references: |kind, content| State::references(kind, content, NAME),
    held,
    owns,
    restore_to,
    restore_into: None,
};

fn contexts(locator: Option<&Locator>) -> Vec<Context> {
    let paths = locator.map(|place| place.at.lossy().into_owned());
    let database = named(ContextKind::Database, paths.clone());
    database.into_iter().chain(named(ContextKind::Path, paths)).collect()
}

fn held(outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
    let (a, b) = (State::load(&outer.state, source)?, State::load(&inner.state, source)?);
    if outer.locator.at == inner.locator.at && !rows::is_rows(&a) {
        // A copy of the file holds whatever rows there are.
        Ok(if rows::is_rows(&b) { Held::Other } else { Held::by_digest(outer, inner) })
    } else {
        tables::held(outer, inner, source).map(|_| Held::Nothing)
    }
}

/// The files beside the database are a part of it.
fn owns(captured: &Capture) -> Vec<Bytes> {
    let with = |end: &str| Bytes([captured.locator.at.as_slice(), end.as_bytes()].concat());
    ["", "-wal", "-shm", "-journal"].map(with).to_vec()
}

fn restore_to(captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let state = State::load(&captured.state, cx.source)?;
    std::fs::create_dir_all(to).map_err(|e| Error::io("make", to, &e))?;
    if rows::is_rows(&state) {
        (cx.progress)(tables::write_files(&state, to, cx.source)?);
        return Ok(StepOutcome::Done);
    }
    let name = captured.locator.at.as_path().file_name().unwrap_or_default().to_owned();
    file::write(&state, &to.join(name), cx.source)?;
    (cx.progress)(1);
    Ok(StepOutcome::Done)
}
