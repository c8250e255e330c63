//! What differs between two recorded states of a path, for `fr diff`.

use super::compare::{After, Difference, differences, load_state};
use super::entry::{Content, Entry, Kind};
use crate::error::Result;
use crate::model::{Bytes, Change, ChangeKind, ObjectSource, StateRef};

/// The largest content that is worth showing, bytes.
const SHOWN: usize = 1 << 20;

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
        Kind::File { content: Content::Whole { id, .. } } => {
            source.get(id).ok().filter(|c| c.len() <= SHOWN).map(Bytes)
        }
        _ => None,
    }
}
