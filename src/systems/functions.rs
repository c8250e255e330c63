//! A system as a table of functions: for those whose methods live in files of their own.

use std::path::Path;

use super::{ApplyCx, AssessCx, CaptureCx, Held, Net, NetCx, PlanCx, System, Taken, net};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Change, Context, Effect, EventId, Invocation, Locator, ObjectId, ObjectKind,
    ObjectSink, ObjectSource, StateRef, Step, StepOutcome, SystemId, Verification,
};

/// What [`System::plan`] is.
pub type Plan = fn(&Captured, &StateRef, &PlanCx<'_>) -> Result<Vec<Step>>;
/// What [`System::waiting`] is.
pub type Waiting = fn(&[Taken], &dyn ObjectSource) -> Result<Option<EventId>>;
/// What [`System::aim`] is.
pub type Aim = fn(&Step, &Captured, &dyn ObjectSource, &dyn ObjectSink) -> Result<Option<StateRef>>;
/// What [`System::restore_into`] is.
pub type Into = fn(&Capture, (&str, &str), &ApplyCx<'_>) -> Result<(StepOutcome, Vec<String>)>;

/// The methods of a [`System`], by the same names.
#[allow(missing_docs)]
pub struct Functions {
    pub id: &'static str,
    pub programs: &'static [&'static str],
    pub assess: fn(&Invocation, &AssessCx<'_>) -> Vec<Effect>,
    pub contexts: fn(Option<&Locator>) -> Vec<Context>,
    pub capture: fn(&Effect, &CaptureCx<'_>) -> Result<Vec<Capture>>,
    pub observe: fn(&Capture, &CaptureCx<'_>) -> Result<StateRef>,
    pub plan: Plan,
    pub net: fn(&[Taken], &NetCx<'_>, Plan) -> Result<Net>,
    pub waiting: Option<Waiting>,
    pub apply: fn(&Step, &ApplyCx<'_>) -> Result<StepOutcome>,
    pub arrange: Option<fn(&mut [Step])>,
    pub verify: Option<fn(&Step, &ApplyCx<'_>) -> Result<Verification>>,
    pub aim: Option<Aim>,
    pub same_place: fn(&Locator, &Locator) -> Option<bool>,
    pub changes: fn(&StateRef, Option<&StateRef>, &PlanCx<'_>) -> Result<Vec<Change>>,
    pub references: fn(ObjectKind, &[u8]) -> Result<Vec<ObjectId>>,
    pub held: fn(&Capture, &Capture, &dyn ObjectSource) -> Result<Held>,
    pub owns: fn(&Capture) -> Vec<Bytes>,
    pub restore_to: fn(&Capture, &Path, &ApplyCx<'_>) -> Result<StepOutcome>,
    pub restore_into: Option<Into>,
}

/// [`Functions::net`] of a system whose states are compared as wholes.
pub fn by_place(taken: &[Taken], cx: &NetCx<'_>, plan: Plan) -> Result<Net> {
    net::by_place(&plan, taken, cx)
}

/// [`Functions::held`] of a system of which only the same place is known to be covered.
pub fn same_place(outer: &Capture, inner: &Capture, _: &dyn ObjectSource) -> Result<Held> {
    Ok(if outer.locator == inner.locator { Held::by_digest(outer, inner) } else { Held::Nothing })
}

/// [`Functions::same_place`] of a system whose places are told by their words.
pub fn by_words(_: &Locator, _: &Locator) -> Option<bool> {
    None
}

/// [`Functions::owns`] of a system that owns no files.
pub fn nothing(_: &Capture) -> Vec<Bytes> {
    Vec::new()
}

/// [`Functions::contexts`] of a system whose places have no names.
pub fn nowhere(_: Option<&Locator>) -> Vec<Context> {
    Vec::new()
}

impl System for Functions {
    fn id(&self) -> SystemId {
        SystemId::new(self.id)
    }
    fn programs(&self) -> &'static [&'static str] {
        self.programs
    }
    fn assess(&self, inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
        (self.assess)(inv, cx)
    }
    fn contexts(&self, _: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
        (self.contexts)(locator)
    }
    fn capture(&self, effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
        (self.capture)(effect, cx)
    }
    fn observe(&self, captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
        (self.observe)(captured, cx)
    }
    fn plan(&self, captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        (self.plan)(captured, now, cx)
    }
    fn net(&self, taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
        (self.net)(taken, cx, self.plan)
    }
    fn arrange(&self, steps: &mut [Step]) {
        if let Some(arrange) = self.arrange {
            arrange(steps);
        }
    }
    fn waiting(&self, taken: &[Taken], source: &dyn ObjectSource) -> Result<Option<EventId>> {
        self.waiting.map_or(Ok(None), |waiting| waiting(taken, source))
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        (self.apply)(step, cx)
    }
    fn verify(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<Verification> {
        let unread = || Verification::NotVerified { reason: "this system cannot read it again".to_owned() };
        self.verify.map_or_else(|| Ok(unread()), |verify| verify(step, cx))
    }
    fn aim(
        &self,
        step: &Step,
        captured: &Captured,
        source: &dyn ObjectSource,
        made: &dyn ObjectSink,
    ) -> Result<Option<StateRef>> {
        self.aim.map_or(Ok(None), |aim| aim(step, captured, source, made))
    }
    fn same_place(&self, earlier: &Locator, later: &Locator) -> Option<bool> {
        (self.same_place)(earlier, later)
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        (self.changes)(before, after, cx)
    }
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        (self.references)(kind, content)
    }
    fn held(&self, outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
        (self.held)(outer, inner, source)
    }
    fn owns(&self, captured: &Capture, _: &dyn ObjectSource) -> Result<Vec<Bytes>> {
        Ok((self.owns)(captured))
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        (self.restore_to)(captured, to, cx)
    }
    fn restore_into(
        &self,
        captured: &Capture,
        place: (&str, &str),
        cx: &ApplyCx<'_>,
    ) -> Result<(StepOutcome, Vec<String>)> {
        match self.restore_into {
            Some(into) => into(captured, place, cx),
            None => Err(super::no_such_place(captured, place)),
        }
    }
}
