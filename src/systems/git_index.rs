//! git's index file, as far as equality and pinning need it: paths, modes, object ids, stages and flags, not the stat
//! data: `git status` writes it anew with other stat data and the same meaning. No system: what `git` and `files` both read.
//! Format: gitformat-index(5), versions 2 to 4.

use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind};

/// How the names of shared parts of split indexes begin.
pub const SHARED: &[u8] = b"sharedindex.";

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path below the top of the working tree.
    pub path: Vec<u8>,
    /// Type and permission bits as git keeps them.
    pub mode: u32,
    /// The object's id, 20 or 32 bytes.
    pub oid: Vec<u8>,
    /// Assume-valid, stage, and the extended flags (skip-worktree, intent-to-add) shifted up by 16 bits.
    pub flags: u32,
}

/// What a parsed index says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// All entries, in file order.
    pub entries: Vec<Entry>,
    /// The tree that the whole index equals, where git noted one (cache tree extension).
    pub tree: Option<Vec<u8>>,
    /// Part of the entries is in another file (split index).
    pub split: bool,
    /// Directories stand for their content (sparse index).
    pub sparse: bool,
    link: Vec<u8>,
}

/// How an index begins.
pub const MAGIC: &[u8] = b"DIRC";

impl Index {
    /// What an index says ([`Index::digest`]), where the ids' length is not known. `None`: it is no index, or one of a version
    /// that is not known.
    pub fn meaning(bytes: &[u8]) -> Option<ObjectId> {
        let parse = |oid_len| Index::parse(bytes, oid_len).ok();
        bytes.starts_with(MAGIC).then(|| parse(20).or_else(|| parse(32)))?.map(|index| index.digest())
    }

    /// Parses an index whose object ids have `oid_len` bytes (20, or 32 in a SHA-256 repository).
    pub fn parse(bytes: &[u8], oid_len: usize) -> Result<Index> {
        let body = bytes.len().checked_sub(oid_len).and_then(|n| bytes.get(..n)).ok_or_else(damaged)?;
        let mut at = Cursor { rest: body };
        if at.take(4)? != MAGIC {
            return Err(damaged());
        }
        let version = at.u32()?;
        if !(2..=4).contains(&version) {
            return Err(Error::failure(format!("index version {version} is not known")));
        }
        let count = at.u32()? as usize;
        let mut index = Index::default();
        // An entry has at least 62 bytes: a count that lies must not reserve memory.
        index.entries.reserve(count.min(body.len() / 62));
        let mut previous = Vec::new();
        for _ in 0..count {
            let entry = at.entry(version, oid_len, &previous)?;
            previous.clone_from(&entry.path);
            index.entries.push(entry);
        }
        index.extensions(at, oid_len)?;
        Ok(index)
    }

    fn extensions(&mut self, mut at: Cursor<'_>, oid_len: usize) -> Result<()> {
        while !at.rest.is_empty() {
            let name = at.take(4)?;
            let size = at.u32()? as usize;
            let data = at.take(size)?;
            match name {
                b"TREE" => self.tree = root_tree(data, oid_len),
                b"link" => {
                    self.split = true;
                    self.link = data.to_vec();
                }
                b"sdir" => self.sparse = true,
                _ => {}
            }
        }
        Ok(())
    }

    /// The name of the file that holds the shared part of a split index (gitformat-index(5), "link" extension).
    pub fn shared_name(&self, oid_len: usize) -> Option<Vec<u8>> {
        let id = self.link.get(..oid_len).filter(|id| id.iter().any(|b| *b != 0))?;
        let hex: String = id.iter().map(|b| format!("{b:02x}")).collect();
        Some([SHARED, hex.as_bytes()].concat())
    }

    /// Equality of indexes: two with the same digest give the same `git ls-files -s` and `-v`.
    pub fn digest(&self) -> ObjectId {
        let mut text = Vec::with_capacity(self.entries.len() * 80);
        for entry in &self.entries {
            text.extend_from_slice(&entry.mode.to_be_bytes());
            text.extend_from_slice(&entry.flags.to_be_bytes());
            text.extend_from_slice(&entry.oid);
            text.extend_from_slice(&entry.path);
            text.push(0);
        }
        text.extend_from_slice(&self.link);
        ObjectId::of(ObjectKind::State, &text)
    }
}

/// The root's object id, if the root is not marked invalid (entry count -1).
fn root_tree(data: &[u8], oid_len: usize) -> Option<Vec<u8>> {
    let after_path = data.strip_prefix(b"\0")?;
    let line_end = after_path.iter().position(|b| *b == b'\n')?;
    if after_path.first() == Some(&b'-') {
        return None;
    }
    Some(after_path.get(line_end + 1..line_end + 1 + oid_len)?.to_vec())
}

fn damaged() -> Error {
    Error::failure("the index file is damaged")
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or_else(damaged)?;
        self.rest = rest;
        Ok(head)
    }

    fn u32(&mut self) -> Result<u32> {
        let bytes: [u8; 4] = self.take(4)?.try_into().map_err(|_| damaged())?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn u16(&mut self) -> Result<u16> {
        let bytes: [u8; 2] = self.take(2)?.try_into().map_err(|_| damaged())?;
        Ok(u16::from_be_bytes(bytes))
    }

    fn entry(&mut self, version: u32, oid_len: usize, previous: &[u8]) -> Result<Entry> {
        let before = self.rest.len();
        self.take(24)?; // ctime, mtime, dev, ino
        let mode = self.u32()?;
        self.take(12)?; // uid, gid, size
        let oid = self.take(oid_len)?.to_vec();
        let flags = self.u16()?;
        let extended = if flags & 0x4000 != 0 { self.u16()? } else { 0 };
        let path = if version == 4 { self.suffixed(previous)? } else { self.padded(before)? };
        // Assume-valid and stage; the low 12 bits are the name's length.
        let kept = u32::from(flags & 0xb000) | u32::from(extended & 0x6000) << 16;
        Ok(Entry { path, mode, oid, flags: kept })
    }

    /// Versions 2 and 3: the name, then 1 to 8 NUL bytes that make the entry's length a multiple of eight.
    fn padded(&mut self, before: usize) -> Result<Vec<u8>> {
        let end = self.rest.iter().position(|b| *b == 0).ok_or_else(damaged)?;
        let name = self.take(end)?.to_vec();
        let used = before - self.rest.len();
        self.take(8 - used % 8)?;
        Ok(name)
    }

    /// Version 4: how many bytes to drop from the previous name, then what to add.
    fn suffixed(&mut self, previous: &[u8]) -> Result<Vec<u8>> {
        let drop = self.offset()?;
        let keep = previous.len().checked_sub(drop).ok_or_else(damaged)?;
        let end = self.rest.iter().position(|b| *b == 0).ok_or_else(damaged)?;
        let mut name = previous.get(..keep).unwrap_or_default().to_vec();
        name.extend_from_slice(self.take(end)?);
        self.take(1)?;
        Ok(name)
    }

    /// The variable-length number of pack files' OFS_DELTA.
    fn offset(&mut self) -> Result<usize> {
        let mut value = 0usize;
        for round in 0..9 {
            let byte = *self.take(1)?.first().unwrap_or(&0);
            value = value << 7 | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            value += 1;
            if round == 8 {
                break;
            }
        }
        Err(damaged())
    }
}
