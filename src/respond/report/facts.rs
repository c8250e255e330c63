//! The sentences of the report that follow from the record: what it is about, how it was noticed, what was done, what is not
//! known, and what somebody needs who checks it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Report;
use super::metrics::{Moments, is_alarm, moments};
use crate::error::Result;
use crate::journal::index::{Chain, Event, Index};
use crate::model::{EventId, EventKind, Outcome, Severity};
use crate::respond::incident::{Case, Words, count, ended_ns, moment, span, utc};

/// Which incident.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// Its number.
    pub id: EventId,
    /// What it is called.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who decides.
    pub commander: String,
    /// `open` or `closed`.
    pub status: &'static str,
    /// When it was opened, RFC 3339 in UTC.
    pub opened: String,
    /// By whom.
    pub opened_by: String,
    /// When it was closed.
    pub closed: Option<String>,
    /// How it ended.
    pub outcome: Vec<String>,
    /// When the first of its commands began.
    pub first: Option<String>,
    /// When the last word about it was said.
    pub last: String,
    /// Who ran its commands.
    pub actors: Vec<String>,
    /// In which sessions.
    pub sessions: Vec<String>,
    /// How many commands it is about.
    pub commands: u64,
    /// gc keeps what its events need.
    pub locked: bool,
}

/// A kind of secret that was left out, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Redaction {
    /// The rule that found it.
    pub rule: String,
    /// How many marks of it stand in this report.
    pub marks: u64,
}

/// For those who check it.
#[derive(Clone, Debug, Serialize)]
pub struct Appendix {
    /// The stretch of the journal that the report is made from; nothing where it holds no event.
    pub chain: Option<Chain>,
    /// The `fr` that made it.
    pub version: &'static str,
    /// What was left out as a secret.
    pub redactions: Vec<Redaction>,
}

pub(super) fn head(case: &Case, words: &Words) -> Head {
    let incident = &case.incident;
    let mut actors: Vec<String> =
        case.events.iter().map(|event| words.line(&event.before.actor.name)).collect();
    let mut sessions: Vec<String> =
        case.events.iter().map(|event| words.line(&event.before.session)).collect();
    for list in [&mut actors, &mut sessions] {
        list.sort();
        list.dedup();
    }
    let all = || case.events.iter().chain(&case.response).chain(&case.marks);
    Head {
        id: incident.id,
        title: words.line(&incident.title),
        severity: incident.severity,
        commander: words.line(&incident.commander),
        status: if incident.closed.is_some() { "closed" } else { "open" },
        opened: utc(incident.opened_ns),
        opened_by: words.line(&incident.opened_by),
        closed: incident.closed.as_ref().map(|closed| utc(closed.at_ns)),
        outcome: incident.closed.as_ref().map(|closed| words.lines(&closed.outcome)).unwrap_or_default(),
        first: case.events.first().map(|event| utc(event.before.at_ns)),
        last: utc(all().map(ended_ns).max().unwrap_or(incident.opened_ns)),
        actors,
        sessions,
        commands: case.events.len() as u64,
        locked: incident.locked,
    }
}

