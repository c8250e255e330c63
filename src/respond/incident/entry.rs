//! All that happened in an incident, in the journal's order: commands, alarms, containment, undos, what people noted and
//! decided, and what the record has no word of.

use serde::Serialize;

use super::case::{Case, ended_ns};
use super::words::{Words, count, span, utc};
use crate::journal::index::Event;
use crate::model::{
    ActorKind, Contained, EffectClass, EventId, EventKind, IncidentChange, IncidentMark, Outcome,
    PlaybookMark, PlaybookMoment, Source, SystemId,
};
use crate::record::production::Production;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A command that ran, or may have run.
    Command,
    /// A command that was not let run.
    Refused,
    /// An alarm of the recorder's.
    Alarm,
    /// Agents' commands are held.
    Contain,
    /// They run again.
    Release,
    /// Events were taken back.
    Undo,
    /// An undo was taken back.
    Redo,
    /// An old state was put beside the present.
    Restore,
    /// Something happened in a run of a playbook.
    Playbook,
    /// The incident was opened.
    Opened,
    /// It was ranked, led, called or bounded otherwise.
    Revised,
    /// Somebody noted something.
    Note,
    /// Somebody decided something.
    Decision,
    /// The incident was closed.
    Closed,
    /// Something was not recorded.
    Gap,
}

impl Kind {
    /// The word for people.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Command => "command",
            Kind::Refused => "not run",
            Kind::Alarm => "alarm",
            Kind::Contain => "contained",
            Kind::Release => "released",
            Kind::Undo => "undo",
            Kind::Redo => "redo",
            Kind::Restore => "restore",
            Kind::Playbook => "playbook",
            Kind::Opened => "opened",
            Kind::Revised => "changed",
            Kind::Note => "note",
            Kind::Decision => "decision",
            Kind::Closed => "closed",
            Kind::Gap => "gap",
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// When it began, nanoseconds since 1970.
    pub at_ns: i64,
    /// The same, RFC 3339 in UTC.
    pub at: String,
    /// When its end was told, where that is later.
    pub until_ns: Option<i64>,
    /// Its event.
    pub event: Option<EventId>,
    /// What it is.
    pub kind: Kind,
    /// Who: a name, with `agent`, `human`, `ci` or `recorder`.
    pub who: String,
    /// Who, in a word.
    pub actor: ActorKind,
    /// Where it is known from: `hook`, `shell`, `shim`, `exec`, `trace`, `recorder`.
    pub source: &'static str,
    /// The systems that it changed.
    pub systems: Vec<SystemId>,
    /// The worst that it did.
    pub class: Option<EffectClass>,
    /// It concerned what is marked as production.
    pub production: bool,
    /// How it ended, in words.
    pub outcome: String,
    /// What it was, in lines, without secrets.
    pub text: Vec<String>,
    /// What is wrong with the record of it, in words.
    pub remarks: Vec<String>,
}

/// All entries, and how many commands that changed nothing were left out. With `all` none are.
pub fn entries(case: &Case, words: &Words, production: &Production, all: bool) -> (Vec<Entry>, u64) {
    let is_worth = |event: &&Event| all || is_telling(event);
    let commands = case.events.iter().filter(is_worth).map(|event| command(event, words, production));
    let others = case.response.iter().filter_map(|event| response(event, words));
    let marks = case.marks.iter().filter_map(|event| mark(event, words));
    let mut entries: Vec<Entry> = commands.chain(others).chain(marks).collect();
    let left_out = case.events.len() - entries.iter().filter(|e| is_command(e)).count();
    entries.sort_by_key(|entry| entry.event);
    for gap in &case.gaps {
        let at = entries.iter().position(|entry| entry.at_ns > gap.at_ns).unwrap_or(entries.len());
        let detail = gap.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        let text = format!("{}{detail}; {}", gap.reason, count(gap.count, "command"));
        entries.insert(at, Entry { text: vec![words.line(text)], ..blank(Kind::Gap, gap.at_ns) });
    }
    (entries, left_out as u64)
}

fn is_command(entry: &Entry) -> bool {
    matches!(entry.kind, Kind::Command | Kind::Refused)
}

/// It changed something, or was not let run, or may have.
fn is_telling(event: &Event) -> bool {
    let lines = || std::iter::once(event).chain(&event.parts);
    lines().any(|one| one.before.effects.iter().any(|effect| effect.class.changes_state()))
        || event.outcome() == Some(Outcome::Refused)
        || event.before.verdict.is_some()
}

fn blank(kind: Kind, at_ns: i64) -> Entry {
    Entry {
        at_ns,
        at: utc(at_ns),
        until_ns: None,
        event: None,
        kind,
        who: "fr (recorder)".to_owned(),
        actor: ActorKind::Recorder,
        source: "recorder",
        systems: Vec::new(),
        class: None,
        production: false,
        outcome: String::new(),
        text: Vec::new(),
        remarks: Vec::new(),
    }
}

