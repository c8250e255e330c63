//! What the recorder itself does (a containment, an alarm, a drill, a note of an incident, a step of a playbook), as an
//! event: it runs no command of an actor, so both halves are written at once.

use std::time::Duration;

use super::before::{journal, new_uid};
use crate::error::Result;
use crate::journal::Durability;
use crate::model::{
    Actor, ActorKind, After, Before, Bytes, CommandText, Confidence, EventId, EventKind, Outcome, Record,
    Source,
};
use crate::platform::{clock, home::Home};

/// One doing of the recorder's own.
#[derive(Clone, Debug)]
pub struct Own {
    /// What it was.
    pub kind: EventKind,
    /// The command as it would be typed.
    pub line: String,
    /// Who asked for it.
    pub actor: Actor,
    /// In which session it stands; [`own_session`] where it is nobody's.
    pub session: String,
    /// When it began, in nanoseconds since the epoch.
    pub began_ns: i64,
    /// How long it took, where that says something.
    pub took: Option<Duration>,
    /// Its exit code.
    pub code: i32,
}

impl Own {
    /// Something that `actor` asked for just now, and that went well.
    pub fn now(kind: EventKind, line: impl Into<String>, actor: Actor) -> Own {
        let (session, began_ns) = (own_session(), clock::now_ns());
        Own { kind, line: line.into(), actor, session, began_ns, took: None, code: 0 }
    }

    /// Its half before: no effect, and nothing captured.
    pub fn before(self) -> Before {
        Before {
            uid: new_uid(),
            at_ns: self.began_ns,
            kind: self.kind,
            session: self.session,
            call: None,
            actor: self.actor,
            source: Source::Recorder,
            parent: None,
            command: CommandText { tool: "fr".to_owned(), line: Bytes::from(self.line), exact: None },
            cwd: Bytes::from(std::env::current_dir().unwrap_or_default()),
            effects: Vec::new(),
            captures: Vec::new(),
            warnings: Vec::new(),
            background: false,
            verdict: None,
        }
    }
}

/// Writes both halves; the store is made where there is none.
///
/// # Errors
/// Where the journal cannot be opened or written.
pub fn write(own: Own, durability: Durability, home: &Home) -> Result<EventId> {
    let journal = journal(home)?;
    let duration_ms = own.took.and_then(|took| u64::try_from(took.as_millis()).ok());
    let after = After {
        at_ns: clock::now_ns(),
        session: own.session.clone(),
        call: None,
        outcome: Outcome::Exited { code: own.code },
        duration_ms,
        post: Vec::new(),
        note: None,
        lacking: Vec::new(),
    };
    let before = own.before();
    let event = journal.append(&Record::Before(Box::new(before)), None, Durability::Buffered)?.event;
    journal.append(&Record::After(Box::new(after)), Some(event), durability)?;
    Ok(event)
}

/// The session of this process where it is no agent's and no shell's.
pub fn own_session() -> String {
    format!("fr-{}", std::process::id())
}

/// The recorder as the one who does something; `evidence` says why it did.
pub fn recorder(evidence: &str) -> Actor {
    Actor {
        kind: ActorKind::Recorder,
        name: "fr".to_owned(),
        version: None,
        subagent: None,
        evidence: evidence.to_owned(),
        confidence: Confidence::High,
    }
}
