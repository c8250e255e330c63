//! The git directory of a submodule, which git has moved out of its work tree to the `modules/` of the repository around it
//! (`submodule absorbgitdirs`, and `rm` and `deinit` on their way), goes back as a whole: with its objects, and without a
//! copy. At a redo it goes there again.

use std::os::fd::AsFd;
use std::path::Path;

use super::{Found, Job, judge};
use crate::error::{Error, Result};
use crate::model::Bytes;
use crate::platform::fs::{move_between, open_absolute, remove_file, split_parent, sync_dir};
use crate::systems::git::place::leads_to;

impl Job<'_> {
    /// Where the git directory is, against an action.
    pub(super) fn look_at_place(&self, home: &Bytes, expect: Option<&Bytes>, want: Option<&Bytes>) -> Found {
        let here = Bytes::from(self.place.git_dir.as_path());
        let (from, to) = (expect.unwrap_or(home), want.unwrap_or(home));
        judge(here == *to, here == *from, || format!("its git directory is {}", here.lossy()))
    }

    /// Moves it. Nothing is written over: where the new place is taken, it says so.
    pub(super) fn move_dir(&self, from: &Bytes, to: &Bytes) -> Result<Found> {
        let fail = |e: std::io::Error| Error::io("move", from.as_path(), &e);
        let ((from_dir, from_name), (to_dir, to_name)) =
            (split_parent(from.as_slice()), split_parent(to.as_slice()));
        make_dirs(Bytes::from(to_dir).as_path())?;
        let (source, target) = (open_absolute(from_dir).map_err(fail)?, open_absolute(to_dir).map_err(fail)?);
        // git has put a file into its place that leads to it.
        if leads_to(to.as_path(), from.as_path()) {
            remove_file(target.as_fd(), to_name).map_err(fail)?;
        }
        match move_between(source.as_fd(), from_name, target.as_fd(), to_name) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                return Ok(Found::Other(format!("{} is there already", to.lossy())));
            }
            other => other.map_err(fail)?,
        }
        sync_dir(target.as_fd()).and_then(|()| sync_dir(source.as_fd())).map_err(fail)?;
        clear_modules(from.as_path());
        Ok(Found::Wanted)
    }
}

/// Makes the directories that git would: below `modules/`, or the submodule's own. None of them is a link.
fn make_dirs(path: &Path) -> Result<()> {
    let there = path.ancestors().find(|dir| dir.symlink_metadata().is_ok()).unwrap_or(path);
    open_absolute(Bytes::from(there).as_slice()).map_err(|e| Error::io("open", there, &e))?;
    std::fs::create_dir_all(path).map_err(|e| Error::io("create", path, &e))
}

/// Removes the directories that git made for it, `modules/` too, as far as they are empty.
fn clear_modules(from: &Path) {
    for above in from.ancestors().skip(1).take_while(|dir| dir.iter().any(|part| part == "modules")) {
        if std::fs::remove_dir(above).is_err() || above.file_name() == Some("modules".as_ref()) {
            return;
        }
    }
}
