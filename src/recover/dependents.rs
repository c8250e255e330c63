//! Who else changed what an undo would write: later events that stand in the way of taking an earlier one back.

use std::collections::HashSet;

use super::changes::between;
use super::planning::{UndoPlan, captured_of};
use super::scope::Scope;
use super::select::can_be_taken_back;
use crate::error::Result;
use crate::journal::index::{Event, Filter, Index};
use crate::model::{Bytes, EventId, ObjectSource, Step, StepVerdict};
use crate::platform::home::Home;
use crate::store::Store;
use crate::systems::{PlanCx, Run};

/// How often the set is widened before it is given up: each round adds at least one event.
const ROUNDS: usize = 1000;

/// Conflicts of which it is looked up who made them.
const NAMED: usize = 20;

/// Later events, and what each of them changed.
pub struct Later {
    events: Vec<(Event, Vec<Touched>)>,
}

/// What an event changed.
enum Touched {
    /// A path in the file system.
    Path(Bytes),
    /// Another system's resource.
    Resource(Bytes),
}

impl Later {
    /// Those after the oldest of `events`, newest first.
    pub fn than(events: &[Event], index: &Index, store: &Store) -> Result<Later> {
        let oldest = events.iter().map(|event| event.id.0).min();
        let filter = Filter { changes: true, after: oldest, limit: usize::MAX, ..Filter::default() };
        let reader = store.reader();
        let known: HashSet<EventId> = events.iter().map(|event| event.id).collect();
        let mut found = Vec::new();
        for event in index.timeline(&filter)? {
            if !known.contains(&event.id) && can_be_taken_back(&event) {
                let touched = touched(&event, &reader)?;
                found.push((event, touched));
            }
        }
        Ok(Later { events: found })
    }

    /// Those that changed the target of a step.
    fn behind(&self, step: &Step) -> impl Iterator<Item = &Event> {
        let hit = |(_, touched): &&(Event, Vec<Touched>)| touched.iter().any(|t| t.is_target_of(step));
        self.events.iter().filter(hit).map(|(event, _)| event)
    }

    /// Writes into each conflict which later events changed its target.
    pub fn name_in(&self, plan: &mut UndoPlan) {
        let conflicts =
            plan.steps.iter_mut().filter(|step| matches!(step.verdict, StepVerdict::Conflict { .. }));
        for step in conflicts.take(NAMED) {
            let by: Vec<String> = self
                .behind(step)
                .map(|event| format!("event {} ({})", event.id, event.before.actor.name))
                .take(3)
                .collect();
            if let (StepVerdict::Conflict { reason }, false) = (&mut step.verdict, by.is_empty()) {
                *reason = format!("{reason}; changed by {}", by.join(", "));
            }
        }
    }
}

impl Touched {
    fn is_target_of(&self, step: &Step) -> bool {
        let within = |a: &[u8], b: &[u8]| {
            a.strip_prefix(b).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let target = step.resource.as_slice();
        let (mine, target) = match (self, target.strip_prefix(b"path:")) {
            (Touched::Path(path), Some(target)) => (path.as_slice(), target),
            (Touched::Resource(resource), None) => (resource.as_slice(), target),
            _ => return false,
        };
        within(mine, target) || within(target, mine)
    }
}

fn touched(event: &Event, source: &dyn ObjectSource) -> Result<Vec<Touched>> {
    let cx = PlanCx { source, run: Run::First, event: event.id, except: &[] };
    let mut all = Vec::new();
    for captured in captured_of(event) {
        let changes = between(&captured.before, captured.after.as_ref(), &cx)?;
        match captured.before.system.0.as_ref() {
            "fs" => all.extend(changes.into_iter().map(|change| Touched::Path(change.what))),
            _ if changes.is_empty() => {}
            _ => all.push(Touched::Resource(captured.before.resource)),
        }
    }
    Ok(all)
}

/// Widens a set of events by the later ones that stand in its way, and by those that stand in theirs, until nothing does
/// or what does was not recorded. Newest first.
pub fn with_dependents(
    mut events: Vec<Event>,
    scope: &Scope,
    index: &Index,
    store: &Store,
    home: &Home,
) -> Result<Vec<Event>> {
    let later = Later::than(&events, index, store)?;
    for _ in 0..ROUNDS {
        let plan = super::plan(&events, scope, store, home)?;
        let known: HashSet<EventId> = events.iter().map(|event| event.id).collect();
        let behind = plan.conflicts().flat_map(|step| later.behind(step));
        let mut added: Vec<Event> = behind.filter(|event| !known.contains(&event.id)).cloned().collect();
        if added.is_empty() {
            break;
        }
        events.append(&mut added);
        events.sort_by_key(|event| std::cmp::Reverse(event.id));
        events.dedup_by_key(|event| event.id);
    }
    Ok(events)
}
