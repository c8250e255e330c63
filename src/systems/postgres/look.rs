//! Reading tables: before a command, after it, and at undo.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::catalog;
use super::connection::Connection;
use super::session::Psql;
use super::{database, dump, query};
use crate::error::{Error, Result};
use crate::model::{Capture, ObjectSink, ObjectSource, StateRef};
use crate::systems::CaptureCx;
use crate::systems::tables::{Adds, How, Index, Number, Relation, State, Table, Taker, View};

/// How long a server is waited for where nothing is about to be lost.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many keys are asked for at once.
const AT_ONCE: usize = 5_000;

/// Reads a table. `known`: the rows that were there before, to tell who wrote the others.
pub fn table(
    psql: &mut Psql,
    relation: &Relation,
    how: &How,
    moment: &str,
    sink: Option<&dyn ObjectSink>,
) -> Result<(Table, Index)> {
    let (view, queries) = match how {
        How::All => (View::All, vec![query::all(relation)]),
        How::Rows(queries) => (View::Keys, queries.clone()),
        How::Since => (View::Since(moment.to_owned()), vec![query::since(relation, moment)]),
    };
    read(psql, relation, view, &queries, Taker::new(&relation.key, sink), None)
}

fn read(
    psql: &mut Psql,
    relation: &Relation,
    view: View,
    queries: &[String],
    mut taker: Taker<'_>,
    known: Option<&Index>,
) -> Result<(Table, Index)> {
    for query in queries {
        psql.rows(query, &mut |line| {
            let at = line.iter().position(|b| *b == b'\t').unwrap_or(line.len());
            let (writer, row) = (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default());
            taker.row(row, known.map(|_| writer), known)
        })?;
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
        writers: taker.writers.len() as u64,
        fires: Vec::new(),
    };
    Ok((table, std::mem::take(&mut taker.index)))
}

/// The state now of what a capture covers.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let earlier = State::load(&captured.state, cx.source)?;
    let own = Instant::now() + PATIENCE;
    let until = cx.deadline.map_or(own, |deadline| deadline.min(own));
    let contents = cx.contents.then_some(cx.sink);
    again(&earlier, captured, contents, cx, until)?.store(cx.sink)
}

/// How a recorded state is reached.
pub fn connection_of(state: &State, captured_in: &crate::model::Bytes) -> Connection {
    Connection { env: state.access.clone(), cwd: captured_in.clone() }
}

/// Reads again what an earlier state covers. `contents`: where rows are wanted too.
pub fn again(
    earlier: &State,
    captured: &Capture,
    contents: Option<&dyn ObjectSink>,
    cx: &CaptureCx<'_>,
    until: Instant,
) -> Result<State> {
    let connection = connection_of(earlier, &captured.locator.at);
    let mut psql = Psql::open(&connection, until)?;
    begin_reading(&mut psql)?;
    same_database(&mut psql, earlier)?;
    let place = Place { connection: &connection, source: cx.source, sink: cx.sink, contents };
    let state = now(&mut psql, earlier, &place)?;
    psql.run("ROLLBACK")?;
    Ok(state)
}

/// A transaction that sees one moment and changes nothing.
pub fn begin_reading(psql: &mut Psql) -> Result<()> {
    let limit = psql.left().saturating_sub(Duration::from_millis(300)).as_millis().max(1);
    psql.run(&format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = {limit}"
    ))
}

/// Checks that a connection still leads to the recorded database.
///
/// # Errors
/// Where it leads to another one: nothing there is what was captured.
pub fn same_database(psql: &mut Psql, recorded: &State) -> Result<()> {
    let now = catalog::identity(psql)?;
    if recorded.server.is_empty() || catalog::is_same(&recorded.server, &now) {
        return Ok(());
    }
    let name = |of: &BTreeMap<String, String>| of.get("database").cloned().unwrap_or_default();
    let what = format!(
        "the connection leads to another database ({}) than the recorded one ({})",
        name(&now),
        name(&recorded.server)
    );
    Err(Error::failure(what).hint("a database that was dropped and made anew is another one"))
}

/// Where states are read from and written to.
pub struct Place<'a> {
    /// The way to the database.
    pub connection: &'a Connection,
    /// Stored objects.
    pub source: &'a dyn ObjectSource,
    /// Takes indexes and definitions.
    pub sink: &'a dyn ObjectSink,
    /// Takes rows, where they are wanted.
    pub contents: Option<&'a dyn ObjectSink>,
}

/// The state now of what an earlier one covers, inside a transaction of this session.
pub fn now(psql: &mut Psql, earlier: &State, place: &Place<'_>) -> Result<State> {
    let mut state = State::new(&earlier.system, earlier.server.clone(), earlier.access.clone());
    let names: BTreeSet<String> = earlier.read.keys().cloned().collect();
    let found = catalog::resolve(psql, &names)?;
    let oids: BTreeSet<Number> = found.values().flatten().map(|(oid, _, _)| *oid).collect();
    let relations = catalog::relations(psql, &oids)?;
    for (name, table) in &earlier.read {
        let relation = found.get(name).cloned().flatten().and_then(|(oid, _, _)| relations.get(&oid));
        let table = match relation {
            Some(relation) => covered(psql, relation, table, place)?,
            None => Table {
                view: table.view.clone(),
                covers: table.covers.clone(),
                adds: Adds::Some,
                ..Table::absent()
            },
        };
        state.read.insert(name.clone(), table);
    }
    if earlier.defined.is_some() {
        let definitions = dump::definitions(place.connection, None, psql.until)?;
        state.defined = Some(definitions.digest());
        state.definitions =
            vec![place.sink.put(crate::model::ObjectKind::Blob, definitions.text().as_bytes())?];
    }
    for name in earlier.sequences.keys() {
        state.sequences.extend(catalog::sequence(psql, name).ok().map(|value| (name.clone(), value)));
    }
    for name in earlier.databases.keys() {
        database::look(psql, name, place, &mut state)?;
    }
    Ok(state)
}

fn covered(psql: &mut Psql, relation: &Relation, earlier: &Table, place: &Place<'_>) -> Result<Table> {
    let before = earlier.index(place.source)?;
    let queries: Vec<String> = match &earlier.view {
        View::All => vec![query::all(relation)],
        View::Since(moment) => vec![query::since(relation, moment)],
        // Keys of another shape are asked for as they were.
        View::Keys if relation.key != earlier.key || relation.columns != earlier.columns => {
            vec![query::all(relation)]
        }
        View::Keys => {
            let covers = Index::load(&earlier.covers, place.source)?;
            let keys: Vec<&Vec<u8>> = covers.0.keys().collect();
            keys.chunks(AT_ONCE)
                .map(|some| query::with_keys(relation, some.iter().map(|k| k.as_slice())))
                .collect()
        }
    };
    let taker = Taker::new(&relation.key, place.contents).keeping_changed(place.sink);
    let (mut table, index) = read(psql, relation, earlier.view.clone(), &queries, taker, Some(&before))?;
    table.covers.clone_from(&earlier.covers);
    table.index = index.store(place.sink)?;
    table.adds = Adds::Some;
    Ok(table)
}
