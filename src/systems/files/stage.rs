//! The first half of applying: everything that will be needed is made beside its place, under a name of our own. A full
//! disk is found here, when nothing has changed yet. A directory that is gone altogether is made whole under one such
//! name, so that it comes back by one rename.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::build::{Builder, LinkPlaces};
use super::clean::remove_staged;
use super::entry::{Entry, Meta};
use super::node::in_words;
use super::swap::Op;
use super::tree::decode_tree;
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectSource};
use crate::platform::fs::{link_beside, open_beneath, split_parent, stat_at};

/// Directories below a base, the last one kept open: work comes in runs per directory.
pub struct Dirs {
    base: OwnedFd,
    last: Option<(Vec<u8>, OwnedFd)>,
}

impl Dirs {
    /// Below `base`.
    pub fn below(base: OwnedFd) -> Dirs {
        Dirs { base, last: None }
    }

    /// The base itself.
    pub fn base(&self) -> BorrowedFd<'_> {
        self.base.as_fd()
    }

    /// The directory at `path`, resolved anew without following links.
    pub fn open(&mut self, path: &[u8]) -> io::Result<BorrowedFd<'_>> {
        let known = self.last.as_ref().is_some_and(|(p, _)| p == path);
        if !known {
            self.last = Some((path.to_vec(), open_beneath(self.base.as_fd(), path)?));
        }
        match &self.last {
            Some((_, fd)) => Ok(fd.as_fd()),
            None => Ok(self.base.as_fd()),
        }
    }

    /// Forgets the open directory: its path may lead elsewhere now.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

/// One thing that lies ready beside its place.
pub struct Staged {
    /// Which operation it belongs to.
    pub op: usize,
    /// The directory, below the base.
    pub dir: Vec<u8>,
    /// Its name there for now.
    pub temp: Vec<u8>,
}

/// The name under which something for `path` is staged. It is the same for the same undo, so that what an interrupted
/// run has left is found and cleared by the next.
pub fn temp_name(tag: &str, path: &[u8]) -> Vec<u8> {
    format!(".fr-{tag}-{}", &blake3::hash(path).to_hex()[..12]).into_bytes()
}

/// Stages all operations that create or replace; returns what lies ready. On an error everything staged is removed.
pub fn stage(ops: &[Op], dirs: &mut Dirs, builder: &mut Builder<'_>, tag: &str) -> Result<Vec<Staged>> {
    let mut staged = Vec::new();
    match stage_all(ops, dirs, builder, tag, &mut staged) {
        Ok(()) => Ok(staged),
        Err(e) => {
            unstage(&staged, dirs);
            Err(e)
        }
    }
}

/// Removes what was staged and is not in its place.
pub fn unstage(staged: &[Staged], dirs: &mut Dirs) {
    for item in staged {
        // What cannot be removed now is found again by its name.
        let _left_behind = dirs.open(&item.dir).and_then(|dir| remove_staged(dir, &item.temp));
    }
}

fn stage_all(
    ops: &[Op],
    dirs: &mut Dirs,
    builder: &mut Builder<'_>,
    tag: &str,
    staged: &mut Vec<Staged>,
) -> Result<()> {
    let mut full: Vec<(Vec<u8>, &Meta, &[u8])> = Vec::new();
    let mut tree: Option<(&[u8], Vec<u8>)> = None;
    for (index, op) in ops.iter().enumerate() {
        let Some(entry) = op.makes() else { continue };
        let inside = tree.as_ref().and_then(|(real, temp)| {
            let below = op.path.strip_prefix(*real).filter(|rest| rest.first() == Some(&b'/'))?;
            Some([temp.as_slice(), below].concat())
        });
        let at = match inside {
            Some(at) => at,
            None => {
                let temp = temp_name(tag, &op.path);
                let dir = split_parent(&op.path).0.to_vec();
                let at = if dir.is_empty() { temp.clone() } else { [&dir, &b"/"[..], &temp].concat() };
                let fd = open(dirs, &dir)?;
                remove_staged(fd, &temp).map_err(|e| Error::io("remove", shown(&at), &e))?;
                staged.push(Staged { op: index, dir, temp });
                tree = entry.is_dir().then(|| (op.path.as_slice(), at.clone()));
                at
            }
        };
        let (dir, name) = split_parent(&at);
        make(dirs, dir, name, entry, &op.path, builder)?;
        if entry.is_dir() {
            full.push((at, &entry.meta, &op.path));
        }
    }
    // A directory's time is set when its last name is in it.
    for (path, meta, named) in full.into_iter().rev() {
        let fd = open(dirs, &path)?;
        builder.finish_dir(fd, meta, named);
        if builder.sync_each {
            crate::platform::fs::sync_dir(fd).map_err(|e| Error::io("sync", shown(&path), &e))?;
        }
    }
    Ok(())
}

