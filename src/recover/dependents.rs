//! Who else changed what an undo would write: later events that stand in the way of taking an earlier one back.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::changes::between;
use super::planning::{UndoPlan, captured_of};
use super::scope::Scope;
use super::select::can_be_taken_back;
use crate::error::Result;
use crate::journal::index::{Event, Index};
use crate::model::{Bytes, EventId, ObjectSource, Step, StepVerdict};
use crate::platform::home::Home;
use crate::store::Store;
use crate::systems::{PlanCx, Run};

/// How often the set is widened before it is given up: each round adds at least one event.
const ROUNDS: usize = 1000;

/// Conflicts of which it is looked up who made them.
const NAMED: usize = 20;

/// Events whose changes are compared to find who is behind one conflict, the newest first.
const COMPARED: usize = 500;

/// Later events, and what each of them changed. The index says which of them concern a place at all; only of those are
/// the states compared.
pub struct Later<'a> {
    index: &'a Index,
    store: &'a Store,
    /// The oldest of the events that are to be taken back.
    after: u64,
    known: HashSet<EventId>,
    /// Captured places that are reached through links: changes are told by where they lead, the index has the names.
    through_links: Vec<Bytes>,
    compared: RefCell<HashMap<EventId, Rc<Vec<Touched>>>>,
}

/// What an event changed.
enum Touched {
    /// A path in the file system.
    Path(Bytes),
    /// Another system's resource.
    Resource(Bytes),
}

impl<'a> Later<'a> {
    /// Those after the oldest of `events`.
    pub fn than(events: &[Event], index: &'a Index, store: &'a Store) -> Later<'a> {
        let places = events.iter().flat_map(captured_of).map(|captured| captured.before);
        let through_links =
            places.filter(|c| c.system.0 == "fs").map(|c| c.locator.at).filter(is_through_links).collect();
        Later {
            index,
            store,
            after: events.iter().map(|event| event.id.0).min().unwrap_or(0),
            known: events.iter().map(|event| event.id).collect(),
            through_links,
            compared: RefCell::default(),
        }
    }

    /// Those that may have changed the targets of steps, newest first.
    fn concerning(&self, steps: &[&Step]) -> Result<Vec<Event>> {
        let target = |step: &&Step| {
            let resource = step.resource.as_slice();
            Bytes::from(resource.strip_prefix(b"path:").unwrap_or(resource))
        };
        let places: Vec<Bytes> = steps.iter().map(target).chain(self.through_links.iter().cloned()).collect();
        let mut found = self.index.concerning(&places, self.after)?;
        found.retain(|event| !self.known.contains(&event.id) && can_be_taken_back(event));
        Ok(found)
    }

    fn has_changed(&self, event: &Event, steps: &[&Step]) -> Result<bool> {
        let known = self.compared.borrow().get(&event.id).cloned();
        let touched = match known {
            Some(touched) => touched,
            None => {
                let touched = Rc::new(touched(event, &self.store.reader())?);
                self.compared.borrow_mut().insert(event.id, touched.clone());
                touched
            }
        };
        Ok(touched.iter().any(|t| steps.iter().any(|step| t.is_target_of(step))))
    }

    /// Writes into each conflict which later events changed its target.
    pub fn name_in(&self, plan: &mut UndoPlan) -> Result<()> {
        let conflicts =
            plan.steps.iter_mut().filter(|step| matches!(step.verdict, StepVerdict::Conflict { .. }));
        for step in conflicts.take(NAMED) {
            let mut by = Vec::new();
            for event in self.concerning(&[step])?.iter().take(COMPARED) {
                if self.has_changed(event, &[step])? {
                    by.push(format!("event {} ({})", event.id, event.before.actor.name));
                }
                if by.len() == 3 {
                    break;
                }
            }
            if let (StepVerdict::Conflict { reason }, false) = (&mut step.verdict, by.is_empty()) {
                *reason = format!("{reason}; changed by {}", by.join(", "));
            }
        }
        Ok(())
    }
}

fn is_through_links(at: &Bytes) -> bool {
    let above = at.as_path().parent();
    above.is_some_and(|above| above.canonicalize().is_ok_and(|real| real != above))
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
    let later = Later::than(&events, index, store);
    for _ in 0..ROUNDS {
        let plan = super::plan(&events, scope, store, home)?;
        let known: HashSet<EventId> = events.iter().map(|event| event.id).collect();
        let conflicts: Vec<&Step> = plan.conflicts().collect();
        let mut added = Vec::new();
        for event in later.concerning(&conflicts)? {
            if !known.contains(&event.id) && later.has_changed(&event, &conflicts)? {
                added.push(event);
            }
        }
        if added.is_empty() {
            break;
        }
        events.append(&mut added);
        events.sort_by_key(|event| std::cmp::Reverse(event.id));
        events.dedup_by_key(|event| event.id);
    }
    Ok(events)
}
