//! What cannot be planned at once: a repository that is gone has to be back before what was done in it can be compared, and so
//! has a database.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::lineage::trees_made_by;
use super::planning::{UndoPlan, captured_of, is_removed_by, refuse_what_cannot_be_undone};
use super::scope::Scope;
use super::together::plan_elsewhere;
use super::waiting::first_that_waits;
use crate::error::{Error, Result};
use crate::journal::index::Event;
use crate::model::{Bytes, Capture, Captured, Effect, EventKind, ObjectSource, StepOutcome};
use crate::platform::home::Home;
use crate::record::Config;
use crate::store::Store;
use crate::systems::{self, ApplyCx};

/// The events that can be planned now, and the older ones that wait until those are taken back; newest first.
pub fn first_round<'e>(events: &'e [Event], source: &dyn ObjectSource) -> (&'e [Event], &'e [Event]) {
    let limit = first_that_waits(events, source).unwrap_or(events.len());
    for (position, event) in events.iter().enumerate() {
        let newer = events.get(..position).unwrap_or_default();
        if position == limit || takes_a_repository_away(event, newer) || takes_a_work_tree_away(event, newer)
        {
            return events.split_at(position);
        }
        let (now, older) = events.split_at(position + 1);
        let removals = removals_of(event);
        // A repository that the set itself made goes as a whole, whichever of them is there now.
        let is_own = |place: &Bytes| older.iter().any(|event| makes(event, place));
        let waits = |capture: &Capture| {
            let places = place_of(capture).into_iter().chain(linked_tree(capture));
            places.into_iter().any(|place| comes_back(&place, &removals, &is_own))
        };
        if older.iter().flat_map(captured_of).any(|captured| waits(&captured.before)) {
            return (now, older);
        }
    }
    (events, &[])
}

/// A directory that an event removed, all of it or some of what is in it.
struct Removal {
    at: Bytes,
    /// Nothing was left of it.
    wholly: bool,
}

/// What an event removed of files. `rm -f` of what was not there removed nothing that anything could wait for.
fn removals_of(event: &Event) -> Vec<Removal> {
    let is_stored = |one: &Captured| {
        one.before.system.0 == "fs" && one.before.items > 0 && one.before.state.object.is_some()
    };
    let removal = |one: Captured| Removal { wholly: is_removed_by(event, &one), at: one.before.locator.at };
    captured_of(event).into_iter().filter(is_stored).map(removal).collect()
}

/// What lies at the place now is not what older events worked in: nothing is there, or what somebody made there since.
fn comes_back(place: &Bytes, removals: &[Removal], is_own: &dyn Fn(&Bytes) -> bool) -> bool {
    let mut of_it = removals.iter().filter(|removal| is_within(place, &removal.at)).peekable();
    of_it.peek().is_some()
        && (!place.as_path().exists() || (of_it.any(|removal| removal.wholly) && !is_own(place)))
}

/// The event made the tree that a place lies in, where nothing was or in the place of another.
fn makes(event: &Event, place: &Bytes) -> bool {
    trees_made_by(event).iter().any(|made| is_within(place, &made.before.locator.at))
}

/// An undo that brought a repository back, where nothing was or in the place of another, is taken back after what was done in
/// the repository since.
fn takes_a_repository_away(event: &Event, newer: &[Event]) -> bool {
    if !matches!(event.before.kind, EventKind::Undo(_) | EventKind::Redo(_)) {
        return false;
    }
    let captures = captured_of(event).into_iter().map(|captured| captured.before);
    let is_tree =
        |before: &Capture| before.system.0 == "fs" && systems::files::is_whole_tree(&before.locator);
    let written: Vec<Bytes> = captures.filter(is_tree).map(|before| before.locator.at).collect();
    newer.iter().flat_map(captured_of).any(|captured| {
        place_of(&captured.before)
            .is_some_and(|place| place.as_path().exists() && written.iter().any(|top| is_within(&place, top)))
    })
}

