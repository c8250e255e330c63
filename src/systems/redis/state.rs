//! The recorded state of some keys: a document that names the server, and records of keys in blocks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::client::Value;
use super::dump;
use crate::error::{Error, ExitCode, Result};
use crate::model::{Bytes, ObjectId, ObjectKind, ObjectSink, ObjectSource, StateRef};

/// How a document begins.
const FRONT: &[u8] = b"{\"redis\":";
const VERSION: u32 = 1;
/// The most bytes of a block.
const BLOCK: usize = 1 << 20;

/// A document.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    redis: u32,
    server: String,
    blocks: Vec<ObjectId>,
    config: BTreeMap<String, String>,
}

/// A key that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its database.
    pub db: u32,
    /// Its name.
    pub key: Bytes,
    /// What it held; `None`: it was not there.
    pub value: Option<Held>,
}

/// What a key held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// When it expires; -1: never.
    pub expires: i64,
    /// The identity of its value.
    pub identity: ObjectId,
    /// `DUMP`; empty where only identities were wanted.
    pub dump: Vec<u8>,
}

impl Held {
    /// The same value with the same time; two readings of what is left of a time differ by a little.
    pub fn is(&self, other: &Held) -> bool {
        const CLOSE: u64 = 1500;
        let both = self.expires >= 0 && other.expires >= 0;
        let close = both && self.expires.abs_diff(other.expires) <= CLOSE;
        self.identity == other.identity && (self.expires == other.expires || close)
    }
}

/// A state in memory.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// The server.
    pub server: String,
    /// Keys by database and name.
    pub records: BTreeMap<(u32, Vec<u8>), Option<Held>>,
    /// Parameters of its configuration.
    pub config: BTreeMap<String, String>,
    /// The bytes of what was kept.
    pub bytes: u64,
}

impl Keys {
    /// Notes a key. Without `contents` only its identity.
    pub fn note(&mut self, db: u32, key: &[u8], value: Option<Value>, contents: bool) {
        let held = value.map(|value| {
            self.bytes += (value.dump.len() + key.len()) as u64;
            Held {
                expires: value.expires,
                identity: dump::identity(&value.dump),
                dump: if contents { value.dump } else { Vec::new() },
            }
        });
        self.records.insert((db, key.to_vec()), held);
    }

    /// How many keys were there.
    pub fn count(&self) -> u64 {
        self.records.values().flatten().count() as u64 + self.config.len() as u64
    }

    /// Equality: values, and to the second the times at which they go.
    fn digest(&self) -> ObjectId {
        let mut hash = blake3::Hasher::new();
        for ((db, key), held) in &self.records {
            let Some(held) = held else { continue };
            hash.update(&db.to_le_bytes());
            hash.update(&(key.len() as u64).to_le_bytes());
            hash.update(key);
            hash.update(held.identity.to_string().as_bytes());
            hash.update(&(held.expires.max(-1) / 1000).to_le_bytes());
        }
        for (name, value) in &self.config {
            hash.update(format!("{name}\0{value}\0").as_bytes());
        }
        ObjectId(*hash.finalize().as_bytes())
    }

    /// Stores it.
    pub fn store(&self, sink: &dyn ObjectSink) -> Result<StateRef> {
        let mut blocks = Vec::new();
        let mut block: Vec<Record> = Vec::new();
        let mut size = 0;
        let failed = |e: postcard::Error| Error::failure(format!("cannot encode keys: {e}"));
        let mut flush = |block: &mut Vec<Record>| -> Result<()> {
            if !block.is_empty() {
                let bytes = postcard::to_stdvec(block).map_err(failed)?;
                blocks.push(sink.put(ObjectKind::Blob, &bytes)?);
                block.clear();
            }
            Ok(())
        };
        for ((db, key), held) in &self.records {
            size += key.len() + held.as_ref().map_or(0, |held| held.dump.len()) + 48;
            block.push(Record { db: *db, key: Bytes::from(key.as_slice()), value: held.clone() });
            if size > BLOCK {
                flush(&mut block)?;
                size = 0;
            }
        }
        flush(&mut block)?;
        let (server, config) = (self.server.clone(), self.config.clone());
        let document = Document { redis: VERSION, server, blocks, config };
        let text = serde_json::to_vec(&document)
            .map_err(|e| Error::failure(format!("cannot encode the state of a server: {e}")))?;
        Ok(StateRef { digest: self.digest(), object: Some(sink.put(ObjectKind::State, &text)?) })
    }

    /// Reads it back.
    pub fn load(state: &StateRef, source: &dyn ObjectSource) -> Result<Keys> {
        let id =
            state.object.ok_or_else(|| Error::corrupt("a capture of a Redis server without its state"))?;
        let document = decode(&id, &source.get(&id)?)?;
        let mut keys = Keys { server: document.server, config: document.config, ..Keys::default() };
        for block in &document.blocks {
            let records: Vec<Record> = postcard::from_bytes(&source.get(block)?)
                .map_err(|e| Error::corrupt(format!("object {} holds no keys: {e}", block.short())))?;
            for record in records {
                keys.records.insert((record.db, record.key.0), record.value);
            }
        }
        Ok(keys)
    }
}

fn decode(id: &ObjectId, text: &[u8]) -> Result<Document> {
    let document: Document = serde_json::from_slice(text)
        .map_err(|e| Error::corrupt(format!("object {} is no state of a Redis server: {e}", id.short())))?;
    if document.redis > VERSION {
        let what = format!("the server's state has format {}, this fr knows {VERSION}", document.redis);
        return Err(Error::new(ExitCode::NewerStore, what));
    }
    Ok(document)
}

/// The objects that a document names; nothing where it is another system's.
pub fn references(kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
    if kind != ObjectKind::State || !content.starts_with(FRONT) {
        return Ok(Vec::new());
    }
    Ok(decode(&ObjectId::of(kind, content), content)?.blocks)
}
