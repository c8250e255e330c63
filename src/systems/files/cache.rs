//! What the last snapshot of a working tree saw: per directory its tree object and the `stat` of every name. A name
//! whose `stat` is the same needs not be read again.
//!
//! Two things could make that a lie, and both are guarded:
//! - *Racy names.* A file changed in the same clock tick in which it was read keeps its `stat`. So a name counts only
//!   if its times are older than the moment the snapshot began (git's and jj's rule).
//! - *Objects that are not there.* The cache is written beside its final name and takes effect by [`commit`], after the
//!   batch of its snapshot was committed; and it carries the store's generation, which gc raises when it removes
//!   objects.

use std::collections::HashMap;
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::ObjectId;
use crate::platform::fs::Stat;

const MAGIC: &[u8; 8] = b"fr-stat\x01";
const HEADER: usize = MAGIC.len() + 8 + 8;
const CHECKSUM: usize = 32;
/// `stat` fields of one name.
const MARK: usize = 8 + 4 + 8 + 8 + 8 + 8;
/// In the mode field: the rules left the name out; the name could not be read.
const LEFT_OUT: u32 = 1 << 31;
const FAILED: u32 = 1 << 30;

/// A cache that was read.
pub struct Cache {
    bytes: Vec<u8>,
    taken_ns: i64,
    dirs: HashMap<Vec<u8>, CachedDir>,
}

/// A directory in a cache.
#[derive(Clone, Debug)]
pub struct CachedDir {
    /// Its tree object.
    pub tree: ObjectId,
    /// Its digest.
    pub digest: ObjectId,
    names: Range<usize>,
}

/// A name in a cached directory.
pub struct CachedName<'a> {
    /// The name.
    pub name: &'a [u8],
    /// The rules had left it out.
    pub left_out: bool,
    mark: &'a [u8],
}

impl CachedName<'_> {
    /// The name is as it was when the cache was taken.
    pub fn vouches_for(&self, stat: &Stat, taken_ns: i64) -> bool {
        stat.mtime_ns < taken_ns && stat.ctime_ns < taken_ns && self.mark == mark(stat, 0)
    }
}

impl Cache {
    /// The cache of `root`, where there is one that fits the store's `generation`. A damaged one is as good as none.
    pub fn load(dir: &Path, root: &[u8], generation: u64) -> Option<Cache> {
        Cache::parse(std::fs::read(file(dir, root)).ok()?, generation)
    }

    fn parse(bytes: Vec<u8>, generation: u64) -> Option<Cache> {
        let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
        if blake3::hash(body).as_bytes() != checksum || body.len() < HEADER || !body.starts_with(MAGIC) {
            return None;
        }
        let mut reader = Reader { bytes: body, at: MAGIC.len() };
        if reader.u64()? != generation {
            return None;
        }
        let taken_ns = reader.u64()? as i64;
        let mut dirs = HashMap::new();
        while reader.at < body.len() {
            let path_len = reader.u32()? as usize;
            let path = reader.take(path_len)?.to_vec();
            let tree = ObjectId(reader.take(32)?.try_into().ok()?);
            let digest = ObjectId(reader.take(32)?.try_into().ok()?);
            let len = reader.u32()? as usize;
            let start = reader.at;
            reader.take(len)?;
            dirs.insert(path, CachedDir { tree, digest, names: start..start + len });
        }
        Some(Cache { taken_ns, dirs, bytes })
    }

    /// When the snapshot began, by the file system's clock.
    pub fn taken_ns(&self) -> i64 {
        self.taken_ns
    }

    /// The directory at `path`, relative to the root.
    pub fn dir(&self, path: &[u8]) -> Option<CachedDir> {
        self.dirs.get(path).cloned()
    }

