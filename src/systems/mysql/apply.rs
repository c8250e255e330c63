//! Carries out a step. Rows are written in one transaction, locked, looked at once more before and after. What defines things
//! is written beside and put in its place by one renaming: MySQL commits with every such statement.

use std::time::{Duration, Instant};

use super::look::{self, Place};
use super::plan::Work;
use super::session::Client;
use super::{into, swap, write};
use crate::error::Result;
use crate::model::{ObjectSink, Step, StepOutcome, Verification};
use crate::systems::ApplyCx;
use crate::systems::tables::{Overlay, Payload, Table, View};

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload = Payload::read(step)?;
    let before = payload.before(cx.source)?;
    let connection = look::connection_of(&before, &step.locator.at);
    let until = Instant::now() + LIMIT;
    let overlay = Overlay::new(cx.source);
    let contents: Option<&dyn ObjectSink> = payload.aimed.is_some().then_some(&overlay);
    let place = Place { source: &overlay, sink: &overlay, contents, lock: false };
    let mut reader = Client::open(&connection, until, true)?;
    look::begin_reading(&mut reader)?;
    look::same_server(&mut reader, &before)?;
    let now = look::now(&mut reader, &before, &place)?;
    drop(reader);
    let writing = write::Writing { connection: &connection, until, place: &place, cx };
    if let Some(aimed) = &payload.aimed {
        let (aim, moves) = match aimed.resolve(&before, &now, &overlay)? {
            Ok(found) => found,
            Err(reason) => return Ok(StepOutcome::Conflict { reason }),
        };
        return match &aimed.beside {
            Some(beside) => into::beside(&writing, (&aimed.table, beside), &aim),
            None => writing.rows(&aim, &now, &[(aimed.table.clone(), moves)].into()),
        };
    }
    if now.digest() != payload.now {
        return Ok(StepOutcome::Conflict { reason: "somebody changed it between plan and undo".to_owned() });
    }
    let after = payload.after(&now, &overlay)?;
    let work = Work::of(&before, after.as_ref(), &now, &overlay)?;
    let redefines = !work.definitions.drop.is_empty() || !work.definitions.make.is_empty();
    if redefines && let Err(e) = swap::redefine(&writing, &before, &now, &work.definitions) {
        return Ok(StepOutcome::Failed { reason: format!("it came back in part: {e}") });
    }
    match work.rows.moves.is_empty() {
        true => Ok(StepOutcome::Done),
        false => writing.rows(&before, &now, &work.rows.moves),
    }
}

/// Reads again what a policy wrote.
pub fn verify(step: &Step, cx: &ApplyCx<'_>) -> Result<Verification> {
    let payload = Payload::read(step)?;
    let Some(aimed) = &payload.aimed else {
        return Ok(Verification::NotVerified { reason: "it is no step of a policy".to_owned() });
    };
    let mut wanted = payload.before(cx.source)?;
    let connection = look::connection_of(&wanted, &step.locator.at);
    let mut client = Client::open(&connection, Instant::now() + LIMIT, true)?;
    let overlay = Overlay::new(cx.source);
    let place = Place { source: &overlay, sink: &overlay, contents: None, lock: false };
    look::begin_reading(&mut client)?;
    (wanted.defined, wanted.scope) = (None, Vec::new());
    if let Some(beside) = &aimed.beside {
        let table = wanted.read.remove(&aimed.table).unwrap_or_else(Table::absent);
        wanted.read = [(beside.clone(), Table { view: View::All, ..table })].into();
        let now = look::now(&mut client, &wanted, &place)?;
        let there = now.read.values().map(|table| table.count).sum::<u64>();
        return Ok(match there == aimed.rows.len() as u64 {
            true => Verification::Verified,
            false => Verification::Failed { reason: format!("{beside} has {there} rows") },
        });
    }
    wanted.read.retain(|name, _| *name == aimed.table);
    let now = look::now(&mut client, &wanted, &place)?;
    Ok(match aimed.differing(&now, &overlay)? {
        0 => Verification::Verified,
        n => Verification::Failed { reason: format!("{n} rows are not what they were to be") },
    })
}
