//! Kubernetes: the objects of a cluster, read and written by the user's own kubectl with the flags and the environment of
//! the recorded command. `docs/systems/kubernetes.md` says what is captured, what equality means and what cannot come back.

mod action;
mod amend;
mod api;
mod apply;
mod assess;
mod beside;
mod candidates;
mod capture;
mod changes;
mod clash;
mod cluster;
mod controllers;
mod current;
mod fields;
mod identity;
mod into;
mod kinds;
mod kubectl;
mod lists;
mod look;
mod merge;
mod namespace;
mod net;
mod object;
mod owned;
mod plan;
mod prune;
mod quantity;
mod query;
mod quotas;
mod recreate;
mod release;
mod remove;
mod resources;
mod safeguard;
mod scopes;
mod snapshot;
mod steps;
mod tokens;
mod tryout;

use std::path::Path;

pub use assess::{from_the_line, knows_plugin, lists};
pub use candidates::is_about as is_unnamed;
pub use current::{name_contexts, name_contexts_or_none};
pub use query::is_unsure;

use super::{
    ApplyCx, AssessCx, CaptureCx, Held, Net, NetCx, Origin, PlanCx, Safeguard, SafeguardCx, System, Taken,
};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Change, Context, Effect, Invocation, Locator, ObjectId, ObjectKind,
    ObjectSource, StateRef, Step, StepOutcome, SystemId, Verification,
};

/// The `kubernetes` system.
pub struct Kubernetes;

impl System for Kubernetes {
    fn id(&self) -> SystemId {
        SystemId::new("kubernetes")
    }
    fn contexts(&self, resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
        query::contexts_of(resource, locator)
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
    fn has_identities(&self) -> bool {
        true
    }
    fn net(&self, taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
        net::net(taken, cx)
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        apply::apply(step, cx)
    }
    fn verify(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<Verification> {
        apply::verify(step, cx)
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
    fn restore_into(
        &self,
        captured: &Capture,
        (kind, name): (&str, &str),
        cx: &ApplyCx<'_>,
    ) -> Result<(StepOutcome, Vec<String>)> {
        into::restore_into(captured, (kind, name), cx)
    }
    /// A claim comes back, what was in its volume does not come from here.
    fn origins(
        &self,
        captured: &Capture,
        _: Option<&Capture>,
        source: &dyn ObjectSource,
    ) -> Result<Vec<Origin>> {
        let before = snapshot::Snapshot::load(&captured.state, source)?;
        let there =
            before.entries().filter(|(_, entry)| entry.is_some_and(|entry| entry.is_there() && !entry.left));
        let claims = there.filter(|(key, _)| key.is("", "PersistentVolumeClaim"));
        let origin = |(key, _): (object::Key, _)| Origin {
            target: captured.resource.lossy().into_owned(),
            from: format!(
                "what was in the volume of claim {} comes from the volume itself or its backup",
                key.name
            ),
            at_ns: None,
        };
        Ok(claims.map(origin).collect())
    }
    fn safeguards(&self, cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
        safeguard::safeguards(cx)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        beside::restore_to(captured, to, cx)
    }
}