fn of_event(kind: Kind, event: &Event, words: &Words) -> Entry {
    let actor = &event.before.actor;
    let what = match actor.kind {
        ActorKind::Human => "person",
        ActorKind::Agent => "agent",
        ActorKind::Ci => "CI",
        ActorKind::Recorder => "recorder",
    };
    let ended = ended_ns(event);
    Entry {
        until_ns: (ended > event.before.at_ns).then_some(ended),
        event: Some(event.id),
        who: format!("{} ({what})", words.line(&actor.name)),
        actor: actor.kind,
        source: match event.before.source {
            Source::Hook => "hook",
            Source::Exec => "exec",
            Source::Shell => "shell",
            Source::Shim => "shim",
            Source::Trace => "trace",
            Source::Recorder => "recorder",
        },
        ..blank(kind, event.before.at_ns)
    }
}

fn command(event: &Event, words: &Words, production: &Production) -> Entry {
    let lines = || std::iter::once(event).chain(&event.parts);
    let effects =
        || lines().flat_map(|one| &one.before.effects).filter(|effect| effect.class.changes_state());
    let mut systems: Vec<SystemId> = effects().map(|effect| effect.system.clone()).collect();
    systems.sort();
    systems.dedup();
    let refused = event.outcome() == Some(Outcome::Refused);
    let kind = if refused { Kind::Refused } else { Kind::Command };
    let is_marked =
        lines().any(|one| {
            let captures = &one.before.captures;
            one.before.effects.iter().any(|effect| {
                effect.class.changes_state() && production.of_effect(effect, captures).is_some()
            }) || captures.iter().any(|c| production.find(&c.system, &c.resource, Some(&c.locator)).is_some())
        });
    Entry {
        systems,
        class: effects().map(|effect| effect.class).max(),
        production: is_marked,
        outcome: outcome(event),
        text: vec![words.line(event.before.command.line.as_slice())],
        remarks: remarks(event, words),
        ..of_event(kind, event, words)
    }
}

fn outcome(event: &Event) -> String {
    let ended = match event.outcome() {
        None => "never reported back".to_owned(),
        Some(Outcome::Exited { code }) => format!("exit {code}"),
        Some(Outcome::Signalled { signal }) => format!("signal {signal}"),
        Some(Outcome::Succeeded) => "ok".to_owned(),
        Some(Outcome::Failed) => "failed".to_owned(),
        Some(Outcome::Ended) => "ended".to_owned(),
        Some(Outcome::Background) => "in the background".to_owned(),
        Some(Outcome::Refused) => "not run".to_owned(),
        Some(Outcome::Unknown) => "end not known".to_owned(),
    };
    match event.undone_by {
        Some(undo) if event.undone_in_part => format!("{ended}, undone in part by {undo}"),
        Some(undo) => format!("{ended}, undone by {undo}"),
        None => ended,
    }
}

/// What the record lacks of it.
fn remarks(event: &Event, words: &Words) -> Vec<String> {
    let lines = || std::iter::once(event).chain(&event.parts);
    let mut remarks: Vec<String> = Vec::new();
    let reason = event.before.verdict.as_ref().and_then(|verdict| verdict.reason());
    remarks.extend(reason.map(|reason| words.line(format!("answered: {reason}"))));
    remarks.extend(lines().flat_map(|one| &one.before.warnings).map(words_of(words)));
    let missing: usize =
        lines().flat_map(|one| &one.before.captures).map(|capture| capture.missing.len()).sum();
    remarks.extend(
        (missing > 0).then(|| format!("the capture is partial: {} left out", count(missing as u64, "thing"))),
    );
    remarks.dedup();
    remarks
}

fn words_of(words: &Words) -> impl Fn(&String) -> String {
    move |text| words.line(text)
}

