//! Before a command: what its script will change, found in one snapshot of the server and stored.

use super::catalog::{self, pair};
use super::connection::Connection;
use super::session::Client;
use super::want::{Want, want};
use super::{NAME, define, look};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Locator, Missing};
use crate::sql::{Act, Dialect, Touch};
use crate::systems::CaptureCx;
use crate::systems::tables::{
    self, ACCESS, Adds, Input, NOT_KEPT, Number, Reading, SCRIPT, State, Table, View,
};

/// How long an undo waits for its own look at the present, in seconds.
const PATIENCE: u64 = 180;

/// Stores what a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    if let Some(why) = locator.opts.get(NOT_KEPT) {
        return Err(Error::failure(why.lossy()));
    }
    if let Some((state, capture)) = tables::earlier(effect, locator, cx)? {
        let until = tables::until(cx, PATIENCE);
        let now = look::again(&state, &capture, Some(cx.sink), cx, until)?;
        return Ok(vec![tables::finished(&now, effect.resource.clone(), locator, (0, Vec::new()), cx)?]);
    }
    let unsaid = |name: &str| locator.unsaid.get(name).and_then(Bytes::as_str).unwrap_or_default();
    let lost = |_| Error::failure("the words do not say where it is");
    let connection: Connection = serde_json::from_str(unsaid(ACCESS)).map_err(lost)?;
    let inputs: Vec<Input> = serde_json::from_str(unsaid(SCRIPT)).map_err(lost)?;
    let mut missing = Vec::new();
    let dir = connection.directory();
    let mut reading = Reading { dir: &dir, dialect: Dialect::MySql, missing: &mut missing };
    let acts = reading.acts(&inputs, &|_| Ok(Vec::new()));
    if acts.iter().all(|act| act.touch == Touch::Nothing) && missing.is_empty() {
        return Ok(Vec::new());
    }
    let until = tables::until(cx, cx.caps.database_seconds);
    let client = Client::open(&connection, until, true)?;
    Before { client, cx, missing }.take(&connection, &acts, effect, locator)
}

struct Before<'a> {
    client: Client,
    cx: &'a CaptureCx<'a>,
    missing: Vec<Missing>,
}

impl Before<'_> {
    fn take(
        mut self,
        connection: &Connection,
        acts: &[Act],
        effect: &Effect,
        locator: &Locator,
    ) -> Result<Vec<Capture>> {
        let server = look::begin_reading(&mut self.client)?;
        let current = server.get("database").cloned().unwrap_or_default();
        let mut state = State::new(NAME, server, connection.words.clone());
        let mut want = want(&mut self.client, current, acts, self.cx.caps.database_opaque_bytes)?;
        self.missing.append(&mut want.missing);
        let mut bytes = self.tables(&want, &mut state)?;
        for name in &want.absent {
            state.read.insert(name.clone(), Table { adds: Adds::Some, ..Table::absent() });
        }
        if !want.scope.is_empty() {
            bytes += self.definitions(&want, &mut state)?;
        }
        if state.is_empty() && self.missing.is_empty() {
            return Ok(Vec::new());
        }
        let kept = (bytes, self.missing);
        Ok(vec![tables::finished(&state, effect.resource.clone(), locator, kept, self.cx)?])
    }

    /// Small tables first: what is not read in time is named.
    fn tables(&mut self, want: &Want, state: &mut State) -> Result<u64> {
        let mut order: Vec<Number> = want.tables.keys().copied().collect();
        order.sort_by_key(|number| want.relations.get(number).map_or(0, |r| r.bytes));
        let mut bytes = 0;
        for number in order {
            let (Some(relation), Some(wish)) = (want.relations.get(&number), want.tables.get(&number)) else {
                continue;
            };
            let shown = Bytes::from(format!("sql:table:{}", relation.name.replace('`', "")));
            match look::table(&mut self.client, relation, &wish.how, self.cx.sink) {
                Ok((mut table, index)) => {
                    table.index = index.store(self.cx.sink)?;
                    if table.view == View::Keys {
                        table.covers.clone_from(&table.index);
                    }
                    table.adds = wish.adds.into();
                    table.writers = if wish.adds == Some(None) { 2 } else { 1 };
                    table.fires = self.triggers(&relation.name, &shown, want.quiet.contains(&number))?;
                    if table.view == View::All {
                        let next = define::counter(&mut self.client, &relation.name)?;
                        state.sequences.extend(next.map(|next| (relation.name.clone(), (next, false))));
                    }
                    bytes += relation.bytes.min(table.count.saturating_mul(64).max(1));
                    state.read.insert(relation.name.clone(), table);
                }
                Err(_) if self.client.left().is_zero() => {
                    let seconds = self.cx.caps.database_seconds;
                    return Err(Error::failure(format!("the database did not answer within {seconds} s")));
                }
                Err(e) => self.missing.push(Missing { what: shown, why: e.what }),
            }
        }
        Ok(bytes)
    }

    /// The triggers of a table; those that may write elsewhere are named, since nobody follows them.
    fn triggers(&mut self, table: &str, shown: &Bytes, quiet: bool) -> Result<Vec<String>> {
        const WRITES: &[&str] = &["INSERT", "UPDATE", "DELETE", "REPLACE", "CALL", "TRUNCATE"];
        let all = catalog::triggers(&mut self.client, &pair(table))?;
        for (name, _, text) in all.iter().filter(|_| !quiet) {
            let upper = text.to_uppercase();
            let mut words = upper.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words.any(|word| WRITES.contains(&word)) {
                let why = format!("its trigger {name} writes elsewhere: what that writes is not kept");
                self.missing.push(Missing { what: shown.clone(), why });
            }
        }
        Ok(all.into_iter().map(|(name, _, _)| name).collect())
    }

    fn definitions(&mut self, want: &Want, state: &mut State) -> Result<u64> {
        state.scope = want.scope.iter().cloned().collect();
        let found = define::definitions(&mut self.client, &state.scope)?;
        for what in found.hidden {
            let why = "its definition is not shown to this user".to_owned();
            self.missing.push(Missing { what: Bytes::from(format!("sql:{what}")), why });
        }
        tables::define(state, &found.all, self.cx.sink)?;
        state.sequences.extend(look::counters(found.counters));
        Ok(found.all.iter().map(|d| d.sql.len() as u64).sum())
    }
}
