//! SQLite: database files, read and written by the SQLite that is built in. `docs/systems/sqlite.md` says what is captured,
//! what equality means and what cannot come back.

mod apply;
mod assess;
mod capture;
mod file;
mod look;
mod plan;
mod value;

use std::path::Path;

use super::tables::{self, State};
use super::{ApplyCx, AssessCx, CaptureCx, Held, PlanCx, System};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Change, Context, ContextKind, Effect, Invocation, Locator, ObjectId,
    ObjectKind, ObjectSource, StateRef, Step, StepOutcome, SystemId, contexts,
};

/// The name in records.
const NAME: &str = "sqlite";

/// The `sqlite` system.
pub struct Sqlite;

impl System for Sqlite {
    fn id(&self) -> SystemId {
        SystemId::new(NAME)
    }
    fn contexts(&self, resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
        let _ = resource;
        let paths = locator.map(|place| place.at.lossy().into_owned());
        let named = contexts(ContextKind::Database, paths.clone());
        named.into_iter().chain(contexts(ContextKind::Path, paths)).collect()
    }
    fn programs(&self) -> &'static [&'static str] {
        &["sqlite3", "sqlite"]
    }
    fn assess(&self, inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
        assess::assess(inv, cx)
    }
    fn capture(&self, effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
        capture::capture(effect, cx)
    }
    fn observe(&self, captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
        capture::observe(captured, cx)
    }
    fn plan(&self, captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        plan::plan(captured, now, cx)
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        apply::apply(step, cx)
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        tables::changes(before, after, cx.source)
    }
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        if kind == ObjectKind::State { State::references(content, NAME) } else { Ok(Vec::new()) }
    }
    fn held(&self, outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
        if outer.locator.at == inner.locator.at {
            Ok(Held::by_digest(outer, inner))
        } else {
            tables::held(outer, inner, source).map(|_| Held::Nothing)
        }
    }
    fn owns(&self, captured: &Capture, _: &dyn ObjectSource) -> Result<Vec<Bytes>> {
        // The files beside the database are a part of it.
        let with = |end: &str| Bytes([captured.locator.at.as_slice(), end.as_bytes()].concat());
        Ok(["", "-wal", "-shm", "-journal"].map(with).to_vec())
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        let state = State::load(&captured.state, cx.source)?;
        std::fs::create_dir_all(to).map_err(|e| crate::error::Error::io("make", to, &e))?;
        let name = captured.locator.at.as_path().file_name().unwrap_or_default().to_owned();
        file::write(&state, &to.join(name), cx.source)?;
        (cx.progress)(1);
        Ok(StepOutcome::Done)
    }
}
