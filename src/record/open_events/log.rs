//! The file: lines are appended and never changed, so hooks that run at once need no turn; whose line comes first in it
//! was first. Who writes holds a shared lock, who makes it small again the exclusive one.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Result as Io, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::line::{self, Line};
use super::table::Table;
use crate::error::{Error, Result};
use crate::platform::home::Home;
use crate::store::file;

/// How long somebody may take to make the log small. Who takes longer is stopped, and the command must not wait.
const WAIT: Duration = Duration::from_millis(300);
/// A log of this size is made small where most of it is past.
const LARGE: usize = 64 << 10;
/// The most bytes that stay. Calls that were forgotten longest go first: what never ends must not make hooks slow.
pub const MOST: usize = 1 << 20;

/// The log, locked against being replaced.
pub struct Log {
    file: File,
    path: PathBuf,
    /// Up to where it has been read; `None` before.
    seen: Option<u64>,
}

impl Log {
    /// Opens it; `None` where nothing was ever claimed.
    pub fn open(home: &Home) -> Result<Option<Log>> {
        match Log::open_or(home, false) {
            Err(error) if error.errno == Some(Errno::NOENT.raw_os_error()) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Opens it, and makes it where it is not there.
    pub fn make(home: &Home) -> Result<Log> {
        Log::open_or(home, true)
    }

    fn open_or(home: &Home, create: bool) -> Result<Log> {
        let path = home.open_events();
        loop {
            let file = open(&path, create).map_err(|e| Error::io("open", &path, &e))?;
            file::lock(&file, &path, true, WAIT)?;
            if is_at(&file, &path) {
                return Ok(Log { file, path, seen: None });
            }
        }
    }

    /// All lines so far.
    pub fn read(&mut self) -> Result<Vec<u8>> {
        self.read_last(u64::MAX)
    }

    /// The lines that lie whole in the last `most` bytes.
    pub fn read_last(&mut self, most: u64) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        let read = self.file.metadata().and_then(|meta| {
            let start = meta.len().saturating_sub(most);
            self.file.seek(SeekFrom::Start(start))?;
            self.file.read_to_end(&mut text)?;
            Ok(start)
        });
        let start = read.map_err(|e| Error::io("read", &self.path, &e))?;
        let mut lines = line::lines(&text);
        lines.by_ref().for_each(drop);
        self.seen = Some(start + lines.end as u64);
        Ok(text)
    }

    /// How many bytes it had when it was read.
    pub fn len(&self) -> usize {
        self.seen.and_then(|seen| usize::try_from(seen).ok()).unwrap_or(0)
    }

    /// Appends a line. Returns what others have appended since [`Log::read`], before it.
    pub fn append(&mut self, line: &Line<'_>) -> Result<Vec<u8>> {
        self.append_bytes(&line.encode())
    }

    /// Appends several lines as one.
    pub fn append_bytes(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let failed = |e: std::io::Error| Error::io("write", &self.path, &e);
        // One write: the kernel puts it behind all others. What a full disk cuts short is passed over by readers.
        let written = self.file.write(bytes).map_err(failed)?;
        if written < bytes.len() {
            return Err(failed(ErrorKind::StorageFull.into()).hint("free some space, or run `fr store gc`"));
        }
        let Some(seen) = self.seen else { return Ok(Vec::new()) };
        let end = self.file.stream_position().map_err(failed)?;
        let between = end.saturating_sub(bytes.len() as u64).saturating_sub(seen);
        let mut others = vec![0; usize::try_from(between).unwrap_or(0)];
        if !others.is_empty() {
            self.file.read_exact_at(&mut others, seen).map_err(|e| Error::io("read", &self.path, &e))?;
        }
        Ok(others)
    }

    /// Whether so much of what was read is past that it is worth to be made small.
    fn is_untidy(table: &Table<'_>, len: usize) -> bool {
        len > MOST || (len > LARGE && table.living_bytes() < len / 2)
    }

    /// Makes the log small. Does nothing where somebody else is at work: they will. `now_ns` is the time against which
    /// what nobody has asked for is forgotten.
    pub fn tidy(mut self, now_ns: i64) -> Result<()> {
        file::unlock(&self.file);
        if !file::try_lock(&self.file).unwrap_or(false) || !is_at(&self.file, &self.path) {
            return Ok(());
        }
        let text = self.read()?;
        let table = Table::of(&text);
        let kept = table.lines_of_living(now_ns, MOST / 2);
        if kept.is_empty() {
            // Not to nothing: ext4 writes out a file that was emptied as soon as it is closed.
            let size = u64::from(!text.is_empty());
            return self.file.set_len(size).map_err(|e| Error::io("write", &self.path, &e));
        }
        if !Log::is_untidy(&table, text.len()) {
            return Ok(());
        }
        let new = self.path.with_extension("new");
        let replaced = replace(&new, &kept).and_then(|()| fs::rename(&new, &self.path));
        replaced.map_err(|e| Error::io("write", &new, &e))
    }
}

fn open(path: &Path, create: bool) -> Io<File> {
    let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0);
    OpenOptions::new().read(true).append(true).create(create).mode(0o600).custom_flags(no_follow).open(path)
}

/// Only who holds the exclusive lock comes here, so what lies there was left by somebody who was killed.
fn replace(path: &Path, text: &[u8]) -> Io<()> {
    let _ = fs::remove_file(path);
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text)
}

/// False where the log was replaced between opening and locking.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::metadata(path)) else { return false };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}
