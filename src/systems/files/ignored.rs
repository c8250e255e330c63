//! What git would ignore, read from its files without running git. Asked rarely (for directories with the name of a
//! build output, and for large files), so nothing is read before the first question.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The largest ignore file that is read, bytes.
const LARGEST: u64 = 1 << 20;

/// The ignore rules of one working tree.
pub struct Ignored {
    root: PathBuf,
    /// One per directory that was asked about; the root's holds `.git/info/exclude` and the user's own file too.
    levels: Mutex<HashMap<Vec<u8>, Arc<Gitignore>>>,
    /// False outside of git: nothing is ignored there.
    active: bool,
}

impl Ignored {
    /// The rules of the working tree at `root`; without a `.git` there, nothing is ignored.
    pub fn of(root: &Path) -> Ignored {
        let active = root.join(".git").symlink_metadata().is_ok();
        Ignored { root: root.to_path_buf(), levels: Mutex::new(HashMap::new()), active }
    }

    /// Whether git ignores `path` (relative to the root), or a directory above it.
    pub fn is_ignored(&self, path: &[u8], is_dir: bool) -> bool {
        if !self.active {
            return false;
        }
        // A directory that is ignored takes all below it along, whatever the files below say (gitignore(5)).
        let ends = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at);
        ends.map(|at| (&path[..at], true)).chain([(path, is_dir)]).any(|(p, dir)| self.matches(p, dir))
    }

    /// The deepest rule that speaks about `path` decides.
    fn matches(&self, path: &[u8], is_dir: bool) -> bool {
        let full = self.root.join(OsStr::from_bytes(path));
        let mut dir = path;
        loop {
            dir = crate::platform::fs::split_parent(dir).0;
            match self.level(dir).matched(&full, is_dir) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None if dir.is_empty() => return false,
                Match::None => {}
            }
        }
    }

    fn level(&self, dir: &[u8]) -> Arc<Gitignore> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(level) = levels.get(dir) {
            return level.clone();
        }
        let level = Arc::new(self.read_level(dir));
        levels.insert(dir.to_vec(), level.clone());
        level
    }

    fn read_level(&self, dir: &[u8]) -> Gitignore {
        let at = self.root.join(OsStr::from_bytes(dir));
        let mut builder = GitignoreBuilder::new(&at);
        if dir.is_empty() {
            // Weakest first: the last match wins.
            if let Some(user) = ignore::gitignore::gitconfig_excludes_path() {
                add(&mut builder, &user);
            }
            add(&mut builder, &self.root.join(".git/info/exclude"));
        }
        add(&mut builder, &at.join(".gitignore"));
        builder.build().unwrap_or_else(|_| Gitignore::empty())
    }
}

/// Adds a file's rules; a line that makes no sense is left out, as git does. FIFOs and giants are not read.
fn add(builder: &mut GitignoreBuilder, file: &Path) {
    if file.symlink_metadata().is_ok_and(|m| m.is_file() && m.len() <= LARGEST) {
        let _bad_lines = builder.add(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_rules_exceptions_and_directories() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        std::fs::create_dir_all(at.join(".git/info")).unwrap();
        std::fs::create_dir_all(at.join("sub/target")).unwrap();
        std::fs::write(at.join(".gitignore"), "target/\n*.log\n!keep.log\n").unwrap();
        std::fs::write(at.join("sub/.gitignore"), "!special.log\n").unwrap();
        std::fs::write(at.join(".git/info/exclude"), "private\n").unwrap();
        let rules = Ignored::of(at);
        for (path, is_dir, expected) in [
            (&b"target"[..], true, true),
            (b"target", false, false),
            (b"sub/target", true, true),
            (b"sub/target/keep.log", false, true),
            (b"a.log", false, true),
            (b"keep.log", false, false),
            (b"sub/special.log", false, false),
            (b"private", false, true),
            (b"src", true, false),
        ] {
            assert_eq!(rules.is_ignored(path, is_dir), expected, "{}", path.escape_ascii());
        }
        std::fs::remove_dir_all(at.join(".git")).unwrap();
        assert!(!Ignored::of(at).is_ignored(b"target", true));
    }
}
