//! Incidents and playbooks, as the journal tells of them.

use super::measures::{Measured, Reading};
use super::practice::percentile;
use super::scene::{Scene, few};
use crate::error::Result;
use crate::journal::index::{Event, Index};
use crate::model::{ActorKind, EventId, EventKind, IncidentChange, IncidentMark, PlaybookMoment};
use crate::respond::{incident, report};

const MINUTE_NS: i64 = 60_000_000_000;
const DAY_NS: i64 = 24 * 60 * MINUTE_NS;
/// How long after its end nobody expects an incident to be closed.
const OPEN_NS: i64 = 5 * DAY_NS;

/// An incident that was opened in the time that is looked at.
struct Opened<'s> {
    event: &'s Event,
    title: &'s str,
    closed: bool,
}

fn opened<'s>(scene: &'s Scene<'_>) -> Vec<Opened<'s>> {
    let marks = |event: &'s Event| match &event.before.kind {
        EventKind::Incident { incident } => Some((event, incident)),
        _ => None,
    };
    let all: Vec<(&Event, &IncidentMark)> = scene.record.events.iter().filter_map(marks).collect();
    let is_closed = |id: EventId| {
        let closes = |mark: &IncidentMark| matches!(mark.change, IncidentChange::Closed { .. });
        all.iter().any(|(_, mark)| mark.of == Some(id) && closes(mark))
    };
    let one = |(event, mark): &(&'s Event, &'s IncidentMark)| match &mark.change {
        IncidentChange::Opened { title, .. } => {
            Some(Opened { event, title: title.as_str(), closed: is_closed(event.id) })
        }
        _ => None,
    };
    all.iter().filter_map(one).collect()
}

/// How many playbooks people ran to their end.
pub fn exercised(scene: &Scene<'_>) -> Measured {
    let (mut finished, mut broken) = (Vec::new(), Vec::new());
    for event in &scene.record.events {
        let EventKind::Playbook { mark } = &event.before.kind else { continue };
        match mark.moment {
            PlaybookMoment::Finished => finished.push(format!("{} (event {})", mark.playbook, event.id)),
            PlaybookMoment::BrokenOff => broken.push(format!("{} (event {})", mark.playbook, event.id)),
            _ => {}
        }
    }
    let measured = Measured::of(Reading::Number(finished.len() as f64));
    let measured = match finished.is_empty() {
        true => measured.with(format!("none was run to its end {}", scene.wanted.time())),
        false => measured.with(few(&finished)),
    };
    if broken.is_empty() { measured } else { measured.with(format!("broken off: {}", few(&broken))) }
}

