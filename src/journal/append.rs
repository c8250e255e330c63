//! Appending to the journal: the acknowledgement of everything `fr` records.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::frame::{self, Payload};
use super::segment::{self, SEGMENT_BYTES};
use super::tail::{self, Tail};
use crate::error::{Error, Result};
use crate::model::{EventId, Gap, Record};
use crate::platform::{clock, home::Home};
use crate::store::{file, format};

/// The append-only record. Opening it opens nothing but the format file.
#[derive(Clone, Debug)]
pub struct Journal {
    dir: PathBuf,
    segment_bytes: u64,
}

/// What an append must survive before it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The death of the process.
    Buffered,
    /// The loss of power.
    Durable,
}

/// What an append was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The event the frame belongs to; 0 where that is not known.
    pub event: EventId,
    /// The frame's sequence number.
    pub seq: u64,
}

/// The last segment, locked, with what its next frame continues.
struct Locked {
    file: File,
    path: PathBuf,
    size: u64,
    tail: Tail,
    /// What a repair found, to be recorded as a gap.
    gap: Option<String>,
    /// The segment was made just now: its name must become durable too.
    fresh: bool,
}

impl Journal {
    /// The journal of a store. Fails with exit code 10 (no store) or 13 (newer store).
    pub fn open(home: &Home) -> Result<Journal> {
        format::check(home)?;
        Ok(Journal { dir: home.journal(), segment_bytes: SEGMENT_BYTES })
    }

    /// The same journal with small segments, for tests of rotation.
    #[doc(hidden)]
    #[must_use]
    pub fn with_segment_bytes(mut self, bytes: u64) -> Journal {
        self.segment_bytes = bytes;
        self
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Bytes of all segments.
    pub fn bytes(&self) -> u64 {
        let segments = segment::list(&self.dir).unwrap_or_default();
        segments
            .iter()
            .filter_map(|n| std::fs::metadata(segment::path(&self.dir, *n)).ok())
            .map(|m| m.len())
            .sum()
    }

    /// Appends a record. A [`Record::Before`] gets a new event number; others carry `event`.
    ///
    /// One write per frame. The sync comes after the lock is given back, so that writers share it. Errors: exit
    /// code 11 where the lock could not be had in five seconds, else the failed file operation; then the frame is
    /// not in the journal, or (failed sync) it is, but may not survive a power loss.
    pub fn append(
        &self,
        record: &Record,
        event: Option<EventId>,
        durability: Durability,
    ) -> Result<Appended> {
        let payload = Payload::of(record)?;
        let mut locked = self.lock_end()?;
        let mut bytes = Vec::new();
        if let Some(detail) = locked.gap.take() {
            append_gap(&mut bytes, &mut locked.tail, detail)?;
        }
        let event = match record {
            Record::Before(_) => EventId(locked.tail.last_event + 1),
            _ => event.unwrap_or(EventId(0)),
        };
        let tail = locked.tail;
        let (seq, last_event) = (tail.seq + 1, tail.last_event.max(event.0));
        frame::encode(&mut bytes, &payload, seq, event.0, last_event, clock::now_ns(), &tail.hash);
        file::write_whole_at(&locked.file, &locked.path, &bytes, locked.size)?;
        if locked.fresh {
            file::sync_dir(&self.dir)?;
        }
        file::unlock(&locked.file);
        if durability == Durability::Durable {
            file::sync(&locked.file, &locked.path)?;
        }
        Ok(Appended { event, seq })
    }

    /// Locks the segment that the next frame goes to.
    fn lock_end(&self) -> Result<Locked> {
        let mut number = segment::list(&self.dir)?.last().copied().unwrap_or(1);
        loop {
            let path = segment::path(&self.dir, number);
            let file = self.open_segment(&path)?;
            file::lock(&file, &path, false, file::LOCK_WAIT)?;
            let size = file.metadata().map_err(|e| Error::io("read", &path, &e))?.len();
            if size >= self.segment_bytes {
                // Full: the next one may exist already, made by a writer that was here before us. What this one
                // holds must not be less durable than what follows it.
                file::sync(&file, &path)?;
                number += 1;
                continue;
            }
            return self.locked(number, file, path, size);
        }
    }

    fn open_segment(&self, path: &Path) -> Result<File> {
        match file::open_write(path, true) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                format::make_dir(&self.dir)?;
                file::open_write(path, true)
            }
            other => other,
        }
        .map_err(|e| Error::io("open", path, &e))
    }

    fn locked(&self, number: u32, file: File, path: PathBuf, size: u64) -> Result<Locked> {
        if size == 0 {
            let tail = tail::before(&self.dir, number)?;
            return Ok(Locked { file, path, size, tail, gap: None, fresh: true });
        }
        if let Some(tail) = tail::read(&file, size).map_err(|e| Error::io("read", &path, &e))? {
            return Ok(Locked { file, path, size, tail, gap: None, fresh: false });
        }
        let repaired = tail::repair(&self.dir, number, &file, size)?;
        let tail = match repaired.tail {
            Some(tail) => tail,
            None => tail::before(&self.dir, number)?,
        };
        Ok(Locked { file, path, size: repaired.size, tail, gap: Some(repaired.detail), fresh: false })
    }
}

fn append_gap(bytes: &mut Vec<u8>, tail: &mut Tail, detail: String) -> Result<()> {
    let at_ns = clock::now_ns();
    let reason = "the end of the journal was torn".to_owned();
    let gap = Record::Gap(Gap { at_ns, reason, count: 1, detail: Some(detail) });
    let payload = Payload::of(&gap)?;
    tail.seq += 1;
    tail.hash = frame::encode(bytes, &payload, tail.seq, 0, tail.last_event, at_ns, &tail.hash);
    Ok(())
}
