//! The tables of one directory as one: what a newer table says counts (gitformat-reftable, "Update transactions").

use std::collections::BTreeMap;

use super::LIST;
use super::table::{BLOCK, LogEntry, RefValue, Table};
use crate::error::{Error, Result};
use crate::systems::git::dir::Root;

/// How often the list is read anew where a table of it is gone: git has put several together in between.
const TRIES: usize = 5;

/// All refs and logs of one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The names of the tables, oldest first.
    pub names: Vec<Vec<u8>>,
    /// Refs by name, HEAD and the like among them.
    pub refs: BTreeMap<Vec<u8>, RefValue>,
    /// Logs by the name of their ref, entries by update index.
    pub logs: BTreeMap<Vec<u8>, BTreeMap<u64, LogEntry>>,
    /// The first update index that no table has used.
    pub next: u64,
    /// Bytes of a block of the newest table.
    pub block_size: usize,
    /// Bytes of an id; `None` where there is no table yet.
    pub hash_len: Option<usize>,
}

impl Stack {
    /// Reads the tables in `reftable/` of a directory. Nothing there is nothing in them.
    pub fn read(root: &Root) -> Result<Stack> {
        for _ in 0..TRIES {
            if let Some(stack) = Stack::try_read(root)? {
                return Ok(stack);
            }
        }
        Err(Error::failure(format!("the tables in {} change all the time", root.path_of(LIST).display())))
    }

    fn empty() -> Stack {
        let (names, refs, logs) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Stack { names, refs, logs, next: 1, block_size: BLOCK, hash_len: None }
    }

    /// `None` where a table is gone that the list names.
    fn try_read(root: &Root) -> Result<Option<Stack>> {
        let list = root.read(LIST)?.map(|content| content.bytes).unwrap_or_default();
        let mut stack = Stack::empty();
        for name in list.split(|b| *b == b'\n').filter(|name| !name.is_empty()) {
            let Some(content) = root.read(&[b"reftable/", name].concat())? else { return Ok(None) };
            stack.lay(Table::parse(&content.bytes)?);
            stack.names.push(name.to_vec());
        }
        Ok(Some(stack))
    }

    /// Lays a newer table on top.
    fn lay(&mut self, table: Table) {
        self.next = table.max.saturating_add(1);
        self.hash_len = Some(table.hash_len);
        if table.block_size != 0 {
            self.block_size = table.block_size;
        }
        for (name, value) in table.refs {
            match value {
                Some(value) => drop(self.refs.insert(name, value)),
                None => drop(self.refs.remove(&name)),
            }
        }
        for ((name, index), entry) in table.logs {
            match entry {
                Some(entry) => drop(self.logs.entry(name).or_default().insert(index, entry)),
                None => self.forget(&name, index),
            }
        }
    }

    fn forget(&mut self, name: &[u8], index: u64) {
        let left = self.logs.get_mut(name).map(|log| {
            log.remove(&index);
            log.is_empty()
        });
        if left == Some(true) {
            self.logs.remove(name);
        }
    }
}
