//! What came of each thing that was hit. "Restored" is only said of what an undo has read again: either the state that it left is,
//! by its digest, the one before the command, or the undo itself ended saying that all of it was verified.

use serde::Serialize;

use crate::journal::index::Event;
use crate::model::{Capture, EventId, EventKind, Outcome, Reversibility};
use crate::respond::blast::{Item, Outlook, Radius};
use crate::respond::incident::{Case, Words};

/// How the note of an undo begins after which everything is there again, and lacks something (`recover::apply`).
const BACK_WITHOUT: &str = "back without: ";

/// How it came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recovered {
    /// The same identity and content.
    Exact,
    /// An equivalent with another identity.
    NewIdentity,
    /// The record of it.
    RecordOnly,
    /// A part of it.
    Partial,
    /// It has not been taken back.
    NotYet,
    /// It cannot be taken back.
    NotRecoverable,
}

impl Recovered {
    /// The words for people.
    pub fn words(self) -> &'static str {
        match self {
            Recovered::Exact => "exact",
            Recovered::NewIdentity => "new identity",
            Recovered::RecordOnly => "record only",
            Recovered::Partial => "partial",
            Recovered::NotYet => "not yet",
            Recovered::NotRecoverable => "not recoverable",
        }
    }

    /// All of it is back.
    pub fn is_back(self) -> bool {
        matches!(self, Recovered::Exact | Recovered::NewIdentity)
    }
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The thing.
    pub target: String,
    /// Its system.
    pub system: String,
    /// What was done to it.
    pub lost: String,
    /// The worst that was done to it, in a word.
    pub class: &'static str,
    /// How it came back.
    pub restored: Recovered,
    /// The same, in words.
    pub restored_words: &'static str,
    /// How that is known.
    pub verified: String,
    /// What is not back, and why.
    pub not_recoverable: Vec<String>,
    /// The events that hit it.
    pub events: Vec<EventId>,
    /// The undo that is the evidence.
    pub evidence: Option<EventId>,
    /// It is marked as production.
    pub production: bool,
}

/// One row for each thing that was hit, in the order of the blast radius.
pub fn rows(case: &Case, radius: Option<&Radius>, words: &Words) -> Vec<Row> {
    radius.iter().flat_map(|radius| &radius.items).map(|item| row(item, case, words)).collect()
}

fn row(item: &Item, case: &Case, words: &Words) -> Row {
    let line = |id: &EventId| case.events.iter().find(|event| event.id == *id);
    // The state before the first of the commands is the one that is wanted back.
    let first = item.events.first().and_then(line);
    let last = item.events.last().and_then(line);
    let undo = last.and_then(|event| event.undone_by);
    let undo = undo.and_then(|id| case.response.iter().find(|event| event.id == id));
    let found = undo.map(|undo| verified(item, first, last, undo));
    let (restored, verified) = match found {
        Some(found) => found,
        None => (not_taken_back(item), "nothing was taken back".to_owned()),
    };
    let size = if item.items > 1 { format!(" ({} items)", item.items) } else { String::new() };
    Row {
        target: words.line(item.resource.as_slice()),
        system: item.system.to_string(),
        lost: format!("{}{size}", item.class),
        class: item.class.as_str(),
        restored,
        restored_words: restored.words(),
        verified,
        not_recoverable: why_not(item, restored, undo, words),
        events: item.events.clone(),
        evidence: undo.map(|undo| undo.id),
        production: item.production.is_some(),
    }
}

fn not_taken_back(item: &Item) -> Recovered {
    match item.comes_back {
        Outlook::NotAtAll | Outlook::Unknown => Recovered::NotRecoverable,
        _ => Recovered::NotYet,
    }
}

