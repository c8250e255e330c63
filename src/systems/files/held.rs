//! What a capture holds of a path that another one covers: the path itself, or a path below a captured tree.

use std::collections::BTreeMap;

use super::compare::load_state;
use super::entry::{Entry, Kind};
use super::scope::Scope;
use super::tree::{Named, decode_tree, digest_state};
use super::workspace;
use crate::error::Result;
use crate::model::{Bytes, Capture, Captured, Locator, ObjectId, ObjectSource, StateRef};
use crate::systems::Held;

/// What `outer` holds of what `inner` covers.
pub fn held(outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
    let (outside, inside) = (Scope::of(&outer.locator), Scope::of(&inner.locator));
    if outer.locator.at == inner.locator.at && (outside == inside || outside == Scope::Tree) {
        return Ok(Held::by_digest(outer, inner));
    }
    if !matches!(outside, Scope::Tree | Scope::Around | Scope::Workspace) || inside == Scope::Workspace {
        return Ok(Held::Nothing);
    }
    let path = inner.locator.at.as_slice();
    let Some(below) = path.strip_prefix(outer.locator.at.as_slice()).and_then(|p| p.strip_prefix(b"/"))
    else {
        return Ok(Held::Nothing);
    };
    // A snapshot of a work tree leaves the repository to the git system.
    let mut names = below.split(|b| *b == b'/');
    let is_left_out = match outside {
        Scope::Workspace => names.any(|name| name == b".git"),
        Scope::Around => names.next() == Some(b".git".as_slice()),
        _ => false,
    };
    if is_left_out {
        return Ok(Held::Nothing);
    }
    if outer.missing.iter().any(|left_out| is_at_or_below(path, left_out.what.as_slice())) {
        return Ok(Held::Nothing);
    }
    let Some(object) = outer.state.object else { return Ok(Held::Nothing) };
    let Some(found) = entry_at(load_state(source, &object)?.entry, below, source)? else {
        return Ok(Held::Nothing);
    };
    if found.as_ref().is_some_and(|entry| entry.why_skipped().is_some()) {
        return Ok(Held::Nothing);
    }
    let same = digest_state(found.as_ref()) == inner.state.digest;
    Ok(if same { Held::Same } else { Held::Other })
}

/// What a captured tree holds at a path below it; `None` where the tree was not listed that far.
fn entry_at(top: Option<Entry>, below: &[u8], source: &dyn ObjectSource) -> Result<Option<Option<Entry>>> {
    let mut at = top;
    for name in below.split(|b| *b == b'/') {
        let tree = match &at {
            None => return Ok(Some(None)),
            Some(Entry { kind: Kind::Dir { tree: Some(tree), .. }, .. }) => *tree,
            Some(Entry { kind: Kind::Dir { tree: None, .. } | Kind::Skipped { .. }, .. }) => return Ok(None),
            // Nothing can be below a file: the path was not there.
            Some(_) => return Ok(Some(None)),
        };
        let entries = decode_tree(&source.get(&tree)?)?;
        at = entries.into_iter().find(|named| named.name.as_slice() == name).map(|named| named.entry);
    }
    Ok(Some(at))
}

/// Whether the command left something else at a path than it found there. Where its capture does not tell that, it may have.
pub fn may_have_changed(captured: &Captured, path: &Bytes, source: &dyn ObjectSource) -> Result<bool> {
    let top = captured.before.locator.at.as_slice();
    let Some(below) = path.as_slice().strip_prefix(top) else { return Ok(false) };
    if !below.is_empty() && !below.starts_with(b"/") {
        return Ok(false);
    }
    let at = |state: &StateRef| -> Result<Option<ObjectId>> {
        let Some(object) = state.object else { return Ok(None) };
        let entry = load_state(source, &object)?.entry;
        let found = match below.strip_prefix(b"/") {
            Some(below) => entry_at(entry, below, source)?,
            None => Some(entry),
        };
        Ok(found.map(|entry| digest_state(entry.as_ref())))
    };
    let before = at(&captured.before.state)?;
    match &captured.after {
        Some(after) if after.digest == captured.before.state.digest => Ok(false),
        Some(after) => Ok(before != at(after)?),
        // Of a directory alone nobody listed what is in it: the command has nothing to do with that.
        None => Ok(before.is_some()),
    }
}

/// The files that a captured state holds at or below `dir`, by their paths below it, but for those in directories named
/// `except`. `None` where not all of them were listed.
pub fn files_below(
    state: &StateRef,
    dir: &[u8],
    except: &[u8],
    source: &dyn ObjectSource,
) -> Result<Option<BTreeMap<Bytes, Entry>>> {
    let Some(object) = state.object else { return Ok(None) };
    let state = load_state(source, &object)?;
    let top = match dir.strip_prefix(state.path.as_slice()) {
        Some(b"") => Some(state.entry),
        Some(below) => entry_at(state.entry, below.strip_prefix(b"/").unwrap_or(below), source)?,
        None => None,
    };
    let (mut found, mut open) = (BTreeMap::new(), vec![(Vec::new(), top.flatten())]);
    while let Some((path, entry)) = open.pop() {
        let Some(entry) = entry.filter(|entry| entry.why_skipped().is_none()) else { return Ok(None) };
        if !entry.is_dir() {
            found.insert(Bytes(path), entry);
            continue;
        }
        let Some(tree) = entry.tree() else { return Ok(None) };
        for Named { name, entry } in decode_tree(&source.get(&tree)?)? {
            let path =
                if path.is_empty() { name.0.clone() } else { [&path, b"/".as_slice(), &name.0].concat() };
            if !(entry.is_dir() && name.as_slice() == except) {
                open.push((path, Some(entry)));
            }
        }
    }
    Ok(Some(found))
}

/// The names in a captured directory; none where it is something else.
pub fn names_in(state: &StateRef, source: &dyn ObjectSource) -> Result<Vec<Bytes>> {
    let Some(object) = state.object else { return Ok(Vec::new()) };
    let entry = load_state(source, &object)?.entry;
    let Some(tree) = entry.as_ref().and_then(Entry::tree) else { return Ok(Vec::new()) };
    Ok(decode_tree(&source.get(&tree)?)?.into_iter().map(|named| named.name).collect())
}

fn is_at_or_below(path: &[u8], top: &[u8]) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// A capture is the whole of the work tree that a command at `place` would be taken for.
pub fn is_work_tree_of(capture: &Capture, place: &Locator) -> bool {
    if Scope::of(&capture.locator) != Scope::Workspace || workspace::is_limited(&capture.locator) {
        return false;
    }
    let (root, limited) = workspace::root_of(place);
    !limited && Bytes(root) == capture.locator.at
}
