//! Opening things by a path below an open directory, without following symbolic links anywhere.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, mkdirat, openat, openat2, readlinkat};
use rustix::io::Errno;

/// The longest piece of a path given to the kernel at once; the limit is 4096 with the final NUL. Trees can be deeper.
const PIECE: usize = 2048;

/// Set once the kernel has said that it has no `openat2` (before Linux 5.6, or filtered by a sandbox).
static NO_OPENAT2: AtomicBool = AtomicBool::new(false);

/// True where `name` can be one component of a stored path: not empty, `.`, `..`, longer than 255 bytes, and without
/// `/` and NUL. Stored names are input, not truth.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name != b"."
        && name != b".."
        && !name.iter().any(|b| matches!(b, b'/' | 0))
}

/// Splits a path into what is before the last slash and what is after it. No slash: the first part is empty.
pub fn split_parent(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

/// Opens the directory at an absolute path that must not hold a symbolic link in any component.
/// A link there is `ELOOP`, whatever it points to.
pub fn open_absolute(path: &[u8]) -> io::Result<OwnedFd> {
    let root = openat(CWD, "/", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let rest: &[u8] = path.strip_prefix(b"/").ok_or(Errno::INVAL)?;
    open_beneath(root.as_fd(), rest)
}

/// Opens the directory at `path` (components joined by single slashes; empty means `root` itself) below `root`.
pub fn open_beneath(root: BorrowedFd<'_>, path: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    if path.is_empty() {
        return Ok(openat(root, ".", flags, Mode::empty())?);
    }
    if !path.split(|b| *b == b'/').all(is_name) {
        return Err(Errno::INVAL.into());
    }
    let mut rest = path;
    let mut at: Option<OwnedFd> = None;
    while rest.len() > PIECE {
        // The last slash that still fits; a component is at most 255 bytes, so there is one.
        let cut = rest[..PIECE].iter().rposition(|b| *b == b'/').ok_or(Errno::NAMETOOLONG)?;
        let from = at.as_ref().map_or(root, |fd| fd.as_fd());
        at = Some(open_piece(from, &rest[..cut], flags)?);
        rest = &rest[cut + 1..];
    }
    open_piece(at.as_ref().map_or(root, |fd| fd.as_fd()), rest, flags)
}

fn open_piece(from: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> io::Result<OwnedFd> {
    if !NO_OPENAT2.load(Ordering::Relaxed) {
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        // Without O_NOFOLLOW a link in the last component is ELOOP too, not "no directory".
        match openat2(from, path, flags - OFlags::NOFOLLOW, Mode::empty(), how) {
            Err(Errno::NOSYS) => NO_OPENAT2.store(true, Ordering::Relaxed),
            // EAGAIN: a rename raced with the lookup. EPERM: some sandboxes' word for "no such call".
            Err(Errno::AGAIN | Errno::PERM) => {}
            other => return Ok(other?),
        }
    }
    open_stepwise(from, path, flags)
}

/// The same without `openat2`: one `O_NOFOLLOW` open per component. Each step starts from a directory in hand, so a
/// component that is swapped for a link meanwhile fails instead of leading away.
fn open_stepwise(from: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> io::Result<OwnedFd> {
    let mut at: Option<OwnedFd> = None;
    for name in path.split(|b| *b == b'/') {
        let dir = at.as_ref().map_or(from, |fd| fd.as_fd());
        let next = match openat(dir, name, flags, Mode::empty()) {
            Err(Errno::NOTDIR) if readlinkat(dir, name, Vec::new()).is_ok() => Err(Errno::LOOP),
            other => other,
        };
        at = Some(next?);
    }
    Ok(at.ok_or(Errno::INVAL)?)
}

/// Makes the directories of `path` below `root` that are not there yet, each with mode 0700, and opens the last.
/// Returns it with the number of directories that were made.
pub fn make_dirs_beneath(root: BorrowedFd<'_>, path: &[u8]) -> io::Result<(OwnedFd, usize)> {
    let mut at = open_beneath(root, b"")?;
    let mut made = 0;
    for name in path.split(|b| *b == b'/').filter(|n| !n.is_empty()) {
        if !is_name(name) {
            return Err(Errno::INVAL.into());
        }
        match mkdirat(&at, name, Mode::RWXU) {
            Ok(()) => made += 1,
            Err(Errno::EXIST) => {}
            Err(e) => return Err(e.into()),
        }
        at = open_beneath(at.as_fd(), name)?;
    }
    Ok((at, made))
}

/// Opens a regular file for reading: never through a link, never blocking on a FIFO, and without touching its access
/// time where the kernel lets us. What was opened need not be a regular file: ask `stat_fd`.
pub fn open_file(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    // O_NOATIME is for owners only (open(2)).
    match openat(dir, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => Ok(File::from(openat(dir, name, flags, Mode::empty())?)),
        other => Ok(File::from(other?)),
    }
}

/// A handle on whatever `name` is, a symbolic link included, without opening it: good for `stat_fd` and for the
/// metadata calls, which need no permission on the file itself.
pub fn open_path(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<OwnedFd> {
    Ok(openat(dir, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn both_ways_of_opening_refuse_links_and_parents() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        symlink("/etc", dir.path().join("esc")).unwrap();
        symlink("a", dir.path().join("inside")).unwrap();
        let root = File::open(dir.path()).unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        for open in [open_piece, open_stepwise] {
            assert!(open(root.as_fd(), b"a/b", flags).is_ok());
            for link in [&b"esc"[..], b"inside/b"] {
                let error = open(root.as_fd(), link, flags).unwrap_err();
                assert_eq!(error.raw_os_error(), Some(Errno::LOOP.raw_os_error()));
            }
        }
        for bad in [&b"../x"[..], b"a/../..", b"/etc", b"a//b", b".", b"a/\0"] {
            assert!(open_beneath(root.as_fd(), bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn paths_longer_than_the_kernel_takes_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = File::open(dir.path()).unwrap();
        let name = [b'n'; 200];
        let long = std::iter::repeat_n(&name[..], 40).collect::<Vec<_>>().join(&b'/');
        assert!(long.len() > 8000);
        let (_, made) = make_dirs_beneath(root.as_fd(), &long).unwrap();
        assert_eq!(made, 40);
        assert!(open_beneath(root.as_fd(), &long).is_ok());
        assert_eq!(make_dirs_beneath(root.as_fd(), &long).unwrap().1, 0);
    }
}
