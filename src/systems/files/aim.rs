//! What a policy's step makes of a captured path, worked out without looking: the way back from an undo that was interrupted
//! must tell what the undo wrote from what somebody did after it.

use std::collections::BTreeMap;

use super::compare::{entry_at, load_state};
use super::entry::{Content, Entry, Kind};
use super::merge::{Sides, merged};
use super::plan::{How, Only, Payload};
use super::tree::{Named, State, decode_tree, digest_of, digest_state, encode_state, encode_tree};
use super::ways::sibling;
use crate::error::Result;
use crate::model::{Bytes, Captured, ObjectId, ObjectKind, ObjectSink, ObjectSource, StateRef};
use crate::platform::fs::split_parent;

/// The state after the step. `captured` has the present before it, and what it is without this step. `None` where the step
/// has nothing to do with the place.
pub fn aim(
    payload: &Payload,
    captured: &Captured,
    source: &dyn ObjectSource,
    made: &dyn ObjectSink,
) -> Result<Option<StateRef>> {
    let Captured { before: capture, after: Some(without) } = captured else { return Ok(None) };
    let (Some(only), Some(present), Some(without)) = (&payload.only, capture.state.object, without.object)
    else {
        return Ok(None);
    };
    let (present, without) = (load_state(source, &present)?, load_state(source, &without)?);
    let old = load_state(source, &payload.before)?;
    let path = Bytes([split_parent(old.path.as_slice()).0, b"/", only.path.as_slice()].concat());
    let target = match &only.how {
        How::Beside { name } => sibling(&path, name),
        How::Overwrite | How::Merge { .. } => path,
    };
    let entry = if target == present.path {
        wanted(payload, only, &old, present.entry.as_ref(), source, made)?
    } else {
        // The path has a capture of its own: here it is as if nothing had been done to it.
        let Some(below) = target.as_slice().strip_prefix(present.path.as_slice()) else { return Ok(None) };
        let Some(below) = below.strip_prefix(b"/") else { return Ok(None) };
        let name = split_parent(present.path.as_slice()).1;
        let found = entry_at(source, &present, &[name, b"/", below].concat())?;
        with_entry(without.entry, below, found, source, made)?
    };
    let state = State { entry, ..without };
    let object = made.put(ObjectKind::State, &encode_state(&state)?)?;
    Ok(Some(StateRef { digest: digest_state(state.entry.as_ref()), object: Some(object) }))
}

/// What the step leaves at its own path.
fn wanted(
    payload: &Payload,
    only: &Only,
    old: &State,
    now: Option<&Entry>,
    source: &dyn ObjectSource,
    made: &dyn ObjectSink,
) -> Result<Option<Entry>> {
    let before = entry_at(source, old, only.path.as_slice())?;
    match (&only.how, before, now) {
        (How::Merge { .. }, Some(before), Some(now)) => {
            let after = payload.after.map(|id| load_state(source, &id)).transpose()?;
            let after =
                after.map(|state| entry_at(source, &state, only.path.as_slice())).transpose()?.flatten();
            let Some(after) = after else { return Ok(Some(now.clone())) };
            let sides = Sides { before: &before, after: &after, now };
            let Ok(merged) = merged(sides, source, || text_of(now, source)) else {
                return Ok(Some(now.clone()));
            };
            if let Some(text) = &merged.text {
                made.put(ObjectKind::Blob, text)?;
            }
            Ok(Some(merged.entry))
        }
        (_, Some(before), Some(now)) if only.alone => Ok(Some(Entry { kind: now.kind.clone(), ..before })),
        (_, before, _) => Ok(before),
    }
}

fn text_of(entry: &Entry, source: &dyn ObjectSource) -> std::result::Result<Vec<u8>, String> {
    let Kind::File { content: Content::Whole { id, .. } } = &entry.kind else {
        return Err("it is no text".to_owned());
    };
    source.get(id).map_err(|e| e.to_string())
}

/// A tree with another entry at a path below it. Where the directories above it are not there nothing changes.
fn with_entry(
    top: Option<Entry>,
    below: &[u8],
    entry: Option<Entry>,
    source: &dyn ObjectSource,
    made: &dyn ObjectSink,
) -> Result<Option<Entry>> {
    let Some(tree) = top.as_ref().and_then(Entry::tree) else { return Ok(top) };
    let mut names: BTreeMap<Bytes, Entry> =
        decode_tree(&source.get(&tree)?)?.into_iter().map(|named| (named.name, named.entry)).collect();
    let (name, rest) = match below.iter().position(|b| *b == b'/') {
        Some(at) => (below.get(..at).unwrap_or_default(), below.get(at + 1..)),
        None => (below, None),
    };
    let name = Bytes::from(name);
    let entry = match rest {
        Some(rest) => with_entry(names.remove(&name), rest, entry, source, made)?,
        None => entry,
    };
    match entry {
        Some(entry) => drop(names.insert(name, entry)),
        None => drop(names.remove(&name)),
    }
    let names: Vec<Named> = names.into_iter().map(|(name, entry)| Named { name, entry }).collect();
    let tree: ObjectId = made.put(ObjectKind::Tree, &encode_tree(&names)?)?;
    let kind = Kind::Dir { tree: Some(tree), digest: digest_of(&names) };
    Ok(top.map(|top| Entry { kind, ..top }))
}
