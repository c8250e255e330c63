//! What makes two dumps equal. `DUMP` gives a serialised value, the format's version and a checksum. Sets and hashes that are
//! hash tables inside come in the order of their buckets, which is another one after a `RESTORE`: their elements are compared
//! in order (rdb.h: RDB_TYPE_SET 2, RDB_TYPE_HASH 4).

use crate::model::{ObjectId, ObjectKind};

/// The identity of a dumped value.
pub fn identity(dump: &[u8]) -> ObjectId {
    let ordered = match dump.first() {
        Some(2) => sorted(dump, 1),
        Some(4) => sorted(dump, 2),
        _ => None,
    };
    ObjectId::of(ObjectKind::Blob, ordered.as_deref().unwrap_or(dump))
}

/// The elements in order; `None` where they cannot be told apart.
fn sorted(dump: &[u8], strings: usize) -> Option<Vec<u8>> {
    // Two bytes of version and eight of checksum follow the value.
    let value = dump.get(1..dump.len().checked_sub(10)?)?;
    let (count, mut rest) = length(value)?;
    let mut elements = Vec::new();
    for _ in 0..count {
        let begin = rest;
        for _ in 0..strings {
            rest = after_string(rest)?;
        }
        elements.push(begin.get(..begin.len() - rest.len())?);
    }
    if !rest.is_empty() {
        return None;
    }
    elements.sort_unstable();
    let mut out = dump.get(..1)?.to_vec();
    elements.iter().for_each(|element| out.extend_from_slice(element));
    Some(out)
}

/// A length, and what follows it.
fn length(from: &[u8]) -> Option<(usize, &[u8])> {
    let first = *from.first()?;
    let number = |bytes: &[u8]| bytes.iter().fold(0usize, |n, byte| (n << 8) | usize::from(*byte));
    Some(match (first >> 6, first) {
        (0, _) => (usize::from(first & 63), from.get(1..)?),
        (1, _) => ((usize::from(first & 63) << 8) | usize::from(*from.get(1)?), from.get(2..)?),
        (_, 0x80) => (number(from.get(1..5)?), from.get(5..)?),
        (_, 0x81) => (number(from.get(1..9)?), from.get(9..)?),
        _ => return None,
    })
}

/// What follows a string: a plain one, a small number, or a compressed one.
fn after_string(from: &[u8]) -> Option<&[u8]> {
    match *from.first()? {
        0xc0 => from.get(2..),
        0xc1 => from.get(3..),
        0xc2 => from.get(5..),
        0xc3 => {
            let (packed, rest) = length(from.get(1..)?)?;
            let (_, rest) = length(rest)?;
            rest.get(packed..)
        }
        _ => {
            let (count, rest) = length(from)?;
            rest.get(count..)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_buckets_does_not_count_and_damage_does() {
        let end = [9, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        let set = |inner: &[u8]| [&[2, 3], inner, &end[..]].concat();
        // "a", the number 5, "bc"
        let one = set(&[1, b'a', 0xc0, 5, 2, b'b', b'c']);
        let two = set(&[2, b'b', b'c', 1, b'a', 0xc0, 5]);
        let other = set(&[2, b'b', b'd', 1, b'a', 0xc0, 5]);
        assert_eq!(identity(&one), identity(&two));
        assert_ne!(identity(&one), identity(&other));
        for cut in 0..one.len() {
            let _ = identity(&one[..cut]);
        }
    }
}
