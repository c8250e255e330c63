//! Which events are undone: derived from undo and redo events whose after-half says that they took effect.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::Outcome;

type Sql<T> = rusqlite::Result<T>;

/// An undo that is done, or done in part (exit code 3), has taken effect.
pub(crate) fn took_effect(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Exited { code: 0 | 3 } | Outcome::Succeeded)
}

/// Marks what an undo or redo event has taken back. Other kinds take nothing back.
pub(crate) fn apply(db: &Connection, event: i64) -> Sql<()> {
    let sql = "SELECT kind FROM event WHERE id = ?";
    let kind: Option<i64> = db.prepare_cached(sql)?.query_row([event], |row| row.get(0)).optional()?;
    if !matches!(kind, Some(1 | 2)) {
        return Ok(());
    }
    for of in targets(db, event)? {
        mark(db, of, Some(event))?;
    }
    Ok(())
}

/// What an event takes back. Only earlier events count: that makes the recursion end.
fn targets(db: &Connection, event: i64) -> Sql<Vec<i64>> {
    let sql = "SELECT target.of FROM target JOIN event ON event.id = target.event \
               WHERE target.event = ?1 AND target.of < ?1 AND kind IN (1, 2)";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([event], |row| row.get(0))?;
    rows.collect()
}

/// Marks an event as undone by another, or as standing again. What it had taken back itself turns the other way: an
/// undo that is undone leaves its targets standing.
fn mark(db: &Connection, event: i64, by: Option<i64>) -> Sql<()> {
    let sql = "UPDATE event SET undone_by = ?2 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![event, by])?;
    for of in targets(db, event)? {
        mark(db, of, if by.is_some() { None } else { Some(event) })?;
    }
    Ok(())
}
