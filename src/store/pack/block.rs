//! One block of a pack: some objects, compressed together. Layout in `docs/format.md`, section "Packs".

use std::cell::RefCell;
use std::fs::File;
use std::io;

use super::{ENTRY, Entry, checksum, u32_at};
use crate::error::{Error, Result};
use crate::model::ObjectId;
use crate::store::file;

/// First four bytes of a block.
pub(crate) const MAGIC: [u8; 4] = [0xF7, b'F', b'R', b'B'];
/// Bytes before the object table.
pub(crate) const HEAD: usize = 40;
/// Bytes of the checksum after the table.
pub(crate) const SUM: usize = 16;
/// The most raw bytes of a block. One object is at most this large; callers cut files into far smaller chunks.
pub(crate) const MAX_RAW: usize = 1 << 30;

const RAW: u8 = 0;
const ZSTD: u8 = 1;
/// The level on the critical path; what it costs and gains is in `docs/speed.md`.
const LEVEL: i32 = 1;
/// Bytes that the compressibility probe looks at.
const PROBE: usize = 4096;

/// The head of a block with its table, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub codec: u8,
    pub raw_len: u32,
    pub stored_len: u32,
    pub stored_sum: [u8; 16],
    pub entries: Vec<Entry>,
}

/// Why bytes are not a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// They end before it does.
    Short,
    /// They do not start as one.
    NotABlock,
    /// Its head or table was changed.
    Head,
    /// Its stored bytes were changed.
    Stored,
    /// Its codec or sealing is not known to this version.
    Unknown,
}

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Bad::Short => "cut off",
            Bad::NotABlock => "neither a block nor a trailer",
            Bad::Head => "a block's head or object table was changed (checksum)",
            Bad::Stored => "a block's stored bytes were changed (checksum)",
            Bad::Unknown => "a block of a kind this fr does not know",
        })
    }
}

impl Head {
    /// Bytes of head and table.
    pub(crate) fn len(&self) -> u64 {
        (HEAD + self.entries.len() * ENTRY + SUM) as u64
    }

    /// Bytes of the whole block.
    pub(crate) fn block_len(&self) -> u64 {
        self.len() + u64::from(self.stored_len)
    }
}

/// The length of head and table that these bytes claim, unchecked.
pub(crate) fn claimed_head_len(bytes: &[u8]) -> Result<usize, Bad> {
    if !bytes.starts_with(&MAGIC) {
        return Err(if MAGIC.starts_with(bytes) { Bad::Short } else { Bad::NotABlock });
    }
    let count = u32_at(bytes, 8).ok_or(Bad::Short)? as usize;
    if count > MAX_RAW / ENTRY {
        return Err(Bad::Head);
    }
    Ok(HEAD + count * ENTRY + SUM)
}

/// Checks and reads head and table.
pub(crate) fn decode_head(bytes: &[u8]) -> Result<Head, Bad> {
    let len = claimed_head_len(bytes)?;
    let bytes = bytes.get(..len).ok_or(Bad::Short)?;
    let (body, sum) = bytes.split_at(len - SUM);
    if checksum(body) != sum {
        return Err(Bad::Head);
    }
    let field = |at| u32_at(body, at).ok_or(Bad::Short);
    let (codec, sealed) = (body.get(4).copied(), field(4)? >> 8);
    let entries = Entry::read_all(body.get(HEAD..).unwrap_or_default()).ok_or(Bad::Unknown)?;
    let stored_sum = body.get(24..40).and_then(|b| b.try_into().ok()).ok_or(Bad::Short)?;
    let head = Head {
        codec: codec.unwrap_or(RAW),
        raw_len: field(12)?,
        stored_len: field(16)?,
        stored_sum,
        entries,
    };
    if head.codec > ZSTD || sealed != 0 || field(20)? != 0 {
        return Err(Bad::Unknown);
    }
    let sum: u64 = head.entries.iter().map(|e| u64::from(e.len)).sum();
    if sum != u64::from(head.raw_len) || head.raw_len as usize > MAX_RAW {
        return Err(Bad::Head);
    }
    Ok(head)
}

/// Unpacks the stored bytes of a block.
pub(crate) fn unpack(head: &Head, stored: &[u8]) -> Result<Vec<u8>, Bad> {
    if stored.len() != head.stored_len as usize {
        return Err(Bad::Short);
    }
    if checksum(stored) != head.stored_sum {
        return Err(Bad::Stored);
    }
    let raw = match head.codec {
        RAW => stored.to_vec(),
        _ => zstd::bulk::decompress(stored, head.raw_len as usize).map_err(|_| Bad::Stored)?,
    };
    if raw.len() == head.raw_len as usize { Ok(raw) } else { Err(Bad::Stored) }
}

