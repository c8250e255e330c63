//! Systems that are understood by their words only: clouds, databases, containers, services, forges.
//! Their effects are classed and recorded; nothing of them is captured yet, and `fr` says so.

mod assess;
mod bq;
mod compensation;
mod daemons;
mod forge;
mod oci;
mod platforms;
mod pulumi;
mod sql;
mod stores;
mod terragrunt;

use std::path::Path;

pub use compensation::compensation;

use super::{ApplyCx, AssessCx, CaptureCx, PlanCx, System};
use crate::error::{Error, Result};
use crate::model::{Capture, Captured, Change, Effect, Invocation, StateRef, Step, StepOutcome, SystemId};

/// The `catalog` system.
pub struct Catalog;

impl System for Catalog {
    fn id(&self) -> SystemId {
        SystemId::new("catalog")
    }
    fn programs(&self) -> &'static [&'static str] {
        assess::PROGRAMS
    }
    fn assess(&self, inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
        assess::assess(inv, cx)
    }
    fn capture(&self, effect: &Effect, _cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
        Err(Error::failure(format!("fr does not capture {} yet", effect.system)))
    }
    fn observe(&self, captured: &Capture, _cx: &CaptureCx<'_>) -> Result<StateRef> {
        Err(Error::failure(format!("fr does not observe {} yet", captured.system)))
    }
    fn plan(&self, captured: &Captured, _now: &StateRef, _cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        Err(Error::failure(format!("fr does not restore {} yet", captured.before.system)))
    }
    fn apply(&self, step: &Step, _cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        Err(Error::failure(format!("fr does not restore {} yet", step.system)))
    }
    fn changes(
        &self,
        _before: &StateRef,
        _after: Option<&StateRef>,
        _cx: &PlanCx<'_>,
    ) -> Result<Vec<Change>> {
        Ok(Vec::new())
    }
    fn restore_to(&self, captured: &Capture, _to: &Path, _cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        Err(Error::failure(format!("fr does not restore {} yet", captured.system)))
    }
}
