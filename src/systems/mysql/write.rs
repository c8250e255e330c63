//! Rows back to what they were, in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::catalog::{self, Foreign, full, pair};
use super::connection::Connection;
use super::look::{self, Place};
use super::session::Client;
use super::value;
use crate::error::{Error, Result};
use crate::model::StepOutcome;
use crate::systems::ApplyCx;
use crate::systems::tables::{Column, Move, Moves, Row, State, Table, as_recorded, fields, parents_first};

/// How much one statement puts in.
const AT_ONCE: usize = 256 << 10;
/// How many keys one statement names.
const KEYS: usize = 500;

/// What writing works with.
pub struct Writing<'a> {
    /// The way to the server.
    pub connection: &'a Connection,
    /// When it is ended.
    pub until: Instant,
    /// Where states are.
    pub place: &'a Place<'a>,
    /// The step's context.
    pub cx: &'a ApplyCx<'a>,
}

impl Writing<'_> {
    /// A session in which values come in as they are: a statement that fails ends it.
    pub fn session(&self) -> Result<Client> {
        let mut client = Client::open(self.connection, self.until, false)?;
        client.run(
            "SET SESSION time_zone = '+00:00', foreign_key_checks = 0, innodb_lock_wait_timeout = 10, lock_wait_timeout = 10, \
             sql_mode = 'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'",
        )?;
        client.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
        Ok(client)
    }

    /// Writes the rows of tables that are there.
    pub fn rows(&self, before: &State, now: &State, moved: &BTreeMap<String, Moves>) -> Result<StepOutcome> {
        let mut client = self.session()?;
        let mut own = before.clone();
        own.read.retain(|name, _| moved.contains_key(name));
        (own.defined, own.scope) = (None, Vec::new());
        let lock = Place { lock: true, contents: None, ..*self.place };
        client.run("START TRANSACTION")?;
        let present = look::now(&mut client, &own, &lock)?;
        let digest = |state: &State, name: &String| state.read.get(name).map(|t| (t.there, t.digest));
        let same = own.read.keys().all(|name| digest(&present, name) == digest(now, name));
        if !same {
            return Ok(StepOutcome::Conflict {
                reason: "somebody changed it between plan and undo".to_owned(),
            });
        }
        match self.inside(&mut client, &own, moved, &lock) {
            Ok(()) => {
                client.run("COMMIT").map_err(|e| e.context("nothing was written"))?;
                self.counters(&mut client, before, moved.keys())?;
                Ok(StepOutcome::Done)
            }
            // The session is over, and the server rolls back.
            Err(e) => Ok(StepOutcome::Failed { reason: format!("nothing was written: {e}") }),
        }
    }

    fn inside(
        &self,
        client: &mut Client,
        before: &State,
        moved: &BTreeMap<String, Moves>,
        lock: &Place<'_>,
    ) -> Result<()> {
        let foreign = catalog::foreign(client)?;
        let parents = |name: &str| -> Vec<String> {
            foreign.iter().filter(|f| full(&f.child) == name).map(|f| full(&f.parent)).collect()
        };
        let order = parents_first(moved.keys().cloned().collect(), &parents);
        let of = |name: &String| before.read.get(name).zip(moved.get(name));
        // Old values first: what refers to a row that goes may be among them. What comes needs the places of what goes.
        for (name, (table, moves)) in order.iter().filter_map(|name| Some((name, of(name)?))) {
            self.put(client, name, (table, moves), Move::Update)?;
        }
        for (name, (table, moves)) in order.iter().rev().filter_map(|name| Some((name, of(name)?))) {
            self.remove(client, name, table, moves, &foreign)?;
        }
        for (name, (table, moves)) in order.iter().filter_map(|name| Some((name, of(name)?))) {
            self.put(client, name, (table, moves), Move::Insert)?;
            (self.cx.progress)(moves.rows.len() as u64);
        }
        for name in &order {
            let (Some(table), Some(moves)) = (before.read.get(name), moved.get(name)) else { continue };
            dangling(client, (name, table), moves, &foreign)?;
        }
        let now = look::now(client, before, lock)?;
        as_recorded(before, &now, std::iter::empty(), moved, self.place.source)
    }

    /// Takes out what the command added, unless something of others refers to it by now.
    fn remove(
        &self,
        client: &mut Client,
        name: &str,
        table: &Table,
        moves: &Moves,
        foreign: &[Foreign],
    ) -> Result<()> {
        let gone: Vec<&[u8]> =
            moves.rows.iter().filter(|(_, m)| *m == Move::Remove).map(|(key, _)| key.as_slice()).collect();
        if table.key.is_empty() {
            return Ok(());
        }
        for some in gone.chunks(KEYS) {
            let these = value::with_keys((&table.columns, &table.key), "t", some.iter().copied());
            for f in foreign.iter().filter(|f| full(&f.parent) == name && f.child != f.parent) {
                let on: Vec<String> = joined(f, "c", "t");
                let query = format!(
                    "SELECT 1 FROM {} AS c JOIN {name} AS t ON {} WHERE {these} LIMIT 1",
                    full(&f.child),
                    on.join(" AND ")
                );
                if client.value(&query)?.is_some() {
                    let (child, own) = (full(&f.child).replace('`', ""), name.replace('`', ""));
                    return Err(Error::failure(format!(
                        "rows of {child} refer to rows of {own} that the command added"
                    )));
                }
            }
            client.run(&format!("DELETE t FROM {name} AS t WHERE {these}"))?;
        }
        Ok(())
    }

    /// Gives old values to rows that are there, or puts in those that are gone.
    fn put(&self, client: &mut Client, name: &str, (table, moves): (&Table, &Moves), of: Move) -> Result<()> {
        let mut wanted: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for (key, _) in moves.rows.iter().filter(|(_, m)| *m == of) {
            // Equal rows of a table without a key are numbered.
            let plain = match table.key.is_empty() {
                true => key.split(|b| *b == b'#').next().unwrap_or(key).to_vec(),
                false => key.clone(),
            };
            *wanted.entry(plain).or_default() += 1;
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let mut filler = Filler::new(name, table);
        table.each_row(self.place.source, &mut |line| {
            let Some(left) = wanted.get_mut(&Row(line).key(&table.key)).filter(|left| **left > 0) else {
                return Ok(());
            };
            *left -= 1;
            match of {
                Move::Insert => filler.give(client, line),
                _ => client.run(&updated(name, table, line)),
            }
        })?;
        filler.flush(client)?;
        match wanted.values().any(|left| *left > 0) {
            true => {
                Err(Error::corrupt(format!("not all rows of {} are in the store", name.replace('`', ""))))
            }
            false => Ok(()),
        }
    }

    /// Counters that the command set back go on where they were. They are never set back.
    pub fn counters<'n>(
        &self,
        client: &mut Client,
        before: &State,
        tables: impl Iterator<Item = &'n String>,
    ) -> Result<()> {
        for name in tables {
            let Some((next, _)) = before.sequences.get(name) else { continue };
            // A lower number than the highest in use is raised to it by the server.
            client.run(&format!("ALTER TABLE {name} AUTO_INCREMENT = {next}"))?;
        }
        Ok(())
    }
}

