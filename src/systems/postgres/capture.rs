//! Before a command: what its script will change, found in one snapshot of the server and stored.

use std::collections::BTreeSet;
use std::time::Instant;

use super::catalog;
use super::connection::Connection;
use super::look::{self, Place};
use super::session::Psql;
use super::want::{Want, want};
use super::{NAME, archive, database, dump, triggers};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Locator, Missing, ObjectKind};
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
    let until = tables::until(cx, cx.caps.database_seconds);
    let mut missing = Vec::new();
    let dir = connection.directory();
    let mut reading = Reading { dir: &dir, dialect: Dialect::Postgres, missing: &mut missing };
    let acts = reading.acts(&inputs, &|path| archive::acts(&connection, path, until));
    if acts.iter().all(|act| act.touch == Touch::Nothing) && missing.is_empty() {
        return Ok(Vec::new());
    }
    Before { connection: &connection, cx, until, missing }.take(&acts, effect, locator)
}

struct Before<'a> {
    connection: &'a Connection,
    cx: &'a CaptureCx<'a>,
    until: Instant,
    missing: Vec<Missing>,
}

impl Before<'_> {
    fn take(mut self, acts: &[Act], effect: &Effect, locator: &Locator) -> Result<Vec<Capture>> {
        let mut psql = Psql::open(self.connection, self.until)?;
        look::begin_reading(&mut psql)?;
        let server = catalog::identity(&mut psql)?;
        let mut state = State::new(NAME, server, self.connection.env.clone());
        let mut want = want(&mut psql, acts, self.cx.caps.database_opaque_bytes)?;
        self.missing.append(&mut want.missing);
        let mut fire = want.relations.clone();
        fire.retain(|oid, _| !want.quiet.contains(oid));
        self.missing.extend(triggers::missing(&mut psql, &fire)?);
        let mut bytes = self.tables(&mut psql, &want, &mut state)?;
        for name in &want.absent {
            state.read.insert(name.clone(), Table { adds: Adds::Some, ..Table::absent() });
        }
        let whole: BTreeSet<Number> = want.tables.keys().copied().collect();
        state.sequences = catalog::sequences(&mut psql, &whole, &want.sequences)?;
        for (name, dropped) in &want.databases {
            bytes += self.database(&mut psql, name, *dropped, &mut state)?;
        }
        if want.definitions {
            bytes += self.definitions(&mut psql, &mut state)?;
        }
        let _ = psql.run("ROLLBACK");
        if state.is_empty() && self.missing.is_empty() {
            return Ok(Vec::new());
        }
        let kept = (bytes, self.missing);
        Ok(vec![tables::finished(&state, effect.resource.clone(), locator, kept, self.cx)?])
    }

    fn tables(&mut self, psql: &mut Psql, want: &Want, state: &mut State) -> Result<u64> {
        let moment = moment(psql)?;
        let mut order: Vec<Number> = want.tables.keys().copied().collect();
        order.sort_by_key(|oid| want.relations.get(oid).map_or(0, |r| r.bytes));
        let mut bytes = 0;
        for oid in order {
            let (Some(relation), Some(wish)) = (want.relations.get(&oid), want.tables.get(&oid)) else {
                continue;
            };
            match look::table(psql, relation, &wish.how, &moment, Some(self.cx.sink)) {
                Ok((mut table, index)) => {
                    table.index = index.store(self.cx.sink)?;
                    if table.view == View::Keys {
                        table.covers.clone_from(&table.index);
                    }
                    table.adds = wish.adds.into();
                    bytes += relation.bytes.min(table.count.saturating_mul(64).max(1));
                    state.read.insert(relation.name.clone(), table);
                }
                Err(_) if psql.left().is_zero() => return Err(self.late()),
                Err(e) => self
                    .missing
                    .push(Missing { what: Bytes::from(format!("sql:table:{}", relation.name)), why: e.what }),
            }
        }
        Ok(bytes)
    }

    fn late(&self) -> Error {
        Error::failure(format!("the database did not answer within {} s", self.cx.caps.database_seconds))
    }

    fn definitions(&mut self, psql: &mut Psql, state: &mut State) -> Result<u64> {
        // A server that only follows another gives none away.
        let snapshot = psql.value("SELECT pg_catalog.pg_export_snapshot()").ok();
        match dump::definitions(self.connection, snapshot.as_deref(), self.until) {
            Ok(definitions) => {
                let text = definitions.text();
                state.defined = Some(definitions.digest());
                state.definitions = vec![self.cx.sink.put(ObjectKind::Blob, text.as_bytes())?];
                Ok(text.len() as u64)
            }
            Err(e) => {
                self.missing.push(Missing { what: "the definitions of the database".into(), why: e.what });
                Ok(0)
            }
        }
    }

    fn database(&mut self, psql: &mut Psql, name: &str, dropped: bool, state: &mut State) -> Result<u64> {
        if dropped && name == state.server.get("database").map(String::as_str).unwrap_or_default() {
            return Ok(0);
        }
        let place = Place {
            connection: self.connection,
            source: self.cx.source,
            sink: self.cx.sink,
            contents: Some(self.cx.sink),
        };
        match database::look(psql, name, &place, state) {
            Ok(bytes) => Ok(bytes),
            Err(e) => {
                state.databases.remove(name);
                self.missing.push(Missing { what: Bytes::from(format!("sql:database:{name}")), why: e.what });
                Ok(0)
            }
        }
    }
}

/// The moment from which on rows are new: the first transaction that has not begun.
fn moment(psql: &mut Psql) -> Result<String> {
    let rows =
        psql.table("SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot()) % 4294967296")?;
    rows.first()
        .and_then(|row| row.first().cloned().flatten())
        .ok_or_else(|| Error::failure("the server does not tell its transaction"))
}
