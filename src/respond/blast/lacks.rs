//! Which of what an undo could not bring back concerns which of the things that were hit. An undo names what it lacks by the targets
//! of its steps; a thing that was hit is named by the command's words or by its capture.

use super::Item;
use crate::journal::index::Event;
use crate::model::{Bytes, Capture, EventId, Lack, SystemId};

/// How the note of an undo begins after which everything is there again, and lacks something (`recover::apply`).
const BACK_WITHOUT: &str = "back without: ";
/// How it begins otherwise.
const NOT_BACK: &str = "not back: ";

/// What the undo named, as far as it concerns this thing. `all` are the things that this undo took back.
pub fn of_item(item: &Item, undo: &Event, all: &[&Item]) -> Vec<Lack> {
    lacks(undo).into_iter().filter(|lack| concerned(lack, all).iter().any(|one| is_same(one, item))).collect()
}

/// What it named that concerns none of them in particular.
pub fn of_none(undo: &Event, all: &[&Item]) -> Vec<Lack> {
    let is_of_none = |lack: &Lack| concerned(lack, all).is_empty() && !is_of_another_event(lack, undo);
    lacks(undo).into_iter().filter(is_of_none).collect()
}

/// `event 23: destroy of docker:volume:data: nothing was captured`, by an undo that could not take that event back: what it hit has a
/// row of its own.
fn is_of_another_event(lack: &Lack, undo: &Event) -> bool {
    let number = lack.what.strip_prefix("event ").and_then(|rest| rest.split_once(": ")?.0.parse().ok());
    let of = undo.before.kind.reversal().map(|reversal| reversal.of.as_slice()).unwrap_or_default();
    lack.target.is_empty() && number.is_some_and(|number| !of.contains(&EventId(number)))
}

fn is_same(one: &Item, other: &Item) -> bool {
    one.system == other.system && one.resource == other.resource
}

/// The things that it is about: those that its target names; else the only one of its system.
fn concerned<'i>(lack: &Lack, all: &[&'i Item]) -> Vec<&'i Item> {
    let of_system = |item: &&&Item| lack.system.as_ref().is_none_or(|system| *system == item.system);
    let named: Vec<&Item> =
        all.iter().filter(of_system).filter(|item| is_named(lack, item)).copied().collect();
    if !named.is_empty() {
        return named;
    }
    match lack.system.as_ref().map(|system| only(all, system)) {
        Some(Some(item)) => vec![item],
        _ => Vec::new(),
    }
}

fn only<'i>(all: &[&'i Item], system: &SystemId) -> Option<&'i Item> {
    let mut own = all.iter().filter(|item| item.system == *system);
    own.next().filter(|_| own.next().is_none()).copied()
}

fn is_named(lack: &Lack, item: &Item) -> bool {
    // What nobody gave a target begins with it.
    let words = lack.what.split_once(": ").map(|(front, _)| Bytes::from(front));
    let target = Some(&lack.target).filter(|target| !target.is_empty()).or(words.as_ref());
    target.is_some_and(|target| names(target, &item.resource))
}

/// Whether a step's target is what was hit, lies in it, or holds it.
fn names(target: &Bytes, resource: &Bytes) -> bool {
    let target = target.lossy();
    // `3 objects of aws:s3:bucket:b`
    let target = target.split_once(" of ").map_or(target.as_ref(), |(_, whole)| whole);
    let resource = resource.lossy();
    // A capture of several things is named by all of them; one that was saved says so behind its name.
    let parts = resource.split(", ").map(|part| part.split_once(" (").map_or(part, |(name, _)| name));
    parts.into_iter().any(|part| is_of(target, part) || is_of(part, target))
}

/// The undo left the whole of it as it is.
pub fn is_of_all(lack: &Lack, item: &Item) -> bool {
    let (target, resource) = (lack.target.lossy(), item.resource.lossy());
    let named = |part: &str| is_of(part, &target) || ends_with(&target, part);
    let bare = |part: &str| part.strip_prefix("path:").unwrap_or(part).to_owned();
    !lack.there && !target.is_empty() && resource.split(", ").all(|part| named(&bare(part)))
}

