//! git's lock files, held so that a dead holder can be told from a living one. git only asks whether `X.lock` is there,
//! and an undo that was killed would leave it there for good. So what we put there is a second name of `X.fr.lock`, on
//! which we hold `flock`: the kernel lets go of that when we die, and who then gets it may take both names away.
//! A lock file of git's own has no such second name and is never touched.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{
    AtFlags, FileType, FlockOperation, Mode, OFlags, Stat, Timespec, Timestamps, flock, fstat, linkat,
    openat, statat, unlinkat,
};
use rustix::io::Errno;

use crate::error::{Error, ExitCode, Result};

/// How often the lock of dead holders is cleared and tried again.
const TRIES: usize = 3;

const FLAGS: OFlags =
    OFlags::RDWR.union(OFlags::CREATE).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// A held lock file. Dropping it without [`Lock::commit`] removes it and changes nothing.
pub struct Lock {
    names: Names,
    file: File,
    done: bool,
}

/// The locked file, its lock file, and our own name of that.
struct Names {
    parent: OwnedFd,
    name: Vec<u8>,
    lock: Vec<u8>,
    own: Vec<u8>,
    /// Of the lock file, for messages.
    path: PathBuf,
}

/// True where a process of ours has left its name of a lock, or is at work under it.
pub fn has_own(parent: &OwnedFd, name: &[u8]) -> bool {
    statat(parent, [name, b".fr.lock"].concat(), AtFlags::SYMLINK_NOFOLLOW).is_ok()
}

impl Lock {
    /// Takes the lock of `name` in `parent`; `path` is that of its lock file. Exit code 11 where somebody holds it.
    pub fn take(parent: OwnedFd, name: &[u8], path: PathBuf) -> Result<Lock> {
        let (lock, own) = ([name, b".lock"].concat(), [name, b".fr.lock"].concat());
        let names = Names { parent, name: name.to_vec(), lock, own, path };
        for _ in 0..TRIES {
            let Some(file) = names.hold()? else { return names.plain() };
            if names.is_left_over(&file)? {
                names.clear(&file);
                continue;
            }
            let linked = linkat(
                &names.parent,
                names.own.as_slice(),
                &names.parent,
                names.lock.as_slice(),
                AtFlags::empty(),
            );
            if linked.is_ok() {
                return Ok(Lock { names, file, done: false });
            }
            names.remove(&names.own);
            return match linked {
                Err(Errno::EXIST) => Err(names.held()),
                // A file system without hard links.
                _ => names.plain(),
            };
        }
        Err(names.held())
    }

    /// Puts `bytes` in the place of the locked file, durably. `mode` and `mtime` are set where given.
    pub fn commit(mut self, bytes: &[u8], mode: Option<u32>, mtime: Option<(i64, i64)>) -> Result<()> {
        let path = self.names.path.clone();
        let fail = move |e: std::io::Error| Error::io("write", &path, &e);
        self.file.write_all(bytes).map_err(&fail)?;
        if let Some(mode) = mode {
            rustix::fs::fchmod(&self.file, Mode::from_raw_mode(mode & 0o777)).map_err(|e| fail(e.into()))?;
        }
        if let Some((sec, nsec)) = mtime {
            let time = |sec: i64, nsec: i64| Timespec { tv_sec: sec, tv_nsec: nsec as _ };
            let times = Timestamps {
                last_access: time(0, rustix::fs::UTIME_NOW),
                last_modification: time(sec, nsec),
            };
            rustix::fs::futimens(&self.file, &times).map_err(|e| fail(e.into()))?;
        }
        self.file.sync_all().map_err(&fail)?;
        let Names { parent, name, lock, own, .. } = &self.names;
        rustix::fs::renameat(parent, lock.as_slice(), parent, name.as_slice()).map_err(|e| fail(e.into()))?;
        self.done = true;
        self.names.remove(own);
        rustix::fs::fsync(parent).map_err(|e| fail(e.into()))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Where git's name of it cannot be removed now, ours stays: by it the next one knows whose lock that is.
        if !self.done && self.names.remove(&self.names.lock) {
            self.names.remove(&self.names.own);
        }
    }
}

