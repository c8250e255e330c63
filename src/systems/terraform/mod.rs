//! Terraform and OpenTofu: the state of a root module's workspace, through the program itself where the backend is not a
//! file, and all that is needed to make again what a command destroys.
//!
//! Undo works on two layers and never mixes them. What only changed the state is taken back by pushing the old one over
//! the one that the command left. What destroyed real resources is not: pushing the old state would claim that they
//! exist. `docs/systems/terraform.md` says what comes back.

mod apply;
pub mod assess;
mod beside;
mod bound;
mod capture;
mod changes;
mod cli;
mod config;
mod data;
mod declared;
mod fetched;
mod hcl;
mod infra;
mod kit;
mod modules;
mod net;
mod place;
mod plan;
mod push;
mod safeguard;
mod saved;
mod snapshot;
mod state;
mod variables;
mod what;
mod zip;

use std::collections::BTreeMap;
use std::path::Path;

use super::{
    ApplyCx, AssessCx, CaptureCx, Held, Net, NetCx, Origin, PlanCx, Safeguard, SafeguardCx, System, Taken,
};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Change, Context, ContextKind, Effect, Invocation, Locator, ObjectId,
    ObjectKind, ObjectSource, StateRef, Step, StepOutcome, SystemId, Verification, contexts,
};

/// The system's id.
const ID: &str = "terraform";

/// Option of a locator: the program, where it is not `terraform`.
const PROGRAM: &str = "program";
/// Option: the workspace that the words or `TF_WORKSPACE` name.
const WORKSPACE: &str = "workspace";
/// Option: `TF_DATA_DIR`.
const DATA_DIR: &str = "data-dir";
/// Option: the file that `-state` names.
const STATE_FILE: &str = "state-file";
/// Option: the saved plan that is applied.
const PLAN_FILE: &str = "plan-file";
/// Option of a capture's locator: its stored document, which knows what the record must not show.
const STATE_ID: &str = "state";
/// Option: why nothing of it is kept.
const NOT_KEPT: &str = "not-kept";
/// Unsaid: the variables that the command carries, `NAME=value` separated by NUL.
const ENV: &str = "env";
/// Unsaid: its `-var` and `-var-file`, separated by NUL.
const VARS: &str = "vars";

/// What of a locator says where it is.
fn place_of(locator: &Locator) -> (Bytes, BTreeMap<String, Bytes>) {
    let mut opts = locator.opts.clone();
    for option in [STATE_ID, PLAN_FILE, what::WHAT] {
        opts.remove(option);
    }
    (locator.at.clone(), opts)
}

/// The `terraform` system.
pub struct Terraform;

impl System for Terraform {
    fn id(&self) -> SystemId {
        SystemId::new(ID)
    }
    fn contexts(&self, resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
        let opt = |name: &str| locator.and_then(|place| Some(place.opts.get(name)?.lossy().into_owned()));
        let named = resource
            .as_slice()
            .strip_prefix(b"tf:workspace ")
            .map(|name| String::from_utf8_lossy(name).into_owned());
        let mut found = contexts(ContextKind::Workspace, named.into_iter().chain(opt(WORKSPACE)));
        found.extend(contexts(ContextKind::Path, locator.map(|place| place.at.lossy().into_owned())));
        found
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
        if kind == ObjectKind::State { state::RootState::references(content) } else { Ok(Vec::new()) }
    }
    fn held(&self, outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
        capture::held(outer, inner, source)
    }
    fn owns(&self, captured: &Capture, source: &dyn ObjectSource) -> Result<Vec<Bytes>> {
        Ok(state::RootState::load(&captured.state, source)?.file.into_iter().collect())
    }
    /// A resource is made again by its configuration: whatever it held is not in any state.
    fn origins(
        &self,
        captured: &Capture,
        _: Option<&Capture>,
        source: &dyn ObjectSource,
    ) -> Result<Vec<Origin>> {
        let before = state::RootState::load(&captured.state, source)?;
        let (holding, plain): (Vec<_>, Vec<_>) =
            before.resources().iter().partition(|resource| data::holds_data(resource));
        let origin =
            |from: String| Origin { target: captured.resource.lossy().into_owned(), from, at_ns: None };
        let names: Vec<&str> = holding.iter().map(|resource| resource.address.as_str()).collect();
        let held = (!names.is_empty()).then(|| {
            origin(format!("the data of {} comes from its own backups, if there are any", plan::some(&names)))
        });
        let rest = (names.is_empty() && !plain.is_empty()).then(|| {
            origin("the resources are new; what they held, if anything, is not in the state".to_owned())
        });
        Ok(held.into_iter().chain(rest).collect())
    }
    fn safeguards(&self, cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
        safeguard::safeguards(cx)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        beside::restore_to(captured, to, cx)
    }
}
