//! Old rows beside the present: in a table of another name, or in a schema of their own.

use std::time::{Duration, Instant};

use super::look::{self, Place};
use super::query::{ident, literal};
use super::session::Psql;
use super::{alter, plan, write};
use crate::error::{Error, ExitCode, Result};
use crate::model::{Capture, StepOutcome};
use crate::systems::ApplyCx;
use crate::systems::tables::{Overlay, State};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// Puts the rows of a state into a new table beside theirs.
pub fn beside(psql: &mut Psql, (table, beside): (&str, &str), aim: &State, place: &Place<'_>) -> Result<()> {
    let Some(rows) = aim.read.get(table) else { return Ok(()) };
    psql.run(&format!("CREATE TABLE {beside} (LIKE {table} INCLUDING DEFAULTS INCLUDING GENERATED)"))?;
    write::load(psql, beside, rows, place, &mut |_| true)
}

/// Makes the tables that were captured, with their rows, in a schema that is not there yet. What else the capture holds is
/// told as left out.
pub fn restore_into(
    captured: &Capture,
    (kind, name): (&str, &str),
    cx: &ApplyCx<'_>,
) -> Result<(StepOutcome, Vec<String>)> {
    if kind != "schema" || name.is_empty() {
        let what = format!("{kind}:{name} is no place for tables");
        return Err(Error::new(ExitCode::Usage, what)
            .hint("`--to schema:NAME` names a schema, `--to DIR` a directory"));
    }
    let state = State::load(&captured.state, cx.source)?;
    let connection = look::connection_of(&state, &captured.locator.at);
    let mut psql = Psql::open(&connection, Instant::now() + LIMIT)?;
    let overlay = Overlay::new(cx.source);
    let place = Place { connection: &connection, source: &overlay, sink: &overlay, contents: None };
    psql.run("BEGIN")?;
    look::same_database(&mut psql, &state)?;
    let there = format!("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = {}", literal(name));
    if !psql.table(&there)?.is_empty() {
        return Err(Error::new(ExitCode::Conflict, format!("schema {name} is there already"))
            .hint("name one that is not there: nothing is written over"));
    }
    psql.run(&format!("CREATE SCHEMA {}", ident(name)))?;
    let notes = fill(&mut psql, &state, name, &place, cx)?;
    psql.run("COMMIT")?;
    Ok((StepOutcome::Done, notes))
}

fn fill(
    psql: &mut Psql,
    state: &State,
    schema: &str,
    place: &Place<'_>,
    cx: &ApplyCx<'_>,
) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    let mut taken = std::collections::BTreeSet::new();
    for (full, table) in &state.read {
        if !table.there {
            notes.push(format!("{full} was not there before"));
            continue;
        }
        let bare = last_part(full);
        if !taken.insert(bare.clone()) {
            notes.push(format!("{full} was left out: another table of that name came first"));
            continue;
        }
        let into = format!("{}.{bare}", ident(schema));
        // The types stand in the state: the table itself may be gone. Types of the database's own have to be there.
        let columns = table.columns.iter().map(|c| format!("{} {}", ident(&c.name), c.of));
        let columns: Vec<String> = columns.collect();
        psql.run(&format!("CREATE TABLE {into} ({})", columns.join(", "))).map_err(|e| e.context(full))?;
        write::load_as_they_were(psql, &into, table, place).map_err(|e| e.context(full))?;
        let key: Vec<String> =
            table.key.iter().filter_map(|at| table.columns.get(*at)).map(|c| ident(&c.name)).collect();
        if !key.is_empty() {
            psql.run(&format!("ALTER TABLE {into} ADD PRIMARY KEY ({})", key.join(", ")))?;
        }
        (cx.progress)(table.count);
    }
    if !state.definitions.is_empty() {
        let entries = plan::read(state, place.source)?.entries;
        let others = entries.iter().filter(|e| e.kind != "TABLE" && alter::why_not(e).is_none()).count();
        notes.push(format!("{others} other definitions (indexes, foreign keys, views, …) were left out: `--to DIR` writes them"));
    }
    notes.extend(state.databases.keys().map(|name| format!("database {name} was left out")));
    Ok(notes)
}

/// The name of a table without its schema, quoted as it is.
fn last_part(full: &str) -> String {
    let mut quoted = false;
    let mut start = 0;
    for (at, c) in full.char_indices() {
        quoted ^= c == '"';
        if c == '.' && !quoted {
            start = at + 1;
        }
    }
    full.get(start..).unwrap_or(full).to_owned()
}
