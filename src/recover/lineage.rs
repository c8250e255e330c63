//! Repositories that the events made and then worked in. What `git clone` made has another `.git` after each commit, and the files
//! system, which knows only what the clone left, would call that a change of somebody else. The recorded states of the
//! repository tell: where each begins as the one before it ended, and the last is what is there now, nobody else has been at it,
//! and the repository goes as a whole with the event that made it.

use std::io::ErrorKind;

use super::planning::{captured_of, is_removed_by};
use crate::error::Result;
use crate::journal::index::{Event, Index};
use crate::model::{Bytes, Capture, Captured, EventId, EventKind, ObjectSource, StateRef};
use crate::platform::home::Home;
use crate::store::Store;
use crate::systems::{OwnTree, Taken, files, git};

/// What a git directory is called in a working tree.
const DOT_GIT: &[u8] = b".git";

/// What the lineage of a repository is worked out with.
pub struct Lineage<'a> {
    /// Where the events are recorded that are not taken back now.
    pub home: &'a Home,
    /// The present of what a capture covers.
    pub observe: &'a dyn Fn(&Capture, Option<StateRef>) -> Result<StateRef>,
    /// Where states are read from, also those of the present.
    pub source: &'a dyn ObjectSource,
}

impl Lineage<'_> {
    /// The repositories that events of the set made, and that nothing but recorded events has changed since: those of the set,
    /// and those that are taken back already, with what took them back. Events come newest first.
    pub fn own_repositories(&self, events: &[Event]) -> Result<Vec<OwnTree>> {
        let worked_in: Vec<Bytes> =
            events.iter().flat_map(captured_of).filter_map(|one| git_dir(&one)).collect();
        let mut own: Vec<OwnTree> = Vec::new();
        for event in events {
            for made in trees_made_by(event) {
                for dir in git_dirs_of(&made, &worked_in, self.source)? {
                    let removed_by = removal_after(event, &dir, events);
                    let last = removed_by.as_ref().map(|(id, _)| *id);
                    let found = removed_by.as_ref().map(|(_, found)| *found);
                    if self.is_one_repository(&made, &dir, found)?
                        && self.is_unbroken(event, &made, &dir, events, removed_by)?
                    {
                        let replaces = !files::was_absent(&made.before);
                        own.push(OwnTree { at: dir, made_by: event.id, replaces, removed_by: last });
                    }
                }
            }
        }
        Ok(own)
    }

    /// Further working trees and submodules have states of their own, which nobody follows here: there are none, or just those
    /// that the event made, as it left them.
    fn is_one_repository(&self, made: &Captured, dir: &Bytes, found: Option<StateRef>) -> Result<bool> {
        if !holds_others(dir) {
            return Ok(true);
        }
        let Some(left) = made.after else { return Ok(false) };
        let now = found.map_or_else(|| (self.observe)(&made.before, None), Ok)?;
        for name in OTHERS {
            let place = [dir.as_slice(), b"/", name.as_bytes()].concat();
            let files = |state| files::files_below(state, &place, b"", self.source);
            let (was, is) = (files(&left)?.unwrap_or_default(), files(&now)?);
            let is_gone = is_gone(&Bytes(place.clone()));
            let Some(is) = is.or_else(|| is_gone.then(Default::default)) else { return Ok(false) };
            if !was.keys().eq(is.keys()) || !was.values().zip(is.values()).all(|(a, b)| files::is_same(a, b))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The first recorded state is what the making event left, each begins as the one before it ended, and the last is what is
    /// there now, or what the removing event found.
    fn is_unbroken(
        &self,
        maker: &Event,
        made: &Captured,
        dir: &Bytes,
        set: &[Event],
        removal: Option<(EventId, StateRef)>,
    ) -> Result<bool> {
        let mut later = later_than(maker, dir, set, self.home)?;
        later.retain(|one| removal.as_ref().is_none_or(|(end, _)| one.event < *end));
        let (Some(first), Some(last)) = (later.first(), later.last()) else { return Ok(false) };
        // Somebody has taken it away: what the events made is not there, as before them.
        if removal.is_none() && is_gone(dir) {
            return Ok(files::was_absent(&made.before));
        }
        let kept = |state: &StateRef| files::files_below(state, dir.as_slice(), b"objects", self.source);
        let found = match &removal {
            Some((_, found)) => kept(found)?,
            None => None,
        };
        let packed = match &found {
            Some(found) => {
                found.get(&Bytes::from(git::PACKED)).and_then(|e| files::small_text(e, self.source))
            }
            None => Some(git::packed_refs(dir)),
        };
        let packed = packed.unwrap_or_default();
        let is_as_kept =
            |state: &StateRef, files| git::is_as_kept(state, &files, packed.as_slice(), self.source);
        let left = made.after.as_ref().map(kept).transpose()?.flatten();
        if !left.map(|left| is_as_kept(&first.captured.before.state, left)).transpose()?.unwrap_or(false) {
            return Ok(false);
        }
        let Some(end) = self.end_of(&later)? else { return Ok(false) };
        match (removal, found) {
            (None, _) => {
                let now = (self.observe)(&last.captured.before, None)?;
                git::is_same_history(&end, &now, self.source)
            }
            (Some(_), Some(found)) => is_as_kept(&end, found),
            (Some(_), None) => Ok(false),
        }
    }

    /// How the last of the states ended, where each begins as the one before it did.
    fn end_of(&self, later: &[Taken]) -> Result<Option<StateRef>> {
        let mut ended: Option<StateRef> = None;
        for (position, Taken { captured, .. }) in later.iter().enumerate() {
            let is_next = |end: StateRef| git::is_same_history(&end, &captured.before.state, self.source);
            if position > 0 && !ended.map(is_next).transpose()?.unwrap_or(false) {
                return Ok(None);
            }
            ended = captured.after;
        }
        Ok(ended)
    }
}

/// The first event of the set after the maker that removed the tree which a git directory lies in, and what it found there.
fn removal_after(maker: &Event, dir: &Bytes, set: &[Event]) -> Option<(EventId, StateRef)> {
    let later = set.iter().rev().filter(|event| event.id > maker.id);
    let captured = later.flat_map(|event| captured_of(event).into_iter().map(move |one| (event, one)));
    let mut removed = captured.filter(|(event, one)| is_removed_by(event, one));
    let (event, one) = removed.find(|(_, one)| files::is_within(dir, &one.before.locator.at))?;
    Some((event.id, one.before.state))
}

fn is_gone(dir: &Bytes) -> bool {
    dir.as_path().symlink_metadata().is_err_and(|e| e.kind() == ErrorKind::NotFound)
}

/// The event made a repository in which later ones worked that are taken back by now: its undo has to know of them.
pub fn has_later_life(event: &Event, store: &Store, home: &Home) -> Result<bool> {
    let source = store.reader();
    for made in trees_made_by(event) {
        for dir in git_dirs_of(&made, &[], &source)? {
            if !later_than(event, &dir, &[], home)?.is_empty() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What was captured of the repository itself goes with its files.
pub fn goes_with_its_repository(taken: &Taken, tree: &OwnTree) -> bool {
    tree.is_of(taken.event) && git_dir(&taken.captured).is_some_and(|dir| dir == tree.at)
}

/// The git directory of a captured repository on this machine.
fn git_dir(captured: &Captured) -> Option<Bytes> {
    let capture = &captured.before;
    if capture.system.0 == "git" { git::own_dir(&capture.locator) } else { None }
}

/// The trees that were not there before the event, or that it made anew in the place of others, as it left them.
pub fn trees_made_by(event: &Event) -> Vec<Captured> {
    let is_left = |one: &Captured| one.after.is_some_and(|after| !files::is_absent(&after));
    let is_made = |one: &Captured| {
        let is_new = files::was_absent(&one.before) && files::is_whole_tree(&one.before.locator);
        (is_new && one.after.is_some()) || (is_removed_by(event, one) && is_left(one))
    };
    captured_of(event).into_iter().filter(is_made).collect()
}

/// Where git directories may be in a tree: itself, its own `.git`, and where repositories in it were worked in.
fn git_dirs_of(made: &Captured, worked_in: &[Bytes], source: &dyn ObjectSource) -> Result<Vec<Bytes>> {
    let (top, Some(left)) = (&made.before.locator.at, &made.after) else { return Ok(Vec::new()) };
    let names = files::names_in(left, source)?;
    let has = |name: &[u8]| names.iter().any(|known| known.as_slice() == name);
    let mut dirs = Vec::new();
    if has(DOT_GIT) {
        dirs.push(Bytes([top.as_slice(), b"/", DOT_GIT].concat()));
    }
    if has(b"HEAD") && has(b"objects") && has(b"refs") {
        dirs.push(top.clone());
    }
    let lies_in_it = |dir: &&Bytes| files::is_within(dir, top);
    dirs.extend(worked_in.iter().filter(lies_in_it).cloned());
    dirs.sort();
    dirs.dedup();
    Ok(dirs)
}

/// Where a git directory keeps what belongs to submodules and to further working trees.
const OTHERS: [&str; 2] = ["modules", "worktrees"];

/// There are submodules or further working trees.
fn holds_others(dir: &Bytes) -> bool {
    OTHERS.iter().any(|name| dir.as_path().join(name).symlink_metadata().is_ok())
}

/// What was recorded of the repository since, oldest first: by other events of the set, by such as are undone, and by undos.
fn later_than(maker: &Event, dir: &Bytes, set: &[Event], home: &Home) -> Result<Vec<Taken>> {
    let is_of_set = |event: &Event| set.iter().any(|other| other.id == event.id);
    let mut events: Vec<Event> = Index::open(home)?.concerning(std::slice::from_ref(dir), maker.id.0)?;
    events.retain(|event| is_of_set(event) || is_taken_back(event));
    events.sort_by_key(|event| event.id);
    let whole = |event: &Event| Some(Taken { event: event.id, captured: whole_of(event, dir)? });
    Ok(events.iter().filter_map(whole).collect())
}

/// What an event did to a repository that several of its commands were captured for (`git commit && git push`).
fn whole_of(event: &Event, dir: &Bytes) -> Option<Captured> {
    let mut of_it = captured_of(event).into_iter().filter(|one| git_dir(one).as_ref() == Some(dir));
    let first = of_it.next()?;
    let after = of_it.next_back().map_or(first.after, |last| last.after);
    Some(Captured { after, ..first })
}

fn is_taken_back(event: &Event) -> bool {
    let is_undo = matches!(event.before.kind, EventKind::Undo(_) | EventKind::Redo(_));
    is_undo || (event.undone_by.is_some() && !event.undone_in_part)
}
