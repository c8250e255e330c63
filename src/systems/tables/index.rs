//! Which rows a table has: the key and the hash of each, sorted by key. Enough to compare, whatever the rows' size.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};

/// Keys with the hashes of their rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index(pub BTreeMap<Vec<u8>, [u8; 16]>);

/// Rows in one object.
const PART: usize = 50_000;

impl Index {
    /// Adds a row. Equal rows of a table without a key are numbered.
    pub fn add(&mut self, mut key: Vec<u8>, hash: [u8; 16], keyless: bool) {
        if keyless {
            let plain = key.len();
            let mut number = 0u32;
            while self.0.contains_key(&key) {
                number += 1;
                key.truncate(plain);
                key.extend_from_slice(format!("#{number}").as_bytes());
            }
        }
        self.0.insert(key, hash);
    }

    /// Stores it.
    pub fn store(&self, sink: &dyn ObjectSink) -> Result<Vec<ObjectId>> {
        let all: Vec<(&Vec<u8>, &[u8; 16])> = self.0.iter().collect();
        let mut ids = Vec::new();
        for part in all.chunks(PART) {
            let bytes = postcard::to_stdvec(part)
                .map_err(|e| Error::failure(format!("cannot encode the rows of a table: {e}")))?;
            ids.push(sink.put(ObjectKind::Blob, &bytes)?);
        }
        Ok(ids)
    }

    /// Reads it back.
    pub fn load(ids: &[ObjectId], source: &dyn ObjectSource) -> Result<Index> {
        let mut index = Index::default();
        for id in ids {
            let part: Vec<(Vec<u8>, [u8; 16])> = postcard::from_bytes(&source.get(id)?)
                .map_err(|e| Error::corrupt(format!("object {} is no list of rows: {e}", id.short())))?;
            index.0.extend(part);
        }
        Ok(index)
    }

    /// Its identity.
    pub fn digest(&self) -> ObjectId {
        let mut hasher = blake3::Hasher::new();
        for (key, hash) in &self.0 {
            hasher.update(&(key.len() as u64).to_le_bytes());
            hasher.update(key);
            hasher.update(hash);
        }
        ObjectId(*hasher.finalize().as_bytes())
    }
}
