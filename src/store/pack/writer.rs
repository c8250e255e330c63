//! One pack being appended to, under its lock.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::header::{self, HEADER};
use super::name::{self, PackName};
use super::trailer::{self, BlockRow, Trailer};
use super::{Entry, PACK_BYTES};
use crate::error::{Error, Result};
use crate::platform::clock;
use crate::store::file;

/// How many existing packs are tried before a new one is made.
const TRIES: usize = 16;

/// A pack taken for writing. Dropped without [`PackWriter::commit`], it leaves the file as it was.
pub(crate) struct PackWriter {
    pub name: PackName,
    path: PathBuf,
    file: File,
    /// Where committed bytes end.
    committed: u64,
    /// Where the next block goes.
    len: u64,
    trailer: Trailer,
    /// It was made by this writer: its name must become durable.
    fresh: bool,
}

impl PackWriter {
    /// Takes a pack nobody writes to, or makes one. `avoid` are packs that gc has condemned.
    pub(crate) fn take(dir: &Path, avoid: impl Fn(&str) -> bool) -> Result<PackWriter> {
        let packs = name::list(dir)?;
        for name in packs.iter().rev().filter(|n| !avoid(&n.text)).take(TRIES) {
            if let Some(writer) = PackWriter::existing(dir, name)? {
                return Ok(writer);
            }
        }
        PackWriter::create(dir, packs.last().map_or(1, |n| n.number.saturating_add(1)))
    }

    /// The pack, if it can be appended to: not full, nobody else's, its end a whole trailer.
    fn existing(dir: &Path, name: &PackName) -> Result<Option<PackWriter>> {
        let path = name.path(dir);
        // A pack that cannot be opened for writing (removed by gc, read-only) is no reason to fail: make another.
        let Ok(file) = file::open_write(&path, false) else { return Ok(None) };
        let io = |e: std::io::Error| Error::io("open", &path, &e);
        let before = file.metadata().map_err(io)?.len();
        if before >= PACK_BYTES || !file::try_lock(&file).map_err(io)? {
            return Ok(None);
        }
        let meta = file.metadata().map_err(io)?;
        let (len, removed) = (meta.len(), meta.nlink() == 0);
        if removed || len >= PACK_BYTES || len <= HEADER as u64 {
            return Ok(None);
        }
        let Some((prev, _)) = trailer::ending_at(&file, len).map_err(io)? else { return Ok(None) };
        let trailer = Trailer { start: len, prev, ..Trailer::default() };
        Ok(Some(PackWriter { name: name.clone(), path, file, committed: len, len, trailer, fresh: false }))
    }

    /// Makes a new pack.
    pub(crate) fn create(dir: &Path, number: u32) -> Result<PackWriter> {
        let name = PackName::new(number);
        let path = name.path(dir);
        let file = match file::create_new(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                crate::store::format::make_dir(dir)?;
                file::create_new(&path)
            }
            other => other,
        }
        .map_err(|e| Error::io("create", &path, &e))?;
        file::try_lock(&file).map_err(|e| Error::io("lock", &path, &e))?;
        let len = HEADER as u64;
        let trailer = Trailer { start: len, ..Trailer::default() };
        let writer = PackWriter { name, path, file, committed: 0, len, trailer, fresh: true };
        file::write_whole_at(&writer.file, &writer.path, &header::encode(), 0)?;
        Ok(writer)
    }

    /// Another handle to the file, for reading blocks back.
    pub(crate) fn reading(&self) -> Result<File> {
        self.file.try_clone().map_err(|e| Error::io("open", &self.path, &e))
    }

    /// True once it should take no more.
    pub(crate) fn is_full(&self) -> bool {
        self.len >= PACK_BYTES
    }

    /// Bytes it has grown by.
    pub(crate) fn grown(&self) -> u64 {
        self.len - self.committed
    }

    fn row(&mut self, block: &[u8], raw_len: usize, entries: &[Entry]) -> u64 {
        let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let head = super::block::HEAD + entries.len() * super::ENTRY + super::block::SUM;
        let offset = self.len;
        self.trailer.blocks.push(BlockRow {
            offset,
            len: size(block.len()),
            stored_len: size(block.len() - head),
            raw_len: size(raw_len),
            count: size(entries.len()),
        });
        self.trailer.entries.extend_from_slice(entries);
        self.len += block.len() as u64;
        offset
    }

    /// Appends a block; where it begins. On failure the file ends where it ended before.
    pub(crate) fn append(&mut self, block: &[u8], raw_len: usize, entries: &[Entry]) -> Result<u64> {
        file::write_whole_at(&self.file, &self.path, block, self.len)?;
        Ok(self.row(block, raw_len, entries))
    }

    /// Appends a last block if there is one, and the trailer, in one write; durable when it returns.
    pub(crate) fn commit(mut self, last: Option<(Vec<u8>, usize, Vec<Entry>)>) -> Result<Committed> {
        let at = self.len;
        let (mut bytes, offset) = match last {
            Some((block, raw_len, entries)) => {
                let offset = self.row(&block, raw_len, &entries);
                (block, Some(offset))
            }
            None => (Vec::new(), None),
        };
        self.trailer.time_ns = clock::now_ns();
        let trailer = self.trailer.encode();
        bytes.extend_from_slice(&trailer);
        file::write_whole_at(&self.file, &self.path, &bytes, at)?;
        self.len = at + bytes.len() as u64;
        file::sync(&self.file, &self.path)?;
        if self.fresh {
            self.path.parent().map_or(Ok(()), file::sync_dir)?;
        }
        let stored = self.grown();
        self.committed = self.len;
        Ok(Committed { stored, offset })
    }

    /// Where its blocks are, to be copied elsewhere when a sync has failed.
    pub(crate) fn blocks(&self) -> &[BlockRow] {
        &self.trailer.blocks
    }
}

/// What a commit wrote.
pub(crate) struct Committed {
    /// Bytes, header and trailer included.
    pub stored: u64,
    /// Where the last block was put.
    pub offset: Option<u64>,
}

impl Drop for PackWriter {
    fn drop(&mut self) {
        if self.committed == self.len {
            return;
        }
        // Nothing of it was acknowledged. Where even this fails the end stays torn, and nobody appends to it again.
        if self.committed == 0 {
            let _ = std::fs::remove_file(&self.path);
        } else {
            let _ = rustix::fs::ftruncate(&self.file, self.committed);
        }
    }
}
