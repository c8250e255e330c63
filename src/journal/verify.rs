//! Reading all bytes of the journal: every frame's hash, the chain over them, and that none is missing.

use std::path::Path;

use super::Frame;
use super::append::Journal;
use super::frame::{self, Hash, NotAFrame};
use super::read::Placed;
use super::scan::{Found, Scanner};
use super::segment::{self, Position};
use crate::error::{Error, Result};
use crate::model::{EventKind, Record};
use crate::store::file;
use crate::store::verify::{Finding, Severity};

/// What reading the whole journal showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct JournalCheck {
    /// Whole frames.
    pub frames: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// What the next frame must continue.
#[derive(Default)]
struct Chain {
    seq: u64,
    last_event: u64,
    hash: Hash,
    /// Damage was reported since the last whole frame: a break in the chain here is its consequence.
    broken: bool,
}

impl Journal {
    /// Reads everything; `each` is given every whole frame.
    pub(crate) fn check(&self, mut each: impl FnMut(&Frame)) -> Result<JournalCheck> {
        let mut check = JournalCheck::default();
        let mut chain = Chain::default();
        let segments = segment::list(self.dir())?;
        for (expected, number) in (1u32..).zip(&segments) {
            if expected != *number {
                check.damage(self.dir(), expected, 0, "this segment of the journal is missing".to_owned());
                break;
            }
        }
        for number in &segments {
            self.check_segment(*number, Some(number) == segments.last(), &mut chain, &mut check, &mut each)?;
        }
        if let Ok(torn) = std::fs::read_dir(self.dir().join("torn")) {
            for entry in torn.flatten() {
                let what = "a torn end of the journal was cut off here and its bytes kept";
                check.findings.push(Finding::new(Severity::Note, &entry.path(), 0, what));
            }
        }
        Ok(check)
    }

    fn check_segment(
        &self,
        number: u32,
        last: bool,
        chain: &mut Chain,
        check: &mut JournalCheck,
        each: &mut impl FnMut(&Frame),
    ) -> Result<()> {
        let path = segment::path(self.dir(), number);
        let io = |e: std::io::Error| Error::io("read", &path, &e);
        let file = file::open_read(&path).map_err(io)?;
        let mut scanner = Scanner::new(file.try_clone().map_err(io)?, 0);
        let mut at_lock = !last;
        loop {
            let position = Position { segment: number, offset: scanner.offset };
            match scanner.next().map_err(io)? {
                Found::Frame(raw) => {
                    check.frames += 1;
                    check.bytes += raw.len;
                    chain.follow(&raw.header, raw.hash, |what| {
                        check.damage(self.dir(), number, position.offset, what);
                    });
                    let kind = raw.header.kind;
                    match Placed::new(position, *raw).parse() {
                        Ok(frame) if frame::kind_of(&frame.record) == kind => each(&frame),
                        Ok(_) => check.damage(self.dir(), number, position.offset, "wrong kind".to_owned()),
                        Err(e) => check.damage(self.dir(), number, position.offset, e.what),
                    }
                }
                Found::Damage { why, len } => {
                    chain.broken = true;
                    check.damage(self.dir(), number, position.offset, format!("{len} bytes: {why}"));
                }
                Found::Tail { .. } if !at_lock => {
                    // A writer may be in the middle of its write: look again while none can be.
                    file::lock(&file, &path, true, file::LOCK_WAIT)?;
                    at_lock = true;
                    scanner = Scanner::new(file.try_clone().map_err(io)?, position.offset);
                }
                Found::Tail { why, len } => {
                    chain.broken = true;
                    let severity = tail_severity(&file, position.offset, len, last).map_err(io)?;
                    let what = format!("{len} bytes at the end: {why}");
                    check.findings.push(Finding::new(severity, &path, position.offset, what));
                    return Ok(());
                }
                Found::End => return Ok(()),
            }
        }
    }
}

/// A killed writer leaves the first part of a frame. What has a frame's end, or all the length that its start claims,
/// was whole once.
fn tail_severity(file: &std::fs::File, offset: u64, len: u64, last: bool) -> std::io::Result<Severity> {
    let mut bytes = vec![0u8; usize::try_from(len).unwrap_or(0)];
    let got = file::read_at(file, &mut bytes, offset)?;
    bytes.truncate(got);
    let was_whole = bytes.ends_with(&frame::END)
        || frame::claimed_len(&bytes).is_ok_and(|claimed| claimed <= bytes.len())
        || matches!(frame::decode(&bytes), Err(NotAFrame::Newer(_)));
    Ok(if last && !was_whole { Severity::Torn } else { Severity::Damaged })
}

impl Chain {
    fn follow(&mut self, header: &frame::Header, hash: Hash, mut report: impl FnMut(String)) {
        if !self.broken && header.prev != self.hash {
            report(format!("frame {} does not continue the one before it", header.seq));
        }
        if header.seq != self.seq + 1 {
            let (from, to) = (self.seq + 1, header.seq);
            report(format!(
                "frame {from} is expected, frame {to} is here: frames are missing or out of place"
            ));
        }
        let new_event = header.kind == 1;
        if header.last_event < self.last_event
            || (new_event && (header.event != header.last_event || header.event <= self.last_event))
        {
            report(format!("frame {} has event numbers that do not fit", header.seq));
        }
        *self = Chain { seq: header.seq, last_event: header.last_event, hash, broken: false };
    }
}

impl JournalCheck {
    fn damage(&mut self, dir: &Path, number: u32, offset: u64, what: String) {
        let path = segment::path(dir, number);
        self.findings.push(Finding::new(Severity::Damaged, &path, offset, what));
    }
}

/// The objects that a record names.
pub(crate) fn objects_of(record: &Record) -> Vec<crate::model::ObjectId> {
    match record {
        Record::Before(before) => {
            let states = before.captures.iter().filter_map(|c| c.state.object);
            let reversal = before.kind.reversal();
            let net = reversal.map(|reversal| reversal.net.as_slice()).unwrap_or_default();
            let net = net.iter().flat_map(|c| [Some(c.before.state), c.after]).flatten();
            let decided = reversal.and_then(|reversal| reversal.decided);
            let states = states.chain(net.filter_map(|state| state.object));
            let mark = match &before.kind {
                EventKind::Playbook { mark } => Some(mark.objects()),
                _ => None,
            };
            states.chain(decided).chain(before.command.exact).chain(mark.into_iter().flatten()).collect()
        }
        Record::After(after) => after.post.iter().filter_map(|p| p.state.object).collect(),
        Record::Session(_) | Record::Step(_) | Record::Gap(_) => Vec::new(),
    }
}
