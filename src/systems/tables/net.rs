//! Several events on a database taken back as one: a row that two commands changed is written once, from what it is now to
//! what it was before the first of them. Equal to taking back one event after the other, newest first, in memory.

use std::collections::BTreeSet;

use super::composed::{self, Composed, Event};
use super::finish::STATE;
use super::{Clash, Found, State, States, steps};
use crate::error::Result;
use crate::model::{Bytes, Capture, Captured, Locator, StateRef, Step};
use crate::systems::functions::{Plan, by_place};
use crate::systems::{Net, NetCx, PlanCx, Run, Taken};

/// The net effect of events on databases. `ways`: the system knows how a policy's rows are written.
pub fn net(taken: &[Taken], cx: &NetCx<'_>, plan: Plan, ways: bool) -> Result<Net> {
    let mut net = Net::default();
    for group in groups(taken, cx)? {
        let together = match group.len() {
            1 => None,
            _ => Composed::of(&group, cx)?,
        };
        match together {
            Some(composed) => add(&mut net, composed, &group, ways, cx)?,
            None => apart(&mut net, &group, cx, plan)?,
        }
    }
    Ok(net)
}

/// The captures of each database, newest first.
fn groups(taken: &[Taken], cx: &NetCx<'_>) -> Result<Vec<Vec<Event>>> {
    let mut groups: Vec<Vec<Event>> = Vec::new();
    for one in taken.iter().filter(|one| cx.is_meant(one.captured.before.locator.at.as_slice())) {
        let before = State::load(&one.captured.before.state, cx.source)?;
        let after = one.captured.after.map(|after| State::load(&after, cx.source)).transpose()?;
        let event = Event { taken: one.clone(), before, after };
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| first.is_beside(&event))) {
            Some(group) => group.push(event),
            None => groups.push(vec![event]),
        }
    }
    Ok(groups)
}

/// What cannot be put together: place by place, in the order in which it is taken back.
fn apart(net: &mut Net, group: &[Event], cx: &NetCx<'_>, plan: Plan) -> Result<()> {
    let mut places: Vec<(&Locator, Vec<Taken>)> = Vec::new();
    for event in group {
        let place = &event.taken.captured.before.locator;
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, of)) => of.push(event.taken.clone()),
            None => places.push((place, vec![event.taken.clone()])),
        }
    }
    for (_, of) in places {
        let part = by_place(&of, cx, plan)?;
        net.captured.extend(part.captured);
        net.steps.extend(part.steps);
        net.residue.extend(part.residue);
    }
    Ok(())
}

fn add(net: &mut Net, composed: Composed, group: &[Event], ways: bool, cx: &NetCx<'_>) -> Result<()> {
    let present = composed.written.store(cx.made)?;
    for (at, event) in group.iter().enumerate() {
        net.steps.extend(in_the_way(&composed, (at, event), &present, ways, cx)?);
    }
    let value = composed.value.store(cx.made)?;
    if value.digest == present.digest {
        return Ok(());
    }
    let Some(newest) = group.first().map(|event| &event.taken.captured.before) else { return Ok(()) };
    let mut locator = newest.locator.clone();
    locator.opts.extend(value.object.map(|id| (STATE.to_owned(), Bytes::from(id.to_string()))));
    let before = Capture {
        system: newest.system.clone(),
        resource: super::finish::named(&composed.value, newest.resource.clone()),
        locator,
        items: composed.value.count(),
        bytes: 0,
        state: value,
        missing: Vec::new(),
    };
    net.captured.push(Captured { before, after: Some(present) });
    Ok(())
}

/// What of an event cannot be taken back. Where a later event of the set moved the same rows, no policy has a way.
fn in_the_way(
    composed: &Composed,
    (at, event): (usize, &Event),
    present: &StateRef,
    ways: bool,
    cx: &NetCx<'_>,
) -> Result<Vec<Step>> {
    let (mut free, mut moved) = (Vec::new(), Vec::new());
    for (name, keys) in composed.conflicts_of(at) {
        let of: &mut Vec<Clash> = if composed.has_moved(&name, &keys) { &mut moved } else { &mut free };
        of.push(Clash::rows(&name, &keys));
    }
    let lost = composed.lost.iter().filter(|(of, _, _)| *of == at);
    let lost: Vec<(String, String)> = lost.map(|(_, what, why)| (what.clone(), why.clone())).collect();
    let plan = PlanCx { source: cx.source, run: Run::First, event: event.taken.event, except: cx.except };
    let mut out = Vec::new();
    for (conflicts, with_ways, lost) in [(free, ways, lost), (moved, false, Vec::new())] {
        let (captured, states) = narrowed(event, &conflicts, composed, cx)?;
        let found = Found { said: Vec::new(), back: false, anew: false, conflicts, lost, beside: Vec::new() };
        out.extend(steps(found, &captured, (&states, present), with_ways, &plan)?);
    }
    Ok(out)
}

/// The event's capture of just these rows: what a policy writes of them is a place of its own.
fn narrowed(
    event: &Event,
    conflicts: &[Clash],
    composed: &Composed,
    cx: &NetCx<'_>,
) -> Result<(Captured, States)> {
    let only = |state: &State| -> Result<State> {
        let mut narrow = State::new(&state.system, state.server.clone(), state.access.clone());
        (narrow.databases, narrow.database_digests) =
            (state.databases.clone(), state.database_digests.clone());
        for (name, keys) in conflicts.iter().filter_map(|clash| clash.rows.as_ref()) {
            if let Some(table) = state.read.get(name) {
                let keys: BTreeSet<Vec<u8>> = keys.iter().cloned().collect();
                narrow.read.insert(name.clone(), composed::only(table, &keys, cx)?);
            }
        }
        Ok(narrow)
    };
    let before = only(&event.before)?;
    let after = event.after.as_ref().map(only).transpose()?;
    let stored = before.store(cx.made)?;
    let mut capture = event.taken.captured.before.clone();
    capture.locator.opts.extend(stored.object.map(|id| (STATE.to_owned(), Bytes::from(id.to_string()))));
    capture.state = stored;
    let left = after.as_ref().map(|after| after.store(cx.made)).transpose()?;
    Ok((Captured { before: capture, after: left }, States { before, after, now: composed.now.clone() }))
}
