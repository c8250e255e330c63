//! What the kernel says about a file, in plain numbers.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, FileType, fstat, statat};
use rustix::time::{ClockId, clock_gettime};

/// The type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// Something this kernel knows and we do not.
    Unknown,
}

/// The result of a `stat`, never through a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Type and permission bits as the kernel gives them.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Allocated blocks of 512 bytes.
    pub blocks: u64,
    /// Last modification, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Last change of content or metadata, nanoseconds since 1970.
    pub ctime_ns: i64,
    /// Inode number.
    pub ino: u64,
    /// Device of the file system.
    pub dev: u64,
    /// Number of names.
    pub nlink: u64,
    /// The device that a device node stands for.
    pub rdev: u64,
}

impl Stat {
    /// The type.
    pub fn kind(&self) -> FileKind {
        match FileType::from_raw_mode(self.mode as rustix::fs::RawMode) {
            FileType::RegularFile => FileKind::File,
            FileType::Directory => FileKind::Dir,
            FileType::Symlink => FileKind::Symlink,
            FileType::Fifo => FileKind::Fifo,
            FileType::Socket => FileKind::Socket,
            FileType::CharacterDevice => FileKind::CharDevice,
            FileType::BlockDevice => FileKind::BlockDevice,
            _ => FileKind::Unknown,
        }
    }

    /// Permission bits with setuid, setgid and sticky.
    pub fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// The same file, not changed in between as far as its times tell.
    pub fn same_version(&self, other: &Stat) -> bool {
        (self.dev, self.ino, self.size, self.mtime_ns, self.ctime_ns)
            == (other.dev, other.ino, other.size, other.mtime_ns, other.ctime_ns)
    }
}

/// `lstat` of `name` in `dir`.
pub fn stat_at(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<Stat> {
    Ok(plain(&statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?))
}

/// `fstat`.
pub fn stat_fd(fd: impl AsFd) -> io::Result<Stat> {
    Ok(plain(&fstat(fd)?))
}

/// The clock that file systems stamp with: it may lag the precise clock by one tick, and so do the stamps.
pub fn coarse_now_ns() -> i64 {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    nanos(now.tv_sec, now.tv_nsec)
}

/// Field types differ between architectures.
#[allow(clippy::unnecessary_cast, clippy::cast_lossless)]
fn plain(s: &rustix::fs::Stat) -> Stat {
    Stat {
        mode: s.st_mode as u32,
        uid: s.st_uid,
        gid: s.st_gid,
        size: u64::try_from(s.st_size).unwrap_or(0),
        blocks: u64::try_from(s.st_blocks).unwrap_or(0),
        mtime_ns: nanos(s.st_mtime as i64, s.st_mtime_nsec as i64),
        ctime_ns: nanos(s.st_ctime as i64, s.st_ctime_nsec as i64),
        ino: s.st_ino as u64,
        dev: s.st_dev as u64,
        nlink: s.st_nlink as u64,
        rdev: s.st_rdev as u64,
    }
}

fn nanos(seconds: i64, nanoseconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// The magic number of the file system that `fd` is on (`linux/magic.h`).
#[allow(clippy::unnecessary_cast)]
pub fn file_system_magic(fd: impl AsFd) -> io::Result<i64> {
    Ok(rustix::fs::fstatfs(fd)?.f_type as i64)
}
