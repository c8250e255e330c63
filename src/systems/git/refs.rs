//! Refs as files: loose ones under `refs/`, the rest in `packed-refs`. Read and written by git's own rules
//! (gitrepository-layout(5), git-pack-refs(1)): lock file, compare, rename; never through hooks. Where a repository keeps
//! them in tables they are read from there.

use std::collections::BTreeMap;

use super::dir::Root;
use super::objects::parse_hex;
use super::place::{Place, Roots};
use super::reftable::Tables;
use crate::error::{Error, Result};
use crate::model::Bytes;

/// Names that belong to one working tree, not to the whole repository (git-worktree(1), "REFS").
const PER_WORKTREE: [&[u8]; 3] = [b"refs/bisect/", b"refs/worktree/", b"refs/rewritten/"];

/// All refs with their values: a hexadecimal object id, or `ref: <name>`.
pub type Refs = BTreeMap<Bytes, Bytes>;

/// True for refs of which every working tree has its own.
pub fn is_per_worktree(name: &[u8]) -> bool {
    PER_WORKTREE.iter().any(|prefix| name.starts_with(prefix))
}

/// The directory in which a ref (or its reflog) is written.
pub fn root_of<'r>(roots: &'r Roots, name: &[u8]) -> &'r Root {
    if is_per_worktree(name) || !name.starts_with(b"refs/") { &roots.own } else { &roots.common }
}

/// Reads all refs. Names that hold no valid value, or are no regular files, go to `odd`.
pub fn read_all(place: &Place, roots: &Roots, odd: &mut Vec<Vec<u8>>) -> Result<Refs> {
    if roots.tables {
        return Ok(Tables::read(roots)?.refs());
    }
    let mut refs = read_packed(&roots.common)?;
    read_loose(&roots.common, &mut refs, odd, |name| !place.is_linked() || !is_per_worktree(name))?;
    if place.is_linked() {
        read_loose(&roots.own, &mut refs, odd, is_per_worktree)?;
    }
    Ok(refs)
}

fn read_loose(
    root: &Root,
    refs: &mut Refs,
    odd: &mut Vec<Vec<u8>>,
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<()> {
    for name in root.files_below(b"refs", odd)? {
        if name.ends_with(b".lock") || !wanted(&name) {
            continue;
        }
        match root.read(&name)?.map(|c| value_of(&c.bytes)) {
            Some(Some(value)) => {
                refs.insert(Bytes(name), value);
            }
            Some(None) => odd.push(name),
            None => {} // deleted while we looked: a packed value, if any, is in force
        }
    }
    Ok(())
}

/// The value in a ref file or in HEAD, without white space at its end; `None` where it is no value.
pub fn value_of(content: &[u8]) -> Option<Bytes> {
    let line = content.trim_ascii_end();
    if let Some(target) = line.strip_prefix(b"ref:") {
        return Some(Bytes([b"ref: ", target.trim_ascii_start()].concat()));
    }
    let hex = line.split(|b| b.is_ascii_whitespace()).next()?;
    parse_hex(hex).map(|_| Bytes::from(hex))
}

fn read_packed(root: &Root) -> Result<Refs> {
    let Some(content) = root.read(b"packed-refs")? else { return Ok(Refs::new()) };
    Ok(packed_lines(&content.bytes).map(|(name, value)| (Bytes::from(name), Bytes::from(value))).collect())
}

/// `(name, value)` of each ref in the text of `packed-refs`; peeled values and the header are skipped.
pub fn packed_lines(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|b| *b == b'\n').filter_map(|line| {
        let cut = line.iter().position(|b| *b == b' ')?;
        let (hex, name) = (line.get(..cut)?, line.get(cut + 1..)?);
        parse_hex(hex).map(|_| (name.trim_ascii_end(), hex))
    })
}

/// The value of one ref (or of HEAD) now.
pub fn read_one(roots: &Roots, name: &[u8]) -> Result<Option<Bytes>> {
    if roots.tables {
        return Ok(Tables::read(roots)?.value(name));
    }
    if let Some(content) = root_of(roots, name).read(name)? {
        return match value_of(&content.bytes) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::failure(format!("{} holds no valid value", Bytes::from(name).lossy()))),
        };
    }
    if !name.starts_with(b"refs/") {
        return Ok(None);
    }
    Ok(read_packed(&roots.common)?.remove(&Bytes::from(name)))
}

/// What a guarded write found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swap {
    /// Written.
    Done,
    /// It had the wanted value already.
    Already,
    /// It has another value than expected; nothing was written.
    Moved(Option<Bytes>),
}

/// Gives a ref a value if it has the expected one (`None`: it does not exist), under git's own lock.
pub fn swap(roots: &Roots, name: &[u8], expected: Option<&Bytes>, wanted: Option<&Bytes>) -> Result<Swap> {
    let root = root_of(roots, name);
    root.clear_empty_dir(name)?;
    let lock = root.lock(name)?;
    let found = read_one(roots, name)?;
    if found.as_ref() == wanted {
        return Ok(Swap::Already);
    }
    if found.as_ref() != expected {
        return Ok(Swap::Moved(found));
    }
    match wanted {
        Some(value) => lock.commit(&[value.as_slice(), b"\n"].concat(), None, None)?,
        None => {
            // Packed first: a crash in between must not let an older packed value come back.
            remove_packed(&roots.common, name)?;
            root.remove(name, 2)?;
            drop(lock);
            root.remove_empty_above(name, 2)?;
        }
    }
    Ok(Swap::Done)
}

fn remove_packed(root: &Root, name: &[u8]) -> Result<()> {
    let holds = |bytes: &[u8]| packed_lines(bytes).any(|(n, _)| n == name);
    if !root.read(b"packed-refs")?.is_some_and(|c| holds(&c.bytes)) {
        return Ok(());
    }
    let lock = root.lock(b"packed-refs")?;
    let Some(content) = root.read(b"packed-refs")? else { return Ok(()) };
    let mut kept = Vec::with_capacity(content.bytes.len());
    let mut dropping = false;
    for line in content.bytes.split_inclusive(|b| *b == b'\n') {
        // A peeled value (`^…`) belongs to the line before it.
        if !line.starts_with(b"^") {
            dropping = packed_lines(line).any(|(n, _)| n == name);
        }
        if !dropping {
            kept.extend_from_slice(line);
        }
    }
    lock.commit(&kept, Some(content.mode), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_refs_are_parsed_with_peeled_lines_and_header_left_out() {
        let a = "a".repeat(40);
        let text = format!("# pack-refs with: peeled\n{a} refs/heads/x\n{a} refs/tags/v1\n^{a}\nrubbish\n");
        let names: Vec<_> = packed_lines(text.as_bytes()).map(|(n, _)| n.to_vec()).collect();
        assert_eq!(names, [b"refs/heads/x".to_vec(), b"refs/tags/v1".to_vec()]);
    }

    #[test]
    fn values_are_ids_or_symbolic() {
        assert_eq!(value_of(b"ref:  refs/heads/a\n"), Some(Bytes::from("ref: refs/heads/a")));
        assert_eq!(value_of(b"zz\n"), None);
        assert_eq!(value_of(format!("{}\n", "1".repeat(64)).as_bytes()), Some(Bytes::from("1".repeat(64))));
        assert_eq!(value_of(b""), None);
    }
}
