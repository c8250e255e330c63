//! Several events taken back as one: what each target was before the first of them and is now, so that it is written
//! once and no state in between is ever exposed. Equal to taking back one event after the other, newest first.

use std::collections::BTreeMap;

use super::{PlanCx, Run};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, EventId, Locator, ObjectSink, ObjectSource, StateRef, Step, StepVerdict,
};

/// A capture of one of the events.
#[derive(Clone)]
pub struct Taken {
    /// The event.
    pub event: EventId,
    /// Its capture, with the state after it.
    pub captured: Captured,
}

/// What working out the net effect works with.
pub struct NetCx<'a> {
    /// Stored objects, those of the present, and what was put into `made`.
    pub source: &'a dyn ObjectSource,
    /// Takes states that nobody recorded: a mixture of the present and of several events.
    pub made: &'a dyn ObjectSink,
    /// The state now of what a capture covers, to be compared with how its command left it.
    pub observe: &'a dyn Fn(&Capture, Option<StateRef>) -> Result<StateRef>,
    /// An earlier undo of one of the events ended in part.
    pub retry: bool,
    /// Only what is at or below one of these paths is taken back; empty: everything.
    pub within: &'a [Bytes],
    /// Files that another system brings back.
    pub except: &'a [Bytes],
    /// Trees that go with the events that made them, whatever is in them by now.
    pub own: &'a [OwnTree],
}

/// A tree that an event of the set made and that, as another system knows, nobody but the recorder's own events has changed until
/// now, or until a later event of the set removed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTree {
    /// Its top.
    pub at: Bytes,
    /// The event that made it.
    pub made_by: EventId,
    /// That event removed another tree there first.
    pub replaces: bool,
    /// The event that removed it.
    pub removed_by: Option<EventId>,
}

impl OwnTree {
    /// The event made it or worked in it.
    pub fn is_of(&self, event: EventId) -> bool {
        self.made_by <= event && self.removed_by.is_none_or(|end| event < end)
    }

    /// The path is its top or lies below it.
    pub fn holds(&self, path: &[u8]) -> bool {
        is_below(path, &self.at)
    }
}

/// The path is `top` or lies below it.
fn is_below(path: &[u8], top: &Bytes) -> bool {
    let top = top.as_slice().strip_suffix(b"/").unwrap_or(top.as_slice());
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// The path is one of these or lies below one, or there are none: everything is meant.
pub fn is_meant(path: &[u8], within: &[Bytes]) -> bool {
    within.is_empty() || within.iter().any(|top| is_below(path, top))
}

impl NetCx<'_> {
    /// Whether something at this path is meant, and no other system brings it back.
    pub fn wants(&self, path: &[u8]) -> bool {
        self.is_meant(path) && !self.except.iter().any(|own| own.as_slice() == path)
    }

    /// Whether something at this path is meant.
    pub fn is_meant(&self, path: &[u8]) -> bool {
        is_meant(path, self.within)
    }
}

/// The net effect of several events on one system.
#[derive(Default)]
pub struct Net {
    /// For each place that is written: `before` is what taking all events back leaves there, `after` is the present. Only
    /// what differs between the two is written, and only while the present is so.
    pub captured: Vec<Captured>,
    /// Conflicts, and what was not captured: one step for each target.
    pub steps: Vec<Step>,
    /// What does not come back, in words for people.
    pub residue: Vec<String>,
}

/// [`super::System::plan`] of one system.
pub type Planned<'a> = dyn Fn(&Captured, &StateRef, &PlanCx<'_>) -> Result<Vec<Step>> + 'a;

/// A place whose states are only known as wholes.
struct Place {
    /// The capture whose state is brought about.
    capture: Capture,
    present: StateRef,
    value: StateRef,
    /// Where events cannot be taken back, and whether a later one had changed the place by then.
    stuck: (bool, Vec<Step>),
}

/// The net effect where states are only known as wholes: place by place.
pub fn by_place(planned: &Planned<'_>, taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
    let mut net = Net::default();
    let mut places: BTreeMap<(Bytes, BTreeMap<String, Bytes>), Place> = BTreeMap::new();
    for Taken { event, captured } in taken {
        let Locator { at, opts, .. } = captured.before.locator.clone();
        // The file that such a system owns (a database) is the place itself.
        if !cx.is_meant(at.as_slice()) {
            continue;
        }
        let before = &captured.before;
        let key = (at, opts);
        if !places.contains_key(&key) {
            let present = (cx.observe)(before, captured.after)?;
            places.insert(
                key.clone(),
                Place { capture: before.clone(), present, value: present, stuck: (false, Vec::new()) },
            );
        }
        let Some(place) = places.get_mut(&key) else { continue };
        let is = |state: &StateRef| captured.after.is_some_and(|after| after.digest == state.digest);
        if is(&before.state) {
            continue;
        }
        let moved = place.value.digest != place.present.digest;
        if place.value.digest == before.state.digest {
            // Back already, by an undo that ended in part or by somebody: then no later event is in the way.
            if captured.after.is_some() && !place.stuck.0 {
                let open = |step: &Step| {
                    matches!(step.verdict, StepVerdict::NotCaptured { .. } | StepVerdict::OnRequest { .. })
                };
                place.stuck.1.retain(open);
            }
            continue;
        }
        if is(&place.value) {
            (place.capture, place.value) = (before.clone(), before.state);
            continue;
        }
        let plan = PlanCx { source: cx.source, run: Run::First, event: *event, except: cx.except };
        place.stuck.0 |= moved;
        place.stuck.1.extend(planned(captured, &place.value, &plan)?);
    }
    for Place { capture, present, value, stuck } in places.into_values() {
        net.steps.extend(stuck.1);
        if present.digest == value.digest {
            continue;
        }
        net.captured.push(Captured { before: Capture { state: value, ..capture }, after: Some(present) });
    }
    Ok(net)
}
