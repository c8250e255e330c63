//! The captures of several events on one database, put together: what is there now, and what is there when all of them are
//! taken back. Rows are moved by their keys; tables that were made, dropped or altered are put back as wholes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Adds, Index, Move, State, Table, View, moves};
use crate::error::{Error, Result};
use crate::model::{Capture, ObjectId, ObjectKind};
use crate::systems::{NetCx, Taken};

/// An event's capture, with its states.
#[derive(Clone)]
pub struct Event {
    /// The event.
    pub taken: Taken,
    /// Before it.
    pub before: State,
    /// After it, where that is known.
    pub after: Option<State>,
}

impl Event {
    /// True where both are about one database as one user, whatever words and from whatever directory it was reached; where the
    /// server does not say which it is, the words and the directory have to be the same.
    pub fn is_beside(&self, other: &Event) -> bool {
        let at = |event: &Event| event.taken.captured.before.locator.at.clone();
        let (a, b) = (&self.before, &other.before);
        is_one_database(a, b) || (&a.server, &a.access) == (&b.server, &b.access) && at(self) == at(other)
    }
}

/// The servers say of themselves that they are one: PostgreSQL by the identifier of its cluster, MySQL by its own place and number.
fn is_one_database(a: &State, b: &State) -> bool {
    let said = |state: &State, name: &str| state.server.get(name).cloned().unwrap_or_default();
    let same = |name: &str| said(a, name) == said(b, name);
    // The host behind a user's name is where the connection came from.
    let user = |state: &State| said(state, "user").split('@').next().map(str::to_owned);
    // MySQL's names have their database in them, wherever a connection began.
    let one_database = a.system == "mysql" || same("database") && same("database-id");
    is_one_server(a, b) && one_database && user(a) == user(b)
}

/// The same of the server alone, whichever database of it.
pub fn is_one_server(a: &State, b: &State) -> bool {
    let same = |name: &str| a.server.get(name) == b.server.get(name);
    let is_told = |name: &str| same(name) && a.server.get(name).is_some_and(|value| !value.is_empty());
    a.system == b.system
        && (is_told("system")
            || is_told("directory") && ["host", "port", "server"].iter().all(|name| same(name)))
}

/// What several events did to one database.
pub struct Composed {
    /// The present.
    pub now: State,
    /// The present of what is written.
    pub written: State,
    /// What is there without the events.
    pub value: State,
    /// What cannot be taken back: of which event, of what, and why.
    pub lost: Vec<(usize, String, String)>,
    /// Rows that somebody changed since, and the oldest event that they are in the way of.
    conflicts: BTreeMap<(String, Vec<u8>), usize>,
    /// Rows that the set moves.
    moved: BTreeMap<String, BTreeSet<Vec<u8>>>,
    /// Their old contents, where they come back.
    lines: BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>,
    rows: BTreeMap<String, Index>,
    /// Tables that were put back as wholes.
    replaced: BTreeSet<String>,
}

/// How a table is put back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Row by row.
    Rows,
    /// As a whole.
    Whole,
}

impl Composed {
    /// Puts them together; `None` where that cannot be done exactly, and each is to be looked at by itself.
    pub fn of(group: &[Event], cx: &NetCx<'_>) -> Result<Option<Composed>> {
        let Some(kinds) = kinds(group) else { return Ok(None) };
        let Some(all) = union(group, &kinds, cx)? else { return Ok(None) };
        let Some(newest) = group.first() else { return Ok(None) };
        let capture = Capture { state: all.store(cx.made)?, ..newest.taken.captured.before.clone() };
        let mut now = State::load(&(cx.observe)(&capture, None)?, cx.source)?;
        // Who wrote which row is told by each event's own states.
        now.read.values_mut().for_each(|table| (table.writers, table.adds) = (1, Adds::Nothing));
        let mut rows = BTreeMap::new();
        for (name, table) in &now.read {
            rows.insert(name.clone(), table.index(cx.source)?);
        }
        let mut composed = Composed {
            value: now.clone(),
            written: now.clone(),
            now,
            lost: Vec::new(),
            conflicts: BTreeMap::new(),
            moved: BTreeMap::new(),
            lines: BTreeMap::new(),
            rows,
            replaced: BTreeSet::new(),
        };
        for (at, event) in group.iter().enumerate() {
            if !composed.take_back(at, event, &kinds, cx)? {
                return Ok(None);
            }
        }
        composed.finish(&kinds, cx)
    }

