//! Which event is meant when no id is given.

use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::{EventKind, Outcome};

/// How far back the latest event that changed something is looked for.
const LOOK_BACK: usize = 10_000;

/// The latest command that changed something and is not undone.
pub fn latest_undoable(index: &Index) -> Result<Event> {
    let filter = Filter { changes: true, limit: LOOK_BACK, ..Filter::default() };
    let found = index.timeline(&filter)?.into_iter().find(|e| {
        e.before.kind == EventKind::Command
            && e.undone_by.is_none()
            // A part is taken back with its line.
            && e.before.parent.is_none()
            && std::iter::once(e).chain(&e.parts).any(|e| !e.before.captures.is_empty())
            && ran(e)
    });
    found.ok_or_else(|| {
        Error::new(
            ExitCode::NothingToUndo,
            "nothing to undo: no recorded command changed anything that is not undone already",
        )
        .hint("`fr timeline --changes` lists what was recorded")
    })
}

fn ran(event: &Event) -> bool {
    event.after.as_ref().is_none_or(|a| a.outcome != Outcome::Refused)
}

/// The latest undo that is not itself taken back.
pub fn latest_undone(index: &Index) -> Result<Event> {
    let filter = Filter { changes: true, limit: LOOK_BACK, ..Filter::default() };
    let found = index.timeline(&filter)?.into_iter().find(|e| {
        matches!(e.before.kind, EventKind::Undo { .. })
            && e.undone_by.is_none()
            && !e.before.captures.is_empty()
    });
    found.ok_or_else(|| Error::new(ExitCode::NothingToUndo, "nothing to redo: no undo is there to take back"))
}

/// The undo that began and never ended, if there is one.
pub fn unfinished(index: &Index) -> Result<Option<Event>> {
    let filter = Filter { changes: true, limit: LOOK_BACK, ..Filter::default() };
    // A damaged event is none that could be gone on with, and must not keep the whole ones from being taken back.
    let recent = index.legible(&filter, |_, _| Ok(()))?;
    Ok(recent.into_iter().find(|e| {
        e.after.is_none() && matches!(e.before.kind, EventKind::Undo { .. } | EventKind::Redo { .. })
    }))
}
