//! What an undo had decided when it began, and what a resume could not find out again: by then it is half done. A
//! repository is restored as a whole, so what of it is back already would look like a change of somebody's; what cannot
//! come back is told by states that are not there any more.

use serde::{Deserialize, Serialize};

use super::planning::UndoPlan;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource, Step, StepVerdict};

/// Kept as an object of the undo's event: old values may be in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// Steps that a policy made, conflicts that it left alone, and what was not captured.
    #[serde(default)]
    steps: Vec<Step>,
    /// What is made in the place of what an earlier step removes: between the two there is neither what the events left nor
    /// what was there before, which would look like somebody's removal.
    #[serde(default)]
    replacing: Vec<Step>,
    #[serde(default)]
    residue: Vec<String>,
    #[serde(default)]
    passed_over: Vec<String>,
    #[serde(default)]
    uncaptured: Vec<String>,
    #[serde(default)]
    left_out: Vec<String>,
}

impl Decided {
    /// Of a plan that is about to be carried out.
    pub fn of(plan: &UndoPlan) -> Decided {
        let plain = |step: &&Step| matches!(step.verdict, StepVerdict::Restore | StepVerdict::Already);
        let steps = plan.steps.iter().filter(|step| step.policy.is_some() || !plain(step));
        Decided {
            steps: steps.cloned().collect(),
            replacing: replacing(&plan.steps),
            residue: plan.residue.clone(),
            passed_over: plan.passed_over.clone(),
            uncaptured: plan.uncaptured.clone(),
            left_out: plan.left_out.clone(),
        }
    }

    /// Stores it. Most undos have nothing of the kind.
    pub fn put(&self, sink: &dyn ObjectSink) -> Result<Option<ObjectId>> {
        if *self == Decided::default() {
            return Ok(None);
        }
        let text = serde_json::to_vec(self)
            .map_err(|e| Error::failure(format!("cannot encode what was decided: {e}")))?;
        sink.put(ObjectKind::Blob, &text).map(Some)
    }

    /// Reads it; of an undo that an older `fr` began there is none.
    pub fn load(id: Option<ObjectId>, source: &dyn ObjectSource) -> Result<Decided> {
        let Some(id) = id else { return Ok(Decided::default()) };
        serde_json::from_slice(&source.get(&id)?)
            .map_err(|e| Error::corrupt(format!("what an undo had decided cannot be read: {e}")))
    }

    /// Into a plan of all that was to be done: where it finds a conflict again that a policy had a step for, that step
    /// goes on. It writes only over what it was made for, and passes over what it has done.
    pub fn go_on(&self, plan: &mut UndoPlan) {
        let by_policy = self.steps.iter().filter(|step| goes_on(step));
        for step in by_policy.chain(&self.replacing) {
            if let Some(again) = plan.steps.iter_mut().find(|again| is_same_conflict(again, step)) {
                *again = step.clone();
            }
        }
    }

    /// The same into a plan of the net effect and of the conflicts of files: other conflicts are not in that.
    pub fn complete(&self, plan: &mut UndoPlan) {
        let is_done_by =
            |step: &Step| plan.steps.iter().any(|again| is_same_target(again, step) && !is_conflict(again));
        let left: Vec<Step> = self.replacing.iter().filter(|step| !is_done_by(step)).cloned().collect();
        plan.steps.retain(|again| !left.iter().any(|step| is_same_target(again, step)));
        plan.steps.extend(left);
        let is_missing =
            |step: &&Step| step.system.0 != "fs" || matches!(step.verdict, StepVerdict::NotCaptured { .. });
        plan.steps.splice(..0, self.steps.iter().filter(is_missing).cloned());
        plan.residue.clone_from(&self.residue);
        plan.passed_over.clone_from(&self.passed_over);
        plan.uncaptured.clone_from(&self.uncaptured);
    }

    /// The steps that a policy made.
    pub fn by_policy(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.policy.is_some())
    }

    /// What was left out on purpose, by name.
    pub fn name_what_is_left_out(self, plan: &mut UndoPlan) {
        if !self.left_out.is_empty() {
            plan.left_out = self.left_out;
        }
    }
}

/// Files are asked again, one by one: what of them is done is seen.
fn goes_on(step: &Step) -> bool {
    step.policy.is_some() && step.system.0 != "fs"
}

/// The last of several steps that write one target.
fn replacing(steps: &[Step]) -> Vec<Step> {
    let writes =
        |step: &&Step| step.verdict == StepVerdict::Restore && step.policy.is_none() && step.system.0 != "fs";
    let kept = steps.iter().enumerate().filter(|(at, step)| {
        let others = |range: &[Step]| range.iter().filter(writes).any(|other| is_same_target(other, step));
        let (earlier, later) = steps.split_at(*at);
        writes(step) && others(earlier) && !others(later.get(1..).unwrap_or_default())
    });
    kept.map(|(_, step)| step.clone()).collect()
}

fn is_same_target(one: &Step, other: &Step) -> bool {
    one.system == other.system && one.resource == other.resource
}

fn is_conflict(step: &Step) -> bool {
    matches!(step.verdict, StepVerdict::Conflict { .. })
}

fn is_same_conflict(again: &Step, step: &Step) -> bool {
    is_same_target(again, step) && is_conflict(again)
}
