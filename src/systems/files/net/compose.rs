//! From what undoing makes of single paths to states of whole places, and to steps.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Lost, Value, World, object_of};
use crate::error::Result;
use crate::model::{Bytes, Capture, Captured, ObjectKind, StateRef};
use crate::platform::fs::split_parent;
use crate::systems::Net;
use crate::systems::files::compare::entry_at;
use crate::systems::files::entry::{Entry, Kind};
use crate::systems::files::plan::not_captured_step;
use crate::systems::files::swap::STAYS;
use crate::systems::files::tree::{
    Named, State, decode_tree, digest_of, digest_state, encode_state, encode_tree,
};

impl World<'_> {
    pub(super) fn finish(mut self) -> Result<Net> {
        self.keep_what_is_needed();
        self.let_inner_places_remove()?;
        let mut net = Net::default();
        let mut changed: Vec<(usize, Vec<u8>)> = Vec::new();
        for (path, value) in self.paths.iter().filter(|(path, v)| v.is_changed() || self.is_rebuilt(path, v))
        {
            if value.value.is_some() || !self.goes_with_a_tree(path, value.place)? {
                changed.push((value.place, path.clone()));
            }
        }
        let mut places: Vec<usize> = changed.iter().map(|(place, _)| *place).collect();
        places.sort_unstable();
        places.dedup();
        for place in self.in_order(places) {
            let paths = changed.iter().filter(|(of, _)| *of == place).map(|(_, path)| path.as_slice());
            net.captured.push(self.composed(place, &paths.collect::<Vec<_>>())?);
        }
        let mut merged = 0;
        for (path, stuck) in std::mem::take(&mut self.stuck) {
            net.steps.push(stuck.into_step(path, self.cx, &mut merged)?);
        }
        for (path, lost) in &self.lost {
            match lost {
                Lost::NotCaptured(why) => net.steps.push(not_captured_step(Bytes(path.clone()), why)),
                Lost::Unable(why) => net.residue.push(format!("{}: {why}", String::from_utf8_lossy(path))),
            }
        }
        let shown = |path: &Vec<u8>| format!("{} {}", String::from_utf8_lossy(path), STAYS);
        net.residue.extend(self.stays.iter().map(shown));
        Ok(net)
    }

    /// A tree that goes whole is removed by the place that is all of it. One around it may see only a part (a work tree without
    /// the repository in it) and could not remove the directory.
    fn let_inner_places_remove(&mut self) -> Result<()> {
        let goes = |path: &[u8]| self.paths.get(path).is_some_and(|v| v.is_changed() && v.value.is_none());
        let root = |place: usize| self.places[place].now.path.as_slice();
        let whole: Vec<usize> = (0..self.places.len()).filter(|place| goes(root(*place))).collect();
        let mut moved: Vec<(Vec<u8>, usize)> = Vec::new();
        for (path, value) in self.paths.iter().filter(|(_, v)| v.is_changed() && v.value.is_none()) {
            let is_inner = |place: &&usize| {
                let (inner, outer) = (root(**place), root(value.place));
                inner.len() > outer.len() && inner.starts_with(outer) && is_at_or_below(path, inner)
            };
            let mut inner: Vec<usize> = whole.iter().filter(is_inner).copied().collect();
            inner.sort_by_key(|place| root(*place).len());
            for place in inner {
                if self.lists(place, path)? {
                    moved.push((path.clone(), place));
                    break;
                }
            }
        }
        for (path, place) in moved {
            if let Some(value) = self.paths.get_mut(&path) {
                value.place = place;
            }
        }
        Ok(())
    }

    /// A directory above goes, and with it, in a place of its own, all that is in it. What would be left of the place in which
    /// this path was seen is nothing that anybody could look at afterwards.
    fn goes_with_a_tree(&self, path: &[u8], own: usize) -> Result<bool> {
        let mut above = split_parent(path).0;
        while !above.is_empty() {
            let gone = self.paths.get(above).filter(|value| value.is_changed() && value.value.is_none());
            if let Some(place) = gone.map(|value| value.place).filter(|place| *place != own)
                && self.lists(place, path)?
            {
                return Ok(true);
            }
            above = split_parent(above).0;
        }
        Ok(false)
    }

    /// The present of a place holds the path, as far down as it is.
    fn lists(&self, place: usize, path: &[u8]) -> Result<bool> {
        let state = &self.places[place].now;
        let parent = split_parent(state.path.as_slice()).0;
        let Some(below) = path.strip_prefix(parent).and_then(|path| path.strip_prefix(b"/")) else {
            return Ok(false);
        };
        let seen = entry_at(self.cx.source, state, below)?;
        Ok(seen.is_some_and(|entry| entry.why_skipped().is_none()))
    }

    /// Places one in another: what makes something comes from the outside in, what only removes from the inside out.
    fn in_order(&self, places: Vec<usize>) -> Vec<usize> {
        let makes = |place: &usize| {
            self.paths.values().any(|v| v.place == *place && v.is_changed() && v.value.is_some())
        };
        let path = |place: &usize| self.places[*place].capture.locator.at.clone();
        let (mut first, mut last): (Vec<usize>, Vec<usize>) = places.into_iter().partition(makes);
        first.sort_by_key(path);
        last.sort_by_key(|place| std::cmp::Reverse(path(place)));
        first.extend(last);
        first
    }

    /// The two states of a place: the present, and the present with these paths as undoing leaves them.
    fn composed(&self, at: usize, changed: &[&[u8]]) -> Result<Captured> {
        let place = &self.places[at];
        let root = place.now.path.as_slice();
        let mut edits: HashMap<&[u8], BTreeMap<&[u8], Option<Entry>>> = HashMap::new();
        let mut entry = place.now.entry.clone();
        for path in deepest_first(changed, root) {
            entry = match self.value_at(at, path) {
                Some(dir) if dir.is_dir() => {
                    let now = place.dirs.get(path).and_then(Option::as_ref);
                    Some(self.with_names(path, dir, now, edits.remove(path).unwrap_or_default())?)
                }
                other => other.cloned(),
            };
            let (dir, name) = split_parent(path);
            edits.entry(dir).or_default().insert(name, entry.clone());
        }
        let state = State { entry, parents: self.parents(at), path: place.now.path.clone() };
        let object = Some(self.cx.made.put(ObjectKind::State, &encode_state(&state)?)?);
        let before = StateRef { digest: digest_state(state.entry.as_ref()), object };
        self.cx.made.put(ObjectKind::State, &self.cx.source.get(&object_of(&place.now_ref)?)?)?;
        let capture = Capture { state: before, missing: place.missing.clone(), ..place.capture.clone() };
        Ok(Captured { before: capture, after: Some(place.now_ref) })
    }

    /// What undoing leaves at a path of a place. A directory that another place makes is there for this one, too.
    fn value_at(&self, place: usize, path: &[u8]) -> Option<&Entry> {
        let own = self.paths.get(path).filter(|value| value.place == place);
        let seen = self.places[place].dirs.get(path).map(Option::as_ref);
        let other = self.paths.get(path).and_then(|value| value.value.as_ref());
        match (own, seen) {
            (Some(own), _) => own.value.as_ref(),
            // Another place makes a directory of it again, and what was in that is this place's.
            (None, Some(Some(seen))) if !seen.is_dir() && other.is_some_and(Entry::is_dir) => other,
            (None, Some(Some(seen))) => Some(seen),
            (None, _) => other,
        }
    }

    /// A directory in such a tree that was there before as well: what it holds is another thing.
    fn is_rebuilt(&self, path: &[u8], known: &Value) -> bool {
        let is_own = || self.cx.own.iter().any(|tree| tree.holds(path));
        known.value.as_ref().is_some_and(Entry::is_dir) && is_own()
    }

    /// In a tree that an event of the set made anew, and that is taken back whole, only that stays which was there before.
    fn is_kept(&self, dir: &[u8], name: &Bytes) -> bool {
        let path = [dir, b"/", name.as_slice()].concat();
        let is_own = self.cx.own.iter().any(|tree| tree.holds(&path) && path != tree.at.as_slice());
        !is_own || self.paths.get(&path).is_some_and(|known| known.value.is_some())
    }

    /// A directory as it is now, with some names changed.
    fn with_names(
        &self,
        path: &[u8],
        dir: &Entry,
        now: Option<&Entry>,
        edits: BTreeMap<&[u8], Option<Entry>>,
    ) -> Result<Entry> {
        let mut dir = dir.clone();
        dir.meta.mtime_ns = self.times.get(path).copied().unwrap_or(dir.meta.mtime_ns);
        let tree = now.and_then(Entry::tree);
        let is_listed = dir.tree().is_some() || tree.is_some() || !edits.is_empty();
        if !is_listed {
            return Ok(dir);
        }
        let mut names: BTreeMap<Bytes, Entry> = BTreeMap::new();
        if let Some(tree) = tree {
            let object = self.cx.source.get(&tree)?;
            let stays = |named: &Named| self.is_kept(path, &named.name);
            let there = decode_tree(&object)?.into_iter().filter(stays);
            names.extend(there.map(|named| (named.name, named.entry)));
            self.cx.made.put(ObjectKind::Tree, &object)?;
        }
        for (name, entry) in edits {
            match entry {
                Some(entry) => drop(names.insert(name.into(), entry)),
                None => drop(names.remove(&Bytes::from(name))),
            }
        }
        let names: Vec<Named> = names.into_iter().map(|(name, entry)| Named { name, entry }).collect();
        let tree = self.cx.made.put(ObjectKind::Tree, &encode_tree(&names)?)?;
        let kind = Kind::Dir { tree: Some(tree), digest: digest_of(&names) };
        Ok(Entry { kind, ..dir })
    }
}

fn is_at_or_below(path: &[u8], top: &[u8]) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// These paths and the directories above them up to `root`, those that are deepest first.
fn deepest_first<'p>(paths: &[&'p [u8]], root: &[u8]) -> Vec<&'p [u8]> {
    let mut all: BTreeSet<(std::cmp::Reverse<usize>, &[u8])> = BTreeSet::new();
    for path in paths {
        let mut at = *path;
        while at.len() >= root.len() && all.insert((std::cmp::Reverse(at.len()), at)) {
            at = split_parent(at).0;
        }
    }
    all.into_iter().map(|(_, path)| path).collect()
}
