//! Reading the journal forward.

use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::append::Journal;
use super::frame::{self, Hash, NotAFrame, RawFrame};
use super::scan::{Found, Scanner};
use super::segment::{self, Position};
use super::tail;
use crate::error::{Error, Result};
use crate::model::{EventId, Record};
use crate::store::file;

/// Most frames are smaller: one read gets them.
const USUAL: usize = 4096;

/// A frame of the journal, checked against its hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Where it begins.
    pub position: Position,
    /// Where the next one begins.
    pub next: Position,
    /// Its sequence number.
    pub seq: u64,
    /// The event it belongs to; 0 where that is not known.
    pub event: EventId,
    /// Wall time of the append, nanoseconds since 1970.
    pub time_ns: i64,
    /// The hash of the frame before.
    pub prev: [u8; 32],
    /// Its own hash.
    pub hash: [u8; 32],
    /// What it holds.
    pub record: Record,
}

/// A raw frame with its place.
pub(crate) struct Placed {
    pub position: Position,
    pub next: Position,
    pub frame: RawFrame,
}

/// The frames from a position on. Damaged places come as one error each and are skipped; a torn end is the end.
pub(crate) struct RawFrames {
    dir: PathBuf,
    waiting: VecDeque<u32>,
    current: Option<(u32, Scanner)>,
    start: Position,
}

impl Journal {
    /// The frames from `from` on, oldest first. A damaged place is one `Err`, and reading goes on at the next whole
    /// frame behind it. The torn end that a killed writer leaves is not an error: it was never acknowledged.
    pub fn frames(&self, from: Position) -> impl Iterator<Item = Result<Frame>> + use<> {
        let (frames, failed) = match self.raw_frames(from) {
            Ok(frames) => (Some(frames), None),
            Err(e) => (None, Some(Err(e))),
        };
        failed.into_iter().chain(frames.into_iter().flatten().map(|placed| placed.and_then(Placed::parse)))
    }

    pub(crate) fn raw_frames(&self, from: Position) -> Result<RawFrames> {
        let waiting = segment::list(self.dir())?.into_iter().filter(|n| *n >= from.segment).collect();
        Ok(RawFrames { dir: self.dir().to_owned(), waiting, current: None, start: from })
    }

    /// The frame at a position, checked.
    pub(crate) fn frame_at(&self, position: Position) -> Result<Placed> {
        read_frame(&self.segment(position.segment)?, position)
    }

    /// True where the last segment ends with a whole frame. What a killed writer left behind it was never acknowledged,
    /// and the next append mends it.
    pub fn ends_whole(&self) -> Result<bool> {
        let Some(last) = segment::list(self.dir())?.last().copied() else { return Ok(true) };
        let path = segment::path(self.dir(), last);
        let io = |e: std::io::Error| Error::io("read", &path, &e);
        let segment = self.segment(last)?;
        let size = segment.metadata().map_err(io)?.len();
        Ok(size == 0 || tail::read(&segment, size).map_err(io)?.is_some())
    }

    /// A segment, for [`read_frame`].
    pub(crate) fn segment(&self, number: u32) -> Result<File> {
        let path = segment::path(self.dir(), number);
        file::open_read(&path).map_err(|e| Error::io("read", &path, &e))
    }

    /// True where bytes follow a position: in its segment, or in a later one.
    pub(crate) fn reaches_beyond(&self, position: Position) -> bool {
        let size = std::fs::metadata(segment::path(self.dir(), position.segment)).map_or(0, |m| m.len());
        let later = || segment::list(self.dir()).is_ok_and(|all| all.last() > Some(&position.segment));
        size > position.offset || later()
    }

    /// The hash of the frame at a position, `None` where no whole frame is there.
    pub(crate) fn hash_at(&self, position: Position) -> Option<Hash> {
        self.frame_at(position).ok().map(|placed| placed.frame.hash)
    }
}

/// The frame at a position of an open segment, checked.
pub(crate) fn read_frame(segment: &File, position: Position) -> Result<Placed> {
    let io = |e: std::io::Error| Error::io("read", position.to_string(), &e);
    let wrong = |why: NotAFrame| why.error(&position.to_string());
    let mut bytes = vec![0u8; USUAL];
    let got = segment.read_at(&mut bytes, position.offset).map_err(io)?;
    bytes.truncate(got);
    let total = frame::claimed_len(&bytes).map_err(wrong)?;
    if total > got {
        let left = segment.metadata().map_err(io)?.len().saturating_sub(position.offset);
        bytes.resize(total.min(usize::try_from(left).unwrap_or(total)), 0);
        let got = file::read_at(segment, &mut bytes, position.offset).map_err(io)?;
        bytes.truncate(got);
    }
    Ok(Placed::new(position, frame::decode(&bytes).map_err(wrong)?))
}

impl Placed {
    pub(crate) fn new(position: Position, frame: RawFrame) -> Placed {
        let next = Position { segment: position.segment, offset: position.offset + frame.len };
        Placed { position, next, frame }
    }

    pub(crate) fn parse(self) -> Result<Frame> {
        let record = self.frame.record()?;
        let header = self.frame.header;
        Ok(Frame {
            position: self.position,
            next: self.next,
            seq: header.seq,
            event: EventId(header.event),
            time_ns: header.time_ns,
            prev: header.prev,
            hash: self.frame.hash,
            record,
        })
    }
}

impl RawFrames {
    fn scanner(&mut self) -> Option<Result<&mut (u32, Scanner)>> {
        if self.current.is_none() {
            let number = self.waiting.pop_front()?;
            let offset = if number == self.start.segment { self.start.offset } else { 0 };
            let path = segment::path(&self.dir, number);
            match file::open_read(&path) {
                Ok(file) => self.current = Some((number, Scanner::new(file, offset))),
                Err(e) => return Some(Err(Error::io("read", &path, &e))),
            }
        }
        self.current.as_mut().map(Ok)
    }
}

impl Iterator for RawFrames {
    type Item = Result<Placed>;

    fn next(&mut self) -> Option<Result<Placed>> {
        loop {
            let last = self.waiting.is_empty();
            let (number, scanner) = match self.scanner()? {
                Ok(pair) => pair,
                Err(e) => return Some(Err(e)),
            };
            let position = Position { segment: *number, offset: scanner.offset };
            let found = scanner.next();
            match found {
                Ok(Found::Frame(frame)) => return Some(Ok(Placed::new(position, *frame))),
                Ok(Found::Damage { why, .. }) => return Some(Err(why.error(&position.to_string()))),
                Ok(Found::End) => self.current = None,
                Ok(Found::Tail { why, .. }) => {
                    self.current = None;
                    // A torn end is cut off before the next segment is begun, so elsewhere it is damage.
                    if !last && !self.waiting.is_empty() {
                        return Some(Err(why.error(&position.to_string())));
                    }
                }
                Err(e) => {
                    self.current = None;
                    let path = segment::path(&self.dir, position.segment);
                    return Some(Err(Error::io("read", path, &e)));
                }
            }
        }
    }
}
