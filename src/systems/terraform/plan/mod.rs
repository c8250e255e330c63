//! How a root module comes back: a step for each part of it that the command changed, never one that would claim that
//! what was destroyed exists.

mod difference;
mod resources;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::infra::Wish;
use super::net::with_document;
use super::snapshot::Resource;
use super::state::RootState;
use super::what::{self, What};
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Captured, ObjectId, Policy, Reversibility, StateRef, Step, StepVerdict, SystemId, Way,
};
use crate::systems::PlanCx;

/// What a step carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The document of the state before the command.
    pub before: ObjectId,
    /// What is done.
    #[serde(flatten)]
    pub how: How,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum How {
    /// Pushes the old state over the one that is there.
    Push {
        /// What the present state must say; `None`: nothing.
        expect: Option<ObjectId>,
        /// Its serial when the plan was made, for people.
        serial: Option<u64>,
        /// Over another lineage, too.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        force: bool,
    },
    /// Makes a workspace without a state.
    NewWorkspace,
    /// Removes a workspace, which must be empty.
    DropWorkspace,
    /// Selects the workspace that was selected.
    Select {
        /// Which one must be selected now.
        expect: String,
    },
    /// Puts back what the data directory says of the backend, and the lock file of providers.
    Directory {
        /// What is there now.
        binding: Option<ObjectId>,
        /// The lock file now.
        locks: Option<ObjectId>,
    },
    /// Puts the recorded configuration, the list of what is gone and terraform's own plan into a directory of its own.
    Kit {
        /// The directory.
        at: PathBuf,
        /// What terraform would make again.
        wish: Wish,
    },
    /// Runs `terraform apply`.
    Apply {
        /// The directory of the recorded configuration.
        at: PathBuf,
        /// What for.
        wish: Wish,
        /// With the configuration that lies there now, not with the recorded one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        present: bool,
    },
    /// Nothing: the step is there to be shown.
    Nothing,
}

/// Three moments of one root module.
pub(super) struct Moments<'a> {
    captured: &'a Captured,
    what: What,
    before: RootState,
    after: Option<RootState>,
    now: RootState,
    id: ObjectId,
}

/// Plans.
///
/// # Errors
/// Where a recorded state cannot be read.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let id = captured.before.state.object;
    let moments = Moments {
        captured,
        what: What::of(&captured.before.locator),
        before: RootState::load(&captured.before.state, cx.source)?,
        after: captured.after.map(|state| RootState::load(&state, cx.source)).transpose()?,
        now: RootState::load(now, cx.source)?,
        id: id.ok_or_else(|| Error::corrupt("a capture of terraform without its state"))?,
    };
    if moments.what.is_infra() && moments.what.has(what::MOVED) {
        return Ok(vec![moments.elsewhere()]);
    }
    let mut steps = Vec::new();
    steps.extend(moments.selected());
    steps.extend(moments.directory());
    steps.extend(moments.workspace());
    if moments.what.is_infra() {
        steps.extend(moments.resources(cx)?);
    } else {
        steps.extend(moments.state());
    }
    steps.extend(moments.lock());
    Ok(steps)
}

