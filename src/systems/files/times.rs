//! The times of directories: they come back last, where the names are those of before.

use super::entry::Entry;
use super::stage::Dirs;
use super::tree::decode_tree;
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectSource};
use crate::platform::fs::{list_dir, set_mtime, stat_fd};

/// A directory whose names changed: its time comes back when its names are those of before.
pub struct DirTime {
    /// Below the base.
    pub path: Vec<u8>,
    /// Before the event.
    pub before: Entry,
    /// Its time after the event.
    pub after_mtime: Option<i64>,
}

/// Sets a directory's time where its names are those of before.
pub fn set_time(time: &DirTime, source: &dyn ObjectSource, dirs: &mut Dirs) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("read", Bytes::from(time.path.as_slice()).as_path(), &e);
    let fd = dirs.open(&time.path).map_err(failed)?;
    let stat = stat_fd(fd).map_err(failed)?;
    if stat.mtime_ns == time.before.meta.mtime_ns {
        return Ok(());
    }
    let as_before = match time.before.tree() {
        None => Some(stat.mtime_ns) == time.after_mtime,
        Some(tree) => {
            let mut names = Vec::new();
            list_dir(fd, &mut Vec::new(), |name| names.push(name.to_vec())).map_err(failed)?;
            names.sort_unstable();
            let wanted = decode_tree(&source.get(&tree)?)?;
            let hidden = |name: &[u8]| name == b".git" && !wanted.iter().any(|w| w.name.as_slice() == name);
            names.retain(|name| !hidden(name));
            names.iter().map(Vec::as_slice).eq(wanted.iter().map(|w| w.name.as_slice()))
        }
    };
    if as_before {
        set_mtime(fd, time.before.meta.mtime_ns).map_err(failed)?;
    }
    Ok(())
}
