//! What is in an archive of `pg_dump`: the tables that restoring it touches.

use std::ffi::OsString;
use std::time::Instant;

use super::connection::Connection;
use crate::error::{Error, Result};
use crate::model::{EffectClass, Reversibility};
use crate::platform::runner;
use crate::sql::{Act, Name, Touch};

/// The tables in it, as acts of a script that drops them.
pub fn acts(connection: &Connection, path: &str, until: Instant) -> Result<Vec<Act>> {
    let argv: Vec<OsString> = ["pg_restore", "-l", path].map(OsString::from).into();
    let left = until.saturating_duration_since(Instant::now());
    let done = runner::errand(&argv, &connection.environment(), &connection.directory(), left)?;
    if done.code != 0 {
        return Err(Error::failure(format!("{path} is no archive that pg_restore reads")));
    }
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    Ok(text.lines().filter_map(table).collect())
}

/// `215; 1259 16391 TABLE public users postgres`.
fn table(line: &str) -> Option<Act> {
    let (_, rest) = line.split_once("; ")?;
    let words: Vec<&str> = rest.split(' ').collect();
    let [_, _, "TABLE", schema, name, ..] = words.as_slice() else { return None };
    if *schema == "DATA" || *name == "-" {
        return None;
    }
    let name = Name { parts: vec![((*schema).to_owned(), true), ((*name).to_owned(), true)] };
    let touch = Touch::Object { kind: "table".to_owned(), name: name.clone(), dropped: true, cascade: false };
    Some(Act::new(
        EffectClass::Destroy,
        format!("sql:table:{}", name.shown()),
        Reversibility::Recreate,
        touch,
    ))
}
