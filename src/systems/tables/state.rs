//! The recorded state of some tables of a database: a document that names, for each, its rows, and the definitions of
//! everything where these were about to change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Index;
use crate::error::{Error, ExitCode, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource, StateRef};

/// How a document begins: tells it from the documents of other systems.
pub const FRONT: &[u8] = b"{\"tables\":";
const VERSION: u32 = 1;

/// A state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    tables: u32,
    /// Which system wrote it.
    pub system: String,
    /// Which server and database, as they say of themselves.
    pub server: BTreeMap<String, String>,
    /// How it is reached. May hold a password: documents are objects, nothing of them is printed.
    pub access: BTreeMap<String, String>,
    /// What was looked at, by full name.
    pub read: BTreeMap<String, Table>,
    /// The definitions of all objects, in the order in which they are made: texts of their kinds and names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub definitions: Vec<ObjectId>,
    /// The identity of the definitions; `None` where they were not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defined: Option<ObjectId>,
    /// Counters: the last value, and whether it was given out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sequences: BTreeMap<String, (i64, bool)>,
    /// A whole database: its name, and its dump in parts; no parts where it was not there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub databases: BTreeMap<String, Vec<ObjectId>>,
    /// The identity of each whole database that was there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub database_digests: BTreeMap<String, ObjectId>,
    /// Of a database that is a file: who may do what with it. No part of the database, so it does not count in its equality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileOf>,
    /// The databases whose definitions were looked at, where a server has many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
}

/// Mode and owner of a database's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOf {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Which rows of a table are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// All.
    All,
    /// Those whose keys were captured.
    Keys,
    /// Those written since a moment that the server names.
    Since(String),
}

/// How many rows a command may add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adds {
    /// None.
    #[default]
    Nothing,
    /// No more than its words name.
    AtMost(u64),
    /// Some.
    Some,
}

impl From<Option<Option<u64>>> for Adds {
    fn from(known: Option<Option<u64>>) -> Adds {
        match known {
            None => Adds::Nothing,
            Some(None) => Adds::Some,
            Some(Some(count)) => Adds::AtMost(count),
        }
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as the server writes it.
    pub of: String,
    /// Its value is computed: it is compared and never written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub computed: bool,
    /// It can be set when a row is made, and not changed afterwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
}

/// A table that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// It was there.
    pub there: bool,
    /// Which of its rows were looked at.
    pub view: View,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// The positions of those that make the key; empty where it has none.
    pub key: Vec<usize>,
    /// Its rows, a line each.
    pub rows: Vec<ObjectId>,
    /// Their keys and hashes.
    pub index: Vec<ObjectId>,
    /// The keys that the view is of, where it is [`View::Keys`]: those that were there before the command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<ObjectId>,
    /// The identity of the index.
    pub digest: ObjectId,
    /// How many rows.
    pub count: u64,
    /// Whether the command may add rows to it.
    #[serde(default)]
    pub adds: Adds,
    /// How many transactions wrote the rows that were not there before.
    #[serde(default)]
    pub writers: u64,
    /// Its triggers, where they fire for what is put back too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fires: Vec<String>,
}

impl Table {
    /// One that is not there.
    pub fn absent() -> Table {
        Table {
            there: false,
            view: View::All,
            columns: Vec::new(),
            key: Vec::new(),
            rows: Vec::new(),
            index: Vec::new(),
            covers: Vec::new(),
            digest: Index::default().digest(),
            count: 0,
            adds: Adds::Nothing,
            writers: 0,
            fires: Vec::new(),
        }
    }

    /// Which rows.
    pub fn index(&self, source: &dyn ObjectSource) -> Result<Index> {
        Index::load(&self.index, source)
    }

    /// The names of the columns.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|c| c.name.as_str()).collect()
    }

    /// Calls `each` with every row.
    pub fn each_row(
        &self,
        source: &dyn ObjectSource,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        for id in &self.rows {
            let chunk = source.get(id)?;
            let lines = chunk.strip_suffix(b"\n").unwrap_or(&chunk);
            for line in lines.split(|b| *b == b'\n') {
                each(line)?;
            }
        }
        Ok(())
    }
}

impl State {
    /// Nothing looked at yet.
    pub fn new(system: &str, server: BTreeMap<String, String>, access: BTreeMap<String, String>) -> State {
        State {
            tables: VERSION,
            system: system.to_owned(),
            server,
            access,
            read: BTreeMap::new(),
            definitions: Vec::new(),
            defined: None,
            sequences: BTreeMap::new(),
            databases: BTreeMap::new(),
            database_digests: BTreeMap::new(),
            file: None,
            scope: Vec::new(),
        }
    }

    /// Nothing was looked at.
    pub fn is_empty(&self) -> bool {
        self.read.is_empty()
            && self.defined.is_none()
            && self.databases.is_empty()
            && self.sequences.is_empty()
    }

    /// How many rows it holds.
    pub fn count(&self) -> u64 {
        self.read.values().map(|table| table.count).sum()
    }

    /// What its equality is: rows, columns and definitions. Counters go on by themselves and do not count.
    pub fn digest(&self) -> ObjectId {
        let mut text = String::new();
        for (name, table) in &self.read {
            let columns: Vec<String> = table.columns.iter().map(|c| format!("{} {}", c.name, c.of)).collect();
            text.push_str(&format!("{name}\t{}\t{}\t{}\n", table.there, columns.join(","), table.digest));
        }
        if let Some(defined) = &self.defined {
            text.push_str(&format!("definitions {defined}\n"));
        }
        for name in self.databases.keys() {
            text.push_str(&format!("database {name} {:?}\n", self.database_digests.get(name)));
        }
        ObjectId::of(ObjectKind::State, text.as_bytes())
    }

    /// Stores the document.
    pub fn store(&self, sink: &dyn ObjectSink) -> Result<StateRef> {
        let text = serde_json::to_vec(self)
            .map_err(|e| Error::failure(format!("cannot encode the state of a database: {e}")))?;
        Ok(StateRef { digest: self.digest(), object: Some(sink.put(ObjectKind::State, &text)?) })
    }

    /// Reads it back.
    pub fn load(state: &StateRef, source: &dyn ObjectSource) -> Result<State> {
        let id = state.object.ok_or_else(|| Error::corrupt("a capture of a database without its state"))?;
        State::decode(&id, &source.get(&id)?)
    }

    /// Reads the document of this name.
    pub fn decode(id: &ObjectId, text: &[u8]) -> Result<State> {
        let state: State = serde_json::from_slice(text)
            .map_err(|e| Error::corrupt(format!("object {} is no state of a database: {e}", id.short())))?;
        if state.tables > VERSION {
            let what = format!("the database's state has format {}, this fr knows {VERSION}", state.tables);
            return Err(Error::new(ExitCode::NewerStore, what));
        }
        Ok(state)
    }

    /// The objects that a document names; nothing where it is another system's.
    pub fn references(kind: ObjectKind, content: &[u8], system: &str) -> Result<Vec<ObjectId>> {
        if kind != ObjectKind::State || !content.starts_with(FRONT) {
            return Ok(Vec::new());
        }
        let state = State::decode(&ObjectId::of(ObjectKind::State, content), content)?;
        if state.system != system {
            return Ok(Vec::new());
        }
        let tables = state.read.values().flat_map(|t| t.rows.iter().chain(&t.index).chain(&t.covers));
        let all = tables.chain(&state.definitions).chain(state.databases.values().flatten());
        Ok(all.copied().collect())
    }
}
