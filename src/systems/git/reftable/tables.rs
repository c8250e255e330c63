//! A repository's tables seen as the files that they stand for. A linked working tree has tables of its own for HEAD and
//! the refs that belong to it.

use std::collections::BTreeMap;

use super::log;
use super::stack::Stack;
use super::table::RefValue;
use crate::error::Result;
use crate::model::Bytes;
use crate::systems::git::look::Area;
use crate::systems::git::place::Roots;
use crate::systems::git::refs::{Refs, is_per_worktree, value_of};

/// Refs directly in the git directory that do not end in `_HEAD` (git's `is_root_ref`).
const ROOT_REFS: [&[u8]; 6] = [
    b"HEAD",
    b"AUTO_MERGE",
    b"BISECT_EXPECTED_REV",
    b"NOTES_MERGE_PARTIAL",
    b"NOTES_MERGE_REF",
    b"MERGE_AUTOSTASH",
];
/// Those that are files whatever keeps the refs (gitglossary(7), "pseudoref").
const FILES: [&[u8]; 2] = [b"FETCH_HEAD", b"MERGE_HEAD"];

/// The tables of a repository.
pub struct Tables {
    /// The shared ones.
    pub common: Stack,
    /// Those of a linked working tree.
    pub own: Option<Stack>,
}

/// What in the tables a file's name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept<'k> {
    /// A ref directly in the git directory.
    Ref(&'k [u8]),
    /// The log of a ref.
    Log(&'k [u8]),
}

/// Where the tables keep what would be the file `name` of a git directory; `None` for what is a file here too.
pub fn kept_as(name: &[u8]) -> Option<Kept<'_>> {
    if let Some(of) = name.strip_prefix(b"logs/") {
        return Some(Kept::Log(of));
    }
    let plain = name.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_'));
    let root = plain && (name.ends_with(b"_HEAD") || ROOT_REFS.contains(&name));
    (root && !FILES.contains(&name)).then_some(Kept::Ref(name))
}

impl Tables {
    /// Reads them all.
    pub fn read(roots: &Roots) -> Result<Tables> {
        let own = if roots.linked { Some(Stack::read(&roots.own)?) } else { None };
        Ok(Tables { common: Stack::read(&roots.common)?, own })
    }

    /// Which directory's tables hold a ref and its log.
    pub fn area_of(&self, name: &[u8]) -> Area {
        let is_own = is_per_worktree(name) || !name.starts_with(b"refs/");
        if is_own && self.own.is_some() { Area::Own } else { Area::Common }
    }

    /// The tables of one directory.
    pub fn stack(&self, area: Area) -> &Stack {
        match (&self.own, area) {
            (Some(own), Area::Own) => own,
            _ => &self.common,
        }
    }

    /// The value of a ref or of HEAD.
    pub fn value(&self, name: &[u8]) -> Option<Bytes> {
        self.stack(self.area_of(name)).refs.get(name).map(shown)
    }

    /// The text of a log.
    pub fn log(&self, name: &[u8]) -> Option<Vec<u8>> {
        let log = self.stack(self.area_of(name)).logs.get(name)?;
        Some(log::text(log.values()))
    }

    /// What a file of this name would hold.
    pub fn content(&self, kept: Kept<'_>) -> Option<Vec<u8>> {
        match kept {
            Kept::Log(name) => self.log(name),
            Kept::Ref(name) => self.value(name).map(|value| [value.as_slice(), b"\n"].concat()),
        }
    }

    /// All refs below `refs/`.
    pub fn refs(&self) -> Refs {
        let all = self.each(|stack| stack.refs.iter());
        let refs = all.filter(|(name, _)| name.starts_with(b"refs/"));
        refs.map(|(name, value)| (Bytes::from(name.as_slice()), shown(value))).collect()
    }

    /// The names, as files, of all logs and root refs but HEAD, each with the directory that it would be in.
    pub fn files(&self) -> Vec<(Area, Vec<u8>)> {
        let own = |name: &[u8]| if name.starts_with(b"refs/") { self.area_of(name) } else { Area::Own };
        let logs = self.each(|stack| stack.logs.keys().map(|name| (name, ())));
        let logs = logs.map(|(name, ())| (own(name), [b"logs/", name.as_slice()].concat()));
        let roots = self.each(|stack| stack.refs.iter()).map(|(name, _)| name);
        let roots = roots.filter(|name| name.as_slice() != b"HEAD" && kept_as(name).is_some());
        logs.chain(roots.map(|name| (Area::Own, name.clone()))).collect()
    }

    /// What tag objects lead to, as the tables note it: a tag that comes back needs it.
    pub fn peeled(&self) -> BTreeMap<Bytes, Bytes> {
        let values = self.each(|stack| stack.refs.iter()).map(|(_, value)| value);
        let tags = values.filter_map(|value| match value {
            RefValue::Id { id, peeled: Some(to) } => {
                Some((Bytes::from(log::hex(id)), Bytes::from(log::hex(to))))
            }
            _ => None,
        });
        tags.collect()
    }

    /// What is checked out elsewhere, as seen from a linked working tree: it must not be lost.
    pub fn elsewhere(&self) -> Option<Bytes> {
        self.own.as_ref().and_then(|_| self.common.refs.get(&b"HEAD"[..]).map(shown))
    }

    /// Everything that this working tree sees.
    fn each<'s, V, I: Iterator<Item = (&'s Vec<u8>, V)> + 's>(
        &'s self,
        of: impl Fn(&'s Stack) -> I,
    ) -> impl Iterator<Item = (&'s Vec<u8>, V)> {
        let common = of(&self.common).filter(|(name, _)| self.area_of(name) == Area::Common);
        let own = self.own.as_ref().map(of);
        common.chain(own.into_iter().flatten())
    }
}

/// A value as a file of it would have it.
fn shown(value: &RefValue) -> Bytes {
    match value {
        RefValue::Id { id, .. } => Bytes::from(log::hex(id)),
        RefValue::Symbolic(target) => Bytes([b"ref: ", target.as_slice()].concat()),
    }
}

/// The value that a text means; `None` where it is none.
pub fn meant(text: &[u8], peeled: &BTreeMap<Bytes, Bytes>) -> Option<RefValue> {
    let value = value_of(text)?;
    if let Some(target) = value.as_slice().strip_prefix(b"ref: ") {
        return Some(RefValue::Symbolic(target.to_vec()));
    }
    let to = peeled.get(&value).and_then(|to| log::unhex(to.as_slice()));
    Some(RefValue::Id { id: log::unhex(value.as_slice())?, peeled: to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_that_the_tables_keep() {
        assert_eq!(kept_as(b"logs/refs/heads/a"), Some(Kept::Log(b"refs/heads/a")));
        for name in [&b"HEAD"[..], b"ORIG_HEAD", b"CHERRY_PICK_HEAD", b"AUTO_MERGE"] {
            assert_eq!(kept_as(name), Some(Kept::Ref(name)));
        }
        for name in [&b"MERGE_HEAD"[..], b"FETCH_HEAD", b"MERGE_MSG", b"config", b"rebase-merge/head-name"] {
            assert_eq!(kept_as(name), None);
        }
    }
}
