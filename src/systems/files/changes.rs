//! What differs between two recorded states of a path, for `fr diff`.

use super::compare::{After, Difference, differences, load_state};
use super::entry::{Content, Entry, Kind};
use super::tree::decode_chunks;
use crate::error::{Error, Result};
use crate::model::{Bytes, Change, ChangeKind, ObjectSource, StateRef};

/// The largest content that is worth showing, bytes.
const SHOWN: u64 = 1 << 20;

/// Every path that differs, parents before what is in them.
pub fn changes(
    before: &StateRef,
    after: Option<&StateRef>,
    source: &dyn ObjectSource,
) -> Result<Vec<Change>> {
    let state = |s: &StateRef| s.object.as_ref().map(|id| load_state(source, id)).transpose();
    let Some(earlier) = state(before)? else { return Ok(Vec::new()) };
    let later = after.map(state).transpose()?.flatten();
    let parent = crate::platform::fs::split_parent(earlier.path.as_slice()).0.to_vec();
    let mut found = Vec::new();
    differences(source, &earlier, later.as_ref(), None, |difference| {
        found.extend(change(&parent, &difference, source));
        Ok(())
    })?;
    Ok(found)
}

fn change(parent: &[u8], d: &Difference, source: &dyn ObjectSource) -> Option<Change> {
    let what = Bytes::from(parent).join(&d.path);
    let text = |entry: Option<&Entry>| entry.and_then(|e| content(e, source));
    let (how, later) = match (&d.before, &d.after) {
        (before, After::Unknown) => (ChangeKind::Unknown, before.as_ref().and(None)),
        (None, After::Known(None)) => return None,
        (None, After::Known(Some(after))) => (ChangeKind::Added, Some(after)),
        (Some(_), After::Known(None)) => (ChangeKind::Removed, None),
        (Some(before), After::Known(Some(after))) if before.is_dir() && after.is_dir() => {
            if before.meta.same_but_time(&after.meta) {
                return None;
            }
            (ChangeKind::Metadata, Some(after))
        }
        (Some(before), After::Known(Some(after))) if before.kind == after.kind => {
            (ChangeKind::Metadata, Some(after))
        }
        (Some(_), After::Known(Some(after))) => (ChangeKind::Changed, Some(after)),
    };
    let show = matches!(how, ChangeKind::Added | ChangeKind::Removed | ChangeKind::Changed);
    let (before, after) =
        if show { (text(d.before.as_ref()), text(later)) } else { (mode(d.before.as_ref()), mode(later)) };
    Some(Change { what, how, before, after })
}

fn mode(entry: Option<&Entry>) -> Option<Bytes> {
    entry.map(|e| {
        Bytes::from(format!("mode {:o} uid {} gid {}", e.meta.mode & 0o7777, e.meta.uid, e.meta.gid))
    })
}

fn content(entry: &Entry, source: &dyn ObjectSource) -> Option<Bytes> {
    match &entry.kind {
        Kind::Symlink { target } => Some(target.clone()),
        // Contents that were only looked at after the command are not stored.
        _ => file_bytes(source, entry, SHOWN).ok().flatten().map(Bytes),
    }
}

/// The bytes of a file in a state, where it has at most `limit` of them and they are stored; for showing text.
fn file_bytes(source: &dyn ObjectSource, entry: &Entry, limit: u64) -> Result<Option<Vec<u8>>> {
    let Kind::File { content } = &entry.kind else { return Ok(None) };
    if content.len() > limit {
        return Ok(None);
    }
    match &*content.stored() {
        Content::Unread => Ok(None),
        Content::Sparse { len, extents } => {
            let mut bytes = vec![0; usize::try_from(*len).unwrap_or(0)];
            for extent in extents {
                let part = plain_bytes(source, &extent.content)?;
                let start = usize::try_from(extent.offset).unwrap_or(usize::MAX);
                let place = bytes.get_mut(start..).and_then(|rest| rest.get_mut(..part.len()));
                place.ok_or_else(|| Error::corrupt("an extent lies beyond its file"))?.copy_from_slice(&part);
            }
            Ok(Some(bytes))
        }
        plain => plain_bytes(source, plain).map(Some),
    }
}

fn plain_bytes(source: &dyn ObjectSource, content: &Content) -> Result<Vec<u8>> {
    match content {
        Content::Whole { id, .. } => source.get(id),
        Content::Chunked { list, .. } => {
            let mut bytes = Vec::new();
            for (id, _) in decode_chunks(&source.get(list)?)? {
                bytes.extend_from_slice(&source.get(&id)?);
            }
            Ok(bytes)
        }
        _ => Err(Error::corrupt("a content that cannot be read")),
    }
}
