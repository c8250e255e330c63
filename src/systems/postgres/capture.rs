//! Before a command: what its script will change, found in one snapshot of the server and stored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::assess::{ACCESS, Input, NOT_KEPT, SCRIPT};
use super::catalog::{self, Oid};
use super::connection::Connection;
use super::look::{self, Place};
use super::session::Psql;
use super::want::{Want, want};
use super::{NAME, archive, database, dump, triggers};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Locator, Missing, ObjectId, ObjectKind, StateRef, SystemId};
use crate::sql::{self, Act, Dialect, Touch};
use crate::systems::CaptureCx;
use crate::systems::tables::{Adds, State, Table};

/// Option of a capture's locator: its own stored state.
pub const STATE: &str = "state";
/// How deep scripts may read scripts, and how long one may be.
const DEPTH: usize = 8;
const LONGEST: u64 = 16 << 20;

/// Stores what a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    if let Some(why) = locator.opts.get(NOT_KEPT) {
        return Err(Error::failure(why.lossy()));
    }
    if locator.opts.contains_key(STATE) {
        return capture_again(effect, locator, cx);
    }
    let unsaid = |name: &str| locator.unsaid.get(name).and_then(Bytes::as_str).unwrap_or_default();
    let lost = |_| Error::failure("the words do not say where it is");
    let connection: Connection = serde_json::from_str(unsaid(ACCESS)).map_err(lost)?;
    let inputs: Vec<Input> = serde_json::from_str(unsaid(SCRIPT)).map_err(lost)?;
    let own = Instant::now() + Duration::from_secs(cx.caps.database_seconds);
    let until = cx.deadline.map_or(own, |deadline| deadline.min(own));
    let mut missing = Vec::new();
    let acts = acts(&inputs, &connection, until, &mut missing);
    if acts.iter().all(|act| act.touch == Touch::Nothing) && missing.is_empty() {
        return Ok(Vec::new());
    }
    Before { connection: &connection, cx, until, missing }.take(&acts, effect, locator)
}

/// What the session will do, scripts included.
fn acts(inputs: &[Input], connection: &Connection, until: Instant, missing: &mut Vec<Missing>) -> Vec<Act> {
    let mut text = String::new();
    let mut acts = Vec::new();
    let dir = connection.directory();
    for input in inputs {
        match input {
            Input::Text(part) => text.push_str(part),
            Input::File(path) => match script(&dir.join(path)) {
                Ok(part) => text.push_str(&part),
                Err(e) => missing.push(Missing { what: path.as_str().into(), why: e.what }),
            },
            Input::Archive(path) => match archive::acts(connection, path, until) {
                Ok(more) => acts.extend(more),
                Err(e) => missing.push(Missing { what: path.as_str().into(), why: e.what }),
            },
            Input::Database { name, dropped } => {
                let touch = Touch::Database { name: name.clone(), dropped: *dropped };
                acts.push(Act::new(
                    crate::model::EffectClass::Destroy,
                    "",
                    crate::model::Reversibility::Recreate,
                    touch,
                ));
            }
        }
        text.push_str("\n;\n");
    }
    acts.extend(included(&text, &dir, &dir, DEPTH, missing));
    acts
}

/// Acts of a script and of those that it reads.
fn included(text: &str, dir: &Path, own: &Path, depth: usize, missing: &mut Vec<Missing>) -> Vec<Act> {
    let reading = sql::read(text, Dialect::Postgres);
    let mut acts = reading.acts;
    for include in reading.includes {
        let path: PathBuf = if include.beside { own.join(&include.path) } else { dir.join(&include.path) };
        match script(&path) {
            Ok(more) if depth > 0 => {
                let beside = path.parent().unwrap_or(dir).to_path_buf();
                acts.extend(included(&more, dir, &beside, depth - 1, missing));
            }
            Ok(_) => missing.push(Missing {
                what: Bytes::from(path.as_path()),
                why: "scripts that read scripts too deep".into(),
            }),
            Err(e) => missing.push(Missing { what: Bytes::from(path.as_path()), why: e.what }),
        }
    }
    acts
}

