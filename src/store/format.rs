//! The `format` file: which version wrote this store. It is read before anything else is.
//!
//! `fr store 1.0 ids=blake3 sum=<16 hex digits>\n`. A greater major version is refused; a greater minor version may
//! only add what an older `fr` can ignore.

use std::fs::DirBuilder;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::error::{Error, ExitCode, Result};
use crate::model::ObjectId;
use crate::platform::home::Home;
use crate::store::file;

/// The major version this `fr` reads and writes.
pub const MAJOR: u16 = 1;
/// The minor version this `fr` writes.
pub const MINOR: u16 = 0;

const INTRO: &str = "fr store ";
const SUM: &str = " sum=";

/// Fails with exit code 10 where there is no store, with 13 where a newer `fr` made it. Three system calls.
pub fn check(home: &Home) -> Result<()> {
    let path = home.format_file();
    let mut text = [0u8; 256];
    let read = file::open_read(&path).and_then(|mut f| f.read(&mut text));
    let len = match read {
        Ok(len) => len,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::new(
                ExitCode::NoStore,
                format!("there is no store at {}", home.root.display()),
            )
            .hint("run `fr install`, or set FR_HOME to where the store is"));
        }
        Err(e) => return Err(Error::io("read", &path, &e)),
    };
    let (major, minor) = parse(text.get(..len).unwrap_or_default())
        .ok_or_else(|| Error::corrupt(format!("{} does not name a store version", path.display())))?;
    if major > MAJOR {
        let what = format!("the store at {} has format {major}.{minor}", home.root.display());
        return Err(Error::new(ExitCode::NewerStore, format!("{what}, this fr knows up to {MAJOR}"))
            .hint("use the fr that wrote it, or a newer one"));
    }
    Ok(())
}

/// True where the whole file, checksum included, is as it was written.
pub(crate) fn is_intact(text: &[u8]) -> bool {
    let Some(body) = std::str::from_utf8(text).ok().and_then(|t| t.strip_suffix('\n')) else { return false };
    body.split_once(SUM).is_some_and(|(body, sum)| sum == checksum(body))
}

fn parse(text: &[u8]) -> Option<(u16, u16)> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix(INTRO)?;
    let version = text.split([' ', '\n']).next()?;
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn checksum(body: &str) -> String {
    let id = ObjectId(*blake3::hash(body.as_bytes()).as_bytes());
    id.to_string().chars().take(16).collect()
}

/// The text that this version writes.
pub(crate) fn text() -> String {
    let body = format!("{INTRO}{MAJOR}.{MINOR} ids=blake3");
    format!("{body}{SUM}{}\n", checksum(&body))
}

/// Makes the directories and the format file where they are missing. The format file comes last and by rename, so a
/// half-made store is no store.
pub(crate) fn create(home: &Home) -> Result<()> {
    for dir in [home.root.clone(), home.journal(), home.packs()] {
        make_dir(&dir)?;
    }
    file::sync_dir(&home.root)?;
    if let Some(parent) = home.root.parent() {
        // Not fatal: a parent that cannot be opened for reading is still a parent.
        let _ = file::sync_dir(parent);
    }
    file::replace(&home.format_file(), text().as_bytes())
}

/// Makes a directory with mode 0700, and its parents.
pub(crate) fn make_dir(dir: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| Error::io("create", dir, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flipped_bit_of_the_format_file_is_seen() {
        let good = text().into_bytes();
        assert!(is_intact(&good));
        assert_eq!(parse(&good), Some((MAJOR, MINOR)));
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_intact(&bad), "bit {bit}");
        }
    }

    #[test]
    fn a_newer_major_is_refused_and_a_newer_minor_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        assert_eq!(check(&home).unwrap_err().code, ExitCode::NoStore);
        std::fs::write(home.format_file(), "fr store 1.9\n").unwrap();
        check(&home).unwrap();
        for newer in ["fr store 2\n", "fr store 2.0 x=y\n", "fr store 65535.1\n"] {
            std::fs::write(home.format_file(), newer).unwrap();
            assert_eq!(check(&home).unwrap_err().code, ExitCode::NewerStore, "{newer}");
        }
        std::fs::write(home.format_file(), "hello").unwrap();
        assert_eq!(check(&home).unwrap_err().code, ExitCode::Failure);
    }
}