    /// The names of a directory, sorted.
    pub fn names<'a>(&'a self, dir: &CachedDir) -> impl Iterator<Item = CachedName<'a>> + use<'a> {
        let mut reader = Reader { bytes: self.bytes.get(dir.names.clone()).unwrap_or_default(), at: 0 };
        std::iter::from_fn(move || {
            let len = reader.u16()?;
            let name = reader.take(usize::from(len))?;
            let mark = reader.take(MARK)?;
            let mode = u32::from_le_bytes(mark.get(8..12)?.try_into().ok()?);
            Some(CachedName { name, left_out: mode & LEFT_OUT != 0, mark })
        })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let part = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(part)
    }
    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

fn mark(stat: &Stat, flags: u32) -> [u8; MARK] {
    let mut mark = [0u8; MARK];
    mark[..8].copy_from_slice(&stat.size.to_le_bytes());
    mark[8..12].copy_from_slice(&(stat.mode | flags).to_le_bytes());
    for (field, value) in [stat.mtime_ns as u64, stat.ctime_ns as u64, stat.ino, stat.dev].iter().enumerate()
    {
        mark[12 + field * 8..20 + field * 8].copy_from_slice(&value.to_le_bytes());
    }
    mark
}

/// A cache in the making.
pub struct CacheWriter {
    body: Vec<u8>,
}

impl CacheWriter {
    /// An empty one.
    pub fn new() -> CacheWriter {
        CacheWriter { body: Vec::new() }
    }

    /// Adds a directory: its names sorted, each with whether the rules left it out and whether reading it failed.
    pub fn push<'n>(
        &mut self,
        path: &[u8],
        tree: ObjectId,
        digest: ObjectId,
        names: impl Iterator<Item = (&'n [u8], &'n Stat, bool, bool)>,
    ) {
        self.body.extend_from_slice(&(path.len() as u32).to_le_bytes());
        self.body.extend_from_slice(path);
        self.body.extend_from_slice(&tree.0);
        self.body.extend_from_slice(&digest.0);
        let length_at = self.body.len();
        self.body.extend_from_slice(&[0; 4]);
        for (name, stat, left_out, failed) in names {
            let flags = if left_out { LEFT_OUT } else { 0 } | if failed { FAILED } else { 0 };
            self.body.extend_from_slice(&(name.len() as u16).to_le_bytes());
            self.body.extend_from_slice(name);
            self.body.extend_from_slice(&mark(stat, flags));
        }
        let len = (self.body.len() - length_at - 4) as u32;
        self.body[length_at..length_at + 4].copy_from_slice(&len.to_le_bytes());
    }

    /// Takes over a directory's record from an earlier cache.
    pub fn carry_over(&mut self, path: &[u8], dir: &CachedDir, earlier: &Cache) {
        let names = earlier.bytes.get(dir.names.clone()).unwrap_or_default();
        self.body.extend_from_slice(&(path.len() as u32).to_le_bytes());
        self.body.extend_from_slice(path);
        self.body.extend_from_slice(&dir.tree.0);
        self.body.extend_from_slice(&dir.digest.0);
        self.body.extend_from_slice(&(names.len() as u32).to_le_bytes());
        self.body.extend_from_slice(names);
    }

    /// Writes the cache of `root` beside its final name; [`commit`] makes it count. `taken_ns`: when the snapshot began.
    pub fn write_pending(self, dir: &Path, root: &[u8], generation: u64, taken_ns: i64) -> Result<()> {
        let mut bytes = Vec::with_capacity(HEADER + self.body.len() + CHECKSUM);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&generation.to_le_bytes());
        bytes.extend_from_slice(&taken_ns.to_le_bytes());
        bytes.extend_from_slice(&self.body);
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        make_private_dir(dir)?;
        let pending = pending(dir, root);
        let failed = |e: std::io::Error| Error::io("write", &pending, &e);
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&pending)
            .map_err(failed)?;
        file.write_all(&bytes).map_err(failed)
    }
}

fn make_private_dir(dir: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(dir).map_err(|e| Error::io("make", dir, &e))
}

/// The cache's file for a root: named by the root's hash, so that no path is too long or odd.
fn file(dir: &Path, root: &[u8]) -> PathBuf {
    dir.join(format!("files-{}", &blake3::hash(root).to_hex()[..32]))
}

