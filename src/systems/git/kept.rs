//! A repository as the files system has kept it, compared with a state of it that was recorded later: whoever worked in it between
//! the two has left a trace in HEAD, refs, reflogs, index or configuration. Of what a command left only names and identities
//! are kept, no contents: it is the recorded state that is held against them.

use std::collections::BTreeMap;

use super::dir::Root;
use super::refs::{Refs, packed_lines};
use super::state::{FileKind, RepoState};
use crate::error::Result;
use crate::model::{Bytes, ObjectId, ObjectSource, StateRef};
use crate::systems::files::{Content, Entry, Kind, holds};

/// The repository was in this state as its files were kept: `files` are those of the git directory, by their paths below it,
/// objects left out; `packed` is what `packed-refs` says now or said later. Refs in tables are not compared: of those it is never
/// said.
pub fn is_as_kept(
    state: &StateRef,
    files: &BTreeMap<Bytes, Entry>,
    packed: &[u8],
    source: &dyn ObjectSource,
) -> Result<bool> {
    let Some(state) = RepoState::load(state, source)? else { return Ok(false) };
    let kept = Kept { files, source };
    let head = state.head.as_ref().map_or(&[][..], Bytes::as_slice);
    Ok(state.ref_storage == "files"
        && kept.has(b"HEAD", head)
        && state.index.as_ref().map(|index| index.digest) == kept.index()
        && kept.has_refs(&state.refs, packed)
        && kept.has_files(&state)?)
}

/// What `packed-refs` of a git directory says; nothing where it is not there or cannot be read.
pub fn packed_refs(dir: &Bytes) -> Vec<u8> {
    let content = Root::open(dir.as_path()).and_then(|root| root.read(PACKED.as_bytes()));
    content.ok().flatten().map(|content| content.bytes).unwrap_or_default()
}

/// The file that refs are packed into.
pub const PACKED: &str = "packed-refs";

struct Kept<'a> {
    files: &'a BTreeMap<Bytes, Entry>,
    source: &'a dyn ObjectSource,
}

impl Kept<'_> {
    fn has(&self, name: &[u8], bytes: &[u8]) -> bool {
        self.files.get(&Bytes::from(name)).is_some_and(|entry| holds(entry, bytes))
    }

    /// What the index said.
    fn index(&self) -> Option<ObjectId> {
        match self.files.get(&Bytes::from("index"))?.kind {
            Kind::File { content: Content::GitIndex { says, .. } } => Some(says),
            _ => None,
        }
    }

    /// Just these refs were there, each in a file of its own or in `packed-refs`.
    fn has_refs(&self, refs: &Refs, text: &[u8]) -> bool {
        let is_loose = |(name, value): (&Bytes, &Bytes)| {
            self.files.get(name).map(|entry| holds(entry, &[value.as_slice(), b"\n"].concat()))
        };
        let mut loose = self.files.keys().filter(|name| name.as_slice().starts_with(b"refs/"));
        if !refs.iter().filter_map(is_loose).all(|same| same) || !loose.all(|name| refs.contains_key(name)) {
            return false;
        }
        match self.files.get(&Bytes::from(PACKED)) {
            None => refs.keys().all(|name| self.files.contains_key(name)),
            Some(entry) if holds(entry, text) => {
                let known: Refs =
                    packed_lines(text).map(|(name, value)| (name.into(), value.into())).collect();
                let is_there =
                    |(name, value)| self.files.contains_key(name) || known.get(name) == Some(value);
                refs.iter().all(is_there) && known.keys().all(|name| refs.contains_key(name))
            }
            Some(entry) => holds(entry, &self.packed_again(refs, text)),
        }
    }

    /// What `packed-refs` said where it has been written anew since: git sorts it, so that only its first line and what tag
    /// objects lead to are to be taken from the present one.
    fn packed_again(&self, refs: &Refs, now: &[u8]) -> Vec<u8> {
        let mut lines = now.split_inclusive(|b| *b == b'\n').peekable();
        let mut text = lines.next_if(|line| line.starts_with(b"#")).unwrap_or_default().to_vec();
        let mut peeled: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
        while let Some(line) = lines.next() {
            peeled.extend(lines.next_if(|next| next.starts_with(b"^")).map(|next| (line, next)));
        }
        for (name, value) in refs.iter().filter(|(name, _)| !self.files.contains_key(*name)) {
            let line = [value.as_slice(), b" ", name.as_slice(), b"\n"].concat();
            let leads_to = peeled.get(line.as_slice()).copied().unwrap_or_default();
            text.extend_from_slice(&[&line, leads_to].concat());
        }
        text
    }

    /// What the state has of configuration, operations in progress and reflogs was there with the same content, and no
    /// other reflog.
    fn has_files(&self, state: &RepoState) -> Result<bool> {
        let mut names = Vec::new();
        for (key, file) in state.files.iter().filter(|(_, file)| file.kind != FileKind::Note) {
            let areas = [b"own/".as_slice(), b"common/"];
            let Some(name) = areas.iter().find_map(|area| key.as_slice().strip_prefix(*area)) else {
                return Ok(false);
            };
            if !self.has(name, &file.load(self.source)?) {
                return Ok(false);
            }
            names.push(name);
        }
        let mut logs = self.files.keys().map(Bytes::as_slice).filter(|name| name.starts_with(b"logs/"));
        Ok(logs.all(|name| names.contains(&name)))
    }
}
