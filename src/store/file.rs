//! The file operations that store and journal share: open without following links, lock with a bound, write whole or
//! not at all, make names durable.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;

use crate::error::{Error, ExitCode, Result};

/// How long a writer waits for another one. Locks are held for microseconds; who holds one for seconds is stopped or
/// hangs, and the command must not hang with it.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(5);

fn no_follow() -> i32 {
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

/// Opens for reading; a symbolic link in the last component is refused.
pub(crate) fn open_read(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(no_follow()).open(path)
}

/// Opens for reading and writing, mode 0600 where it is made.
pub(crate) fn open_write(path: &Path, create: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(create).mode(0o600).custom_flags(no_follow()).open(path)
}

/// Makes a file that must not exist yet, mode 0600.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Takes the exclusive lock if nobody has it.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Takes a lock, waiting up to `wait`; exit code 11 after that.
pub(crate) fn lock(file: &File, path: &Path, shared: bool, wait: Duration) -> Result<()> {
    let operation =
        if shared { FlockOperation::NonBlockingLockShared } else { FlockOperation::NonBlockingLockExclusive };
    let mut start = None;
    let mut pause = Duration::from_micros(50);
    loop {
        match rustix::fs::flock(file, operation) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) => {}
            Err(Errno::INTR) => continue,
            Err(e) => return Err(Error::io("lock", path, &e.into())),
        }
        if start.get_or_insert_with(Instant::now).elapsed() > wait {
            return Err(Error::new(
                ExitCode::Locked,
                format!("{} is locked by another process", path.display()),
            )
            .hint("see who holds it with `fuser` and try again"));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(2));
    }
}

/// Gives the lock back before the file is closed.
pub(crate) fn unlock(file: &File) {
    // Closing the file releases it in any case.
    let _ = rustix::fs::flock(file, FlockOperation::Unlock);
}

/// Writes all of `bytes` at `offset`. On a short or failed write the file is cut back to `offset`, so that what was
/// there before stays the end of the file; the error says so where even that failed.
pub(crate) fn write_whole_at(file: &File, path: &Path, bytes: &[u8], offset: u64) -> Result<()> {
    let mut done = 0usize;
    while let Some(rest) = bytes.get(done..).filter(|r| !r.is_empty()) {
        match rustix::io::pwrite(file, rest, offset + done as u64) {
            Ok(n) if n > 0 => done += n,
            Err(Errno::INTR) => {}
            failed => {
                let cause = failed.err().unwrap_or(Errno::NOSPC).into();
                let mut error = Error::io("write", path, &cause);
                if let Err(e) = rustix::fs::ftruncate(file, offset) {
                    error.what.push_str(&format!(" (and its torn end could not be cut off: {e})"));
                }
                return Err(match cause.raw_os_error().map(Errno::from_raw_os_error) {
                    Some(Errno::NOSPC | Errno::DQUOT) => error.hint("free some space, or run `fr store gc`"),
                    _ => error,
                });
            }
        }
    }
    Ok(())
}

/// Fills `buffer` from `offset`; the number of bytes that were there.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0usize;
    while let Some(rest) = buffer.get_mut(done..).filter(|r| !r.is_empty()) {
        match rustix::io::pread(file, rest, offset + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(done)
}

/// Makes a directory's names durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|d| d.sync_all()).map_err(|e| Error::io("sync", dir, &e))
}

/// Makes a file's bytes durable.
pub(crate) fn sync(file: &File, path: &Path) -> Result<()> {
    rustix::fs::fdatasync(file).map_err(|e| Error::io("sync", path, &e.into()))
}

/// Replaces a small file durably: new file beside it, sync, rename, sync the directory.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut random = [0u8; 8];
    crate::platform::random::fill(&mut random);
    let temporary = path.with_extension(format!("tmp-{:016x}", u64::from_le_bytes(random)));
    let file = create_new(&temporary).map_err(|e| Error::io("create", &temporary, &e))?;
    let written = write_whole_at(&file, &temporary, bytes, 0)
        .and_then(|()| sync(&file, &temporary))
        .and_then(|()| std::fs::rename(&temporary, path).map_err(|e| Error::io("replace", path, &e)));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    path.parent().map_or(Ok(()), sync_dir)
}
