//! The commit record at the end of each batch: what it wrote where. A pack without one at its end has a torn tail.

use std::fs::File;
use std::io;

use super::header::HEADER;
use super::{ENTRY, Entry, u32_at, u64_at};
use crate::store::file;

/// First four bytes of a trailer.
pub(crate) const MAGIC: [u8; 4] = [0xF7, b'F', b'R', b'T'];
/// Last four bytes of a trailer.
pub(crate) const END: [u8; 4] = [b'T', b'R', b'F', 0xF7];
/// Bytes before the tables.
pub(crate) const HEAD: usize = 40;
/// Bytes after the tables: checksum, total length, end mark.
pub(crate) const FOOT: usize = 40;
/// Bytes of a row of the block table.
const ROW: usize = 24;

/// One row of the block table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockRow {
    /// Where the block begins.
    pub offset: u64,
    /// Bytes of the whole block.
    pub len: u32,
    /// Bytes of the stored part.
    pub stored_len: u32,
    /// Bytes unpacked.
    pub raw_len: u32,
    /// Objects in it.
    pub count: u32,
}

/// What one commit wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// Where the commit's first block begins.
    pub start: u64,
    /// Where the trailer before begins; 0 where there is none.
    pub prev: u64,
    /// Wall time of the commit, nanoseconds since 1970.
    pub time_ns: i64,
    /// Its blocks, in order.
    pub blocks: Vec<BlockRow>,
    /// Their objects, in order.
    pub entries: Vec<Entry>,
}

impl Trailer {
    /// Its bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        let mut out = Vec::with_capacity(HEAD + self.blocks.len() * ROW + self.entries.len() * ENTRY + FOOT);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.start.to_le_bytes());
        out.extend_from_slice(&self.prev.to_le_bytes());
        out.extend_from_slice(&self.time_ns.to_le_bytes());
        out.extend_from_slice(&count(self.blocks.len()));
        out.extend_from_slice(&count(self.entries.len()));
        for row in &self.blocks {
            out.extend_from_slice(&row.offset.to_le_bytes());
            for field in [row.len, row.stored_len, row.raw_len, row.count] {
                out.extend_from_slice(&field.to_le_bytes());
            }
        }
        for entry in &self.entries {
            entry.write(&mut out);
        }
        let sum = *blake3::hash(&out).as_bytes();
        out.extend_from_slice(&sum);
        let total = count(out.len() + 8);
        out.extend_from_slice(&total);
        out.extend_from_slice(&END);
        out
    }

    /// The length that the first bytes of a trailer claim, unchecked.
    pub(crate) fn claimed_len(bytes: &[u8]) -> Option<usize> {
        let (blocks, entries) = (u32_at(bytes, 32)? as usize, u32_at(bytes, 36)? as usize);
        bytes.starts_with(&MAGIC).then_some(HEAD + blocks * ROW + entries * ENTRY + FOOT)
    }

    /// Checks and reads the trailer that starts `bytes`.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Trailer> {
        let len = Trailer::claimed_len(bytes)?;
        let bytes = bytes.get(..len)?;
        let ends = u32_at(bytes, len - 8)? as usize == len && bytes.ends_with(&END);
        let (body, foot) = bytes.split_at(len - FOOT);
        if !ends || blake3::hash(body).as_bytes() != foot.get(..32)? || u32_at(body, 4)? != 0 {
            return None;
        }
        let tables = HEAD + u32_at(body, 32)? as usize * ROW;
        let blocks = body.get(HEAD..tables)?.chunks(ROW).map(row).collect::<Option<Vec<_>>>()?;
        let entries = Entry::read_all(body.get(tables..)?)?;
        let counted: u64 = blocks.iter().map(|b| u64::from(b.count)).sum();
        (counted == entries.len() as u64).then_some(Trailer {
            start: u64_at(body, 8)?,
            prev: u64_at(body, 16)?,
            time_ns: u64_at(body, 24)?.cast_signed(),
            blocks,
            entries,
        })
    }

    /// Bytes of the whole trailer.
    pub(crate) fn len(&self) -> u64 {
        (HEAD + self.blocks.len() * ROW + self.entries.len() * ENTRY + FOOT) as u64
    }
}

fn row(bytes: &[u8]) -> Option<BlockRow> {
    Some(BlockRow {
        offset: u64_at(bytes, 0)?,
        len: u32_at(bytes, 8)?,
        stored_len: u32_at(bytes, 12)?,
        raw_len: u32_at(bytes, 16)?,
        count: u32_at(bytes, 20)?,
    })
}

/// The trailer that ends exactly at `end`, with its offset. `None` where no whole one does.
pub(crate) fn ending_at(pack: &File, end: u64) -> io::Result<Option<(u64, Trailer)>> {
    const PROBE: u64 = 4096;
    let mut bytes = vec![0u8; usize::try_from(end.min(PROBE)).unwrap_or(0)];
    let from = end - bytes.len() as u64;
    if file::read_at(pack, &mut bytes, from)? < bytes.len() || !bytes.ends_with(&END) {
        return Ok(None);
    }
    let Some(len) = bytes.len().checked_sub(8).and_then(|at| u32_at(&bytes, at)) else { return Ok(None) };
    let Some(offset) = end.checked_sub(u64::from(len)).filter(|o| *o >= HEADER as u64) else {
        return Ok(None);
    };
    if offset < from {
        bytes.resize(len as usize, 0);
        if file::read_at(pack, &mut bytes, offset)? < bytes.len() {
            return Ok(None);
        }
    }
    let start = bytes.len() - len as usize;
    Ok(Trailer::decode(bytes.get(start..).unwrap_or_default())
        .filter(|t| t.len() == u64::from(len) && t.start <= offset && t.prev < offset)
        .map(|t| (offset, t)))
}