/// `path:/work/notes.txt` of `notes.txt`: a command names it from where it ran, an undo from the root.
fn ends_with(target: &str, part: &str) -> bool {
    let part = part.trim_start_matches("./");
    let front = target.strip_suffix(part).filter(|_| !part.is_empty());
    front.is_some_and(|front| front.ends_with('/'))
}

/// A capture that an undo took before it wrote: of this thing, of something in it, or of what it lies in.
pub fn is_about(capture: &Capture, item: &Item) -> bool {
    capture.system == item.system && names(&capture.resource, &item.resource)
}

/// `git:origin/refs/heads/main` of `git:origin`; `path:docs` and `/work/docs/a` are told by their ends.
fn is_of(inner: &str, outer: &str) -> bool {
    let bare = |text: &str| text.strip_prefix("path:").unwrap_or(text).to_owned();
    let (inner, outer) = (bare(inner), bare(outer));
    if outer.is_empty() || outer == "/" {
        return false;
    }
    let inside = |rest: &str| rest.is_empty() || rest.starts_with(['/', ' ']);
    if inner.strip_prefix(outer.as_str()).is_some_and(inside) {
        return true;
    }
    // The command named it from where it ran, the undo names it from the root.
    let is_relative = !outer.starts_with('/') && !outer.contains(':');
    let is_path = inner.starts_with('/') && is_relative;
    let within = format!("/{}", outer.trim_start_matches("./"));
    is_path
        && inner.match_indices(&within).any(|(at, _)| inside(inner.get(at + within.len()..).unwrap_or("x")))
}

/// What the undo named. One of before that was kept apart said it in a line.
pub fn lacks(undo: &Event) -> Vec<Lack> {
    let Some(after) = &undo.after else { return Vec::new() };
    if !after.lacking.is_empty() {
        return after.lacking.clone();
    }
    let note = after.note.as_deref().unwrap_or_default();
    let (text, there) = match (note.strip_prefix(BACK_WITHOUT), note.strip_prefix(NOT_BACK)) {
        (Some(text), _) => (text, true),
        (_, Some(text)) => (text, false),
        _ => return Vec::new(),
    };
    let lack = |what: &str| Lack { system: None, target: Bytes::default(), what: what.to_owned(), there };
    text.split("; ").map(lack).collect()
}

/// In words for the row of what it concerns: without the name that stands there already.
pub fn words(lack: &Lack, item: &Item) -> String {
    let name = item.resource.lossy();
    let name = name.split_once(" (").map_or(name.as_ref(), |(name, _)| name);
    let target = lack.target.lossy();
    let same = target == name || ends_with(&target, name.strip_prefix("path:").unwrap_or(name));
    match lack.target.is_empty() || same {
        true => lack.what.clone(),
        false => lack.said(),
    }
}

/// `undo 12: …`
pub fn words_of_all(undo: EventId, lack: &Lack) -> String {
    format!("undo {undo}: {}", lack.said())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_found_in_the_name_of_what_was_hit() {
        for (target, resource) in [
            ("git:origin/refs/heads/main", "git:origin/refs/heads/main"),
            ("git:origin/refs/heads/main", "git:origin"),
            ("aws:ec2:instance:i-2", "aws:ec2:instance:i-1, aws:ec2:instance:i-2"),
            ("aws:ec2:instance:i-1", "aws:ec2:instance:i-1 (saved as image ami-1, which costs money)"),
            ("3 objects of aws:s3:bucket:b", "aws:s3:bucket:b"),
            ("aws:ec2:sg:sg-1 (rules for what comes in)", "aws:ec2:sg:sg-1"),
            ("/work/app/docs/sock", "path:docs"),
            ("/work/app/docs", "path:docs"),
            ("path:/work/app/docs/a", "path:/work/app/docs"),
        ] {
            assert!(names(&target.into(), &resource.into()), "{target} in {resource}");
        }
        for (target, resource) in [
            ("git:origin/refs/heads/main2", "git:origin/refs/heads/main"),
            ("aws:ec2:instance:i-22", "aws:ec2:instance:i-2"),
            ("/work/app/docs2/a", "path:docs"),
            ("tf:resources of /infra", "tf:workspace default"),
            ("anything", ""),
        ] {
            assert!(!names(&target.into(), &resource.into()), "{target} in {resource}");
        }
    }
}
