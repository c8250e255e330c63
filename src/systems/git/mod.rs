//! git repositories: HEAD, refs, index, stash, reflogs, configuration and operations in progress are read as files,
//! objects through libgit2, and no git is ever started in it: whatever a hostile repository configures, nothing of it runs.
//! Only the other side of a push needs git itself, in a repository of our own ([`remote`]).
//! `docs/systems/git.md` says what is captured, what equality means and what cannot come back.

mod action;
mod apply;
pub mod assess;
mod beside;
mod capture;
mod changes;
mod config_text;
mod difference;
mod dir;
mod forget;
mod gitmodules;
mod kept;
mod lfs;
mod lock;
mod look;
mod loose;
mod modules;
mod nested;
mod net;
mod objects;
mod pinned;
mod place;
mod plan;
mod rebuild;
mod reflog;
mod refs;
mod reftable;
mod remote;
mod safeguard;
mod state;
mod vault;
mod walk;
mod ways;
mod what;

use std::path::{Path, PathBuf};

pub use difference::difference;
pub use kept::{PACKED, is_as_kept, packed_refs};
pub use modules::to_come as modules_to_come;
pub use nested::nested;
use remote::RemoteState;
pub use remote::as_captured as name_as_captured;
pub use remote::{is_captured as captures_remote, is_remote};

use super::{
    ApplyCx, AssessCx, CaptureCx, ForgetCx, Forgotten, Held, Net, NetCx, PlanCx, Safeguard, SafeguardCx,
    System, Taken,
};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Change, Context, Effect, Invocation, Locator, Missing, ObjectId, ObjectKind,
    ObjectSink, ObjectSource, StateRef, Step, StepOutcome, SystemId, Verification,
};

/// The shared git directory of the repository that a command works on; `None` where there is none.
pub fn directory(locator: &Locator) -> Option<PathBuf> {
    place::Place::find(locator).ok().map(|place| place.common_dir)
}

/// It is certain that a command there finds no repository. What could not be looked at may be one.
pub fn is_nowhere(locator: &Locator) -> bool {
    let is_absent = |path: PathBuf| {
        let absent = [std::io::ErrorKind::NotFound, std::io::ErrorKind::NotADirectory];
        path.symlink_metadata().is_err_and(|e| absent.contains(&e.kind()))
    };
    let at = locator.at.as_path();
    at.is_absolute()
        && !locator.opts.contains_key("git-dir")
        && at.ancestors().all(|dir| is_absent(dir.join(".git")) && is_absent(dir.join("HEAD")))
}

/// The top of the working tree that a command works on; `None` where there is none.
pub fn top(locator: &Locator) -> Option<PathBuf> {
    place::Place::find(locator).ok().and_then(|place| place.work_tree)
}

/// The capture is of a submodule whose git directory git may move.
pub fn may_move(locator: &Locator) -> bool {
    locator.opts.contains_key(place::MOVES_TO)
}

/// The git directory of a captured repository that lies on this machine and is no linked working tree's.
pub fn own_dir(locator: &Locator) -> Option<Bytes> {
    let is_local = !locator.opts.contains_key("side") && rebuild::is_possible(locator);
    locator.opts.get("git-dir").filter(|_| is_local).cloned()
}

/// No repository was at the captured place.
pub fn was_absent(capture: &Capture) -> bool {
    capture.system.0 == "git" && capture.state == state::RepoState::absent()
}

/// The repository has gone through the same in both states: they are equal, and so are their reflogs.
pub fn is_same_history(a: &StateRef, b: &StateRef, source: &dyn ObjectSource) -> Result<bool> {
    if a.digest != b.digest {
        return Ok(false);
    }
    let (a, b) = (state::RepoState::load(a, source)?, state::RepoState::load(b, source)?);
    Ok(match (a, b) {
        (Some(a), Some(b)) => a.logs().eq(b.logs()),
        (None, None) => true,
        _ => false,
    })
}

/// The `git` system.
pub struct Git;

impl System for Git {
    fn id(&self) -> SystemId {
        SystemId::new("git")
    }
    fn contexts(&self, resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
        let _ = locator;
        remote::contexts(resource)
    }
    fn programs(&self) -> &'static [&'static str] {
        assess::PROGRAMS
    }
    fn assess(&self, inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
        assess::assess(inv, cx)
    }
    fn capture(&self, effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
        match &effect.locator {
            Some(locator) if remote::is_remote(locator) => {
                remote::capture_again(&effect.resource, locator, cx)
            }
            _ => capture::capture(effect, cx),
        }
    }
    fn observe(&self, captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
        if remote::is_remote(&captured.locator) {
            return remote::observe(captured, cx);
        }
        capture::observe(captured, cx)
    }
    fn plan(&self, captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
        if remote::is_remote(&captured.before.locator) {
            return remote::plan(captured, now, cx);
        }
        plan::plan(captured, now, cx)
    }
    fn net(&self, taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
        net::net(taken, cx)
    }
    fn apply(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        if remote::is_remote(&step.locator) { remote::apply(step, cx) } else { apply::apply(step, cx) }
    }
    fn verify(&self, step: &Step, cx: &ApplyCx<'_>) -> Result<Verification> {
        apply::verify(step, cx)
    }
    fn aim(
        &self,
        step: &Step,
        captured: &Captured,
        source: &dyn ObjectSource,
        made: &dyn ObjectSink,
    ) -> Result<Option<StateRef>> {
        net::aim(step, captured, source, made)
    }
    fn changes(&self, before: &StateRef, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
        match RemoteState::load(before, cx.source)? {
            Some(old) => {
                let new = after.map(|after| RemoteState::expect(after, cx.source)).transpose()?;
                Ok(remote::changes(&old, new.as_ref()))
            }
            None => changes::changes(before, after, cx.source),
        }
    }
    fn references(&self, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        // Documents of other systems are not JSON objects with our fields; they name nothing of ours.
        let is_ours = kind == ObjectKind::State && content.starts_with(b"{\"version\"");
        if is_ours { state::references(content) } else { Ok(Vec::new()) }
    }
    fn held(&self, outer: &Capture, inner: &Capture, _source: &dyn ObjectSource) -> Result<Held> {
        Ok(capture::held(outer, inner))
    }
    fn lacking(&self, captured: &Captured, source: &dyn ObjectSource) -> Result<Vec<Missing>> {
        difference::lacking(captured, source)
    }
    fn safeguards(&self, cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
        safeguard::safeguards(cx)
    }
    fn restore_to(&self, captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
        if remote::is_remote(&captured.locator) {
            return remote::restore_to(captured, to, cx);
        }
        beside::restore_to(captured, to, cx)
    }
    fn forget(&self, cx: &ForgetCx<'_>) -> Result<Vec<Forgotten>> {
        forget::forget(cx)
    }
}