fn joined(f: &Foreign, child: &str, parent: &str) -> Vec<String> {
    let same = |(from, to): &(String, String)| {
        format!("{child}.{} = {parent}.{}", value::ident(from), value::ident(to))
    };
    f.columns.iter().map(same).collect()
}

/// Foreign keys are not checked while rows come, since nothing can be deferred: those that came are checked at the end, and
/// what they refer to is locked.
fn dangling(
    client: &mut Client,
    (name, table): (&str, &Table),
    moves: &Moves,
    foreign: &[Foreign],
) -> Result<()> {
    let came: Vec<&[u8]> =
        moves.rows.iter().filter(|(_, m)| *m != Move::Remove).map(|(key, _)| key.as_slice()).collect();
    for f in foreign.iter().filter(|f| full(&f.child) == name) {
        let on = joined(f, "t", "p");
        let set: Vec<String> =
            f.columns.iter().map(|(from, _)| format!("t.{} IS NOT NULL", value::ident(from))).collect();
        let chunks: Vec<String> = match table.key.is_empty() {
            true => vec!["1 = 1".to_owned()],
            false => came
                .chunks(KEYS)
                .map(|some| value::with_keys((&table.columns, &table.key), "t", some.iter().copied()))
                .collect(),
        };
        for these in chunks {
            let query = format!(
                "SELECT 1 FROM {name} AS t WHERE ({these}) AND {} AND NOT EXISTS \
                 (SELECT 1 FROM {} AS p WHERE {} LOCK IN SHARE MODE) LIMIT 1",
                set.join(" AND "),
                full(&f.parent),
                on.join(" AND ")
            );
            if client.value(&query)?.is_some() {
                let (own, parent) = (name.replace('`', ""), full(&f.parent).replace('`', ""));
                return Err(Error::failure(format!(
                    "rows of {own} would refer to rows of {parent} that are not there"
                )));
            }
        }
    }
    Ok(())
}