fn script(path: &Path) -> Result<String> {
    let failed = |e: std::io::Error| Error::io("read", path, &e);
    let meta = std::fs::metadata(path).map_err(failed)?;
    if !meta.is_file() {
        return Err(Error::failure("it is no plain file, so it was not read beforehand"));
    }
    if meta.len() > LONGEST {
        return Err(Error::failure("it is too long to be read beforehand"));
    }
    Ok(String::from_utf8_lossy(&std::fs::read(path).map_err(failed)?).into_owned())
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
        self.missing.extend(triggers::missing(&mut psql, &want.relations)?);
        let mut bytes = self.tables(&mut psql, &want, &mut state)?;
        for name in &want.absent {
            state.read.insert(name.clone(), Table { adds: Adds::Some, ..Table::absent() });
        }
        let whole: BTreeSet<Oid> = want.tables.keys().copied().collect();
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
        Ok(vec![finished(&state, effect.resource.clone(), locator, bytes, self.missing, self.cx)?])
    }

    fn tables(&mut self, psql: &mut Psql, want: &Want, state: &mut State) -> Result<u64> {
        let moment = moment(psql)?;
        let mut order: Vec<Oid> = want.tables.keys().copied().collect();
        order.sort_by_key(|oid| want.relations.get(oid).map_or(0, |r| r.bytes));
        let mut bytes = 0;
        for oid in order {
            let (Some(relation), Some(wish)) = (want.relations.get(&oid), want.tables.get(&oid)) else {
                continue;
            };
            match look::table(psql, relation, &wish.how, &moment, Some(self.cx.sink)) {
                Ok((mut table, index)) => {
                    table.index = index.store(self.cx.sink)?;
                    if table.view == crate::systems::tables::View::Keys {
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

/// Captures the present of what an earlier capture covers: an undo is about to write it.
fn capture_again(effect: &Effect, locator: &Locator, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let id = locator.opts.get(STATE).and_then(Bytes::as_str).and_then(|hex| hex.parse::<ObjectId>().ok());
    let id = id.ok_or_else(|| Error::corrupt("a capture of a database that does not say what it covers"))?;
    let earlier = StateRef { digest: id, object: Some(id) };
    let state = State::load(&earlier, cx.source)?;
    let capture = Capture {
        system: SystemId::new(NAME),
        resource: effect.resource.clone(),
        locator: locator.clone(),
        state: earlier,
        missing: Vec::new(),
        items: 0,
        bytes: 0,
    };
    let own = Instant::now() + Duration::from_secs(180);
    let until = cx.deadline.map_or(own, |deadline| deadline.min(own));
    let now = look::again(&state, &capture, Some(cx.sink), cx, until)?;
    Ok(vec![finished(&now, effect.resource.clone(), locator, 0, Vec::new(), cx)?])
}

fn finished(
    state: &State,
    asked: Bytes,
    locator: &Locator,
    bytes: u64,
    missing: Vec<Missing>,
    cx: &CaptureCx<'_>,
) -> Result<Capture> {
    let stored = state.store(cx.sink)?;
    let mut opts: BTreeMap<String, Bytes> = locator.opts.clone();
    if let Some(id) = stored.object {
        opts.insert(STATE.to_owned(), Bytes::from(id.to_string()));
    }
    let locator = Locator { at: locator.at.clone(), opts, ..Locator::default() };
    let resource = named(state, &asked);
    Ok(Capture {
        system: SystemId::new(NAME),
        resource,
        locator,
        items: state.count(),
        bytes,
        state: stored,
        missing,
    })
}

/// What was captured, for people: by its names where they are few.
fn named(state: &State, asked: &Bytes) -> Bytes {
    const NAMED: usize = 3;
    let database = state.server.get("database").cloned().unwrap_or_default();
    let tables: Vec<&str> = state.read.keys().map(String::as_str).collect();
    let whole: Vec<&str> = state.databases.keys().map(String::as_str).collect();
    let text = match (tables.as_slice(), whole.as_slice()) {
        ([], []) if state.defined.is_some() => format!("sql:{database}/definitions"),
        ([], []) => return asked.clone(),
        ([], some) => some.iter().map(|name| format!("sql:database:{name}")).collect::<Vec<_>>().join(" "),
        (few, _) if few.len() <= NAMED => format!("sql:{database}/{}", few.join(",")),
        ([first, ..], _) => format!("sql:{database}/{first} and {} more", tables.len() - 1),
    };
    Bytes::from(text)
}
