//! What an interrupted undo still has to do, and the way back to before it.

use super::planning::{UndoPlan, captured_of, plan_rest};
use super::scope::Scope;
use super::together::{empty, plan_net, plan_together};
use crate::error::Result;
use crate::journal::index::Event;
use crate::model::{Capture, Captured, Reversal, Step, StepVerdict};
use crate::platform::home::Home;
use crate::store::Store;
use crate::systems::Run;

/// Plans what is left to do of an undo of these events.
pub fn rest_of(undo: &Event, of: &[Event], store: &Store, home: &Home) -> Result<UndoPlan> {
    let again: Vec<Event> = of.iter().map(|event| Event { undone_by: None, ..event.clone() }).collect();
    let Reversal { policy, net, only, .. } = recorded(undo);
    let mut plan = match again.as_slice() {
        [event] if net.is_empty() => plan_rest(event, store, home)?,
        _ => {
            let mut plan = UndoPlan { net, ..empty(&again)? };
            plan.steps = plan_net(&plan, Run::Resumed, store, home)?;
            plan.steps.splice(..0, conflicts_of_files(&again, store, home));
            plan
        }
    };
    if let Some(policy) = policy {
        plan.choose(policy);
        plan.leave_what_moved_on(undo, store, home);
    }
    plan.keep_targets(&only);
    Ok(plan)
}

/// The policy, the net effect, and the targets of chosen steps that an undo recorded when it began.
fn recorded(undo: &Event) -> Reversal {
    undo.before.kind.reversal().cloned().unwrap_or_default()
}

/// What is in conflict still, with its ways. A repository is restored as a whole: what of it is restored already would
/// look like a change of somebody's, so only files are asked again.
fn conflicts_of_files(events: &[Event], store: &Store, home: &Home) -> Vec<Step> {
    let scope = Scope { systems: vec!["fs".to_owned()], ..Scope::default() };
    let steps = plan_together(events, &scope, store, home).map(|plan| plan.steps).unwrap_or_default();
    steps.into_iter().filter(|step| matches!(step.verdict, StepVerdict::Conflict { .. })).collect()
}

/// Plans the way back from an undo that was interrupted: what it has written so far becomes what it was before the
/// undo, which has captured that. What somebody changed since is a conflict as always.
pub fn plan_back(undo: &Event, of: &[Event], store: &Store, home: &Home) -> Result<UndoPlan> {
    let Reversal { net, .. } = recorded(undo);
    let wanted: Vec<Capture> = match net.is_empty() {
        true => of.iter().flat_map(captured_of).map(|captured| captured.before).collect(),
        false => net.into_iter().map(|captured| captured.before).collect(),
    };
    let aim = |capture: &Capture| {
        let same = |w: &&Capture| w.system == capture.system && w.locator == capture.locator;
        wanted.iter().find(same).map(|w| w.state)
    };
    let back = |capture: &Capture| Captured { before: capture.clone(), after: aim(capture) };
    let net = undo.before.captures.iter().map(back).collect();
    let mut plan = UndoPlan { net, after_undo: Some(undo.id), ..empty(std::slice::from_ref(undo))? };
    plan.steps = plan_net(&plan, Run::Resumed, store, home)?;
    Ok(plan)
}