/// The working tree of a captured repository that does not lie in it: a linked one.
fn linked_tree(capture: &Capture) -> Option<Bytes> {
    let opts = &capture.locator.opts;
    let (tree, dir) = (opts.get("work-tree")?, opts.get("git-dir")?);
    (capture.system.0 == "git" && !is_within(dir, tree)).then(|| tree.clone())
}

/// A linked working tree that the event made goes after what was done in it: its refs are those of the repository that it is of.
fn takes_a_work_tree_away(event: &Event, newer: &[Event]) -> bool {
    let worked: Vec<Bytes> =
        newer.iter().flat_map(captured_of).filter_map(|captured| linked_tree(&captured.before)).collect();
    if worked.is_empty() {
        return false;
    }
    let captures = captured_of(event).into_iter().map(|captured| captured.before);
    let made: Vec<Capture> = captures.filter(|before| before.system.0 == "fs").collect();
    worked.iter().any(|tree| systems::files::is_in_what_was_not_there(tree, &made))
}

/// The directory of the file system that a capture of another system lives in.
fn place_of(capture: &Capture) -> Option<Bytes> {
    match capture.system.0.as_ref() {
        "fs" => None,
        _ => Some(capture.locator.opts.get("git-dir").unwrap_or(&capture.locator.at).clone()),
    }
}

/// Taken back with the directory that it lies in: that was not there before, and its files go one by one, those of a repository
/// too.
pub fn goes_with_files(captured: &Captured, all: &[Captured]) -> bool {
    if !systems::git::was_absent(&captured.before) {
        return false;
    }
    let Some(place) = place_of(&captured.before) else { return false };
    systems::files::is_in_what_was_not_there(&place, all.iter().map(|other| &other.before))
}

/// The git directories that writing these makes anew, as files that are about to come: so a redo can take them away again, one
/// by one, and sees what somebody has put there since. The outermost stand for those in them.
pub fn repositories_made(effects: &[Effect]) -> Vec<Effect> {
    let mut made: Vec<Bytes> = Vec::new();
    let of_git = effects.iter().filter(|effect| effect.system.0 == "git");
    for dir in of_git.filter_map(|effect| systems::git::own_dir(effect.locator.as_ref()?)) {
        let is_gone = dir.as_path().symlink_metadata().is_err_and(|e| e.kind() == ErrorKind::NotFound);
        let known =
            effects.iter().filter(|effect| effect.system.0 == "fs").filter_map(|e| e.locator.as_ref());
        let is_known = known.filter(|at| systems::files::is_whole_tree(at)).any(|at| is_within(&dir, &at.at));
        if is_gone && !is_known {
            made.push(dir);
        }
    }
    let is_inner = |dir: &Bytes| made.iter().any(|other| other != dir && is_within(dir, other));
    let mut outer: Vec<&Bytes> = made.iter().filter(|dir| !is_inner(dir)).collect();
    outer.sort();
    outer.dedup();
    outer.into_iter().map(systems::files::about_to_be_made).collect()
}

/// The same for what the files system itself captured of such a tree in another way: the work tree without what git ignores, say.
pub fn goes_with_tree(position: usize, all: &[Captured]) -> bool {
    let Some(inner) = all.get(position).map(|captured| &captured.before) else { return false };
    let earlier = all.iter().take(position).map(|other| &other.before);
    inner.system.0 == "fs" && systems::files::is_in_what_was_not_there(&inner.locator.at, earlier)
}

