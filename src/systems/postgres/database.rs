//! Databases as wholes: `DROP DATABASE`, `dropdb`, `createdb`.

use std::ffi::OsString;
use std::time::Instant;

use super::look::Place;
use super::query::literal;
use super::session::Psql;
use super::{dump, query};
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSource, StepOutcome};
use crate::platform::talk::Talk;
use crate::systems::tables::State;

/// How the comment begins that the stored dump has in front: the database's number.
const NUMBER: &[u8] = b"-- number ";

/// Its number, where the server has it.
fn number(psql: &mut Psql, name: &str) -> Result<Option<String>> {
    let query = format!("SELECT oid FROM pg_catalog.pg_database WHERE datname = {}", literal(name));
    Ok(psql.table(&query)?.into_iter().flatten().flatten().next())
}

/// Notes how a database is: its dump's identity, and its dump where contents are wanted.
pub fn look(psql: &mut Psql, name: &str, place: &Place<'_>, state: &mut State) -> Result<u64> {
    state.databases.insert(name.to_owned(), Vec::new());
    let Some(number) = number(psql, name)? else { return Ok(0) };
    let connection = place.connection.to_database(name);
    let (mut parts, digest, bytes) = match place.contents {
        Some(sink) => dump::database(&connection, sink, psql.until)?,
        None => dump::database(&connection, &Nowhere, psql.until)?,
    };
    if let Some(sink) = place.contents {
        // It is no part of what the database is: one with the same content is equal, whatever its number.
        let note = [NUMBER, number.as_bytes(), b"\n"].concat();
        parts.insert(0, sink.put(ObjectKind::Blob, &note)?);
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

/// Makes a database from its dump: with its old number, where the server takes one and it is free. What else was recorded in the
/// database is of that number.
pub fn make(
    psql: &mut Psql,
    name: &str,
    parts: &[ObjectId],
    place: &Place<'_>,
    until: Instant,
) -> Result<StepOutcome> {
    if let Some(number) = outside(psql, |psql| old_number(psql, parts, place.source))? {
        let made = run(name, parts, Some(&number), place, until)?;
        if made == StepOutcome::Done || outside(psql, |psql| self::number(psql, name))?.is_some() {
            return Ok(made);
        }
    }
    run(name, parts, None, place, until)
}

/// Asks between transactions: what makes a database runs in none.
fn outside<T>(psql: &mut Psql, ask: impl FnOnce(&mut Psql) -> Result<T>) -> Result<T> {
    psql.run("BEGIN READ ONLY")?;
    let answer = ask(psql);
    psql.run("ROLLBACK")?;
    answer
}

/// The number that it had; `None` where it cannot have it again (before PostgreSQL 15, or another has it).
fn old_number(psql: &mut Psql, parts: &[ObjectId], source: &dyn ObjectSource) -> Result<Option<String>> {
    let Some(first) = parts.first().map(|id| source.get(id)).transpose()? else { return Ok(None) };
    let noted = first.strip_prefix(NUMBER).and_then(|rest| rest.split(|b| *b == b'\n').next());
    let noted = noted.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok());
    let Some(number) = noted else { return Ok(None) };
    let query = format!(
        "SELECT 1 WHERE pg_catalog.current_setting('server_version_num')::int >= 150000 \
         AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_database WHERE oid = {number})"
    );
    Ok((!psql.table(&query)?.is_empty()).then(|| number.to_string()))
}

fn run(
    name: &str,
    parts: &[ObjectId],
    mut number: Option<&str>,
    place: &Place<'_>,
    until: Instant,
) -> Result<StepOutcome> {
    let argv: Vec<OsString> = ["psql", "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse"]
        .map(OsString::from)
        .into();
    let connection = place.connection;
    let mut talk = Talk::start(&argv, &connection.environment(), &connection.directory(), until)?;
    for id in parts {
        let mut text = place.source.get(id)?;
        if let Some(with) = number.and_then(|number| numbered(&text, number)) {
            (text, number) = (with, None);
        }
        talk.say(&text)?;
    }
    talk.close();
    let mut buffer = Vec::new();
    while talk.line(&mut buffer)?.is_some() {}
    Ok(match talk.finish() {
        Ok(()) => StepOutcome::Done,
        Err(why) => StepOutcome::Failed { reason: format!("database {name} came back in part: {why}") },
    })
}

/// The text with the number in the statement that makes the database; `None` where that is not in it.
fn numbered(text: &[u8], number: &str) -> Option<Vec<u8>> {
    const MAKES: &[u8] = b"CREATE DATABASE ";
    let starts = |at: usize| at == 0 || text.get(at - 1) == Some(&b'\n');
    let begin = text.windows(MAKES.len()).enumerate().find(|(at, word)| *word == MAKES && starts(*at))?.0;
    let end = begin + text.get(begin..)?.iter().position(|b| *b == b'\n')?;
    // A name with a line in it: then the statement does not end here.
    let statement = text.get(begin..end)?.strip_suffix(b";")?;
    Some([text.get(..begin)?, statement, b" OID = ", number.as_bytes(), b";", text.get(end..)?].concat())
}

/// Removes a database that the command made.
pub fn remove(psql: &mut Psql, name: &str) -> Result<()> {
    psql.run(&format!("DROP DATABASE {}", query::ident(name)))
        .map_err(|e: Error| e.context(format!("database {name}")))
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn the_statement_that_makes_a_database_is_told_its_number() {
        let text = b"-- CREATE DATABASE no;\nCREATE DATABASE shop WITH TEMPLATE = template0;\n\nSELECT 1;\n";
        let with = numbered(text, "16400").unwrap();
        let wanted = "-- CREATE DATABASE no;\nCREATE DATABASE shop WITH TEMPLATE = template0 OID = 16400;\n\nSELECT 1;\n";
        assert_eq!(String::from_utf8(with).unwrap(), wanted);
        assert_eq!(numbered(b"CREATE DATABASE \"a\nb\" WITH x;\n", "1"), None);
    }
}