    /// Takes one event back in memory. False where it cannot be told what that leaves.
    fn take_back(
        &mut self,
        at: usize,
        event: &Event,
        kinds: &BTreeMap<String, Kind>,
        cx: &NetCx<'_>,
    ) -> Result<bool> {
        let Some(after) = &event.after else { return Ok(false) };
        let before = &event.before;
        if before.defined != after.defined {
            if self.value.defined != after.defined {
                return Ok(false);
            }
            (self.value.defined, self.value.definitions) = (before.defined, before.definitions.clone());
        }
        for (name, b) in &before.read {
            let Some(a) = after.read.get(name) else { return Ok(false) };
            let done = match kinds.get(name) {
                Some(Kind::Whole) if before.defined == after.defined && is_same(b, a) => true,
                Some(Kind::Whole) if before.defined != after.defined || !is_by_row(b, a) => {
                    self.whole(name, b, a, cx)?
                }
                _ => self.by_row(at, name, (b, a), cx)?,
            };
            if !done {
                return Ok(false);
            }
        }
        self.value.sequences.extend(before.sequences.clone());
        Ok(true)
    }

    /// A table as a whole: only where it is as the event left it.
    fn whole(&mut self, name: &str, b: &Table, a: &Table, cx: &NetCx<'_>) -> Result<bool> {
        let digest = self.rows.get(name).map(Index::digest);
        let Some(value) = self.value.read.get_mut(name) else { return Ok(false) };
        let is_left = value.there == a.there
            && (!a.there || value.columns == a.columns && digest == Some(a.digest) && a.view == View::All);
        if !is_left || (b.there && b.view != View::All) {
            return Ok(false);
        }
        *value = b.clone();
        self.rows.insert(name.to_owned(), b.index(cx.source)?);
        self.lines.remove(name);
        self.moved.remove(name);
        self.replaced.insert(name.to_owned());
        Ok(true)
    }

    fn by_row(&mut self, at: usize, name: &str, (b, a): (&Table, &Table), cx: &NetCx<'_>) -> Result<bool> {
        let value = self.value.read.get(name);
        if !value.is_some_and(|v| v.there && v.columns == b.columns && v.key == b.key) {
            // What the event did not touch need not be there.
            return Ok(is_same(b, a));
        }
        let (before, after) = (b.index(cx.source)?, a.index(cx.source)?);
        let Some(now) = self.rows.get_mut(name) else { return Ok(false) };
        let moved = moves(b, Some((a, &after)), &before, now);
        if moved.unknown > 0 {
            let why = format!(
                "{} rows came while it ran, and which of them are the command's is not known",
                moved.unknown
            );
            self.lost.push((at, format!("sql:{name}[new rows]"), why));
        }
        for key in moved.conflicts {
            self.conflicts.insert((name.to_owned(), key), at);
        }
        let (lines, all) =
            (self.lines.entry(name.to_owned()).or_default(), self.moved.entry(name.to_owned()).or_default());
        let mut wanted = BTreeSet::new();
        for (key, of) in moved.rows {
            match (of, before.0.get(&key)) {
                (Move::Insert | Move::Update, Some(hash)) => {
                    now.0.insert(key.clone(), *hash);
                    wanted.insert(key.clone());
                }
                _ => {
                    now.0.remove(&key);
                    lines.remove(&key);
                }
            }
            all.insert(key);
        }
        let count = wanted.len();
        let mut found = 0;
        b.each_row(cx.source, &mut |line| {
            let key = super::Row(line).key(&b.key);
            if wanted.remove(&key) {
                found += 1;
                lines.insert(key, line.to_vec());
            }
            Ok(())
        })?;
        if found < count {
            return Err(Error::corrupt(format!("old rows of {name} are not in the store")));
        }
        Ok(true)
    }

