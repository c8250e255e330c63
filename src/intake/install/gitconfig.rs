//! git's trace of itself, switched on in the user's own configuration: a block at its end. Nothing of the user's is
//! replaced; where git traces to another place already, it stays there.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::block;
use super::edit::Edit;
use super::line::text;
use super::world::World;
use crate::error::{Error, Result};
use crate::intake::git_trace;

/// The word that records and `fr uninstall` know it by.
pub const NAME: &str = "git";

/// After so many traces that nobody has read, git writes no more (git-config(1), `trace2.maxFiles`): some 8 MB.
const MAX_FILES: u32 = 2000;

/// The file that gets the block: the one of the two that git reads last, if it is there.
pub fn file(world: &World) -> PathBuf {
    if let Some(named) = world.env.get("GIT_CONFIG_GLOBAL").filter(|named| !named.is_empty()) {
        return named.as_path().to_path_buf();
    }
    let usual = world.home.join(".gitconfig");
    let other = world.git_config_dir().join("config");
    if !usual.exists() && other.exists() { other } else { usual }
}

/// The block.
///
/// # Errors
/// Where git traces to another place already, or the path of the store is not UTF-8.
pub fn edit(world: &World) -> Result<Edit> {
    let ours = world.state.join("git-trace");
    let files = [file(world), world.git_config_dir().join("config"), world.home.join(".gitconfig")];
    for file in files.iter().map(PathBuf::as_path).chain([Path::new("/etc/gitconfig")]) {
        if let Some(theirs) = target(file).filter(|target| Path::new(target) != ours) {
            return Err(Error::failure(format!(
                "git traces to {theirs} already (trace2.eventTarget in {}), and it can do so to one place only",
                file.display()
            ))
            .hint("remove that setting, then run this again"));
        }
    }
    let path = text(&ours)?.replace('\\', r"\\").replace('"', "\\\"");
    let body = format!(
        "[trace2]\n\teventTarget = \"{path}\"\n\teventBrief = true\n\teventNesting = 1\n\tmaxFiles = {MAX_FILES}\n\
         \tenvVars = {}",
        git_trace::variables()
    );
    Ok(Edit::Block(block::around(&body)))
}

/// Where a file has git trace to.
fn target(file: &Path) -> Option<String> {
    let config = git2::Config::open(file).ok()?;
    config
        .get_string("trace2.eventtarget")
        .ok()
        .filter(|target| !matches!(target.as_str(), "" | "0" | "false"))
}

/// Makes the directory: git would make a file of that name.
///
/// # Errors
/// Where it cannot be made.
pub fn prepare(world: &World) -> Result<()> {
    let dir = world.state.join("git-trace");
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir);
    made.map_err(|e| Error::io("create", &dir, &e))
}
