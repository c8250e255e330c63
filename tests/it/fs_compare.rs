//! An independent eye on file trees: walks with `std` and the plain system calls, shares no code with what it checks.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// All that can be seen of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub kind: &'static str,
    pub mode: u32,
    pub owner: (u32, u32),
    pub mtime_ns: i128,
    pub len: u64,
    pub hash: Option<String>,
    pub data_ranges: Vec<(u64, u64)>,
    pub target: Option<PathBuf>,
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The first path (in order) that is the same inode.
    pub same_as: Option<PathBuf>,
}

pub type Tree = BTreeMap<PathBuf, Seen>;

/// Everything at and below `root`, by path relative to it. An absent root is an empty tree.
pub fn tree(root: &Path) -> Tree {
    tree_but(root, &[])
}

/// The same without what is hidden.
pub fn tree_but(root: &Path, hidden: &[PathBuf]) -> Tree {
    let mut out = Tree::new();
    let mut inodes = HashMap::new();
    if root.symlink_metadata().is_ok() {
        visit(root, Path::new(""), hidden, &mut out, &mut inodes);
    }
    out
}

type Inodes = HashMap<(u64, u64), PathBuf>;

fn visit(at: &Path, relative: &Path, hidden: &[PathBuf], out: &mut Tree, inodes: &mut Inodes) {
    if hidden.iter().any(|path| path == at) {
        return;
    }
    let meta = at.symlink_metadata().unwrap();
    let mut same_as = None;
    if meta.nlink() > 1 && !meta.is_dir() {
        let first = inodes.entry((meta.dev(), meta.ino())).or_insert_with(|| relative.to_path_buf());
        same_as = Some(first.clone());
    }
    out.insert(relative.to_path_buf(), look(at, &meta, same_as));
    if meta.is_dir() {
        let mut names: Vec<_> = std::fs::read_dir(at).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        for name in names {
            visit(&at.join(&name), &relative.join(&name), hidden, out, inodes);
        }
    }
}

fn look(at: &Path, meta: &Metadata, same_as: Option<PathBuf>) -> Seen {
    let kind = match meta.file_type() {
        t if t.is_file() => "file",
        t if t.is_dir() => "dir",
        t if t.is_symlink() => "symlink",
        t if t.is_fifo() => "fifo",
        t if t.is_socket() => "socket",
        _ => "device",
    };
    let ranges = if meta.is_file() { data_ranges(at, meta.len()) } else { Vec::new() };
    Seen {
        kind,
        mode: meta.mode() & 0o7777,
        owner: (meta.uid(), meta.gid()),
        mtime_ns: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
        len: if meta.is_file() { meta.len() } else { 0 },
        hash: meta.is_file().then(|| hash(at, &ranges)),
        data_ranges: ranges,
        target: meta.is_symlink().then(|| std::fs::read_link(at).unwrap()),
        xattrs: if meta.is_symlink() { BTreeMap::new() } else { xattrs(at) },
        same_as,
    }
}

/// The content but for its holes, which are compared as ranges.
fn hash(at: &Path, ranges: &[(u64, u64)]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut file = File::open(at).unwrap();
    for (start, end) in ranges {
        file.seek(SeekFrom::Start(*start)).unwrap();
        std::io::copy(&mut (&mut file).take(end - start), &mut hasher).unwrap();
    }
    hasher.finalize().to_hex().to_string()
}

fn data_ranges(at: &Path, len: u64) -> Vec<(u64, u64)> {
    let mut file = File::open(at).unwrap();
    let mut ranges = Vec::new();
    let mut pos = 0;
    while pos < len {
        let Ok(start) = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(pos)) else { break };
        let end = rustix::fs::seek(&file, rustix::fs::SeekFrom::Hole(start)).unwrap();
        ranges.push((start, end));
        pos = end;
    }
    file.rewind().unwrap();
    if ranges == [(0, len)] { ranges } else { filled(&file, &ranges) }
}

/// What of them is more than zeros, by pages: how much a file system sets aside around data is its own affair (git writes a
/// sparse file anew in other pieces, and reading alone makes data of what ext4 had set aside).
fn filled(file: &File, ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut out: Vec<(u64, u64)> = Vec::new();
    let mut page = [0u8; 4096];
    for at in ranges.iter().flat_map(|(start, end)| (start - start % 4096..*end).step_by(4096)) {
        let read = file.read_at(&mut page, at).unwrap();
        let end = at + read as u64;
        match out.last_mut() {
            _ if page[..read].iter().all(|byte| *byte == 0) => {}
            Some((_, last)) if *last == at => *last = end,
            _ => out.push((at, end)),
        }
    }
    out
}

fn xattrs(at: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut names = vec![0u8; 1 << 16];
    let len = rustix::fs::llistxattr(at, &mut names[..]).unwrap_or(0);
    let mut found = BTreeMap::new();
    for name in names[..len].split(|b| *b == 0).filter(|n| !n.is_empty()) {
        let mut value = vec![0u8; 1 << 16];
        let len = rustix::fs::lgetxattr(at, name, &mut value[..]).unwrap();
        found.insert(name.to_vec(), value[..len].to_vec());
    }
    found
}

/// A readable list of all in which the trees differ.
pub fn differences(before: &Tree, after: &Tree) -> Vec<String> {
    let mut differences = Vec::new();
    for path in before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>() {
        let shown = path.as_os_str().as_bytes().escape_ascii();
        match (before.get(path), after.get(path)) {
            (Some(b), Some(a)) if b == a => {}
            (Some(b), Some(a)) => differences.push(format!("{shown}:\n  was {b:?}\n  is  {a:?}")),
            (Some(_), None) => differences.push(format!("{shown}: gone")),
            (None, _) => differences.push(format!("{shown}: new")),
        }
    }
    differences
}

/// Panics where the trees differ in anything.
#[track_caller]
pub fn assert_same(before: &Tree, after: &Tree) {
    let differences = differences(before, after);
    assert!(differences.is_empty(), "{} paths differ:\n{}", differences.len(), differences.join("\n"));
}
