//! Carries out a step: one transaction with the write lock, looked at once more, from the copy that was captured.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::file::{self, MAIN, failed};
use super::look::{self, ROWID, ident};
use super::plan::Work;
use super::rows;
use super::value::value;
use crate::error::{Error, Result};
use crate::model::{Step, StepOutcome};
use crate::platform::scratch::ScratchDir;
use crate::systems::ApplyCx;
use crate::systems::tables::{Definition, Move, Moves, Overlay, Payload, State, Table, fields};

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload = Payload::read(step)?;
    let before = payload.before(cx.source)?;
    let path = step.locator.at.as_path();
    let overlay = Overlay::new(cx.source);
    let moved =
        || Ok(StepOutcome::Conflict { reason: "somebody changed it between plan and undo".to_owned() });
    let until = Instant::now() + LIMIT;
    if !path.exists() {
        let now = look::state(None, path, &overlay, until)?;
        let after = payload.after(&now, cx.source)?;
        let work = Work::of(&before, after.as_ref().or(Some(&now)), &now, &overlay)?;
        if now.digest() != payload.now || !work.whole {
            return moved();
        }
        if rows::is_rows(&before) {
            let reason = "the file is gone, and of it only rows were kept".to_owned();
            return Ok(StepOutcome::Failed { reason });
        }
        return whole(&before, path, cx).map(|()| StepOutcome::Done);
    }
    let scratch = ScratchDir::new("sqlite")?;
    let copy = scratch.path().join("old.db");
    match rows::is_rows(&before) {
        true => rows::scratch(&before, &copy, cx.source)?,
        false => file::write(&before, &copy, cx.source)?,
    }
    let db = file::open(path, true)?;
    if !before.database_digests.is_empty() {
        let name = copy.to_str().ok_or_else(|| Error::failure("the temporary directory has an odd name"))?;
        db.execute("ATTACH ?1 AS old", [name]).map_err(failed("open", &copy))?;
    }
    db.execute_batch("BEGIN IMMEDIATE").map_err(failed("lock", path))?;
    let mut now = match rows::is_rows(&before) {
        true => rows::again(&db, &before, path, (&overlay, &overlay), false)?,
        false => look::state(Some(&db), path, &overlay, until)?,
    };
    now.file = file::of(path);
    if now.digest() != payload.now {
        return moved();
    }
    let after = payload.after(&now, cx.source)?;
    let work = Work::of(&before, after.as_ref(), &now, &overlay)?;
    if work.remove {
        drop(db);
        return removed(path);
    }
    match inside(&db, &before, &work, path, cx) {
        Ok(()) => {
            db.execute_batch("COMMIT").map_err(failed("write", path))?;
            work.file.map_or(Ok(()), |old| file::give(path, old))?;
            Ok(StepOutcome::Done)
        }
        Err(e) => Ok(StepOutcome::Failed { reason: format!("nothing was written: {e}") }),
    }
}

/// The file itself is gone: the copy takes its place, unless somebody makes one first.
fn whole(before: &State, path: &Path, cx: &ApplyCx<'_>) -> Result<()> {
    file::write(before, path, cx.source)?;
    if let Some(old) = before.file {
        file::give(path, old)?;
    }
    (cx.progress)(1);
    Ok(())
}

fn removed(path: &Path) -> Result<StepOutcome> {
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match std::fs::remove_file(&name) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io("remove", &name, &e)),
            _ => {}
        }
    }
    Ok(StepOutcome::Done)
}

