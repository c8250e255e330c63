//! Bytes to text and back without loss: the parser wants UTF-8, file names are bytes.
//!
//! A byte that is not part of valid UTF-8 becomes one character of plane 16's private use area. Characters of that
//! range that were in the text already are treated as bytes too, so that the way back is unambiguous.

use std::borrow::Cow;

use crate::model::Bytes;

const BASE: u32 = 0x10_FF00;

fn is_stand_in(c: char) -> bool {
    (BASE..=BASE + 0xFF).contains(&(c as u32))
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    out.extend(bytes.iter().filter_map(|b| char::from_u32(BASE + u32::from(*b))));
}

/// Text that stands for `bytes`.
pub fn from_bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && (text.is_ascii() || !text.chars().any(is_stand_in))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_stand_in(c) {
                push_bytes(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                out.push(c);
            }
        }
        push_bytes(&mut out, chunk.invalid());
    }
    Cow::Owned(out)
}

/// The bytes that `text` stands for.
pub fn to_bytes(text: &str) -> Bytes {
    if text.is_ascii() || !text.chars().any(is_stand_in) {
        return Bytes::from(text);
    }
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        if is_stand_in(c) {
            out.push((c as u32 - BASE) as u8);
        } else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Bytes(out)
}

/// A text for a shell in which the values of some variables are missing and stand as `$X`. In single quotes that
/// would pass for a name; so such quotes are made double ones.
pub fn unknowns_in_quotes(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let mut rest = script;
    let mut double = false;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\\' => {
                let taken = after.chars().next().map_or(0, char::len_utf8);
                out.push(c);
                out.push_str(after.get(..taken).unwrap_or_default());
                rest = after.get(taken..).unwrap_or_default();
                continue;
            }
            '"' => double = !double,
            '\'' if !double => {
                if let Some((inner, end)) = after.split_once('\'').filter(|(i, _)| i.contains(['$', '`'])) {
                    let inner = inner.replace('\\', "\\\\").replace('"', "\\\"");
                    out.push_str(&format!("\"{inner}\""));
                    rest = end;
                    continue;
                }
                let end = after.find('\'').map_or(after.len(), |i| i + 1);
                out.push(c);
                out.push_str(after.get(..end).unwrap_or_default());
                rest = after.get(end..).unwrap_or_default();
                continue;
            }
            _ => {}
        }
        out.push(c);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{from_bytes, to_bytes};

    #[test]
    fn every_byte_string_comes_back() {
        for bytes in [&b"plain"[..], b"caf\xe9 \xff\xfe", "\u{10FFE9}x".as_bytes(), "žluť".as_bytes()] {
            assert_eq!(to_bytes(&from_bytes(bytes)).as_slice(), bytes);
        }
    }
}
