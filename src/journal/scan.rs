//! Walking a segment frame by frame, over damaged places and to the torn end.

use std::fs::File;
use std::io;

use super::frame::{self, HEADER, MAGIC, NotAFrame, RawFrame};
use crate::store::file;

/// What stands at a place of a segment.
#[derive(Debug)]
pub(crate) enum Found {
    /// A whole frame.
    Frame(Box<RawFrame>),
    /// Bytes that are no frame, with a whole frame after them.
    Damage {
        /// How many.
        len: u64,
        /// What the first of them is not.
        why: NotAFrame,
    },
    /// Bytes that are no frame, up to the end of the file.
    Tail {
        /// How many.
        len: u64,
        /// What the first of them is not.
        why: NotAFrame,
    },
    /// The end of the file.
    End,
}

/// A segment being read forward.
pub(crate) struct Scanner {
    file: File,
    window: Vec<u8>,
    /// Where the window begins in the file.
    base: u64,
    /// Where the next frame is expected.
    pub offset: u64,
}

const READ_AHEAD: usize = 256 << 10;

impl Scanner {
    /// Starts at `offset`.
    pub(crate) fn new(file: File, offset: u64) -> Scanner {
        Scanner { file, window: Vec::new(), base: offset, offset }
    }

    /// The bytes `[offset, offset + len)`, fewer at the end of the file.
    fn view(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        let inside = |base: u64, have: usize| {
            let start = usize::try_from(offset.checked_sub(base)?).ok()?;
            (start + len <= have).then_some(start)
        };
        if inside(self.base, self.window.len()).is_none() {
            self.window.resize(len.max(READ_AHEAD), 0);
            let got = file::read_at(&self.file, &mut self.window, offset)?;
            self.window.truncate(got);
            self.base = offset;
        }
        let start = usize::try_from(offset - self.base).unwrap_or(usize::MAX);
        let end = start.saturating_add(len).min(self.window.len());
        Ok(self.window.get(start..end).unwrap_or_default())
    }

    fn frame_at(&mut self, offset: u64) -> io::Result<Result<RawFrame, NotAFrame>> {
        let total = match frame::claimed_len(self.view(offset, HEADER)?) {
            Ok(total) => total,
            Err(why) => return Ok(Err(why)),
        };
        Ok(frame::decode(self.view(offset, total)?))
    }

    /// What stands at the present place; moves behind it, except at the torn end.
    pub(crate) fn next(&mut self) -> io::Result<Found> {
        if self.view(self.offset, 1)?.is_empty() {
            return Ok(Found::End);
        }
        let why = match self.frame_at(self.offset)? {
            Ok(frame) => {
                self.offset += frame.len;
                return Ok(Found::Frame(Box::new(frame)));
            }
            Err(why) => why,
        };
        let start = self.offset;
        match self.resync(start + 1)? {
            Ok(next) => {
                self.offset = next;
                Ok(Found::Damage { len: next - start, why })
            }
            Err(end) => Ok(Found::Tail { len: end - start, why }),
        }
    }

    /// The next whole frame at or after `from`, else the end of the file.
    fn resync(&mut self, mut from: u64) -> io::Result<Result<u64, u64>> {
        loop {
            let chunk = self.view(from, READ_AHEAD)?;
            if chunk.is_empty() {
                return Ok(Err(from));
            }
            let len = chunk.len();
            match chunk.windows(MAGIC.len()).position(|w| w == MAGIC) {
                Some(at) => {
                    let candidate = from + at as u64;
                    match self.frame_at(candidate)? {
                        Ok(_) | Err(NotAFrame::Newer(_)) => return Ok(Ok(candidate)),
                        Err(_) => from = candidate + 1,
                    }
                }
                // The magic may lie across the edge; the last bytes of the file cannot hold one.
                None if len < READ_AHEAD => return Ok(Err(from + len as u64)),
                None => from += (len - (MAGIC.len() - 1)) as u64,
            }
        }
    }
}
