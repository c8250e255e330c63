//! One frame of the journal, as bytes. The layout is in `docs/format.md`, section "Journal".

use crate::error::{Error, ExitCode, Result};
use crate::model::Record;

/// First four bytes of a frame. 0xF7 never occurs in UTF-8, so no recorded text can look like the start of a frame.
pub(crate) const MAGIC: [u8; 4] = [0xF7, b'F', b'R', b'J'];
/// Last four bytes of a frame.
pub(crate) const END: [u8; 4] = [b'J', b'R', b'F', 0xF7];
/// The version of the frame layout.
pub(crate) const VERSION: u16 = 1;
/// Bytes before the payload.
pub(crate) const HEADER: usize = 80;
/// Bytes after the payload: hash, total length, end mark.
pub(crate) const FOOTER: usize = 40;
/// The largest payload, stored or raw. Hook input is bounded far below it.
pub(crate) const MAX_PAYLOAD: usize = 128 << 20;
/// The highest sequence and event number: SQLite's.
const MAX_NUMBER: u64 = i64::MAX as u64;
/// Payloads above this are compressed: smaller ones gain less than a page.
const COMPRESS_ABOVE: usize = 16 << 10;

const FLAG_ZSTD: u8 = 1;
/// Room: the payload is sealed. No version writes it yet; who does not know it must not guess.
const FLAG_SEALED: u8 = 2;

/// A blake3 hash.
pub(crate) type Hash = [u8; 32];

/// The fixed part of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Which kind of record (`kind_of`).
    pub kind: u8,
    /// `FLAG_*`.
    pub flags: u8,
    /// Bytes of the payload as stored.
    pub stored_len: u32,
    /// Bytes of the payload when unpacked.
    pub raw_len: u32,
    /// 1, 2, 3… over all segments.
    pub seq: u64,
    /// The event it belongs to; 0 where that is not known.
    pub event: u64,
    /// The highest event number given so far, this frame's included.
    pub last_event: u64,
    /// Wall time of the append, nanoseconds since 1970.
    pub time_ns: i64,
    /// The hash of the frame before; zeros for the first.
    pub prev: Hash,
}

/// A frame whose bytes have been checked, its payload not yet parsed.
#[derive(Clone, Debug)]
pub(crate) struct RawFrame {
    /// The fixed part.
    pub header: Header,
    /// The unpacked payload: JSON of a [`Record`].
    pub payload: Vec<u8>,
    /// Its own hash, the next frame's `prev`.
    pub hash: Hash,
    /// Its length in the segment.
    pub len: u64,
}

/// Why bytes are not a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotAFrame {
    /// They end before the frame does.
    Short,
    /// They do not start as one, or contradict themselves.
    Malformed,
    /// The hash does not match: something was changed.
    HashMismatch,
    /// Written by a newer `fr`.
    Newer(u16),
}

/// What a payload looks like in the file: done before the lock is taken.
pub(crate) struct Payload {
    pub kind: u8,
    flags: u8,
    raw_len: u32,
    stored: Vec<u8>,
}

/// The kind byte of a record.
pub(crate) fn kind_of(record: &Record) -> u8 {
    match record {
        Record::Before(_) => 1,
        Record::After(_) => 2,
        Record::Session(_) => 3,
        Record::Step(_) => 4,
        Record::Gap(_) => 5,
    }
}

impl Payload {
    /// Serialises a record, compressed where it is large.
    pub(crate) fn of(record: &Record) -> Result<Payload> {
        let raw = serde_json::to_vec(record)
            .map_err(|e| Error::failure(format!("cannot serialise a journal record: {e}")))?;
        if raw.len() > MAX_PAYLOAD {
            return Err(Error::failure(format!("a journal record of {} bytes is too large", raw.len())));
        }
        let raw_len = u32::try_from(raw.len()).unwrap_or(u32::MAX);
        let (stored, flags) = match raw.len() {
            n if n > COMPRESS_ABOVE => match zstd::bulk::compress(&raw, 1) {
                Ok(packed) if packed.len() < raw.len() => (packed, FLAG_ZSTD),
                _ => (raw, 0),
            },
            _ => (raw, 0),
        };
        Ok(Payload { kind: kind_of(record), flags, raw_len, stored })
    }
}

/// Appends the bytes of a frame to `out`; its hash.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    payload: &Payload,
    seq: u64,
    event: u64,
    last_event: u64,
    time_ns: i64,
    prev: &Hash,
) -> Hash {
    let start = out.len();
    out.reserve(HEADER + payload.stored.len() + FOOTER);
    out.extend_from_slice(&MAGIC);
    out.push(payload.kind);
    out.push(payload.flags);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&u32::try_from(payload.stored.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&payload.raw_len.to_le_bytes());
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(&event.to_le_bytes());
    out.extend_from_slice(&last_event.to_le_bytes());
    out.extend_from_slice(&time_ns.to_le_bytes());
    out.extend_from_slice(prev);
    out.extend_from_slice(&payload.stored);
    let hash = *blake3::hash(out.get(start..).unwrap_or_default()).as_bytes();
    out.extend_from_slice(&hash);
    let total = out.len() - start + 8;
    out.extend_from_slice(&u32::try_from(total).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&END);
    hash
}

