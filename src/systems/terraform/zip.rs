//! The files in a ZIP archive (PKWARE's APPNOTE.TXT, 4.3), as far as terraform writes one: stored or deflated, no encryption.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::DeflateDecoder;

/// The most bytes that all files of an archive may have together.
const MOST: u64 = 256 << 20;
/// The bytes of the record at the end, without its comment.
const END: usize = 22;

/// The files by their names; `None` where this is no archive, or more than is read.
pub fn files(archive: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let last = archive.len().checked_sub(END)?;
    let end = (last.saturating_sub(usize::from(u16::MAX))..=last).rev();
    let end =
        end.into_iter().find(|at| archive.get(*at..).is_some_and(|rest| rest.starts_with(b"PK\x05\x06")))?;
    let (count, mut at) = (number(archive, end + 10, 2)?, number(archive, end + 16, 4)?);
    let (mut out, mut left) = (BTreeMap::new(), MOST);
    for _ in 0..count {
        archive.get(at..).filter(|rest| rest.starts_with(b"PK\x01\x02"))?;
        let field = |offset: usize, size: usize| number(archive, at.checked_add(offset)?, size);
        let (method, packed, size) = (field(10, 2)?, field(20, 4)?, field(24, 4)?);
        let (name, extra, comment) = (field(28, 2)?, field(30, 2)?, field(32, 2)?);
        let start = at.checked_add(46)?;
        let name_bytes = archive.get(start..start.checked_add(name)?)?;
        left = left.checked_sub(u64::try_from(size).ok()?)?;
        let content = content(archive, field(42, 4)?, method, packed, size)?;
        out.insert(String::from_utf8_lossy(name_bytes).into_owned(), content);
        at = start.checked_add(name)?.checked_add(extra)?.checked_add(comment)?;
    }
    Some(out)
}

/// One file, whose own header is there.
fn content(archive: &[u8], header: usize, method: usize, packed: usize, size: usize) -> Option<Vec<u8>> {
    archive.get(header..).filter(|rest| rest.starts_with(b"PK\x03\x04"))?;
    let field = |offset: usize| number(archive, header.checked_add(offset)?, 2);
    let start = header.checked_add(30)?.checked_add(field(26)?)?.checked_add(field(28)?)?;
    let packed = archive.get(start..start.checked_add(packed)?)?;
    let mut out = Vec::new();
    match method {
        0 => out.extend_from_slice(packed),
        // One byte more than is said, so that a file that says less than it has is noticed.
        8 => {
            let most = u64::try_from(size).ok()?.checked_add(1)?;
            DeflateDecoder::new(packed).take(most).read_to_end(&mut out).ok()?;
        }
        _ => return None,
    }
    (out.len() == size).then_some(out)
}

fn number(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `printf hello | zip`, by Python's zipfile: `a` stored, `b/c` deflated.
    const ARCHIVE: &[u8] = include_bytes!("../../../tests/corpus/terraform/two.zip");

    #[test]
    fn an_archive_is_read() {
        let files = files(ARCHIVE).unwrap();
        let of = |name: &str| String::from_utf8_lossy(&files[name]).into_owned();
        assert_eq!((of("a"), of("b/c")), ("hello".to_owned(), "hello ".repeat(50)));
        assert_eq!(super::files(b"{\"remote_plan_format\":1}"), None);
        assert_eq!(super::files(b""), None);
    }

    proptest! {
        #[test]
        fn a_damaged_archive_is_none_or_read(at in 0..ARCHIVE.len(), byte: u8, end in 0..ARCHIVE.len()) {
            let mut bytes = ARCHIVE.to_vec();
            bytes[at] = byte;
            let _whole = files(&bytes);
            let _part = files(&bytes[..end]);
        }
    }
}