    /// Writes down the rows. Of tables that are put back row by row only those that are written count: others may be written
    /// by a policy meanwhile.
    fn finish(mut self, kinds: &BTreeMap<String, Kind>, cx: &NetCx<'_>) -> Result<Option<Composed>> {
        let mut definitions = Vec::new();
        for id in &self.value.definitions {
            definitions.push(cx.made.put(ObjectKind::Blob, &cx.source.get(id)?)?);
        }
        self.value.definitions = definitions;
        for (name, table) in &mut self.value.read {
            let (Some(index), true) = (self.rows.get(name), table.there) else { continue };
            let lines = self.lines.remove(name).unwrap_or_default();
            let touched = self.moved.get(name).is_some_and(|keys| !keys.is_empty());
            let whole = kinds.get(name) == Some(&Kind::Whole);
            if !touched {
                continue;
            }
            if whole && table.rows.is_empty() && index.0.len() > lines.len() {
                // Of what stays as it is nobody has the rows.
                return Ok(None);
            }
            table.rows = overlaid(table, self.moved.get(name), &lines, cx)?;
            (table.index, table.digest) = (index.store(cx.made)?, index.digest());
            table.count = index.0.len() as u64;
        }
        self.written = self.now.clone();
        let by_row: Vec<&String> =
            kinds.iter().filter(|(_, kind)| **kind == Kind::Rows).map(|(name, _)| name).collect();
        for name in by_row {
            let keys = self.moved.get(name).filter(|keys| !keys.is_empty());
            for state in [&mut self.value, &mut self.written] {
                match (keys, state.read.get(name)) {
                    (Some(keys), Some(table)) => {
                        let table = only(table, keys, cx)?;
                        state.read.insert(name.clone(), table);
                    }
                    _ => drop(state.read.remove(name)),
                }
            }
        }
        Ok(Some(self))
    }

    /// The rows in conflict with an event and with no older one, by table.
    pub fn conflicts_of(&self, at: usize) -> BTreeMap<String, Vec<Vec<u8>>> {
        let mut out: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for ((name, key), _) in self.conflicts.iter().filter(|(_, of)| **of == at) {
            out.entry(name.clone()).or_default().push(key.clone());
        }
        out
    }

    /// Some of these rows are written by the set.
    pub fn has_moved(&self, name: &str, keys: &[Vec<u8>]) -> bool {
        self.replaced.contains(name)
            || self.moved.get(name).is_some_and(|moved| keys.iter().any(|key| moved.contains(key)))
    }
}

