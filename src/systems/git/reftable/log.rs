//! A reflog as text, as a file of it would be: one line an entry, oldest first. So logs of both kinds of repositories are
//! compared, stored and planned alike.

use super::table::LogEntry;
use super::wire::damaged;
use crate::error::Result;

/// The text of a log. Entries that name no value only say that there is a log.
pub fn text<'e>(entries: impl Iterator<Item = &'e LogEntry>) -> Vec<u8> {
    let mut text = Vec::new();
    for entry in entries.filter(|entry| !is_mark(entry)) {
        text.extend(line(entry));
    }
    text
}

/// The entries of a text.
pub fn entries(text: &[u8]) -> Result<Vec<LogEntry>> {
    text.split_inclusive(|b| *b == b'\n').map(|line| entry(line).ok_or_else(damaged)).collect()
}

/// What stands for a log without entries (git: `reftable_be_create_reflog`).
pub fn mark(hash_len: usize) -> LogEntry {
    let none = vec![0; hash_len];
    let (name, email, message) = (Vec::new(), Vec::new(), b"\n".to_vec());
    LogEntry { old: none.clone(), new: none, name, email, time: 0, zone: 0, message }
}

fn is_mark(entry: &LogEntry) -> bool {
    entry.old.iter().chain(&entry.new).all(|byte| *byte == 0)
}

fn line(entry: &LogEntry) -> Vec<u8> {
    let (old, new) = (hex(&entry.old), hex(&entry.new));
    let mut line = format!("{old} {new} ").into_bytes();
    line.extend([entry.name.as_slice(), b" <", &entry.email, b"> "].concat());
    line.extend(format!("{} {:+05}", entry.time, entry.zone).into_bytes());
    let message = entry.message.strip_suffix(b"\n").unwrap_or(&entry.message);
    if !message.is_empty() {
        line.push(b'\t');
        line.extend_from_slice(message);
    }
    line.push(b'\n');
    line
}

fn entry(line: &[u8]) -> Option<LogEntry> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let cut = line.iter().position(|b| *b == b'\t').unwrap_or(line.len());
    let (head, message) = line.split_at(cut);
    let mut words = head.splitn(3, |b| *b == b' ');
    let (old, new, who) = (unhex(words.next()?)?, unhex(words.next()?)?, words.next()?);
    let close = who.iter().rposition(|b| *b == b'>')?;
    let open = who.get(..close)?.iter().rposition(|b| *b == b'<')?;
    let name = who.get(..open)?.trim_ascii_end().to_vec();
    let email = who.get(open + 1..close)?.to_vec();
    let when = std::str::from_utf8(who.get(close + 1..)?).ok()?.trim();
    let (time, zone) = when.split_once(' ')?;
    let message = [message.get(1..).unwrap_or_default(), b"\n"].concat();
    Some(LogEntry { old, new, name, email, time: time.parse().ok()?, zone: zone.parse().ok()?, message })
}

/// An id in hexadecimal.
pub fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id of its hexadecimal digits.
pub fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back() {
        let (a, b) = ("a".repeat(40), "0".repeat(40));
        let lines = [
            format!("{b} {a} A U Thor <a@example.org> 1700000000 +0530\tcommit: x > y <z>\n"),
            format!("{a} {b} fr <fr@localhost> 1 -0800\n"),
        ];
        let all = lines.concat();
        let read = entries(all.as_bytes()).unwrap();
        assert_eq!((read[0].zone, read[1].zone), (530, -800));
        assert_eq!(String::from_utf8(text(read.iter())).unwrap(), all);
        assert!(text([mark(20)].iter()).is_empty());
        assert!(entries(b"rubbish\n").is_err());
    }
}
