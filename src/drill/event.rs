//! The evidence: a drill's outcome as an event in the user's own store.

use std::time::Duration;

use crate::error::{Error, ExitCode, Result};
use crate::journal::Durability;
use crate::model::{Actor, DrillOutcome, Drilled, EventId, EventKind};
use crate::platform::home::Home;
use crate::record::own::{self, Own};
use crate::store::Store;

/// Makes sure, before anything is rehearsed, that the outcome can be written down. True where the store was made now.
pub fn prepare(home: &Home) -> Result<bool> {
    let made = !home.exists();
    Store::open_or_create(home)?;
    let journal = home.journal();
    if journal.is_dir() {
        rustix::fs::access(&journal, rustix::fs::Access::WRITE_OK).map_err(|e| {
            Error::io("write to", &journal, &e.into())
                .hint("a drill records its outcome: set FR_HOME to a directory that can be written")
        })?;
    }
    Ok(made)
}

/// Writes the outcome down. Both halves at once: a drill that was broken off is no evidence.
pub fn record(
    drilled: Vec<Drilled>,
    began_ns: i64,
    took: Duration,
    actor: Actor,
    home: &Home,
) -> Result<EventId> {
    let code = exit_code(drilled.iter().map(|d| d.outcome)) as i32;
    let own = Own::now(EventKind::Drill { drilled }, "fr drill", actor);
    own::write(Own { began_ns, took: Some(took), code, ..own }, Durability::Durable, home)
}

/// 0 where all passed, 1 where one failed, 3 (done in part) where something was not rehearsed.
pub fn exit_code(outcomes: impl Iterator<Item = DrillOutcome>) -> ExitCode {
    outcomes.fold(ExitCode::Ok, |code, outcome| match (code, outcome) {
        (ExitCode::Failure, _) | (_, DrillOutcome::Failed) => ExitCode::Failure,
        (_, DrillOutcome::Skipped) => ExitCode::Partial,
        (code, DrillOutcome::Passed) => code,
    })
}
