//! Trees of another system (a repository that an event of the set made) that go with the events that made them, whatever is in
//! them by now.

use super::{Value, World};
use crate::error::Result;
use crate::model::{EventId, ObjectKind};
use crate::systems::OwnTree;
use crate::systems::files::entry::{Entry, Kind};
use crate::systems::files::tree::{Named, State, decode_tree, digest_of, encode_tree};

impl World<'_> {
    /// The tree of another system that a path lies in: one that this event made or worked in, else one that a later event made.
    pub(super) fn own_tree(&self, full: &[u8], event: EventId) -> Option<&OwnTree> {
        let mut holding = self.cx.own.iter().filter(|tree| tree.holds(full));
        holding.clone().find(|tree| tree.is_of(event)).or_else(|| holding.find(|tree| tree.made_by > event))
    }

    /// The state that an event left, without the trees that it made in the place of others, which go as a whole.
    pub(super) fn before_it_was_replaced(&self, mut state: State, event: EventId) -> Result<State> {
        let replacing = self.cx.own.iter().filter(|tree| tree.replaces && tree.made_by == event);
        for tree in replacing {
            let Some(below) = tree.at.as_slice().strip_prefix(state.path.as_slice()) else { continue };
            if below.is_empty() || below.starts_with(b"/") {
                state.entry = match state.entry.take() {
                    Some(top) => self.without(top, below)?,
                    None => None,
                };
            }
        }
        Ok(state)
    }

    /// A tree without what is at a path in it.
    fn without(&self, entry: Entry, path: &[u8]) -> Result<Option<Entry>> {
        let Some(path) = path.strip_prefix(b"/") else { return Ok(None) };
        let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
        let (name, rest) = path.split_at(end);
        let Some(tree) = entry.tree() else { return Ok(Some(entry)) };
        let mut names = Vec::new();
        for Named { name: its, entry } in decode_tree(&self.cx.source.get(&tree)?)? {
            let kept = if its.as_slice() == name { self.without(entry, rest)? } else { Some(entry) };
            names.extend(kept.map(|entry| Named { name: its, entry }));
        }
        let tree = Some(self.cx.made.put(ObjectKind::Tree, &encode_tree(&names)?)?);
        Ok(Some(Entry { kind: Kind::Dir { tree, digest: digest_of(&names) }, ..entry }))
    }

    /// What an event of the set made goes with all that is in it by now, or was when a later event of the set removed it.
    pub(super) fn remove_whole(&mut self, full: Vec<u8>, start: Option<Entry>, place: usize) {
        let is_below = |path: &Vec<u8>| path.starts_with(&[full.as_slice(), b"/"].concat());
        self.paths.iter_mut().filter(|(path, _)| is_below(path)).for_each(|(_, value)| value.set(None));
        let dir = start.clone().filter(Entry::is_dir);
        let top = self.paths.entry(full).or_insert_with(|| Value { value: start.clone(), start, dir, place });
        top.set(None);
    }
}
