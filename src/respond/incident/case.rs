//! All that the record has of one incident.

use std::collections::BTreeMap;

use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::{Alarm, Contained, Covered, EventId, EventKind, Gap, Incident, Released, Uid, Whose};

/// How many gaps are looked through.
const GAPS: usize = 10_000;

/// One incident with its events.
#[derive(Clone, Debug)]
pub struct Case {
    /// How it stands.
    pub incident: Incident,
    /// What was done about it with `fr incident`, oldest first.
    pub marks: Vec<Event>,
    /// The commands that it is about, oldest first, their parts within them.
    pub events: Vec<Event>,
    /// Alarms, containment, undos and the like that belong to it, oldest first.
    pub response: Vec<Event>,
    /// What the record has no word of, in its time.
    pub gaps: Vec<Gap>,
}

/// All incidents, newest first.
pub fn list(index: &Index) -> Result<Vec<Incident>> {
    Ok(all(&index.doings()?))
}

fn all(doings: &[Event]) -> Vec<Incident> {
    let mut incidents = Incident::all(doings.iter().map(|event| (event.id, &event.before)));
    incidents.reverse();
    incidents
}

/// The incident of that number. Without one: the one that is open, else the one opened last.
///
/// # Errors
/// Usage, where there is none, or several are open and none was named.
pub fn find(index: &Index, id: Option<u64>) -> Result<Incident> {
    let mut all = list(index)?;
    let Some(id) = id else {
        let open: Vec<String> =
            all.iter().filter(|one| one.closed.is_none()).map(|one| one.id.to_string()).collect();
        let at = match open.len() {
            0 => 0,
            1 => all.iter().position(|one| one.closed.is_none()).unwrap_or(0),
            n => {
                let what = format!("{n} incidents are open: {}", open.join(", "));
                return Err(Error::new(ExitCode::Usage, what).hint("say which: `fr incident show 12`"));
            }
        };
        let none =
            || Error::new(ExitCode::Usage, "there is no incident").hint("`fr incident open` opens one");
        return if at < all.len() { Ok(all.remove(at)) } else { Err(none()) };
    };
    all.into_iter().find(|one| one.id.0 == id).ok_or_else(|| {
        Error::new(ExitCode::Usage, format!("there is no incident {id}"))
            .hint("`fr incident list` lists them")
    })
}

/// The incident with all its events.
///
/// # Errors
/// Where there is none of that number, or the record cannot be read.
pub fn load(index: &Index, id: EventId) -> Result<Case> {
    let doings = index.doings()?;
    let unknown = || Error::new(ExitCode::Usage, format!("there is no incident {id}"));
    let incident = all(&doings).into_iter().find(|one| one.id == id).ok_or_else(unknown)?;
    let events = commands(index, &incident)?;
    let is_mark = |event: &&Event| match &event.before.kind {
        EventKind::Incident { incident } => incident.of.unwrap_or(event.id) == id,
        _ => false,
    };
    let marks: Vec<Event> = doings.iter().filter(is_mark).cloned().collect();
    let response = response(&doings, &events, &incident);
    let last = marks.iter().chain(&response).chain(&events).map(ended_ns).max().unwrap_or(incident.opened_ns);
    let first = events.first().map_or(incident.opened_ns, |event| event.before.at_ns.min(incident.opened_ns));
    let mut gaps = index.gaps_since(Some(first), GAPS)?;
    gaps.retain(|gap| (first..=last).contains(&gap.at_ns));
    gaps.reverse();
    Ok(Case { incident, marks, events, response, gaps })
}

/// When the last word of an event was said.
pub fn ended_ns(event: &Event) -> i64 {
    event.after.as_ref().map_or(event.before.at_ns, |after| after.at_ns)
}

/// The commands that its scope covers.
pub fn commands(index: &Index, incident: &Incident) -> Result<Vec<Event>> {
    let scope = &incident.scope;
    let all = Filter { until_ns: scope.until_ns, limit: usize::MAX, ..Filter::default() };
    let mut found: BTreeMap<EventId, Event> = BTreeMap::new();
    let mut take = |events: Vec<Event>| found.extend(events.into_iter().map(|event| (event.id, event)));
    for session in &scope.sessions {
        take(index.timeline(&Filter { session: Some(session.clone()), ..all.clone() })?);
    }
    if scope.since_ns.is_some() {
        let actor = Some("agent".to_owned());
        take(index.timeline(&Filter { since_ns: scope.since_ns, actor, ..all.clone() })?);
    }
    for id in &scope.events {
        take(index.event(*id)?.into_iter().collect());
    }
    let mut events: Vec<Event> = found.into_values().collect();
    events.retain(|event| {
        event.before.kind == EventKind::Command
            && event.before.parent.is_none()
            && scope.covers(Covered::of(event.id, &event.before))
    });
    Ok(events)
}

/// What was done about the commands: by the recorder, by people, by a playbook.
fn response(doings: &[Event], events: &[Event], incident: &Incident) -> Vec<Event> {
    let Some(first) = events.first() else { return Vec::new() };
    let since = first.before.at_ns;
    let until = incident.scope.until_ns.unwrap_or(i64::MAX);
    let lines = events.iter().flat_map(|event| std::iter::once(event).chain(&event.parts));
    let mut taken_back: Vec<EventId> = lines.map(|event| event.id).collect();
    let mut orders: Vec<Uid> = Vec::new();
    let mut found = Vec::new();
    for event in doings {
        let in_time = (since..=until).contains(&event.before.at_ns);
        let belongs = match &event.before.kind {
            EventKind::Undo(of) | EventKind::Redo(of) => {
                let belongs = of.of.iter().any(|id| taken_back.contains(id));
                taken_back.extend(belongs.then_some(event.id));
                belongs
            }
            EventKind::Restore { of, .. } => {
                let belongs = taken_back.contains(of);
                taken_back.extend(belongs.then_some(event.id));
                belongs
            }
            EventKind::Contain { containment } => {
                let belongs = in_time && is_about(containment, events);
                orders.extend(belongs.then_some(containment.order.order));
                belongs
            }
            EventKind::Release { release: Released { orders: ended, .. } } => {
                ended.iter().any(|order| orders.contains(order))
            }
            EventKind::Alarm { alarm: Alarm { of, .. } } => {
                in_time && events.iter().any(|event| event.before.session == *of)
            }
            EventKind::Playbook { mark } => {
                mark.incident == Some(incident.id) || mark.about.iter().any(|id| taken_back.contains(id))
            }
            _ => false,
        };
        found.extend(belongs.then(|| event.clone()));
    }
    found
}

fn is_about(containment: &Contained, events: &[Event]) -> bool {
    match &containment.order.whose {
        Whose::All => true,
        Whose::Session { session } => events.iter().any(|event| event.before.session == *session),
        Whose::Agent { agent } => events.iter().any(|event| event.before.actor.name == *agent),
    }
}
