//! What changes an incident: open, add, set, note, close, lock.

use std::io::Read;

use super::show;
use crate::cli::args::{IncidentAction, IncidentScope};
use crate::cli::render::{safe, style, when};
use crate::cli::{Out, usage};
use crate::error::{Error, Result};
use crate::intake;
use crate::journal::index::Index;
use crate::model::{Actor, ActorKind, EventId, Incident, IncidentChange};
use crate::platform::clock;
use crate::platform::home::Home;
use crate::record::Config;
use crate::respond::incident::{self, NOTE_BYTES, Wanted, events_of, find, mark, propose};

/// Runs one of them.
pub fn run(action: IncidentAction, out: &mut Out) -> Result<u8> {
    let (home, index) = crate::cli::verbs::opened()?;
    let actor = intake::attribution::actor_here(&intake::current_env());
    let desk = Desk { home, index, actor };
    match action {
        IncidentAction::Open { title, scope, since, until, severity, commander } => {
            let now = clock::now_ns();
            let moment =
                |text: &Option<String>| text.as_ref().map(|t| when::parse_moment(t, now)).transpose();
            let wanted = Wanted {
                sessions: scope.session,
                since_ns: moment(&since)?,
                until_ns: moment(&until)?,
                events: scope.event,
            };
            open(&desk, &wanted, title, severity.map(Into::into), commander, out)
        }
        IncidentAction::Add { id, scope, remove } => add(&desk, id, &scope, remove, out),
        IncidentAction::Set { id, title, severity, commander } => {
            if title.is_none() && severity.is_none() && commander.is_none() {
                return Err(usage("nothing to set").hint("name --title, --severity or --commander"));
            }
            let change = IncidentChange::Revised { title, severity: severity.map(Into::into), commander };
            let incident = find(&desk.index, id)?;
            changed(&desk, &incident, change, "changed", out)
        }
        IncidentAction::Note { words, decision } => note(&desk, words, decision, out),
        IncidentAction::Close { id, outcome } => {
            let incident = find(&desk.index, id)?;
            let code = changed(&desk, &incident, IncidentChange::Closed { outcome }, "closed", out)?;
            if !out.json {
                let id = incident.id;
                out.line(format!(
                    "  gc keeps what its events need until `fr incident lock {id} --off`\n  `fr incident report {id} --format html --out incident-{id}.html` is the report"
                ))?;
            }
            Ok(code)
        }
        IncidentAction::Lock { id, off } => {
            let incident = find(&desk.index, Some(id))?;
            let what =
                if off { "no longer locked: gc may take what its events need" } else { "locked against gc" };
            changed(&desk, &incident, IncidentChange::Locked { locked: !off }, what, out)
        }
        _ => Ok(0),
    }
}

struct Desk {
    home: Home,
    index: Index,
    actor: Actor,
}

fn open(
    desk: &Desk,
    wanted: &Wanted,
    title: Option<String>,
    severity: Option<crate::model::Severity>,
    commander: Option<String>,
    out: &mut Out,
) -> Result<u8> {
    let production = Config::load(&desk.home)?.production;
    let proposal = propose(&desk.index, wanted, &production)?;
    let by_default = match desk.actor.kind {
        ActorKind::Human => desk.actor.name.clone(),
        _ => "nobody yet".to_owned(),
    };
    let change = IncidentChange::Opened {
        title: title.filter(|title| !title.trim().is_empty()).unwrap_or(proposal.title),
        severity: severity.unwrap_or(proposal.severity),
        commander: commander.unwrap_or(by_default),
        scope: proposal.scope,
    };
    let id = incident::open(change, desk.actor.clone(), &desk.home)?;
    let index = Index::open(&desk.home)?;
    if !out.json {
        out.line(out.paint(
            style::GOOD,
            format!("incident {id} is open; what its events need is locked against gc"),
        ))?;
    }
    show::of(&desk.home, &index, id, out)
}

fn add(desk: &Desk, id: Option<u64>, scope: &IncidentScope, remove: bool, out: &mut Out) -> Result<u8> {
    let incident = find(&desk.index, id)?;
    let events = events_of(&desk.index, &scope.event)?;
    let wanted = Wanted { sessions: scope.session.clone(), ..Wanted::default() };
    let sessions = match scope.session.is_empty() {
        true => Vec::new(),
        false => propose(&desk.index, &wanted, &Config::load(&desk.home)?.production)?.scope.sessions,
    };
    if events.is_empty() && sessions.is_empty() {
        return Err(
            usage("nothing to add").hint("name --event 42 or --session 4f2c; `fr timeline` lists events")
        );
    }
    let (added, removed) = if remove { (Vec::new(), events) } else { (events, Vec::new()) };
    let what = if remove { "leaves them out" } else { "is about them, too" };
    changed(desk, &incident, IncidentChange::Scoped { added, sessions, removed }, what, out)
}

fn note(desk: &Desk, mut words: Vec<String>, decision: bool, out: &mut Out) -> Result<u8> {
    let is_number =
        words.len() > 1 && words.first().is_some_and(|word| word.bytes().all(|b| b.is_ascii_digit()));
    let id = if is_number { words.remove(0).parse().ok() } else { None };
    let text = if words == ["-"] { from_stdin()? } else { words.join(" ") };
    if text.trim().is_empty() {
        return Err(
            usage("an empty note").hint("write the words after the incident's number, or - and pipe them in")
        );
    }
    let incident = find(&desk.index, id)?;
    let what = if decision { "has the decision" } else { "has the note" };
    changed(desk, &incident, IncidentChange::Note { text, decision }, what, out)
}

fn from_stdin() -> Result<String> {
    let mut bytes = Vec::new();
    // One byte more than fits, so that what is too long is said and not cut.
    let limit = u64::try_from(NOTE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let read = std::io::stdin().lock().take(limit).read_to_end(&mut bytes);
    read.map_err(|e| Error::failure(format!("cannot read standard input: {e}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn changed(
    desk: &Desk,
    incident: &Incident,
    change: IncidentChange,
    what: &str,
    out: &mut Out,
) -> Result<u8> {
    let event = mark(incident, change, desk.actor.clone(), &desk.home)?;
    if out.json {
        out.json(&serde_json::json!({ "incident": incident.id, "event": event }))?;
        return Ok(0);
    }
    let EventId(id) = incident.id;
    out.line(format!("{} {what}", out.paint(style::BOLD, format!("incident {id}"))))?;
    out.line(
        out.paint(style::DIM, format!("  recorded as event {event} by {}", safe(desk.actor.name.as_bytes()))),
    )?;
    Ok(0)
}