/// Makes one entry, as a further name of its inode where that was made or found already.
fn make(
    dirs: &mut Dirs,
    dir: &[u8],
    name: &[u8],
    entry: &Entry,
    path: &[u8],
    builder: &mut Builder<'_>,
) -> Result<()> {
    let group = entry.links.map(|links| (links.dev, links.ino));
    if let Some((from_dir, from)) = group.and_then(|group| builder.links.get(&group)) {
        let from_fd =
            open_beneath(dirs.base(), from_dir).map_err(|e| Error::io("open", shown(from_dir), &e))?;
        let to = open(dirs, dir)?;
        match link_beside(from_fd.as_fd(), from, to, name) {
            Ok(()) => return Ok(()),
            // Too many links, another file system: a copy, and said so.
            Err(e) => {
                let text = format!("the hard link of {} ({})", Bytes::from(path).lossy(), in_words(&e));
                builder.shortfalls.push(text);
            }
        }
    }
    builder.make(open(dirs, dir)?, name, entry, path)?;
    if let Some(group) = group {
        builder.links.insert(group, (dir.to_vec(), name.to_vec()));
    }
    Ok(())
}

fn open<'d>(dirs: &'d mut Dirs, path: &[u8]) -> Result<BorrowedFd<'d>> {
    dirs.open(path).map_err(|e| Error::io("open", shown(path), &e))
}

fn shown(path: &[u8]) -> std::path::PathBuf {
    Bytes::from(path).as_path().to_path_buf()
}

/// Names of hard-link groups that the command left alone: what is made again is linked to them, if they are still what
/// they were, or what an earlier run has made them again (`again`). Only asked when a group has more names than there are
/// operations for it.
pub fn find_link_mates(
    source: &dyn ObjectSource,
    before: Option<(&[u8], &Entry)>,
    ops: &[Op],
    dirs: &mut Dirs,
    again: bool,
) -> Result<LinkPlaces> {
    let mut members: HashMap<(u64, u64), (u64, u64)> = HashMap::new();
    let mut taken = HashSet::new();
    let mending: HashSet<&[u8]> = ops.iter().filter(|op| op.mends()).map(|op| op.path.as_slice()).collect();
    for op in ops {
        if let Some(links) = op.makes().and_then(|entry| entry.links) {
            members.entry((links.dev, links.ino)).or_insert((0, links.count)).0 += 1;
            taken.insert(op.path.as_slice());
        }
    }
    members.retain(|_, (here, count)| here < count);
    let mut found = HashMap::new();
    let mut stack: Vec<(Vec<u8>, Entry)> = Vec::new();
    if let (false, Some((name, entry))) = (members.is_empty(), before) {
        stack.push((name.to_vec(), entry.clone()));
    }
    while let Some((path, entry)) = stack.pop() {
        if let Some(tree) = entry.tree() {
            for named in decode_tree(&source.get(&tree)?)? {
                stack.push(([path.as_slice(), b"/", named.name.as_slice()].concat(), named.entry));
            }
            continue;
        }
        let Some(links) = entry.links else { continue };
        let group = (links.dev, links.ino);
        if !members.contains_key(&group) || taken.contains(path.as_slice()) {
            continue;
        }
        let (dir, name) = split_parent(&path);
        let Ok(fd) = dirs.open(dir) else { continue };
        if !again && !stat_at(fd, name).is_ok_and(|s| (s.dev, s.ino) == group) {
            continue;
        }
        let Some(now) = super::swap::read_like(fd, name, &entry)? else { continue };
        // Its metadata may differ if that is about to be set back.
        if now.same_but_time(&entry) || (now.kind == entry.kind && mending.contains(path.as_slice())) {
            found.insert(group, (dir.to_vec(), name.to_vec()));
        }
    }
    Ok(found)
}
