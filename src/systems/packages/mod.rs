//! Registries of packages: npm's and cargo's, through the user's own `npm` and `cargo`. What a command moves there (a tag, a
//! deprecation, an owner, a yank) is read before and moved back; what is published stays published, and that is said. Their
//! words are read where the rest of these tools is (`files/assess/tools.rs`). `docs/systems/registries.md` has the table.

mod apply;
mod capture;
mod crates;
mod hands;
mod npm;
mod run;

use std::path::Path;

use super::things::{self, Things};
use super::{ApplyCx, AssessCx, CaptureCx, Held, Net, NetCx, PlanCx, System, Taken};
use crate::error::Result;
use crate::model::{
    Capture, Captured, Change, Effect, Invocation, ObjectId, ObjectKind, ObjectSource, StateRef, Step,
    StepOutcome, SystemId,
};

/// The id, also in documents.
const ID: &str = "registry";

/// The `registry` system.
pub struct Packages;

impl System for Packages {
    fn id(&self) -> SystemId {
        SystemId::new(ID)
    }
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }
    fn assess(&self, _inv: &Invocation, _cx: &AssessCx<'_>) -> Vec<Effect> {
        Vec::new()
    }
    fn capture(&self, effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
        capture::capture(effect, cx)
    }
    fn observe(&self, captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
        capture::observe(captured, cx)
    }
    fn plan(&self, captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        things::plan(captured, now, cx, &hands::RegistryHands)
    }
    fn net(&self, taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
        let planned = |captured: &Captured, now: &StateRef, cx: &PlanCx<'_>| self.plan(captured, now, cx);
        things::net(taken, cx, &planned, &hands::RegistryHands)
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        apply::apply(step, cx)
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        let shown = |_: &str, text: &[u8]| Some(String::from_utf8_lossy(text).into_owned());
        things::changes(before, after, cx.source, &shown)
    }
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        Things::references(ID, kind, content)
    }
    fn held(&self, outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
        things::held(outer, inner, source)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        things::restore_to(captured, to, cx, "")
    }
}
