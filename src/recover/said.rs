//! What the reversal of a reversal means to a person: nobody typed `fr undo 2` to have an undo, but to have a file back.

use crate::error::Result;
use crate::journal::index::{Event, Index};
use crate::model::{EventId, EventKind};

/// How many reversals of reversals are followed.
const DEEPEST: usize = 64;

/// The command whose effects are meant, where `event` is an undo or a redo: the line, which event it is, and what did it again.
/// `None` where the event is a command, or what it was about is not on record any more.
///
/// # Errors
/// Where the record cannot be read.
pub fn meant(event: &Event, index: &Index) -> Result<Option<String>> {
    let Some(first) = event.before.kind.reversal() else { return Ok(None) };
    let mut of: Vec<EventId> = first.of.clone();
    for _ in 0..DEEPEST {
        let Some(newest) = of.first().copied() else { return Ok(None) };
        let Some(found) = index.event(newest)? else { return Ok(None) };
        match found.before.kind.reversal() {
            Some(reversal) => of = reversal.of.clone(),
            None => return Ok(Some(words(event, &found, &of))),
        }
    }
    Ok(None)
}

fn words(event: &Event, command: &Event, of: &[EventId]) -> String {
    // The parts of a command are taken back with it, and are named behind the commands.
    let is_it = |id: &EventId| *id == command.id || command.parts.iter().any(|part| part.id == *id);
    let more = if of.iter().all(is_it) { "" } else { " and others" };
    let again = match event.before.kind {
        EventKind::Redo(_) => format!(", which redo {} brought about again", event.id),
        _ => String::new(),
    };
    format!("{} (event {}{more}{again})", command.before.command.line.lossy(), command.id)
}
