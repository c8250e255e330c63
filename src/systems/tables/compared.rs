//! The rows of tables that are there before and now: what is done with them, and what stands in the way.

use std::collections::BTreeMap;

use super::{Clash, Index, Move, Moves, State, Table, moves};
use crate::error::{Error, Result};
use crate::model::ObjectSource;

/// What is done with the rows of tables.
#[derive(Default)]
pub struct Compared {
    /// By table.
    pub moves: BTreeMap<String, Moves>,
    /// What stands in the way.
    pub conflicts: Vec<Clash>,
    /// What cannot be brought back: of what, and why.
    pub lost: Vec<(String, String)>,
    /// Something was brought back already.
    pub back: bool,
}

impl Compared {
    /// Compares a table's rows before, after (`None` where nobody told them) and now.
    pub fn table(
        &mut self,
        name: &str,
        b: &Table,
        a: Option<&Table>,
        n: &Table,
        source: &dyn ObjectSource,
    ) -> Result<()> {
        if a.is_some_and(|a| !a.there || a.columns != b.columns) {
            match b.digest == n.digest {
                true => self.back = true,
                false => self
                    .conflicts
                    .push(Clash::plain(format!("sql:table:{name}"), "somebody has made it anew since")),
            }
            return Ok(());
        }
        let (before, now) = (b.index(source)?, n.index(source)?);
        let after: Option<(&Table, Index)> = match a {
            Some(a) => Some((a, a.index(source)?)),
            None => None,
        };
        let moved = moves(b, after.as_ref().map(|(a, index)| (*a, index)), &before, &now);
        if !moved.conflicts.is_empty() {
            self.conflicts.push(Clash::rows(name, &moved.conflicts));
        }
        if moved.unknown > 0 {
            let why = format!(
                "{} rows came while it ran, and which of them are the command's is not known",
                moved.unknown
            );
            self.lost.push((format!("sql:{name}[new rows]"), why));
        }
        self.back |= moved.back > 0;
        let others = moved.count(Move::Update) + moved.count(Move::Remove);
        if b.key.is_empty() && others > 0 {
            // Without a key a changed row is one that is gone and one that is new.
            let why = format!("{others} rows stay: the table has no key that tells equal rows apart");
            self.lost.push((format!("sql:{name}[rows]"), why));
        }
        if !moved.rows.is_empty() {
            self.moves.insert(name.to_owned(), moved);
        }
        Ok(())
    }

    /// For people.
    pub fn said(&self) -> Vec<String> {
        let mut parts = Vec::new();
        let verbs =
            [(Move::Insert, "put back"), (Move::Update, "give old values to"), (Move::Remove, "take out")];
        for (name, moves) in &self.moves {
            for (of, verb) in verbs {
                let rows = moves.count(of);
                if rows > 0 {
                    parts.push(format!("{verb} {rows} row{} of {name}", if rows == 1 { "" } else { "s" }));
                }
            }
        }
        parts
    }
}

/// Checks what was read again after it was written.
///
/// # Errors
/// Where a row that was written differs from the recorded one: something in the database changes what is written.
pub fn as_recorded<'n>(
    before: &State,
    now: &State,
    fresh: impl Iterator<Item = &'n String>,
    moved: &BTreeMap<String, Moves>,
    source: &dyn ObjectSource,
) -> Result<()> {
    let wrong = |what: String| {
        Err(Error::failure(format!(
            "{what} did not come back as they were: a trigger or a rule changes them"
        )))
    };
    for name in fresh {
        let digest = |state: &State| state.read.get(name).filter(|t| t.there).map(|t| t.digest);
        if digest(before) != digest(now) {
            return wrong(format!("the rows of {name}"));
        }
    }
    for (name, moves) in moved {
        let (Some(b), Some(n)) = (before.read.get(name), now.read.get(name)) else { continue };
        let keyless = b.key.is_empty();
        let (b, n) = (b.index(source)?, n.index(source)?);
        let differs = |(key, of): &&(Vec<u8>, Move)| match of {
            Move::Remove => !keyless && n.0.contains_key(key),
            Move::Insert => n.0.get(key) != b.0.get(key),
            Move::Update => !keyless && n.0.get(key) != b.0.get(key),
        };
        let count = moves.rows.iter().filter(differs).count();
        if count > 0 {
            return wrong(format!("{count} rows of {name}"));
        }
    }
    Ok(())
}

/// Tables in the order in which their rows may come; `parents` of each that are among them.
pub fn parents_first(names: Vec<String>, parents: &dyn Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut left = names;
    let mut out = Vec::new();
    while !left.is_empty() {
        let waits =
            |name: &String| parents(name).iter().any(|parent| parent != name && left.contains(parent));
        // Tables that refer to each other: in any order.
        let at = left.iter().position(|name| !waits(name)).unwrap_or(0);
        out.push(left.remove(at));
    }
    out
}