thread_local! {
    /// A compression context is a megabyte: made once per thread, not once per block.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

fn compress(raw: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Compressor::new(LEVEL).ok();
        }
        slot.as_mut()?.compress(raw).ok()
    })
}

/// True where a sample from the middle of a large block says that compressing it is a waste.
fn looks_packed(raw: &[u8]) -> bool {
    if raw.len() < 16 * PROBE {
        return false;
    }
    let samples = [raw.len() / 4, raw.len() / 2, raw.len() / 4 * 3];
    let sample: Vec<u8> =
        samples.iter().flat_map(|at| raw.get(*at..at + PROBE).unwrap_or_default()).copied().collect();
    compress(&sample).is_some_and(|packed| packed.len() + sample.len() / 32 > sample.len())
}

/// The bytes of a block. `raw` is the objects' contents in the order of `entries`.
pub(crate) fn encode(entries: &[Entry], raw: &[u8]) -> Result<Vec<u8>> {
    if raw.len() > MAX_RAW {
        return Err(Error::failure(format!("an object of {} bytes is too large for the store", raw.len())));
    }
    let packed = if looks_packed(raw) { None } else { compress(raw).filter(|p| p.len() < raw.len()) };
    let (codec, stored) = packed.as_deref().map_or((RAW, raw), |p| (ZSTD, p));
    let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut out = Vec::with_capacity(HEAD + entries.len() * ENTRY + SUM + stored.len());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[codec, 0, 0, 0]);
    out.extend_from_slice(&size(entries.len()));
    out.extend_from_slice(&size(raw.len()));
    out.extend_from_slice(&size(stored.len()));
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&checksum(stored));
    for entry in entries {
        entry.write(&mut out);
    }
    let sum = checksum(&out);
    out.extend_from_slice(&sum);
    out.extend_from_slice(stored);
    Ok(out)
}

/// A block in memory, unpacked.
#[derive(Debug)]
pub(crate) struct Block {
    pub entries: Vec<Entry>,
    pub raw: Vec<u8>,
}

impl Block {
    /// The content of an object in it, checked against its address.
    pub(crate) fn object(&self, id: &ObjectId) -> Option<&[u8]> {
        let mut at = 0usize;
        for entry in &self.entries {
            let end = at + entry.len as usize;
            if entry.id == *id {
                return self.raw.get(at..end).filter(|content| ObjectId::of(entry.kind, content) == *id);
            }
            at = end;
        }
        None
    }
}

/// Reads and unpacks the block at `offset`. The outer error is the file system's.
pub(crate) fn read(pack: &File, offset: u64) -> io::Result<Result<Block, Bad>> {
    let mut bytes = vec![0u8; 128 << 10];
    let got = file::read_at(pack, &mut bytes, offset)?;
    bytes.truncate(got);
    let head_len = match claimed_head_len(&bytes) {
        Ok(len) => len,
        Err(bad) => return Ok(Err(bad)),
    };
    extend(pack, &mut bytes, offset, head_len)?;
    let head = match decode_head(&bytes) {
        Ok(head) => head,
        Err(bad) => return Ok(Err(bad)),
    };
    let whole = head_len + head.stored_len as usize;
    extend(pack, &mut bytes, offset, whole)?;
    let Some(stored) = bytes.get(head_len..whole) else { return Ok(Err(Bad::Short)) };
    Ok(unpack(&head, stored).map(|raw| Block { entries: head.entries, raw }))
}

/// Reads on until `bytes` holds `want` bytes or the file ends.
fn extend(pack: &File, bytes: &mut Vec<u8>, offset: u64, want: usize) -> io::Result<()> {
    let have = bytes.len();
    if want <= have {
        return Ok(());
    }
    // A damaged length must not make us reserve what the file cannot hold.
    let left = pack.metadata()?.len().saturating_sub(offset);
    bytes.resize(want.min(usize::try_from(left).unwrap_or(usize::MAX)).max(have), 0);
    let rest = bytes.get_mut(have..).unwrap_or_default();
    let got = file::read_at(pack, rest, offset + have as u64)?;
    bytes.truncate(have + got);
    Ok(())
}
