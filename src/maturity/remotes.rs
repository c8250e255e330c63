//! The remotes of the repositories that agents worked in, from files alone: nothing in a repository's configuration is run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::platform::libgit;
use crate::systems::GitRemote;

/// How many directories are looked at.
const MOST: usize = 50;

/// The remotes, each once.
pub fn of(dirs: &[PathBuf]) -> Vec<GitRemote> {
    libgit::isolate();
    let mut found: BTreeMap<String, GitRemote> = BTreeMap::new();
    for dir in dirs.iter().take(MOST) {
        for remote in in_dir(dir) {
            found.entry(remote.url.clone()).or_insert(remote);
        }
    }
    found.into_values().collect()
}

fn in_dir(dir: &Path) -> Vec<GitRemote> {
    let Ok(repository) = git2::Repository::discover(dir) else { return Vec::new() };
    let names =
        repository.remotes().map(|names| names.iter().flatten().flatten().map(str::to_owned).collect());
    let names: Vec<String> = names.unwrap_or_default();
    let one = |name: String| {
        let remote = repository.find_remote(&name).ok()?;
        // What is pushed to is what may be rewritten.
        let url = remote.pushurl().ok().flatten().or_else(|| remote.url().ok())?.to_owned();
        let head = repository.find_reference(&format!("refs/remotes/{name}/HEAD")).ok();
        let target = head.as_ref().and_then(|head| head.symbolic_target().ok().flatten());
        let branch = target.and_then(|t| t.strip_prefix(&format!("refs/remotes/{name}/")).map(str::to_owned));
        Some(GitRemote { dir: dir.to_path_buf(), name, url, branch })
    };
    names.into_iter().filter_map(one).collect()
}