/// The length of the frame that starts with these bytes, as its header claims; nothing of it is checked yet.
pub(crate) fn claimed_len(bytes: &[u8]) -> Result<usize, NotAFrame> {
    if bytes.len() < HEADER {
        return Err(if MAGIC.starts_with(bytes.get(..4.min(bytes.len())).unwrap_or_default()) {
            NotAFrame::Short
        } else {
            NotAFrame::Malformed
        });
    }
    if !bytes.starts_with(&MAGIC) {
        return Err(NotAFrame::Malformed);
    }
    let stored = u32_at(bytes, 8) as usize;
    if stored > MAX_PAYLOAD || u32_at(bytes, 12) as usize > MAX_PAYLOAD {
        return Err(NotAFrame::Malformed);
    }
    Ok(HEADER + stored + FOOTER)
}

/// The header at the start of these bytes, unchecked.
pub(crate) fn header(bytes: &[u8]) -> Option<Header> {
    if bytes.len() < HEADER {
        return None;
    }
    Some(Header {
        kind: *bytes.get(4)?,
        flags: *bytes.get(5)?,
        stored_len: u32_at(bytes, 8),
        raw_len: u32_at(bytes, 12),
        seq: u64_at(bytes, 16),
        event: u64_at(bytes, 24),
        last_event: u64_at(bytes, 32),
        time_ns: u64_at(bytes, 40).cast_signed(),
        prev: hash_at(bytes, 48),
    })
}

/// Checks and unpacks the frame at the start of `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Result<RawFrame, NotAFrame> {
    let total = claimed_len(bytes)?;
    let bytes = bytes.get(..total).ok_or(NotAFrame::Short)?;
    let body = total - FOOTER;
    // The cheap checks first: a hash over 128 MiB is only taken where both ends agree.
    if u32_at(bytes, total - 8) as usize != total || !bytes.ends_with(&END) {
        return Err(NotAFrame::Malformed);
    }
    let hash = hash_at(bytes, body);
    if *blake3::hash(bytes.get(..body).unwrap_or_default()).as_bytes() != hash {
        return Err(NotAFrame::HashMismatch);
    }
    let version = u16::from_le_bytes([byte_at(bytes, 6), byte_at(bytes, 7)]);
    if version != VERSION {
        return Err(NotAFrame::Newer(version));
    }
    let header = header(bytes).ok_or(NotAFrame::Short)?;
    // Whatever continues this frame counts on from its numbers.
    if header.seq.max(header.event).max(header.last_event) > MAX_NUMBER {
        return Err(NotAFrame::Malformed);
    }
    let stored = bytes.get(HEADER..body).ok_or(NotAFrame::Malformed)?;
    let payload = match header.flags {
        0 => stored.to_vec(),
        FLAG_ZSTD => {
            zstd::bulk::decompress(stored, header.raw_len as usize).map_err(|_| NotAFrame::Malformed)?
        }
        f if f & FLAG_SEALED != 0 => return Err(NotAFrame::Newer(version)),
        _ => return Err(NotAFrame::Malformed),
    };
    if payload.len() != header.raw_len as usize {
        return Err(NotAFrame::Malformed);
    }
    Ok(RawFrame { header, payload, hash, len: total as u64 })
}

impl RawFrame {
    /// The record in the payload.
    pub(crate) fn record(&self) -> Result<Record> {
        serde_json::from_slice(&self.payload)
            .map_err(|e| Error::corrupt(format!("journal frame {} is not a record: {e}", self.header.seq)))
    }
}

impl std::fmt::Display for NotAFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotAFrame::Short => f.write_str("a journal frame is cut off"),
            NotAFrame::Malformed => f.write_str("not a journal frame"),
            NotAFrame::HashMismatch => f.write_str("a journal frame was changed (hash)"),
            NotAFrame::Newer(v) => write!(f, "a journal frame of version {v}, this fr knows {VERSION}"),
        }
    }
}

impl NotAFrame {
    /// As an error, with the place in front.
    pub(crate) fn error(&self, place: &str) -> Error {
        match self {
            NotAFrame::Newer(_) => Error::new(ExitCode::NewerStore, format!("{place}: {self}")),
            _ => Error::corrupt(format!("{place}: {self}")),
        }
    }
}

fn byte_at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

pub(crate) fn hash_at(bytes: &[u8], at: usize) -> Hash {
    bytes.get(at..at + 32).and_then(|b| b.try_into().ok()).unwrap_or([0; 32])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Gap;

    #[test]
    fn numbers_that_nothing_could_follow_are_no_frames() {
        let gap = Gap { at_ns: 0, reason: "r".to_owned(), count: 1, detail: None };
        let payload = Payload::of(&Record::Gap(gap)).unwrap();
        let frame = |seq, event, last| {
            let mut bytes = Vec::new();
            encode(&mut bytes, &payload, seq, event, last, 0, &[0; 32]);
            decode(&bytes).map(|f| f.header.seq)
        };
        assert_eq!(frame(MAX_NUMBER, 1, 1), Ok(MAX_NUMBER));
        for (seq, event, last) in [(u64::MAX, 1, 1), (1, u64::MAX, 1), (1, 1, MAX_NUMBER + 1)] {
            assert_eq!(frame(seq, event, last), Err(NotAFrame::Malformed));
        }
    }
}
