//! States of tables for people: counts of rows that differ, and files with the old rows.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{Index, State, Table};
use crate::error::{Error, Result};
use crate::model::{Bytes, Change, ChangeKind, ObjectSource, StateRef};

/// Every table whose rows differ. Rows may be secret: only their number is told.
pub fn changes(
    before: &StateRef,
    after: Option<&StateRef>,
    source: &dyn ObjectSource,
) -> Result<Vec<Change>> {
    let old = State::load(before, source)?;
    let new = after.map(|after| State::load(after, source)).transpose()?;
    let mut out = Vec::new();
    for (name, table) in &old.read {
        let now = new.as_ref().map(|new| new.read.get(name).cloned().unwrap_or_else(Table::absent));
        let what = Bytes::from(format!("sql:table:{name}"));
        let said = Bytes::from(format!("{} rows", table.count));
        let (how, after) = match now {
            None => (ChangeKind::Unknown, None),
            Some(now) if !now.there && !table.there => continue,
            Some(now) if !now.there => (ChangeKind::Removed, None),
            Some(now) if !table.there => {
                (ChangeKind::Added, Some(Bytes::from(format!("{} rows", now.count))))
            }
            Some(now) if now.digest == table.digest => continue,
            Some(now) => (ChangeKind::Changed, Some(differing(table, &now, source)?)),
        };
        out.push(Change { what, how, before: Some(said), after });
    }
    if let (Some(defined), Some(new)) = (old.defined, &new)
        && new.defined.is_some_and(|now| now != defined)
    {
        let what = Bytes::from("sql:definitions");
        out.push(Change { what, how: ChangeKind::Changed, before: None, after: None });
    }
    Ok(out)
}

fn differing(table: &Table, now: &Table, source: &dyn ObjectSource) -> Result<Bytes> {
    let (b, a): (Index, Index) = (table.index(source)?, now.index(source)?);
    let gone = b.0.keys().filter(|key| !a.0.contains_key(*key)).count();
    let new = a.0.keys().filter(|key| !b.0.contains_key(*key)).count();
    let other = b.0.iter().filter(|(key, hash)| a.0.get(*key).is_some_and(|h| h != *hash)).count();
    Ok(Bytes::from(format!("{gone} rows gone, {other} changed, {new} new")))
}

/// Writes `TABLE.tsv` for each table (the first line has the names) and `definitions.sql`, readable for their owner only.
pub fn write_files(state: &State, to: &Path, source: &dyn ObjectSource) -> Result<u64> {
    std::fs::create_dir_all(to).map_err(|e| Error::io("make", to, &e))?;
    let mut done = 0;
    for (name, table) in state.read.iter().filter(|(_, table)| table.there) {
        let file = to.join(format!("{}.tsv", name.replace(['/', '\0'], "_")));
        let mut out = create(&file)?;
        let failed = |e: std::io::Error| Error::io("write", &file, &e);
        writeln!(out, "{}", table.names().join("\t")).map_err(failed)?;
        table.each_row(source, &mut |line| {
            out.write_all(line).and_then(|()| out.write_all(b"\n")).map_err(failed)
        })?;
        done += 1;
    }
    let parts = std::iter::once(("definitions", &state.definitions)).filter(|(_, ids)| !ids.is_empty());
    for (name, ids) in parts.chain(state.databases.iter().map(|(name, ids)| (name.as_str(), ids))) {
        let file = to.join(format!("{}.sql", name.replace(['/', '\0'], "_")));
        let mut out = create(&file)?;
        for id in ids {
            out.write_all(&source.get(id)?).map_err(|e| Error::io("write", &file, &e))?;
        }
        done += 1;
    }
    Ok(done)
}

fn create(path: &Path) -> Result<std::io::BufWriter<std::fs::File>> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let file = options.open(path).map_err(|e| Error::io("write", path, &e))?;
    Ok(std::io::BufWriter::new(file))
}
