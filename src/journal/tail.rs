//! The end of the journal: where the next frame goes and what it must continue. Called under the segment's lock.

use std::fs::File;
use std::path::Path;

use super::frame::{self, FOOTER, HEADER, Hash};
use super::scan::{Found, Scanner};
use super::segment;
use crate::error::{Error, Result};
use crate::store::{file, format};

/// What the next frame continues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// The sequence number of the last frame; 0 where there is none.
    pub seq: u64,
    /// The highest event number given.
    pub last_event: u64,
    /// The hash of the last frame.
    pub hash: Hash,
}

impl Tail {
    fn of(frame: &frame::RawFrame) -> Tail {
        Tail { seq: frame.header.seq, last_event: frame.header.last_event, hash: frame.hash }
    }
}

/// The usual size of a last frame: one read gets it.
const PROBE: usize = 4096;

/// The tail of a segment whose last bytes are a whole frame; `None` where they are not.
pub(crate) fn read(segment: &File, size: u64) -> std::io::Result<Option<Tail>> {
    let mut buffer = vec![0u8; PROBE.min(usize::try_from(size).unwrap_or(PROBE))];
    if read_last(segment, size, &mut buffer)?.is_none() {
        return Ok(None);
    }
    let Some(total) = claimed_total(&buffer).filter(|t| *t as u64 <= size) else { return Ok(None) };
    if total > buffer.len() {
        buffer.resize(total, 0);
        if read_last(segment, size, &mut buffer)?.is_none() {
            return Ok(None);
        }
    }
    let last = buffer.get(buffer.len() - total..).unwrap_or_default();
    Ok(frame::decode(last).ok().map(|f| Tail::of(&f)))
}

fn read_last(segment: &File, size: u64, buffer: &mut [u8]) -> std::io::Result<Option<()>> {
    let got = file::read_at(segment, buffer, size - buffer.len() as u64)?;
    Ok((got == buffer.len()).then_some(()))
}

/// The total length that the last eight bytes claim.
fn claimed_total(end: &[u8]) -> Option<usize> {
    let total = frame::u32_at(end, end.len().checked_sub(8)?) as usize;
    let plausible = (HEADER + FOOTER..=HEADER + frame::MAX_PAYLOAD + FOOTER).contains(&total);
    (end.ends_with(&frame::END) && plausible).then_some(total)
}

/// A segment whose end was torn, after its repair.
pub(crate) struct Repaired {
    /// What the next frame continues; `None` where no frame is left in the segment.
    pub tail: Option<Tail>,
    /// Where it goes.
    pub size: u64,
    /// What was found and done, for the gap record.
    pub detail: String,
}

/// Cuts the torn end off a locked segment. Its bytes are moved to `journal/torn/` first: nothing is deleted, and they
/// may be all that is left of a command. Damage before the last whole frame stays where it is, for `verify` to find.
pub(crate) fn repair(dir: &Path, number: u32, segment: &File, size: u64) -> Result<Repaired> {
    let path = segment::path(dir, number);
    let reading = segment.try_clone().map_err(|e| Error::io("read", &path, &e))?;
    let mut scanner = Scanner::new(reading, 0);
    let (mut tail, mut good) = (None, 0);
    loop {
        match scanner.next().map_err(|e| Error::io("read", &path, &e))? {
            Found::Frame(frame) => {
                tail = Some(Tail::of(&frame));
                good = scanner.offset;
            }
            Found::Damage { .. } => {}
            Found::Tail { why, .. } => {
                if let frame::NotAFrame::Newer(_) = why {
                    return Err(why.error(&path.display().to_string()));
                }
                break;
            }
            Found::End => break,
        }
    }
    let mut torn = vec![0u8; usize::try_from(size - good).unwrap_or(0)];
    let got = file::read_at(segment, &mut torn, good).map_err(|e| Error::io("read", &path, &e))?;
    torn.truncate(got);
    keep(dir, number, good, &torn)?;
    rustix::fs::ftruncate(segment, good).map_err(|e| Error::io("truncate", &path, &e.into()))?;
    // The torn frame may have been seen by somebody under its number: do not give that number again.
    if let (Some(tail), Some(header)) = (tail.as_mut(), frame::header(&torn))
        && torn.starts_with(&frame::MAGIC)
        && header.last_event == tail.last_event + 1
    {
        tail.last_event = header.last_event;
    }
    let detail = format!("{got} bytes cut off {} at {good}, kept in journal/torn", path.display());
    Ok(Repaired { tail, size: good, detail })
}

fn keep(dir: &Path, number: u32, offset: u64, torn: &[u8]) -> Result<()> {
    let torn_dir = dir.join("torn");
    format::make_dir(&torn_dir)?;
    let name = format!("{number:08}-{offset}-{}.bytes", crate::platform::clock::now_ns());
    file::replace(&torn_dir.join(name), torn)
}

/// The tail of the last segment before `number` that holds a frame. Those segments are full: nobody writes to them.
pub(crate) fn before(dir: &Path, number: u32) -> Result<Tail> {
    for earlier in segment::list(dir)?.into_iter().rev().filter(|n| *n < number) {
        let path = segment::path(dir, earlier);
        let io = |e: std::io::Error| Error::io("read", &path, &e);
        let segment = file::open_read(&path).map_err(io)?;
        let size = segment.metadata().map_err(io)?.len();
        if let Some(tail) = read(&segment, size).map_err(io)? {
            return Ok(tail);
        }
        let mut scanner = Scanner::new(segment, 0);
        let mut last = None;
        loop {
            match scanner.next().map_err(io)? {
                Found::Frame(frame) => last = Some(Tail::of(&frame)),
                Found::Damage { .. } => {}
                Found::Tail { .. } | Found::End => break,
            }
        }
        if let Some(tail) = last {
            return Ok(tail);
        }
    }
    Ok(Tail::default())
}
