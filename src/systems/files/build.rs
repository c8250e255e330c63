//! Makes what an entry describes, under a name that nobody else uses yet, in a directory that is held open.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt as _;

use super::content::filled;
use super::entry::{Content, Entry, Kind, Meta};
use super::node::in_words;
use super::plan::OWNER;
use super::tree::decode_chunks;
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectId, ObjectSource};
use crate::platform::fs::{
    FileKind, create_new, get_xattrs, make_dir, make_fifo, make_symlink, open_path, remove_xattr, set_mode,
    set_mtime, set_mtime_at, set_owner, set_owner_at, set_xattr, stat_at, stat_fd,
};

/// Setuid and setgid.
const SET_ID: u32 = 0o6000;

/// Where a name of an inode (device, number) is: directory and name, below a base.
pub type LinkPlaces = HashMap<(u64, u64), (Vec<u8>, Vec<u8>)>;

/// Makes files, links, FIFOs and directories, and sets metadata.
pub struct Builder<'a> {
    source: &'a dyn ObjectSource,
    /// Files are made durable one by one; else the caller syncs the file system.
    pub sync_each: bool,
    /// What could not be set, for people.
    pub shortfalls: Vec<String>,
    /// Inodes that were made for a group of hard links: directory and name, below the caller's base.
    pub links: LinkPlaces,
}

