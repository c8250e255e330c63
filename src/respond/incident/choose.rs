//! What a new incident is about: what was asked for, or what is most likely meant.

use super::case::commands;
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::{EventId, EventKind, Incident, Scope, Severity};
use crate::record::production::Production;
use crate::respond::blast::{self, Outlook, Radius};

/// What a person named. Nothing means the agent's session that destroyed something last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Sessions, by the beginnings of their ids; an empty one is the agent's that changed something last.
    pub sessions: Vec<String>,
    /// All that agents did since.
    pub since_ns: Option<i64>,
    /// And until.
    pub until_ns: Option<i64>,
    /// Events: `42`, `38..42`, a prefix of a global id.
    pub events: Vec<String>,
}

/// What an incident would be about, before it is opened.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Which commands.
    pub scope: Scope,
    /// What they did; nothing where they changed nothing.
    pub radius: Option<Radius>,
    /// How bad that is, from what was hit.
    pub severity: Severity,
    /// What it could be called.
    pub title: String,
}

/// Finds out what is meant, and what that did.
///
/// # Errors
/// Usage, where what was named is not there; nothing to undo, where nothing was named and nothing is there.
pub fn propose(index: &Index, wanted: &Wanted, production: &Production) -> Result<Proposal> {
    let scope = scope(index, wanted)?;
    let events = commands(index, &Incident::sketch(scope.clone()))?;
    if events.is_empty() {
        return Err(Error::new(ExitCode::NothingToUndo, "no command on record is meant by that")
            .hint("`fr timeline` lists what was recorded"));
    }
    let session = match scope.sessions.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let radius = blast::radius_of(index, events.clone(), session, wanted.until_ns, production).ok();
    let (severity, title) = (severity(radius.as_ref()), title(&events, radius.as_ref()));
    Ok(Proposal { scope, radius, severity, title })
}

fn scope(index: &Index, wanted: &Wanted) -> Result<Scope> {
    let Wanted { sessions, since_ns, until_ns, events } = wanted;
    let mut scope = Scope { since_ns: *since_ns, until_ns: *until_ns, ..Scope::default() };
    for session in sessions {
        let session = if session.is_empty() { latest(index)? } else { blast::named(index, session)? };
        scope.change(&[], &[session], &[]);
    }
    scope.change(&events_of(index, events)?, &[], &[]);
    if sessions.is_empty() && events.is_empty() && since_ns.is_none() {
        scope.change(&[], &[latest(index)?], &[]);
    }
    Ok(scope)
}

/// The agent's session that destroyed something last, else the one that changed something last.
fn latest(index: &Index) -> Result<String> {
    let agents: Vec<_> = index.sessions()?.into_iter().filter(|s| s.actor_kind == "agent").collect();
    let by = |count: fn(&crate::journal::index::SessionSummary) -> u64| agents.iter().find(|s| count(s) > 0);
    let found = by(|s| s.destructive).or_else(|| by(|s| s.changes)).map(|s| s.session.clone());
    found.ok_or_else(|| {
        Error::new(
            ExitCode::NothingToUndo,
            "no agent has changed anything, so it is not clear what this is about",
        )
        .hint(
            "name it: `fr incident open --since 2h`, or `--event 42`; `fr timeline` lists what was recorded",
        )
    })
}

/// The commands that these words name. A part is taken for its line.
///
/// # Errors
/// Usage, where a word names none.
pub fn events_of(index: &Index, words: &[String]) -> Result<Vec<EventId>> {
    let mut found = Vec::new();
    for word in words {
        match range(word) {
            Some((first, last)) => {
                let filter = Filter {
                    after: Some(first.saturating_sub(1)),
                    before: Some(last.saturating_add(1)),
                    limit: usize::MAX,
                    ..Filter::default()
                };
                let mut events = index.timeline(&filter)?;
                events
                    .retain(|event| event.before.kind == EventKind::Command && event.before.parent.is_none());
                if events.is_empty() {
                    return Err(Error::new(
                        ExitCode::Usage,
                        format!("there is no command from {first} to {last}"),
                    )
                    .hint("`fr timeline` lists them"));
                }
                found.extend(events.iter().rev().map(|event| event.id));
            }
            None => {
                let event = index.find(word)?;
                if event.before.kind != EventKind::Command {
                    let what =
                        format!("event {} is no command: it belongs to an incident by itself", event.id);
                    return Err(Error::new(ExitCode::Usage, what).hint("name the commands that it is about"));
                }
                found.push(event.before.parent.unwrap_or(event.id));
            }
        }
    }
    Ok(found)
}

/// `38..42`.
fn range(word: &str) -> Option<(u64, u64)> {
    let (first, last) = word.split_once("..")?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

fn severity(radius: Option<&Radius>) -> Severity {
    let Some(radius) = radius else { return Severity::Sev4 };
    let items = || radius.items.iter().filter(|item| item.comes_back != Outlook::Back);
    let is_production = || items().filter(|item| item.production.is_some());
    match () {
        () if is_production().any(|item| item.comes_back.is_loss()) => Severity::Sev1,
        () if is_production().next().is_some() => Severity::Sev2,
        () if items().any(|item| item.class.is_destructive() || item.comes_back.is_loss()) => Severity::Sev3,
        () => Severity::Sev4,
    }
}

/// `claude: destroy and overwrite in git, fs`.
fn title(events: &[Event], radius: Option<&Radius>) -> String {
    let mut actors: Vec<&str> = events.iter().map(|event| event.before.actor.name.as_str()).collect();
    actors.sort_unstable();
    actors.dedup();
    let who = actors.join(", ");
    let Some(radius) = radius else { return format!("{who}: nothing was changed") };
    let worst = radius.items.iter().map(|item| item.class).max();
    let mut systems: Vec<String> = radius.items.iter().map(|item| item.system.to_string()).collect();
    systems.sort_unstable();
    systems.dedup();
    let place = match radius.items.iter().find_map(|item| item.production.as_ref()) {
        Some(found) => format!(" (production: {})", found.place()),
        None => String::new(),
    };
    let worst = worst.map_or("changes", |class| class.as_str());
    format!("{who}: {worst} in {}{place}", systems.join(", "))
}
