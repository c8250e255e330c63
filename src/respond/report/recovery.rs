//! What came of each thing that was hit. "Restored" is only said of what an undo has read again: either the state that it left is,
//! by its digest, the one before the command, or the undo itself ended saying that all of it was verified.

use serde::Serialize;

use super::lacks;
use super::loss::{self, Loss};
use crate::journal::index::Event;
use crate::model::{Capture, EventId, EventKind, Lack, ObjectSource, Outcome, Reversibility};
use crate::respond::blast::{Item, Outlook, Radius};
use crate::respond::incident::{Case, Words};

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
    /// How old the state is that came back.
    pub data_loss: Loss,
    /// The same in a word: a span, `none`, `unknown`, `in part`, `-`.
    pub data_loss_short: String,
    /// The events that hit it.
    pub events: Vec<EventId>,
    /// The undo that is the evidence.
    pub evidence: Option<EventId>,
    /// It is marked as production.
    pub production: bool,
}

/// What came of all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovery {
    /// One row for each thing that was hit, in the order of the blast radius.
    pub rows: Vec<Row>,
    /// What undos named that is not back and concerns none of the rows in particular.
    pub whole: Vec<String>,
}

/// What an undo said, as far as it concerns one thing.
struct Told<'a> {
    undo: &'a Event,
    /// Of this thing.
    own: Vec<Lack>,
    /// Of nothing in particular: it may be this thing, too.
    of_none: bool,
    /// It named anything at all.
    names: bool,
}

/// Works it out. `source` is the store, where it can be read.
pub fn recovery(
    case: &Case,
    radius: Option<&Radius>,
    source: Option<&dyn ObjectSource>,
    words: &Words,
) -> Recovery {
    let items: Vec<&Item> = radius.iter().flat_map(|radius| &radius.items).collect();
    let mut made = Recovery::default();
    let mut heard: Vec<EventId> = Vec::new();
    for item in &items {
        let undo = undo_of(item, case);
        let with_it: Vec<&Item> = match undo {
            Some(undo) => {
                items.iter().filter(|i| undo_of(i, case).is_some_and(|u| u.id == undo.id)).copied().collect()
            }
            None => Vec::new(),
        };
        let told = undo.map(|undo| {
            let rest = lacks::of_none(undo, &with_it);
            if !heard.contains(&undo.id) {
                heard.push(undo.id);
                made.whole.extend(rest.iter().map(|lack| words.line(lacks::words_of_all(undo.id, lack))));
            }
            let own = lacks::of_item(item, undo, &with_it);
            Told { undo, own, of_none: !rest.is_empty(), names: !lacks::lacks(undo).is_empty() }
        });
        made.rows.push(row(item, case, told.as_ref(), source, words));
    }
    made
}

/// The event of a thing's that has this number.
fn line<'c>(case: &'c Case, id: Option<&EventId>) -> Option<&'c Event> {
    case.events.iter().find(|event| Some(&event.id) == id)
}

/// The undo that took its last event back.
fn undo_of<'c>(item: &Item, case: &'c Case) -> Option<&'c Event> {
    let undo = line(case, item.events.last())?.undone_by?;
    case.response.iter().find(|event| event.id == undo)
}