impl Names {
    /// Our own name, made where it is missing, with the kernel's lock on it. `None` where the file system has no such
    /// locks.
    fn hold(&self) -> Result<Option<File>> {
        let fd = openat(&self.parent, self.own.as_slice(), FLAGS, Mode::from_raw_mode(0o666))
            .map_err(|e| Error::io("create", &self.path, &e.into()))?;
        match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(File::from(fd))),
            Err(Errno::WOULDBLOCK) => Err(self.held()),
            Err(_) => {
                self.remove(&self.own);
                Ok(None)
            }
        }
    }

    /// True where the file was not made just now, by us: it has content or another name, or another file is there.
    fn is_left_over(&self, file: &File) -> Result<bool> {
        let stat = fstat(file).map_err(|e| Error::io("read", &self.path, &e.into()))?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        Ok(!regular || stat.st_size > 0 || stat.st_nlink != 1 || !self.is_at(&self.own, &stat))
    }

    /// Takes away what a dead holder has left. Whoever holds the kernel's lock on what is at our own name may do that.
    fn clear(&self, file: &File) {
        let Ok(stat) = fstat(file) else { return };
        if self.is_at(&self.own, &stat) {
            let is_free = !self.is_at(&self.lock, &stat) || self.remove(&self.lock);
            if is_free {
                self.remove(&self.own);
            }
        }
    }

    fn is_at(&self, name: &[u8], file: &Stat) -> bool {
        statat(&self.parent, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|s| (s.st_dev, s.st_ino) == (file.st_dev, file.st_ino))
    }

    /// The lock as git takes it.
    fn plain(self) -> Result<Lock> {
        let flags = FLAGS.union(OFlags::EXCL);
        match openat(&self.parent, self.lock.as_slice(), flags, Mode::from_raw_mode(0o666)) {
            Ok(fd) => Ok(Lock { names: self, file: File::from(fd), done: false }),
            Err(Errno::EXIST) => Err(self.held()),
            Err(e) => Err(Error::io("create", &self.path, &e.into())),
        }
    }

    /// False where it is still there. What cannot be removed now is found again by its name.
    fn remove(&self, name: &[u8]) -> bool {
        matches!(unlinkat(&self.parent, name, AtFlags::empty()), Ok(()) | Err(Errno::NOENT))
    }

    fn held(&self) -> Error {
        Error::new(ExitCode::Locked, format!("another git process holds {}", self.path.display()))
            .hint("wait for it to end; if none is running, remove the lock file and try again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(dir: &tempfile::TempDir) -> Result<Lock> {
        let parent = rustix::fs::open(dir.path(), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
        Lock::take(parent, b"X", dir.path().join("X.lock"))
    }

    fn names(dir: &tempfile::TempDir) -> Vec<String> {
        let entries = std::fs::read_dir(dir.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn one_holds_it_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let held = take(&dir).unwrap();
        assert!(take(&dir).is_err());
        drop(held);
        assert_eq!(names(&dir), [""; 0]);
        take(&dir).unwrap().commit(b"new", None, None).unwrap();
        assert_eq!(names(&dir), ["X"]);
        assert_eq!(std::fs::read(dir.path().join("X")).unwrap(), b"new");
    }

    #[test]
    fn what_a_dead_holder_left_is_cleared_at_each_point() {
        for left in [&["X.fr.lock"][..], &["X.fr.lock", "X.lock"], &["X.fr.lock", "X"]] {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join(left[0]), "half").unwrap();
            for name in &left[1..] {
                std::fs::hard_link(dir.path().join(left[0]), dir.path().join(name)).unwrap();
            }
            drop(take(&dir).unwrap());
            let stays: &[&str] = if left.contains(&"X") { &["X"] } else { &[] };
            assert_eq!(names(&dir), stays, "{left:?}");
        }
    }

    #[test]
    fn a_lock_of_git_s_own_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("X.lock"), "").unwrap();
        assert!(take(&dir).is_err());
        std::fs::write(dir.path().join("X.fr.lock"), "").unwrap();
        assert!(take(&dir).is_err());
        assert_eq!(names(&dir), ["X.lock"]);
    }
}
