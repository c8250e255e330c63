//! What a command changed, path by path: for `fr show` and `fr diff`. Reads objects only.

use super::compare::{After, differences, load_state};
use super::entry::{Content, Entry, Kind};
use super::tree::decode_chunks;
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectSource, StateRef};
use crate::platform::fs::split_parent;

/// A path that differs between two states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The absolute path.
    pub path: Bytes,
    /// What it was; `None`: not there.
    pub before: Option<Entry>,
    /// What it became; `None`: not there.
    pub after: Option<Entry>,
}

/// The paths that differ between two states of one captured path, directories before what is in them. A directory that
/// differs only in its time, because names in it changed, is not listed.
pub fn changes(source: &dyn ObjectSource, before: &StateRef, after: &StateRef) -> Result<Vec<Change>> {
    let object = |state: &StateRef| state.object.ok_or_else(|| Error::corrupt("a file state has no object"));
    let before = load_state(source, &object(before)?)?;
    let after = load_state(source, &object(after)?)?;
    let parent = split_parent(before.path.as_slice()).0.to_vec();
    let mut found = Vec::new();
    differences(source, &before, Some(&after), None, |at| {
        let After::Known(after) = at.after else { return Ok(()) };
        let only_below = match (&at.before, &after) {
            (Some(b), Some(a)) => b.is_dir() && a.is_dir() && b.meta.same_but_time(&a.meta),
            _ => false,
        };
        if !only_below {
            let path = Bytes([parent.as_slice(), b"/", &at.path].concat());
            found.push(Change { path, before: at.before, after });
        }
        Ok(())
    })?;
    Ok(found)
}

/// The bytes of a file in a state, where it has at most `limit` of them and they are stored; for showing text.
pub fn file_bytes(source: &dyn ObjectSource, entry: &Entry, limit: u64) -> Result<Option<Vec<u8>>> {
    let Kind::File { content } = &entry.kind else { return Ok(None) };
    if content.len() > limit {
        return Ok(None);
    }
    match content {
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
        Content::Unread | Content::Sparse { .. } => Err(Error::corrupt("a content that cannot be read")),
    }
}
