//! From what was found to the steps of a plan: one for all that is written, since it is one transaction; one for each thing
//! in the way.

use super::{Clash, Payload, State, ways};
use crate::error::Result;
use crate::model::{Bytes, Captured, Reversibility, StateRef, Step, StepVerdict, SystemId};
use crate::systems::PlanCx;

/// What was found.
pub struct Found {
    /// What will be written, for people; empty where nothing is.
    pub said: Vec<String>,
    /// Something was brought back already.
    pub back: bool,
    /// What is written gets a new identity.
    pub anew: bool,
    /// What stands in the way.
    pub conflicts: Vec<Clash>,
    /// What cannot be brought back: of what, and why.
    pub lost: Vec<(String, String)>,
    /// What comes about beside what is written.
    pub beside: Vec<String>,
}

/// The states that a plan is made from.
pub struct States {
    /// Before the command.
    pub before: State,
    /// After it, where that is known.
    pub after: Option<State>,
    /// Now.
    pub now: State,
}

impl States {
    /// Loads them.
    pub fn load(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<States> {
        Ok(States {
            before: State::load(&captured.before.state, cx.source)?,
            after: captured.after.map(|after| State::load(&after, cx.source)).transpose()?,
            now: State::load(now, cx.source)?,
        })
    }
}

/// The steps. `ways`: the system knows how a policy's rows are written.
pub fn steps(
    found: Found,
    captured: &Captured,
    (states, now): (&States, &StateRef),
    with_ways: bool,
    cx: &PlanCx<'_>,
) -> Result<Vec<Step>> {
    let payload = Payload::of(captured, now)?;
    let reversibility = if found.anew { Reversibility::Recreate } else { Reversibility::Exact };
    let value = payload.value()?;
    let step = |resource: Bytes, action: String, verdict: StepVerdict| Step {
        system: SystemId(states.before.system.clone().into()),
        resource,
        action,
        reversibility,
        verdict,
        not_restored: Vec::new(),
        locator: captured.before.locator.clone(),
        payload: value.clone(),
        policy: None,
        ways: Vec::new(),
    };
    let own = captured.before.resource.clone();
    let mut steps = Vec::new();
    if !found.said.is_empty() {
        let step = step(own, found.said.join("; "), StepVerdict::Restore);
        steps.push(Step { not_restored: found.beside, ..step });
    } else if found.back && found.conflicts.is_empty() {
        steps.push(step(own, "is back".to_owned(), StepVerdict::Already));
    }
    for clash in found.conflicts {
        let reason = clash.why.clone();
        let made = step(
            Bytes::from(clash.what.as_str()),
            "stays as it is".to_owned(),
            StepVerdict::Conflict { reason },
        );
        let ways = if with_ways { ways(&clash, &payload, states, cx)? } else { Vec::new() };
        steps.push(Step { ways, ..made });
    }
    for (what, reason) in found.lost {
        steps.push(step(Bytes::from(what), "stays as it is".to_owned(), StepVerdict::NotCaptured { reason }));
    }
    Ok(steps)
}
