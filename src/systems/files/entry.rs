//! What a path is: the value that trees hold, that states are compared by, and that restore writes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::{Bytes, ObjectId};
use crate::platform::fs::{FileKind, Stat};

/// One path: what it is, and its metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Type and content.
    pub kind: Kind,
    /// Mode, owner, time, attributes.
    pub meta: Meta,
    /// For a file with more than one name: which inode, so that names of one file can be told. Not part of equality.
    pub links: Option<Links>,
}

/// Type and content of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A regular file.
    File {
        /// Its bytes.
        content: Content,
    },
    /// A directory.
    Dir {
        /// Its tree object; `None` where only the directory itself was asked for.
        tree: Option<ObjectId>,
        /// Equality of all that is below, without times (`normal_form`).
        digest: ObjectId,
    },
    /// A symbolic link.
    Symlink {
        /// Where it points, as written.
        target: Bytes,
    },
    /// A FIFO.
    Fifo,
    /// A socket: noted, never restored.
    Socket,
    /// A device node: noted, never restored.
    Device {
        /// A block device, else a character device.
        block: bool,
        /// Which device.
        rdev: u64,
    },
    /// It was there and was not read. What it holds is not known.
    Skipped {
        /// Why, for people.
        why: String,
    },
}

/// A file's bytes. The same bytes with the same holes always give the same value.
#[derive(Clone, Debug, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Not looked at: only metadata was asked for.
    Unread,
    /// One blob.
    Whole {
        /// The blob.
        id: ObjectId,
        /// Bytes.
        len: u64,
    },
    /// A list of blobs, for more than [`WHOLE_MAX`] bytes.
    Chunked {
        /// The list object.
        list: ObjectId,
        /// Bytes.
        len: u64,
    },
    /// A file with holes.
    Sparse {
        /// Bytes, holes included.
        len: u64,
        /// Where it has data, in order.
        extents: Vec<Extent>,
    },
    /// git's index. Whoever looks at a repository may write it anew with other stat data, so what it says makes it equal.
    GitIndex {
        /// The blob, or the list object.
        id: ObjectId,
        /// `id` is a list of blobs.
        chunked: bool,
        /// Bytes.
        len: u64,
        /// Its entries, without stat data (`git_index::Index::digest`).
        says: ObjectId,
    },
}

impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        use Content::{Chunked, GitIndex, Sparse, Unread, Whole};
        match (self, other) {
            (Unread, Unread) => true,
            (Whole { id: a, len: m }, Whole { id: b, len: n })
            | (Chunked { list: a, len: m }, Chunked { list: b, len: n }) => (a, m) == (b, n),
            (Sparse { len: m, extents: a }, Sparse { len: n, extents: b }) => (m, a) == (n, b),
            (GitIndex { says: a, .. }, GitIndex { says: b, .. }) => a == b,
            // What was captured before meanings were.
            (GitIndex { .. }, Whole { .. } | Chunked { .. }) => *self.stored() == *other,
            (Whole { .. } | Chunked { .. }, GitIndex { .. }) => *self == *other.stored(),
            _ => false,
        }
    }
}

/// A range of a sparse file that has data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Where it begins.
    pub offset: u64,
    /// The data; never sparse itself.
    pub content: Content,
}

/// Larger contents are cut into chunks.
pub const WHOLE_MAX: u64 = 4 << 20;

impl Content {
    /// Size in bytes; 0 where it was not looked at.
    pub fn len(&self) -> u64 {
        match self {
            Content::Unread => 0,
            Content::Whole { len, .. }
            | Content::Chunked { len, .. }
            | Content::Sparse { len, .. }
            | Content::GitIndex { len, .. } => *len,
        }
    }

    /// How its bytes are kept, whatever they mean.
    pub fn stored(&self) -> Cow<'_, Content> {
        match *self {
            Content::GitIndex { id, chunked: false, len, .. } => Cow::Owned(Content::Whole { id, len }),
            Content::GitIndex { id: list, chunked: true, len, .. } => {
                Cow::Owned(Content::Chunked { list, len })
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// True for a file of no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Metadata of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Permission bits with setuid, setgid, sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last modification, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Extended attributes, POSIX ACLs among them, sorted by name.
    pub xattrs: Vec<(Bytes, Bytes)>,
}

/// The inode of a file that has several names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Links {
    /// Device.
    pub dev: u64,
    /// Inode.
    pub ino: u64,
    /// How many names it had.
    pub count: u64,
}

impl Meta {
    /// From what `stat` said; attributes are read apart.
    pub fn of(stat: &Stat, xattrs: Vec<(Bytes, Bytes)>) -> Meta {
        Meta { mode: stat.permissions(), uid: stat.uid, gid: stat.gid, mtime_ns: stat.mtime_ns, xattrs }
    }

