//! Reading tables: before a command, after it, and at undo.

use std::collections::BTreeMap;
use std::time::Instant;

use super::catalog::{self, pair};
use super::connection::Connection;
use super::define;
use super::session::Client;
use super::value;
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, ObjectSink, ObjectSource, StateRef};
use crate::systems::CaptureCx;
use crate::systems::tables::{self, Adds, Column, How, Index, Relation, Select, State, Table, Taker, View};

/// How long a server is waited for where nothing is about to be lost, in seconds.
const PATIENCE: u64 = 120;
/// How many keys are asked for at once: above a thousand MariaDB makes a table of them.
const AT_ONCE: usize = 900;

/// How tables are selected from.
pub struct Queries;

impl Select for Queries {
    fn from(&self, relation: &Relation) -> String {
        relation.name.clone()
    }
    fn columns(&self, relation: &Relation, of: &str) -> String {
        value::columns(relation, of)
    }
}

/// Where states are read from and written to.
pub struct Place<'a> {
    /// Stored objects.
    pub source: &'a dyn ObjectSource,
    /// Takes indexes and definitions.
    pub sink: &'a dyn ObjectSink,
    /// Takes rows, where they are wanted.
    pub contents: Option<&'a dyn ObjectSink>,
    /// What is read is locked for the transaction.
    pub lock: bool,
}

/// A transaction that sees one moment and changes nothing; which server it is in.
pub fn begin_reading(client: &mut Client) -> Result<BTreeMap<String, String>> {
    let left = client.left().as_secs().max(1);
    let attempts = [
        "SET SESSION lock_wait_timeout = 2".to_owned(),
        format!("SET SESSION max_statement_time = {left}"),
        format!("SET SESSION max_execution_time = {}", left * 1000),
    ];
    let [own, server] = catalog::IDENTITY;
    let isolation = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";
    let snapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT";
    let [_, _, own, server] = client.begin(&attempts, [isolation, snapshot, own, server])?;
    Ok(catalog::identified(&[own, server]))
}

/// How a recorded state is reached.
pub fn connection_of(state: &State, captured_in: &Bytes) -> Connection {
    Connection { words: state.access.clone(), cwd: captured_in.clone() }
}

/// Checks that a connection still leads to the recorded server.
///
/// # Errors
/// Where it leads to another one: nothing there is what was captured.
pub fn same_server(client: &mut Client, recorded: &State) -> Result<()> {
    is_recorded(&catalog::identity(client)?, recorded)
}

fn is_recorded(now: &BTreeMap<String, String>, recorded: &State) -> Result<()> {
    if recorded.server.is_empty() || catalog::is_same(&recorded.server, now) {
        return Ok(());
    }
    Err(Error::failure("the connection leads to another server than the recorded one"))
}

/// The state now of what a capture covers.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let earlier = State::load(&captured.state, cx.source)?;
    let contents = cx.contents.then_some(cx.sink);
    again(&earlier, captured, contents, cx, tables::until(cx, PATIENCE))?.store(cx.sink)
}

/// Reads again what an earlier state covers. `contents`: where rows are wanted too.
pub fn again(
    earlier: &State,
    captured: &Capture,
    contents: Option<&dyn ObjectSink>,
    cx: &CaptureCx<'_>,
    until: Instant,
) -> Result<State> {
    let mut client = Client::open(&connection_of(earlier, &captured.locator.at), until, true)?;
    let server = begin_reading(&mut client)?;
    is_recorded(&server, earlier)?;
    now(&mut client, earlier, &Place { source: cx.source, sink: cx.sink, contents, lock: false })
}

/// The state now of what an earlier one covers, inside a transaction of this session.
pub fn now(client: &mut Client, earlier: &State, place: &Place<'_>) -> Result<State> {
    let mut state = State::new(&earlier.system, earlier.server.clone(), earlier.access.clone());
    state.scope.clone_from(&earlier.scope);
    for (name, before) in &earlier.read {
        let (database, table) = pair(name);
        let found = catalog::relations(client, &database, Some(&table), 0)?;
        let table = match found.into_values().find(|r| r.kind == 'r') {
            Some(relation) => covered(client, &relation, before, place)?,
            None => Table {
                view: before.view.clone(),
                covers: before.covers.clone(),
                adds: before.adds,
                ..Table::absent()
            },
        };
        state.read.insert(name.clone(), table);
    }
    if earlier.defined.is_some() {
        let found = define::definitions(client, &earlier.scope)?;
        tables::define(&mut state, &found.all, place.sink)?;
        state.sequences = counters(found.counters);
    }
    Ok(state)
}

