//! Names of packs: `packs/0001-9f3a61c2.frp`. The number gives the order, the random part keeps two writers apart.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The file name of a pack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PackName {
    /// Its number, from 1; two packs may share one.
    pub number: u32,
    /// The whole name.
    pub text: String,
}

impl PackName {
    /// A new name.
    pub(crate) fn new(number: u32) -> PackName {
        let mut random = [0u8; 4];
        crate::platform::random::fill(&mut random);
        PackName { number, text: format!("{number:04}-{:08x}.frp", u32::from_le_bytes(random)) }
    }

    /// The pack that a file name names, `None` where it names none.
    pub(crate) fn parse(name: &str) -> Option<PackName> {
        let (number, random) = name.strip_suffix(".frp")?.split_once('-')?;
        let hex = random.len() == 8 && random.bytes().all(|b| b.is_ascii_hexdigit());
        let number = number.parse().ok().filter(|_| number.len() >= 4 && hex)?;
        Some(PackName { number, text: name.to_owned() })
    }

    /// Its path.
    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(&self.text)
    }
}

/// The packs there are, oldest first.
pub(crate) fn list(dir: &Path) -> Result<Vec<PackName>> {
    let mut names = Vec::new();
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(names),
        Err(e) => return Err(Error::io("list", dir, &e)),
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("list", dir, &e))?;
        names.extend(entry.file_name().to_str().and_then(PackName::parse));
    }
    names.sort_unstable();
    Ok(names)
}
