//! Walking a pack forward by its blocks and trailers, over damaged places: for verifying, and for reading what a
//! damaged trailer no longer lists.

use std::fs::File;
use std::io;

use super::block::{self, Bad, Head};
use super::header::HEADER;
use super::trailer::{self, Trailer};
use crate::store::file;

/// What stands at a place of a pack.
#[derive(Debug)]
pub(crate) enum Found {
    /// A block whose head is whole; its stored bytes have not been read.
    Block {
        /// Where it begins.
        offset: u64,
        /// Its head and table.
        head: Head,
    },
    /// A trailer.
    Trailer {
        /// Where it begins.
        offset: u64,
        /// What it says.
        trailer: Trailer,
    },
    /// Bytes that are neither, up to the next block or trailer or the end of the file.
    Damage {
        /// Where they begin.
        offset: u64,
        /// How many.
        len: u64,
        /// What the first of them is not.
        why: Bad,
    },
}

/// A pack being read forward.
pub(crate) struct Scanner<'a> {
    pack: &'a File,
    size: u64,
    offset: u64,
}

const CHUNK: usize = 64 << 10;

impl<'a> Scanner<'a> {
    /// Starts behind the pack's header; ends at `size`.
    pub(crate) fn new(pack: &'a File, size: u64) -> Scanner<'a> {
        Scanner::from(pack, size, 0)
    }

    /// Starts at a place where a block or trailer begins.
    pub(crate) fn from(pack: &'a File, size: u64, offset: u64) -> Scanner<'a> {
        Scanner { pack, size, offset: offset.max(HEADER as u64) }
    }

    fn bytes(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0u8; len.min(left)];
        let got = file::read_at(self.pack, &mut bytes, offset)?;
        bytes.truncate(got);
        Ok(bytes)
    }

    fn at(&self, offset: u64) -> io::Result<Result<Found, Bad>> {
        let first = self.bytes(offset, block::HEAD)?;
        if first.starts_with(&trailer::MAGIC) {
            let Some(len) = Trailer::claimed_len(&first) else { return Ok(Err(Bad::Short)) };
            return Ok(match Trailer::decode(&self.bytes(offset, len)?) {
                Some(trailer) => Ok(Found::Trailer { offset, trailer }),
                None => Err(Bad::NotABlock),
            });
        }
        let len = match block::claimed_head_len(&first) {
            Ok(len) => len,
            Err(bad) => return Ok(Err(bad)),
        };
        Ok(match block::decode_head(&self.bytes(offset, len)?) {
            Ok(head) if offset + head.block_len() <= self.size => Ok(Found::Block { offset, head }),
            Ok(_) => Err(Bad::Short),
            Err(bad) => Err(bad),
        })
    }

    /// What stands at the present place; moves behind it. `None` at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Found>> {
        if self.offset >= self.size {
            return Ok(None);
        }
        let offset = self.offset;
        match self.at(offset)? {
            Ok(found) => {
                self.offset += match &found {
                    Found::Block { head, .. } => head.block_len(),
                    Found::Trailer { trailer, .. } => trailer.len(),
                    Found::Damage { len, .. } => *len,
                };
                Ok(Some(found))
            }
            Err(why) => {
                self.offset = self.resync(offset + 1)?;
                Ok(Some(Found::Damage { offset, len: self.offset - offset, why }))
            }
        }
    }

    /// Where the next whole block or trailer begins, else the end.
    fn resync(&self, mut from: u64) -> io::Result<u64> {
        while from < self.size {
            let chunk = self.bytes(from, CHUNK)?;
            let starts = |w: &[u8]| w == block::MAGIC || w == trailer::MAGIC;
            for at in chunk.windows(4).enumerate().filter(|(_, w)| starts(w)).map(|(at, _)| at as u64) {
                if self.at(from + at)?.is_ok() {
                    return Ok(from + at);
                }
            }
            if chunk.len() < CHUNK {
                break;
            }
            from += (CHUNK - 3) as u64;
        }
        Ok(self.size)
    }
}