/// What the record of the undo says about this thing.
fn verified(item: &Item, first: Option<&Event>, last: Option<&Event>, undo: &Event) -> (Recovered, String) {
    let wanted = first.and_then(|event| capture_of(item, event));
    let left = wanted.and_then(|wanted| left_by(undo, wanted));
    let Some(code) = undo.after.as_ref().map(|after| after.outcome) else {
        return (Recovered::Partial, format!("undo {} did not end", undo.id));
    };
    if let (Some(wanted), Some(left)) = (wanted, left)
        && left == wanted.state.digest
    {
        let digest = left.short();
        // What makes an identity (an id that a server gives) is no part of such a state, so equal states do not mean the same thing.
        let anew = promised(item, first) == Reversibility::Recreate;
        return match (item.missing.is_empty(), anew) {
            (true, false) => {
                let how = format!("read again by undo {}: digest {digest}, as before the command", undo.id);
                (Recovered::Exact, how)
            }
            (true, true) => {
                let how = format!(
                    "read again by undo {}: digest {digest}, as before but for its identity",
                    undo.id
                );
                (Recovered::NewIdentity, how)
            }
            (false, _) => (
                Recovered::Partial,
                format!("what was captured is back: undo {} read digest {digest} again", undo.id),
            ),
        };
    }
    let note = undo.after.as_ref().and_then(|after| after.note.as_deref()).unwrap_or_default();
    if promised(item, first) == Reversibility::Recreate && note.starts_with(BACK_WITHOUT) {
        return (Recovered::NewIdentity, format!("undo {} made it anew and looked at it (exit 3)", undo.id));
    }
    let in_part = last.is_some_and(|event| event.undone_in_part);
    if in_part || code != (Outcome::Exited { code: 0 }) {
        return (Recovered::Partial, format!("undo {} was done in part (exit 3)", undo.id));
    }
    let promised = promised(item, first);
    let how = match promised {
        Reversibility::Recreate => Recovered::NewIdentity,
        Reversibility::StateOnly => Recovered::RecordOnly,
        Reversibility::Compensating | Reversibility::Irreversible => Recovered::Partial,
        _ => Recovered::Exact,
    };
    (how, format!("undo {} compared it with the state before and found nothing left to do (exit 0)", undo.id))
}

fn promised(item: &Item, first: Option<&Event>) -> Reversibility {
    let lines = first.into_iter().flat_map(|event| std::iter::once(event).chain(&event.parts));
    let effects = lines.flat_map(|one| &one.before.effects).filter(|effect| effect.system == item.system);
    effects.map(|effect| effect.reversibility).max().unwrap_or(Reversibility::NotApplicable)
}

/// The capture that holds this thing: its own, or one of what it lies in (`git:origin` of `git:origin/refs/heads/main`).
fn capture_of<'e>(item: &Item, event: &'e Event) -> Option<&'e Capture> {
    let captures = || {
        let lines = std::iter::once(event).chain(&event.parts);
        lines.flat_map(|one| &one.before.captures).filter(|capture| capture.system == item.system)
    };
    let holds = |capture: &&Capture| {
        let rest = item.resource.as_slice().strip_prefix(capture.resource.as_slice());
        rest.is_some_and(|rest| rest.starts_with(b"/"))
    };
    captures().find(|capture| capture.resource == item.resource).or_else(|| captures().find(holds))
}

/// The state that an undo saw at this place when it had written.
fn left_by(undo: &Event, wanted: &Capture) -> Option<crate::model::ObjectId> {
    let same = |c: &Capture| {
        c.system == wanted.system && c.resource == wanted.resource && c.locator.at == wanted.locator.at
    };
    let at = undo.before.captures.iter().position(same)?;
    let post = undo.after.as_ref()?.post.iter().find(|post| post.capture == at)?;
    Some(post.state.digest)
}

/// What of it is not back, in words.
fn why_not(item: &Item, restored: Recovered, undo: Option<&Event>, words: &Words) -> Vec<String> {
    let mut why: Vec<String> = item.missing.iter().map(|missing| words.line(missing)).collect();
    let note = undo.and_then(|undo| undo.after.as_ref()).and_then(|after| after.note.as_ref());
    match restored {
        Recovered::Exact => {}
        Recovered::NewIdentity => {
            why.push("its identity (id, address, times) is another one".to_owned());
            why.extend(note.map(|note| words.line(note)));
        }
        Recovered::RecordOnly => why.push("only the record of it is back, not the thing".to_owned()),
        Recovered::Partial => {
            let notes = undo.into_iter().flat_map(|undo| &undo.steps).filter_map(|step| step.note.as_ref());
            why.extend(notes.chain(note).map(|note| words.line(note)));
            if why.is_empty() {
                why.push("the record does not say which part; fr diff compares".to_owned());
            }
        }
        Recovered::NotYet => {
            let ids: Vec<String> = item.events.iter().rev().map(ToString::to_string).collect();
            why.push(format!("fr undo {} --dry-run says what can be had back", ids.join(" ")));
        }
        Recovered::NotRecoverable if item.comes_back == Outlook::Unknown => {
            why.push("a program did it that nobody can look into".to_owned());
        }
        Recovered::NotRecoverable if why.is_empty() => why.push("nothing can bring it back".to_owned()),
        Recovered::NotRecoverable => {}
    }
    why.dedup();
    why
}

/// True where an event is an undo that ended.
pub fn is_ended_undo(event: &Event) -> bool {
    matches!(event.before.kind, EventKind::Undo(_)) && event.after.is_some()
}
