//! Reading a database: its definitions and the rows of all its tables, in one transaction.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::NAME;
use super::file::{MAIN, failed};
use super::value::field;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink};
use crate::systems::tables::{Adds, Column, Definition, State, Table, Taker, View, define};

/// A name in quotes.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The definitions, tables first.
pub fn definitions(db: &Connection, of: &str, path: &Path) -> Result<Vec<Definition>> {
    let query = format!(
        "SELECT type, name, tbl_name, sql FROM {of}.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid"
    );
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Definition {
            kind: row.get(0)?,
            name: row.get(1)?,
            table: row.get(2)?,
            sql: row.get(3)?,
            within: String::new(),
            mode: String::new(),
        })
    };
    let mut statement = db.prepare(&query).map_err(failed("read", path))?;
    let all = statement.query_map([], read).map_err(failed("read", path))?;
    let mut all = all.collect::<rusqlite::Result<Vec<_>>>().map_err(failed("read", path))?;
    all.extend(settings(db, of, path)?);
    Ok(all)
}

/// The table is there.
pub fn has_table(db: &Connection, name: &str, path: &Path) -> Result<bool> {
    let query = "SELECT count(*) FROM main.sqlite_master WHERE type = 'table' AND name = ?1";
    let count: i64 = db.query_row(query, [name], |row| row.get(0)).map_err(failed("read", path))?;
    Ok(count > 0)
}

/// The kind of a number in the file's header that is the application's own: by it a program knows which of its migrations have
/// run.
pub const SETTING: &str = "setting";

/// Those of them that are not 0.
fn settings(db: &Connection, of: &str, path: &Path) -> Result<Vec<Definition>> {
    let mut out = Vec::new();
    for name in ["user_version", "application_id"] {
        let query = format!("PRAGMA {of}.{name}");
        let value: i64 = db.query_row(&query, [], |row| row.get(0)).map_err(failed("read", path))?;
        if value != 0 {
            out.push(Definition {
                kind: SETTING.to_owned(),
                name: name.to_owned(),
                table: String::new(),
                sql: format!("PRAGMA main.{name} = {value}"),
                within: String::new(),
                mode: String::new(),
            });
        }
    }
    Ok(out)
}

/// True for what SQLite lets nobody read row by row like a table.
pub fn is_virtual(definition: &Definition) -> bool {
    definition.sql.trim_start().to_ascii_uppercase().starts_with("CREATE VIRTUAL")
}

/// The state of a database; `absent` where there is no file.
pub fn state(db: Option<&Connection>, path: &Path, sink: &dyn ObjectSink, until: Instant) -> Result<State> {
    let mut state = State::new(NAME, BTreeMap::new(), BTreeMap::new());
    state.databases.insert(MAIN.to_owned(), Vec::new());
    let Some(db) = db else { return Ok(state) };
    let definitions = definitions(db, MAIN, path)?;
    for definition in definitions.iter().filter(|d| d.kind == "table" && !is_virtual(d)) {
        if Instant::now() > until {
            return Err(Error::failure("it was not read in time"));
        }
        state.read.insert(definition.name.clone(), table(db, &definition.name, path, sink)?);
    }
    define(&mut state, &definitions, sink)?;
    state.database_digests.insert(MAIN.to_owned(), ObjectId::of(ObjectKind::State, b"there"));
    Ok(state)
}

/// The columns of a key: their places in it and in the table.
type Key = Vec<(i64, usize)>;

/// A table's columns: name, type, place in the key (0: none), hidden (2, 3: computed).
fn own_columns(db: &Connection, name: &str, path: &Path) -> Result<(Vec<Column>, Key)> {
    let query = "SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid";
    let mut statement = db.prepare(query).map_err(failed("read", path))?;
    let read = |row: &rusqlite::Row<'_>| {
        let column =
            Column { name: row.get(0)?, of: row.get(1)?, computed: row.get::<_, i64>(3)? > 1, fixed: false };
        Ok((column, row.get::<_, i64>(2)?))
    };
    let all = statement.query_map([name], read).and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>);
    let all = all.map_err(failed("read", path))?;
    let key = all.iter().enumerate().filter(|(_, (_, pk))| *pk > 0).map(|(i, (_, pk))| (*pk, i)).collect();
    Ok((all.into_iter().map(|(column, _)| column).collect(), key))
}

/// The name under which a table without a key of its own is known row by row.
pub const ROWID: &str = "_rowid_";

/// A table's columns and the places of its key's; a table without a key has its row numbers before all columns.
pub fn columns(db: &Connection, name: &str, path: &Path) -> Result<(Vec<Column>, Vec<usize>)> {
    let (mut columns, mut key) = own_columns(db, name, path)?;
    key.sort_unstable();
    if !key.is_empty() {
        return Ok((columns, key.into_iter().map(|(_, at)| at).collect()));
    }
    // A table WITHOUT ROWID has a key, so this one has rowids.
    let rowid = Column { name: ROWID.to_owned(), of: "INTEGER".to_owned(), computed: false, fixed: false };
    columns.insert(0, rowid);
    Ok((columns, vec![0]))
}

/// Their names as SQL.
pub fn field_names(columns: &[Column]) -> Vec<String> {
    let name = |c: &Column| if c.name == ROWID { ROWID.to_owned() } else { ident(&c.name) };
    columns.iter().map(name).collect()
}

/// The rows of a query as lines.
pub fn lines(
    db: &Connection,
    query: &str,
    values: &[Value],
    count: usize,
    path: &Path,
    each: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut statement = db.prepare_cached(query).map_err(failed("read", path))?;
    let mut rows = statement.query(params_from_iter(values)).map_err(failed("read", path))?;
    while let Some(row) = rows.next().map_err(failed("read", path))? {
        let mut line: Vec<u8> = Vec::new();
        for at in 0..count {
            if at > 0 {
                line.push(b'\t');
            }
            line.extend(field(row.get_ref(at).map_err(failed("read", path))?));
        }
        each(&line)?;
    }
    Ok(())
}

fn table(db: &Connection, name: &str, path: &Path, sink: &dyn ObjectSink) -> Result<Table> {
    let (columns, key) = columns(db, name, path)?;
    let query = format!("SELECT {} FROM main.{}", field_names(&columns).join(", "), ident(name));
    let mut taker = Taker::new(&key, None);
    lines(db, &query, &[], columns.len(), path, &mut |line| taker.row(line, None, None))?;
    Ok(Table {
        there: true,
        view: View::All,
        columns,
        key,
        rows: Vec::new(),
        index: taker.index.store(sink)?,
        covers: Vec::new(),
        digest: taker.index.digest(),
        count: taker.index.0.len() as u64,
        adds: Adds::Some,
        writers: 0,
        fires: Vec::new(),
    })
}
