//! `pg_dump` of the user, of the same snapshot as the rows.

use std::ffi::OsString;
use std::time::Instant;

use super::connection::Connection;
use super::definitions::Definitions;
use crate::error::Result;
use crate::model::{ObjectId, ObjectKind, ObjectSink};
use crate::platform::talk::Talk;

/// The definitions of all objects.
pub fn definitions(connection: &Connection, snapshot: Option<&str>, until: Instant) -> Result<Definitions> {
    let mut text = Vec::new();
    let mut args = vec!["--schema-only".to_owned()];
    args.extend(snapshot.map(|snapshot| format!("--snapshot={snapshot}")));
    run(connection, &args, until, &mut |line| {
        text.extend_from_slice(line);
        text.push(b'\n');
        Ok(())
    })?;
    Ok(Definitions::parse(&String::from_utf8_lossy(&text)))
}

/// A whole database, in parts, with the statement that makes it; and its identity.
pub fn database(
    connection: &Connection,
    sink: &dyn ObjectSink,
    until: Instant,
) -> Result<(Vec<ObjectId>, ObjectId, u64)> {
    const PART: usize = 2 << 20;
    let (mut parts, mut buffer, mut bytes) = (Vec::new(), Vec::with_capacity(PART), 0u64);
    let mut whole = blake3::Hasher::new();
    run(connection, &["--create".to_owned()], until, &mut |line| {
        // The key against scripts that break out is another one every time.
        if line.starts_with(b"\\restrict") || line.starts_with(b"\\unrestrict") {
            return Ok(());
        }
        bytes += line.len() as u64 + 1;
        whole.update(line);
        whole.update(b"\n");
        buffer.extend_from_slice(line);
        buffer.push(b'\n');
        if buffer.len() >= PART {
            parts.push(sink.put(ObjectKind::Blob, &buffer)?);
            buffer.clear();
        }
        Ok(())
    })?;
    if !buffer.is_empty() {
        parts.push(sink.put(ObjectKind::Blob, &buffer)?);
    }
    Ok((parts, ObjectId(*whole.finalize().as_bytes()), bytes))
}

fn run(
    connection: &Connection,
    args: &[String],
    until: Instant,
    each: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let fixed = ["pg_dump", "--no-password", "--lock-wait-timeout=2000", "--encoding=UTF8"];
    let argv: Vec<OsString> =
        fixed.iter().map(OsString::from).chain(args.iter().map(OsString::from)).collect();
    let mut talk = Talk::start(&argv, &connection.environment(), &connection.directory(), until)?;
    talk.close();
    let mut buffer = Vec::new();
    let mut complete = false;
    while let Some(line) = talk.line(&mut buffer)? {
        complete |= line == b"-- PostgreSQL database dump complete";
        each(line)?;
    }
    if !complete {
        return Err(talk.ended());
    }
    talk.finish()
}
