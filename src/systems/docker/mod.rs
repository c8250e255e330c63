//! Container engines: docker and podman, through the user's own CLI with the flags and the environment of the recorded
//! command. `docs/systems/docker.md` says what is captured and what cannot come back.

mod api;
mod apply;
pub mod assess;
mod capture;
mod cli;
mod container;
mod file;
mod find;
mod hands;
mod image;
mod look;
mod network;
mod plan;
mod pod;
mod query;
mod shown;
mod swarm;
mod volume;

use std::path::Path;

use super::things::{self, Things};
use super::{ApplyCx, AssessCx, CaptureCx, Held, Net, NetCx, PlanCx, System, Taken};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Change, Context, Effect, Invocation, Locator, ObjectId, ObjectKind,
    ObjectSource, StateRef, Step, StepOutcome, SystemId,
};

/// The id, also in documents.
const ID: &str = "docker";

/// The `docker` system.
pub struct Docker;

impl System for Docker {
    fn id(&self) -> SystemId {
        SystemId::new(ID)
    }
    fn contexts(&self, resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
        let _ = resource;
        locator.map(query::contexts_of).unwrap_or_default()
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
        let hands = hands::Engine::default();
        things::net(taken, cx, &|captured, now, plan| self.plan(captured, now, plan), &hands)
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        apply::apply(step, cx)
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        things::changes(before, after, cx.source, &shown::shown)
    }
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        Things::references(ID, kind, content)
    }
    fn held(&self, outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
        things::held(outer, inner, source)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        things::restore_to(captured, to, cx, ".json")
    }
}
