//! Databases as wholes: `DROP DATABASE`, `dropdb`, `createdb`.

use std::ffi::OsString;
use std::time::Instant;

use super::connection::Connection;
use super::look::Place;
use super::query::literal;
use super::session::Psql;
use super::{dump, query};
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectSource, StepOutcome};
use crate::platform::talk::Talk;
use crate::systems::tables::State;

/// True where the server has it.
pub fn is_there(psql: &mut Psql, name: &str) -> Result<bool> {
    let query = format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {}", literal(name));
    Ok(!psql.table(&query)?.is_empty())
}

/// Notes how a database is: its dump's identity, and its dump where contents are wanted.
pub fn look(psql: &mut Psql, name: &str, place: &Place<'_>, state: &mut State) -> Result<u64> {
    state.databases.insert(name.to_owned(), Vec::new());
    if !is_there(psql, name)? {
        return Ok(0);
    }
    let connection = place.connection.to_database(name);
    let (parts, digest, bytes) = match place.contents {
        Some(sink) => dump::database(&connection, sink, psql.until)?,
        None => dump::database(&connection, &Nowhere, psql.until)?,
    };
    if place.contents.is_some() {
        state.databases.insert(name.to_owned(), parts);
    }
    state.database_digests.insert(name.to_owned(), digest);
    Ok(bytes)
}

/// Only the identity is wanted.
struct Nowhere;

impl crate::model::ObjectSink for Nowhere {
    fn put(&self, kind: crate::model::ObjectKind, content: &[u8]) -> Result<ObjectId> {
        Ok(ObjectId::of(kind, content))
    }
    fn has(&self, _: &ObjectId) -> bool {
        false
    }
}

/// Makes a database from its dump.
pub fn make(
    name: &str,
    parts: &[ObjectId],
    connection: &Connection,
    source: &dyn ObjectSource,
    until: Instant,
) -> Result<StepOutcome> {
    let argv: Vec<OsString> = ["psql", "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse"]
        .map(OsString::from)
        .into();
    let mut talk = Talk::start(&argv, &connection.environment(), &connection.directory(), until)?;
    for id in parts {
        talk.say(&source.get(id)?)?;
    }
    talk.close();
    let mut buffer = Vec::new();
    while talk.line(&mut buffer)?.is_some() {}
    Ok(match talk.finish() {
        Ok(()) => StepOutcome::Done,
        Err(why) => StepOutcome::Failed { reason: format!("database {name} came back in part: {why}") },
    })
}

/// Removes a database that the command made.
pub fn remove(psql: &mut Psql, name: &str) -> Result<()> {
    psql.run(&format!("DROP DATABASE {}", query::ident(name)))
        .map_err(|e: Error| e.context(format!("database {name}")))
}
