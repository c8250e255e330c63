//! Rows back to what they were, inside the step's transaction: children leave before their parents, parents come before
//! their children, and the server checks every constraint.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog;
use super::look::{self, Place};
use super::plan::Work;
use super::query::ident;
use super::session::Psql;
use crate::error::{Error, Result};
use crate::systems::ApplyCx;
use crate::systems::tables::{
    Move, Moves, Number, Reference, Relation, Row, State, Table, as_recorded, parents_first,
};

/// Locks the tables that are there against other writers.
pub fn lock(psql: &mut Psql, before: &State) -> Result<()> {
    let names: BTreeSet<String> = before.read.keys().cloned().collect();
    let there: Vec<String> =
        catalog::resolve(psql, &names)?.into_values().flatten().map(|(_, _, name)| name).collect();
    if there.is_empty() {
        return Ok(());
    }
    psql.run(&format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", there.join(", ")))
}

/// Writes all rows.
pub fn rows(psql: &mut Psql, before: &State, work: &Work, place: &Place<'_>, cx: &ApplyCx<'_>) -> Result<()> {
    for name in work.fresh.iter().chain(&work.rebuilt) {
        let Some(table) = before.read.get(name) else { continue };
        load(psql, name, table, place, &mut |_| true)?;
        (cx.progress)(table.count);
    }
    if work.rows.moves.is_empty() {
        return Ok(());
    }
    let names: BTreeSet<String> = work.rows.moves.keys().cloned().collect();
    let found = catalog::resolve(psql, &names)?;
    let oids: BTreeSet<Number> = found.values().flatten().map(|(oid, _, _)| *oid).collect();
    let relations = catalog::relations(psql, &oids)?;
    let references = catalog::references(psql)?;
    let quiet = silence(psql, &oids)?;
    psql.run("SET CONSTRAINTS ALL DEFERRED")?;
    let mut staged = Vec::new();
    let name_of = |oid: Number| found.iter().find(|(_, f)| f.as_ref().is_some_and(|f| f.0 == oid));
    let parents = |name: &str| -> Vec<String> {
        let oid = found.get(name).and_then(|f| f.as_ref()).map(|f| f.0);
        let own = references.iter().filter(|r| Some(r.child) == oid);
        own.filter_map(|r| name_of(r.parent)).map(|(name, _)| name.clone()).collect()
    };
    let order = parents_first(names.into_iter().collect(), &parents);
    for (number, name) in order.into_iter().enumerate() {
        let relation =
            found.get(&name).cloned().flatten().and_then(|(oid, _, _)| relations.get(&oid).cloned());
        let (Some(relation), Some(table), Some(moves)) =
            (relation, before.read.get(&name), work.rows.moves.get(&name))
        else {
            continue;
        };
        let staging = Staging { number, relation, table, moves };
        staging.prepare(psql, place)?;
        staged.push(staging);
    }
    // Old values come behind the rows that they may refer to, and before these go: where nothing is put in, first.
    let puts_in = staged.iter().any(|staging| staging.moves.count(Move::Insert) > 0);
    if puts_in {
        staged.iter().rev().try_for_each(|staging| staging.remove(psql, &references))?;
    }
    for staging in &staged {
        staging.put(psql)?;
        (cx.progress)(staging.moves.rows.len() as u64);
    }
    if !puts_in {
        staged.iter().rev().try_for_each(|staging| staging.remove(psql, &references))?;
    }
    psql.run("SET CONSTRAINTS ALL IMMEDIATE")?;
    quiet
        .iter()
        .try_for_each(|(table, trigger)| psql.run(&format!("ALTER TABLE {table} ENABLE TRIGGER {trigger}")))
}

/// The users' triggers do not fire for what is put back: they fired when it was made. Only the owner may quiet them; for
/// others they fire, and the end is compared all the same.
fn silence(psql: &mut Psql, oids: &BTreeSet<Number>) -> Result<Vec<(String, String)>> {
    let list: Vec<String> = oids.iter().map(ToString::to_string).collect();
    let query = format!(
        "SELECT t.tgrelid::regclass::text, t.tgname FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled = 'O' \
         AND t.tgparentid = 0 AND t.tgrelid IN ({})",
        list.join(",")
    );
    let mut quiet = Vec::new();
    for row in psql.table(&query)? {
        let value = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        let (table, trigger) = (value(0), ident(&value(1)));
        if psql.attempt(&format!("ALTER TABLE {table} DISABLE TRIGGER {trigger}")).is_ok() {
            quiet.push((table, trigger));
        }
    }
    Ok(quiet)
}

/// Fills a table whose columns are plain ones with recorded rows, computed values too.
pub fn load_as_they_were(psql: &mut Psql, into: &str, table: &Table, place: &Place<'_>) -> Result<()> {
    let columns: Vec<String> = table.columns.iter().map(|c| ident(&c.name)).collect();
    psql.load(&format!("{into} ({})", columns.join(", ")), &mut |give| table.each_row(place.source, give))
}

/// Fills a table with recorded rows.
pub fn load(
    psql: &mut Psql,
    into: &str,
    table: &Table,
    place: &Place<'_>,
    wanted: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<()> {
    let computed: Vec<usize> =
        table.columns.iter().enumerate().filter(|(_, c)| c.computed).map(|(i, _)| i).collect();
    let columns: Vec<String> = table.columns.iter().filter(|c| !c.computed).map(|c| ident(&c.name)).collect();
    psql.load(&format!("{into} ({})", columns.join(", ")), &mut |give| {
        table.each_row(place.source, &mut |line| {
            if !wanted(line) {
                return Ok(());
            }
            if computed.is_empty() {
                return give(line);
            }
            let fields = crate::systems::tables::fields(line).enumerate();
            let kept: Vec<&[u8]> = fields.filter(|(i, _)| !computed.contains(i)).map(|(_, f)| f).collect();
            give(&kept.join(&b'\t'))
        })
    })
}

/// A table's old rows beside it.
struct Staging<'a> {
    number: usize,
    relation: Relation,
    table: &'a Table,
    moves: &'a Moves,
}

impl Staging<'_> {
    fn old(&self) -> String {
        format!("pg_temp.fr_old_{}", self.number)
    }

    fn gone(&self) -> String {
        format!("pg_temp.fr_gone_{}", self.number)
    }

    fn keys(&self) -> Vec<String> {
        self.table.key.iter().filter_map(|c| self.table.columns.get(*c)).map(|c| ident(&c.name)).collect()
    }

    /// The rows that come or change, and the keys of those that go.
    fn prepare(&self, psql: &mut Psql, place: &Place<'_>) -> Result<()> {
        let name = &self.relation.name;
        let columns: Vec<String> =
            self.table.columns.iter().filter(|c| !c.computed).map(|c| ident(&c.name)).collect();
        psql.run(&format!(
            "CREATE TEMP TABLE fr_old_{} ON COMMIT DROP AS SELECT {} FROM {name} WITH NO DATA",
            self.number,
            columns.join(", ")
        ))?;
        let mut wanted: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for (key, _) in self.moves.rows.iter().filter(|(_, m)| *m != Move::Remove) {
            let plain = if self.table.key.is_empty() {
                key.split(|b| *b == b'#').next().unwrap_or(key).to_vec()
            } else {
                key.clone()
            };
            *wanted.entry(plain).or_default() += 1;
        }
        let key = self.table.key.clone();
        load(psql, &self.old(), self.table, place, &mut |line| match wanted.get_mut(&Row(line).key(&key)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        })?;
        if wanted.values().any(|left| *left > 0) {
            return Err(Error::corrupt(format!("not all rows of {name} are in the store")));
        }
        let keys = self.keys();
        if self.moves.count(Move::Remove) == 0 || keys.is_empty() {
            return Ok(());
        }
        psql.run(&format!(
            "CREATE TEMP TABLE fr_gone_{} ON COMMIT DROP AS SELECT {} FROM {name} WITH NO DATA",
            self.number,
            keys.join(", ")
        ))?;
        psql.load(&self.gone(), &mut |give| {
            self.moves.rows.iter().filter(|(_, m)| *m == Move::Remove).try_for_each(|(key, _)| give(key))
        })
    }

    /// Takes out what the command added, unless something of others refers to it by now.
    fn remove(&self, psql: &mut Psql, references: &[Reference]) -> Result<()> {
        let keys = self.keys();
        if self.moves.count(Move::Remove) == 0 || keys.is_empty() {
            return Ok(());
        }
        let name = &self.relation.name;
        let same: Vec<String> = keys.iter().map(|k| format!("t.{k} = g.{k}")).collect();
        let same = same.join(" AND ");
        for r in references.iter().filter(|r| r.parent == self.relation.number && r.child != r.parent) {
            let on: Vec<String> =
                r.from.iter().zip(&r.to).map(|(from, to)| format!("c.{from} = t.{to}")).collect();
            let query = format!(
                "SELECT 1 FROM {} c JOIN {name} t ON {} JOIN {} g ON {same} LIMIT 1",
                r.child_name,
                on.join(" AND "),
                self.gone()
            );
            if !psql.table(&query)?.is_empty() {
                return Err(Error::failure(format!(
                    "rows of {} refer to rows of {name} that the command added",
                    r.child_name
                )));
            }
        }
        psql.run(&format!("DELETE FROM {name} t USING {} g WHERE {same}", self.gone()))
    }

    /// Gives old values to rows that are there, and puts in those that are gone.
    fn put(&self, psql: &mut Psql) -> Result<()> {
        let (name, old, keys) = (&self.relation.name, self.old(), self.keys());
        let same: Vec<String> = keys.iter().map(|k| format!("t.{k} = o.{k}")).collect();
        let settable = self.table.columns.iter().filter(|c| !c.computed && !c.fixed).map(|c| ident(&c.name));
        let sets: Vec<String> =
            settable.filter(|c| !keys.contains(c)).map(|c| format!("{c} = o.{c}")).collect();
        if self.moves.count(Move::Update) > 0 && !sets.is_empty() && !keys.is_empty() {
            psql.run(&format!(
                "UPDATE {name} t SET {} FROM {old} o WHERE {}",
                sets.join(", "),
                same.join(" AND ")
            ))?;
        }
        if self.moves.count(Move::Insert) > 0 {
            let columns: Vec<String> =
                self.table.columns.iter().filter(|c| !c.computed).map(|c| ident(&c.name)).collect();
            let columns = columns.join(", ");
            let new = match keys.is_empty() {
                true => String::new(),
                false => format!(" WHERE NOT EXISTS (SELECT 1 FROM {name} t WHERE {})", same.join(" AND ")),
            };
            psql.run(&format!(
                "INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {old} o{new}"
            ))?;
        }
        Ok(())
    }
}

/// Counters that came anew, or that were set back by the command, go on where they were. They are never set back.
pub fn sequences(psql: &mut Psql, before: &State) -> Result<()> {
    for (name, (value, called)) in &before.sequences {
        let Ok((now, is_called)) = catalog::sequence(psql, name) else { continue };
        if now < *value || (now == *value && !is_called && *called) {
            let set = format!("SELECT pg_catalog.setval({}, {value}, {called})", super::query::literal(name));
            psql.attempt(&set).map_err(|e| e.context(format!("sequence {name}")))?;
        }
    }
    Ok(())
}

/// Reads everything again before it counts: no row that was written may differ from the recorded one.
pub fn verify(psql: &mut Psql, before: &State, work: &Work, place: &Place<'_>) -> Result<()> {
    let mut rows = before.clone();
    (rows.defined, rows.sequences, rows.databases) = (None, BTreeMap::new(), BTreeMap::new());
    let now = look::now(psql, &rows, place)?;
    as_recorded(before, &now, work.fresh.iter().chain(&work.rebuilt), &work.rows.moves, place.source)
}
