//! Keys for people: what differs, without their values, which are often secrets; and a file that `redis-cli` can read.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::capture::named;
use super::client::command;
use super::state::{Held, Keys};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Change, ChangeKind, ObjectSource, StateRef, StepOutcome};
use crate::systems::ApplyCx;

/// Every key that differs.
pub fn changes(
    before: &StateRef,
    after: Option<&StateRef>,
    source: &dyn ObjectSource,
) -> Result<Vec<Change>> {
    let old = Keys::load(before, source)?;
    let new = after.map(|after| Keys::load(after, source)).transpose()?;
    let mut out = Vec::new();
    for (key, b) in &old.records {
        let a = new.as_ref().map(|new| new.records.get(key).and_then(Option::as_ref));
        let how = match (b, a) {
            (_, None) => ChangeKind::Unknown,
            (None, Some(None)) => continue,
            (Some(b), Some(Some(a))) if b.is(a) => continue,
            (None, Some(Some(_))) => ChangeKind::Added,
            (Some(_), Some(None)) => ChangeKind::Removed,
            (Some(_), Some(Some(_))) => ChangeKind::Changed,
        };
        let what = Bytes::from(named(key.0, &key.1));
        out.push(Change { what, how, before: b.as_ref().map(shown), after: a.flatten().map(shown) });
    }
    let names: BTreeSet<&String> = old.config.keys().collect();
    for name in names {
        let (b, a) = (old.config.get(name), new.as_ref().map(|new| new.config.get(name)));
        if a == Some(b) {
            continue;
        }
        let hidden = name.contains("pass") || name.contains("auth");
        let shown = |value: &String| Bytes::from(if hidden { "(not shown)" } else { value.as_str() });
        let how = if a.is_none() { ChangeKind::Unknown } else { ChangeKind::Changed };
        let what = Bytes::from(format!("redis:config {name}"));
        out.push(Change { what, how, before: b.map(shown), after: a.flatten().map(shown) });
    }
    Ok(out)
}

fn shown(held: &Held) -> Bytes {
    let kind = match held.dump.first() {
        None => "value",
        Some(0) => "string",
        Some(1 | 10 | 14 | 18) => "list",
        Some(2 | 11 | 20) => "set",
        Some(3 | 5 | 12 | 17) => "sorted set",
        Some(4 | 9 | 13 | 16) => "hash",
        Some(15 | 19 | 21) => "stream",
        Some(_) => "value",
    };
    let time = if held.expires < 0 { String::new() } else { format!(", expires at {} ms", held.expires) };
    Bytes::from(format!("{kind} {}{time}\n", held.identity.short()))
}

/// Writes a file of commands for each database: `redis-cli -n N < dbN.redis`.
pub fn restore_to(captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let keys = Keys::load(&captured.state, cx.source)?;
    std::fs::create_dir_all(to).map_err(|e| Error::io("make", to, &e))?;
    let dbs: BTreeSet<u32> = keys.records.keys().map(|(db, _)| *db).collect();
    for db in dbs {
        let path = to.join(format!("db{db}.redis"));
        let failed = |e: std::io::Error| Error::io("write", &path, &e);
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        let mut file = std::io::BufWriter::new(file);
        for ((_, key), held) in keys.records.iter().filter(|((own, _), _)| *own == db) {
            let Some(held) = held else { continue };
            let expires = held.expires.max(0).to_string();
            let line = command(&[b"RESTORE", key, expires.as_bytes(), &held.dump, b"ABSTTL"]);
            file.write_all(&line).map_err(failed)?;
        }
        file.flush().map_err(failed)?;
    }
    Ok(StepOutcome::Done)
}