fn is_within(path: &Bytes, top: &Bytes) -> bool {
    let rest = path.as_slice().strip_prefix(top.as_slice());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// What the first two rounds come to, known before the first one writes: the repository that is gone is looked at as it was
/// captured. Nothing where there are no rounds, or where that cannot be known.
pub fn foreseen(events: &[Event], scope: &Scope, store: &Store, home: &Home) -> Result<Option<UndoPlan>> {
    let source = store.reader();
    let (now, later) = first_round(events, &source);
    for event in later {
        refuse_what_cannot_be_undone(event)?;
    }
    let next = first_round(later, &source).0;
    let Some(copies) = Copies::of(now, next, store, home).ok().flatten() else { return Ok(None) };
    // Nothing has to come back first: what the next round finds is what the first one leaves.
    if copies.tops.is_empty() {
        return Ok(None);
    }
    let both: Vec<Event> = now.iter().chain(next).cloned().collect();
    // A remote with a relative address, say, is not found from there: then it is not known before.
    Ok(plan_elsewhere(&both, scope, store, home, &|capture| copies.stand_in(capture)).ok())
}

/// Copies of captured directories, for looking. They go with this value.
struct Copies {
    dir: PathBuf,
    /// Where it was, and the copy.
    tops: Vec<(Bytes, PathBuf)>,
}

impl Drop for Copies {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Copies {
    /// Of the directories that `now` brings back and `next` waits for.
    fn of(now: &[Event], next: &[Event], store: &Store, home: &Home) -> Result<Option<Copies>> {
        let waiting: Vec<Bytes> =
            next.iter().flat_map(captured_of).filter_map(|c| place_of(&c.before)).collect();
        let caps = Config::caps_of(home);
        let dir = home.cache().join(format!("ahead-{}", std::process::id()));
        let mut copies = Copies { dir, tops: Vec::new() };
        let reader = store.reader();
        let cx = ApplyCx {
            source: &reader,
            vault: home.vault(),
            caps: caps.clone(),
            label: "ahead".to_owned(),
            progress: &|_| {},
        };
        // The oldest removal is the one whose capture will be there.
        for capture in now.iter().rev().flat_map(captured_of).map(|captured| captured.before) {
            let top = capture.locator.at.clone();
            let is_waited_for =
                waiting.iter().any(|place| is_within(place, &top) && !place.as_path().exists());
            let is_known = copies.tops.iter().any(|(known, _)| *known == top);
            // A work tree is captured without its repository.
            let is_tree = capture.system.0 == "fs" && systems::files::is_whole_tree(&capture.locator);
            if !is_tree || capture.state.object.is_none() || !is_waited_for || is_known {
                continue;
            }
            if capture.bytes > caps.ahead_bytes || capture.items > caps.ahead_files || !capture.is_complete()
            {
                return Ok(None);
            }
            let place = copies.dir.join(copies.tops.len().to_string());
            let Some(system) = systems::by_id(&capture.system.0) else { return Ok(None) };
            if system.restore_to(&capture, &place, &cx)? != StepOutcome::Done {
                return Ok(None);
            }
            let name =
                top.as_path().file_name().ok_or_else(|| Error::failure("a directory without a name"))?;
            copies.tops.push((top.clone(), place.join(name)));
        }
        Ok(Some(copies))
    }

    /// The capture, pointed to the copy of where it is.
    fn stand_in(&self, capture: &Capture) -> Option<Capture> {
        // What is there is looked at where it is: a copy of a work tree has no repository in it.
        let place = place_of(capture).filter(|place| !place.as_path().exists())?;
        let moved = |path: &Bytes| {
            self.tops.iter().find(|(top, _)| is_within(path, top)).map(|(top, copy)| below(path, top, copy))
        };
        let git_dir = moved(&place)?;
        let mut stands_in = capture.clone();
        if capture.locator.opts.contains_key("git-dir") {
            stands_in.locator.opts.insert("git-dir".to_owned(), git_dir);
        }
        if let Some(at) = moved(&capture.locator.at) {
            stands_in.locator.at = at;
        }
        Some(stands_in)
    }
}

/// A path below `top` as it is below `copy`.
fn below(path: &Bytes, top: &Bytes, copy: &Path) -> Bytes {
    let rest = path.as_path().strip_prefix(top.as_path()).unwrap_or(Path::new(""));
    Bytes::from(copy.join(rest))
}
