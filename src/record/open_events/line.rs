//! One line of the log of open events: a head of fixed width, so that a thousand lines are passed over in microseconds,
//! and a body that is read only where it is asked for.
//!
//! `KIND TIME ID PLACE TAG LENGTH BODY`, with a line feed before and after: what a full disk has cut short costs itself
//! and not what follows.

use std::fmt::Write as _;
use std::io::Write as _;

/// What a line says about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is reported for the first time, and about to be captured. Tag: the digest of its key. Body: the report.
    Claim,
    /// It is on record. Tag: the event that it is a part of. Body: the open event.
    Open,
    /// Another channel has reported it as well. Body: the channel.
    Mark,
    /// A channel has reported its end. Body: the channel.
    Told,
    /// The record says that nobody told how it ended.
    Closed,
    /// Nobody will ask for it any more.
    Gone,
}

const KINDS: [(Kind, u8); 6] = [
    (Kind::Claim, b'c'),
    (Kind::Open, b'o'),
    (Kind::Mark, b'm'),
    (Kind::Told, b't'),
    (Kind::Closed, b'x'),
    (Kind::Gone, b'g'),
];

/// What tells one open call from all others: when and by which process it was claimed. Sorts by time.
pub type Id = [u8; 31];
/// Where an ending looks for its call: a digest of session and call, in hex.
pub type Place = [u8; 32];
/// A number or a part of a digest, in hex.
pub type Tag = [u8; 16];

/// No tag.
pub const NONE: Tag = *b"0000000000000000";

/// The widths of the head's fields, and where each begins.
const AT: usize = 2;
const ID: usize = AT + 21;
const PLACE: usize = ID + 32;
const TAG: usize = PLACE + 33;
const LENGTH: usize = TAG + 17;
const BODY: usize = LENGTH + 10;
/// How many bytes a line has beside its body.
pub const HEAD: usize = BODY + 2;

/// A line that is about to be appended.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// What it says.
    pub kind: Kind,
    /// When, nanoseconds since 1970.
    pub at_ns: i64,
    /// About which call.
    pub id: Id,
    /// Where the call's ending looks for it.
    pub place: Place,
    /// See [`Kind`].
    pub tag: Tag,
    /// See [`Kind`].
    pub body: &'a [u8],
}

impl Line<'_> {
    /// Its bytes, to be appended in one write.
    pub fn encode(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(HEAD + self.body.len());
        let letter = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or(b'?', |(_, letter)| *letter);
        line.extend([b'\n', letter]);
        // Writing to a vector does not fail.
        let _ = write!(line, " {:020} ", self.at_ns.max(0));
        for field in [&self.id[..], &self.place, &self.tag] {
            line.extend_from_slice(field);
            line.push(b' ');
        }
        let _ = write!(line, "{:09} ", self.body.len());
        line.extend_from_slice(self.body);
        line.push(b'\n');
        line
    }
}

/// A line as it lies in the log. Its fields are read when they are asked for: most lines are passed over.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// What it says.
    pub kind: Kind,
    /// See [`Kind`].
    pub body: &'a [u8],
    head: &'a [u8; BODY],
}

impl<'a> Written<'a> {
    /// When, nanoseconds since 1970.
    pub fn at_ns(&self) -> i64 {
        number(&self.head[AT..ID - 1]).unwrap_or(0)
    }

    /// About which call.
    pub fn id(&self) -> &'a Id {
        field::<ID, 31>(self.head)
    }

    /// Where the call's ending looks for it.
    pub fn place(&self) -> &'a Place {
        field::<PLACE, 32>(self.head)
    }

    /// See [`Kind`].
    pub fn tag(&self) -> &'a Tag {
        field::<TAG, 16>(self.head)
    }

    /// Its bytes in the log.
    pub fn encode(&self) -> impl Iterator<Item = u8> + use<'a> {
        let bytes = [b"\n", &self.head[..], self.body, b"\n"];
        bytes.into_iter().flatten().copied()
    }
}

fn field<const AT: usize, const N: usize>(head: &[u8; BODY]) -> &[u8; N] {
    const { assert!(AT + N < BODY) };
    head[AT..].first_chunk().unwrap_or(&[0; N])
}

/// The id of a call that is claimed now.
pub fn id(at_ns: i64, process: u32) -> Id {
    let mut text = String::with_capacity(31);
    let _ = write!(text, "{:020}-{process:010}", at_ns.max(0));
    fixed(text.as_bytes()).unwrap_or([b'0'; 31])
}

/// A number as a tag.
pub fn tag(number: u64) -> Tag {
    fixed(format!("{number:016x}").as_bytes()).unwrap_or(NONE)
}

/// The lines of a log, and where the last whole one ends.
pub struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    /// The end of the last whole line.
    pub end: usize,
}

/// Reads a log from its beginning or from the end of a line.
pub fn lines(text: &[u8]) -> Lines<'_> {
    Lines { text, at: 0, end: 0 }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Written<'a>;

    fn next(&mut self) -> Option<Written<'a>> {
        loop {
            let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
            if let Some((line, len)) = decode(rest) {
                self.at += len;
                self.end = self.at;
                return Some(line);
            }
            // Between two lines, or in what was cut short: the next line begins after a line feed.
            self.at += 1 + rest.iter().position(|byte| *byte == b'\n')?;
        }
    }
}

fn decode(text: &[u8]) -> Option<(Written<'_>, usize)> {
    let head = text.first_chunk::<BODY>()?;
    let kind = KINDS.iter().find(|(_, letter)| *letter == head[0])?.0;
    if [AT, ID, PLACE, TAG, LENGTH, BODY].iter().any(|start| head[start - 1] != b' ') {
        return None;
    }
    let len: usize = number(&head[LENGTH..BODY - 1])?;
    let body = text.get(BODY..BODY.checked_add(len)?)?;
    (text.get(BODY + len) == Some(&b'\n')).then_some((Written { kind, body, head }, BODY + len + 1))
}

fn number<N: std::str::FromStr>(digits: &[u8]) -> Option<N> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A field of fixed width.
pub fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(body: &[u8]) -> Line<'_> {
        Line { kind: Kind::Open, at_ns: 17, id: id(5, 42), place: [b'a'; 32], tag: tag(255), body }
    }

    #[test]
    fn lines_come_back() {
        let text = [line(b"{}").encode(), line(b"").encode()].concat();
        let mut found = lines(&text);
        let bodies: Vec<_> =
            found.by_ref().map(|line| (line.kind, line.at_ns(), *line.tag(), line.body)).collect();
        let tag = *b"00000000000000ff";
        assert_eq!(bodies, [(Kind::Open, 17, tag, &b"{}"[..]), (Kind::Open, 17, tag, b"")]);
        assert_eq!(found.end, text.len());
    }

    #[test]
    fn what_was_cut_short_costs_only_itself() {
        let whole = line(b"{\"a\":1}").encode();
        for cut in 0..whole.len() - 1 {
            let text = [&whole[..cut], &whole, b"\0\0\0"].concat();
            let mut found = lines(&text);
            assert_eq!(found.by_ref().count(), 1, "cut after {cut} bytes");
            assert_eq!(found.end, text.len() - 3);
        }
    }
}
