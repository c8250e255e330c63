//! gcloud and az: classed by their verbs, and what a command names is described before it runs, by the same program with the
//! same names and options (`gcloud … describe`, `az … show`). The way back is a person's: where the service can undelete or
//! restore, the step says with which command. `docs/systems/gcloud.md`, `docs/systems/az.md`.

mod az;
mod describe;
mod gcloud;
mod hands;
mod look;

use std::path::Path;

use super::things::{self, Hands, Things};
use super::words::Reader;
use super::{ApplyCx, AssessCx, CaptureCx, Held, PlanCx, System};
use crate::error::Result;
use crate::model::{
    Capture, Captured, Change, Effect, EffectClass, Invocation, ObjectId, ObjectKind, ObjectSource, StateRef,
    Step, StepOutcome, SystemId, Word,
};

/// A cloud that is reached by its own command line.
pub struct Cloud {
    id: &'static str,
    programs: &'static [&'static str],
}

impl Cloud {
    /// Google Cloud.
    pub const GCLOUD: Cloud = Cloud { id: "gcloud", programs: &["gcloud", "gsutil"] };
    /// Azure.
    pub const AZ: Cloud = Cloud { id: "az", programs: &["az"] };
}

impl System for Cloud {
    fn id(&self) -> SystemId {
        SystemId::new(self.id)
    }
    fn programs(&self) -> &'static [&'static str] {
        self.programs
    }
    fn assess(&self, inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
        let Some(program) = inv.program() else { return Vec::new() };
        if asks(inv.args()) {
            return Vec::new();
        }
        let mut out = Reader::new(inv, self.id);
        match self.id {
            "az" => az::read(&mut out, cx),
            _ => gcloud::read(program, &mut out, cx),
        }
        for effect in out.effects.iter_mut().filter(|e| e.locator.is_none() && is_change(e.class)) {
            effect.locator = Some(describe::unknown(inv));
        }
        out.effects
    }
    fn capture(&self, effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
        look::capture(self.id, effect, cx)
    }
    fn observe(&self, captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
        look::observe(self.id, captured, cx)
    }
    fn plan(&self, captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        things::plan(captured, now, cx, &hands::CloudHands { id: self.id })
    }
    fn apply(&self, _step: &Step, _cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        Ok(StepOutcome::Failed { reason: "fr writes nothing to this cloud".to_owned() })
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        // Descriptions hold what anybody may have written into them: only names are shown.
        let mut changes = things::changes(before, after, cx.source, &|_: &str, _: &[u8]| None)?;
        for change in &mut changes {
            let what = change.what.lossy().into_owned();
            let name = what.strip_prefix(&format!("{}:", self.id)).unwrap_or(&what);
            change.what = hands::CloudHands { id: self.id }.resource(name);
        }
        Ok(changes)
    }
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        Things::references(self.id, kind, content)
    }
    fn held(&self, outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
        things::held(outer, inner, source)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        things::restore_to(captured, to, cx, ".json")
    }
}

/// What is there is changed by it, so that it should have been described.
fn is_change(class: EffectClass) -> bool {
    !matches!(class, EffectClass::None | EffectClass::Create | EffectClass::Opaque)
}

/// Help and version change nothing.
fn asks(args: &[Word]) -> bool {
    let help = args.iter().filter_map(Word::as_str).any(|w| matches!(w, "--help" | "-h"));
    help || matches!(args.first().and_then(Word::as_str), Some("help" | "version" | "--version"))
}
