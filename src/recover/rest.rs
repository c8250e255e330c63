//! What an interrupted undo still has to do, and the way back to before it.

use super::decided::Decided;
use super::lineage::has_later_life;
use super::planning::{UndoPlan, captured_of, plan_rest, refuse_what_cannot_be_undone};
use super::scope::Scope;
use super::together::{empty, plan_net, plan_states, plan_together, system_of};
use crate::error::Result;
use crate::journal::index::Event;
use crate::model::{After, Capture, Captured, Outcome, PostState, Reversal, StateRef, Step, StepVerdict};
use crate::platform::home::Home;
use crate::store::{Scratch, Store};
use crate::systems::{self, Run};

/// Plans what is left to do of an undo of these events.
pub fn rest_of(undo: &Event, of: &[Event], store: &Store, home: &Home) -> Result<UndoPlan> {
    let again: Vec<Event> = of.iter().map(|event| Event { undone_by: None, ..event.clone() }).collect();
    let Reversal { policy, net, only, decided, .. } = recorded(undo);
    let decided = Decided::load(decided, &store.reader())?;
    let is_whole = again.len() == 1 && net.is_empty();
    let mut plan = match again.as_slice() {
        [event] if is_whole => plan_rest(event, store, home)?,
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
    match is_whole {
        true => decided.go_on(&mut plan),
        false => decided.complete(&mut plan),
    }
    decided.name_what_is_left_out(&mut plan);
    Ok(plan)
}

/// The policy, the net effect, and the targets of chosen steps that an undo recorded when it began.
fn recorded(undo: &Event) -> Reversal {
    undo.before.kind.reversal().cloned().unwrap_or_default()
}

/// What is in conflict still, with its ways: of files only, which are asked one by one ([`Decided`] has the others).
fn conflicts_of_files(events: &[Event], store: &Store, home: &Home) -> Vec<Step> {
    let scope = Scope { systems: vec!["fs".to_owned()], ..Scope::default() };
    let steps = plan_together(events, &scope, store, home).map(|plan| plan.steps).unwrap_or_default();
    steps.into_iter().filter(|step| matches!(step.verdict, StepVerdict::Conflict { .. })).collect()
}

/// Plans the way back from an undo that was interrupted: what it has written so far becomes what it was before the
/// undo, which has captured that. What somebody changed since is a conflict as always.
pub fn plan_back(undo: &Event, of: &[Event], store: &Store, home: &Home) -> Result<UndoPlan> {
    let Reversal { net, decided, .. } = recorded(undo);
    let reader = store.reader();
    let decided = Decided::load(decided, &reader)?;
    let of_one = net.is_empty();
    let mut back: Vec<Captured> = match of_one {
        true => {
            let wanted: Vec<Capture> =
                of.iter().flat_map(captured_of).map(|captured| captured.before).collect();
            let aim = |capture: &Capture| {
                let same = |w: &&Capture| w.system == capture.system && is_same_place(w, capture);
                wanted.iter().find(same).map(|w| w.state)
            };
            let back = |capture: &Capture| Captured { before: capture.clone(), after: aim(capture) };
            undo.before.captures.iter().map(back).collect()
        }
        false => inverse(undo, net),
    };
    let made = Scratch::over(&reader);
    for captured in &mut back {
        aim_by_policy(captured, of_one, &decided, &made)?;
    }
    let mut plan = UndoPlan { net: back, after_undo: Some(undo.id), ..empty(std::slice::from_ref(undo))? };
    plan.steps = plan_states(&plan, Run::Resumed, &made, home)?;
    plan.made = made.into_objects();
    Ok(plan)
}

/// Where a policy had a step for a place, what that was to leave there. Of one event that was all that was to be written
/// there; of several it came on top of what the others leave.
fn aim_by_policy(captured: &mut Captured, of_one: bool, decided: &Decided, made: &Scratch<'_>) -> Result<()> {
    let system = system_of(captured)?;
    let mut is_known = !of_one && captured.after.is_some();
    for step in decided.by_policy().filter(|step| step.system == captured.before.system) {
        let own = system.same_place(&step.locator, &captured.before.locator);
        if own.unwrap_or(step.locator.at == captured.before.locator.at) && !is_known {
            (captured.after, is_known) = (Some(captured.before.state), true);
        }
        captured.after = system.aim(step, captured, made, made)?.or(captured.after);
    }
    Ok(())
}

/// Plans the redo of an undo of several events: just what that has written goes back. Its captures hold more, places as a
/// whole, and two of them may hold the same (a directory, and the repository in it).
pub fn plan_redo(undo: &Event, store: &Store, home: &Home) -> Result<UndoPlan> {
    refuse_what_cannot_be_undone(undo)?;
    let Reversal { net, decided, .. } = recorded(undo);
    let reader = store.reader();
    let (decided, made) = (Decided::load(decided, &reader)?, Scratch::over(&reader));
    let mut net = inverse(undo, net);
    for captured in &mut net {
        aim_by_policy(captured, false, &decided, &made)?;
    }
    if decided.by_policy().next().is_none()
        && has_later_life(undo, store, home)?
        && let Some(written) = with_captures(undo, &net)
    {
        return plan_together(&[written], &Scope::default(), store, home);
    }
    let mut plan = UndoPlan { net, ..empty(std::slice::from_ref(undo))? };
    plan.steps = plan_states(&plan, Run::First, &made, home)?;
    plan.made = made.into_objects();
    plan.residue.extend(undo.before.warnings.iter().cloned());
    Ok(plan)
}

/// The undo as if it had captured just what it has written.
fn with_captures(undo: &Event, net: &[Captured]) -> Option<Event> {
    let mut written = undo.clone();
    let left = net.iter().enumerate();
    let post = left.filter_map(|(capture, one)| Some(PostState { capture, state: one.after? })).collect();
    written.before.captures = net.iter().map(|one| one.before.clone()).collect();
    written.after = Some(After { post, ..undo.after.clone()? });
    Some(written)
}

/// True where an undo's capture is of the place of one that it took back.
fn is_same_place(earlier: &Capture, later: &Capture) -> bool {
    let system = systems::by_id(&earlier.system.0);
    let told = system.and_then(|system| system.same_place(&earlier.locator, &later.locator));
    told.unwrap_or(earlier.locator == later.locator)
}

/// The remotes of a repository are all at its place: they are told apart by what they are called.
fn is_same_remote(one: &Capture, other: &Capture) -> bool {
    let is_remote = [one, other].iter().any(|c| c.system.0 == "git" && systems::git::is_remote(&c.locator));
    !is_remote || one.resource == other.resource
}

/// True where an undo is taken back by its net effect.
pub fn has_net(event: &Event) -> bool {
    event.before.kind.reversal().is_some_and(|reversal| !reversal.net.is_empty())
}

/// From what an undo brought about to what was there before it; what policies wrote besides, by its captures.
fn inverse(undo: &Event, net: Vec<Captured>) -> Vec<Captured> {
    let is_in_net = |captured: &Captured| {
        let same = |n: &&Captured| {
            let system = systems::by_id(&n.before.system.0);
            let told = system.and_then(|s| s.same_place(&n.before.locator, &captured.before.locator));
            let same = told.unwrap_or(n.before.locator.at == captured.before.locator.at);
            n.before.system == captured.before.system && same
        };
        net.iter().any(|n| same(&n))
    };
    let all = captured_of(undo);
    let others: Vec<Captured> = all.iter().filter(|captured| !is_in_net(captured)).cloned().collect();
    // Where the undo left something else than it meant to, that is what it left. One that was complete left just what it
    // meant to: its captures also hold what other steps wrote in the same directory (a repository).
    let is_complete = undo.after.as_ref().is_some_and(|after| after.outcome == Outcome::Exited { code: 0 });
    let left = |meant: &Captured| {
        let system = systems::by_id(&meant.before.system.0);
        if system.is_some_and(systems::System::has_identities) {
            let same = |c: &&Captured| {
                c.before.system == meant.before.system && c.before.resource == meant.before.resource
            };
            let seen = all.iter().find(same).and_then(|captured| captured.after);
            return seen.unwrap_or(meant.before.state);
        }
        if is_complete {
            return meant.before.state;
        }
        let same =
            |c: &&Captured| c.before.system == meant.before.system && is_same_place(&meant.before, &c.before);
        let left = all.iter().find(same).and_then(|captured| captured.after);
        left.filter(|left| left.digest != meant.before.state.digest).unwrap_or(meant.before.state)
    };
    // The net effect was worked out by looking only. The undo's own capture of that very state has the contents, too.
    let with_contents = |net: &Captured, was: StateRef| {
        let same = |c: &&Captured| {
            c.before.system == net.before.system
                && c.before.locator.at == net.before.locator.at
                && is_same_remote(&c.before, &net.before)
                && c.before.state.digest == was.digest
        };
        all.iter().find(same).map_or(was, |captured| captured.before.state)
    };
    let back = |captured: Captured| {
        let (brought, was) = (left(&captured), with_contents(&captured, captured.after?));
        Some(Captured { before: Capture { state: was, ..captured.before }, after: Some(brought) })
    };
    let all: Vec<Captured> = others.into_iter().chain(net.into_iter().rev().filter_map(back)).collect();
    in_order(all)
}

/// Places one in another, in the order in which they are written: a path alone comes after the tree around it, with which goes what is
/// in it; a tree that is to be gone comes before what is around it, which would find it in the way.
fn in_order(all: Vec<Captured>) -> Vec<Captured> {
    let is_in_another = |one: &Captured| {
        let at = &one.before.locator.at;
        all.iter().any(|other| {
            let place = &other.before.locator.at;
            other.before.system.0 == "fs"
                && !systems::files::is_node(&other.before)
                && place != at
                && systems::files::is_within(at, place)
        })
    };
    let rank = |one: &Captured| match systems::files::is_node(&one.before) {
        _ if one.before.system.0 != "fs" || !is_in_another(one) => 1,
        true => 2,
        false if systems::files::is_absent(&one.before.state) => 0,
        false => 1,
    };
    let mut ordered: Vec<(u8, Captured)> = all.iter().map(|one| (rank(one), one.clone())).collect();
    ordered.sort_by_key(|(rank, _)| *rank);
    ordered.into_iter().map(|(_, one)| one).collect()
}
