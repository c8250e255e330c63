//! From a locator to a place: which path, how much of it, and free of symbolic links from here on.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::node::{in_words, is_absent, is_link};
use super::tree::Parent;
use crate::error::{Error, Result};
use crate::model::{Bytes, Locator};
use crate::platform::fs::{is_name, open_absolute, open_beneath, split_parent, stat_fd};

/// How much of a path a capture covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The path and all below it.
    Tree,
    /// The same without the repository at its top, which the git system captures beside it.
    Around,
    /// The path alone: a directory without its names.
    Node,
    /// Mode, owner and attributes of the path alone.
    Meta,
    /// Mode, owner and attributes of the path and all below it.
    MetaTree,
    /// A working tree: all below it, but for what git can leave out.
    Workspace,
}

impl Scope {
    /// The word in `locator.opts["scope"]`.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Tree => "tree",
            Scope::Around => "around",
            Scope::Node => "node",
            Scope::Meta => "meta",
            Scope::MetaTree => "meta-tree",
            Scope::Workspace => "workspace",
        }
    }

    /// From a locator; what is not said is the whole tree, which never misses anything.
    pub fn of(locator: &Locator) -> Scope {
        match locator.opts.get("scope").and_then(Bytes::as_str) {
            Some("node") => Scope::Node,
            Some("meta") => Scope::Meta,
            Some("meta-tree") => Scope::MetaTree,
            Some("around") => Scope::Around,
            Some("workspace") => Scope::Workspace,
            _ => Scope::Tree,
        }
    }

    /// Contents are read.
    pub fn contents(self) -> bool {
        !matches!(self, Scope::Meta | Scope::MetaTree)
    }

    /// What is below is walked.
    pub fn recursive(self) -> bool {
        matches!(self, Scope::Tree | Scope::Around | Scope::MetaTree | Scope::Workspace)
    }
}

/// The directory that a path is in, as found.
pub enum Above {
    /// It is there.
    Open(OwnedFd),
    /// It, or something above it, is not there.
    Absent,
    /// It cannot be entered: no permission, for one.
    Blocked(String),
    /// A symbolic link is on the way: what lies behind it is another path.
    BehindLink(String),
}

/// A place in the file system.
pub struct Place {
    /// The absolute path, without `.`, `..`, doubled slashes and symbolic links above its last component.
    pub path: Vec<u8>,
    /// The existing directories above it, topmost first, without `/`.
    pub parents: Vec<Parent>,
    /// The directory it is in.
    pub above: Above,
}

impl Place {
    /// The last component; empty for `/` itself.
    pub fn name(&self) -> &[u8] {
        split_parent(&self.path).1
    }
}

/// Resolves links above the last component once, at capture time. Later calls use [`exact`] on the result, so that a
/// link planted since then is found instead of followed.
pub fn resolve(at: &Bytes) -> Result<Place> {
    let path = lexical(at)?;
    if split_parent(&path).1 != b".." {
        // Most paths hold no link at all, and then one call has shown it.
        let place = exact(&path)?;
        if matches!(place.above, Above::Open(_)) {
            return Ok(place);
        }
    }
    exact(&through_links(at, path)?)
}

/// The place at a path that must be free of links above its last component.
pub fn exact(path: &[u8]) -> Result<Place> {
    let dir = split_parent(path).0;
    let mut parents = Vec::new();
    let mut above = Above::Absent;
    match open_absolute(if dir.is_empty() { b"/" } else { dir }) {
        Ok(fd) => above = Above::Open(fd),
        Err(e) if is_absent(&e) => {}
        Err(e) if is_link(&e) => above = Above::BehindLink(in_words(&e)),
        Err(e) => above = Above::Blocked(in_words(&e)),
    }
    let mut at = open_absolute(b"/").map_err(|e| Error::io("open", "/", &e))?;
    for name in dir.split(|b| *b == b'/').filter(|n| !n.is_empty()) {
        let Ok(next) = open_beneath(at.as_fd(), name) else { break };
        let Ok(stat) = stat_fd(&next) else { break };
        let mode = stat.permissions();
        parents.push(Parent { mode, uid: stat.uid, gid: stat.gid, mtime_ns: stat.mtime_ns });
        at = next;
    }
    Ok(Place { path: path.to_vec(), parents, above })
}

/// `at` without `.`, doubled and trailing slashes. `..` is kept for the kernel: behind a link it is not lexical.
fn lexical(at: &Bytes) -> Result<Vec<u8>> {
    if at.0.first() != Some(&b'/') || at.0.contains(&0) {
        return Err(Error::failure(format!("{at:?} is not an absolute path")));
    }
    let mut path = Vec::with_capacity(at.0.len());
    for name in at.0.split(|b| *b == b'/').filter(|n| !n.is_empty() && *n != b".") {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    if path.is_empty() {
        path.push(b'/');
    }
    Ok(path)
}

/// The path with the links above its last component resolved as far as its directories exist.
fn through_links(at: &Bytes, path: Vec<u8>) -> Result<Vec<u8>> {
    let (mut dir, last) = split_parent(&path);
    let mut rest: Vec<&[u8]> = vec![last];
    loop {
        let existing: &[u8] = if dir.is_empty() { b"/" } else { dir };
        if let Ok(real) = std::fs::canonicalize(Path::new(OsStr::from_bytes(existing))) {
            let mut out = real.into_os_string().into_vec();
            for name in rest.iter().rev() {
                match *name {
                    b".." => out.truncate(split_parent(&out).0.len().max(1)),
                    name if is_name(name) => {
                        if out.last() != Some(&b'/') {
                            out.push(b'/');
                        }
                        out.extend_from_slice(name);
                    }
                    _ => return Err(Error::failure(format!("{at:?} cannot be a path: a name is too long"))),
                }
            }
            return Ok(out);
        }
        if dir.is_empty() {
            return Ok(path.clone());
        }
        let (up, name) = split_parent(dir);
        rest.push(name);
        dir = up;
    }
}
