//! Several events taken back as one, or a part of them: each target is written once, from what is there now to what was
//! there before the first of the events. The systems work the net effect out ([`crate::systems::System::net`]).

use super::lineage::{Lineage, goes_with_its_repository};
use super::planning::{
    UndoPlan, captured_of, is_covered, owned, refuse_what_cannot_be_undone, without_duplicates,
};
use super::promised::Promised;
use super::rounds::goes_with_files;
use super::scope::Scope;
use super::settled::settled;
use super::uncaptured::{left_out, told_apart};
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::Event;
use crate::model::{Capture, Captured, EventKind, Missing, ObjectSource, Policy, StateRef, Step, SystemId};
use crate::platform::home::Home;
use crate::record;
use crate::store::{Scratch, Store};
use crate::systems::{self, NetCx, PlanCx, Run, Taken};

/// Plans the undo of events, newest first, as far as the scope goes. Writes nothing.
pub fn plan_together(events: &[Event], scope: &Scope, store: &Store, home: &Home) -> Result<UndoPlan> {
    plan_elsewhere(events, scope, store, home, &|_| None)
}

/// The same, where what some captures cover is looked at in another place: a copy of what will be there.
pub fn plan_elsewhere(
    events: &[Event],
    scope: &Scope,
    store: &Store,
    home: &Home,
    elsewhere: &dyn Fn(&Capture) -> Option<Capture>,
) -> Result<UndoPlan> {
    for event in events {
        refuse_what_cannot_be_undone(event)?;
    }
    let events: Vec<Event> = events.iter().map(|event| settled(event, home)).collect();
    let events = events.as_slice();
    let reader = store.reader();
    let made = Scratch::over(&reader);
    // What is looked at may be a state that was made: it is seen from there, and stored where it is written.
    let present = Scratch::over(&made);
    let mut plan = empty(events)?;
    let observe = |capture: &Capture, left: Option<StateRef>| {
        let stands_in = elsewhere(capture);
        record::observe_since(stands_in.as_ref().unwrap_or(capture), left, &present, home, false)
            .map_err(|e| e.context(format!("cannot read {} as it is now", capture.resource.lossy())))
    };
    let mut missing = Vec::new();
    let mut taken = taken(events, scope, &observe, &present, (&mut plan, &mut missing))?;
    // Where only git's part is taken back, or another place, the files of a repository stay.
    let mut own = Lineage { home, observe: &observe, source: &present }.own_repositories(events)?;
    own.retain(|tree| {
        scope.has_system(&SystemId::new("fs")) && systems::is_meant(tree.at.as_slice(), &scope.paths)
    });
    taken.retain(|one| !own.iter().any(|tree| goes_with_its_repository(one, tree)));
    let captured: Vec<Captured> = taken.iter().map(|one| one.captured.clone()).collect();
    let except = owned(&captured, &present)?;
    let retry = events.iter().any(|event| event.undone_in_part);
    let cx = NetCx {
        source: &present,
        made: &made,
        observe: &observe,
        retry,
        within: &scope.paths,
        except: &except,
        own: &own,
    };
    let mut steps = Vec::new();
    for system in systems::all() {
        let (id, of_it) = (system.id(), |one: &&Taken| one.captured.before.system == system.id());
        let of_it: Vec<Taken> = taken.iter().filter(of_it).cloned().collect();
        if of_it.is_empty() {
            continue;
        }
        let net = system.net(&of_it, &cx).map_err(|e| e.context(format!("planning {id}")))?;
        steps.extend(net.steps);
        plan.residue.extend(net.residue);
        steps.extend(steps_of(&net.captured, &plan, &present)?);
        plan.net.extend(net.captured);
    }
    plan.steps = without_duplicates(steps);
    plan.uncaptured = told_apart(missing, &plan.steps, &mut plan.residue);
    plan.residue.sort();
    plan.residue.dedup();
    plan.made = made.into_objects();
    Ok(plan)
}

/// Plans what an undo of several events still has to do, from the net effect that it recorded.
pub fn plan_net(plan: &UndoPlan, run: Run, store: &Store, home: &Home) -> Result<Vec<Step>> {
    let reader = store.reader();
    plan_states(plan, run, &Scratch::over(&reader), home)
}

