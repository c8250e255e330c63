//! What a database defines, each thing by the statement that makes it, and the way back of these.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Clash, State};
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};

/// One thing that a database defines: `table`, `index`, `view`, `trigger`, …
#[derive(Clone, Debug, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// What it is.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The table that it belongs to.
    pub table: String,
    /// The statement that makes it.
    pub sql: String,
    /// Where the statement is run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub within: String,
    /// The mode in which its text is read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
}

/// In whatever order a table's keys and constraints stand.
impl PartialEq for Definition {
    fn eq(&self, other: &Definition) -> bool {
        (&self.kind, &self.name, &self.table, &self.mode)
            == (&other.kind, &other.name, &other.table, &other.mode)
            && (self.sql == other.sql || ordered(&self.sql) == ordered(&other.sql))
    }
}

fn ordered(sql: &str) -> (Vec<&str>, Vec<&str>) {
    let starts = ["KEY ", "UNIQUE KEY ", "FULLTEXT KEY ", "SPATIAL KEY ", "CONSTRAINT "];
    let lines = sql.lines().map(|line| line.trim().trim_end_matches(','));
    let (mut keys, others): (Vec<&str>, Vec<&str>) =
        lines.partition(|line| starts.iter().any(|start| line.starts_with(start)));
    keys.sort_unstable();
    (keys, others)
}

impl Definition {
    /// It is one.
    pub fn is_table(&self) -> bool {
        self.kind == "table"
    }
    fn shown(&self) -> String {
        format!("sql:{}:{}", self.kind, self.name)
    }
    fn key(&self) -> (String, String) {
        (self.kind.clone(), self.name.clone())
    }
}

/// Stores definitions in a state.
pub fn define(state: &mut State, definitions: &[Definition], sink: &dyn ObjectSink) -> Result<()> {
    let text = serde_json::to_vec(definitions).map_err(|e| Error::failure(e.to_string()))?;
    let id: ObjectId = sink.put(ObjectKind::Blob, &text)?;
    state.definitions = vec![id];
    state.defined = Some(id);
    Ok(())
}

/// The definitions of a state.
pub fn defined(state: &State, source: &dyn ObjectSource) -> Result<Vec<Definition>> {
    let Some(id) = state.definitions.first() else { return Ok(Vec::new()) };
    serde_json::from_slice(&source.get(id)?)
        .map_err(|e| Error::corrupt(format!("definitions of a database: {e}")))
}

/// What is done with definitions; one that is dropped and made is changed.
#[derive(Default)]
pub struct Redefined {
    /// Those that go; tables with their rows.
    pub drop: Vec<Definition>,
    /// Those that come; tables with all their rows.
    pub make: Vec<Definition>,
    /// What stands in the way.
    pub conflicts: Vec<Clash>,
    /// Something was brought back already.
    pub back: bool,
}

impl Redefined {
    /// Compares the definitions before (B), after (A, `None` where nobody told them) and now (N). `as_left`: the rows of a
    /// table are as the command left them.
    pub fn of(
        before: &[Definition],
        after: Option<&[Definition]>,
        now: &[Definition],
        as_left: &dyn Fn(&str) -> bool,
    ) -> Redefined {
        let mut out = Redefined::default();
        let by_key = |all: &[Definition]| {
            all.iter().map(|d| (d.key(), d.clone())).collect::<BTreeMap<(String, String), Definition>>()
        };
        let (b, n, a) = (by_key(before), by_key(now), after.map(by_key));
        let left = |d: &Definition| a.as_ref().map(|a| a.get(&d.key()));
        let settled = |d: &Definition| !d.is_table() || as_left(&d.name);
        for old in before {
            match (n.get(&old.key()), left(old)) {
                (Some(now), left) if now == old => out.back |= left.is_some_and(|left| left != Some(old)),
                (_, Some(Some(left))) if left == old => {}
                (None, None | Some(None)) => out.make.push(old.clone()),
                (Some(now), Some(Some(left))) if now == left && settled(old) => {
                    out.drop.push(now.clone());
                    out.make.push(old.clone());
                }
                _ => out.conflicts.push(Clash::plain(old.shown(), "somebody changed it since")),
            }
        }
        for new in now.iter().filter(|d| !b.contains_key(&d.key())) {
            match left(new) {
                Some(Some(left)) if left == new && settled(new) => out.drop.push(new.clone()),
                Some(Some(_)) => {
                    let why = "it was changed since the command made it";
                    out.conflicts.push(Clash::plain(new.shown(), why));
                }
                _ => {}
            }
        }
        out
    }

    /// The tables among them.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.drop.iter().chain(&self.make).filter(|d| d.is_table()).map(|d| d.name.as_str())
    }

    /// Those that the command made.
    pub fn made(&self) -> impl Iterator<Item = &Definition> {
        let is_back = |d: &Definition| self.make.iter().any(|m| m.key() == d.key());
        self.drop.iter().filter(move |d| !is_back(d))
    }

    /// For people.
    pub fn said(&self, before: &State) -> Vec<String> {
        let rows = |d: &Definition| match before.read.get(&d.name).filter(|_| d.is_table()) {
            Some(table) => format!(" with {} rows", table.count),
            None => String::new(),
        };
        let make = self.make.iter().map(|d| format!("make {} {} anew{}", d.kind, d.name, rows(d)));
        make.chain(self.made().map(|d| format!("drop {} {}", d.kind, d.name))).collect()
    }
}
