//! The directories above a captured path: made again where they are gone, removed where the command made them, and
//! given their times back where nobody else has used them since.

use std::os::fd::{AsFd, OwnedFd};

use super::tree::{Parent, State};
use crate::error::{Error, Result};
use crate::model::Bytes;
use crate::platform::fs::{
    make_dirs_beneath, open_absolute, open_beneath, remove_dir, set_mode, set_mtime, set_owner, split_parent,
    stat_fd, sync_dir,
};

/// The directories above one captured path.
pub struct Parents<'a> {
    before: &'a State,
    after: Option<&'a State>,
    /// How many of them this undo has made.
    made: usize,
    /// The time of the deepest directory that existed before, as it was when the undo began.
    began: Option<i64>,
}

impl<'a> Parents<'a> {
    /// Above the path of `before`.
    pub fn new(before: &'a State, after: Option<&'a State>) -> Parents<'a> {
        let mut parents = Parents { before, after, made: 0, began: None };
        let deepest = parents.open(before.parents.len());
        parents.began = deepest.and_then(|fd| stat_fd(&fd).ok()).map(|stat| stat.mtime_ns);
        parents
    }

    /// The names above the path, topmost first.
    fn names(&self) -> Vec<&'a [u8]> {
        let dir = split_parent(self.before.path.as_slice()).0;
        dir.split(|b| *b == b'/').filter(|n| !n.is_empty()).collect()
    }

    /// The directory `depth` levels below `/`.
    fn open(&self, depth: usize) -> Option<OwnedFd> {
        let names = self.names();
        let path = names.get(..depth)?.join(&b'/');
        open_absolute(&[b"/", path.as_slice()].concat()).ok()
    }

    /// Makes those that are gone.
    pub fn make(&mut self) -> Result<()> {
        let names = self.names();
        let root = open_absolute(b"/").map_err(|e| Error::io("open", "/", &e))?;
        let path = names.join(&b'/');
        let (_, made) = make_dirs_beneath(root.as_fd(), &path).map_err(|e| {
            Error::io("make", Bytes::from(split_parent(self.before.path.as_slice()).0).as_path(), &e)
        })?;
        self.made = made;
        Ok(())
    }

    /// Removes what [`Parents::make`] made: the undo did not come to use it.
    pub fn unmake(&self) {
        let count = self.names().len();
        for depth in (count.saturating_sub(self.made)..count).rev() {
            self.remove_level(depth);
        }
    }

    /// Removes the directory that is the `depth`-th name, if it is empty.
    fn remove_level(&self, depth: usize) -> bool {
        let names = self.names();
        let (Some(above), Some(name)) = (self.open(depth), names.get(depth)) else { return false };
        remove_dir(above.as_fd(), name).is_ok() && sync_dir(above.as_fd()).is_ok()
    }

    /// Metadata of those that were made, removal of those that the command made, times of those in between.
    pub fn finish(&self) {
        let count = self.names().len();
        for depth in (count.saturating_sub(self.made)..count).rev() {
            let meta = self.before.parents.get(depth).or_else(|| self.after?.parents.get(depth));
            if let (Some(fd), Some(meta)) = (self.open(depth + 1), meta) {
                give(&fd, meta);
            }
        }
        let reported = self.after.map_or(0, |after| after.parents.len());
        if self.before.entry.is_none() && self.made == 0 {
            // Made by the command: they were not there before, and were afterwards.
            for depth in (self.before.parents.len()..reported.min(count)).rev() {
                if !self.remove_level(depth) {
                    break;
                }
            }
        }
        self.time_of_deepest();
    }

    fn time_of_deepest(&self) {
        let Some(index) = self.before.parents.len().checked_sub(1) else { return };
        let before = self.before.parents.get(index).map(|p| p.mtime_ns);
        let after = self.after.and_then(|a| a.parents.get(index)).map(|p| p.mtime_ns);
        // Between the two: an earlier step of this undo took it half of the way back. Whoever used it since made it later.
        let untouched = self.began.is_some_and(|began| {
            Some(began) == after || Some(began) == before || (before <= Some(began) && Some(began) <= after)
        });
        if let (true, Some(before), Some(fd)) = (untouched, before, self.open(index + 1))
            && stat_fd(&fd).is_ok_and(|stat| stat.mtime_ns != before)
        {
            let _not_ours_is_fine = set_mtime(fd.as_fd(), before);
        }
    }
}

/// Sets what was recorded of a directory; what is not ours to set stays.
fn give(fd: &OwnedFd, meta: &Parent) {
    let Ok(stat) = stat_fd(fd) else { return };
    if (stat.uid, stat.gid) != (meta.uid, meta.gid) {
        let _not_ours_is_fine = set_owner(fd.as_fd(), meta.uid, meta.gid);
    }
    let _best_effort = set_mode(fd.as_fd(), meta.mode);
    let _best_effort = set_mtime(fd.as_fd(), meta.mtime_ns);
    let _best_effort = open_beneath(fd.as_fd(), b"").and_then(|dir| sync_dir(dir.as_fd()));
}