fn row(
    item: &Item,
    case: &Case,
    told: Option<&Told<'_>>,
    source: Option<&dyn ObjectSource>,
    words: &Words,
) -> Row {
    // The state before the first of the commands is the one that is wanted back.
    let (first, last) = (line(case, item.events.first()), line(case, item.events.last()));
    let (restored, verified) = match told {
        Some(told) => verified(item, first, last, told),
        None => (not_taken_back(item), "nothing was taken back".to_owned()),
    };
    let size = if item.items > 1 { format!(" ({} items)", item.items) } else { String::new() };
    let lost = loss::Of {
        item,
        restored,
        promised: promised(item, first),
        wanted: first.and_then(|event| capture_of(item, event)),
        undo: told.map(|told| told.undo),
    };
    let data_loss = loss::of(&lost, source, words);
    Row {
        target: words.line(item.resource.as_slice()),
        system: item.system.to_string(),
        lost: format!("{}{size}", item.class),
        class: item.class.as_str(),
        restored,
        restored_words: restored.words(),
        verified,
        not_recoverable: why_not(item, restored, told, words),
        data_loss_short: data_loss.short(restored),
        data_loss,
        events: item.events.clone(),
        evidence: told.map(|told| told.undo.id),
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
fn verified(
    item: &Item,
    first: Option<&Event>,
    last: Option<&Event>,
    told: &Told<'_>,
) -> (Recovered, String) {
    let undo = told.undo;
    let wanted = first.and_then(|event| capture_of(item, event)).map(|(_, capture)| capture);
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
    let promised = promised(item, first);
    let ended = matches!(code, Outcome::Exited { code: 0 | 3 });
    let only_there = !told.own.is_empty() && told.own.iter().all(|lack| lack.there);
    if promised == Reversibility::Recreate && ended && only_there && !told.of_none {
        return (Recovered::NewIdentity, format!("undo {} made it anew and looked at it (exit 3)", undo.id));
    }
    let whole = code == (Outcome::Exited { code: 0 }) && !last.is_some_and(|event| event.undone_in_part);
    // It ended in part, and named what is not back: nothing of this.
    let of_others = ended && told.names && told.own.is_empty() && !told.of_none;
    if !whole && !of_others {
        return (Recovered::Partial, format!("undo {} was done in part (exit 3)", undo.id));
    }
    let how = match promised {
        Reversibility::Recreate => Recovered::NewIdentity,
        Reversibility::StateOnly => Recovered::RecordOnly,
        Reversibility::Compensating | Reversibility::Irreversible => Recovered::Partial,
        _ => Recovered::Exact,
    };
    let exit = if whole { "exit 0" } else { "exit 3, for other things" };
    (how, format!("undo {} compared it with the state before and found nothing left to do ({exit})", undo.id))
}

fn promised(item: &Item, first: Option<&Event>) -> Reversibility {
    let lines = first.into_iter().flat_map(|event| std::iter::once(event).chain(&event.parts));
    let effects = lines.flat_map(|one| &one.before.effects).filter(|effect| effect.system == item.system);
    effects.map(|effect| effect.reversibility).max().unwrap_or(Reversibility::NotApplicable)
}

/// The capture that holds this thing: its own, or one of what it lies in (`git:origin` of `git:origin/refs/heads/main`); and the
/// event, of the line or of a part of it, that took it.
fn capture_of<'e>(item: &Item, event: &'e Event) -> Option<(&'e Event, &'e Capture)> {
    let captures = || {
        let lines = std::iter::once(event).chain(&event.parts);
        let all = lines.flat_map(|one| one.before.captures.iter().map(move |capture| (one, capture)));
        all.filter(|(_, capture)| capture.system == item.system)
    };
    let holds = |(_, capture): &(&Event, &Capture)| {
        let rest = item.resource.as_slice().strip_prefix(capture.resource.as_slice());
        rest.is_some_and(|rest| rest.starts_with(b"/"))
    };
    // A remote is listed as a whole where one command changed a ref of it and another one many.
    let lies_in = |(_, capture): &(&Event, &Capture)| {
        let rest = capture.resource.as_slice().strip_prefix(item.resource.as_slice());
        rest.is_some_and(|rest| rest.starts_with(b"/refs/"))
    };
    let exact = captures().find(|(_, capture)| capture.resource == item.resource);
    exact.or_else(|| captures().find(holds)).or_else(|| captures().find(lies_in))
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
fn why_not(item: &Item, restored: Recovered, told: Option<&Told<'_>>, words: &Words) -> Vec<String> {
    let mut why: Vec<String> = item.missing.iter().map(|missing| words.line(missing)).collect();
    let own = told.into_iter().flat_map(|told| &told.own).map(|lack| words.line(lacks::words(lack, item)));
    match restored {
        Recovered::Exact => {}
        Recovered::NewIdentity => {
            why.push("its identity (id, address, times) is another one".to_owned());
            why.extend(own);
        }
        Recovered::RecordOnly => why.push("only the record of it is back, not the thing".to_owned()),
        Recovered::Partial => {
            why.extend(own);
            if why.is_empty() && told.is_some_and(|told| told.of_none) {
                why.push("what its undo could not bring back is named below the table".to_owned());
            } else if why.is_empty() {
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
    let mut once: Vec<String> = Vec::new();
    why.into_iter().for_each(|line| {
        if !once.contains(&line) {
            once.push(line);
        }
    });
    once
}

/// True where an event is an undo that ended.
pub fn is_ended_undo(event: &Event) -> bool {
    matches!(event.before.kind, EventKind::Undo(_)) && event.after.is_some()
}
