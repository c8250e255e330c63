//! Pack files: append-only, self-describing, each usable without any index.

pub(crate) mod block;
pub(crate) mod header;
pub(crate) mod name;
pub(crate) mod scan;
pub(crate) mod trailer;
pub(crate) mod writer;

use crate::model::{ObjectId, ObjectKind};

/// A new pack is begun when one has reached this size.
pub(crate) const PACK_BYTES: u64 = 64 << 20;

/// One row of an object table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub id: ObjectId,
    pub kind: ObjectKind,
    /// Bytes of the content.
    pub len: u32,
}

/// Bytes of an [`Entry`] in a table: id, kind, length.
pub(crate) const ENTRY: usize = 37;

impl Entry {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.0);
        out.push(self.kind as u8);
        out.extend_from_slice(&self.len.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Entry> {
        let id = ObjectId(bytes.get(..32)?.try_into().ok()?);
        let kind = ObjectKind::from_u8(*bytes.get(32)?)?;
        Some(Entry { id, kind, len: u32_at(bytes, 33)? })
    }

    /// A whole table; `None` where a row is not valid.
    fn read_all(bytes: &[u8]) -> Option<Vec<Entry>> {
        bytes.chunks(ENTRY).map(Entry::read).collect()
    }
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes)
}

/// The first 16 bytes of blake3: the checksum of headers and stored bytes.
pub(crate) fn checksum(bytes: &[u8]) -> [u8; 16] {
    let mut sum = [0u8; 16];
    for (to, from) in sum.iter_mut().zip(blake3::hash(bytes).as_bytes()) {
        *to = *from;
    }
    sum
}
