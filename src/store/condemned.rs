//! The packs that gc will remove after a grace time. Nobody may rely on what only they hold.
//!
//! `packs/condemned`, replaced as a whole: one line `<pack> <length> <since, ns>` per pack, then a checksum line.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::file;
use crate::error::{Error, Result};
use crate::model::ObjectId;

/// One condemned pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condemned {
    /// Its file name.
    pub pack: String,
    /// Its length then: a pack that has grown since has been used, and is acquitted.
    pub len: u64,
    /// When, nanoseconds since 1970.
    pub since_ns: i64,
}

/// The path of the list.
pub(crate) fn path(packs: &Path) -> PathBuf {
    packs.join("condemned")
}

/// The list; empty where there is none.
pub(crate) fn read(packs: &Path) -> Result<Vec<Condemned>> {
    let path = path(packs);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("read", &path, &e)),
    };
    parse(&text).ok_or_else(|| Error::corrupt(format!("{} is damaged", path.display())))
}

/// The names on the list.
pub(crate) fn names(packs: &Path) -> Result<HashSet<String>> {
    Ok(read(packs)?.into_iter().map(|c| c.pack).collect())
}

/// Replaces the list durably.
pub(crate) fn write(packs: &Path, list: &[Condemned]) -> Result<()> {
    let mut body = String::new();
    for c in list {
        body.push_str(&format!("{} {} {}\n", c.pack, c.len, c.since_ns));
    }
    let sum = sum(&body);
    file::replace(&path(packs), format!("{body}sum {sum}\n").as_bytes())
}

fn sum(body: &str) -> String {
    ObjectId(*blake3::hash(body.as_bytes()).as_bytes()).short()
}

fn parse(text: &str) -> Option<Vec<Condemned>> {
    let (body, tail) = text.split_at(text.rfind("sum ")?);
    if tail != format!("sum {}\n", sum(body)) {
        return None;
    }
    body.lines()
        .map(|line| {
            let mut words = line.split(' ');
            let (pack, len, since) = (words.next()?, words.next()?, words.next()?);
            Some(Condemned { pack: pack.to_owned(), len: len.parse().ok()?, since_ns: since.parse().ok()? })
        })
        .collect()
}
