//! The real program behind a shim: what execvp(3) would have found without us.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

/// What execvp(3) searches where PATH is not set.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Why there is no real program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// None of that name.
    Missing,
    /// One that may not be executed.
    Forbidden(PathBuf),
    /// The programs of that name on PATH call each other for ever.
    Circle,
}

/// What is no real program.
#[derive(Clone, Debug, Default)]
pub struct Avoid {
    /// Our own file, under whatever name.
    own: Option<Identity>,
    /// Directories of shims, our own and those of another `fr`.
    dirs: Vec<Identity>,
}

type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl Avoid {
    /// Our own file, and all that is in `dirs`.
    pub fn new(dirs: impl Iterator<Item = PathBuf>) -> Avoid {
        // A shim that was called by its bare name in a relative PATH element has an empty parent.
        let here = |dir: PathBuf| if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir };
        Avoid {
            own: identity(Path::new("/proc/self/exe")),
            dirs: dirs.filter_map(|dir| identity(&here(dir))).collect(),
        }
    }

    fn is_shim(&self, dir: &Path, file: &std::fs::Metadata) -> bool {
        let found = Some((file.dev(), file.ino()));
        found == self.own || identity(dir).is_some_and(|dir| self.dirs.contains(&dir))
    }
}

/// The first program called `name` on `path` that is no shim. Elements may be relative or empty, as for shells.
pub fn find(name: &str, path: Option<&OsStr>, avoid: &Avoid) -> Result<PathBuf, NotFound> {
    let mut failure = NotFound::Missing;
    for dir in std::env::split_paths(path.unwrap_or(OsStr::new(DEFAULT_PATH))) {
        let dir = if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir };
        let candidate = dir.join(name);
        let Ok(found) = std::fs::metadata(&candidate) else { continue };
        if !found.is_file() || avoid.is_shim(&dir, &found) {
            continue;
        }
        if rustix::fs::access(&candidate, Access::EXEC_OK).is_ok() {
            return Ok(candidate);
        }
        failure = NotFound::Forbidden(candidate);
    }
    Err(failure)
}