/// How long it took from the opening of an incident until agents were held: the slowest of nine in ten.
pub fn contain_time(scene: &Scene<'_>) -> Measured {
    let incidents = opened(scene);
    if incidents.is_empty() {
        return Measured::of(Reading::Nothing(format!("no incident was opened {}", scene.wanted.time())));
    }
    let orders: Vec<i64> = scene
        .record
        .events
        .iter()
        .filter(|event| matches!(event.before.kind, EventKind::Contain { .. }))
        .map(|event| event.before.at_ns)
        .collect();
    let (mut times, mut never, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for incident in &incidents {
        let opened = incident.event.before.at_ns;
        // Who contains first and writes down afterwards is fast, not late.
        let near = orders.iter().filter(|at| **at >= opened - 60 * MINUTE_NS && **at <= opened + DAY_NS);
        match near.min() {
            Some(at) => {
                let took = u64::try_from((at - opened).max(0) / 1_000_000_000).unwrap_or(0);
                told.push(format!("{} \"{}\" after {took} s", incident.event.id, incident.title));
                times.push(took);
            }
            None => never.push(format!("{} \"{}\"", incident.event.id, incident.title)),
        }
    }
    if !never.is_empty() {
        let what = format!("no agent was held within a day of incident {}", few(&never));
        return with_few(Measured::unknown(what), &told);
    }
    times.sort_unstable();
    let minutes = (percentile(&times, 90) as f64 / 6.0).round() / 10.0;
    Measured::of(Reading::Number(minutes)).with(format!("held: {}", few(&told)))
}

/// How long it took from the first damage until all was back, by the same moments as in the report of each incident: the slowest of
/// nine in ten.
pub fn recover_time(scene: &Scene<'_>) -> Measured {
    match recoveries(scene) {
        Ok(measured) => measured,
        Err(error) => Measured::unknown(format!("the journal cannot be read: {}", error.what)),
    }
}

fn recoveries(scene: &Scene<'_>) -> Result<Measured> {
    let old = |one: &Opened<'_>| scene.wanted.now_ns - one.event.before.at_ns > OPEN_NS;
    let due: Vec<Opened<'_>> = opened(scene).into_iter().filter(|one| one.closed || old(one)).collect();
    let nothing = |what: &str| Ok(Measured::of(Reading::Nothing(format!("{what} {}", scene.wanted.time()))));
    if due.is_empty() {
        return nothing("no incident is over");
    }
    let index = Index::open(scene.home)?;
    let (mut times, mut never, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for one in &due {
        let name = format!("{} \"{}\"", one.event.id, one.title);
        let case = incident::load(&index, one.event.id)?;
        let moments = report::moments(&case, &index, scene.home)?;
        match (moments.damage, moments.recovered) {
            (None, _) => {}
            (Some(_), None) => never.push(name),
            (Some(damage), Some(recovered)) => {
                let took =
                    u64::try_from((recovered.at_ns - damage.at_ns).max(0) / 1_000_000_000).unwrap_or(0);
                told.push(format!("{name} after {took} s"));
                times.push(took);
            }
        }
    }
    if let Some(first) = never.first() {
        let id = first.split(' ').next().unwrap_or_default().to_owned();
        let what = format!("not all that it hit is back: incident {}", few(&never));
        return Ok(with_few(Measured::unknown(what), &told).next(format!("fr incident report {id}")));
    }
    if times.is_empty() {
        return nothing("no incident that is over damaged anything");
    }
    times.sort_unstable();
    let minutes = (percentile(&times, 90) as f64 / 6.0).round() / 10.0;
    Ok(Measured::of(Reading::Number(minutes)).with(format!("all back: {}", few(&told))))
}

fn with_few(measured: Measured, told: &[String]) -> Measured {
    if told.is_empty() { measured } else { measured.with(few(told)) }
}

/// Incidents that were brought to an end.
pub fn closed(scene: &Scene<'_>) -> Measured {
    let old = |one: &Opened<'_>| scene.wanted.now_ns - one.event.before.at_ns > OPEN_NS;
    let due: Vec<Opened<'_>> = opened(scene).into_iter().filter(|one| one.closed || old(one)).collect();
    let open: Vec<String> = due
        .iter()
        .filter(|one| !one.closed)
        .map(|one| format!("{} \"{}\"", one.event.id, one.title))
        .collect();
    let measured = Measured::share(due.len() - open.len(), due.len(), "no incident is due to be closed");
    match open.is_empty() {
        true => measured,
        false => measured.with(format!("open for more than five days: {}", few(&open))),
    }
}

/// How many orders of containment people gave.
pub fn contained(scene: &Scene<'_>) -> Measured {
    let ordered: Vec<String> = scene
        .record
        .events
        .iter()
        .filter(|event| matches!(event.before.kind, EventKind::Contain { .. }))
        .filter(|event| event.before.actor.kind == ActorKind::Human)
        .map(|event| format!("event {} by {}", event.id, event.before.actor.name))
        .collect();
    let measured = Measured::of(Reading::Number(ordered.len() as f64));
    match ordered.is_empty() {
        true => measured.with(format!("nobody did {}", scene.wanted.time())),
        false => measured.with(few(&ordered)),
    }
}
