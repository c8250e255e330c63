//! The machine itself: services, scheduled jobs, kernel settings, packet filters, packages, users, devices. What a read gives
//! is kept; what nothing can bring back is said before it runs. `docs/systems/host.md` has the table.

mod apply;
mod assess;
mod hands;
mod place;
mod read;
mod users;

use std::path::Path;

use super::things::{self, Things};
use super::{ApplyCx, AssessCx, CaptureCx, Held, Net, NetCx, PlanCx, System, Taken};
use crate::error::Result;
use crate::model::{
    Capture, Captured, Change, Effect, Invocation, ObjectId, ObjectKind, ObjectSource, StateRef, Step,
    StepOutcome, SystemId,
};

/// The id, also in documents.
const ID: &str = "host";

/// The `host` system.
pub struct Host;

impl System for Host {
    fn id(&self) -> SystemId {
        SystemId::new(ID)
    }
    fn programs(&self) -> &'static [&'static str] {
        place::PROGRAMS
    }
    fn assess(&self, inv: &Invocation, _cx: &AssessCx<'_>) -> Vec<Effect> {
        place::assess(inv)
    }
    fn capture(&self, effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
        read::capture(effect, cx)
    }
    fn observe(&self, captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
        read::observe(captured, cx)
    }
    fn plan(&self, captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        things::plan(captured, now, cx, &hands::HostHands)
    }
    fn net(&self, taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
        let planned = |captured: &Captured, now: &StateRef, cx: &PlanCx<'_>| self.plan(captured, now, cx);
        things::net(taken, cx, &planned, &hands::HostHands)
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        apply::apply(step, cx)
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        // A user's has the hash of a password in it.
        let shown = |name: &str, text: &[u8]| {
            let text = String::from_utf8_lossy(text).into_owned();
            if name.starts_with("user/") { text.lines().next().map(str::to_owned) } else { Some(text) }
        };
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
