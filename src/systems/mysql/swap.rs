//! Definitions back to what they were. MySQL commits with each statement that defines something, so nothing here is one
//! transaction: a table is made and filled beside, and takes its place by one `RENAME TABLE`; what breaks off in between can
//! be gone on with, since what is back is found to be.

use super::catalog::{self, full, pair};
use super::define;
use super::look::{self, Place};
use super::session::Client;
use super::value::{ident, literal};
use super::write::{Filler, Writing, database_of};
use crate::error::{Error, Result};
use crate::systems::tables::{Definition, Redefined, State, Table, View, defined};

/// Takes away what the command made, makes what it took away, and what it changed as it was.
pub fn redefine(writing: &Writing<'_>, before: &State, now: &State, work: &Redefined) -> Result<()> {
    let mut client = writing.session()?;
    let present = defined(now, writing.place.source)?;
    let is_changed =
        |d: &Definition| d.is_table() && work.make.iter().any(|m| m.is_table() && m.name == d.name);
    for d in work.drop.iter().rev().filter(|d| !is_changed(d)) {
        take_away(&mut client, d).map_err(|e| e.context(shown(d)))?;
    }
    let mut tables = Vec::new();
    let mut number = 0;
    for d in &work.make {
        let of_now = present.iter().find(|n| n.is_table() && n.name == d.name);
        let done = match (d.is_table(), of_now) {
            (false, _) => run(&mut client, d),
            (true, Some(of_now)) => {
                number += 1;
                let change = Change { writing, before, now, present: &present, work, number };
                change.table(&mut client, d, of_now)
            }
            (true, None) => {
                number += 1;
                tables.push(d.name.clone());
                Change { writing, before, now, present: &present, work, number }.fresh(&mut client, d)
            }
        };
        done.map_err(|e| e.context(shown(d)))?;
    }
    writing.counters(&mut client, before, tables.iter())?;
    verify(&mut client, writing, before, work)
}

fn shown(d: &Definition) -> String {
    format!("{} {}", d.kind, d.name.replace('`', ""))
}

fn take_away(client: &mut Client, d: &Definition) -> Result<()> {
    if d.kind == "database" {
        let name = pair(&d.name).1;
        let query =
            format!("SELECT COUNT(*) FROM information_schema.TABLES WHERE table_schema = {}", literal(&name));
        if client.value(&query)?.as_deref() != Some("0") {
            return Err(Error::failure("it holds tables that the command did not make"));
        }
    }
    client.run(&format!("DROP {} IF EXISTS {}", d.kind.to_uppercase(), d.name))
}

/// Runs the statement that makes something, as it was made.
fn run(client: &mut Client, d: &Definition) -> Result<()> {
    const OURS: &str = "NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION";
    if !d.within.is_empty() {
        client.run(&format!("USE {}", ident(&d.within)))?;
    }
    if !d.mode.is_empty() {
        let (mode, zone) = d.mode.split_once('\n').unwrap_or((&d.mode, "+00:00"));
        client.run(&format!("SET SESSION sql_mode = {}, time_zone = {}", literal(mode), literal(zone)))?;
    }
    client.run(&d.sql)?;
    client.run(&format!("SET SESSION sql_mode = {}, time_zone = '+00:00'", literal(OURS)))
}

/// A table that is made anew.
struct Change<'a> {
    writing: &'a Writing<'a>,
    before: &'a State,
    now: &'a State,
    present: &'a [Definition],
    work: &'a Redefined,
    number: usize,
}

