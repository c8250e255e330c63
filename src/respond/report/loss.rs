//! How old the state is that came back: what was written between that moment and the loss is lost, although the thing is there.

use serde::Serialize;

use crate::error::Result;
use crate::journal::index::Event;
use crate::model::{Capture, ObjectSource, Reversibility};
use crate::respond::blast::{Item, Recovered};
use crate::respond::incident::{Words, moment, span, utc};
use crate::systems::{self, Origin};

/// The data-loss window of one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Loss {
    /// The moment whose state came back, RFC 3339 in UTC; `null` where nothing did, or where it is not known.
    pub as_of: Option<String>,
    /// The same, nanoseconds since 1970.
    pub as_of_ns: Option<i64>,
    /// Milliseconds between that and the command; `null` where that is not known.
    pub window_ms: Option<i64>,
    /// In words.
    pub words: Vec<String>,
}

impl Loss {
    fn said(words: impl Into<String>) -> Loss {
        Loss { words: vec![words.into()], ..Loss::default() }
    }

    /// How much time is lost, for people; `none`, `unknown`, `in part` where not all is back, `-` where nothing is.
    pub fn short(&self, restored: Recovered) -> String {
        match (self.window_ms, restored) {
            (Some(0), _) => "none".to_owned(),
            (Some(ms), _) => span(ms * 1_000_000),
            (None, Recovered::NotYet | Recovered::NotRecoverable) => "-".to_owned(),
            (None, _) if self.as_of_ns.is_some() => "in part".to_owned(),
            (None, _) => "unknown".to_owned(),
        }
    }
}

/// A thing that was hit, with what the record has of it.
pub struct Of<'a> {
    /// It.
    pub item: &'a Item,
    /// How it came back.
    pub restored: Recovered,
    /// What its commands promised of it.
    pub promised: Reversibility,
    /// The capture of the state that was wanted back, and the event that took it.
    pub wanted: Option<(&'a Event, &'a Capture)>,
    /// The undo.
    pub undo: Option<&'a Event>,
}

/// What is lost of it.
pub fn of(of: &Of<'_>, source: Option<&dyn ObjectSource>, words: &Words) -> Loss {
    match (of.restored, of.wanted) {
        (Recovered::NotYet, _) => Loss::said("nothing of it is back yet"),
        (Recovered::NotRecoverable, _) => Loss::said("all of it: nothing is back"),
        (Recovered::RecordOnly, _) => Loss::said("unknown: only the record of it is back"),
        (_, None) => Loss::said("unknown: no capture of it is on record"),
        (Recovered::Exact, Some((event, _))) => captured(of, event),
        (_, Some((event, capture))) => match origins(of, capture, source) {
            Ok(origins) if origins.is_empty() => captured(of, event),
            Ok(origins) => elsewhere(&origins, event, words),
            Err(why) => {
                Loss::said(words.line(format!("unknown: what it came back from cannot be read: {why}")))
            }
        },
    }
}

/// The command ran after its capture was stored, so all that was written before is in it.
fn captured(of: &Of<'_>, event: &Event) -> Loss {
    let at_ns = event.before.at_ns;
    let text = match of.restored {
        Recovered::Partial => "none of what came back: it was captured just before the command",
        _ => "none: it was captured just before the command",
    };
    let window_ms = (of.restored != Recovered::Partial).then_some(0);
    Loss { as_of: Some(utc(at_ns)), as_of_ns: Some(at_ns), window_ms, words: vec![text.to_owned()] }
}

fn origins(
    of: &Of<'_>,
    capture: &Capture,
    source: Option<&dyn ObjectSource>,
) -> std::result::Result<Vec<Origin>, String> {
    // What is put back in place never comes from elsewhere.
    if of.promised < Reversibility::StateOnly {
        return Ok(Vec::new());
    }
    let Some(system) = systems::by_id(&capture.system.0) else { return Ok(Vec::new()) };
    let source = source.ok_or("the store cannot be opened")?;
    let then = of.undo.and_then(|undo| same_place(undo, capture));
    let found: Result<Vec<Origin>> = system.origins(capture, then, source);
    let mut found = found.map_err(|error| error.what)?;
    let resource = of.item.resource.lossy();
    if found.iter().any(|origin| resource.contains(&origin.target)) {
        found.retain(|origin| resource.contains(&origin.target));
    }
    Ok(found)
}

fn same_place<'e>(undo: &'e Event, capture: &Capture) -> Option<&'e Capture> {
    let same = |c: &&Capture| {
        c.system == capture.system && c.resource == capture.resource && c.locator.at == capture.locator.at
    };
    undo.before.captures.iter().find(same)
}

/// The oldest of what it came back from counts. What is not known of one is not known of all.
fn elsewhere(origins: &[Origin], event: &Event, words: &Words) -> Loss {
    let lost_ns = event.before.at_ns;
    let said = |origin: &Origin| match origin.at_ns {
        // Services tell whole seconds, and by a clock of their own.
        Some(at_ns) if is_fresh(at_ns, lost_ns) => {
            words.line(format!("none: {} was made just before the command", origin.from))
        }
        Some(at_ns) => words.line(format!(
            "what was written in {} before the command: {} is of {} UTC",
            span(lost_ns - at_ns),
            origin.from,
            moment(at_ns)
        )),
        None => words.line(format!("unknown: {}", origin.from)),
    };
    let mut all: Vec<String> = origins.iter().map(said).collect();
    all.dedup();
    let oldest = origins.iter().map(|origin| origin.at_ns).min().flatten();
    let window_ms = oldest.map(|at_ns| match is_fresh(at_ns, lost_ns) {
        true => 0,
        false => (lost_ns - at_ns) / 1_000_000,
    });
    Loss { as_of: oldest.map(utc), as_of_ns: oldest, window_ms, words: all }
}

/// It was made for this command.
fn is_fresh(at_ns: i64, lost_ns: i64) -> bool {
    lost_ns - at_ns < 1_000_000_000
}
