//! The way back of a database, by what it was before (B), after (A) and is now (N). The same work is worked out at undo once
//! more, with the tables locked, so a plan holds only what tells the states apart.

use super::definitions::{Definitions, Difference};
use super::{alter, enums};
use crate::error::Result;
use crate::model::{Captured, ObjectSource, StateRef, Step};
use crate::systems::PlanCx;
use crate::systems::tables::{Clash, Compared, Found, State, States, Table, View, steps};

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
    pub rows: Compared,
    /// Definitions.
    pub difference: Difference,
    /// Databases that are made from their dumps.
    pub databases: Vec<String>,
    /// Databases that the command made.
    pub made: Vec<String>,
    /// Counters that the command set back, and where they go on.
    counters: Vec<(String, i64)>,
    /// What stands in the way: of what, and why.
    conflicts: Vec<Clash>,
    /// What cannot be brought back: of what, and why.
    lost: Vec<(String, String)>,
    /// Something was brought back already.
    back: bool,
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
        work.counters(before, after, now);
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
            let what = format!("sql:{}", entry.shown());
            self.conflicts.push(Clash::plain(what, "somebody changed its definition since"));
        }
        self.changed_tables(before);
        let lasting = self.difference.changed.extract_if(.., |(now, old)| enums::no_way(now, old).is_some());
        for (now, old) in lasting {
            let why = enums::no_way(&now, &old).unwrap_or_default();
            self.lost.push((format!("sql:{}", old.shown()), why.to_owned()));
        }
        let changed = self.difference.changed.iter().map(|(_, old)| old);
        for entry in self.difference.made.iter().chain(changed) {
            if let Some(why) = alter::why_not(entry) {
                self.lost.push((format!("sql:{}", entry.shown()), why.to_owned()));
            }
        }
        Ok(())
    }

    /// Counters never go back: one that did was set.
    fn counters(&mut self, before: &State, after: Option<&State>, now: &State) {
        for (name, b) in &before.sequences {
            let Some(n) = now.sequences.get(name) else { continue };
            let is_left = after.is_none_or(|after| after.sequences.get(name) == Some(n));
            if is_left && (n.0 < b.0 || n.0 == b.0 && b.1 && !n.1) {
                self.counters.push((name.clone(), b.0));
            }
        }
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
                    let what = format!("sql:table:{name}");
                    self.conflicts.push(Clash::plain(what, "somebody has dropped it since"));
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
                _ => self.conflicts.push(Clash::plain(
                    format!("sql:table:{name}"),
                    "its rows were changed since the command made it",
                )),
            },
            (true, true) if !same_columns(b, n) || self.redefined.iter().any(|r| r == name) => match a {
                Some(a) if a.there && same_columns(a, n) && a.digest == n.digest && b.view == View::All => {
                    self.rebuilt.push(name.to_owned());
                }
                _ => self.conflicts.push(Clash::plain(
                    format!("sql:table:{name}"),
                    "its columns or rows were changed since",
                )),
            },
            (true, true) => self.rows.table(name, b, a, n, source)?,
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
                let what = format!("sql:database:{name}");
                self.conflicts.push(Clash::plain(what, "somebody changed it since"));
            }
        }
    }

    /// For people.
    fn said(&self, before: &State) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        let count = |name: &String| before.read.get(name).map_or(0, |t| t.count);
        for name in &self.fresh {
            parts.push(format!("make table {name} anew with {} rows", count(name)));
        }
        for name in &self.rebuilt {
            parts.push(format!("give table {name} its old columns and {} rows", count(name)));
        }
        parts.extend(self.rows.said());
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
        parts
            .extend(self.counters.iter().map(|(name, value)| format!("let counter {name} go on at {value}")));
        parts.extend(self.databases.iter().map(|name| format!("make database {name} anew")));
        parts.extend(self.made.iter().map(|name| format!("drop database {name}")));
        parts
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

/// The definitions of a state.
pub fn read(state: &State, source: &dyn ObjectSource) -> Result<Definitions> {
    let mut text = String::new();
    for id in &state.definitions {
        text.push_str(&String::from_utf8_lossy(&source.get(id)?));
    }
    Ok(Definitions::parse(&text))
}

/// Plans.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let states = States::load(captured, now, cx)?;
    let work = Work::of(&states.before, states.after.as_ref(), &states.now, cx.source)?;
    let found = Found {
        said: work.said(&states.before),
        back: work.back || work.rows.back,
        anew: !(work.fresh.is_empty()
            && work.rebuilt.is_empty()
            && work.databases.is_empty()
            && work.difference.is_empty()),
        conflicts: work.conflicts.into_iter().chain(work.rows.conflicts).collect(),
        lost: work.lost.into_iter().chain(work.rows.lost).collect(),
        beside: Vec::new(),
    };
    steps(found, captured, (&states, now), true, cx)
}