fn response(event: &Event, words: &Words) -> Option<Entry> {
    let list = |ids: &[EventId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let (kind, text) = match &event.before.kind {
        EventKind::Undo(reversal) => (Kind::Undo, format!("undo of {}", list(&reversal.of))),
        EventKind::Redo(reversal) => (Kind::Redo, format!("took back the undo {}", list(&reversal.of))),
        EventKind::Restore { of, to } => {
            (Kind::Restore, format!("put the state before {of} beside the present, into {}", to.lossy()))
        }
        EventKind::Contain { containment } => (Kind::Contain, contained(containment)),
        EventKind::Release { release } => (Kind::Release, format!("released: {}", release.whose.join(", "))),
        EventKind::Alarm { alarm } => (
            Kind::Alarm,
            match &alarm.production {
                Some(place) => format!("{} destroys production: {place}", alarm.agent),
                None => format!(
                    "{} ran {} in {} s",
                    alarm.agent,
                    count(alarm.commands, "destructive command"),
                    alarm.seconds
                ),
            },
        ),
        EventKind::Playbook { mark } => (Kind::Playbook, playbook(mark)?),
        _ => return None,
    };
    let outcome = match (&event.before.kind, event.outcome()) {
        (EventKind::Undo(_) | EventKind::Redo(_), Some(Outcome::Exited { code: 0 })) => "verified".to_owned(),
        (EventKind::Undo(_) | EventKind::Redo(_), Some(Outcome::Exited { code: 3 })) => {
            "done in part".to_owned()
        }
        (EventKind::Undo(_) | EventKind::Redo(_), None) => "did not end".to_owned(),
        (EventKind::Restore { .. }, None) => "did not end".to_owned(),
        (EventKind::Undo(_) | EventKind::Redo(_) | EventKind::Restore { .. }, _) => outcome(event),
        _ => String::new(),
    };
    let took = event.after.as_ref().and_then(|after| after.duration_ms).filter(|_| kind == Kind::Undo);
    let took = took.and_then(|ms| i64::try_from(ms).ok()).map(|ms| format!(" in {}", span(ms * 1_000_000)));
    let outcome = format!("{outcome}{}", took.unwrap_or_default());
    let left: Vec<String> = match &event.before.kind {
        EventKind::Contain { containment } => {
            containment.left.iter().map(|left| words.line(format!("not stopped: {left}"))).collect()
        }
        EventKind::Playbook { mark } => {
            let evidence = mark.evidence.iter().flat_map(|text| short(words.lines(text)));
            mark.note.iter().map(|note| words.line(note)).chain(evidence).collect()
        }
        _ => event.steps.iter().filter_map(|step| step.note.as_ref()).map(words_of(words)).collect(),
    };
    Some(Entry { text: vec![words.line(text)], outcome, remarks: left, ..of_event(kind, event, words) })
}

/// The first lines of what a step found; `fr show` has all that is on record of it.
fn short(mut lines: Vec<String>) -> Vec<String> {
    const LINES: usize = 4;
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    lines.extend((more > 0).then(|| format!("… {} more", count(more as u64, "line"))));
    lines
}

/// What happened in a run; that a step is about to begin is said when it has ended.
fn playbook(mark: &PlaybookMark) -> Option<String> {
    let what = match mark.moment {
        PlaybookMoment::StepBegun => return None,
        PlaybookMoment::Started => "began",
        PlaybookMoment::Resumed => "gone on with",
        PlaybookMoment::StepDone => "done",
        PlaybookMoment::StepFailed => "failed",
        PlaybookMoment::StepSkipped => "does not apply",
        PlaybookMoment::StepRefused => "refused",
        PlaybookMoment::StepTakenBack => "taken back",
        PlaybookMoment::Waiting => "waits for a person",
        PlaybookMoment::Finished => "finished",
        PlaybookMoment::BrokenOff => "broken off",
    };
    let step = mark.step.as_ref();
    let step =
        step.map(|step| format!(", step {} ({}, {})", step.id, step.phase.as_str(), step.kind.as_str()));
    let by = mark.confirmed_by.as_ref().map(|name| format!(", agreed to by {name}"));
    let event = mark.event.map(|event| format!(", event {event}"));
    let parts = [step, Some(format!(": {what}")), by, event].into_iter().flatten().collect::<String>();
    Some(format!("{}{parts}", mark.playbook))
}

fn contained(containment: &Contained) -> String {
    let why = if containment.order.reason.is_empty() { "" } else { ": " };
    let stopped = match containment.stopped.len() {
        0 => String::new(),
        1 => "; 1 process stopped".to_owned(),
        n => format!("; {n} processes stopped"),
    };
    format!(
        "no command of {} runs{why}{}{stopped}",
        containment.order.whose.denied(),
        containment.order.reason
    )
}

fn mark(event: &Event, words: &Words) -> Option<Entry> {
    let EventKind::Incident { incident: IncidentMark { change, .. } } = &event.before.kind else {
        return None;
    };
    let list = |ids: &[EventId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let (kind, text) = match change {
        IncidentChange::Opened { title, severity, commander, .. } => {
            (Kind::Opened, format!("{title} ({}, commander {commander})", severity.as_str()))
        }
        IncidentChange::Scoped { added, sessions, removed } => {
            let of = |what: &str, list: String| (!list.is_empty()).then(|| format!("{what} {list}"));
            let parts = [
                of("added", list(added)),
                of("added session", sessions.join(", ")),
                of("left out", list(removed)),
            ];
            (Kind::Revised, parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
        }
        IncidentChange::Revised { title, severity, commander } => {
            let parts = [
                title.as_ref().map(|title| format!("called {title}")),
                severity.map(|severity| format!("now {}", severity.as_str())),
                commander.as_ref().map(|name| format!("commander {name}")),
            ];
            (Kind::Revised, parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
        }
        IncidentChange::Note { text, decision } => {
            (if *decision { Kind::Decision } else { Kind::Note }, text.clone())
        }
        IncidentChange::Closed { outcome } => (Kind::Closed, outcome.clone()),
        IncidentChange::Locked { locked: true } => (Kind::Revised, "locked against gc".to_owned()),
        IncidentChange::Locked { locked: false } => (Kind::Revised, "no longer locked against gc".to_owned()),
    };
    Some(Entry { text: words.lines(&text), until_ns: None, ..of_event(kind, event, words) })
}
