//! How it went over time: the measurements that were kept, and what the journal tells of each month by itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::history::is_kept;
use super::practice::percentile;
use super::scene::{effects, is_refused};
use crate::error::Result;
use crate::journal::index::{Filter, Index};
use crate::model::{ActorKind, Confidence, DrillOutcome, EventKind, Outcome};
use crate::platform::home::Home;
use crate::respond::{incident, report};

/// A measurement that was kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// When, nanoseconds since 1970.
    pub at_ns: i64,
    /// The event.
    pub event: u64,
    /// The level.
    pub level: u8,
    /// Its name.
    pub name: String,
    /// Criteria met.
    pub met: u64,
    /// Of how many.
    pub of: u64,
    /// The table of criteria: levels of two tables are not the same thing.
    pub table: String,
}

/// A month of the record (UTC).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Month {
    /// `2026-11`
    pub month: String,
    /// Commands.
    pub commands: u64,
    /// Those of agents.
    pub agent_commands: u64,
    /// Those whose actor is known: agents and CI with high confidence, people with medium.
    pub attributed: u64,
    /// Events that destroy, overwrite or weaken.
    pub destructive: u64,
    /// Those with all of it kept.
    pub kept: u64,
    /// Commands lost in gaps.
    pub lost: u64,
    /// Undos that ran.
    pub undos: u64,
    /// Those that took everything back.
    pub whole_undos: u64,
    /// The time that nineteen of twenty of them took at most, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_p95_ms: Option<u64>,
    /// Rehearsals that passed.
    pub drills_passed: u64,
    /// Rehearsals that failed.
    pub drills_failed: u64,
    /// Alarms.
    pub alarms: u64,
    /// Orders of containment.
    pub contained: u64,
    /// Incidents that were opened.
    pub incidents: u64,
    /// From the first damage until the first sign on record that it was noticed.
    pub detect: Mean,
    /// From that sign until agents were held.
    pub contain: Mean,
    /// From the first damage until all was back.
    pub recover: Mean,
}

/// A mean time, of the incidents of which it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mean {
    /// Milliseconds; nothing where it is known of none.
    pub mean_ms: Option<u64>,
    /// Of so many.
    pub known: u64,
}

impl Mean {
    fn of(all: &[i64]) -> Mean {
        let sum: i64 = all.iter().map(|ns| (ns / 1_000_000).max(0)).sum();
        let known = all.len() as u64;
        Mean { mean_ms: u64::try_from(sum).ok().and_then(|sum| sum.checked_div(known)), known }
    }
}

/// The times of a month's incidents, nanoseconds.
#[derive(Default)]
struct Times {
    opened: u64,
    detect: Vec<i64>,
    contain: Vec<i64>,
    recover: Vec<i64>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// Kept measurements, the oldest first.
    pub points: Vec<Point>,
    /// Months with something on record, the oldest first.
    pub months: Vec<Month>,
}

