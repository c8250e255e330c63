//! Old rows beside the present: in a table of another name, or in a database of their own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::catalog::{databases, full, pair};
use super::define;
use super::look::{self, Place};
use super::value::ident;
use super::write::{Filler, Writing};
use crate::error::{Error, ExitCode, Result};
use crate::model::{Capture, StepOutcome};
use crate::systems::ApplyCx;
use crate::systems::tables::{Overlay, State, Table, defined};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// Puts the rows of a state into a new table beside theirs.
pub fn beside(writing: &Writing<'_>, (table, beside): (&str, &str), aim: &State) -> Result<StepOutcome> {
    let Some(rows) = aim.read.get(table) else { return Ok(StepOutcome::Done) };
    let mut client = writing.session()?;
    let made = client.run(&format!("CREATE TABLE {beside} LIKE {table}"));
    let filled = made.and_then(|()| {
        let mut filler = Filler::new(beside, rows);
        client.run("START TRANSACTION")?;
        rows.each_row(writing.place.source, &mut |line| filler.give(&mut client, line))?;
        filler.flush(&mut client)?;
        client.run("COMMIT")
    });
    Ok(match filled {
        Ok(()) => StepOutcome::Done,
        Err(e) => StepOutcome::Failed { reason: e.to_string() },
    })
}

/// Makes the tables that were captured, with their rows, in a database that is not there yet. What else the capture holds is
/// told as left out.
pub fn restore_into(
    captured: &Capture,
    (kind, name): (&str, &str),
    cx: &ApplyCx<'_>,
) -> Result<(StepOutcome, Vec<String>)> {
    if !matches!(kind, "schema" | "database") || name.is_empty() {
        let what = format!("{kind}:{name} is no place for tables");
        return Err(Error::new(ExitCode::Usage, what)
            .hint("`--to schema:NAME` names a database, `--to DIR` a directory"));
    }
    let state = State::load(&captured.state, cx.source)?;
    let connection = look::connection_of(&state, &captured.locator.at);
    let overlay = Overlay::new(cx.source);
    let place = Place { source: &overlay, sink: &overlay, contents: None, lock: false };
    let writing = Writing { connection: &connection, until: Instant::now() + LIMIT, place: &place, cx };
    let mut client = writing.session()?;
    look::same_server(&mut client, &state)?;
    if databases(&mut client)?.iter().any(|there| there == name) {
        return Err(Error::new(ExitCode::Conflict, format!("database {name} is there already"))
            .hint("name one that is not there: nothing is written over"));
    }
    client.run(&format!("CREATE DATABASE {}", ident(name)))?;
    client.run(&format!("USE {}", ident(name)))?;
    let texts = defined(&state, &overlay)?;
    let (mut notes, mut taken) = (Vec::new(), BTreeSet::new());
    for (own, table) in &state.read {
        let bare = pair(own).1;
        if !table.there {
            notes.push(format!("{} was not there before", own.replace('`', "")));
            continue;
        }
        if !taken.insert(bare.clone()) {
            notes.push(format!(
                "{} was left out: another table of that name came first",
                own.replace('`', "")
            ));
            continue;
        }
        let into = full(&(name.to_owned(), bare));
        let text = texts.iter().find(|d| d.is_table() && d.name == *own);
        let made = text.and_then(|d| define::renamed(&d.sql, &into, true)).map(|(sql, _)| sql);
        client.run(&made.unwrap_or_else(|| plain(&into, table)))?;
        client.run("START TRANSACTION")?;
        let mut filler = Filler::new(&into, table);
        table.each_row(&overlay, &mut |line| filler.give(&mut client, line))?;
        filler.flush(&mut client)?;
        client.run("COMMIT")?;
        (cx.progress)(table.count);
    }
    let others = texts.iter().filter(|d| !d.is_table() && d.kind != "database").count();
    if others > 0 {
        notes.push(format!("{others} other definitions (views, triggers, routines, …) and foreign keys were left out: `--to DIR` writes them"));
    }
    Ok((StepOutcome::Done, notes))
}

/// A table of whose definition only the columns are known.
fn plain(name: &str, table: &Table) -> String {
    let type_of = |of: &str| match of.rsplit_once(' ') {
        Some((base, set)) if !matches!(set, "unsigned" | "zerofill") => format!("{base} CHARACTER SET {set}"),
        _ => of.to_owned(),
    };
    let columns = table.columns.iter().map(|c| format!("{} {}", ident(&c.name), type_of(&c.of)));
    let mut all: Vec<String> = columns.collect();
    let key: Vec<String> =
        table.key.iter().filter_map(|at| table.columns.get(*at)).map(|c| ident(&c.name)).collect();
    if !key.is_empty() {
        all.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    format!("CREATE TABLE {name} ({})", all.join(", "))
}
