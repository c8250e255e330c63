//! Directories: when one that the events made goes, and which time it has when its names are those of before.

use super::{Place, Stuck, World};
use crate::platform::fs::split_parent;
use crate::systems::files::compare::Difference;
use crate::systems::files::entry::Entry;
use crate::systems::files::tree::{Named, Parent, State, decode_tree};

impl World<'_> {
    /// Directories above the captured path that the event made. One that a later event of the set had taken away goes
    /// here: what stands in its place now says nothing of it. One that is there now goes when it is empty.
    pub(super) fn unmake_parents(&mut self, before: &State, after: Option<&State>) {
        let made = before.parents.len()..after.map_or(0, |after| after.parents.len());
        if before.entry.is_some() {
            return;
        }
        let names: Vec<&[u8]> = before.path.as_slice().split(|b| *b == b'/').skip(1).collect();
        for depth in made.rev() {
            let Some(names) = names.get(..=depth) else { continue };
            let path = [b"/", names.join(&b'/').as_slice()].concat();
            self.made.insert(path.clone());
            let Some(known) = self.paths.get_mut(&path) else { continue };
            let is_dir = |entry: &Option<Entry>| entry.as_ref().is_some_and(Entry::is_dir);
            if is_dir(&known.value) && !is_dir(&known.start) {
                known.set(None);
            }
        }
    }

    /// An event of the set made this directory on its way, and undoing leaves nothing in it.
    pub(super) fn is_made_and_emptied(&self, path: &[u8], now: Option<&Entry>) -> bool {
        let Some(tree) = now.and_then(Entry::tree).filter(|_| self.made.contains(path)) else { return false };
        let names = self.cx.source.get(&tree).and_then(|object| decode_tree(&object));
        names.is_ok_and(|names| {
            names.iter().all(|Named { name, entry }| {
                let child = [path, b"/", name.as_slice()].concat();
                match self.paths.get(&child) {
                    Some(known) => known.value.is_none(),
                    None => self.is_made_and_emptied(&child, Some(entry)),
                }
            })
        })
    }

    /// A directory does not go while something in it stays: what no event of the set made, what is in conflict. One that
    /// stays itself may have been seen twice, and once without its names (`mkdir` in a captured work tree).
    pub(super) fn keep_what_is_needed(&mut self) {
        let is_there = |stuck: &Stuck| stuck.at.now.is_some();
        let mut needed: Vec<Vec<u8>> =
            self.paths.iter().filter(|(_, v)| v.value.is_some()).map(|(path, _)| path.clone()).collect();
        needed.extend(self.stuck.iter().filter(|(_, stuck)| is_there(stuck)).map(|(path, _)| path.clone()));
        needed.extend(self.stays.iter().cloned());
        for path in needed {
            let mut top = path.as_slice();
            while !top.is_empty() {
                if let Some(known) = self.paths.get_mut(top).filter(|known| known.value.is_none())
                    && let Some(dir) = known.dir.clone()
                {
                    known.value = Some(dir);
                    self.stays.insert(top.to_vec());
                }
                top = split_parent(top).0;
            }
        }
    }

    /// The directories above a place: as the event found them.
    pub(super) fn turn_parents(&mut self, place: usize, before: &State, after: Option<&State>) {
        self.places[place].parents.clone_from(&before.parents);
        let now: Vec<i64> = self.places[place].now.parents.iter().map(|parent| parent.mtime_ns).collect();
        let mut path = Vec::new();
        for (depth, name) in before.path.as_slice().split(|b| *b == b'/').skip(1).enumerate() {
            path = [path.as_slice(), b"/", name].concat();
            let time = |state: &State| state.parents.get(depth).map(|parent| parent.mtime_ns);
            if let (Some(was), Some(found), Some(now)) = (time(before), after.and_then(time), now.get(depth))
            {
                self.turn(&path, *now, found, was);
            }
        }
    }

    pub(super) fn turn_dir(&mut self, full: Vec<u8>, at: &Difference, value: Option<&Entry>) {
        let dirs =
            [at.before.as_ref(), at.after.entry(), value].map(|entry| entry.filter(|entry| entry.is_dir()));
        if let [Some(before), Some(after), Some(value)] = dirs {
            self.turn(&full, value.meta.mtime_ns, after.meta.mtime_ns, before.meta.mtime_ns);
        }
    }

    /// A directory's time goes back with its names, where nobody else has used it since.
    fn turn(&mut self, path: &[u8], now: i64, found: i64, was: i64) {
        let value = self.times.entry(path.to_vec()).or_insert(now);
        if *value == found {
            *value = was;
        }
    }

    /// The directories above a place, as undoing leaves them.
    pub(super) fn parents(&self, place: usize) -> Vec<Parent> {
        let Place { now, parents, .. } = &self.places[place];
        let mut path = Vec::new();
        let names = now.path.as_slice().split(|b| *b == b'/').skip(1);
        let turned = names.zip(parents).map(|(name, parent)| {
            path = [path.as_slice(), b"/", name].concat();
            Parent { mtime_ns: self.times.get(&path).copied().unwrap_or(parent.mtime_ns), ..parent.clone() }
        });
        turned.collect()
    }
}
