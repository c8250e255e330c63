//! What came of each thing that an undo was about. "Back" is only said of what an undo has read again: either the state that it left
//! is, by its digest, the one before the command, or the undo itself ended saying that all of it was verified.

use std::collections::HashMap;

use serde::Serialize;

use super::lacks;
use super::{Item, Outlook};
use crate::error::Result;
use crate::journal::index::{Event, Index};
use crate::model::{Capture, EventId, ObjectId, Outcome, Reversibility};

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

/// What an undo made of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// The undo that is the evidence.
    pub by: EventId,
    /// How it came back.
    pub restored: Recovered,
    /// How that is known.
    pub how: String,
    /// What of it the undo named as not back, each with its reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// The undo left something, and the record does not say of what: it may be of this.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub uncertain: bool,
}

/// The commands and the undos of them, by number.
pub(super) struct Record<'a> {
    lines: HashMap<EventId, &'a Event>,
    undos: HashMap<EventId, Event>,
}

impl<'a> Record<'a> {
    /// Reads the undos of these commands.
    pub fn read(index: &Index, events: &'a [Event]) -> Result<Record<'a>> {
        let mut undos = HashMap::new();
        for id in events.iter().filter_map(|event| event.undone_by) {
            if !undos.contains_key(&id)
                && let Some(undo) = index.event(id)?
            {
                undos.insert(id, undo);
            }
        }
        Ok(Record { lines: events.iter().map(|event| (event.id, event)).collect(), undos })
    }

    /// All of it was back when `later` began. `known` are the things that were hit until then.
    pub fn was_back(&self, item: &Item, later: EventId, known: &[Item]) -> bool {
        let Some(undo) = self.undo_of(item).filter(|undo| undo.id < later) else { return false };
        let with_it: Vec<&Item> = known.iter().filter(|one| self.is_by(one, undo)).collect();
        self.undone(item, &with_it).is_some_and(|undone| undone.restored.is_back())
    }

    /// Notes of each thing what its undo made of it, and returns what undos named that concerns none of them in particular.
    pub fn judge(&self, items: &mut [Item]) -> Vec<String> {
        let mut judged = Vec::new();
        let all: Vec<&Item> = items.iter().collect();
        for item in &all {
            let with_it: Vec<&Item> = match self.undo_of(item) {
                Some(undo) => all.iter().filter(|one| self.is_by(one, undo)).copied().collect(),
                None => Vec::new(),
            };
            judged.push(self.undone(item, &with_it));
        }
        let mut ids: Vec<EventId> = judged.iter().flatten().map(|undone| undone.by).collect();
        ids.sort_unstable();
        ids.dedup();
        let of_none = |id: &EventId| {
            let undo = self.undos.get(id)?;
            let own: Vec<&Item> = all.iter().filter(|one| self.is_by(one, undo)).copied().collect();
            Some(
                lacks::of_none(undo, &own)
                    .iter()
                    .map(|lack| lacks::words_of_all(*id, lack))
                    .collect::<Vec<_>>(),
            )
        };
        let whole = ids.iter().filter_map(of_none).flatten().collect();
        for (item, undone) in items.iter_mut().zip(judged) {
            if let Some(undone) = undone {
                item.comes_back = self.outlook(item, &undone);
                item.undone = Some(undone);
            }
        }
        whole
    }

    /// The undo that had the last word on it, where all that was done to it was taken back.
    fn undo_of(&self, item: &Item) -> Option<&Event> {
        let by = |id: &EventId| self.lines.get(id).and_then(|line| line.undone_by);
        let all: Option<Vec<EventId>> = item.events.iter().map(by).collect();
        self.undos.get(&all?.into_iter().max()?)
    }

    fn is_by(&self, item: &Item, undo: &Event) -> bool {
        self.undo_of(item).is_some_and(|own| own.id == undo.id)
    }

    /// What the record of the undo says about this thing. `with_it` are the things that this undo was about.
    fn undone(&self, item: &Item, with_it: &[&Item]) -> Option<Undone> {
        let undo = self.undo_of(item)?;
        let own = lacks::of_item(item, undo, with_it);
        let uncertain = !lacks::of_none(undo, with_it).is_empty();
        // The state before the first of the commands is the one that is wanted back.
        let first = self.lines.get(item.events.first()?).copied();
        let in_part = item.events.iter().filter_map(|id| self.lines.get(id)).any(|line| line.undone_in_part);
        let told = Told { undo, own: &own, uncertain, in_part };
        let (restored, how) = verified(item, first, &told);
        let left = own.iter().map(|lack| lacks::words(lack, item)).collect();
        let uncertain = uncertain && !restored.is_back();
        Some(Undone { by: undo.id, restored, how, left, uncertain })
    }

    fn outlook(&self, item: &Item, undone: &Undone) -> Outlook {
        let nothing = || {
            self.undos.get(&undone.by).is_some_and(|undo| {
                lacks::of_item(item, undo, &[item]).iter().any(|lack| lacks::is_of_all(lack, item))
                    && !undo.before.captures.iter().any(|capture| lacks::is_about(capture, item))
            })
        };
        match undone.restored {
            Recovered::Exact => Outlook::Back,
            Recovered::NewIdentity => Outlook::BackAnew,
            Recovered::RecordOnly => Outlook::RecordOnly,
            _ if !undone.left.is_empty() && nothing() => Outlook::NotBack,
            _ if undone.left.is_empty() && undone.uncertain => Outlook::Unknown,
            _ => Outlook::InPart,
        }
    }
}

/// What an undo said, as far as it concerns one thing.
struct Told<'a> {
    undo: &'a Event,
    /// Of this thing.
    own: &'a [crate::model::Lack],
    /// Of nothing in particular: it may be this thing, too.
    uncertain: bool,
    /// One of the thing's commands was taken back in part.
    in_part: bool,
}

