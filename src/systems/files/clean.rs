//! Removes what an undo has staged and does not need. Only names that an undo makes (`.fr-…`) come here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::node::is_absent;
use crate::platform::fs::{
    FileKind, list_dir, open_beneath, remove_dir, remove_file, set_mode, split_parent, stat_at,
};

/// Removes `name` in `dir` with all below it; links are removed, not followed. What is not there is fine.
pub fn remove_staged(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    match stat_at(dir, name) {
        Ok(stat) if stat.kind() == FileKind::Dir => {}
        Ok(_) => return remove_file(dir, name),
        Err(e) if is_absent(&e) => return Ok(()),
        Err(e) => return Err(e),
    }
    // Every directory before what is in it; removed in the opposite order.
    let mut dirs = vec![name.to_vec()];
    let mut next = 0;
    let mut buffer = Vec::new();
    while let Some(path) = dirs.get(next).cloned() {
        let fd = open_beneath(dir, &path)?;
        // A finished read-only directory would not let its names go.
        let _ours_to_set = set_mode(fd.as_fd(), 0o700);
        let mut names = Vec::new();
        list_dir(fd.as_fd(), &mut buffer, |name| names.push(name.to_vec()))?;
        for name in names {
            if stat_at(fd.as_fd(), &name)?.kind() == FileKind::Dir {
                dirs.push([path.as_slice(), b"/", &name].concat());
            } else {
                remove_file(fd.as_fd(), &name)?;
            }
        }
        next += 1;
    }
    for path in dirs.iter().rev() {
        let (above, name) = split_parent(path);
        remove_dir(open_beneath(dir, above)?.as_fd(), name)?;
    }
    Ok(())
}
