//! PostgreSQL: the rows and definitions of a database, read and written by the user's own `psql` and `pg_dump` with the
//! connection of the recorded command. `docs/systems/postgres.md` says what is captured, what equality means and what cannot
//! come back.

mod alter;
mod apply;
mod archive;
mod assess;
mod capture;
mod catalog;
mod connection;
mod database;
mod definitions;
mod dump;
mod look;
mod plan;
mod query;
mod session;
mod triggers;
mod want;
mod write;

use std::path::Path;

use super::tables::{self, State};
use super::{ApplyCx, AssessCx, CaptureCx, Held, PlanCx, System};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Change, Context, Effect, Invocation, Locator, ObjectId, ObjectKind,
    ObjectSource, StateRef, Step, StepOutcome, SystemId,
};

/// The name in records.
const NAME: &str = "postgres";

/// The `postgres` system.
pub struct Postgres;

impl System for Postgres {
    fn id(&self) -> SystemId {
        SystemId::new(NAME)
    }
    fn contexts(&self, resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
        let _ = resource;
        locator.map(connection::contexts_of).unwrap_or_default()
    }
    fn programs(&self) -> &'static [&'static str] {
        assess::PROGRAMS
    }
    fn assess(&self, inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
        assess::assess(inv, cx)
    }
    fn capture(&self, effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
        capture::capture(effect, cx)
    }
    fn observe(&self, captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
        look::observe(captured, cx)
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
        tables::held(outer, inner, source)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        let state = State::load(&captured.state, cx.source)?;
        (cx.progress)(tables::write_files(&state, to, cx.source)?);
        Ok(StepOutcome::Done)
    }
}
