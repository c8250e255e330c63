//! GitHub, through the user's own `gh`: repositories, releases, variables, labels, rules, issues. What can be read is read by
//! `gh api` before it changes; what nobody can read (the values of secrets) is said. `docs/systems/github.md` has the table.

mod apply;
mod assess;
mod capture;
mod cli;
mod find;
mod hands;
mod kinds;
mod look;
mod mirror;
mod protection;
mod query;
mod release;
mod safeguard;

use std::path::Path;

use super::things::{self, Things};
use super::{ApplyCx, AssessCx, CaptureCx, Held, Net, NetCx, PlanCx, Safeguard, SafeguardCx, System, Taken};
use crate::error::Result;
use crate::model::{
    Capture, Captured, Change, Effect, Invocation, ObjectId, ObjectKind, ObjectSource, StateRef, Step,
    StepOutcome, SystemId,
};

/// The id, also in documents.
const ID: &str = "gh";

/// The `gh` system.
pub struct Github;

impl System for Github {
    fn id(&self) -> SystemId {
        SystemId::new(ID)
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
        let before = Things::load(&captured.before.state, cx.source)?;
        let present = Things::load(now, cx.source)?;
        let renamed = renamed(&before, &present);
        let hands = hands::GithubHands { renamed: renamed.clone() };
        let mut steps = things::plan(captured, now, cx, &hands)?;
        // The new name goes with the old one's return.
        steps.retain(|step| {
            let job = things::Job::of(step).ok();
            !job.is_some_and(|job| {
                job.verb == things::Verb::Remove && renamed.values().any(|new| *new == job.name)
            })
        });
        Ok(steps)
    }
    fn net(&self, taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
        let planned = |captured: &Captured, now: &StateRef, cx: &PlanCx<'_>| self.plan(captured, now, cx);
        things::net(taken, cx, &planned, &hands::GithubHands::default())
    }
    fn arrange(&self, steps: &mut [Step]) {
        things::arrange(steps, &hands::GithubHands::default());
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        apply::apply(step, cx)
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        // A description may hold a variable's value: only those of what is public knowledge in its repository are shown.
        let shown = |name: &str, text: &[u8]| {
            let open = [
                "label/",
                "release/",
                "issue/",
                "pull/",
                "workflow/",
                "ref/",
                "base/",
                "protection/",
                "ruleset/",
            ];
            let value: serde_json::Value = serde_json::from_slice(text).ok()?;
            let (kind, _) = kinds::of(name).filter(|_| open.iter().any(|front| name.starts_with(front)))?;
            let normal = match kind.name.as_str() {
                "protection" => protection::wanted(&value),
                _ => serde_json::Value::Object(kind.normal(&value)),
            };
            serde_json::to_string_pretty(&normal).ok()
        };
        things::changes(before, after, cx.source, &shown)
    }
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        Things::references(ID, kind, content)
    }
    fn held(&self, outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
        things::held(outer, inner, source)
    }
    fn has_identities(&self) -> bool {
        true
    }
    fn safeguards(&self, cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
        safeguard::safeguards(cx)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        things::restore_to(captured, to, cx, ".json")
    }
}

/// New names of repositories and labels by their old ones: the same id under another name.
fn renamed(before: &Things, now: &Things) -> std::collections::BTreeMap<String, String> {
    let mut renamed = std::collections::BTreeMap::new();
    for (old, thing) in before.all() {
        let can = kinds::of(old).is_some_and(|(kind, _)| !kind.rename.is_empty());
        let Some(thing) = thing.filter(|t| can && !t.id.is_empty()) else { continue };
        if now.get(old).is_some() {
            continue;
        }
        let front = old.split('/').next().unwrap_or_default();
        let new = now.all().find(|(name, other)| {
            name.split('/').next() == Some(front) && other.is_some_and(|other| other.id == thing.id)
        });
        if let Some((new, _)) = new {
            renamed.insert(old.to_owned(), new.to_owned());
        }
    }
    renamed
}
