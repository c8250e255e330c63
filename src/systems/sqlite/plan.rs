//! The way back of a database file, by what it was before (B), after (A) and is now (N).

use crate::error::Result;
use crate::model::{Captured, ObjectSource, StateRef, Step};
use crate::systems::PlanCx;
use crate::systems::tables::{
    Adds, Clash, Compared, Definition, FileOf, Found, Redefined, State, States, Table, defined, steps,
};

/// What is to be done.
#[derive(Default)]
pub struct Work {
    /// The file comes from the copy: it is gone.
    pub whole: bool,
    /// The file goes: the command made it.
    pub remove: bool,
    /// Definitions.
    pub definitions: Redefined,
    /// Rows of tables that stay.
    pub rows: Compared,
    /// The file's old mode and owner.
    pub file: Option<FileOf>,
    conflicts: Vec<Clash>,
    back: bool,
}

impl Work {
    /// Works it out.
    pub fn of(before: &State, after: Option<&State>, now: &State, source: &dyn ObjectSource) -> Result<Work> {
        let mut work = Work::default();
        let is_there = |state: &State| !state.database_digests.is_empty();
        let same = |a: &State| a.digest() == now.digest();
        let clash = |why: &str| Clash::plain("sql:main", why);
        match (is_there(before), is_there(now)) {
            (false, false) => work.back = after.is_some_and(is_there),
            (true, false) => match after {
                Some(after) if is_there(after) => {
                    work.conflicts.push(clash("somebody has removed the file since"));
                }
                _ if super::rows::is_rows(before) => {
                    let why = "the file is gone, and of it only rows were kept";
                    work.rows.lost.push(("sql:main".to_owned(), why.to_owned()));
                }
                _ => work.whole = true,
            },
            (false, true) => match after {
                Some(after) if same(after) => work.remove = true,
                _ => work.conflicts.push(clash("it was changed since the command made it")),
            },
            (true, true) => {
                work.inside(before, after, now, source)?;
                let is_left = after.is_none_or(|after| after.file == now.file);
                work.file = before.file.filter(|_| is_left && now.file.is_some() && before.file != now.file);
            }
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
        let as_left = |name: &str| {
            let digest = |state: &State| state.read.get(name).map(|t| t.digest);
            after.is_some_and(|after| digest(after) == digest(now))
        };
        if before.defined.is_some() {
            let left: Option<Vec<Definition>> = after.map(|after| defined(after, source)).transpose()?;
            let (old, present) = (defined(before, source)?, defined(now, source)?);
            self.definitions = Redefined::of(&old, left.as_deref(), &present, &as_left);
        }
        let moved: Vec<String> = self.definitions.tables().map(str::to_owned).collect();
        for (name, b) in before.read.iter().filter(|(name, _)| !moved.contains(name)) {
            let Some(n) = now.read.get(name) else { continue };
            let a = after.map(|after| after.read.get(name).cloned().unwrap_or_else(Table::absent));
            if b.columns != n.columns || b.digest == n.digest {
                self.back |= a.is_some_and(|a| a.there && a.digest != b.digest);
                continue;
            }
            // One file has one writer at a time: what came with the command is its own.
            let adds = if a.is_some() { Adds::Some } else { Adds::Nothing };
            let a = a.map(|a| Table { writers: 1, ..a });
            self.rows.table(name, &Table { adds, ..b.clone() }, a.as_ref(), n, source)?;
        }
        if after.is_none() { self.perhaps_made(before, now, source) } else { Ok(()) }
    }

    /// What is there and was not, where nobody told how the command ended: it stays, and that is said.
    fn perhaps_made(&mut self, before: &State, now: &State, source: &dyn ObjectSource) -> Result<()> {
        const WHY: &str = "nobody told how the command ended: whether it made this is not known";
        let old = defined(before, source)?;
        let is_new = |new: &&Definition| !old.iter().any(|d| (&d.kind, &d.name) == (&new.kind, &new.name));
        if before.defined.is_some() {
            for new in defined(now, source)?.iter().filter(is_new) {
                self.rows.lost.push((format!("sql:{}:{}", new.kind, new.name), WHY.to_owned()));
            }
        }
        for (name, b) in &before.read {
            let Some(n) = now.read.get(name).filter(|n| n.digest != b.digest) else { continue };
            let (before, now) = (b.index(source)?, n.index(source)?);
            let new = now.0.keys().filter(|key| !before.0.contains_key(*key)).count();
            if new > 0 {
                self.rows.lost.push((format!("sql:{name}[{new} new rows]"), WHY.to_owned()));
            }
        }
        Ok(())
    }

    fn said(&self, before: &State) -> Vec<String> {
        let mut parts = Vec::new();
        if self.whole {
            parts.push("put back the file".to_owned());
        }
        if self.remove {
            parts.push("remove the file that the command made".to_owned());
        }
        parts.extend(self.definitions.said(before));
        parts.extend(self.rows.said());
        parts.extend(self.file.map(|old| {
            format!("give the file its old mode {:o} and owner {}:{}", old.mode, old.uid, old.gid)
        }));
        parts
    }
}

/// Plans.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let states = States::load(captured, now, cx)?;
    let work = Work::of(&states.before, states.after.as_ref(), &states.now, cx.source)?;
    let found = Found {
        said: work.said(&states.before),
        back: work.back || work.rows.back || work.definitions.back,
        anew: false,
        conflicts: work
            .conflicts
            .into_iter()
            .chain(work.definitions.conflicts)
            .chain(work.rows.conflicts)
            .collect(),
        lost: work.rows.lost,
        beside: Vec::new(),
    };
    steps(found, captured, (&states, now), false, cx)
}
