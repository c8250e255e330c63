//! The evidence: a drill's outcome as an event in the user's own store.

use std::time::Duration;

use crate::error::{Error, ExitCode, Result};
use crate::journal::{Durability, Journal};
use crate::model::{
    Actor, After, Before, Bytes, CommandText, DrillOutcome, Drilled, EventId, EventKind, Outcome, Record,
    Source,
};
use crate::platform::{clock, home::Home};
use crate::record;
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
    let journal = Journal::open(home)?;
    let session = format!("fr-{}", std::process::id());
    let code = exit_code(drilled.iter().map(|d| d.outcome));
    let outcome = Outcome::Exited { code: code as i32 };
    let before = Before {
        uid: record::new_uid(),
        at_ns: began_ns,
        kind: EventKind::Drill { drilled },
        session: session.clone(),
        call: None,
        actor,
        source: Source::Recorder,
        parent: None,
        command: CommandText { tool: "fr".to_owned(), line: Bytes::from("fr drill"), exact: None },
        cwd: Bytes::from(std::env::current_dir().unwrap_or_default()),
        effects: Vec::new(),
        captures: Vec::new(),
        warnings: Vec::new(),
        background: false,
        verdict: None,
    };
    let event = journal.append(&Record::Before(Box::new(before)), None, Durability::Buffered)?.event;
    let after = After {
        at_ns: clock::now_ns(),
        session,
        call: None,
        outcome,
        duration_ms: u64::try_from(took.as_millis()).ok(),
        post: Vec::new(),
        note: None,
    };
    journal.append(&Record::After(Box::new(after)), Some(event), Durability::Durable)?;
    Ok(event)
}

/// 0 where all passed, 1 where one failed, 3 (done in part) where something was not rehearsed.
pub fn exit_code(outcomes: impl Iterator<Item = DrillOutcome>) -> ExitCode {
    outcomes.fold(ExitCode::Ok, |code, outcome| match (code, outcome) {
        (ExitCode::Failure, _) | (_, DrillOutcome::Failed) => ExitCode::Failure,
        (_, DrillOutcome::Skipped) => ExitCode::Partial,
        (code, DrillOutcome::Passed) => code,
    })
}