impl Change<'_> {
    fn beside(&self, name: &str, what: &str) -> String {
        let label: String =
            self.writing.cx.label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        full(&(database_of(name), format!("fr_{label}_{what}{}", self.number)))
    }

    fn old(&self, name: &str) -> Result<&Table> {
        let table = self.before.read.get(name).filter(|t| t.there && t.view == View::All);
        table.ok_or_else(|| Error::failure("its rows were not captured"))
    }

    /// Makes the old table with its old rows beside its place; gives its name and the foreign keys that were left out.
    fn filled(
        &self,
        client: &mut Client,
        d: &Definition,
        without_foreign: bool,
    ) -> Result<(String, Vec<String>)> {
        let old = self.old(&d.name)?;
        let beside = self.beside(&d.name, "new");
        let made = define::renamed(&d.sql, &beside, without_foreign);
        let (sql, foreign) = made.ok_or_else(|| Error::failure("its definition is not understood"))?;
        client.run(&format!("USE {}", ident(&d.within)))?;
        client.run(&format!("DROP TABLE IF EXISTS {beside}"))?;
        client.run(&sql)?;
        client.run("START TRANSACTION")?;
        let mut filler = Filler::new(&beside, old);
        old.each_row(self.writing.place.source, &mut |line| filler.give(client, line))?;
        filler.flush(client)?;
        client.run("COMMIT")?;
        (self.writing.cx.progress)(old.count);
        let count = client.value(&format!("SELECT COUNT(*) FROM {beside}"))?;
        match count.as_deref() == Some(old.count.to_string().as_str()) {
            true => Ok((beside, foreign)),
            false => Err(Error::failure("not all of its rows came back")),
        }
    }

    fn fresh(&self, client: &mut Client, d: &Definition) -> Result<()> {
        let (beside, _) = self.filled(client, d, false)?;
        client.run(&format!("RENAME TABLE {beside} TO {}", d.name))
    }

    fn table(&self, client: &mut Client, d: &Definition, of_now: &Definition) -> Result<()> {
        if let Some(mut clauses) = define::keys_only(&d.sql, &of_now.sql) {
            client.run(&format!("USE {}", ident(&d.within)))?;
            // A foreign key makes a key of its own where it finds none, or takes the place of one.
            for _ in 0..3 {
                if clauses.is_empty() {
                    break;
                }
                client.run(&format!("ALTER TABLE {} {}", d.name, clauses.join(", ")))?;
                clauses = define::keys_only(&d.sql, &define::table(client, &d.name)?).unwrap_or_default();
            }
            return Ok(());
        }
        let (beside, foreign) = self.filled(client, d, true)?;
        let gone = self.beside(&d.name, "old");
        self.unchanged(client, &d.name)?;
        // A renaming takes along the foreign keys of others; with a dropped table they wait for its name.
        let referred = catalog::foreign(client)?.iter().any(|f| full(&f.parent) == d.name);
        if referred {
            client.run(&format!("DROP TABLE {}", d.name))?;
            client.run(&format!("RENAME TABLE {beside} TO {}", d.name))?;
        } else {
            client.run(&format!("RENAME TABLE {} TO {gone}, {beside} TO {}", d.name, d.name))?;
            client.run(&format!("DROP TABLE {gone}"))?;
        }
        if !foreign.is_empty() {
            client.run(&format!("ALTER TABLE {} {}", d.name, foreign.join(", ")))?;
        }
        // Its triggers went with it.
        let own = |t: &&Definition| t.kind == "trigger" && t.table == d.name && !self.work.drop.contains(t);
        self.present.iter().filter(own).try_for_each(|trigger| run(client, trigger))?;
        self.writing.counters(client, self.before, std::iter::once(&d.name))
    }

    /// The last look before the table is replaced.
    fn unchanged(&self, client: &mut Client, name: &str) -> Result<()> {
        let mut own = self.now.clone();
        own.read.retain(|other, _| other == name);
        (own.defined, own.scope) = (None, Vec::new());
        let digest = |state: &State| state.read.get(name).map(|t| t.digest);
        let place = Place { lock: false, contents: None, ..*self.writing.place };
        match digest(&look::now(client, &own, &place)?) == digest(&own) {
            true => Ok(()),
            false => Err(Error::failure("somebody changed it meanwhile")),
        }
    }
}

/// Reads again what was made: nothing may differ from what was recorded.
fn verify(client: &mut Client, writing: &Writing<'_>, before: &State, work: &Redefined) -> Result<()> {
    let mut own = before.clone();
    let made: Vec<&str> = work.make.iter().filter(|d| d.is_table()).map(|d| d.name.as_str()).collect();
    own.read.retain(|name, t| made.contains(&name.as_str()) && t.there && t.view == View::All);
    let place = Place { lock: false, contents: None, ..*writing.place };
    let now = look::now(client, &own, &place)?;
    let there = defined(&now, writing.place.source)?;
    for d in &work.make {
        if !there.contains(d) {
            return Err(Error::failure(format!("{} did not come back as it was", shown(d))));
        }
    }
    let kept = |name: &String| work.drop.iter().any(|d| d.is_table() && d.name == *name);
    for (name, table) in own.read.iter().filter(|(name, _)| !kept(name)) {
        if now.read.get(name).is_none_or(|n| n.digest != table.digest) {
            let plain = name.replace('`', "");
            return Err(Error::failure(format!("the rows of {plain} did not come back as they were")));
        }
    }
    Ok(())
}
