//! The way back of a database file, by what it was before (B), after (A) and is now (N).

use crate::error::Result;
use crate::model::{Captured, ObjectSource, StateRef, Step};
use crate::systems::PlanCx;
use crate::systems::tables::{
    Adds, Clash, Compared, Definition, Found, Redefined, State, States, Table, defined, steps,
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
