//! Carries out a step: one transaction, with the tables locked and looked at once more. What differs from the plan, or is not
//! as recorded at its end, is rolled back.

use std::time::{Duration, Instant};

use super::look::{self, Place};
use super::plan::{self, Work};
use super::session::Psql;
use super::{alter, database, into, write};
use crate::error::Result;
use crate::model::{Step, StepOutcome, Verification};
use crate::systems::ApplyCx;
use crate::systems::tables::{Overlay, Payload, State, Table, View};

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload = Payload::read(step)?;
    let before = payload.before(cx.source)?;
    let connection = look::connection_of(&before, &step.locator.at);
    let until = Instant::now() + LIMIT;
    let mut psql = Psql::open(&connection, until)?;
    let overlay = Overlay::new(cx.source);
    let contents: Option<&dyn crate::model::ObjectSink> = payload.aimed.is_some().then_some(&overlay);
    let place = Place { connection: &connection, source: &overlay, sink: &overlay, contents };
    psql.run("BEGIN; SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = 0")?;
    look::same_database(&mut psql, &before)?;
    if let Err(e) = write::lock(&mut psql, &before) {
        return Ok(StepOutcome::Conflict { reason: format!("the tables could not be locked: {e}") });
    }
    let now = look::now(&mut psql, &before, &place)?;
    let done = match &payload.aimed {
        Some(aimed) => {
            let (aim, moves) = match aimed.resolve(&before, &now, &overlay)? {
                Ok(found) => found,
                Err(reason) => return Ok(StepOutcome::Conflict { reason }),
            };
            match &aimed.beside {
                Some(beside) => into::beside(&mut psql, (&aimed.table, beside), &aim, &place),
                None => {
                    let mut work = Work::default();
                    work.rows.moves.insert(aimed.table.clone(), moves);
                    carry_out(&mut psql, (&aim, &now), &work, &place, cx)
                }
            }
        }
        None if now.digest() != payload.now => {
            let reason = "somebody changed it between plan and undo".to_owned();
            return Ok(StepOutcome::Conflict { reason });
        }
        None => {
            let after = payload.after(&now, &overlay)?;
            let work = Work::of(&before, after.as_ref(), &now, &overlay)?;
            if !work.databases.is_empty() || !work.made.is_empty() {
                psql.run("ROLLBACK")?;
                return databases(&mut psql, &before, &work, &place, until);
            }
            carry_out(&mut psql, (&before, &now), &work, &place, cx)
        }
    };
    match done {
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

/// Reads again what a policy wrote.
pub fn verify(step: &Step, cx: &ApplyCx<'_>) -> Result<Verification> {
    let payload = Payload::read(step)?;
    let Some(aimed) = &payload.aimed else {
        return Ok(Verification::NotVerified { reason: "it is no step of a policy".to_owned() });
    };
    let before = payload.before(cx.source)?;
    let connection = look::connection_of(&before, &step.locator.at);
    let mut psql = Psql::open(&connection, Instant::now() + LIMIT)?;
    let overlay = Overlay::new(cx.source);
    let place = Place { connection: &connection, source: &overlay, sink: &overlay, contents: None };
    look::begin_reading(&mut psql)?;
    let mut wanted = before;
    if let Some(beside) = &aimed.beside {
        let table = wanted.read.remove(&aimed.table).unwrap_or_else(Table::absent);
        wanted.read = [(beside.clone(), Table { view: View::All, ..table })].into();
        let now = look::now(&mut psql, &wanted, &place)?;
        let there = now.read.values().map(|table| table.count).sum::<u64>();
        return Ok(match there == aimed.rows.len() as u64 {
            true => Verification::Verified,
            false => Verification::Failed { reason: format!("{beside} has {there} rows") },
        });
    }
    wanted.read.retain(|name, _| *name == aimed.table);
    let now = look::now(&mut psql, &wanted, &place)?;
    Ok(match aimed.differing(&now, &overlay)? {
        0 => Verification::Verified,
        n => Verification::Failed { reason: format!("{n} rows are not what they were to be") },
    })
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
        let done = database::make(psql, name, &parts, place, until)?;
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
    // A partition that is made anew for a table that is there is attached when it has its own keys: attaching makes those that
    // it lacks.
    let is_gone = |e: &super::definitions::Entry| {
        gone.contains(&("TABLE".to_owned(), e.schema.clone(), e.name.clone()))
    };
    let joins = |e: &super::definitions::Entry| {
        e.kind == "TABLE ATTACH" && is_gone(e) && !gone.iter().any(|key| e.attaches_to(key))
    };
    for entry in entries.iter().filter(|e| !e.is_late() && !joins(e)) {
        if alter::make(psql, entry, perhaps(entry))? && entry.kind == "MATERIALIZED VIEW" {
            anew.push(entry);
        }
    }
    write::rows(psql, before, work, place, cx)?;
    let is_index = |e: &&&super::definitions::Entry| e.kind == "INDEX ATTACH";
    let late = || entries.iter().filter(|e| e.is_late());
    let attached = entries.iter().filter(|e| joins(e)).chain(late().filter(is_index));
    for entry in late().filter(|e| !is_index(e)).chain(attached) {
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
