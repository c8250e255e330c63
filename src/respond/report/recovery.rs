//! What came of each thing that was hit, as the record of the undos says it (`blast::undone`), row by row.

use serde::Serialize;

use super::loss::{self, Loss};
use crate::journal::index::Event;
use crate::model::{EventId, EventKind, ObjectSource, spoken};
use crate::respond::blast::{self, Item, Outlook, Radius, Recovered};
use crate::respond::incident::{Case, Words};

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

/// Works it out. `source` is the store, where it can be read.
pub fn recovery(
    case: &Case,
    radius: Option<&Radius>,
    source: Option<&dyn ObjectSource>,
    words: &Words,
) -> Recovery {
    let Some(radius) = radius else { return Recovery::default() };
    Recovery {
        rows: radius.items.iter().map(|item| row(item, case, source, words)).collect(),
        whole: radius.left.iter().map(|left| words.line(left)).collect(),
    }
}

fn row(item: &Item, case: &Case, source: Option<&dyn ObjectSource>, words: &Words) -> Row {
    let undone = item.undone.as_ref();
    // The state before the first of the commands is the one that is wanted back.
    let first = case.events.iter().find(|event| Some(&event.id) == item.events.first());
    let (restored, verified) = match undone {
        Some(undone) => (undone.restored, undone.how.clone()),
        None => (not_taken_back(item), not_taken_back_words(item, case)),
    };
    let size = if item.items > 1 { format!(" ({} items)", item.items) } else { String::new() };
    let lost = loss::Of {
        item,
        restored,
        promised: blast::promised_of(item, first),
        wanted: first.and_then(|event| blast::capture_of(item, event)),
        undo: undone.and_then(|undone| case.response.iter().find(|event| event.id == undone.by)),
    };
    let data_loss = loss::of(&lost, source, words);
    Row {
        target: words.line(spoken(&item.resource).as_slice()),
        system: item.system.to_string(),
        lost: format!("{}{size}", item.class),
        class: item.class.as_str(),
        restored,
        restored_words: restored.words(),
        verified,
        not_recoverable: why_not(item, restored, words),
        data_loss_short: data_loss.short(restored),
        data_loss,
        events: item.events.clone(),
        evidence: undone.map(|undone| undone.by),
        production: item.production.is_some(),
    }
}

fn not_taken_back(item: &Item) -> Recovered {
    match item.comes_back {
        Outlook::NotAtAll | Outlook::Unknown => Recovered::NotRecoverable,
        _ => Recovered::NotYet,
    }
}

/// An undo of a later command left the thing as an earlier one had made it.
fn not_taken_back_words(item: &Item, case: &Case) -> String {
    let stands =
        |id: &&EventId| !case.events.iter().any(|event| event.id == **id && event.undone_by.is_some());
    let standing: Vec<String> = item.events.iter().filter(stands).map(ToString::to_string).collect();
    match standing.len() < item.events.len() {
        true => format!("event {} of it was not taken back", standing.join(", ")),
        false => "nothing was taken back".to_owned(),
    }
}

/// What of it is not back, in words.
fn why_not(item: &Item, restored: Recovered, words: &Words) -> Vec<String> {
    let mut why: Vec<String> = item.missing.iter().map(|missing| words.line(missing)).collect();
    let own = item.undone.iter().flat_map(|undone| &undone.left).map(|left| words.line(left));
    match restored {
        Recovered::Exact => {}
        Recovered::NewIdentity => {
            why.push("its identity (id, address, times) is another one".to_owned());
            why.extend(own);
        }
        Recovered::RecordOnly => why.push("only the record of it is back, not the thing".to_owned()),
        Recovered::Partial => {
            why.extend(own);
            if why.is_empty() && item.undone.as_ref().is_some_and(|undone| undone.uncertain) {
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
