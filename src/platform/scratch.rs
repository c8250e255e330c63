//! A private directory for what is thrown away: made with a name nobody can guess and mode 0700, gone at the end.

use std::fs::{DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::random;
use crate::error::{Error, Result};

/// A directory below `$TMPDIR` that is removed when this is dropped, unless it was kept.
#[derive(Debug)]
pub struct ScratchDir {
    path: PathBuf,
    kept: bool,
}

impl ScratchDir {
    /// Makes one: `fr-<what>-<noise>`.
    pub fn new(what: &str) -> Result<ScratchDir> {
        let mut noise = [0u8; 6];
        random::fill(&mut noise);
        let name: String = noise.iter().map(|b| format!("{b:02x}")).collect();
        let parent = std::env::temp_dir();
        // The physical path: what is recorded and what is looked at must be the same name.
        let hint = "set TMPDIR to a directory that can be written";
        let parent = parent.canonicalize().map_err(|e| Error::io("find", &parent, &e).hint(hint))?;
        let path = parent.join(format!("fr-{what}-{name}"));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|e| Error::io("create", &path, &e).hint(hint))?;
        Ok(ScratchDir { path, kept: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it there for people to look at.
    pub fn keep(&mut self) {
        self.kept = true;
    }

    /// Removes it now, so that a failure can be told.
    pub fn remove(mut self) -> Result<()> {
        if self.kept {
            return Ok(());
        }
        self.kept = true;
        remove(&self.path).map_err(|e| Error::io("remove", &self.path, &e))
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        if !self.kept {
            // Whoever wants to tell a failure calls `remove`.
            let _ = remove(&self.path);
        }
    }
}

fn remove(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            open_up(dir)?;
            std::fs::remove_dir_all(dir)
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// What was thrown away may have been closed to its owner. Links are not followed.
fn open_up(dir: &Path) -> io::Result<()> {
    std::fs::set_permissions(dir, Permissions::from_mode(0o700))?;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}
