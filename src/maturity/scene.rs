//! What there is to look at: the record of the time that is wanted, the settings, this machine, and what systems answered.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::criteria::Table;
use super::safety;
use crate::doctor;
use crate::error::Result;
use crate::intake::install::World;
use crate::journal::index::{Event, Filter, Index, SessionSummary};
use crate::model::{ActorKind, Capture, Effect, EventKind, Gap, Outcome};
use crate::platform::home::Home;
use crate::record::Config;
use crate::systems::Safeguard;

/// How long the systems together may take to answer. Each is asked at the same time as the others.
const PATIENCE: Duration = Duration::from_secs(25);
/// How many gaps are looked through.
const GAPS: usize = 100_000;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Now, nanoseconds since 1970.
    pub now_ns: i64,
    /// Since when the record counts.
    pub since_ns: i64,
    /// Only this system; no level then.
    pub system: Option<String>,
    /// A person asks: their own credentials may be compared with the agents'.
    pub person: bool,
}

impl Wanted {
    /// `in the last 90 days`.
    pub fn time(&self) -> String {
        let days = (self.now_ns - self.since_ns) / 86_400_000_000_000;
        match days {
            ..=1 => "in the last day".to_owned(),
            days => format!("in the last {days} days"),
        }
    }
}

/// All that measures look at.
pub struct Scene<'a> {
    /// What is wanted.
    pub wanted: &'a Wanted,
    /// The criteria.
    pub table: &'a Table,
    /// The store's home.
    pub home: &'a Home,
    /// This machine.
    pub world: &'a World,
    /// What `fr doctor` sees.
    pub doctor: doctor::Report,
    /// The settings.
    pub config: Result<Config>,
    /// What the journal tells.
    pub record: Past,
    /// What systems answered.
    pub safeguards: Vec<Safeguard>,
}

/// What the journal tells of the time that is wanted.
#[derive(Default)]
pub struct Past {
    /// Lines with their parts, newest first.
    pub events: Vec<Event>,
    /// How many events could not be read.
    pub damaged: u64,
    /// The gaps in that time.
    pub gaps: Vec<Gap>,
    /// Where sessions began.
    pub sessions: BTreeMap<String, SessionSummary>,
    /// Measurements that were kept, newest first, of all times.
    pub measurements: Vec<Event>,
    /// Why the journal cannot be read.
    pub unreadable: Option<String>,
}

impl<'a> Scene<'a> {
    /// Looks at everything. What cannot be read is said by the measures that need it.
    pub fn look(home: &'a Home, world: &'a World, table: &'a Table, wanted: &'a Wanted) -> Scene<'a> {
        let record = Past::read(home, wanted);
        let until = Instant::now() + PATIENCE;
        // Both wait for other programs more than they work.
        let (doctor, safeguards) = std::thread::scope(|scope| {
            let doctor = scope.spawn(|| doctor::examine(world));
            let safeguards = safety::ask(&record, world, wanted, until);
            (doctor.join().ok(), safeguards)
        });
        let doctor = doctor.unwrap_or_else(|| doctor::examine(world));
        Scene { wanted, table, home, world, doctor, config: Config::load(home), record, safeguards }
    }

    /// Commands that ran, or may have.
    pub fn commands(&self) -> impl Iterator<Item = &Event> {
        self.record.commands()
    }

    /// Those of agents.
    pub fn by_agents(&self) -> impl Iterator<Item = &Event> {
        self.commands().filter(|event| event.before.actor.kind == ActorKind::Agent)
    }

    /// An effect is of the system that is wanted.
    pub fn is_wanted(&self, effect: &Effect) -> bool {
        self.wanted.system.as_ref().is_none_or(|system| *system == effect.system.0)
    }

    /// The record can tell what agents do: without any command of theirs nothing follows from it.
    pub fn has_agents(&self) -> bool {
        self.by_agents().next().is_some()
    }
}

impl Past {
    fn read(home: &Home, wanted: &Wanted) -> Past {
        if !home.exists() {
            return Past::default();
        }
        let mut past = Past::default();
        if let Err(error) = past.fill(home, wanted) {
            past.unreadable = Some(error.what);
        }
        past
    }

    fn fill(&mut self, home: &Home, wanted: &Wanted) -> Result<()> {
        crate::store::Store::open(home)?;
        let index = Index::open(home)?;
        let filter = Filter { since_ns: Some(wanted.since_ns), limit: usize::MAX, ..Filter::default() };
        let damaged = &mut self.damaged;
        self.events = index.legible(&filter, |_, _| {
            *damaged += 1;
            Ok(())
        })?;
        // Parts come with their lines.
        self.events.retain(|event| event.before.parent.is_none());
        self.gaps = index.gaps_since(Some(wanted.since_ns), GAPS)?;
        self.sessions = index.sessions()?.into_iter().map(|s| (s.session.clone(), s)).collect();
        self.measurements = index.measurements()?;
        Ok(())
    }

    /// Commands that ran, or may have.
    pub fn commands(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.before.kind == EventKind::Command && !is_refused(event))
    }
}

/// It never ran.
pub fn is_refused(event: &Event) -> bool {
    event.after.as_ref().is_some_and(|after| after.outcome == Outcome::Refused)
}

/// What a line and its parts do.
pub fn effects(event: &Event) -> impl Iterator<Item = &Effect> {
    std::iter::once(event).chain(&event.parts).flat_map(|one| &one.before.effects)
}

/// What was stored before a line and its parts ran.
pub fn captures(event: &Event) -> impl Iterator<Item = &Capture> {
    std::iter::once(event).chain(&event.parts).flat_map(|one| &one.before.captures)
}

/// `12 (rm -rf build)`: an event in evidence.
pub fn named(event: &Event) -> String {
    const MOST: usize = 60;
    let line = event.before.command.line.lossy().replace(['\n', '\r', '\t'], " ");
    let short: String = line.chars().take(MOST).collect();
    let more = if short.len() < line.len() { "…" } else { "" };
    format!("{} ({short}{more})", event.id)
}

/// The first few, and how many more.
pub fn few(names: &[String]) -> String {
    const NAMED: usize = 5;
    let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