impl<'a> Builder<'a> {
    /// A builder that reads contents from `source`.
    pub fn new(source: &'a dyn ObjectSource, sync_each: bool) -> Builder<'a> {
        Builder { source, sync_each, shortfalls: Vec::new(), links: HashMap::new() }
    }

    /// Makes `entry` as `name` in `dir`, with all its metadata; a directory is made empty and open to us only, its
    /// metadata comes when it is full ([`Builder::finish_dir`]). `shown` names it in errors.
    pub fn make(&mut self, dir: BorrowedFd<'_>, name: &[u8], entry: &Entry, shown: &[u8]) -> Result<()> {
        let failed = |e: std::io::Error| Error::io("write", Bytes::from(shown).as_path(), &e);
        match &entry.kind {
            Kind::File { content } => {
                let file = create_new(dir, name).map_err(failed)?;
                self.write(&file, content, shown)?;
                self.metadata(file.as_fd(), &entry.meta, shown);
                if self.sync_each {
                    file.sync_all().map_err(failed)?;
                }
            }
            Kind::Dir { .. } => make_dir(dir, name).map_err(failed)?,
            Kind::Symlink { target } => {
                make_symlink(dir, name, target.as_slice()).map_err(failed)?;
                self.link_metadata(dir, name, &entry.meta, shown);
            }
            Kind::Fifo => {
                let fifo = make_fifo(dir, name).map_err(failed)?;
                self.metadata(fifo.as_fd(), &entry.meta, shown);
            }
            Kind::Socket | Kind::Device { .. } | Kind::Skipped { .. } => {
                return Err(Error::failure(format!("{} cannot be made again", Bytes::from(shown).lossy())));
            }
        }
        Ok(())
    }

    /// Sets the metadata of a directory that is full.
    pub fn finish_dir(&mut self, dir: BorrowedFd<'_>, meta: &Meta, shown: &[u8]) {
        self.metadata(dir, meta, shown);
    }

    fn write(&self, file: &File, content: &Content, shown: &[u8]) -> Result<()> {
        let failed = |e: std::io::Error| Error::io("write", Bytes::from(shown).as_path(), &e);
        match &*content.stored() {
            Content::Unread => {
                Err(Error::failure(format!("the content of {} was not captured", Bytes::from(shown).lossy())))
            }
            Content::Sparse { len, extents } => {
                file.set_len(*len).map_err(failed)?;
                for extent in extents {
                    if matches!(extent.content, Content::Sparse { .. }) {
                        return Err(Error::corrupt("a sparse content within a sparse content"));
                    }
                    self.blobs(&extent.content, |at, bytes| {
                        let at = extent.offset.saturating_add(at);
                        let parts = filled(bytes, at).into_iter();
                        parts.filter_map(|(begin, end)| Some((begin, bytes.get(begin..end)?))).try_for_each(
                            |(begin, part)| file.write_all_at(part, at + begin as u64).map_err(failed),
                        )
                    })?;
                }
                Ok(())
            }
            plain => {
                let mut out = file;
                self.blobs(plain, |_, bytes| out.write_all(bytes).map_err(failed))
            }
        }
    }

    /// Hands out the blobs of a content in order, each with its offset; checks the lengths that were recorded.
    fn blobs(&self, content: &Content, mut each: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        let expect = |id: &ObjectId, len: u64| -> Result<Vec<u8>> {
            let bytes = self.source.get(id)?;
            if bytes.len() as u64 == len {
                Ok(bytes)
            } else {
                Err(Error::corrupt(format!("object {id:?} has another length than its file says")))
            }
        };
        match content {
            Content::Whole { id, len } => each(0, &expect(id, *len)?),
            Content::Chunked { list, len } => {
                let mut at = 0;
                for (id, chunk) in decode_chunks(&self.source.get(list)?)? {
                    each(at, &expect(&id, u64::from(chunk))?)?;
                    at += u64::from(chunk);
                }
                if at == *len { Ok(()) } else { Err(Error::corrupt("the chunks of a file do not add up")) }
            }
            Content::Unread | Content::Sparse { .. } | Content::GitIndex { .. } => Ok(()),
        }
    }

    /// Owner, attributes, mode, time: in this order, because each clears or needs what comes after it (chown(2) clears
    /// setuid, an ACL sets the group bits, attributes need the write permission that the final mode may take away).
    fn metadata(&mut self, fd: BorrowedFd<'_>, meta: &Meta, shown: &[u8]) {
        let Ok(stat) = stat_fd(fd) else { return self.fall_short("its metadata", shown) };
        let mut mode = meta.mode;
        if (stat.uid, stat.gid) != (meta.uid, meta.gid) && set_owner(fd, meta.uid, meta.gid).is_err() {
            // Perhaps the group alone is ours to give.
            let _group_may_fail_too = set_owner(fd, stat.uid, meta.gid);
            self.fall_short(OWNER, shown);
            // A setuid bit under another owner would be a new power, not an old state.
            mode &= !SET_ID;
        }
        self.attributes(fd, meta, shown);
        // Compared before the bits are set: root and FIFOs included, a needless chmod changes the ctime.
        if stat_fd(fd).is_ok_and(|s| s.permissions() != mode) && set_mode(fd, mode).is_err() {
            self.fall_short("the mode", shown);
        }
        if set_mtime(fd, meta.mtime_ns).is_err() {
            self.fall_short("the modification time", shown);
        }
    }

    fn attributes(&mut self, fd: BorrowedFd<'_>, meta: &Meta, shown: &[u8]) {
        let present = get_xattrs(fd).unwrap_or_default();
        let wanted = |name: &[u8]| meta.xattrs.iter().any(|(n, _)| n.as_slice() == name);
        for (name, _) in present.iter().filter(|(n, _)| !super::node::is_policy(n) && !wanted(n)) {
            if remove_xattr(fd, name).is_err() {
                self.fall_short(&format!("the attribute {}", name.escape_ascii()), shown);
            }
        }
        for (name, value) in &meta.xattrs {
            let same = present.iter().any(|(n, v)| *n == name.0 && *v == value.0);
            if !same && let Err(e) = set_xattr(fd, name.as_slice(), value.as_slice()) {
                self.fall_short(&format!("the attribute {} ({})", name.lossy(), in_words(&e)), shown);
            }
        }
    }

    fn link_metadata(&mut self, dir: BorrowedFd<'_>, name: &[u8], meta: &Meta, shown: &[u8]) {
        let Ok(stat) = stat_at(dir, name) else { return self.fall_short("its metadata", shown) };
        if (stat.uid, stat.gid) != (meta.uid, meta.gid)
            && set_owner_at(dir, name, meta.uid, meta.gid).is_err()
        {
            self.fall_short(OWNER, shown);
        }
        if set_mtime_at(dir, name, meta.mtime_ns).is_err() {
            self.fall_short("the modification time", shown);
        }
    }

    /// Sets the metadata of something that stays where it is.
    pub fn set_in_place(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &[u8],
        entry: &Entry,
        shown: &[u8],
    ) -> Result<()> {
        let failed = |e: std::io::Error| Error::io("open", Bytes::from(shown).as_path(), &e);
        let fd = open_path(dir, name).map_err(failed)?;
        let stat = stat_fd(&fd).map_err(failed)?;
        match (&entry.kind, stat.kind()) {
            (Kind::Symlink { .. }, FileKind::Symlink) => self.link_metadata(dir, name, &entry.meta, shown),
            // Swapped for a link since it was looked at: not to be followed, and nothing to set.
            (_, FileKind::Symlink) | (Kind::Symlink { .. }, _) => {
                return Err(Error::failure(format!("{} became something else", Bytes::from(shown).lossy())));
            }
            _ => self.metadata(fd.as_fd(), &entry.meta, shown),
        }
        Ok(())
    }

    fn fall_short(&mut self, what: &str, shown: &[u8]) {
        self.shortfalls.push(format!("{what} of {}", Bytes::from(shown).lossy()));
    }
}
