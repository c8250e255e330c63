//! Of a large database only the rows that a statement changes, where its condition can be asked beforehand: a copy of 5 GB
//! for three rows would take longer than anybody waits.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::NAME;
use super::file::{MAIN, failed};
use super::look::{self, ROWID, columns, field_names, ident, lines};
use super::value::value;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};
use crate::sql::{self, Act, Dialect, Touch};
use crate::systems::tables::{
    Adds, How, Index, Number, Reach, Reference, Relation, Select, State, Table, Taker, View, define, fields,
};

/// Marks a state that holds rows and no copy of the file.
const ROWS: &str = "rows";

/// True for such a state.
pub fn is_rows(state: &State) -> bool {
    state.access.contains_key(ROWS)
}

struct Queries;

impl Select for Queries {
    fn from(&self, relation: &Relation) -> String {
        relation.name.clone()
    }
    fn columns(&self, relation: &Relation, of: &str) -> String {
        field_names(&relation.columns)
            .iter()
            .map(|name| format!("{of}.{name}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The tables of a database, by name.
fn relations(db: &Connection, path: &Path) -> Result<BTreeMap<String, Relation>> {
    let mut out = BTreeMap::new();
    for definition in look::definitions(db, MAIN, path)?.iter().filter(|d| d.is_table()) {
        let number = out.len() as Number;
        let (columns, key) = columns(db, &definition.name, path)?;
        let name = format!("main.{}", ident(&definition.name));
        let bare = ident(&definition.name);
        let relation = Relation { number, name, bare, kind: 'r', bytes: 0, columns, key };
        out.insert(definition.name.clone(), relation);
    }
    Ok(out)
}

/// All foreign keys. They count where the session switches them on: what might go is read either way.
fn references(db: &Connection, all: &BTreeMap<String, Relation>, path: &Path) -> Result<Vec<Reference>> {
    let query = "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?1) ORDER BY id, seq";
    let rule = |text: String| match text.as_str() {
        "CASCADE" => 'c',
        "SET NULL" => 'n',
        "SET DEFAULT" => 'd',
        _ => 'a',
    };
    let mut out = Vec::new();
    for (name, child) in all {
        let mut statement = db.prepare(query).map_err(failed("read", path))?;
        let mut rows = statement.query([name]).map_err(failed("read", path))?;
        let mut last: Option<i64> = None;
        while let Some(row) = rows.next().map_err(failed("read", path))? {
            let text = |at: usize| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default);
            let (id, parent) =
                (row.get::<_, i64>(0).map_err(failed("read", path))?, text(1).map_err(failed("read", path))?);
            let found = all.iter().find(|(name, _)| name.eq_ignore_ascii_case(&parent)).map(|(_, r)| r);
            let Some(parent) = found else { continue };
            let (from, to) = (text(2).map_err(failed("read", path))?, text(3).map_err(failed("read", path))?);
            // Without a name the key of the parent is meant.
            let own = || parent.key.first().and_then(|at| parent.columns.get(*at)).map(|c| c.name.clone());
            let to = if to.is_empty() { own().unwrap_or_default() } else { to };
            if last == Some(id)
                && let Some(reference) = out.last_mut()
            {
                let reference: &mut Reference = reference;
                reference.from.push(ident(&from));
                reference.to.push(ident(&to));
                reference.to_plain.push(to);
                continue;
            }
            last = Some(id);
            out.push(Reference {
                child: child.number,
                parent: parent.number,
                on_update: rule(text(4).map_err(failed("read", path))?),
                on_delete: rule(text(5).map_err(failed("read", path))?),
                from: vec![ident(&from)],
                to: vec![ident(&to)],
                to_plain: vec![to],
                child_name: child.name.clone(),
            });
        }
    }
    Ok(out)
}

/// The rows that a script changes; `None` where they cannot be told beforehand, and only the whole file will do.
pub fn before(
    db: &Connection,
    script: &str,
    path: &Path,
    sink: &dyn ObjectSink,
    until: Instant,
) -> Result<Option<(State, u64)>> {
    let acts: Vec<Act> =
        sql::read(script, Dialect::Sqlite).acts.into_iter().filter(|a| a.touch != Touch::Nothing).collect();
    let all = relations(db, path)?;
    let find = |name: &sql::Name| {
        let plain = name.parts.last().map(|(text, _)| text.clone()).unwrap_or_default();
        all.iter().find(|(own, _)| own.eq_ignore_ascii_case(&plain)).map(|(_, r)| r.number)
    };
    let mut reach = Reach {
        select: &Queries,
        relations: all.values().map(|r| (r.number, r.clone())).collect(),
        references: references(db, &all, path)?,
        uses: BTreeMap::new(),
        tables: BTreeMap::new(),
    };
    let mut wanted = Vec::new();
    for act in &acts {
        let Touch::Rows(rows) = &act.touch else { return Ok(None) };
        let qualified = rows.table.parts.len() > 1 && rows.table.parts.first().is_none_or(|(p, _)| p != MAIN);
        let Some(number) = find(&rows.table).filter(|_| !qualified) else { return Ok(None) };
        *reach.uses.entry(number).or_default() += 1;
        wanted.push((number, rows));
    }
    wanted.iter().for_each(|(number, rows)| reach.rows(*number, rows));
    // What a trigger does is not followed.
    let with_trigger = look::definitions(db, MAIN, path)?;
    let fires = |r: &Relation| with_trigger.iter().any(|d| d.kind == "trigger" && ident(&d.table) == r.bare);
    if reach.tables.is_empty() || reach.tables.keys().any(|n| reach.relations.get(n).is_none_or(fires)) {
        return Ok(None);
    }
    let mut state = empty(db, path, sink)?;
    let mut bytes = 0;
    for (number, wish) in &reach.tables {
        let Some(relation) = reach.relations.get(number) else { continue };
        if Instant::now() > until {
            return Err(Error::failure("it was not read in time"));
        }
        let mut taker = Taker::new(&relation.key, Some(sink));
        let (view, queries) = match &wish.how {
            How::Rows(queries) => (View::Keys, queries.clone()),
            _ => (
                View::All,
                vec![format!("SELECT {} FROM {} AS t", Queries.columns(relation, "t"), relation.name)],
            ),
        };
        for query in &queries {
            // What SQLite does not understand of it, it says now.
            let Ok(()) =
                lines(db, query, &[], relation.columns.len(), path, &mut |line| taker.row(line, None, None))
            else {
                return Ok(None);
            };
        }
        taker.finish()?;
        bytes += taker.bytes;
        let table = table(relation, view, &mut taker, sink)?;
        let name = all.iter().find(|(_, r)| r.number == *number).map(|(name, _)| name.clone());
        state.read.insert(name.unwrap_or_default(), Table { covers: table.index.clone(), ..table });
    }
    Ok(Some((state, bytes)))
}

fn empty(db: &Connection, path: &Path, sink: &dyn ObjectSink) -> Result<State> {
    let access = [(ROWS.to_owned(), "only".to_owned())].into();
    let mut state = State::new(NAME, BTreeMap::new(), access);
    state.databases.insert(MAIN.to_owned(), Vec::new());
    state.database_digests.insert(MAIN.to_owned(), ObjectId::of(ObjectKind::State, b"there"));
    define(&mut state, &look::definitions(db, MAIN, path)?, sink)?;
    Ok(state)
}

fn table(relation: &Relation, view: View, taker: &mut Taker<'_>, sink: &dyn ObjectSink) -> Result<Table> {
    Ok(Table {
        there: true,
        view,
        columns: relation.columns.clone(),
        key: relation.key.clone(),
        rows: std::mem::take(&mut taker.chunks),
        index: taker.index.store(sink)?,
        covers: Vec::new(),
        digest: taker.index.digest(),
        count: taker.index.0.len() as u64,
        adds: Adds::Some,
        writers: 0,
        fires: Vec::new(),
    })
}

/// The state now of what such a state covers.
pub fn again(
    db: &Connection,
    earlier: &State,
    path: &Path,
    (source, sink): (&dyn ObjectSource, &dyn ObjectSink),
    contents: bool,
) -> Result<State> {
    let mut state = empty(db, path, sink)?;
    let all = relations(db, path)?;
    for (name, before) in &earlier.read {
        let Some(relation) = all.get(name) else {
            state.read.insert(name.clone(), Table { view: before.view.clone(), ..Table::absent() });
            continue;
        };
        let mut taker = Taker::new(&relation.key, contents.then_some(sink));
        let of = format!("SELECT {} FROM {} AS t", Queries.columns(relation, "t"), relation.name);
        let count = relation.columns.len();
        if before.view == View::Keys && relation.columns == before.columns {
            let names = field_names(&relation.columns);
            let key: Vec<&String> = relation.key.iter().filter_map(|at| names.get(*at)).collect();
            let is: Vec<String> =
                key.iter().enumerate().map(|(i, k)| format!("t.{k} IS ?{}", i + 1)).collect();
            let query = format!("{of} WHERE {}", is.join(" AND "));
            for key in Index::load(&before.covers, source)?.0.keys() {
                let values: Vec<Value> = fields(key).map(value).collect();
                lines(db, &query, &values, count, path, &mut |line| taker.row(line, None, None))?;
            }
        } else {
            lines(db, &of, &[], count, path, &mut |line| taker.row(line, None, None))?;
        }
        taker.finish()?;
        let now = table(relation, before.view.clone(), &mut taker, sink)?;
        state.read.insert(name.clone(), Table { covers: before.covers.clone(), ..now });
    }
    Ok(state)
}

/// A small database with the old rows, to put them back from.
pub fn scratch(before: &State, to: &Path, source: &dyn ObjectSource) -> Result<()> {
    let db = Connection::open(to).map_err(failed("write", to))?;
    db.execute_batch("BEGIN").map_err(failed("write", to))?;
    for (name, table) in before.read.iter().filter(|(_, t)| t.there) {
        let names = field_names(&table.columns);
        let own: Vec<&str> = names.iter().map(String::as_str).filter(|n| *n != ROWID).collect();
        let run = |sql: &str| db.execute_batch(sql).map_err(failed("write", to));
        run(&format!("CREATE TABLE {} ({})", ident(name), own.join(", ")))?;
        let marks: Vec<String> = (1..=names.len()).map(|i| format!("?{i}")).collect();
        let sql = format!("INSERT INTO {} ({}) VALUES ({})", ident(name), names.join(", "), marks.join(", "));
        let mut statement = db.prepare(&sql).map_err(failed("write", to))?;
        table.each_row(source, &mut |line| {
            let values: Vec<Value> = fields(line).map(value).collect();
            statement.execute(rusqlite::params_from_iter(values)).map(|_| ()).map_err(failed("write", to))
        })?;
    }
    db.execute_batch("COMMIT").map_err(failed("write", to))
}
