//! Owner, mode, times and extended attributes, always by descriptor. A descriptor from `open_path` (`O_PATH`) works
//! too: where the kernel refuses it, its name under `/proc/self/fd` leads to the very same inode, whatever its path has
//! become since.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::{
    AtFlags, CWD, Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags, chmod, chownat, fchmod,
    fgetxattr, flistxattr, fremovexattr, fsetxattr, futimens, getxattr, listxattr, removexattr, setxattr,
    utimensat,
};
use rustix::io::Errno;

/// The kernel's limits for one attribute's value and for the list of names (xattr(7)).
const LIMIT: usize = 64 << 10;

/// The name of an open descriptor for calls that take no `O_PATH` descriptor.
fn magic(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// The user and group that files of ours belong to.
pub fn own_ids() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

/// All extended attributes, sorted by name. A file system without attributes has none.
pub fn get_xattrs(fd: BorrowedFd<'_>) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut small = [0u8; 1024];
    let names = match list(fd, &mut small) {
        Ok(0) => return Ok(Vec::new()),
        Ok(len) => small[..len].to_vec(),
        Err(Errno::RANGE) => {
            let mut large = vec![0u8; LIMIT];
            let len = list(fd, &mut large)?;
            large.truncate(len);
            large
        }
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Vec::new()),
        Err(e) => return Err(e.into()),
    };
    let mut found = Vec::new();
    for name in names.split(|b| *b == 0).filter(|n| !n.is_empty()) {
        let mut value = vec![0u8; LIMIT];
        match get(fd, name, &mut value) {
            Ok(len) => {
                value.truncate(len);
                value.shrink_to_fit();
                found.push((name.to_vec(), value));
            }
            // Removed in between, or listed and not ours to read.
            Err(Errno::NODATA | Errno::ACCESS | Errno::PERM | Errno::OPNOTSUPP) => {}
            Err(e) => return Err(e.into()),
        }
    }
    found.sort();
    Ok(found)
}

fn list(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> rustix::io::Result<usize> {
    match flistxattr(fd, &mut *buffer) {
        Err(Errno::BADF) => listxattr(magic(fd), buffer),
        other => other,
    }
}

fn get(fd: BorrowedFd<'_>, name: &[u8], buffer: &mut [u8]) -> rustix::io::Result<usize> {
    match fgetxattr(fd, name, &mut *buffer) {
        Err(Errno::BADF) => getxattr(magic(fd), name, buffer),
        other => other,
    }
}

/// Sets an extended attribute.
pub fn set_xattr(fd: BorrowedFd<'_>, name: &[u8], value: &[u8]) -> io::Result<()> {
    match fsetxattr(fd, name, value, XattrFlags::empty()) {
        Err(Errno::BADF) => Ok(setxattr(magic(fd), name, value, XattrFlags::empty())?),
        other => Ok(other?),
    }
}

/// Removes an extended attribute; one that is not there is fine.
pub fn remove_xattr(fd: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    let done = match fremovexattr(fd, name) {
        Err(Errno::BADF) => removexattr(magic(fd), name),
        other => other,
    };
    match done {
        Err(Errno::NODATA) => Ok(()),
        other => Ok(other?),
    }
}

/// Sets permission bits. Never for a symbolic link: it has none.
pub fn set_mode(fd: BorrowedFd<'_>, permissions: u32) -> io::Result<()> {
    let mode = Mode::from_bits_truncate(permissions as rustix::fs::RawMode);
    match fchmod(fd, mode) {
        Err(Errno::BADF) => Ok(chmod(magic(fd), mode)?),
        other => Ok(other?),
    }
}

/// Sets owner and group.
pub fn set_owner(fd: BorrowedFd<'_>, uid: u32, gid: u32) -> io::Result<()> {
    Ok(chownat(fd, "", Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)), AtFlags::EMPTY_PATH)?)
}

/// Sets owner and group of a name that may be a symbolic link.
pub fn set_owner_at(dir: BorrowedFd<'_>, name: &[u8], uid: u32, gid: u32) -> io::Result<()> {
    let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    Ok(chownat(dir, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Sets the modification time (nanoseconds since 1970) and leaves the access time alone.
pub fn set_mtime(fd: BorrowedFd<'_>, mtime_ns: i64) -> io::Result<()> {
    match futimens(fd, &times(mtime_ns)) {
        Err(Errno::BADF) => Ok(utimensat(CWD, magic(fd), &times(mtime_ns), AtFlags::empty())?),
        other => Ok(other?),
    }
}

/// Sets the modification time of a name that may be a symbolic link.
pub fn set_mtime_at(dir: BorrowedFd<'_>, name: &[u8], mtime_ns: i64) -> io::Result<()> {
    Ok(utimensat(dir, name, &times(mtime_ns), AtFlags::SYMLINK_NOFOLLOW)?)
}

fn times(mtime_ns: i64) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec {
            tv_sec: mtime_ns.div_euclid(1_000_000_000),
            tv_nsec: mtime_ns.rem_euclid(1_000_000_000),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fs::{open_path, stat_fd};
    use std::fs::File;
    use std::os::fd::AsFd;

    #[test]
    fn path_descriptors_carry_metadata_of_files_that_cannot_be_opened() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), b"x").unwrap();
        let root = File::open(dir.path()).unwrap();
        let fd = open_path(root.as_fd(), b"f").unwrap();
        set_mode(fd.as_fd(), 0o640).unwrap();
        set_mtime(fd.as_fd(), -1_500_000_000).unwrap();
        let stat = stat_fd(&fd).unwrap();
        assert_eq!((stat.permissions(), stat.mtime_ns), (0o640, -1_500_000_000));
        if set_xattr(fd.as_fd(), b"user.k", b"v").is_ok() {
            assert_eq!(get_xattrs(fd.as_fd()).unwrap(), [(b"user.k".to_vec(), b"v".to_vec())]);
            remove_xattr(fd.as_fd(), b"user.k").unwrap();
            remove_xattr(fd.as_fd(), b"user.k").unwrap();
            assert!(get_xattrs(fd.as_fd()).unwrap().is_empty());
        }
    }
}
