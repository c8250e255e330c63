//! The way back of databases, by what they were before (B), after (A) and are now (N).

use super::define;
use crate::error::Result;
use crate::model::{Captured, ObjectSource, StateRef, Step};
use crate::systems::PlanCx;
use crate::systems::tables::{
    Clash, Compared, Definition, Found, Move, Redefined, State, States, Table, View, defined, steps,
};

/// What is to be done.
#[derive(Default)]
pub struct Work {
    /// Definitions, tables that are gone or changed among them.
    pub definitions: Redefined,
    /// Rows of tables that stay.
    pub rows: Compared,
    conflicts: Vec<Clash>,
    lost: Vec<(String, String)>,
}

impl Work {
    /// Works it out.
    pub fn of(before: &State, after: Option<&State>, now: &State, source: &dyn ObjectSource) -> Result<Work> {
        let mut work = Work::default();
        if before.defined.is_some() && before.defined != now.defined {
            work.define(before, after, now, source)?;
        } else if before.defined.is_some() {
            work.definitions.back = after.is_some_and(|after| after.defined != before.defined);
        }
        let moved: Vec<String> = work.definitions.tables().map(str::to_owned).collect();
        for (name, b) in before.read.iter().filter(|(name, _)| !moved.contains(name)) {
            let Some(n) = now.read.get(name) else { continue };
            let a = after.and_then(|after| after.read.get(name));
            work.table(name, b, a, n, source)?;
        }
        Ok(work)
    }

    fn define(
        &mut self,
        before: &State,
        after: Option<&State>,
        now: &State,
        source: &dyn ObjectSource,
    ) -> Result<()> {
        let as_left = |name: &str| {
            let digest = |state: &State| state.read.get(name).map(|t| t.digest);
            after.is_some_and(|after| digest(after).is_some() && digest(after) == digest(now))
        };
        let (old, present) = (defined(before, source)?, defined(now, source)?);
        let left = after.map(|after| defined(after, source)).transpose()?;
        // Of a table whose keys alone were changed the rows are nobody's business.
        let keys = |name: &str| {
            let text = |all: &[Definition]| {
                all.iter().find(|d| d.is_table() && d.name == name).map(|d| d.sql.clone())
            };
            text(&old).zip(text(&present)).is_some_and(|(old, now)| define::keys_only(&old, &now).is_some())
        };
        self.definitions =
            Redefined::of(&old, left.as_deref(), &present, &|name| keys(name) || as_left(name));
        self.without_rows(before, &present);
        Ok(())
    }

    /// A table that was changed is made anew only where all its old rows are at hand.
    fn without_rows(&mut self, before: &State, present: &[Definition]) {
        let whole = |name: &str| before.read.get(name).is_some_and(|t| t.there && t.view == View::All);
        let keys = |d: &Definition| {
            let now = present.iter().find(|n| n.is_table() && n.name == d.name);
            now.is_some_and(|now| define::keys_only(&d.sql, &now.sql).is_some())
        };
        let lacking: Vec<String> = self
            .definitions
            .make
            .iter()
            .filter(|d| d.is_table() && !whole(&d.name) && !keys(d))
            .map(|d| d.name.clone())
            .collect();
        for name in lacking {
            self.definitions.make.retain(|d| !(d.is_table() && d.name == name));
            self.definitions.drop.retain(|d| !(d.is_table() && d.name == name));
            let why = "its definition was changed, and its rows were not captured with it";
            self.lost.push((format!("sql:table:{name}"), why.to_owned()));
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
        let clash = |why: &str| Clash::plain(format!("sql:table:{name}"), why);
        match (b.there, n.there) {
            (true, true) if b.columns == n.columns => self.rows.table(name, b, a, n, source)?,
            (true, true) => self.conflicts.push(clash("its columns were changed since")),
            (true, false) => self.conflicts.push(clash("somebody has dropped it since")),
            (false, true) if a.is_none_or(|a| a.there) => {
                self.conflicts.push(clash("its rows were changed since the command made it"));
            }
            (false, _) => self.rows.back |= a.is_some_and(|a| a.there),
        }
        Ok(())
    }
}

/// Plans.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let states = States::load(captured, now, cx)?;
    let work = Work::of(&states.before, states.after.as_ref(), &states.now, cx.source)?;
    let mut said = work.definitions.said(&states.before);
    said.extend(work.rows.said());
    let plain = |text: String| text.replace('`', "");
    let fires = |(name, moves): (&String, &crate::systems::tables::Moves)| {
        let triggers = &states.before.read.get(name)?.fires;
        let any = !triggers.is_empty() && moves.rows.iter().any(|(_, m)| *m != Move::Remove);
        any.then(|| {
            format!(
                "the triggers of {} ({}) fire for what is put back",
                plain(name.clone()),
                triggers.join(", ")
            )
        })
    };
    let beside = work.rows.moves.iter().filter_map(fires).collect();
    let anew = work.definitions.tables().next().is_some();
    let found = Found {
        said: said.into_iter().map(plain).collect(),
        back: work.rows.back || work.definitions.back,
        anew,
        conflicts: work
            .conflicts
            .into_iter()
            .chain(work.definitions.conflicts)
            .chain(work.rows.conflicts)
            .map(|clash| Clash { what: plain(clash.what), ..clash })
            .collect(),
        lost: work.lost.into_iter().chain(work.rows.lost).map(|(what, why)| (plain(what), why)).collect(),
        beside,
    };
    steps(found, captured, (&states, now), true, cx)
}