/// What happened, in at most five sentences.
pub(super) fn summary(case: &Case, report: &Report, words: &Words) -> Vec<String> {
    let Moments { damage, contained, recovered, .. } = moments(case, &report.recovery);
    let mut said = Vec::new();
    let who = report.incident.actors.join(", ");
    match (&damage, case.events.first()) {
        (Some(damage), _) => {
            let first = damage.event.and_then(|id| case.events.iter().find(|event| event.id == id));
            let line =
                first.map(|event| words.line(event.before.command.line.as_slice())).unwrap_or_default();
            said.push(format!("At {} UTC {who} began to do damage: {line}.", moment(damage.at_ns)));
        }
        (None, Some(_)) => said.push(format!(
            "{who} ran {}; none destroyed anything.",
            count(report.incident.commands, "command")
        )),
        (None, None) => said.push("No command on record belongs to this incident.".to_owned()),
    }
    if !report.hit.is_empty() {
        let marked = report.hit.iter().filter(|hit| hit.production.is_some()).count();
        let production = if marked > 0 { format!(", {marked} of them production") } else { String::new() };
        let back = report.recovery.iter().filter(|row| row.restored.is_back()).count();
        let hit = count(report.hit.len() as u64, "thing");
        said.push(format!("{hit} hit{production}; {back} of them back."));
    }
    said.push(match (&contained, &damage) {
        (Some(contained), Some(damage)) => {
            format!("Contained {} after the first damage.", span(contained.at_ns - damage.at_ns))
        }
        (Some(contained), None) => format!("Contained at {} UTC.", moment(contained.at_ns)),
        (None, _) => "No containment is on record.".to_owned(),
    });
    if let (Some(recovered), Some(damage)) = (&recovered, &damage) {
        said.push(format!(
            "All of it was back {} after the first damage.",
            span(recovered.at_ns - damage.at_ns)
        ));
    }
    said
}

/// From what the moment of detection is known.
fn how_known(moments: &Moments) -> String {
    let only = "it is only known from an alarm, a containment or the opening of an incident";
    match (&moments.damage, &moments.noticed) {
        (None, _) => "No command on record damaged anything, so there is no time to detect.".to_owned(),
        (Some(_), None) => format!("When the damage was noticed is not known: {only}, and none came after it."),
        (Some(_), Some(noticed)) if is_alarm(noticed) => {
            "The time to detect is the time until the recorder's alarm; when a person noticed is not on record.".to_owned()
        }
        (Some(_), Some(noticed)) => format!(
            "When somebody noticed is not known; {only}. The time to detect counts until event {} ({}), and is the most that it can have been.",
            noticed.event.map(|id| id.to_string()).unwrap_or_default(),
            noticed.what
        ),
    }
}

/// How it was noticed.
pub(super) fn detection(case: &Case, moments: &Moments, words: &Words) -> Vec<String> {
    let of = |event: &Event| match &event.before.kind {
        EventKind::Alarm { alarm } => {
            let why = match &alarm.production {
                Some(place) => format!("it was about to destroy production ({place})"),
                None => format!("{} in {} s", count(alarm.commands, "destructive command"), alarm.seconds),
            };
            let at = moment(event.before.at_ns);
            Some(words.line(format!(
                "{at} event {}: the recorder raised an alarm: {why}; it answered with {}",
                event.id, alarm.reaction
            )))
        }
        _ => None,
    };
    let mut said: Vec<String> = case.response.iter().filter_map(of).collect();
    if said.is_empty() {
        said.push("The recorder raised no alarm.".to_owned());
    }
    // What containment refused afterwards is no sign of anything.
    let contained = case.response.iter().find(|event| matches!(event.before.kind, EventKind::Contain { .. }));
    let before = |event: &&Event| contained.is_none_or(|contained| event.id < contained.id);
    let asked =
        case.events.iter().filter(|event| event.before.verdict.is_some()).filter(before).count() as u64;
    if asked > 0 {
        said.push(format!("Answered with ask or deny before it ran: {}.", count(asked, "command")));
    }
    let incident = &case.incident;
    let at = moment(incident.opened_ns);
    said.push(words.line(format!("{at} event {}: {} opened the incident.", incident.id, incident.opened_by)));
    said.push(how_known(moments));
    said
}