    /// Equal but for the time.
    pub fn same_but_time(&self, other: &Meta) -> bool {
        (self.mode, self.uid, self.gid) == (other.mode, other.uid, other.gid) && self.xattrs == other.xattrs
    }
}

impl Entry {
    /// Something that is there and was not read.
    pub fn skipped(why: impl Into<String>) -> Entry {
        Entry { kind: Kind::Skipped { why: why.into() }, meta: Meta::default(), links: None }
    }

    /// It is a directory.
    pub fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Dir { .. })
    }

    /// Why it was not read, where it was not.
    pub fn why_skipped(&self) -> Option<&str> {
        match &self.kind {
            Kind::Skipped { why } => Some(why),
            _ => None,
        }
    }

    /// How the bytes of a file are kept.
    pub fn stored(&self) -> Option<Content> {
        match &self.kind {
            Kind::File { content } => Some(content.stored().into_owned()),
            _ => None,
        }
    }

    /// The tree of a directory that was walked.
    pub fn tree(&self) -> Option<ObjectId> {
        match &self.kind {
            Kind::Dir { tree, .. } => *tree,
            _ => None,
        }
    }

    /// A directory whose names could not be read: what is in it is not known.
    pub fn is_unreadable_dir(&self) -> bool {
        matches!(self.kind, Kind::Dir { tree: None, digest } if digest == super::tree::digest_unreadable())
    }

    /// Equal in everything that counts: type, content, mode, owner, attributes. Times and inodes do not.
    pub fn same_but_time(&self, other: &Entry) -> bool {
        if !self.meta.same_but_time(&other.meta) {
            return false;
        }
        match (&self.kind, &other.kind) {
            (Kind::Dir { digest: a, .. }, Kind::Dir { digest: b, .. }) => a == b,
            (a, b) => a == b,
        }
    }

    /// Equal to the last bit that restore can set: times too.
    pub fn same_exactly(&self, other: &Entry) -> bool {
        self == other
    }

    /// Feeds what counts for equality to `hasher`: the type, the content's identity, mode, owner, attributes.
    /// Left out: times, inode numbers, the number of names, and why something was skipped.
    pub fn normal_form(&self, hasher: &mut blake3::Hasher) {
        let tag = |hasher: &mut blake3::Hasher, tag: u8| {
            hasher.update(&[tag]);
        };
        match &self.kind {
            Kind::File { content } => {
                tag(hasher, b'f');
                hash_content(content, hasher);
            }
            Kind::Dir { digest, .. } => {
                tag(hasher, b'd');
                hasher.update(&digest.0);
            }
            Kind::Symlink { target } => {
                tag(hasher, b'l');
                hash_bytes(target.as_slice(), hasher);
            }
            Kind::Fifo => tag(hasher, b'p'),
            Kind::Socket => tag(hasher, b's'),
            Kind::Device { block, rdev } => {
                tag(hasher, if *block { b'b' } else { b'c' });
                hasher.update(&rdev.to_le_bytes());
            }
            Kind::Skipped { .. } => return tag(hasher, b'?'),
        }
        for number in [self.meta.mode, self.meta.uid, self.meta.gid] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(&(self.meta.xattrs.len() as u64).to_le_bytes());
        for (name, value) in &self.meta.xattrs {
            hash_bytes(name.as_slice(), hasher);
            hash_bytes(value.as_slice(), hasher);
        }
    }
}

fn hash_bytes(bytes: &[u8], hasher: &mut blake3::Hasher) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

fn hash_content(content: &Content, hasher: &mut blake3::Hasher) {
    match content {
        Content::Unread => {
            hasher.update(b"u");
        }
        Content::Whole { id, len } => {
            hasher.update(b"w").update(&id.0).update(&len.to_le_bytes());
        }
        Content::Chunked { list, len } => {
            hasher.update(b"c").update(&list.0).update(&len.to_le_bytes());
        }
        Content::Sparse { len, extents } => {
            hasher.update(b"s").update(&len.to_le_bytes()).update(&(extents.len() as u64).to_le_bytes());
            for extent in extents {
                hasher.update(&extent.offset.to_le_bytes());
                hash_content(&extent.content, hasher);
            }
        }
        Content::GitIndex { says, .. } => {
            hasher.update(b"i").update(&says.0);
        }
    }
}

/// The kind of what is not a regular file, directory or link.
pub fn special(kind: FileKind, rdev: u64) -> Kind {
    match kind {
        FileKind::Fifo => Kind::Fifo,
        FileKind::Socket => Kind::Socket,
        FileKind::CharDevice => Kind::Device { block: false, rdev },
        FileKind::BlockDevice => Kind::Device { block: true, rdev },
        FileKind::File | FileKind::Dir | FileKind::Symlink | FileKind::Unknown => {
            Kind::Skipped { why: "a type of file that is not known".to_owned() }
        }
    }
}
