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
