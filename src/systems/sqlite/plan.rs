//! The way back of a database file, by what it was before (B), after (A) and is now (N).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NAME;
use super::look::{Definition, defined};
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Captured, ObjectId, ObjectSource, Reversibility, StateRef, Step, StepVerdict, SystemId,
};
use crate::systems::PlanCx;
use crate::systems::tables::{Adds, Index, Move, Moves, State, Table, moves};

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
    /// The file comes from the copy: it is gone.
    pub whole: bool,
    /// The file goes: the command made it.
    pub remove: bool,
    /// Definitions that go, by kind and name; tables with their rows.
    pub drop: Vec<Definition>,
    /// Definitions that come; tables with all their rows.
    pub make: Vec<Definition>,
    /// Rows of tables that stay.
    pub moves: BTreeMap<String, Moves>,
    /// What stands in the way: of what, and why.
    pub conflicts: Vec<(String, String)>,
    /// Something was brought back already.
    pub back: bool,
}

impl Work {
    /// Works it out.
    pub fn of(before: &State, after: Option<&State>, now: &State, source: &dyn ObjectSource) -> Result<Work> {
        let mut work = Work::default();
        let is_there = |state: &State| !state.database_digests.is_empty();
        let same = |a: &State| a.digest() == now.digest();
        match (is_there(before), is_there(now)) {
            (false, false) => work.back = after.is_some_and(is_there),
            (true, false) => match after {
                Some(after) if is_there(after) => {
                    work.conflicts
                        .push(("sql:main".to_owned(), "somebody has removed the file since".to_owned()));
                }
                _ => work.whole = true,
            },
            (false, true) => match after {
                Some(after) if same(after) => work.remove = true,
                _ => work
                    .conflicts
                    .push(("sql:main".to_owned(), "it was changed since the command made it".to_owned())),
            },
            (true, true) => work.inside(before, after, now, source)?,
        }
        Ok(work)
    }

    fn inside(
        &mut self,
        before: &State,
        after: Option<&State>,
        now: &State,
        source: &dyn ObjectSource,
    ) -> Result<()> {
        let by_name = |all: Vec<Definition>| {
            all.into_iter().map(|d| ((d.kind.clone(), d.name.clone()), d)).collect::<BTreeMap<_, _>>()
        };
        let old = defined(before, source)?;
        let (b, n) = (by_name(old.clone()), by_name(defined(now, source)?));
        let a = after.map(|after| defined(after, source)).transpose()?.map(by_name);
        let left = |key: &(String, String)| a.as_ref().map(|a| a.get(key));
        let rows_as_left = |name: &str| {
            let digest = |state: &State| state.read.get(name).map(|t| t.digest);
            after.is_some_and(|after| digest(after) == digest(now))
        };
        for definition in &old {
            let key = (definition.kind.clone(), definition.name.clone());
            match (n.get(&key), left(&key)) {
                (Some(now), left) if now == definition => {
                    self.back |= left.is_some_and(|left| left != Some(definition))
                }
                (_, Some(Some(left))) if left == definition => {}
                (None, None | Some(None)) => self.make.push(definition.clone()),
                (Some(now), Some(Some(left)))
                    if now == left && (definition.kind != "table" || rows_as_left(&definition.name)) =>
                {
                    self.drop.push(now.clone());
                    self.make.push(definition.clone());
                }
                _ => self.conflicts.push((
                    format!("sql:{}:{}", definition.kind, definition.name),
                    "somebody changed it since".to_owned(),
                )),
            }
        }
        for (key, definition) in n.iter().filter(|(key, _)| !b.contains_key(*key)) {
            match left(key) {
                Some(Some(left))
                    if left == definition
                        && (definition.kind != "table" || rows_as_left(&definition.name)) =>
                {
                    self.drop.push(definition.clone());
                }
                Some(Some(_)) => self.conflicts.push((
                    format!("sql:{}:{}", key.0, key.1),
                    "it was changed since the command made it".to_owned(),
                )),
                _ => {}
            }
        }
        let moved: Vec<&str> = self
            .drop
            .iter()
            .chain(&self.make)
            .filter(|d| d.kind == "table")
            .map(|d| d.name.as_str())
            .collect();
        let moved: Vec<String> = moved.into_iter().map(str::to_owned).collect();
        for (name, table) in &before.read {
            let (Some(now), false) = (now.read.get(name), moved.contains(name)) else { continue };
            self.rows(name, table, after.map(|after| after.read.get(name)), now, source)?;
        }
        Ok(())
    }

