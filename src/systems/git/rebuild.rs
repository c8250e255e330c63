//! A repository that is not there any more (a script with `rm -rf .git` in it) is made anew from the state and the vault.

use std::fs;
use std::path::PathBuf;

use super::dir::Root;
use super::place::Place;
use super::reftable::{HEAD_STUB, HEADS_STUB};
use crate::error::{Error, Result};
use crate::model::Locator;

/// The directories without which git takes none for a repository (gitrepository-layout(5)).
const DIRS: [&str; 2] = ["objects/pack", "objects/info"];

/// True for the main repository of a capture: a linked working tree has its refs and objects somewhere else.
pub fn is_possible(locator: &Locator) -> bool {
    let path = locator.opts.get("git-dir").map(|dir| dir.as_path().to_path_buf());
    let linked = |path: &PathBuf| path.parent().is_some_and(|above| above.ends_with(".git/worktrees"));
    path.is_some_and(|path| path.is_absolute() && !linked(&path))
}

/// Makes the empty frame of a repository where a capture had one, with its refs in tables or not. HEAD is not written:
/// until it is, git sees none.
pub fn frame(locator: &Locator, tables: bool) -> Result<Place> {
    let named = |name: &str| locator.opts.get(name).map(|path| path.as_path().to_path_buf());
    let git_dir = named("git-dir").ok_or_else(|| Error::corrupt("a capture that names no git directory"))?;
    if git_dir.symlink_metadata().is_ok_and(|meta| !meta.is_dir()) {
        let what = format!("{} is there, and is no directory", git_dir.display());
        return Err(Error::failure(what).hint("move it away, then undo again"));
    }
    let more = if tables { ["refs", "reftable"] } else { ["refs/heads", "refs/tags"] };
    for below in DIRS.into_iter().chain(more) {
        let path = git_dir.join(below);
        fs::create_dir_all(&path).map_err(|e| Error::io("create", &path, &e))?;
    }
    let work_tree = named("work-tree");
    Ok(Place { work_tree, common_dir: git_dir.clone(), git_dir, elsewhere: Vec::new() })
}

/// The files that make a directory a repository whose refs are in tables; HEAD is the last.
pub fn close_tables(root: &Root) -> Result<()> {
    root.lock(b"refs/heads")?.commit(HEADS_STUB, None, None)?;
    root.lock(b"HEAD")?.commit(HEAD_STUB, None, None)
}