fn updated(name: &str, table: &Table, line: &[u8]) -> String {
    let all: Vec<(&Column, &[u8])> = table.columns.iter().zip(fields(line)).collect();
    let sets: Vec<String> = all
        .iter()
        .enumerate()
        .filter(|(at, (column, _))| !column.computed && !table.key.contains(at))
        .map(|(_, (column, field))| {
            format!("t.{} = {}", value::ident(&column.name), value::sql(field, column))
        })
        .collect();
    let key = Row(line).key(&table.key);
    let these = value::with_keys((&table.columns, &table.key), "t", std::iter::once(key.as_slice()));
    match sets.is_empty() {
        true => "DO 0".to_owned(),
        false => format!("UPDATE {name} AS t SET {} WHERE {these}", sets.join(", ")),
    }
}

/// Puts rows into a table, many with one statement.
pub struct Filler<'a> {
    head: String,
    columns: &'a [Column],
    skipped: BTreeSet<usize>,
    text: String,
}

impl<'a> Filler<'a> {
    /// For the rows of `table`, into `name`.
    pub fn new(name: &str, table: &'a Table) -> Filler<'a> {
        let skipped: BTreeSet<usize> =
            table.columns.iter().enumerate().filter(|(_, c)| c.computed).map(|(at, _)| at).collect();
        let names: Vec<String> =
            table.columns.iter().filter(|c| !c.computed).map(|c| value::ident(&c.name)).collect();
        let head = format!("INSERT INTO {name} ({}) VALUES ", names.join(", "));
        Filler { head, columns: &table.columns, skipped, text: String::new() }
    }

    /// One row.
    pub fn give(&mut self, client: &mut Client, line: &[u8]) -> Result<()> {
        let values: Vec<String> = fields(line)
            .zip(self.columns)
            .enumerate()
            .filter(|(at, _)| !self.skipped.contains(at))
            .map(|(_, (field, column))| value::sql(field, column))
            .collect();
        self.text.push_str(if self.text.is_empty() { "(" } else { ",(" });
        self.text.push_str(&values.join(","));
        self.text.push(')');
        if self.text.len() > AT_ONCE { self.flush(client) } else { Ok(()) }
    }

    /// The rest.
    pub fn flush(&mut self, client: &mut Client) -> Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.text);
        client.run(&format!("{}{text}", self.head))
    }
}

/// The database of a table's full name.
pub fn database_of(name: &str) -> String {
    pair(name).0
}
