//! The blocks of a table: how records lie in the file. Those of refs are aligned, those of logs compressed
//! (gitformat-reftable).

use flate2::{Compress, Compression, FlushCompress};

use super::wire::{Reader, damaged, put_number};
use crate::error::{Error, Result};

/// The blocks of a file that is read.
pub struct Blocks<'a> {
    /// All of the file but its footer.
    pub bytes: &'a [u8],
    /// The length of the file's header.
    pub header: usize,
    /// 0 where blocks are not aligned.
    pub block_size: usize,
}

impl Blocks<'_> {
    /// Kind, length and length of what is before the records of the block at an offset.
    pub fn at(&self, offset: usize) -> Option<(u8, usize, usize)> {
        let before = if offset == 0 { self.header } else { 0 };
        let head = self.bytes.get(offset + before..offset + before + 4)?;
        let (kind, len) = head.split_first()?;
        let len = usize::try_from(Reader(len).number(3).ok()?).ok()?;
        (len > before + 4).then_some((*kind, len, before + 4))
    }

    /// How far it is to the next block of refs: padded to the block size, unless what follows directly is a block.
    pub fn step(&self, offset: usize, len: usize) -> usize {
        let padded = self.bytes.get(offset + len).is_none_or(|byte| *byte == 0);
        if padded && len < self.block_size { self.block_size } else { len }
    }
}

/// Reads the records of an unpacked block, from `head` to its restart points.
pub fn records(
    block: &[u8],
    head: usize,
    mut read: impl FnMut(&[u8], u64, &mut Reader<'_>) -> Result<()>,
) -> Result<()> {
    let counted = block.len().checked_sub(2).ok_or_else(damaged)?;
    let restarts = Reader(block.get(counted..).unwrap_or_default()).number(2)? as usize;
    let end = counted.checked_sub(3 * restarts).ok_or_else(damaged)?;
    let mut at = Reader(block.get(head..end).ok_or_else(damaged)?);
    let mut key: Vec<u8> = Vec::new();
    while !at.0.is_empty() {
        let shared = usize::try_from(at.varint()?).map_err(|_| damaged())?;
        let word = at.varint()?;
        let suffix = at.take(usize::try_from(word >> 3).map_err(|_| damaged())?)?;
        if shared > key.len() {
            return Err(damaged());
        }
        key.truncate(shared);
        key.extend_from_slice(suffix);
        read(&key, word & 7, &mut at)?;
    }
    Ok(())
}

/// A block that is written.
pub struct Block {
    /// Bytes of the file's header that belong to the first block.
    before: usize,
    records: Vec<u8>,
    restarts: Vec<usize>,
}

impl Block {
    /// True where nothing is in it yet.
    pub fn is_empty(&self) -> bool {
        self.restarts.is_empty()
    }

    /// An empty one, with so many bytes of the file before it.
    pub fn new(before: usize) -> Block {
        Block { before, records: Vec::new(), restarts: Vec::new() }
    }

    /// True where the record still fits.
    pub fn fits(&self, record: &[u8], block_size: usize) -> bool {
        let restarts = 3 * (self.restarts.len() + 1) + 2;
        self.before + 4 + self.records.len() + record.len() + restarts <= block_size
    }

    /// Adds a record.
    pub fn add(&mut self, record: &[u8], block_size: usize) -> Result<()> {
        if !self.fits(record, block_size) {
            return Err(Error::failure("a ref or a line of a reflog is too long for a table"));
        }
        self.restarts.push(self.before + 4 + self.records.len());
        self.records.extend_from_slice(record);
        Ok(())
    }

    /// Writes the block, if there is anything in it.
    pub fn put(&self, kind: u8, out: &mut Vec<u8>) {
        if self.restarts.is_empty() {
            return;
        }
        let mut body = self.records.clone();
        for restart in &self.restarts {
            put_number(&mut body, *restart as u64, 3);
        }
        put_number(&mut body, self.restarts.len() as u64, 2);
        out.push(kind);
        put_number(out, (self.before + 4 + body.len()) as u64, 3);
        if kind == b'g' {
            body = packed(&body);
        }
        out.extend(body);
    }
}

/// As zlib has it. Compressing into memory that grows does not fail.
fn packed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + body.len() / 100 + 64);
    let mut deflate = Compress::new(Compression::best(), true);
    while let Ok(status) = deflate.compress_vec(
        body.get(usize::try_from(deflate.total_in()).unwrap_or(usize::MAX)..).unwrap_or_default(),
        &mut out,
        FlushCompress::Finish,
    ) {
        if status == flate2::Status::StreamEnd {
            break;
        }
        out.reserve(body.len() + 64);
    }
    out
}
