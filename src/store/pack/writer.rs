//! One pack being appended to, under its lock.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::block;
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
    sync_failed: bool,
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
        if removed || len >= PACK_BYTES {
            return Ok(None);
        }
        let mut first = [0u8; HEADER];
        file::read_at(&file, &mut first, 0).map_err(io)?;
        if header::check(&first, &name.text).is_err() {
            return Ok(None);
        }
        let prev = match trailer::ending_at(&file, len).map_err(io)? {
            Some((prev, _)) => prev,
            None if len == HEADER as u64 => 0,
            None => return Ok(None),
        };
        let trailer = Trailer { start: len, prev, ..Trailer::default() };
        Ok(Some(PackWriter {
            name: name.clone(),
            path,
            file,
            committed: len,
            len,
            trailer,
            fresh: false,
            sync_failed: false,
        }))
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
        let writer =
            PackWriter { name, path, file, committed: 0, len, trailer, fresh: true, sync_failed: false };
        file::write_whole_at(&writer.file, &writer.path, &header::encode(), 0)?;
        Ok(writer)
    }

    /// True once it should take no more.
    pub(crate) fn is_full(&self) -> bool {
        self.len >= PACK_BYTES
    }

    fn row(&mut self, block: &[u8], raw_len: usize, entries: &[Entry]) -> u64 {
        let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let head = block::HEAD + entries.len() * super::ENTRY + block::SUM;
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

    /// Appends a last block if there is one, and the trailer, in one write; the bytes that the pack has grown by,
    /// durable when it returns.
    pub(crate) fn commit(&mut self, last: Option<Last>) -> Result<u64> {
        let at = self.len;
        let mut bytes = Vec::new();
        if let Some(Last { bytes: block, raw_len, entries }) = last {
            self.row(&block, raw_len, &entries);
            bytes = block;
        }
        self.trailer.time_ns = clock::now_ns();
        bytes.extend_from_slice(&self.trailer.encode());
        file::write_whole_at(&self.file, &self.path, &bytes, at)?;
        self.len = at + bytes.len() as u64;
        let synced = file::sync(&self.file, &self.path).and_then(|()| {
            if self.fresh { self.path.parent().map_or(Ok(()), file::sync_dir) } else { Ok(()) }
        });
        self.sync_failed = synced.is_err();
        synced?;
        let stored = self.len - self.committed;
        self.committed = self.len;
        Ok(stored)
    }

    /// True where all was written and the sync failed.
    pub(crate) fn sync_failed(&self) -> bool {
        self.sync_failed
    }

    /// A new pack with the same blocks, each read back and checked. This one is left as it was before.
    pub(crate) fn copy(self, dir: &Path) -> Result<PackWriter> {
        let mut copy = PackWriter::create(dir, self.name.number.saturating_add(1))?;
        let mut entries = self.trailer.entries.iter();
        for row in &self.trailer.blocks {
            let mut bytes = vec![0u8; row.len as usize];
            let io = |e: std::io::Error| Error::io("read", &self.path, &e);
            file::read_at(&self.file, &mut bytes, row.offset).map_err(io)?;
            let head = block::decode_head(&bytes).map_err(|bad| Error::corrupt(bad.to_string()))?;
            let stored = bytes.get(usize::try_from(head.len()).unwrap_or(0)..).unwrap_or_default();
            block::unpack(&head, stored).map_err(|bad| Error::corrupt(bad.to_string()))?;
            let of_block: Vec<Entry> = entries.by_ref().take(row.count as usize).copied().collect();
            copy.append(&bytes, row.raw_len as usize, &of_block)?;
        }
        Ok(copy)
    }
}

/// The last block of a commit, to be written together with the trailer.
pub(crate) struct Last {
    pub bytes: Vec<u8>,
    pub raw_len: usize,
    pub entries: Vec<Entry>,
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
