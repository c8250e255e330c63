//! The way back of a database, by what it was before (B), after (A) and is now (N). The same work is worked out at undo once
//! more, with the tables locked, so a plan holds only what tells the states apart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::definitions::{Definitions, Difference};
use super::{NAME, alter};
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Captured, ObjectId, ObjectSource, Reversibility, StateRef, Step, StepVerdict, SystemId,
};
use crate::systems::PlanCx;
use crate::systems::tables::{Index, Move, Moves, State, Table, View, moves};

/// A step's instructions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The stored state before the command.
    pub before: ObjectId,
    /// The stored state after it; `None` where nobody told it, or where it is the present.
    pub after: Option<ObjectId>,
    /// The state after the command is the present.
    pub left_alone: bool,
    /// The identity of the present.
    pub now: ObjectId,
}

/// What is to be done.
#[derive(Default)]
pub struct Work {
    /// Tables that are gone and come with all their rows.
    pub fresh: Vec<String>,
    /// Tables whose columns the command changed: made anew with their old rows.
    pub rebuilt: Vec<String>,
    /// Tables whose definitions the command changed.
    redefined: Vec<String>,
    /// Rows of tables that are there.
    pub moves: BTreeMap<String, Moves>,
    /// Definitions.
    pub difference: Difference,
    /// Databases that are made from their dumps.
    pub databases: Vec<String>,
    /// Databases that the command made.
    pub made: Vec<String>,
    /// What stands in the way: of what, and why.
    pub conflicts: Vec<(String, String)>,
    /// What cannot be brought back: of what, and why.
    pub lost: Vec<(String, String)>,
    /// Something was brought back already.
    pub back: bool,
}

impl Work {
    /// Works it out.
    pub fn of(before: &State, after: Option<&State>, now: &State, source: &dyn ObjectSource) -> Result<Work> {
        let mut work = Work::default();
        work.definitions(before, after, now, source)?;
        for (name, b) in &before.read {
            let (Some(n), a) = (now.read.get(name), after.and_then(|after| after.read.get(name))) else {
                continue;
            };
            work.table(name, b, a, n, source)?;
        }
        for name in before.databases.keys() {
            work.database(name, before, after, now);
        }
        Ok(work)
    }

    fn definitions(
        &mut self,
        before: &State,
        after: Option<&State>,
        now: &State,
        source: &dyn ObjectSource,
    ) -> Result<()> {
        if before.defined.is_none() || before.defined == now.defined {
            self.back |=
                before.defined.is_some() && after.is_some_and(|after| after.defined != before.defined);
            return Ok(());
        }
        let after = after.map(|after| read(after, source)).transpose()?;
        self.difference = Difference::of(&read(before, source)?, after.as_ref(), &read(now, source)?);
        self.back |= self.difference.back > 0;
        for entry in &self.difference.conflicts {
            self.conflicts
                .push((format!("sql:{}", entry.shown()), "somebody changed its definition since".to_owned()));
        }
        self.changed_tables(before);
        let changed = self.difference.changed.iter().map(|(_, old)| old);
        for entry in self.difference.made.iter().chain(changed) {
            if let Some(why) = alter::why_not(entry) {
                self.lost.push((format!("sql:{}", entry.shown()), why.to_owned()));
            }
        }
        Ok(())
    }

    /// A table whose definition the command changed is made anew: only where all its rows are at hand.
    fn changed_tables(&mut self, before: &State) {
        let tables: Vec<_> = self
            .difference
            .changed
            .extract_if(.., |(_, old)| old.kind == "TABLE")
            .map(|(_, old)| old)
            .collect();
        for entry in tables {
            let full = format!("{}.{}", entry.schema, entry.name);
            let whole = |(name, t): &(&String, &Table)| {
                t.there && t.view == View::All && name.replace('"', "") == full
            };
            match before.read.iter().find(whole) {
                Some((name, _)) => self.redefined.push(name.clone()),
                None => {
                    let why = "its definition was changed, and its rows were not captured with it".to_owned();
                    self.lost.push((format!("sql:table:{full}"), why));
                }
            }
        }
    }

