//! Verifying everything.

use std::collections::HashMap;

use serde::Serialize;

use super::packs::PackCheck;
use super::{Finding, Severity};
use crate::error::Result;
use crate::journal::Journal;
use crate::journal::index::Index;
use crate::journal::verify::objects_of;
use crate::model::{EventId, ObjectId, Record};
use crate::platform::home::Home;
use crate::store::pack::name;
use crate::store::{Store, condemned, format, gc};

/// What reading everything showed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Packs read.
    pub packs: u64,
    /// Objects with a whole copy.
    pub objects: u64,
    /// Whole frames of the journal.
    pub frames: u64,
    /// Events that name at least one object.
    pub captured_events: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What was found, worst first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The worst of the findings.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|f| f.severity).max()
    }

    /// True where nothing acknowledged is damaged.
    pub fn is_sound(&self) -> bool {
        self.worst().is_none_or(|w| w < Severity::Repairable)
    }
}

/// Reads every byte of journal and packs and checks the index against them. Errors are for what could not be read at
/// all; everything found wrong is in the report. `progress` is told the bytes read so far.
pub fn verify(store: &Store, progress: &dyn Fn(u64)) -> Result<Report> {
    let home = store.home();
    let mut report = Report::default();
    let format_file = home.format_file();
    if !std::fs::read(&format_file).is_ok_and(|text| format::is_intact(&text)) {
        let what = "the format file is not as it was written";
        report.findings.push(Finding::new(Severity::Damaged, &format_file, 0, what));
    }
    if let Err(e) = condemned::read(&home.packs()) {
        report.findings.push(Finding::new(Severity::Damaged, &condemned::path(&home.packs()), 0, e.what));
    }

    let mut users: HashMap<ObjectId, Vec<EventId>> = HashMap::new();
    let journal = Journal::open(home)?;
    let (mut times, mut latest_ns) = (HashMap::new(), i64::MIN);
    let mut calls: HashMap<(String, Option<String>), EventId> = HashMap::new();
    let checked = journal.check(|frame| {
        let event = match &frame.record {
            Record::After(after) if frame.event.0 == 0 => {
                let key = (after.session.clone(), after.call.clone());
                calls.get(&key).copied().unwrap_or(EventId(0))
            }
            _ => frame.event,
        };
        let named = objects_of(&frame.record);
        latest_ns = latest_ns.max(frame.time_ns);
        if let Record::Before(before) = &frame.record
            && !named.is_empty()
        {
            calls.insert((before.session.clone(), before.call.clone()), event);
            report.captured_events += 1;
            times.insert(event, latest_ns);
        }
        for id in named {
            users.entry(id).or_default().push(event);
        }
    })?;
    report.frames = checked.frames;
    report.bytes = checked.bytes;
    report.findings.extend(checked.findings);
    progress(report.bytes);

    let mut packs = PackCheck::default();
    for name in name::list(&home.packs())? {
        packs.pack(&name.path(&home.packs()))?;
        report.packs += 1;
        progress(report.bytes + packs.bytes);
    }
    report.bytes += packs.bytes;
    report.objects = packs.whole.len() as u64;
    for finding in &mut packs.findings {
        name_victims(finding, &packs.whole, &users);
    }
    report.findings.extend(packs.findings);
    report.findings.extend(missing(home, &packs.whole, &users, &times));
    report.findings.extend(Index::check(home));
    report.findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
    Ok(report)
}

type Whole = crate::store::catalog::ById<u32>;

fn name_victims(finding: &mut Finding, whole: &Whole, users: &HashMap<ObjectId, Vec<EventId>>) {
    finding.objects.retain(|id| !whole.contains_key(id));
    finding.objects.sort_unstable();
    finding.objects.dedup();
    let events = finding.objects.iter().filter_map(|id| users.get(id)).flatten();
    finding.events.extend(events);
    finding.events.sort_unstable();
    finding.events.dedup();
}

/// Objects that events name and no pack holds: damage, unless all their events are older than what gc has kept.
fn missing(
    home: &Home,
    whole: &Whole,
    users: &HashMap<ObjectId, Vec<EventId>>,
    times: &HashMap<EventId, i64>,
) -> Option<Finding> {
    let horizon = gc::horizon(&home.packs());
    let expired = |event: &EventId| times.get(event).is_some_and(|ns| *ns < horizon);
    let lost =
        |(id, events): &(&ObjectId, &Vec<EventId>)| !whole.contains_key(*id) && !events.iter().all(expired);
    let lost: HashMap<_, _> = users.iter().filter(lost).collect();
    let what = format!("{} objects that events name are in no pack", lost.len());
    let mut finding = Finding::new(Severity::Damaged, &home.packs(), 0, what);
    finding.events = lost.values().flat_map(|events| events.iter().copied()).collect();
    finding.events.sort_unstable();
    finding.events.dedup();
    finding.objects = lost.into_keys().copied().collect();
    finding.objects.sort_unstable();
    (!finding.objects.is_empty()).then_some(finding)
}
