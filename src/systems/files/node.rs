//! Reads one path into an entry. Directories come without what is below them: that is the walk's work.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::content::{Keep, Trouble, take};
use super::entry::{Content, Entry, Kind, Links, Meta, special};
use super::tree::digest_unlisted;
use crate::error::Result;
use crate::model::Bytes;
use crate::platform::fs::{FileKind, Stat, get_xattrs, open_file, open_path, read_link, stat_at, stat_fd};

/// How often a file that changes under our eyes is read again.
const TRIES: u32 = 3;

/// What is read of a path.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Where contents go.
    pub keep: Keep<'a>,
    /// False: only type, mode, owner, attributes.
    pub contents: bool,
}

/// What was read.
pub struct Node {
    /// The entry; `Skipped` where it could not be read.
    pub entry: Entry,
    /// Something about it that a person should know although it was read.
    pub remark: Option<String>,
}

impl Node {
    fn plain(entry: Entry) -> Node {
        Node { entry, remark: None }
    }
}

/// Reads `name` in `dir`, whose `lstat` is `stat`. Only a failing store is an error: a path that cannot be read is an
/// entry that says so.
pub fn read_node(
    dir: BorrowedFd<'_>,
    name: &[u8],
    stat: &Stat,
    reading: Reading<'_>,
    buffer: &mut Vec<u8>,
) -> Result<Node> {
    let node = match stat.kind() {
        FileKind::File if reading.contents => read_file(dir, name, reading.keep, buffer),
        FileKind::File => metadata_only(dir, name, Kind::File { content: Content::Unread }),
        FileKind::Dir => metadata_only(dir, name, Kind::Dir { tree: None, digest: digest_unlisted() }),
        FileKind::Symlink => read_link(dir, name).map_err(Trouble::Read).map(|target| {
            let kind = Kind::Symlink { target: target.into() };
            Node::plain(Entry { kind, meta: Meta::of(stat, Vec::new()), links: links_of(stat) })
        }),
        kind => metadata_only(dir, name, special(kind, stat.rdev)),
    };
    match node {
        Ok(node) => Ok(node),
        Err(Trouble::Store(e)) => Err(e),
        Err(Trouble::Read(e)) => Ok(Node::plain(Entry::skipped(in_words(&e)))),
    }
}

/// The metadata of a directory in hand.
pub fn dir_meta(dir: BorrowedFd<'_>, stat: &Stat) -> Meta {
    Meta::of(stat, xattrs(dir))
}

fn metadata_only(dir: BorrowedFd<'_>, name: &[u8], kind: Kind) -> Result<Node, Trouble> {
    let fd = open_path(dir, name)?;
    let stat = stat_fd(&fd)?;
    Ok(Node::plain(Entry { kind, meta: Meta::of(&stat, xattrs(fd.as_fd())), links: links_of(&stat) }))
}

fn read_file(
    dir: BorrowedFd<'_>,
    name: &[u8],
    keep: Keep<'_>,
    buffer: &mut Vec<u8>,
) -> Result<Node, Trouble> {
    let mut tries = 0;
    loop {
        tries += 1;
        let file = open_file(dir, name)?;
        let stat = stat_fd(&file)?;
        if stat.kind() != FileKind::File {
            return Err(Trouble::Read(io::Error::other("it became something else while it was read")));
        }
        let content = take(&file, stat.size, stat.blocks, keep, buffer)?;
        let after = stat_fd(&file)?;
        let calm = stat.same_version(&after) && (content.len() == stat.size || stat.size == 0);
        if calm || tries == TRIES {
            let meta = Meta::of(&after, xattrs(file.as_fd()));
            let remark = (!calm).then(|| "it was being written while it was read".to_owned());
            return Ok(Node {
                entry: Entry { kind: Kind::File { content }, meta, links: links_of(&after) },
                remark,
            });
        }
    }
}

/// Attributes that belong to the machine's policy rather than to the file, and that the kernel sets by itself.
pub fn is_policy(name: &[u8]) -> bool {
    matches!(name, b"security.selinux" | b"security.ima" | b"security.evm" | b"security.apparmor")
        || name.starts_with(b"security.SMACK64")
}

fn xattrs(fd: BorrowedFd<'_>) -> Vec<(Bytes, Bytes)> {
    // Attributes that cannot be listed (an odd file system) are as good as none.
    let all = get_xattrs(fd).unwrap_or_default();
    all.into_iter().filter(|(n, _)| !is_policy(n)).map(|(n, v)| (Bytes(n), Bytes(v))).collect()
}

/// Only a file with several names needs its inode remembered; every directory has several and none of that kind.
fn links_of(stat: &Stat) -> Option<Links> {
    let several = stat.nlink > 1 && stat.kind() != FileKind::Dir;
    several.then_some(Links { dev: stat.dev, ino: stat.ino, count: stat.nlink })
}

/// An error for people, without the number that Rust appends.
pub fn in_words(e: &io::Error) -> String {
    let text = e.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => "unknown error".to_owned(),
    }
}

/// Reads `name` in `dir` as it is now; `None` where nothing is there.
pub fn read_now(
    dir: BorrowedFd<'_>,
    name: &[u8],
    reading: Reading<'_>,
    buffer: &mut Vec<u8>,
) -> Result<Option<Entry>> {
    match stat_at(dir, name) {
        Ok(stat) => Ok(Some(read_node(dir, name, &stat, reading, buffer)?.entry)),
        Err(e) if is_absent(&e) => Ok(None),
        Err(e) => Ok(Some(Entry::skipped(in_words(&e)))),
    }
}

/// Nothing is there: `ENOENT`, or something above it is no directory.
pub fn is_absent(e: &io::Error) -> bool {
    matches!(e.raw_os_error(), Some(code) if code == NOENT || code == NOTDIR)
}

/// A symbolic link is where a directory was expected.
pub fn is_link(e: &io::Error) -> bool {
    e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

const NOENT: i32 = rustix::io::Errno::NOENT.raw_os_error();
const NOTDIR: i32 = rustix::io::Errno::NOTDIR.raw_os_error();