/// The suffix of what this process has written and not committed.
fn suffix() -> String {
    format!(".{}.new", std::process::id())
}

fn pending(dir: &Path, root: &[u8]) -> PathBuf {
    let mut path = file(dir, root).into_os_string();
    path.push(suffix());
    path.into()
}

/// Makes the caches count that this process's captures have written below `dir` (`CaptureCx.cache`). To be called
/// after the batch behind those captures was committed, never before: a cache vouches for objects in the store.
pub fn commit(dir: &Path) -> Result<()> {
    for (path, name) in pending_files(dir) {
        let last = dir.join(name.trim_end_matches(suffix().as_str()));
        std::fs::rename(&path, &last).map_err(|e| Error::io("rename", &path, &e))?;
    }
    Ok(())
}

/// Drops what [`commit`] would have made count: the batch was not committed.
pub fn discard(dir: &Path) {
    for (path, _) in pending_files(dir) {
        let _gone_is_fine = std::fs::remove_file(path);
    }
}

fn pending_files(dir: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let names = entries.flatten().filter_map(|e| e.file_name().into_string().ok());
    let ours = names.filter(|n| n.starts_with("files-") && n.ends_with(&suffix()));
    ours.map(|n| (dir.join(&n), n)).collect()
}

/// The store's generation: raised by gc whenever it removes objects. 0 where there is none yet.
pub fn generation(store_home: &Path) -> u64 {
    let text = std::fs::read_to_string(store_home.join("generation")).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectKind;

    fn stat(ctime_ns: i64) -> Stat {
        let (mode, size) = (0o100_644, 3);
        Stat {
            mode,
            uid: 0,
            gid: 0,
            size,
            blocks: 8,
            mtime_ns: 5,
            ctime_ns,
            ino: 9,
            dev: 1,
            nlink: 1,
            rdev: 0,
        }
    }

    fn written(dir: &Path, taken_ns: i64) {
        let id = ObjectId::of(ObjectKind::Tree, b"");
        let mut writer = CacheWriter::new();
        writer.push(b"", id, id, [(&b"a"[..], &stat(7), false, false)].into_iter());
        writer.push(b"d", id, id, [(&b"b"[..], &stat(7), true, false)].into_iter());
        writer.write_pending(dir, b"/root", 4, taken_ns).unwrap();
    }

    #[test]
    fn counts_only_after_commit_and_only_for_its_generation() {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), 100);
        assert!(Cache::load(dir.path(), b"/root", 4).is_none());
        commit(dir.path()).unwrap();
        assert!(Cache::load(dir.path(), b"/root", 5).is_none());
        assert!(Cache::load(dir.path(), b"/other", 4).is_none());
        let cache = Cache::load(dir.path(), b"/root", 4).unwrap();
        let root = cache.dir(b"").unwrap();
        let names: Vec<_> = cache.names(&root).collect();
        assert_eq!(names.len(), 1);
        assert!(names[0].vouches_for(&stat(7), cache.taken_ns()));
        assert!(!names[0].vouches_for(&stat(8), cache.taken_ns()));
        let sub = cache.dir(b"d").unwrap();
        assert!(cache.names(&sub).next().unwrap().left_out);
    }

    #[test]
    fn a_name_changed_in_the_tick_of_the_snapshot_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), 7);
        commit(dir.path()).unwrap();
        let cache = Cache::load(dir.path(), b"/root", 4).unwrap();
        let root = cache.dir(b"").unwrap();
        assert!(!cache.names(&root).next().unwrap().vouches_for(&stat(7), cache.taken_ns()));
    }

    #[test]
    fn any_flipped_bit_makes_it_none() {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), 100);
        commit(dir.path()).unwrap();
        let good = std::fs::read(file(dir.path(), b"/root")).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            assert!(Cache::parse(bad, 4).is_none(), "byte {at}");
            assert!(Cache::parse(good[..at].to_vec(), 4).is_none());
        }
    }
}
