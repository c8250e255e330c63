//! Files below a git directory, reached without following any symbolic link: a repository made by somebody else must
//! not be able to lead a read or a write out of itself (security.md 3, R2). The directory's own path may be a link.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, unlinkat};
use rustix::io::Errno;

use super::lock::{Lock, has_own};
use crate::error::{Error, Result};
use crate::model::Bytes;

/// The largest file that is read whole. Far above any real index or reflog.
pub const FILE_CAP: u64 = 1 << 30;

const DIR_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A regular file's content and what of its metadata is kept.
#[derive(Clone, Debug)]
pub struct Content {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    /// Modification time: seconds since 1970, and nanoseconds.
    pub mtime: (i64, i64),
}

/// An open git directory.
pub struct Root {
    fd: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens a directory; its own path may contain symbolic links.
    pub fn open(path: &Path) -> Result<Root> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd =
            rustix::fs::open(path, flags, Mode::empty()).map_err(|e| Error::io("open", path, &e.into()))?;
        Ok(Root { fd, path: path.to_path_buf() })
    }

    /// The absolute path of a name below the directory, for messages.
    pub fn path_of(&self, name: &[u8]) -> PathBuf {
        Bytes::from(self.path.as_path()).join(name).as_path().to_path_buf()
    }

    /// The content of a regular file; `None` where it does not exist or is a directory. Anything else at that name is an error.
    pub fn read(&self, name: &[u8]) -> Result<Option<Content>> {
        let fail = |e: Errno| Error::io("read", self.path_of(name), &e.into());
        let Some((parent, last)) = self.parent(name, false)? else { return Ok(None) };
        // O_NONBLOCK: a FIFO planted under this name must not make the recorder wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd = match openat(&parent, last, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(e) => return Err(fail(e)),
        };
        let stat = fstat(&fd).map_err(fail)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Directory {
            return Ok(None); // `refs/heads/a` beside `refs/heads/a/b`
        }
        if kind != FileType::RegularFile {
            return Err(Error::failure(format!("{} is not a regular file", self.path_of(name).display())));
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if size > FILE_CAP {
            return Err(Error::failure(format!("{} is over 1 GiB", self.path_of(name).display())));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        let read = File::from(fd).take(FILE_CAP).read_to_end(&mut bytes);
        read.map_err(|e| Error::io("read", self.path_of(name), &e))?;
        let mtime = (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or(0));
        Ok(Some(Content { bytes, mode: stat.st_mode & 0o7777, mtime }))
    }

    /// The names of all regular files below `name`, sorted, each with `name/` before it. Symbolic links and special
    /// files go to `odd`.
    pub fn files_below(&self, name: &[u8], odd: &mut Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
        let mut found = Vec::new();
        if let Some(dir) = self.open_dir(name, false)? {
            self.collect(dir, name, 0, &mut found, odd)?;
        }
        found.sort();
        Ok(found)
    }

    fn collect(
        &self,
        dir: OwnedFd,
        at: &[u8],
        depth: usize,
        found: &mut Vec<Vec<u8>>,
        odd: &mut Vec<Vec<u8>>,
    ) -> Result<()> {
        let fail = |e: Errno| Error::io("list", self.path_of(at), &e.into());
        for entry in Dir::read_from(&dir).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let last = entry.file_name().to_bytes();
            if last == b"." || last == b".." {
                continue;
            }
            let name = [at, b"/", last].concat();
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                match rustix::fs::statat(&dir, last, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => kind = FileType::from_raw_mode(stat.st_mode),
                    Err(_) => continue,
                }
            }
            match kind {
                FileType::RegularFile => found.push(name),
                // Deeper than any real ref: what is below is reported, not followed.
                FileType::Directory if depth < 64 => match openat(&dir, last, DIR_FLAGS, Mode::empty()) {
                    Ok(below) => self.collect(below, &name, depth + 1, found, odd)?,
                    Err(Errno::NOENT) => {}
                    Err(_) => odd.push(name),
                },
                _ => odd.push(name),
            }
        }
        Ok(())
    }

    /// The names of the directories directly below `name`, sorted.
    pub fn dirs_in(&self, name: &[u8]) -> Result<Vec<Vec<u8>>> {
        let Some(dir) = self.open_dir(name, false)? else { return Ok(Vec::new()) };
        let fail = |e: Errno| Error::io("list", self.path_of(name), &e.into());
        let mut found = Vec::new();
        for entry in Dir::read_from(&dir).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let last = entry.file_name().to_bytes();
            if last != b"."
                && last != b".."
                && rustix::fs::statat(&dir, last, AtFlags::SYMLINK_NOFOLLOW)
                    .is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::Directory)
            {
                found.push(last.to_vec());
            }
        }
        found.sort();
        Ok(found)
    }

    /// Takes git's lock of a file, `name.lock`, which fails where somebody holds it. Directories on the way are made.
    pub fn lock(&self, name: &[u8]) -> Result<Lock> {
        let gone = || Error::failure(format!("cannot write {}", self.path_of(name).display()));
        let (parent, last) = self.parent(name, true)?.ok_or_else(gone)?;
        Lock::take(parent, last, self.path_of(&[name, b".lock"].concat()))
    }

    /// Gives back the lock of a file that a killed process of ours still seems to hold.
    pub fn clear_dead_lock(&self, name: &[u8]) -> Result<()> {
        match self.parent(name, false)? {
            Some((parent, last)) if has_own(&parent, last) => self.lock(name).map(drop),
            _ => Ok(()),
        }
    }

    /// Appends to a file that exists already, durably. False where it does not exist.
    pub fn append(&self, name: &[u8], bytes: &[u8]) -> Result<bool> {
        let Some((parent, last)) = self.parent(name, false)? else { return Ok(false) };
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd = match openat(&parent, last, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(false),
            Err(e) => return Err(Error::io("open", self.path_of(name), &e.into())),
        };
        let mut file = File::from(fd);
        file.write_all(bytes)
            .and_then(|()| file.sync_data())
            .map_err(|e| Error::io("append to", self.path_of(name), &e))?;
        Ok(true)
    }

    /// Removes a file and the directories above it that are empty then, up to `keep` path components. False where it
    /// was not there.
    pub fn remove(&self, name: &[u8], keep: usize) -> Result<bool> {
        let Some((parent, last)) = self.parent(name, false)? else { return Ok(false) };
        let was_there = match unlinkat(&parent, last, AtFlags::empty()) {
            Ok(()) => true,
            Err(Errno::NOENT | Errno::NOTDIR) => false,
            Err(e) => return Err(Error::io("remove", self.path_of(name), &e.into())),
        };
        let _ = rustix::fs::fsync(&parent);
        self.remove_empty_above(name, keep)?;
        Ok(was_there)
    }

    /// Removes the directories above `name` that are empty, keeping the first `keep` components.
    pub fn remove_empty_above(&self, name: &[u8], keep: usize) -> Result<()> {
        let mut at = name;
        while let Some(cut) = at.iter().rposition(|b| *b == b'/') {
            at = at.get(..cut).unwrap_or_default();
            if at.split(|b| *b == b'/').count() <= keep {
                break;
            }
            let Some((parent, last)) = self.parent(at, false)? else { continue };
            if unlinkat(&parent, last, AtFlags::REMOVEDIR).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Removes `name` where it is a directory that holds nothing but empty directories, as git does before it writes
    /// a ref of that name. Anything else is left alone.
    pub fn clear_empty_dir(&self, name: &[u8]) -> Result<()> {
        for below in self.dirs_in(name).unwrap_or_default() {
            self.clear_empty_dir(&[name, b"/", &below].concat())?;
        }
        if let Some((parent, last)) = self.parent(name, false)? {
            let _ = unlinkat(&parent, last, AtFlags::REMOVEDIR);
        }
        Ok(())
    }

    fn open_dir(&self, name: &[u8], create: bool) -> Result<Option<OwnedFd>> {
        match self.parent(name, create)? {
            Some((parent, last)) => self.open_part(&parent, last, name),
            None => Ok(None),
        }
    }

    /// Opens one directory on the way to `name`. `None` where nothing, or a file, is there; a symbolic link is an error:
    /// what is behind it must not silently count as empty.
    fn open_part(&self, at: &OwnedFd, part: &[u8], name: &[u8]) -> Result<Option<OwnedFd>> {
        match openat(at, part, DIR_FLAGS, Mode::empty()) {
            Ok(fd) => Ok(Some(fd)),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let stat = rustix::fs::statat(at, part, AtFlags::SYMLINK_NOFOLLOW);
                if stat.is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::Symlink) {
                    let path = self.path_of(name);
                    return Err(Error::failure(format!("{} is behind a symbolic link", path.display())));
                }
                Ok(None)
            }
            Err(e) => Err(Error::io("open", self.path_of(name), &e.into())),
        }
    }

    /// The open directory that holds `name`, and its last component. `None` where a directory on the way is missing.
    fn parent<'n>(&self, name: &'n [u8], create: bool) -> Result<Option<(OwnedFd, &'n [u8])>> {
        let mut parts: Vec<&[u8]> = name.split(|b| *b == b'/').collect();
        if parts.iter().any(|p| p.is_empty() || *p == b"." || *p == b".." || p.contains(&0)) {
            return Err(Error::failure(format!(
                "\"{}\" is no name below a git directory",
                name.escape_ascii()
            )));
        }
        let last = parts.pop().unwrap_or_default();
        let mut fd = self.fd.as_fd().try_clone_to_owned().map_err(|e| Error::io("open", &self.path, &e))?;
        for part in parts {
            if create
                && let Err(e) = rustix::fs::mkdirat(&fd, part, Mode::from_raw_mode(0o777))
                && e != Errno::EXIST
            {
                return Err(Error::io("create", self.path_of(name), &e.into()));
            }
            match self.open_part(&fd, part, name)? {
                Some(below) => fd = below,
                None => return Ok(None),
            }
        }
        Ok(Some((fd, last)))
    }
}
