//! Redis and Valkey, through the user's own `redis-cli`. Keys are kept as `DUMP` gives them, with the time at which they
//! expire. `docs/systems/redis.md` says what is captured and what cannot come back.

mod apply;
pub mod assess;
mod beside;
mod capture;
mod client;
mod dump;
mod plan;
mod query;
mod state;
mod text;

use std::path::Path;

use super::{ApplyCx, AssessCx, CaptureCx, Net, NetCx, PlanCx, System, Taken};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Change, Context, ContextKind, Effect, Invocation, Locator, ObjectId,
    ObjectKind, StateRef, Step, StepOutcome, SystemId, contexts,
};

/// The id, also in documents.
const ID: &str = "redis";

/// The `redis` system.
pub struct Redis;

impl System for Redis {
    fn id(&self) -> SystemId {
        SystemId::new(ID)
    }
    fn contexts(&self, resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
        let _ = resource;
        let servers = locator.map(|place| query::Access::of(place).server());
        let hosts = servers.iter().filter_map(|server| Some(server.rsplit_once(':')?.0.to_owned()));
        contexts(ContextKind::Database, servers.clone().into_iter().chain(hosts))
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
        capture::observe(captured, cx)
    }
    fn plan(&self, captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        plan::plan(captured, now, cx)
    }
    fn net(&self, taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
        let mut taken = taken.to_vec();
        // Captures of the same keys are one place, whatever they held.
        taken.iter_mut().for_each(|one| query::note_state(&mut one.captured.before.locator, None));
        let planned = |captured: &Captured, now: &StateRef, cx: &PlanCx<'_>| self.plan(captured, now, cx);
        let mut net = super::net::by_place(&planned, &taken, cx)?;
        for captured in &mut net.captured {
            let state = captured.before.state.object;
            query::note_state(&mut captured.before.locator, state);
        }
        Ok(net)
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        apply::apply(step, cx)
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        beside::changes(before, after, cx.source)
    }
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        state::references(kind, content)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        beside::restore_to(captured, to, cx)
    }
}
