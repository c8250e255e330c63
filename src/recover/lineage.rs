//! Repositories that the events made and then worked in. What `git clone` made has another `.git` after each commit, and the files
//! system, which knows only what the clone left, would call that a change of somebody else. The recorded states of the
//! repository tell: where each begins as the one before it ended, and the last is what is there now, nobody else has been at it,
//! and the repository goes as a whole with the event that made it.

use std::io::ErrorKind;

use super::planning::captured_of;
use crate::error::Result;
use crate::journal::index::{Event, Index};
use crate::model::{Bytes, Capture, Captured, EventKind, ObjectSource, StateRef};
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
                    // The newest event that made it is the one whose repository is there.
                    let is_known = own.iter().any(|known| known.at == dir);
                    if !is_known && !holds_others(&dir) && self.is_unbroken(event, &made, &dir, events)? {
                        own.push(OwnTree { at: dir, made_by: event.id });
                    }
                }
            }
        }
        Ok(own)
    }

    /// The first recorded state is what the making event left, each begins as the one before it ended, and what is there now
    /// is the last one.
    fn is_unbroken(&self, maker: &Event, made: &Captured, dir: &Bytes, set: &[Event]) -> Result<bool> {
        let later = later_than(maker, dir, set, self.home)?;
        let (Some(first), Some(last)) = (later.first(), later.last()) else { return Ok(false) };
        // Somebody has taken it away: what the events made is not there, as before them.
        if dir.as_path().symlink_metadata().is_err_and(|e| e.kind() == ErrorKind::NotFound) {
            return Ok(true);
        }
        let Some(left) = made.after else { return Ok(false) };
        let Some(kept) = files::files_below(&left, dir.as_slice(), b"objects", self.source)? else {
            return Ok(false);
        };
        if !git::is_as_kept(&first.before.state, dir, &kept, self.source)? {
            return Ok(false);
        }
        let mut end = first.after;
        for one in later.iter().skip(1) {
            let is_next = |end| git::is_same_history(&end, &one.before.state, self.source);
            if !end.map(is_next).transpose()?.unwrap_or(false) {
                return Ok(false);
            }
            end = one.after;
        }
        let Some(end) = end else { return Ok(false) };
        git::is_same_history(&end, &(self.observe)(&last.before, None)?, self.source)
    }
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
    taken.event >= tree.made_by && git_dir(&taken.captured).is_some_and(|dir| dir == tree.at)
}

/// The git directory of a captured repository on this machine.
fn git_dir(captured: &Captured) -> Option<Bytes> {
    let capture = &captured.before;
    if capture.system.0 == "git" { git::own_dir(&capture.locator) } else { None }
}

/// The trees that were not there before the event, as it left them.
fn trees_made_by(event: &Event) -> Vec<Captured> {
    let is_made = |one: &Captured| {
        files::was_absent(&one.before) && files::is_whole_tree(&one.before.locator) && one.after.is_some()
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
    let lies_in_it = |dir: &&Bytes| files::is_in_what_was_not_there(dir, [&made.before]);
    dirs.extend(worked_in.iter().filter(lies_in_it).cloned());
    dirs.sort();
    dirs.dedup();
    Ok(dirs)
}

/// Working trees and submodules have states of their own, which nobody has followed.
fn holds_others(dir: &Bytes) -> bool {
    ["modules", "worktrees"].iter().any(|name| dir.as_path().join(name).symlink_metadata().is_ok())
}

/// What was recorded of the repository since, oldest first: by other events of the set, by such as are undone, and by undos.
fn later_than(maker: &Event, dir: &Bytes, set: &[Event], home: &Home) -> Result<Vec<Captured>> {
    let is_of_set = |event: &Event| set.iter().any(|other| other.id == event.id);
    let mut events: Vec<Event> = Index::open(home)?.concerning(std::slice::from_ref(dir), maker.id.0)?;
    events.retain(|event| is_of_set(event) || is_taken_back(event));
    events.sort_by_key(|event| event.id);
    Ok(events.iter().filter_map(|event| whole_of(event, dir)).collect())
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