/// The next numbers of tables.
pub fn counters(of: Vec<(String, i64)>) -> BTreeMap<String, (i64, bool)> {
    of.into_iter().map(|(name, next)| (name, (next, false))).collect()
}

/// Reads a table for the first time.
pub fn table(
    client: &mut Client,
    relation: &Relation,
    how: &How,
    sink: &dyn ObjectSink,
) -> Result<(Table, Index)> {
    let (view, queries) = match how {
        How::All => (View::All, vec![all(relation)]),
        How::Rows(queries) => (View::Keys, queries.clone()),
        How::Since => {
            let last = last(client, relation)?;
            (View::Since(last.clone()), vec![since(relation, &last)])
        }
    };
    read(client, relation, view, &queries, Taker::new(&relation.key, Some(sink)), None)
}

fn covered(client: &mut Client, relation: &Relation, earlier: &Table, place: &Place<'_>) -> Result<Table> {
    let before = earlier.index(place.source)?;
    let lock = if place.lock { " FOR UPDATE" } else { "" };
    let mut queries: Vec<String> = match &earlier.view {
        View::All => vec![all(relation)],
        View::Since(last) => vec![since(relation, last)],
        // Keys of another shape are asked for as they were.
        View::Keys if relation.key != earlier.key || relation.columns != earlier.columns => {
            vec![all(relation)]
        }
        View::Keys => {
            let covers = Index::load(&earlier.covers, place.source)?;
            let keys: Vec<&Vec<u8>> = covers.0.keys().collect();
            let shape: (&[Column], &[usize]) = (&relation.columns, &relation.key);
            let query = |some: &[&Vec<u8>]| {
                let keys = some.iter().map(|key| key.as_slice());
                format!("{} WHERE {}", all(relation), value::with_keys(shape, "t", keys))
            };
            keys.chunks(AT_ONCE).map(query).collect()
        }
    };
    queries.iter_mut().for_each(|query| query.push_str(lock));
    let taker = Taker::new(&relation.key, place.contents).keeping_changed(place.sink);
    let (mut table, index) = read(client, relation, earlier.view.clone(), &queries, taker, Some(&before))?;
    table.covers.clone_from(&earlier.covers);
    table.index = index.store(place.sink)?;
    table.adds = Adds::Some;
    // Nobody tells who wrote a row: where the words do not tell how many come, they may be anybody's.
    table.writers = earlier.writers;
    Ok(table)
}

fn all(relation: &Relation) -> String {
    format!("SELECT {} FROM {} AS t", value::columns(relation, "t"), relation.name)
}

/// Rows with a higher number than the last one.
fn since(relation: &Relation, last: &str) -> String {
    let key = key_of(relation);
    format!("{} WHERE t.{key} > {last}", all(relation))
}

fn key_of(relation: &Relation) -> String {
    let column = relation.key.first().and_then(|at| relation.columns.get(*at));
    value::ident(column.map_or("", |c| c.name.as_str()))
}

fn last(client: &mut Client, relation: &Relation) -> Result<String> {
    let query = format!("SELECT MAX({}) FROM {}", key_of(relation), relation.name);
    Ok(client.value(&query)?.unwrap_or_else(|| "0".to_owned()))
}

fn read(
    client: &mut Client,
    relation: &Relation,
    view: View,
    queries: &[String],
    mut taker: Taker<'_>,
    known: Option<&Index>,
) -> Result<(Table, Index)> {
    for query in queries {
        client.rows(query, &mut |line| taker.row(&value::row(line, &relation.columns)?, None, known))?;
    }
    taker.finish()?;
    let table = Table {
        there: true,
        view,
        columns: relation.columns.clone(),
        key: relation.key.clone(),
        rows: std::mem::take(&mut taker.chunks),
        index: Vec::new(),
        covers: Vec::new(),
        digest: taker.index.digest(),
        count: taker.index.0.len() as u64,
        adds: Adds::Nothing,
        writers: 0,
        fires: Vec::new(),
    };
    Ok((table, std::mem::take(&mut taker.index)))
}