/// What the record tells of its past.
///
/// # Errors
/// Where the index cannot be read.
pub fn trend(index: &Index, home: &Home, since_ns: Option<i64>) -> Result<Trend> {
    let mut months: BTreeMap<String, (Month, Vec<u64>)> = BTreeMap::new();
    let filter = Filter { since_ns, limit: usize::MAX, ..Filter::default() };
    for event in index.legible(&filter, |_, _| Ok(()))? {
        if event.before.parent.is_some() {
            continue;
        }
        let (month, times) = entry(&mut months, event.before.at_ns);
        match &event.before.kind {
            EventKind::Command if !is_refused(&event) => command(month, &event),
            EventKind::Undo(_) => {
                let Some(Outcome::Exited { code: code @ (0 | 1 | 3) }) = event.outcome() else { continue };
                month.undos += 1;
                month.whole_undos += u64::from(code == 0);
                times.extend(event.after.as_ref().and_then(|after| after.duration_ms));
            }
            EventKind::Drill { drilled } => {
                let with = |outcome| drilled.iter().filter(|one| one.outcome == outcome).count() as u64;
                month.drills_passed += with(DrillOutcome::Passed);
                month.drills_failed += with(DrillOutcome::Failed);
            }
            EventKind::Alarm { .. } => month.alarms += 1,
            EventKind::Contain { .. } => month.contained += 1,
            _ => {}
        }
    }
    for gap in index.gaps(usize::MAX)?.iter().filter(|gap| since_ns.is_none_or(|since| gap.at_ns >= since)) {
        entry(&mut months, gap.at_ns).0.lost += gap.count.max(1);
    }
    for (month, times) in responses(index, home, since_ns)? {
        let month = &mut named(&mut months, month).0;
        month.incidents = times.opened;
        (month.detect, month.contain) = (Mean::of(&times.detect), Mean::of(&times.contain));
        month.recover = Mean::of(&times.recover);
    }
    let mut points = Vec::new();
    for event in index.measurements()?.into_iter().rev() {
        let EventKind::Maturity { stood } = event.before.kind else { continue };
        let at_ns = event.before.at_ns;
        if since_ns.is_none_or(|since| at_ns >= since) {
            let (name, table) = (stood.name, stood.table);
            points.push(Point {
                at_ns,
                event: event.id.0,
                level: stood.level,
                name,
                met: stood.met,
                of: stood.of,
                table,
            });
        }
    }
    let months = months.into_values().map(|(month, mut times)| {
        times.sort_unstable();
        Month { undo_p95_ms: times.last().map(|_| percentile(&times, 95)), ..month }
    });
    Ok(Trend { points, months: months.collect() })
}

/// How people responded, by the month in which an incident was opened; the moments are those of its report.
fn responses(index: &Index, home: &Home, since_ns: Option<i64>) -> Result<BTreeMap<String, Times>> {
    let mut months: BTreeMap<String, Times> = BTreeMap::new();
    for opened in incident::list(index)? {
        if since_ns.is_some_and(|since| opened.opened_ns < since) {
            continue;
        }
        let times = months.entry(month_of(opened.opened_ns)).or_default();
        times.opened += 1;
        // One damaged frame must not hide the other incidents: of this one no time is known then.
        let Ok(moments) =
            incident::load(index, opened.id).and_then(|case| report::moments(&case, index, home))
        else {
            continue;
        };
        let between = |from: &Option<report::Moment>, until: &Option<report::Moment>| {
            from.as_ref().zip(until.as_ref()).map(|(from, until)| until.at_ns - from.at_ns)
        };
        times.detect.extend(between(&moments.damage, &moments.noticed));
        times.contain.extend(between(&moments.noticed, &moments.contained));
        times.recover.extend(between(&moments.damage, &moments.recovered));
    }
    Ok(months)
}

fn month_of(at_ns: i64) -> String {
    DateTime::<Utc>::from_timestamp_nanos(at_ns).format("%Y-%m").to_string()
}

fn entry(months: &mut BTreeMap<String, (Month, Vec<u64>)>, at_ns: i64) -> &mut (Month, Vec<u64>) {
    named(months, month_of(at_ns))
}

fn named(months: &mut BTreeMap<String, (Month, Vec<u64>)>, name: String) -> &mut (Month, Vec<u64>) {
    months.entry(name.clone()).or_insert_with(|| (Month { month: name, ..Month::default() }, Vec::new()))
}

fn command(month: &mut Month, event: &crate::journal::index::Event) {
    month.commands += 1;
    let actor = &event.before.actor;
    if actor.kind == ActorKind::Agent {
        month.agent_commands += 1;
    }
    let enough = if actor.kind == ActorKind::Human { Confidence::Medium } else { Confidence::High };
    month.attributed += u64::from(actor.confidence >= enough);
    let mut systems: Vec<_> =
        effects(event).filter(|e| e.class.is_destructive()).map(|e| &e.system).collect();
    systems.dedup();
    if !systems.is_empty() {
        month.destructive += 1;
        month.kept += u64::from(systems.iter().all(|system| is_kept(event, system)));
    }
}
