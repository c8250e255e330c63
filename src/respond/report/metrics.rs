//! Numbers, each with the two moments that it is made of. Where one of them is not on record the number is unknown; nothing is
//! guessed. The moments: the first damage (T0), the first sign that somebody or something noticed (Td), containment (Tc), the
//! end of the undo after which all was back (Tr).

use std::collections::BTreeMap;

use serde::Serialize;

use super::recovery::{Row, is_ended_undo};
use crate::journal::index::Event;
use crate::model::{EventId, EventKind, IncidentChange, Outcome};
use crate::respond::blast::Recovered;
use crate::respond::incident::{Case, count, ended_ns, span, utc};

/// A moment, and what it is known from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// What happened then.
    pub what: String,
    /// Nanoseconds since 1970.
    pub at_ns: i64,
    /// The same, RFC 3339 in UTC.
    pub at: String,
    /// The event that says so.
    pub event: Option<EventId>,
}

/// What the recorder's own sign is called.
const ALARM: &str = "alarm of the recorder";

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metric {
    /// Its name for programs.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// Its value for people; `unknown` where a moment is missing.
    pub value: String,
    /// Its value for programs: milliseconds, a count, or a part of 1; `null` where it is unknown.
    pub number: Option<f64>,
    /// `ms`, `commands`, `undos` or `ratio`.
    pub unit: &'static str,
    /// From when.
    pub from: Option<Moment>,
    /// Until when.
    pub until: Option<Moment>,
    /// What it is made of, or why it is unknown.
    pub note: String,
}

/// The moments of an incident.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    /// T0: the first command that destroyed or replaced something, or removed a safety net.
    pub damage: Option<Moment>,
    /// Td: the first alarm, containment or opening.
    pub noticed: Option<Moment>,
    /// Tc: the first containment after the damage.
    pub contained: Option<Moment>,
    /// Tr: the end of the last undo, where all that was hit is back.
    pub recovered: Option<Moment>,
}

impl Moment {
    fn of(what: impl Into<String>, at_ns: i64, event: EventId) -> Moment {
        Moment { what: what.into(), at_ns, at: utc(at_ns), event: Some(event) }
    }
}

/// Finds them in the record.
pub fn moments(case: &Case, rows: &[Row]) -> Moments {
    let damage = case.events.iter().find(|event| ran(event) && damages(event));
    let damage = damage.map(|event| Moment::of("first damage", event.before.at_ns, event.id));
    let since = damage.as_ref().map_or(i64::MIN, |moment| moment.at_ns);
    let told = case.response.iter().chain(&case.marks).filter(|event| event.before.at_ns >= since);
    let noticed = told.filter_map(|event| Some((sign(event)?, event)));
    let noticed = noticed.min_by_key(|(_, event)| (event.before.at_ns, event.id));
    let contained = case
        .response
        .iter()
        .find(|event| matches!(event.before.kind, EventKind::Contain { .. }) && event.before.at_ns >= since);
    let undos = || case.response.iter().filter(|event| is_ended_undo(event));
    let all_back = !rows.is_empty() && rows.iter().all(|row| row.restored.is_back());
    let used = |event: &&Event| rows.iter().any(|row| row.evidence == Some(event.id));
    let last = undos().filter(used).max_by_key(|event| ended_ns(event)).filter(|_| all_back);
    Moments {
        damage,
        noticed: noticed.map(|(what, event)| Moment::of(what, event.before.at_ns, event.id)),
        contained: contained.map(|event| Moment::of("contained", event.before.at_ns, event.id)),
        recovered: last.map(|event| Moment::of("the last undo was verified", ended_ns(event), event.id)),
    }
}

/// What shows that it was noticed.
fn sign(event: &Event) -> Option<&'static str> {
    match &event.before.kind {
        EventKind::Alarm { .. } => Some(ALARM),
        EventKind::Contain { .. } => Some("contained"),
        EventKind::Incident { incident } => {
            matches!(incident.change, IncidentChange::Opened { .. }).then_some("incident opened")
        }
        _ => None,
    }
}

/// The recorder itself noticed.
pub(super) fn is_alarm(moment: &Moment) -> bool {
    moment.what == ALARM
}

fn ran(event: &Event) -> bool {
    event.outcome() != Some(Outcome::Refused)
}

/// It, or a part of it, destroyed or replaced something or removed a safety net.
fn damages(event: &Event) -> bool {
    let lines = std::iter::once(event).chain(&event.parts);
    lines.flat_map(|one| &one.before.effects).any(|effect| effect.class.is_destructive())
}