    fn table(
        &mut self,
        name: &str,
        b: &Table,
        a: Option<&Table>,
        n: &Table,
        source: &dyn ObjectSource,
    ) -> Result<()> {
        let same_columns = |x: &Table, y: &Table| x.columns == y.columns;
        match (b.there, n.there) {
            (false, false) => self.back |= a.is_some_and(|a| a.there),
            (true, false) => {
                if a.is_some_and(|a| a.there) {
                    self.conflicts
                        .push((format!("sql:table:{name}"), "somebody has dropped it since".to_owned()));
                } else if b.view == View::All {
                    self.fresh.push(name.to_owned());
                } else {
                    self.lost.push((
                        format!("sql:table:{name}"),
                        "it is gone, and not all of it was captured".to_owned(),
                    ));
                }
            }
            (false, true) => match a {
                Some(a) if a.there && a.digest == n.digest && same_columns(a, n) => {}
                Some(a) if !a.there => {}
                _ => self.conflicts.push((
                    format!("sql:table:{name}"),
                    "its rows were changed since the command made it".to_owned(),
                )),
            },
            (true, true) if !same_columns(b, n) || self.redefined.iter().any(|r| r == name) => match a {
                Some(a) if a.there && same_columns(a, n) && a.digest == n.digest && b.view == View::All => {
                    self.rebuilt.push(name.to_owned());
                }
                _ => self
                    .conflicts
                    .push((format!("sql:table:{name}"), "its columns or rows were changed since".to_owned())),
            },
            (true, true) => self.rows(name, b, a, n, source)?,
        }
        Ok(())
    }

    fn rows(
        &mut self,
        name: &str,
        b: &Table,
        a: Option<&Table>,
        n: &Table,
        source: &dyn ObjectSource,
    ) -> Result<()> {
        if a.is_some_and(|a| !a.there || a.columns != b.columns) {
            if b.digest == n.digest {
                self.back = true;
            } else {
                self.conflicts
                    .push((format!("sql:table:{name}"), "somebody has made it anew since".to_owned()));
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
            let (count, some) = (moved.conflicts.len(), shown_keys(&moved.conflicts));
            let rows = if count == 1 { "1 row was".to_owned() } else { format!("{count} rows were") };
            self.conflicts.push((format!("sql:{name}[{count} rows]"), format!("{rows} changed since{some}")));
        }
        if moved.unknown > 0 {
            let why = format!(
                "{} rows came while it ran, and which of them are the command's is not known",
                moved.unknown
            );
            self.lost.push((format!("sql:{name}[new rows]"), why));
        }
        self.back |= moved.back > 0;
        if b.key.is_empty() && moved.rows.iter().any(|(_, m)| *m != Move::Insert) && !moved.rows.is_empty() {
            // Without a key a changed row is one that is gone and one that is new.
            self.lost.extend(keyless(name, &moved));
        }
        if !moved.rows.is_empty() {
            self.moves.insert(name.to_owned(), moved);
        }
        Ok(())
    }

    fn database(&mut self, name: &str, before: &State, after: Option<&State>, now: &State) {
        let digest = |state: &State| state.database_digests.get(name).copied();
        let (b, n) = (digest(before), digest(now));
        let a = after.map(digest);
        match (b, a, n) {
            (b, _, n) if b == n => self.back |= a.is_some_and(|a| a != b),
            (Some(_), None | Some(None), None) => self.databases.push(name.to_owned()),
            (None, Some(Some(a)), Some(n)) if a == n => self.made.push(name.to_owned()),
            _ => {
                self.conflicts.push((format!("sql:database:{name}"), "somebody changed it since".to_owned()))
            }
        }
    }

    /// Nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.fresh.is_empty()
            && self.rebuilt.is_empty()
            && self.moves.is_empty()
            && self.difference.is_empty()
            && self.databases.is_empty()
            && self.made.is_empty()
    }

    /// For people.
    pub fn said(&self, before: &State) -> String {
        let mut parts: Vec<String> = Vec::new();
        let count = |name: &String| before.read.get(name).map_or(0, |t| t.count);
        for name in &self.fresh {
            parts.push(format!("make table {name} anew with {} rows", count(name)));
        }
        for name in &self.rebuilt {
            parts.push(format!("give table {name} its old columns and {} rows", count(name)));
        }
        for (name, moves) in &self.moves {
            let verbs = [
                (Move::Insert, "put back"),
                (Move::Update, "give old values to"),
                (Move::Remove, "take out"),
            ];
            for (of, verb) in verbs {
                let rows = moves.count(of);
                if rows > 0 {
                    parts.push(format!("{verb} {rows} row{} of {name}", if rows == 1 { "" } else { "s" }));
                }
            }
        }
        let tables: Vec<&String> = self.fresh.iter().chain(&self.rebuilt).collect();
        let others = self
            .difference
            .gone
            .iter()
            .filter(|e| !tables.iter().any(|t| e.kind == "TABLE" && t.ends_with(&e.name)));
        let others: Vec<String> = others.map(super::definitions::Entry::shown).collect();
        parts.extend(few("make anew", &others));
        let made: Vec<String> = self.difference.made.iter().map(super::definitions::Entry::shown).collect();
        parts.extend(few("take away", &made));
        let changed: Vec<String> = self.difference.changed.iter().map(|(_, old)| old.shown()).collect();
        parts.extend(few("put back", &changed));
        parts.extend(self.databases.iter().map(|name| format!("make database {name} anew")));
        parts.extend(self.made.iter().map(|name| format!("drop database {name}")));
        parts.join("; ")
    }
}

