//! AWS: what the developer's keys can reach, read and written by the user's own AWS command line with the options and the
//! environment of the recorded command. `docs/systems/aws.md` says what is captured and what comes back.

mod action;
mod apply;
mod assess;
mod batch;
mod beside;
mod capture;
mod changes;
mod cli;
mod entries;
mod kinds;
mod origin;
mod params;
mod permissions;
mod plan;
mod programs;
mod query;
mod read;
mod rows;
mod s3;
mod safeguard;
mod saving;
mod shape;
mod sibling;
mod snapshot;
mod words;

use std::path::Path;

use super::{
    ApplyCx, AssessCx, CaptureCx, Held, Net, NetCx, Origin, PlanCx, Safeguard, SafeguardCx, System, Taken,
};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Change, Context, Effect, Invocation, Locator, ObjectId, ObjectKind,
    ObjectSource, StateRef, Step, StepOutcome, SystemId,
};

/// The `aws` system.
pub struct Aws;

impl System for Aws {
    fn id(&self) -> SystemId {
        SystemId::new("aws")
    }
    fn has_identities(&self) -> bool {
        true
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
        let taken = capture::of_one_place(taken, cx.source)?;
        super::net::by_place(&|captured, now, plan| self.plan(captured, now, plan), &taken, cx)
    }
    fn arrange(&self, steps: &mut [Step]) {
        plan::arrange(steps);
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        apply::apply(step, cx)
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        changes::changes(before, after, cx.source)
    }
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        if kind == ObjectKind::State { snapshot::Snapshot::references(content) } else { Ok(Vec::new()) }
    }
    fn held(&self, outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
        capture::held(outer, inner, source)
    }
    fn origins(
        &self,
        captured: &Capture,
        then: Option<&Capture>,
        source: &dyn ObjectSource,
    ) -> Result<Vec<Origin>> {
        origin::origins(captured, then, source)
    }
    fn safeguards(&self, cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
        safeguard::safeguards(cx)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        beside::restore_to(captured, to, cx)
    }
}
