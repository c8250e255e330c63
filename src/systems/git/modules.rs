//! The repositories of submodules: a command that goes on into them changes their HEAD, index and configuration too.
//! They are found as files, below `modules/` of the git directory (gitmodules(5), git-submodule(1) `absorbgitdirs`).

use std::path::{Path, PathBuf};

use super::capture::repository;
use super::config_text;
use super::gitmodules::submodules;
use super::place::{MOVES_TO, Place, is_git_dir, tidy};
use super::what::What;
use crate::model::{Bytes, Capture, Locator, Missing};
use crate::platform::home::user_home;
use crate::systems::CaptureCx;
use crate::systems::git_index::Index;

/// The most submodules that one command's capture covers.
const MOST: usize = 200;
/// How deep submodules within submodules, and names with slashes, are looked for.
const DEEPEST: usize = 8;

/// True where configuration sends commands on into submodules: the repository's own, or else the user's.
pub fn are_configured(place: &Place) -> bool {
    let user = user_home().map(|home| home.join(".gitconfig"));
    let set = |file: &Path| config_text::value(&text_of(file), "submodule", "recurse");
    let value = set(&place.common_dir.join("config")).or_else(|| user.as_deref().and_then(set));
    value.is_some_and(|value| !matches!(value.as_str(), "false" | "no" | "off" | "0"))
}

fn text_of(file: &Path) -> Vec<u8> {
    if file.is_file() { std::fs::read(file).unwrap_or_default() } else { Vec::new() }
}

/// Adds a capture for each submodule's repository; with `only_embedded` for those alone that git may move. One that cannot
/// be read is named in the capture of the repository around it, and costs nothing else.
pub fn capture(
    place: &Place,
    locator: &Locator,
    only_embedded: bool,
    cx: &CaptureCx<'_>,
    taken: &mut Vec<Capture>,
) {
    let mut found: Vec<Module> = Vec::new();
    if !only_embedded {
        let mut absorbed = Vec::new();
        below(&place.common_dir.join("modules"), DEEPEST, &mut absorbed);
        if place.is_linked() {
            below(&place.git_dir.join("modules"), DEEPEST, &mut absorbed);
        }
        found.extend(absorbed.into_iter().map(|place| Module { place, moves_to: None }));
    }
    embedded(place, &place.git_dir, DEEPEST, &mut found);
    let mut missing = Vec::new();
    if found.len() > MOST {
        let what = Bytes::from("submodules");
        missing.push(Missing { what, why: format!("only {MOST} of {} are captured", found.len()) });
    }
    for module in found.iter().take(MOST) {
        let locator = locator_of(module, locator);
        let what = What { modules: false, embedded: false, remote: false, ..What::of(&locator) };
        match repository(&module.place, &locator, what, cx) {
            Ok(captures) => taken.extend(captures),
            Err(e) => missing.push(Missing { what: module.place.resource(), why: e.to_string() }),
        }
    }
    if let Some(around) = taken.first_mut() {
        around.missing.extend(missing);
    }
}

/// The git directories that submodules do not have yet: the first `update --init` makes them, and nothing else knows of
/// them. What lies in the work tree already is moved there, not made.
pub fn to_come(locator: &Locator) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some((place, top)) =
        Place::find(locator).ok().and_then(|p| p.work_tree.clone().map(|top| (p, top)))
    {
        missing_below(&place.git_dir, &top, DEEPEST, &mut found);
    }
    found
}

fn missing_below(git_dir: &Path, top: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for module in submodules(top) {
        let (absorbed, tree) = (git_dir.join("modules").join(&module.name), top.join(&module.path));
        let inside = tree.join(".git");
        let is_embedded = is_dir(&inside) && is_git_dir(&inside);
        if found.len() < MOST && !is_embedded && absorbed.symlink_metadata().is_err() {
            found.push(absorbed);
        } else if depth > 0 && is_dir(&tree) {
            missing_below(if is_embedded { &inside } else { &absorbed }, &tree, depth - 1, found);
        }
    }
}

/// A submodule's repository.
struct Module {
    place: Place,
    /// Where git would move it to, where it lies in the work tree.
    moves_to: Option<PathBuf>,
}

fn locator_of(module: &Module, from: &Locator) -> Locator {
    let mut locator = Locator { at: from.at.clone(), ..Locator::default() };
    let list = from.opts.get("what").map(|w| w.lossy().into_owned()).unwrap_or_default();
    let kept: Vec<&str> =
        list.split(',').filter(|w| !matches!(*w, "modules" | "embedded" | "remote")).collect();
    locator.opts.insert("what".to_owned(), Bytes::from(kept.join(",")));
    let to = module.moves_to.as_ref();
    locator.opts.extend(to.map(|to| (MOVES_TO.to_owned(), Bytes::from(to.as_path()))));
    module.place.locator(&locator)
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
        let work_tree = Some(work_tree(&dir));
        found.push(Place { work_tree, common_dir: dir.clone(), git_dir: dir, elsewhere: Vec::new() });
    }
}

/// Submodules whose git directory is in the work tree, as git made them before 1.7.8 and as `git add` of a repository
/// does still. `git_dir`: below its `modules/` git moves them.
fn embedded(place: &Place, git_dir: &Path, depth: usize, found: &mut Vec<Module>) {
    let Some(top) = place.work_tree.as_ref().and_then(|tree| tree.canonicalize().ok()) else { return };
    let named = submodules(&top);
    let modules = git_dir.canonicalize().unwrap_or_else(|_| git_dir.to_path_buf()).join("modules");
    for path in links(place) {
        let path = Bytes::from(path);
        let Ok(dir) = top.join(path.as_path()).canonicalize() else { continue };
        let git_dir = dir.join(".git");
        if !dir.starts_with(&top) || !is_dir(&git_dir) || !is_git_dir(&git_dir) {
            continue;
        }
        let name = named.iter().find(|module| module.path.as_bytes() == path.as_slice());
        let moves_to = name.map(|module| modules.join(&module.name));
        let inside = Place {
            work_tree: Some(dir),
            common_dir: git_dir.clone(),
            git_dir: git_dir.clone(),
            elsewhere: Vec::new(),
        };
        // Those inside of it come behind it: undo goes from the end, and they must be out of it before it moves.
        let free = moves_to.clone().filter(|to| to.symlink_metadata().is_err());
        found.push(Module { place: inside.clone(), moves_to: free });
        if depth > 0 {
            embedded(&inside, moves_to.as_deref().unwrap_or(&git_dir), depth - 1, found);
        }
    }
}

/// The paths of the submodules that the index names.
fn links(place: &Place) -> Vec<Vec<u8>> {
    let read = || place.open().ok()?.own.read(b"index").ok()?;
    let Some(content) = read() else { return Vec::new() };
    let oid_len =
        match config_text::value(&text_of(&place.common_dir.join("config")), "extensions", "objectformat") {
            Some(format) if format == "sha256" => 32,
            _ => 20,
        };
    let entries = Index::parse(&content.bytes, oid_len).map(|index| index.entries).unwrap_or_default();
    entries.into_iter().filter(|entry| entry.mode == 0o160_000).map(|entry| entry.path).collect()
}

/// Not through a symbolic link: a repository must not lead a read out of itself.
fn is_dir(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
}

/// `core.worktree`, seen from the git directory; without one (`deinit` takes it out) the repository names itself.
fn work_tree(git_dir: &Path) -> PathBuf {
    let text = text_of(&git_dir.join("config"));
    let named = config_text::raw_value(&text, "core", "worktree");
    named.map_or_else(|| git_dir.to_path_buf(), |path| tidy(&git_dir.join(path)))
}
