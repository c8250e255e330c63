//! Putting things in place so that nobody ever sees half of them, and so that what is displaced stays in our hand
//! until it was looked at.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{
    AtFlags, Mode, OFlags, RenameFlags, fsync, linkat, mkdirat, mkfifoat, openat, readlinkat, renameat,
    renameat_with, statat, symlinkat, syncfs, unlinkat,
};
use rustix::io::Errno;

/// Creates a regular file that must not be there yet, mode 0600, open for reading and writing.
pub fn create_new(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(openat(dir, name, flags, Mode::RUSR | Mode::WUSR)?))
}

/// Makes a directory that must not be there yet, mode 0700.
pub fn make_dir(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    Ok(mkdirat(dir, name, Mode::RWXU)?)
}

/// Makes a FIFO that must not be there yet, mode 0600, and opens it (read-write, so that the open does not wait).
pub fn make_fifo(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<File> {
    mkfifoat(dir, name, Mode::RUSR | Mode::WUSR)?;
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(openat(dir, name, flags, Mode::empty())?))
}

/// Makes a symbolic link that must not be there yet.
pub fn make_symlink(dir: BorrowedFd<'_>, name: &[u8], target: &[u8]) -> io::Result<()> {
    Ok(symlinkat(target, dir, name)?)
}

/// What a symbolic link points to.
pub fn read_link(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<Vec<u8>> {
    Ok(readlinkat(dir, name, Vec::new())?.into_bytes())
}

/// Gives a file a second name, which must not be there yet.
pub fn link_beside(
    from_dir: BorrowedFd<'_>,
    from: &[u8],
    to_dir: BorrowedFd<'_>,
    to: &[u8],
) -> io::Result<()> {
    Ok(linkat(from_dir, from, to_dir, to, AtFlags::empty())?)
}

/// Renames `from` to `to` in one directory; `to` must not exist (`EEXIST`), not even as a dangling link.
pub fn move_new(dir: BorrowedFd<'_>, from: &[u8], to: &[u8]) -> io::Result<()> {
    match renameat_with(dir, from, dir, to, RenameFlags::NOREPLACE) {
        // A file system without the flag: a hard link also refuses to replace (directories have no such way).
        Err(Errno::INVAL | Errno::NOSYS) => {
            linkat(dir, from, dir, to, AtFlags::empty())?;
            Ok(unlinkat(dir, from, AtFlags::empty())?)
        }
        other => Ok(other?),
    }
}

/// Renames `from` in one directory to `to` in another on the same file system; `to` must not exist (`EEXIST`).
pub fn move_between(
    from_dir: BorrowedFd<'_>,
    from: &[u8],
    to_dir: BorrowedFd<'_>,
    to: &[u8],
) -> io::Result<()> {
    match renameat_with(from_dir, from, to_dir, to, RenameFlags::NOREPLACE) {
        // A file system without the flag: what is there by then is seen, but not in one step.
        Err(Errno::INVAL | Errno::NOSYS) => match statat(to_dir, to, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Err(Errno::EXIST.into()),
            Err(_) => Ok(renameat(from_dir, from, to_dir, to)?),
        },
        other => Ok(other?),
    }
}

/// Swaps `new` and `target` in one directory, so that what was at `target` is afterwards at `new`.
pub fn swap_in(dir: BorrowedFd<'_>, new: &[u8], target: &[u8]) -> io::Result<()> {
    match renameat_with(dir, new, dir, target, RenameFlags::EXCHANGE) {
        // A file system without the flag: the target is away for a moment, never lost.
        Err(Errno::INVAL | Errno::NOSYS) => {
            let mut aside = new.to_vec();
            aside.extend_from_slice(b".old");
            move_new(dir, target, &aside)?;
            if let Err(e) = move_new(dir, new, target) {
                move_new(dir, &aside, target)?;
                return Err(e);
            }
            Ok(renameat(dir, &aside, dir, new)?)
        }
        other => Ok(other?),
    }
}

/// Removes a name that is not a directory.
pub fn remove_file(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    Ok(unlinkat(dir, name, AtFlags::empty())?)
}

/// Removes an empty directory.
pub fn remove_dir(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    Ok(unlinkat(dir, name, AtFlags::REMOVEDIR)?)
}

/// Makes the names in a directory durable.
pub fn sync_dir(dir: BorrowedFd<'_>) -> io::Result<()> {
    match fsync(dir) {
        // Some file systems do not sync directories and say so; a directory that may not be read cannot be asked.
        Err(Errno::INVAL | Errno::BADF) => Ok(()),
        other => Ok(other?),
    }
}

/// Makes everything on the file system of `dir` durable: cheaper than one `fsync` per file from some tens of files on.
pub fn sync_file_system(dir: impl AsFd) -> io::Result<()> {
    Ok(syncfs(dir)?)
}