/// All numbers.
pub fn metrics(case: &Case, rows: &[Row]) -> Vec<Metric> {
    let moments = moments(case, rows);
    let Moments { damage, noticed, contained, recovered } = &moments;
    let not_back = rows.iter().filter(|row| !row.restored.is_back()).count() as u64;
    let open = match (rows.is_empty(), not_back) {
        (true, _) => "nothing was hit".to_owned(),
        (false, n) => format!("{} of {} not back", n, count(rows.len() as u64, "thing")),
    };
    let no_order = "no containment is on record after the first damage";
    let mut all = vec![
        time(
            "time-to-detect",
            "Time to detect",
            damage,
            noticed,
            "not on record: no alarm, no containment, and it was opened before the damage",
        ),
        time("time-to-contain", "Time to contain", noticed, contained, no_order),
        time("damage-to-containment", "First damage to containment", damage, contained, no_order),
        time("time-to-recover", "Time to recover", damage, recovered, &open),
        meanwhile(case, damage.as_ref(), contained.as_ref()),
        afterwards(case, contained.as_ref()),
    ];
    all.extend(rates(rows));
    all.push(window(rows));
    all.extend(undos(case));
    all.push(coverage(case));
    all
}

fn time(name: &str, label: &str, from: &Option<Moment>, until: &Option<Moment>, missing: &str) -> Metric {
    let between = from.as_ref().zip(until.as_ref()).map(|(from, until)| until.at_ns - from.at_ns);
    let note = match (from, until) {
        (None, _) => "no command on record damaged anything".to_owned(),
        (_, None) => missing.to_owned(),
        (Some(_), Some(until)) if name == "time-to-detect" && !is_alarm(until) => {
            format!("until {}: who noticed before and said nothing is not on record", until.what)
        }
        (Some(from), Some(until)) if from.event == until.event => {
            "its containment is the first sign on record that it was noticed".to_owned()
        }
        (Some(from), Some(until)) => format!("from {} to {}", from.what, until.what),
    };
    Metric {
        name: name.to_owned(),
        label: label.to_owned(),
        value: between.map_or_else(|| "unknown".to_owned(), span),
        number: between.map(|ns| (ns / 1_000_000) as f64),
        unit: "ms",
        from: from.clone(),
        until: until.clone(),
        note,
    }
}

fn counted(name: &str, label: &str, n: Option<u64>, one: &str, unit: &'static str, note: String) -> Metric {
    Metric {
        name: name.to_owned(),
        label: label.to_owned(),
        value: n.map_or_else(|| "unknown".to_owned(), |n| count(n, one)),
        number: n.map(|n| n as f64),
        unit,
        from: None,
        until: None,
        note,
    }
}

/// Commands that ran between the first damage and containment, that one included.
fn meanwhile(case: &Case, damage: Option<&Moment>, contained: Option<&Moment>) -> Metric {
    let n = damage.zip(contained).map(|(from, until)| {
        // The journal's order, never the clock's.
        let within =
            |event: &&Event| ran(event) && Some(event.id) >= from.event && Some(event.id) < until.event;
        case.events.iter().filter(within).count() as u64
    });
    let note = match n {
        Some(_) => "that ran, the first damage included".to_owned(),
        None => "not contained, or nothing damaged".to_owned(),
    };
    let mut metric = counted(
        "commands-before-containment",
        "Commands from damage to containment",
        n,
        "command",
        "commands",
        note,
    );
    (metric.from, metric.until) = (damage.cloned(), contained.cloned());
    metric
}

/// Those that ran although they were held; after the release they may.
fn afterwards(case: &Case, contained: Option<&Moment>) -> Metric {
    let after = |id: EventId| contained.is_some_and(|moment| Some(id) > moment.event);
    let is_release = |event: &&Event| matches!(event.before.kind, EventKind::Release { .. });
    let released = case.response.iter().filter(is_release).map(|event| event.id).find(|id| after(*id));
    let since = |event: &&Event| after(event.id) && released.is_none_or(|released| event.id < released);
    let (refused, ran): (Vec<&Event>, Vec<&Event>) =
        case.events.iter().filter(since).partition(|event| !ran(event));
    let n = contained.map(|_| ran.len() as u64);
    let note = match contained {
        Some(_) => format!("{} more not let run", refused.len()),
        None => "not contained".to_owned(),
    };
    let mut metric =
        counted("commands-after-containment", "Commands after containment", n, "command", "commands", note);
    metric.from = contained.cloned();
    metric
}