/// The same, from states that need not be stored yet.
pub fn plan_states(plan: &UndoPlan, run: Run, states: &Scratch<'_>, home: &Home) -> Result<Vec<Step>> {
    let present = Scratch::over(states);
    let mut steps = Vec::new();
    let except = owned(&plan.net, &present)?;
    for captured in plan.net.iter().filter(|captured| !goes_with_files(captured, &plan.net)) {
        let now = record::observe_since(&captured.before, captured.after, &present, home, false)?;
        let cx = PlanCx { source: &present, run, event: plan.event(), except: &except };
        steps.extend(system_of(captured)?.plan(captured, &now, &cx)?);
    }
    Ok(steps)
}

/// A plan without steps yet.
pub fn empty(events: &[Event]) -> Result<UndoPlan> {
    let Some(newest) = events.first() else {
        return Err(Error::new(ExitCode::NothingToUndo, "no event is there to take back"));
    };
    let line = newest.before.command.line.lossy();
    let command = match events.len() {
        1 => line.into_owned(),
        n => format!("{line} (and {} more)", n - 1),
    };
    Ok(UndoPlan {
        events: events.iter().map(|event| event.id).collect(),
        command,
        redo: matches!(newest.before.kind, EventKind::Undo(_)),
        steps: Vec::new(),
        residue: Vec::new(),
        passed_over: Vec::new(),
        uncaptured: Vec::new(),
        unseen: super::unseen::unseen(events),
        policy: Policy::Abort,
        left_out: Vec::new(),
        only: Vec::new(),
        unchanged: Vec::new(),
        net: Vec::new(),
        after_undo: None,
        made: Vec::new(),
    })
}

/// The captures of the events, in the order in which they are taken back.
fn taken(
    events: &[Event],
    scope: &Scope,
    observe: &dyn Fn(&Capture, Option<StateRef>) -> Result<StateRef>,
    source: &dyn ObjectSource,
    (plan, missing): (&mut UndoPlan, &mut Vec<(SystemId, Missing)>),
) -> Result<Vec<Taken>> {
    let mut taken: Vec<Taken> = Vec::new();
    for event in events {
        let of = |text: &String| format!("event {}: {text}", event.id);
        let whole = std::iter::once(event).chain(&event.parts);
        plan.residue.extend(whole.flat_map(|e| &e.before.warnings).map(of));
        let all = captured_of(event);
        let promised = Promised::of(event, source);
        for (position, captured) in all.iter().enumerate().rev() {
            if !event.parts.is_empty() && is_covered(position, &all, source) {
                continue;
            }
            if !scope.has_system(&captured.before.system) {
                let what = captured.before.resource.lossy();
                plan.left_out.push(format!("event {}: {what} ({})", event.id, captured.before.system));
                continue;
            }
            let lacking = system_of(captured)?.lacking(captured, source)?;
            // The same directory is left out of one capture after the other: it is named once.
            missing.extend(left_out(event, &captured.before.system, lacking));
            let captured = match promised.says_of(captured) {
                true => promised.kept(captured, &all, &found_since(&taken, captured, observe)?, source),
                false => captured.clone(),
            };
            taken.push(Taken { event: event.id, captured });
        }
    }
    plan.left_out.extend(
        scope.paths.iter().map(|path| format!("everything that is not at or below {}", path.lossy())),
    );
    Ok(taken)
}

/// What the next later event of the set found at the same place, or what is there now.
fn found_since(
    later: &[Taken],
    captured: &Captured,
    observe: &dyn Fn(&Capture, Option<StateRef>) -> Result<StateRef>,
) -> Result<StateRef> {
    let same = |one: &&Taken| one.captured.before.locator == captured.before.locator;
    match later.iter().rev().find(same) {
        Some(next) => Ok(next.captured.before.state),
        None => observe(&captured.before, None),
    }
}

fn steps_of(net: &[Captured], plan: &UndoPlan, source: &dyn ObjectSource) -> Result<Vec<Step>> {
    let except = owned(net, source)?;
    let cx = PlanCx { source, run: Run::First, event: plan.event(), except: &except };
    let mut steps = Vec::new();
    for captured in net.iter().filter(|captured| !goes_with_files(captured, net)) {
        let present = captured.after.ok_or_else(|| Error::failure("a net effect without the present"))?;
        steps.extend(system_of(captured)?.plan(captured, &present, &cx)?);
    }
    Ok(steps)
}

/// The system that a capture is of.
pub fn system_of(captured: &Captured) -> Result<&'static dyn systems::System> {
    let id = &captured.before.system;
    systems::by_id(&id.0).ok_or_else(|| Error::failure(format!("this fr knows no system {id}")))
}