/// What was done about it.
pub(super) fn response(case: &Case, words: &Words) -> Vec<String> {
    let of = |event: &Event| {
        let said = match &event.before.kind {
            EventKind::Contain { containment } => {
                let stopped = containment.stopped.len() as u64;
                let left = containment.left.len() as u64;
                let more = if left > 0 { format!(", {left} not") } else { String::new() };
                let whose = containment.order.whose.denied();
                format!(
                    "{} contained: no command of {whose} runs; {} stopped{more}",
                    event.before.actor.name,
                    count(stopped, "process").replace("processs", "processes")
                )
            }
            EventKind::Release { release } => {
                format!("{} released {}", event.before.actor.name, release.whose.join(", "))
            }
            EventKind::Undo(reversal) => {
                let of: Vec<String> = reversal.of.iter().map(ToString::to_string).collect();
                let ended = match event.outcome() {
                    Some(Outcome::Exited { code: 0 }) => "every target was read again and is as before",
                    Some(Outcome::Exited { code: 3 }) => "done in part",
                    None => "it did not end",
                    _ => "it failed",
                };
                format!("{} took back {}: {ended}", event.before.actor.name, of.join(", "))
            }
            EventKind::Redo(_) => format!("{} took an undo back", event.before.actor.name),
            EventKind::Restore { of, to } => {
                let ended = match event.outcome() {
                    Some(Outcome::Exited { code: 0 }) => "all of it is there",
                    Some(Outcome::Exited { code: 3 }) => "part of it is there",
                    None => "it did not end",
                    _ => "it failed",
                };
                let who = &event.before.actor.name;
                format!("{who} put the state before {of} beside the present, into {}: {ended}", to.lossy())
            }
            _ => return None,
        };
        Some(words.line(format!("{} event {}: {said}.", moment(event.before.at_ns), event.id)))
    };
    let mut said: Vec<String> = case.response.iter().filter_map(of).collect();
    if said.is_empty() {
        said.push("Nothing that was done about it is on record.".to_owned());
    }
    said
}

/// What the record does not know.
pub(super) fn gaps(case: &Case, words: &Words) -> Vec<String> {
    let mut said = Vec::new();
    for gap in &case.gaps {
        let detail = gap.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        let n = count(gap.count, "command");
        said.push(words.line(format!(
            "{} {n} not recorded as it should be: {}{detail}",
            moment(gap.at_ns),
            gap.reason
        )));
    }
    for event in &case.events {
        let line = words.line(event.before.command.line.as_slice());
        let mut say = |what: &str| said.push(format!("event {}: {what}: {line}", event.id));
        let changes = event.before.effects.iter().any(|effect| effect.class.changes_state());
        match event.outcome() {
            None | Some(Outcome::Unknown) if changes => {
                say("nobody reported back whether it ran, or how it ended")
            }
            Some(Outcome::Background) => say("it went on in the background, and its end was not seen"),
            _ => {}
        }
        let lines = || std::iter::once(event).chain(&event.parts);
        let captures = || lines().flat_map(|one| &one.before.captures);
        let missing: usize = captures().map(|capture| capture.missing.len()).sum();
        let refused = event.outcome() == Some(Outcome::Refused);
        let lasting = lines().flat_map(|one| &one.before.effects).any(|effect| effect.class.is_destructive());
        if lasting && captures().next().is_none() && !refused {
            say("nothing was captured before it ran");
        } else if missing > 0 {
            say(&format!("its capture is partial, {} left out", count(missing as u64, "thing")));
        }
    }
    for unseen in crate::recover::unseen(&case.events) {
        said.push(words.line(format!("not seen: {unseen}")));
    }
    said
}

pub(super) fn appendix(case: &Case, index: &Index) -> Result<Appendix> {
    let all = case.events.iter().flat_map(|event| std::iter::once(event).chain(&event.parts));
    let ids: Vec<EventId> = all.chain(&case.response).chain(&case.marks).map(|event| event.id).collect();
    Ok(Appendix { chain: index.chain(&ids)?, version: env!("CARGO_PKG_VERSION"), redactions: Vec::new() })
}

/// Which secrets were left out of it.
pub(super) fn redactions(report: &Report) -> Vec<Redaction> {
    let text = serde_json::to_string(report).unwrap_or_default();
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for after in text.split("[REDACTED:").skip(1) {
        let rule = after.split([':', ']']).next().unwrap_or_default();
        *found.entry(rule).or_default() += 1;
    }
    found.into_iter().map(|(rule, marks)| Redaction { rule: rule.to_owned(), marks }).collect()
}
