//! Carries out a step: one transaction, with the tables locked and looked at once more. What differs from the plan, or is not
//! as recorded at its end, is rolled back.

use std::time::{Duration, Instant};

use super::look::{self, Place};
use super::plan::{self, Payload, Work};
use super::session::Psql;
use super::{alter, database, write};
use crate::error::{Error, Result};
use crate::model::{ObjectId, StateRef, Step, StepOutcome};
use crate::systems::ApplyCx;
use crate::systems::tables::{Overlay, State};

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload: Payload = serde_json::from_value(step.payload.clone())
        .map_err(|e| Error::failure(format!("the plan's step for a database cannot be read: {e}")))?;
    let load = |id: ObjectId| State::load(&StateRef { digest: id, object: Some(id) }, cx.source);
    let before = load(payload.before)?;
    let connection = look::connection_of(&before, &step.locator.at);
    let until = Instant::now() + LIMIT;
    let mut psql = Psql::open(&connection, until)?;
    let overlay = Overlay::new(cx.source);
    let place = Place { connection: &connection, source: &overlay, sink: &overlay, contents: None };
    psql.run("BEGIN; SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = 0")?;
    look::same_database(&mut psql, &before)?;
    if let Err(e) = write::lock(&mut psql, &before) {
        return Ok(StepOutcome::Conflict { reason: format!("the tables could not be locked: {e}") });
    }
    let now = look::now(&mut psql, &before, &place)?;
    if now.digest() != payload.now {
        return Ok(StepOutcome::Conflict { reason: "somebody changed it between plan and undo".to_owned() });
    }
    let after = match (payload.left_alone, payload.after) {
        (true, _) => Some(now.clone()),
        (false, id) => id.map(load).transpose()?,
    };
    let work = Work::of(&before, after.as_ref(), &now, &overlay)?;
    if !work.databases.is_empty() || !work.made.is_empty() {
        psql.run("ROLLBACK")?;
        return databases(&mut psql, &before, &work, &place, until);
    }
    match carry_out(&mut psql, (&before, &now), &work, &place, cx) {
        Ok(()) => {
            psql.run("COMMIT").map_err(|e| e.context("nothing was written"))?;
            Ok(StepOutcome::Done)
        }
        Err(e) => {
            let _ = psql.run("ROLLBACK");
            Ok(StepOutcome::Failed { reason: format!("nothing was written: {e}") })
        }
    }
}

fn databases(
    psql: &mut Psql,
    before: &State,
    work: &Work,
    place: &Place<'_>,
    until: Instant,
) -> Result<StepOutcome> {
    for name in &work.made {
        database::remove(psql, name)?;
    }
    for name in &work.databases {
        let parts = before.databases.get(name).cloned().unwrap_or_default();
        let done = database::make(name, &parts, place.connection, place.source, until)?;
        if done != StepOutcome::Done {
            return Ok(done);
        }
    }
    Ok(StepOutcome::Done)
}

fn carry_out(
    psql: &mut Psql,
    (before, now): (&State, &State),
    work: &Work,
    place: &Place<'_>,
    cx: &ApplyCx<'_>,
) -> Result<()> {
    let changes = !work.difference.is_empty() || !work.rebuilt.is_empty();
    let definitions = if changes { plan::read(before, place.source)? } else { Default::default() };
    if changes {
        psql.run("SET LOCAL check_function_bodies = false; SET LOCAL search_path = ''; SET LOCAL row_security = off")?;
    }
    let rest = alter::take_away(psql, &work.difference, &work.rebuilt)?;
    let gone: std::collections::BTreeSet<_> = work.difference.gone.iter().map(|e| e.key()).collect();
    let changed: std::collections::BTreeSet<_> =
        work.difference.changed.iter().map(|(_, e)| e.key()).collect();
    let wanted = |key: &super::definitions::Key| rest || gone.contains(key) || changed.contains(key);
    let entries: Vec<_> = definitions.entries.iter().filter(|e| changes && wanted(&e.key())).collect();
    let perhaps = |e: &super::definitions::Entry| !gone.contains(&e.key());
    let mut anew = Vec::new();
    for entry in entries.iter().filter(|e| !e.is_late()) {
        if alter::make(psql, entry, perhaps(entry))? && entry.kind == "MATERIALIZED VIEW" {
            anew.push(entry);
        }
    }
    write::rows(psql, before, work, place, cx)?;
    for entry in entries.iter().filter(|e| e.is_late()) {
        alter::make(psql, entry, perhaps(entry))?;
    }
    for entry in anew {
        let name = format!("{}.{}", super::query::ident(&entry.schema), super::query::ident(&entry.name));
        psql.attempt(&format!("REFRESH MATERIALIZED VIEW {name}")).map_err(|e| e.context(entry.shown()))?;
    }
    if rest {
        // What others built on a table since, and what therefore went with it.
        let known: std::collections::BTreeSet<_> = definitions.entries.iter().map(|e| e.key()).collect();
        let made: std::collections::BTreeSet<_> = work.difference.made.iter().map(|e| e.key()).collect();
        let present = plan::read(now, place.source)?;
        for entry in present.entries.iter().filter(|e| !known.contains(&e.key()) && !made.contains(&e.key()))
        {
            alter::make(psql, entry, true)?;
        }
    }
    write::sequences(psql, before)?;
    write::verify(psql, before, work, place)
}
