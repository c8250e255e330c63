//! The way back; a container that has got another name is no container that is gone and another one that was made.

use std::collections::BTreeMap;

use super::hands::Engine;
use super::query::Access;
use crate::error::Result;
use crate::model::{Captured, StateRef, Step, StepVerdict};
use crate::systems::PlanCx;
use crate::systems::things::{self, Things};

/// Plans.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let before = Things::load(&captured.before.state, cx.source)?;
    let after = captured.after.map(|after| Things::load(&after, cx.source)).transpose()?;
    let present = Things::load(now, cx.source)?;
    let renamed = renamed(&before, &present);
    let podman = Access::of(&captured.before.locator).program == "podman";
    let hands = Engine { renamed: renamed.clone(), podman };
    let mut steps = things::plan(captured, now, cx, &hands)?;
    // The new name goes with the old one's return.
    steps.retain(|step| {
        let job = things::Job::of(step).ok();
        !job.is_some_and(|job| {
            job.verb == things::Verb::Remove && renamed.values().any(|new| *new == job.name)
        })
    });
    for step in &mut steps {
        let Ok(job) = things::Job::of(step) else { continue };
        let Some(new) = renamed.get(&job.name).filter(|_| job.verb == things::Verb::Anew) else { continue };
        let left = after.as_ref().and_then(|after| after.get(new));
        if let (Some(left), Some(now)) = (left, present.get(new))
            && !left.is(now)
        {
            let reason = "somebody has changed it since the command renamed it".to_owned();
            step.verdict = StepVerdict::Conflict { reason };
        }
    }
    Ok(steps)
}

/// New names by old ones.
pub fn renamed(before: &Things, now: &Things) -> BTreeMap<String, String> {
    let mut renamed = BTreeMap::new();
    for (old, thing) in before.all() {
        let Some(thing) = thing.filter(|t| old.starts_with("container/") && !t.id.is_empty()) else {
            continue;
        };
        if now.get(old).is_some_and(|there| there.id == thing.id) {
            continue;
        }
        let new =
            now.all().find(|(name, other)| *name != old && other.is_some_and(|other| other.id == thing.id));
        if let Some((new, _)) = new {
            renamed.insert(old.to_owned(), new.to_owned());
        }
    }
    renamed
}
