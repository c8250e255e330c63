//! The files in a ZIP archive, which is what terraform keeps a plan in.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use ::zip::ZipArchive;

/// The most bytes that all files of an archive may have together.
const MOST: u64 = 256 << 20;

/// The files by their names; `None` where this is no archive, a damaged one, or more than is read.
pub fn files(archive: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut opened = ZipArchive::new(Cursor::new(archive)).ok()?;
    let (mut out, mut left) = (BTreeMap::new(), MOST);
    for at in 0..opened.len() {
        let file = opened.by_index(at).ok()?;
        let (name, mut content) = (file.name().ok()?.into_owned(), Vec::new());
        // One byte more than may be: what an archive says of its sizes need not be so.
        file.take(left + 1).read_to_end(&mut content).ok()?;
        left = left.checked_sub(u64::try_from(content.len()).ok()?)?;
        out.insert(name, content);
    }
    Some(out)
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