/// Restored of lost, by what was done.
fn rates(rows: &[Row]) -> Vec<Metric> {
    let mut by_class: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let (back, all) = by_class.entry(row.class).or_default();
        *back += u64::from(row.restored.is_back());
        *all += 1;
    }
    let partial = rows.iter().filter(|row| row.restored == Recovered::Partial).count();
    let (back, all) = by_class.values().fold((0, 0), |(b, a), (back, all)| (b + back, a + all));
    let note =
        if partial > 0 { format!("{partial} more in part") } else { "things that are back whole".to_owned() };
    let mut metrics = vec![rate("recovery-rate", "Recovery rate", back, all, note)];
    if by_class.len() > 1 {
        metrics.extend(by_class.iter().map(|(class, (back, all))| {
            rate(
                &format!("recovery-rate-{class}"),
                &format!("Recovery rate of {class}"),
                *back,
                *all,
                String::new(),
            )
        }));
    }
    metrics
}

fn rate(name: &str, label: &str, part: u64, all: u64, note: String) -> Metric {
    let percent = (all > 0).then(|| part * 100 / all);
    let value =
        percent.map_or_else(|| "unknown".to_owned(), |percent| format!("{part} of {all} ({percent} %)"));
    let number = (all > 0).then(|| part as f64 / all as f64);
    let note = if all == 0 { "nothing to count".to_owned() } else { note };
    Metric { value, number, unit: "ratio", ..counted(name, label, None, "", "ratio", note) }
}

/// The longest time before a loss whose writes did not come back with the thing.
fn window(rows: &[Row]) -> Metric {
    let back: Vec<&Row> = rows.iter().filter(|row| row.restored.is_back()).collect();
    let unknown = back.iter().filter(|row| row.data_loss.window_ms.is_none()).count() as u64;
    let longest = back.iter().filter_map(|row| row.data_loss.window_ms).max();
    let back = back.len();
    let (ms, note) = match (longest, unknown) {
        (_, 1..) => {
            (None, format!("not known of {unknown} of the {back} that are back: see the recovery table"))
        }
        (Some(ms), 0) => {
            (Some(ms), format!("what came back is at most so much older than the loss; {back} are back"))
        }
        (None, 0) => (None, "nothing is back whole".to_owned()),
    };
    Metric {
        value: ms.map_or_else(|| "unknown".to_owned(), |ms| span(ms * 1_000_000)),
        number: ms.map(|ms| ms as f64),
        ..counted("data-loss-window", "Data-loss window, the longest", None, "", "ms", note)
    }
}

/// How long undos took: the median and the slowest of twenty.
fn undos(case: &Case) -> Vec<Metric> {
    let ended: Vec<&Event> = case.response.iter().filter(|event| is_ended_undo(event)).collect();
    let mut took: Vec<u64> =
        ended.iter().filter_map(|event| event.after.as_ref().and_then(|after| after.duration_ms)).collect();
    took.sort_unstable();
    let at = |percent: usize| took.get((took.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    let note = match took.len() {
        0 => "nothing was undone".to_owned(),
        n => format!("of {}", count(n as u64, "undo")),
    };
    let metric = |name: &str, label: &str, ms: Option<u64>| Metric {
        value: ms.map_or_else(|| "unknown".to_owned(), |ms| span(i64::try_from(ms).unwrap_or(0) * 1_000_000)),
        number: ms.map(|ms| ms as f64),
        ..counted(name, label, None, "", "ms", note.clone())
    };
    vec![
        metric("undo-duration-p50", "Undo duration, median", at(50)),
        metric("undo-duration-p95", "Undo duration, 95th percentile", at(95)),
    ]
}

/// Destructive commands whose targets were captured completely, of all that ran.
fn coverage(case: &Case) -> Metric {
    let destructive: Vec<&Event> = case.events.iter().filter(|event| ran(event) && damages(event)).collect();
    let lines =
        |event: &'_ Event| std::iter::once(event.clone()).chain(event.parts.clone()).collect::<Vec<_>>();
    let is_complete = |event: &&&Event| {
        let lines = lines(event);
        let mut captures = lines.iter().flat_map(|one| &one.before.captures).peekable();
        captures.peek().is_some()
            && captures.all(|capture| capture.is_complete())
            && lines.iter().all(|one| one.before.warnings.is_empty())
    };
    let complete = destructive.iter().filter(is_complete).count() as u64;
    let note = "destructive commands whose targets were all kept beforehand".to_owned();
    rate("capture-coverage", "Capture coverage", complete, destructive.len() as u64, note)
}
