//! What people do about an incident, written down: each a mark of its own, durable, redacted as command lines are.
//! An agent may open one and add to it; it does not decide, leave out, unlock or close.

use super::words::Words;
use crate::error::{Error, ExitCode, Result};
use crate::journal::Durability;
use crate::model::{Actor, ActorKind, EventId, EventKind, Incident, IncidentChange, IncidentMark};
use crate::platform::home::Home;
use crate::record::own::{self, Own};

/// How long a note may be.
pub const NOTE_BYTES: usize = 64 << 10;

/// Opens an incident: its number.
///
/// # Errors
/// Where a text is too long, or it cannot be written.
pub fn open(change: IncidentChange, actor: Actor, home: &Home) -> Result<EventId> {
    write(IncidentMark { of: None, change: redacted(change, home)? }, "open", actor, home)
}

/// Writes down what was done about it.
///
/// # Errors
/// Where an agent asks for what only a person does, where the incident stands otherwise, or it cannot be written.
pub fn mark(incident: &Incident, change: IncidentChange, actor: Actor, home: &Home) -> Result<EventId> {
    if let (ActorKind::Agent, Some(what)) = (actor.kind, peoples(&change)) {
        return Err(Error::failure(format!("{} is an agent: only a person {what}", actor.name))
            .hint("an agent may add notes and events"));
    }
    let id = incident.id;
    match &change {
        IncidentChange::Closed { .. } if incident.closed.is_some() => {
            return Err(Error::new(ExitCode::NothingToUndo, format!("incident {id} is closed already")));
        }
        IncidentChange::Locked { locked } if *locked == incident.locked => {
            let how = if *locked { "locked" } else { "not locked" };
            return Err(Error::new(ExitCode::NothingToUndo, format!("incident {id} is {how} as it is")));
        }
        IncidentChange::Locked { locked: false } if incident.closed.is_none() => {
            return Err(Error::new(ExitCode::Usage, format!("incident {id} is open: what it needs is kept"))
                .hint(format!("`fr incident close {id}` first")));
        }
        _ => {}
    }
    let verb = match &change {
        IncidentChange::Opened { .. } => "open",
        IncidentChange::Scoped { .. } => "add",
        IncidentChange::Revised { .. } => "set",
        IncidentChange::Note { .. } => "note",
        IncidentChange::Closed { .. } => "close",
        IncidentChange::Locked { .. } => "lock",
    };
    write(
        IncidentMark { of: Some(id), change: redacted(change, home)? },
        &format!("{verb} {id}"),
        actor,
        home,
    )
}

/// What only people do.
fn peoples(change: &IncidentChange) -> Option<&'static str> {
    match change {
        IncidentChange::Closed { .. } => Some("closes an incident"),
        IncidentChange::Locked { .. } => Some("unlocks an incident"),
        IncidentChange::Revised { .. } => Some("ranks and leads an incident"),
        IncidentChange::Note { decision: true, .. } => Some("decides"),
        IncidentChange::Scoped { removed, .. } if !removed.is_empty() => Some("leaves events out"),
        _ => None,
    }
}

fn redacted(change: IncidentChange, home: &Home) -> Result<IncidentChange> {
    let words = Words::of(home);
    let text = |text: String, what: &str| -> Result<String> {
        let text = words.redacted(text.trim_end());
        match text.len() {
            0..=NOTE_BYTES => Ok(text),
            n => Err(Error::new(
                ExitCode::Usage,
                format!("{what} holds at most {NOTE_BYTES} bytes, this has {n}"),
            )
            .hint("put it into several")),
        }
    };
    let line = |line: String, what: &str| text(line.replace('\n', " "), what);
    Ok(match change {
        IncidentChange::Opened { title, severity, commander, scope } => {
            let (title, commander) = (line(title, "a title")?, line(commander, "a name")?);
            IncidentChange::Opened { title, severity, commander, scope }
        }
        IncidentChange::Revised { title, severity, commander } => IncidentChange::Revised {
            title: title.map(|title| line(title, "a title")).transpose()?,
            severity,
            commander: commander.map(|name| line(name, "a name")).transpose()?,
        },
        IncidentChange::Note { text: note, decision } => {
            IncidentChange::Note { text: text(note, "a note")?, decision }
        }
        IncidentChange::Closed { outcome } => {
            IncidentChange::Closed { outcome: text(outcome, "an outcome")? }
        }
        other => other,
    })
}

fn write(mark: IncidentMark, words: &str, actor: Actor, home: &Home) -> Result<EventId> {
    let own = Own::now(EventKind::Incident { incident: mark }, format!("fr incident {words}"), actor);
    own::write(own, Durability::Durable, home)
}
