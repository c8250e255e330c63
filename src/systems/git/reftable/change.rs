//! A change of refs and logs, written as one more table under the lock of them all.

use std::collections::BTreeMap;

use super::LIST;
use super::log;
use super::stack::Stack;
use super::table::{LogEntry, Table};
use super::tables::meant;
use crate::error::{Error, Result};
use crate::model::Bytes;
use crate::platform::random;
use crate::systems::git::dir::Root;
use crate::systems::git::lock::Lock;

/// What the tables of one directory are to say.
#[derive(Debug, Default)]
pub struct Change {
    /// Refs: the new value, or `None` to remove it.
    pub refs: BTreeMap<Vec<u8>, Option<Bytes>>,
    /// Logs: the new text, or `None` to remove it.
    pub logs: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// What tag objects lead to.
    pub peeled: BTreeMap<Bytes, Bytes>,
}

impl Change {
    /// Takes the lock of the tables in a directory.
    pub fn lock(root: &Root) -> Result<Lock> {
        root.lock(LIST)
    }

    /// A name that cannot stand beside another: as files, `a` and `a/b` exclude each other, and git keeps to that.
    pub fn obstacle(&self, stack: &Stack) -> Option<String> {
        let stays = |name: &[u8]| match self.refs.get(name) {
            Some(value) => value.is_some(),
            None => stack.refs.contains_key(name),
        };
        let added =
            self.refs.iter().filter(|(name, value)| value.is_some() && !stack.refs.contains_key(*name));
        for (name, _) in added {
            let cuts =
                name.iter().enumerate().filter(|(_, b)| **b == b'/').filter_map(|(at, _)| name.get(..at));
            let below = [name.as_slice(), b"/"].concat();
            let inside = stack.refs.range(below.clone()..).map(|(other, _)| other.as_slice());
            let inside = inside.take_while(|other| other.starts_with(&below));
            if let Some(other) = cuts.chain(inside).find(|other| stays(other)) {
                let (name, other) = (Bytes::from(name.as_slice()), Bytes::from(other));
                return Some(format!("{} cannot be beside {}", name.lossy(), other.lossy()));
            }
        }
        None
    }

    /// Adds the table that says it, unless all is so already. `stack` was read under `lock`.
    pub fn commit(&self, root: &Root, lock: Lock, stack: &Stack, hash_len: usize) -> Result<()> {
        let table = self.table(stack, hash_len)?;
        if table.refs.is_empty() && table.logs.is_empty() {
            return Ok(());
        }
        let bytes = table.encode()?;
        if Table::parse(&bytes)? != table {
            return Err(Error::failure("the new table of refs cannot be read back; nothing was written"));
        }
        let name = name_of(&table);
        root.lock(&[b"reftable/", name.as_bytes()].concat())?.commit(&bytes, None, None)?;
        let mut list: Vec<u8> = Vec::new();
        for line in stack.names.iter().map(Vec::as_slice).chain([name.as_bytes()]) {
            list.extend([line, b"\n"].concat());
        }
        lock.commit(&list, None, None)
    }

    fn table(&self, stack: &Stack, hash_len: usize) -> Result<Table> {
        let (min, hash_len) = (stack.next, stack.hash_len.unwrap_or(hash_len));
        let mut table = Table { min, max: min, hash_len, block_size: stack.block_size, ..Table::default() };
        for (name, value) in &self.refs {
            let bad = || {
                Error::failure(format!("{} is given no valid value", Bytes::from(name.as_slice()).lossy()))
            };
            let value =
                value.as_ref().map(|v| meant(v.as_slice(), &self.peeled).ok_or_else(bad)).transpose()?;
            if stack.refs.get(name) != value.as_ref() {
                table.refs.insert(name.clone(), value);
            }
        }
        for (name, text) in &self.logs {
            let entries = text.as_ref().map(|text| log::entries(text)).transpose()?;
            put_log(&mut table, name, stack.logs.get(name), entries);
        }
        Ok(table)
    }
}

/// Entries that are there stay as they are where new ones only follow; else the log is written anew.
fn put_log(
    table: &mut Table,
    name: &[u8],
    old: Option<&BTreeMap<u64, LogEntry>>,
    wanted: Option<Vec<LogEntry>>,
) {
    let kept = old.map(|old| log::text(old.values()));
    let text = wanted.as_ref().map(|wanted| log::text(wanted.iter()));
    if kept == text {
        return;
    }
    let follows = match (&kept, &text) {
        (Some(kept), Some(text)) => text.starts_with(kept),
        _ => false,
    };
    let mut skip = 0;
    if follows {
        skip = kept.map_or(0, |kept| kept.iter().filter(|b| **b == b'\n').count());
    } else {
        for index in old.into_iter().flat_map(BTreeMap::keys) {
            table.logs.insert((name.to_vec(), *index), None);
        }
    }
    let Some(mut wanted) = wanted else { return };
    if wanted.is_empty() {
        wanted.push(log::mark(table.hash_len));
    }
    for (index, entry) in (table.min..).zip(wanted.into_iter().skip(skip)) {
        table.max = table.max.max(index);
        table.logs.insert((name.to_vec(), index), Some(entry));
    }
}

/// As git names tables, with something random at the end.
fn name_of(table: &Table) -> String {
    let mut random = [0; 4];
    random::fill(&mut random);
    format!("0x{:012x}-0x{:012x}-{:08x}.ref", table.min, table.max, u32::from_ne_bytes(random))
}