    fn rows(
        &mut self,
        name: &str,
        b: &Table,
        a: Option<Option<&Table>>,
        n: &Table,
        source: &dyn ObjectSource,
    ) -> Result<()> {
        if b.columns != n.columns || b.digest == n.digest {
            self.back |= a.flatten().is_some_and(|a| a.digest != b.digest);
            return Ok(());
        }
        let Some(a) = a.map(|a| a.filter(|a| a.columns == b.columns)) else {
            return self.moved(name, b, None, n, source);
        };
        match a {
            Some(a) => self.moved(name, b, Some(a), n, source),
            None => {
                self.conflicts
                    .push((format!("sql:table:{name}"), "somebody has made it anew since".to_owned()));
                Ok(())
            }
        }
    }

    fn moved(
        &mut self,
        name: &str,
        b: &Table,
        a: Option<&Table>,
        n: &Table,
        source: &dyn ObjectSource,
    ) -> Result<()> {
        let (before, now) = (b.index(source)?, n.index(source)?);
        let after: Option<(Table, Index)> = match a {
            Some(a) => Some((Table { writers: 1, ..a.clone() }, a.index(source)?)),
            None => None,
        };
        let table = Table { adds: if a.is_some() { Adds::Some } else { Adds::Nothing }, ..b.clone() };
        let moved = moves(&table, after.as_ref().map(|(a, i)| (a, i)), &before, &now);
        if !moved.conflicts.is_empty() {
            let count = moved.conflicts.len();
            let rows = if count == 1 { "1 row was".to_owned() } else { format!("{count} rows were") };
            self.conflicts.push((format!("sql:{name}[{count} rows]"), format!("{rows} changed since")));
        }
        self.back |= moved.back > 0;
        if !moved.rows.is_empty() {
            self.moves.insert(name.to_owned(), moved);
        }
        Ok(())
    }

    /// Nothing is to be written.
    pub fn is_empty(&self) -> bool {
        !self.whole && !self.remove && self.drop.is_empty() && self.make.is_empty() && self.moves.is_empty()
    }

    /// For people.
    fn said(&self, before: &State) -> String {
        let mut parts = Vec::new();
        if self.whole {
            parts.push("put back the file".to_owned());
        }
        if self.remove {
            parts.push("remove the file that the command made".to_owned());
        }
        for d in &self.make {
            let rows = before
                .read
                .get(&d.name)
                .filter(|_| d.kind == "table")
                .map_or_else(String::new, |t| format!(" with {} rows", t.count));
            parts.push(format!("make {} {} anew{rows}", d.kind, d.name));
        }
        let only = self.drop.iter().filter(|d| !self.make.iter().any(|m| m.name == d.name));
        parts.extend(only.map(|d| format!("drop {} {}", d.kind, d.name)));
        for (name, moves) in &self.moves {
            for (of, verb) in
                [(Move::Insert, "put back"), (Move::Update, "give old values to"), (Move::Remove, "take out")]
            {
                let rows = moves.count(of);
                if rows > 0 {
                    parts.push(format!("{verb} {rows} row{} of {name}", if rows == 1 { "" } else { "s" }));
                }
            }
        }
        parts.join("; ")
    }
}

/// Plans: one step for all that is written, since it is one transaction; one for each thing in the way.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let before = State::load(&captured.before.state, cx.source)?;
    let after = captured.after.map(|after| State::load(&after, cx.source)).transpose()?;
    let present = State::load(now, cx.source)?;
    let work = Work::of(&before, after.as_ref(), &present, cx.source)?;
    let left_alone = captured.after.is_some_and(|after| after.digest == now.digest);
    let lost = || Error::corrupt("a capture of a database without its state");
    let payload = Payload {
        before: captured.before.state.object.ok_or_else(lost)?,
        after: captured.after.and_then(|after| after.object).filter(|_| !left_alone),
        left_alone,
        now: now.digest,
    };
    let payload = serde_json::to_value(payload)
        .map_err(|e| Error::failure(format!("cannot encode a step for a database: {e}")))?;
    let step = |resource: Bytes, action: String, verdict: StepVerdict| Step {
        system: SystemId::new(NAME),
        resource,
        action,
        reversibility: Reversibility::Exact,
        verdict,
        not_restored: Vec::new(),
        locator: captured.before.locator.clone(),
        payload: payload.clone(),
        policy: None,
        ways: Vec::new(),
    };
    let own = captured.before.resource.clone();
    let mut steps = Vec::new();
    if !work.is_empty() {
        steps.push(step(own, work.said(&before), StepVerdict::Restore));
    } else if work.back && work.conflicts.is_empty() {
        steps.push(step(own, "is back".to_owned(), StepVerdict::Already));
    }
    for (what, reason) in work.conflicts {
        steps.push(step(Bytes::from(what), "stays as it is".to_owned(), StepVerdict::Conflict { reason }));
    }
    Ok(steps)
}