fn inside(db: &Connection, before: &State, work: &Work, path: &Path, cx: &ApplyCx<'_>) -> Result<()> {
    // SQLite checks foreign keys only where it is asked to: what was dangling may dangle again.
    let allowed = dangling(db, MAIN, path)?.max(dangling(db, "old", path)?);
    let run = |sql: &str| db.execute_batch(sql).map_err(failed("write", path));
    // Triggers of what is put back do not fire: they are made again at the end.
    let triggers: Vec<_> =
        look::definitions(db, MAIN, path)?.into_iter().filter(|d| d.kind == "trigger").collect();
    for trigger in &triggers {
        run(&format!("DROP TRIGGER IF EXISTS main.{}", ident(&trigger.name)))?;
    }
    for d in work.definitions.drop.iter().rev() {
        match d.kind.as_str() {
            look::SETTING => run(&format!("PRAGMA main.{} = 0", d.name))?,
            kind => run(&format!("DROP {kind} IF EXISTS main.{}", ident(&d.name)))?,
        }
    }
    // A virtual table makes the tables that it keeps its content in.
    let (first, then): (Vec<&Definition>, Vec<&Definition>) =
        work.definitions.make.iter().filter(|d| d.kind == "table").partition(|d| look::is_virtual(d));
    for d in first.into_iter().chain(then) {
        match look::has_table(db, &d.name, path)? {
            true => run(&format!("DELETE FROM main.{}", ident(&d.name)))?,
            false => run(&d.sql)?,
        }
        if let Some(table) = before.read.get(&d.name) {
            let columns = writable(table).join(", ");
            let name = ident(&d.name);
            run(&format!("INSERT INTO main.{name} ({columns}) SELECT {columns} FROM old.{name}"))?;
            (cx.progress)(table.count);
        }
    }
    for (name, moves) in &work.rows.moves {
        let Some(table) = before.read.get(name) else { continue };
        rows(db, name, table, moves, path)?;
        (cx.progress)(moves.rows.len() as u64);
    }
    for d in work.definitions.make.iter().filter(|d| d.kind != "table") {
        run(&d.sql)?;
    }
    // An index or a view that stood on a table that was dropped and made anew is gone with it.
    let dropped = |name: &String| {
        work.definitions
            .drop
            .iter()
            .chain(&work.definitions.make)
            .any(|d| d.kind == "table" && d.name == *name)
    };
    let there: Vec<_> = look::definitions(db, MAIN, path)?;
    let lacks = |d: &Definition| !there.iter().any(|t| t.kind == d.kind && t.name == d.name);
    for d in look::definitions(db, "old", path)?
        .iter()
        .filter(|d| d.kind == "index" && dropped(&d.table) && lacks(d))
    {
        run(&d.sql)?;
    }
    let gone =
        |d: &&Definition| !work.definitions.drop.iter().any(|g| g.kind == "trigger" && g.name == d.name);
    let made =
        |d: &&Definition| !work.definitions.make.iter().any(|m| m.kind == "trigger" && m.name == d.name);
    for d in triggers.iter().filter(gone).filter(made) {
        run(&d.sql)?;
    }
    counters(db, work, path)?;
    if dangling(db, MAIN, path)? > allowed {
        return Err(Error::failure("rows would refer to rows that are not there"));
    }
    Ok(())
}

/// How many rows refer to rows that are not there.
fn dangling(db: &Connection, of: &str, path: &Path) -> Result<i64> {
    let query = "SELECT count(*) FROM pragma_foreign_key_check WHERE schema = ?1";
    db.query_row(query, [of], |row| row.get(0)).map_err(failed("check", path))
}

/// `AUTOINCREMENT` goes on where it was.
fn counters(db: &Connection, work: &Work, path: &Path) -> Result<()> {
    let has: i64 = db
        .query_row("SELECT count(*) FROM old.sqlite_master WHERE name = 'sqlite_sequence'", [], |row| {
            row.get(0)
        })
        .map_err(failed("read", path))?;
    let tables = work
        .definitions
        .make
        .iter()
        .filter(|d| d.kind == "table")
        .map(|d| d.name.as_str())
        .chain(work.rows.moves.keys().map(String::as_str));
    for name in tables.filter(|_| has > 0) {
        let sql = "UPDATE main.sqlite_sequence SET seq = max(seq, (SELECT seq FROM old.sqlite_sequence WHERE name = ?1)) \
                   WHERE name = ?1 AND EXISTS (SELECT 1 FROM old.sqlite_sequence WHERE name = ?1)";
        db.execute(sql, [name]).map_err(failed("write", path))?;
    }
    Ok(())
}

fn writable(table: &Table) -> Vec<String> {
    let name = |name: &str| if name == ROWID { ROWID.to_owned() } else { ident(name) };
    table.columns.iter().filter(|c| !c.computed).map(|c| name(&c.name)).collect()
}

fn rows(db: &Connection, name: &str, table: &Table, moves: &Moves, path: &Path) -> Result<()> {
    let quoted = ident(name);
    let columns = writable(table);
    let key: Vec<String> = table
        .key
        .iter()
        .filter_map(|at| table.columns.get(*at))
        .map(|c| if c.name == ROWID { ROWID.to_owned() } else { ident(&c.name) })
        .collect();
    let is: Vec<String> = key.iter().enumerate().map(|(i, k)| format!("{k} IS ?{}", i + 1)).collect();
    let is = is.join(" AND ");
    let list = columns.join(", ");
    let sql = |of: Move| match of {
        Move::Remove => format!("DELETE FROM main.{quoted} WHERE {is}"),
        Move::Insert => {
            format!("INSERT INTO main.{quoted} ({list}) SELECT {list} FROM old.{quoted} WHERE {is}")
        }
        Move::Update => format!(
            "UPDATE main.{quoted} SET ({list}) = (SELECT {list} FROM old.{quoted} WHERE {is}) WHERE {is}"
        ),
    };
    for of in [Move::Remove, Move::Update, Move::Insert] {
        let mut statement = db.prepare(&sql(of)).map_err(failed("write", path))?;
        for (row, _) in moves.rows.iter().filter(|(_, m)| *m == of) {
            let values: Vec<Value> = fields(row).map(value).collect();
            let changed = statement.execute(params_from_iter(values)).map_err(failed("write", path))?;
            if changed != 1 {
                return Err(Error::failure(format!("a row of {name} is not where it was")));
            }
        }
    }
    Ok(())
}
