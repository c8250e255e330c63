//! The record of a run: one event for each thing that happens.

use std::time::Duration;

use super::CUT;
use crate::error::{Error, Result};
use crate::journal::{Durability, Journal};
use crate::model::{
    Actor, After, Capture, EventId, EventKind, ObjectId, ObjectKind, ObjectSink, Outcome, PlaybookKind,
    PlaybookMark, PlaybookMode, PlaybookMoment, PlaybookStep, Record, Uid,
};
use crate::platform::home::Home;
use crate::record::own::{self, Own};
use crate::record::redact::{TagKey, redact};
use crate::respond::playbook::format::Step;
use crate::store::Store;

/// The most of an answer that the record keeps, bytes.
const MOST: usize = 4096;

/// What all events of a run have in common.
#[derive(Clone, Debug)]
pub struct Log {
    pub run: Uid,
    pub playbook: String,
    pub digest: ObjectId,
    pub incident: Option<EventId>,
    pub about: Vec<EventId>,
    pub actor: Actor,
    pub home: Home,
}

/// What is said beside the moment.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub confirmed_by: Option<String>,
    pub evidence: Option<String>,
    pub code: Option<i32>,
    pub took: Option<Duration>,
    pub event: Option<EventId>,
    pub note: Option<String>,
    pub given: Option<ObjectId>,
    pub captures: Vec<Capture>,
}

impl Said {
    /// Only that.
    pub fn note(text: impl Into<String>) -> Said {
        Said { note: Some(text.into()), ..Said::default() }
    }
}

impl Log {
    /// The session under which the run's commands and marks stand.
    pub fn session(&self) -> String {
        PlaybookMark::session(self.run)
    }

    /// Writes down what happened; when it returns, it survives a power cut.
    pub fn mark(&self, moment: PlaybookMoment, step: Option<&Step>, said: Said) -> Result<EventId> {
        let took_ms = said.took.and_then(|took| u64::try_from(took.as_millis()).ok());
        let mark = PlaybookMark {
            run: self.run,
            playbook: self.playbook.clone(),
            digest: self.digest,
            incident: self.incident,
            about: self.about.clone(),
            moment,
            step: step.map(|step| PlaybookStep {
                id: step.id.clone(),
                phase: step.phase,
                kind: step.kind().unwrap_or(PlaybookKind::Ask),
                mode: step.mode(),
            }),
            confirmed_by: said.confirmed_by,
            evidence: said.evidence.map(|text| self.hidden(&text)).filter(|text| !text.is_empty()),
            code: said.code,
            took_ms,
            event: said.event,
            note: said.note.map(|text| self.hidden(&text)).filter(|text| !text.is_empty()),
            given: said.given,
        };
        let fails = matches!(moment, PlaybookMoment::StepFailed | PlaybookMoment::BrokenOff);
        let line = match &mark.step {
            Some(step) => format!("fr playbook {} {} {}", mark.playbook, step.id, moment.as_str()),
            None => format!("fr playbook {} {}", mark.playbook, moment.as_str()),
        };
        let own = Own::now(EventKind::Playbook { mark: Box::new(mark) }, line, self.actor.clone());
        let own = Own { session: self.session(), code: i32::from(fails), took: said.took, ..own };
        if said.captures.is_empty() {
            return own::write(own, Durability::Durable, &self.home);
        }
        let after = After {
            at_ns: crate::platform::clock::now_ns(),
            session: own.session.clone(),
            call: None,
            outcome: Outcome::Exited { code: own.code },
            duration_ms: took_ms,
            post: Vec::new(),
            note: None,
            lacking: Vec::new(),
        };
        let mut before = own.before();
        before.captures = said.captures;
        let journal = Journal::open(&self.home)?;
        let event = journal.append(&Record::Before(Box::new(before)), None, Durability::Durable)?.event;
        journal.append(&Record::After(Box::new(after)), Some(event), Durability::Durable)?;
        Ok(event)
    }

    /// Without secrets, and not too long.
    pub fn hidden(&self, text: &str) -> String {
        let hidden = redact(text.trim_end().as_bytes(), &TagKey::load(&self.home));
        let mut text = String::from_utf8_lossy(&hidden).into_owned();
        if text.len() > MOST {
            let end = (0..=MOST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
            text.push_str(CUT);
        }
        text
    }
}

/// Stores what a run needs to be gone on with: its text, and what it was given.
pub fn keep(text: &[u8], given: &[u8], home: &Home) -> Result<(ObjectId, ObjectId)> {
    let store = Store::open_or_create(home)?;
    let batch = store.batch();
    let digest = batch.put(ObjectKind::Blob, text)?;
    let given = batch.put(ObjectKind::Blob, given)?;
    batch.commit()?;
    Ok((digest, given))
}

/// True where a step may be begun again without asking: it changes nothing.
pub fn is_harmless(step: &Step) -> bool {
    let reads = matches!(
        step.kind(),
        Some(PlaybookKind::Verify | PlaybookKind::WaitUntil | PlaybookKind::Capture | PlaybookKind::Ask)
    );
    reads || step.mode() == PlaybookMode::Auto
}

/// A value as text for the record of what cannot be read.
pub fn unreadable(what: &str, error: impl std::fmt::Display) -> Error {
    Error::corrupt(format!("{what} of this run cannot be read: {error}"))
}
