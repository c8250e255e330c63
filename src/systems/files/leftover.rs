//! What an undo that was killed has left under names of its own: what it had staged and did not come to put in place, and
//! what it had taken out of its place and did not come to look at.

use std::io::Read as _;
use std::os::fd::BorrowedFd;

use super::clean::remove_staged;
use super::compare::Difference;
use super::entry::{Content, Entry, Kind};
use super::stage::{Dirs, temp_name};
use super::swap::read_like;
use super::tree::decode_chunks;
use crate::error::Result;
use crate::model::{Bytes, ObjectSource};
use crate::platform::fs::{open_file, split_parent, stat_at};

/// Removes what lies beside a path that is back already, if nothing is lost by that. Why not, where it stays.
pub fn clear(dirs: &mut Dirs, at: &Difference, tag: &str, source: &dyn ObjectSource) -> Option<String> {
    let (dir, _) = split_parent(&at.path);
    let temp = temp_name(tag, &at.path);
    let fd = dirs.open(dir).ok()?;
    stat_at(fd, &temp).ok()?;
    let mut known = [at.before.as_ref(), at.after.entry()].into_iter().flatten();
    if known.any(|entry| is_known(fd, &temp, entry, source)) {
        let _tried_again_next_time = remove_staged(fd, &temp);
        return None;
    }
    let (path, temp) = (Bytes::from(at.path.as_slice()), Bytes(temp));
    let (path, temp) = (path.lossy(), temp.lossy());
    Some(format!("{path}: a version that an interrupted undo displaced lies beside it as {temp}"))
}

/// One of the recorded versions, or as much of one as had been written.
fn is_known(dir: BorrowedFd<'_>, temp: &[u8], entry: &Entry, source: &dyn ObjectSource) -> bool {
    let found = read_like(dir, temp, entry).ok().flatten();
    let is_whole = |found: &Entry| found.same_but_time(entry) || found.is_dir();
    match found {
        Some(found) if is_whole(&found) => true,
        Some(Entry { kind: Kind::File { .. }, .. }) => {
            is_beginning(dir, temp, entry, source).is_ok_and(|is| is)
        }
        Some(found) => found.kind == entry.kind,
        None => false,
    }
}

/// Its bytes are the first ones of the entry's. Of files with holes only a whole one is known.
fn is_beginning(dir: BorrowedFd<'_>, temp: &[u8], entry: &Entry, source: &dyn ObjectSource) -> Result<bool> {
    let pieces = match entry.stored() {
        Some(Content::Whole { id, .. }) => vec![id],
        Some(Content::Chunked { list, .. }) => {
            decode_chunks(&source.get(&list)?)?.into_iter().map(|(id, _)| id).collect()
        }
        _ => return Ok(false),
    };
    let Ok(mut file) = open_file(dir, temp) else { return Ok(false) };
    for id in pieces {
        let wanted = source.get(&id)?;
        let mut found = Vec::new();
        let read = file.by_ref().take(wanted.len() as u64).read_to_end(&mut found);
        if read.is_err() || !wanted.starts_with(&found) {
            return Ok(false);
        }
        if found.len() < wanted.len() {
            return Ok(true);
        }
    }
    Ok(file.read(&mut [0]).is_ok_and(|more| more == 0))
}