impl Moments<'_> {
    fn step(&self, resource: impl Into<Bytes>, action: String, verdict: StepVerdict, how: How) -> Step {
        let payload = Payload { before: self.id, how };
        Step {
            system: SystemId::new(super::ID),
            resource: resource.into(),
            action,
            reversibility: Reversibility::Exact,
            verdict,
            not_restored: Vec::new(),
            locator: with_document(&self.captured.before.locator, &self.captured.before.state),
            // A value of our own types: its encoding does not fail.
            payload: serde_json::to_value(&payload).unwrap_or_default(),
            policy: None,
            ways: Vec::new(),
        }
    }

    /// The verdict on one part: what it was, what the command left, what it is. `None`: nothing to do or to say.
    fn verdict<T: PartialEq>(
        &self,
        part: impl Fn(&RootState) -> T,
        reason: impl Fn() -> String,
    ) -> Option<StepVerdict> {
        let (before, now) = (part(&self.before), part(&self.now));
        let after = self.after.as_ref().map(&part);
        match after {
            Some(after) if after == before => None,
            None if before == now => None,
            _ if before == now => Some(StepVerdict::Already),
            Some(after) if after == now => Some(StepVerdict::Restore),
            _ => Some(StepVerdict::Conflict { reason: reason() }),
        }
    }

    fn root(&self) -> String {
        self.before.terraform.lossy().into_owned()
    }

    fn selected(&self) -> Option<Step> {
        if !self.what.has(what::SELECTED) {
            return None;
        }
        let reason =
            || format!("workspace {} is selected now: somebody selected it since", self.now.selected);
        let verdict = self.verdict(|state| state.selected.clone(), reason)?;
        let action = format!("select workspace {} again", self.before.selected);
        let how = How::Select { expect: self.now.selected.clone() };
        Some(self.step(format!("tf:selected workspace of {}", self.root()), action, verdict, how))
    }

    fn directory(&self) -> Option<Step> {
        if !self.what.has(what::DIR) {
            return None;
        }
        let reason = || "`terraform init` was run again since".to_owned();
        let verdict = self.verdict(|state| (state.binding, state.locks), reason)?;
        let action = format!(
            "put back the lock file of providers and which backend is in use ({})",
            self.before.backend
        );
        let how = How::Directory { binding: self.now.binding, locks: self.now.locks };
        let mut step = self.step(format!("tf:backend of {}", self.root()), action, verdict, how);
        if self.what.has(what::MOVED) && self.before.backend != self.now.backend {
            step.not_restored = Vec::new();
            step.action.push_str(&format!("; the copy that was made in {} stays", self.now.backend));
        }
        Some(step)
    }

    fn workspace(&self) -> Option<Step> {
        if !self.what.has(what::WORKSPACE) {
            return None;
        }
        let name = format!("tf:workspace {} of {}", self.before.workspace, self.root());
        let (was, is) = (self.before.exists == Some(true), self.now.exists == Some(true));
        if was == is && self.after.as_ref().is_some_and(|after| (after.exists == Some(true)) == was) {
            return None;
        }
        Some(match (was, is) {
            (true, false) if self.was_emptied() => {
                let name_of = &self.before.workspace;
                let action = format!("make workspace {name_of} again, empty as it was when it was deleted");
                self.step(name, action, StepVerdict::Restore, How::NewWorkspace)
            }
            // With a state it is made by pushing that.
            (true, false) if self.before.content().is_some() => return None,
            (true, false) => {
                let action = format!("make workspace {} again; it was empty", self.before.workspace);
                self.step(name, action, StepVerdict::Restore, How::NewWorkspace)
            }
            (false, true) => {
                let action = format!("remove workspace {}, which the command made", self.before.workspace);
                let verdict = match self.now.content() {
                    None => StepVerdict::Restore,
                    Some(_) => StepVerdict::Conflict {
                        reason: format!("the workspace holds resources now ({})", self.now.shown()),
                    },
                };
                self.step(name, action, verdict, How::DropWorkspace)
            }
            _ => self.step(name, "as it was".to_owned(), StepVerdict::Already, How::Nothing),
        })
    }

    /// Terraform deletes a workspace that holds resources only by force. What this one held before the line was destroyed
    /// or forgotten by another part of it: its old state would claim that it exists.
    fn was_emptied(&self) -> bool {
        self.what.has(what::WORKSPACE)
            && self.what.has_state()
            && !self.what.forgets_any()
            && !self.before.resources().is_empty()
            && self.after.as_ref().unwrap_or(&self.now).exists == Some(false)
    }

    /// A command that only changed the state.
    fn state(&self) -> Option<Step> {
        if !self.what.has_state() || self.was_emptied() {
            return None;
        }
        let name = self.before.resource();
        if self.before.unread {
            let missing = self.captured.before.missing.iter().find(|m| m.what == name);
            let reason = missing.map_or_else(|| "the state was not read".to_owned(), |m| m.why.clone());
            return Some(self.step(name, String::new(), StepVerdict::NotCaptured { reason }, How::Nothing));
        }
        let mut verdict = match self.verdict(RootState::content, || self.somebody_wrote()) {
            None => return None,
            // The command never reported back. What is left after it is known from its words.
            Some(StepVerdict::Conflict { .. }) if self.after.is_none() && self.only_lost() => {
                StepVerdict::Restore
            }
            Some(verdict) => verdict,
        };
        let left = self.after.as_ref().unwrap_or(&self.now).resources();
        let lost = lost(self.before.resources(), left);
        // By another name it is there still: `state mv`, and what takes it back.
        let is_there = |was: &Resource| left.iter().any(|is| difference::is_same(was, is));
        let unnamed: Vec<&str> = lost
            .iter()
            .filter(|r| !self.what.takes_out(&r.address) && !is_there(r))
            .map(|r| r.address.as_str())
            .collect();
        if verdict == StepVerdict::Restore && !unnamed.is_empty() {
            let reason = format!(
                "{} left the state in the same command and may be destroyed: an old state that has them would lie",
                some(&unnamed)
            );
            verdict = StepVerdict::Conflict { reason };
        }
        let (before, now) = (self.before.shown(), self.now.shown());
        let mut action = match self.now.state {
            Some(_) => format!("push the old state ({before}) over the present one ({now})"),
            None => format!("push the old state ({before})"),
        };
        if self.before.state.is_none() || self.before.content().is_none() {
            action = format!("push a state without anything over the present one ({now})");
        }
        let serial = self.now.state.as_ref().map(|kept| kept.serial);
        let how = How::Push { expect: self.now.content(), serial, force: false };
        let ways = match (&verdict, unnamed.is_empty()) {
            (StepVerdict::Conflict { .. }, true) => self.ways(serial),
            _ => Vec::new(),
        };
        let mut step = self.step(name, action, verdict, how);
        step.ways = ways;
        if self.what.has(what::WORKSPACE) {
            step.reversibility = Reversibility::StateOnly;
        }
        Some(step)
    }

    fn somebody_wrote(&self) -> String {
        let now = self.now.shown();
        let left = match &self.after {
            Some(after) => format!("the command left {}", after.shown()),
            None => "what the command left is not known".to_owned(),
        };
        let lineage = |state: &RootState| state.state.as_ref().map(|kept| kept.lineage.clone());
        let other = match (lineage(&self.before), lineage(&self.now)) {
            (Some(a), Some(b)) if a != b => " of another lineage",
            _ => "",
        };
        format!(
            "the state is at {now}{other} now, {left}, before it there was {}: somebody applied since",
            self.before.shown()
        )
    }

    /// Nothing but what the words take out is missing, and nothing is new or changed.
    fn only_lost(&self) -> bool {
        let before: BTreeMap<&str, &Resource> =
            self.before.resources().iter().map(|r| (r.address.as_str(), r)).collect();
        let kept = |r: &Resource| before.get(r.address.as_str()).is_some_and(|b| b.content == r.content);
        self.now.resources().iter().all(kept)
    }

    fn ways(&self, serial: Option<u64>) -> Vec<Way> {
        let lineage = |state: &RootState| state.state.as_ref().map(|kept| kept.lineage.clone());
        let force = lineage(&self.before) != lineage(&self.now) && self.now.content().is_some();
        let how = How::Push { expect: self.now.content(), serial, force };
        let forced = Way {
            policy: Policy::Force,
            action: format!(
                "push the old state ({}) over what somebody wrote since ({})",
                self.before.shown(),
                self.now.shown()
            ),
            verdict: StepVerdict::Restore,
            locator: None,
            payload: serde_json::to_value(Payload { before: self.id, how }).unwrap_or_default(),
        };
        let beside = "`fr restore ID --to DIR` gives the old state as a file";
        vec![
            Way::closed(Policy::Merge, "states are not merged"),
            Way::closed(Policy::SideBySide, beside),
            forced,
        ]
    }

    /// The backend was left and resources may have been destroyed by one line: what the other backend said in between is
    /// nowhere. Putting the old one back into use would hide what the new one says.
    fn elsewhere(&self) -> Step {
        let (was, is) = (&self.before.backend, &self.now.backend);
        let reason = format!(
            "the line left the backend ({was}, {is} now) and went on with the other one, whose state was not there before: \
             what it destroyed is not known, and nothing is put back. `fr restore ID --to DIR` gives the state and the \
             configuration from before, to compare with `terraform state list`"
        );
        let name = format!("tf:what was done after {} left its backend", self.root());
        self.step(name, String::new(), StepVerdict::NotCaptured { reason }, How::Nothing)
    }

    fn lock(&self) -> Option<Step> {
        if !self.what.has(what::LOCK) {
            return None;
        }
        let reason = "a lock that was broken cannot be handed back; whoever held it must be told".to_owned();
        let name = format!("tf:state lock of {}", self.root());
        Some(self.step(name, String::new(), StepVerdict::NotCaptured { reason }, How::Nothing))
    }
}

/// The resources of one state that another does not have.
pub fn lost<'a>(before: &'a [Resource], after: &[Resource]) -> Vec<&'a Resource> {
    before.iter().filter(|b| !after.iter().any(|a| a.address == b.address)).collect()
}

/// A few names of many.
pub fn some(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{shown} and {more} more"),
        None => shown,
    }
}