/// Some rows of a table.
pub fn only(table: &Table, keys: &BTreeSet<Vec<u8>>, cx: &NetCx<'_>) -> Result<Table> {
    let mut index = table.index(cx.source)?;
    index.0.retain(|key, _| keys.contains(key));
    let mut text = Vec::new();
    table.each_row(cx.source, &mut |line| {
        if keys.contains(&super::Row(line).key(&table.key)) {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        Ok(())
    })?;
    let rows = if text.is_empty() { Vec::new() } else { vec![cx.made.put(ObjectKind::Blob, &text)?] };
    let covers = Index(keys.iter().map(|key| (key.clone(), [0; 16])).collect()).store(cx.made)?;
    let (digest, count) = (index.digest(), index.0.len() as u64);
    let index = index.store(cx.made)?;
    Ok(Table { view: View::Keys, rows, index, covers, digest, count, ..table.clone() })
}

/// The rows of a table that was put back as a whole, with those that older events changed; else only these.
fn overlaid(
    table: &Table,
    moved: Option<&BTreeSet<Vec<u8>>>,
    lines: &BTreeMap<Vec<u8>, Vec<u8>>,
    cx: &NetCx<'_>,
) -> Result<Vec<ObjectId>> {
    const PART: usize = 1 << 20;
    let (mut ids, mut text) = (Vec::new(), Vec::new());
    let mut add = |line: &[u8]| -> Result<()> {
        text.extend_from_slice(line);
        text.push(b'\n');
        if text.len() >= PART {
            ids.push(cx.made.put(ObjectKind::Blob, &std::mem::take(&mut text))?);
        }
        Ok(())
    };
    table.each_row(cx.source, &mut |line| {
        let key = super::Row(line).key(&table.key);
        if moved.is_some_and(|moved| moved.contains(&key)) { Ok(()) } else { add(line) }
    })?;
    lines.values().try_for_each(|line| add(line))?;
    if !text.is_empty() {
        ids.push(cx.made.put(ObjectKind::Blob, &text)?);
    }
    Ok(ids)
}

/// The event did not touch the table.
fn is_same(b: &Table, a: &Table) -> bool {
    b.there == a.there && b.columns == a.columns && b.digest == a.digest
}

/// The event changed rows of a table that it left there.
fn is_by_row(b: &Table, a: &Table) -> bool {
    b.there && a.there && b.columns == a.columns && b.key == a.key && !b.key.is_empty()
}

/// How each table is put back. `None` where whole databases are among them, or where nobody told what an event left.
fn kinds(group: &[Event]) -> Option<BTreeMap<String, Kind>> {
    let mut kinds = BTreeMap::new();
    let first = &group.first()?.before;
    for event in group {
        let (before, after) = (&event.before, event.after.as_ref()?);
        let databases = |state: &State| {
            (state.database_digests.clone(), state.databases.values().any(|parts| !parts.is_empty()))
        };
        if databases(before) != databases(after)
            || databases(before) != databases(first)
            || databases(before).1
        {
            return None;
        }
        for (name, b) in &before.read {
            let a = after.read.get(name)?;
            let redefined = before.defined != after.defined && b.view == View::All;
            let kind = if is_by_row(b, a) && !redefined { Kind::Rows } else { Kind::Whole };
            let known = kinds.entry(name.clone()).or_insert(kind);
            if kind == Kind::Whole {
                *known = kind;
            }
        }
    }
    Some(kinds)
}

/// What has to be looked at: the keys that some event moved, or the whole table.
fn union(group: &[Event], kinds: &BTreeMap<String, Kind>, cx: &NetCx<'_>) -> Result<Option<State>> {
    let Some(newest) = group.first().map(|event| &event.before) else { return Ok(None) };
    let mut all = State::new(&newest.system, newest.server.clone(), newest.access.clone());
    (all.databases, all.database_digests) = (newest.databases.clone(), newest.database_digests.clone());
    let mut scope = BTreeSet::new();
    let mut keys: BTreeMap<&String, Index> = BTreeMap::new();
    for event in group {
        let Some(after) = &event.after else { return Ok(None) };
        let before = &event.before;
        if before.defined.is_some() {
            all.defined = all.defined.or(before.defined);
            if all.definitions.is_empty() {
                all.definitions.clone_from(&before.definitions);
            }
        }
        scope.extend(before.scope.iter().cloned());
        for (name, value) in &before.sequences {
            all.sequences.entry(name.clone()).or_insert(*value);
        }
        for (name, b) in &before.read {
            let Some(a) = after.read.get(name) else { return Ok(None) };
            let newest = if a.there { a } else { b };
            let plain =
                || Table { rows: Vec::new(), index: Vec::new(), covers: Vec::new(), ..newest.clone() };
            let table = all.read.entry(name.clone()).or_insert_with(plain);
            if kinds.get(name) == Some(&Kind::Whole) {
                table.view = View::All;
                continue;
            }
            table.view = View::Keys;
            let (old, left) = (b.index(cx.source)?, a.index(cx.source)?);
            let touched = keys.entry(name).or_default();
            let differs =
                |(key, hash): &(&Vec<u8>, &[u8; 16]), other: &Index| other.0.get(*key) != Some(*hash);
            touched.0.extend(old.0.iter().filter(|one| differs(one, &left)).map(|(k, h)| (k.clone(), *h)));
            touched.0.extend(left.0.iter().filter(|one| differs(one, &old)).map(|(k, h)| (k.clone(), *h)));
        }
    }
    for (name, mut index) in keys {
        if let Some(table) = all.read.get_mut(name).filter(|table| table.view == View::Keys) {
            table.covers = index.store(cx.made)?;
            // No row is so: all of those that are there are read with their contents, which a merge needs.
            index.0.values_mut().for_each(|hash| *hash = [0; 16]);
            table.index = index.store(cx.made)?;
        }
    }
    all.scope = scope.into_iter().collect();
    Ok(Some(all))
}