fn verified(item: &Item, first: Option<&Event>, told: &Told<'_>) -> (Recovered, String) {
    let undo = told.undo;
    let Some(code) = undo.after.as_ref().map(|after| after.outcome) else {
        return (Recovered::Partial, format!("undo {} did not end", undo.id));
    };
    let promised = promised(item, first);
    if let Some(left) = first.and_then(|event| left_as_before(item, event, undo)) {
        return by_digest(item, promised, undo, left);
    }
    let ended = matches!(code, Outcome::Exited { code: 0 | 3 });
    let only_there = !told.own.is_empty() && told.own.iter().all(|lack| lack.there);
    if promised == Reversibility::Recreate && ended && only_there && !told.uncertain {
        return (Recovered::NewIdentity, format!("undo {} made it anew and looked at it (exit 3)", undo.id));
    }
    let whole = code == (Outcome::Exited { code: 0 }) && !told.in_part;
    // It ended in part, and named what is not back: nothing of this.
    let names = !lacks::lacks(undo).is_empty();
    let of_others = ended && names && told.own.is_empty() && !told.uncertain;
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

/// The digest of the state that the undo left, where that is the one before the command.
fn left_as_before(item: &Item, first: &Event, undo: &Event) -> Option<ObjectId> {
    let (_, wanted) = capture_of(item, first)?;
    left_by(undo, wanted).filter(|left| *left == wanted.state.digest)
}

fn by_digest(item: &Item, promised: Reversibility, undo: &Event, left: ObjectId) -> (Recovered, String) {
    let (id, digest) = (undo.id, left.short());
    // What makes an identity (an id that a server gives) is no part of such a state, so equal states do not mean the same thing.
    match (item.missing.is_empty(), promised == Reversibility::Recreate) {
        (true, false) => {
            (Recovered::Exact, format!("read again by undo {id}: digest {digest}, as before the command"))
        }
        (true, true) => (
            Recovered::NewIdentity,
            format!("read again by undo {id}: digest {digest}, as before but for its identity"),
        ),
        (false, _) => {
            (Recovered::Partial, format!("what was captured is back: undo {id} read digest {digest} again"))
        }
    }
}

/// The least that a command and its parts promised of what they did to the system of this thing.
pub fn promised(item: &Item, first: Option<&Event>) -> Reversibility {
    let lines = first.into_iter().flat_map(|event| std::iter::once(event).chain(&event.parts));
    let effects = lines.flat_map(|one| &one.before.effects).filter(|effect| effect.system == item.system);
    effects.map(|effect| effect.reversibility).max().unwrap_or(Reversibility::NotApplicable)
}

/// The capture that holds this thing: its own, or one of what it lies in (`git:origin` of `git:origin/refs/heads/main`); and the
/// event, of the line or of a part of it, that took it.
pub fn capture_of<'e>(item: &Item, event: &'e Event) -> Option<(&'e Event, &'e Capture)> {
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
fn left_by(undo: &Event, wanted: &Capture) -> Option<ObjectId> {
    let same = |c: &Capture| {
        c.system == wanted.system && c.resource == wanted.resource && c.locator.at == wanted.locator.at
    };
    let at = undo.before.captures.iter().position(same)?;
    let post = undo.after.as_ref()?.post.iter().find(|post| post.capture == at)?;
    Some(post.state.digest)
}
