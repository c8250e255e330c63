//! The repositories of submodules: a command that goes on into them changes their HEAD, index and configuration too.
//! They are found as files, below `modules/` of the git directory (gitmodules(5), git-submodule(1) `absorbgitdirs`).

use std::path::{Path, PathBuf};

use super::capture::repository;
use super::config_text;
use super::place::{Place, is_git_dir, tidy};
use super::what::What;
use crate::model::{Bytes, Capture, Locator, Missing};
use crate::systems::CaptureCx;

/// The most submodules that one command's capture covers.
const MOST: usize = 200;
/// How deep submodules within submodules, and names with slashes, are looked for.
const DEEPEST: usize = 8;

/// True where the repository's own configuration sends every command on into submodules.
pub fn are_configured(place: &Place) -> bool {
    let config = place.common_dir.join("config");
    let text = if config.is_file() { std::fs::read(&config).unwrap_or_default() } else { Vec::new() };
    config_text::value(&text, "submodule", "recurse")
        .is_some_and(|v| !matches!(v.as_str(), "false" | "no" | "off" | "0"))
}

/// Adds a capture for each submodule's repository. One that cannot be read is named in the capture of the repository
/// around it, and costs nothing else.
pub fn capture(place: &Place, locator: &Locator, cx: &CaptureCx<'_>, taken: &mut Vec<Capture>) {
    let mut found = Vec::new();
    below(&place.common_dir.join("modules"), DEEPEST, &mut found);
    let mut missing = Vec::new();
    if found.len() > MOST {
        let what = Bytes::from("submodules");
        missing.push(Missing { what, why: format!("only {MOST} of {} are captured", found.len()) });
    }
    for module in found.iter().take(MOST) {
        let locator = locator_of(module, locator);
        let what = What { modules: false, remote: false, ..What::of(&locator) };
        match repository(module, &locator, what, cx) {
            Ok(captures) => taken.extend(captures),
            Err(e) => missing.push(Missing { what: module.resource(), why: e.to_string() }),
        }
    }
    if let Some(around) = taken.first_mut() {
        around.missing.extend(missing);
    }
}

fn locator_of(module: &Place, from: &Locator) -> Locator {
    let mut locator = Locator { at: from.at.clone(), ..Locator::default() };
    let list = from.opts.get("what").map(|w| w.lossy().into_owned()).unwrap_or_default();
    let kept: Vec<&str> = list.split(',').filter(|w| !matches!(*w, "modules" | "remote")).collect();
    locator.opts.insert("what".to_owned(), Bytes::from(kept.join(",")));
    module.locator(&locator)
}

/// Git directories in `dir`, a name of which may hold slashes.
fn below(dir: &Path, depth: usize, found: &mut Vec<Place>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let mut dirs: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| is_dir(p)).collect();
    dirs.sort();
    for dir in dirs {
        if !is_git_dir(&dir) {
            if depth > 0 {
                below(&dir, depth - 1, found);
            }
            continue;
        }
        if depth > 0 {
            below(&dir.join("modules"), depth - 1, found);
        }
        found.push(Place { work_tree: Some(work_tree(&dir)), common_dir: dir.clone(), git_dir: dir });
    }
}

/// Not through a symbolic link: a repository must not lead a read out of itself.
fn is_dir(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
}

/// `core.worktree`, seen from the git directory; without one (`deinit` takes it out) the repository names itself.
fn work_tree(git_dir: &Path) -> PathBuf {
    let config = git_dir.join("config");
    let text = if config.is_file() { std::fs::read(&config).unwrap_or_default() } else { Vec::new() };
    let named = config_text::raw_value(&text, "core", "worktree");
    named.map_or_else(|| git_dir.to_path_buf(), |path| tidy(&git_dir.join(path)))
}
