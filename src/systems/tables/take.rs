//! Takes in the rows of a table as they are read: into chunks that the store deduplicates, and into the index.

use std::collections::BTreeSet;

use super::{Index, Row, hash_of};
use crate::error::Result;
use crate::model::{ObjectId, ObjectKind, ObjectSink};

/// A chunk ends behind a row whose hash says so, so that a changed row changes one chunk; and at the latest here.
const LEAST: usize = 128 << 10;
const MOST: usize = 2 << 20;

/// Of rows that differ from recorded ones no more than this is kept.
const CHANGED: u64 = 16 << 20;

/// Rows being read.
pub struct Taker<'a> {
    sink: Option<&'a dyn ObjectSink>,
    changed: Option<&'a dyn ObjectSink>,
    key: Vec<usize>,
    buffer: Vec<u8>,
    /// What was stored.
    pub chunks: Vec<ObjectId>,
    /// What was seen.
    pub index: Index,
    /// Bytes of all rows.
    pub bytes: u64,
    /// Who wrote rows that were not there before.
    pub writers: BTreeSet<Vec<u8>>,
}

impl<'a> Taker<'a> {
    /// Rows with this key; `sink`: where their contents are wanted.
    pub fn new(key: &[usize], sink: Option<&'a dyn ObjectSink>) -> Taker<'a> {
        Taker {
            sink,
            changed: None,
            key: key.to_vec(),
            buffer: Vec::new(),
            chunks: Vec::new(),
            index: Index::default(),
            bytes: 0,
            writers: BTreeSet::new(),
        }
    }

    /// Where rows are kept that differ from known ones: a merge by columns needs them.
    pub fn keeping_changed(self, sink: &'a dyn ObjectSink) -> Taker<'a> {
        Taker { changed: Some(sink), ..self }
    }

    /// One row; `writer` is the transaction that wrote it, where that is known and the row is new.
    pub fn row(&mut self, line: &[u8], writer: Option<&[u8]>, known: Option<&Index>) -> Result<()> {
        let key = Row(line).key(&self.key);
        let hash = hash_of(line);
        let differs = known.and_then(|known| known.0.get(&key)).is_some_and(|before| *before != hash);
        if let Some(writer) = writer
            && known.is_some_and(|known| !known.0.contains_key(&key))
        {
            self.writers.insert(writer.to_vec());
        }
        let (keyless, before) = (self.key.is_empty(), self.index.0.len());
        self.index.add(key, hash, keyless);
        self.bytes += line.len() as u64 + 1;
        // The same row reached twice (through two statements) is one row.
        let changed = self.changed.filter(|_| differs && self.bytes <= CHANGED);
        if let Some(sink) = self.sink.or(changed).filter(|_| self.index.0.len() > before) {
            self.buffer.extend_from_slice(line);
            self.buffer.push(b'\n');
            let ends = hash.first().is_some_and(|b| b % 64 == 0) && self.buffer.len() >= LEAST;
            if ends || self.buffer.len() >= MOST {
                self.chunks.push(sink.put(ObjectKind::Blob, &self.buffer)?);
                self.buffer.clear();
            }
        }
        Ok(())
    }

    /// The rest.
    pub fn finish(&mut self) -> Result<()> {
        if let Some(sink) = self.sink.or(self.changed).filter(|_| !self.buffer.is_empty()) {
            self.chunks.push(sink.put(ObjectKind::Blob, &self.buffer)?);
            self.buffer.clear();
        }
        Ok(())
    }
}
