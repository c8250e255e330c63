//! Numbers and strings as tables have them: big-endian integers, and the variable-length ones of pack files' OFS_DELTA.

use crate::error::{Error, Result};

/// What is said of any table that does not hold together.
pub fn damaged() -> Error {
    Error::failure("a table of refs is damaged")
}

/// What is left to read.
#[derive(Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(head)
    }

    /// A big-endian number of `count` bytes, at most eight.
    pub fn number(&mut self, count: usize) -> Result<u64> {
        Ok(self.take(count)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// A variable-length number.
    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for round in 0..10 {
            let byte = *self.take(1)?.first().unwrap_or(&0);
            if round > 0 {
                value = value.checked_add(1).and_then(|v| v.checked_mul(128)).ok_or_else(damaged)?;
            }
            value |= u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(damaged())
    }

    /// A length, checked against what is left.
    pub fn length(&mut self) -> Result<usize> {
        usize::try_from(self.varint()?).ok().filter(|len| *len <= self.0.len()).ok_or_else(damaged)
    }

    /// A string with its length before it.
    pub fn string(&mut self) -> Result<Vec<u8>> {
        let len = self.length()?;
        Ok(self.take(len)?.to_vec())
    }
}

/// Appends a variable-length number.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    let mut bytes = vec![(value & 0x7f) as u8];
    loop {
        value >>= 7;
        if value == 0 {
            break;
        }
        value -= 1;
        bytes.push(0x80 | (value & 0x7f) as u8);
    }
    bytes.reverse();
    out.extend(bytes);
}

/// Appends a string with its length before it.
pub fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text);
}

/// Appends the low `count` bytes of a number, big-endian.
pub fn put_number(out: &mut Vec<u8>, value: u64, count: usize) {
    out.extend_from_slice(value.to_be_bytes().get(8 - count..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 127, 128, 129, 255, 16_511, 16_512, 1 << 20, u64::from(u32::MAX), u64::MAX >> 1] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            let mut reader = Reader(&out);
            assert_eq!(reader.varint().unwrap(), value);
            assert!(reader.0.is_empty());
        }
        // The example of Documentation/technical/reftable: 128 is 0x80 0x00.
        let mut out = Vec::new();
        put_varint(&mut out, 128);
        assert_eq!(out, [0x80, 0]);
        assert!(Reader(&[0x80; 12]).varint().is_err(), "a number without an end");
    }
}