fn few(verb: &str, names: &[String]) -> Option<String> {
    const NAMED: usize = 4;
    match names {
        [] => None,
        some if some.len() <= NAMED => Some(format!("{verb} {}", some.join(", "))),
        some => Some(format!(
            "{verb} {} and {} more",
            some.iter().take(NAMED - 1).cloned().collect::<Vec<_>>().join(", "),
            some.len() - NAMED + 1
        )),
    }
}

fn keyless(name: &str, moved: &Moves) -> Option<(String, String)> {
    let others = moved.count(Move::Update) + moved.count(Move::Remove);
    (others > 0).then(|| {
        (
            format!("sql:{name}[rows]"),
            format!("{others} rows stay: the table has no key that tells equal rows apart"),
        )
    })
}

/// Keys are shown where they are numbers: others may be names or addresses of people.
fn shown_keys(keys: &[Vec<u8>]) -> String {
    let plain = |key: &&Vec<u8>| {
        key.iter().all(|b| b.is_ascii_digit() || matches!(b, b'\t' | b'-')) && key.len() < 20
    };
    let some: Vec<String> =
        keys.iter().filter(plain).take(5).map(|k| String::from_utf8_lossy(k).replace('\t', "/")).collect();
    if some.is_empty() { String::new() } else { format!(" (key {})", some.join(", ")) }
}

/// The definitions of a state.
pub fn read(state: &State, source: &dyn ObjectSource) -> Result<Definitions> {
    let mut text = String::new();
    for id in &state.definitions {
        text.push_str(&String::from_utf8_lossy(&source.get(id)?));
    }
    Ok(Definitions::parse(&text))
}

/// Plans: one step for all that is written, since it is one transaction; one for each thing in the way.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let before = State::load(&captured.before.state, cx.source)?;
    let after = captured.after.map(|after| State::load(&after, cx.source)).transpose()?;
    let present = State::load(now, cx.source)?;
    let work = Work::of(&before, after.as_ref(), &present, cx.source)?;
    let left_alone = captured.after.is_some_and(|after| after.digest == now.digest);
    let payload = Payload {
        before: object(&captured.before.state)?,
        after: captured.after.and_then(|after| after.object).filter(|_| !left_alone),
        left_alone,
        now: now.digest,
    };
    let payload = serde_json::to_value(payload)
        .map_err(|e| Error::failure(format!("cannot encode a step for a database: {e}")))?;
    let reversibility = match work.fresh.is_empty()
        && work.rebuilt.is_empty()
        && work.databases.is_empty()
        && work.difference.is_empty()
    {
        true => Reversibility::Exact,
        false => Reversibility::Recreate,
    };
    let step = |resource: Bytes, action: String, verdict: StepVerdict| Step {
        system: SystemId::new(NAME),
        resource,
        action,
        reversibility,
        verdict,
        not_restored: Vec::new(),
        locator: captured.before.locator.clone(),
        payload: payload.clone(),
        policy: None,
        ways: Vec::new(),
    };
    let mut steps = Vec::new();
    let own = captured.before.resource.clone();
    if !work.is_empty() {
        steps.push(step(own, work.said(&before), StepVerdict::Restore));
    } else if work.back && work.conflicts.is_empty() {
        steps.push(step(own, "is back".to_owned(), StepVerdict::Already));
    }
    for (what, reason) in work.conflicts {
        steps.push(step(Bytes::from(what), "stays as it is".to_owned(), StepVerdict::Conflict { reason }));
    }
    for (what, reason) in work.lost {
        steps.push(step(Bytes::from(what), "stays as it is".to_owned(), StepVerdict::NotCaptured { reason }));
    }
    Ok(steps)
}

fn object(state: &StateRef) -> Result<ObjectId> {
    state.object.ok_or_else(|| Error::corrupt("a capture of a database without its state"))
}
