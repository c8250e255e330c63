//! Which directory an opaque command works in: the work tree around it, found without asking git.

use std::path::{Path, PathBuf};

use crate::model::{Bytes, Locator};
use crate::platform::home::user_home;

/// Directories that many things share: nothing below them belongs to one piece of work.
const SHARED: &[&str] = &[
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/local",
    "/var",
    "/var/lib",
    "/var/log",
    "/var/tmp",
    "/Users",
    "/private/tmp",
    "/Volumes",
];

/// The root to snapshot for a command that runs in `locator.at`, and whether only its own files are taken, not its
/// subdirectories (a shared directory is not somebody's work tree).
pub fn root_of(locator: &Locator) -> (Vec<u8>, bool) {
    if locator.opts.contains_key("root") {
        return (locator.at.0.clone(), is_limited(locator));
    }
    let at = locator.at.as_path();
    let at = std::fs::canonicalize(at).unwrap_or_else(|_| at.to_path_buf());
    let home = user_home().map(|home| std::fs::canonicalize(&home).unwrap_or(home));
    let with_git = at.ancestors().find(|dir| dir.join(".git").symlink_metadata().is_ok());
    let root: PathBuf = match with_git {
        // A home directory under version control is still a home directory.
        Some(dir) if !is_shared(dir, home.as_deref()) => dir.to_path_buf(),
        _ => at,
    };
    let limited = is_shared(&root, home.as_deref());
    (Bytes::from(root).0, limited)
}

fn is_shared(dir: &Path, home: Option<&Path>) -> bool {
    SHARED.iter().any(|shared| dir == Path::new(shared)) || home.is_some_and(|home| home.starts_with(dir))
}

/// Notes in a locator that its path is the root itself, and whether it is taken in part.
pub fn pin(locator: &mut Locator, limited: bool) {
    locator.opts.insert("root".to_owned(), if limited { "shared".into() } else { "tree".into() });
}

/// The locator was pinned to a shared directory.
pub fn is_limited(locator: &Locator) -> bool {
    locator.opts.get("root").and_then(Bytes::as_str) == Some("shared")
}
