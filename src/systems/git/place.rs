//! Where a repository is: found from the directory a command runs in, by the rules of gitrepository-layout(5),
//! without asking git and without reading any configuration.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::config_text;
use super::dir::Root;
use crate::error::{Error, Result};
use crate::model::{Bytes, Locator};

/// A repository as one working tree sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The working tree; `None` for a bare repository.
    pub work_tree: Option<PathBuf>,
    /// HEAD, index and operations in progress of this working tree.
    pub git_dir: PathBuf,
    /// Refs, objects and configuration, shared by all working trees. Equal to `git_dir` in the main one.
    pub common_dir: PathBuf,
    /// Other directories of objects, which the environment of the command names (git(1), `GIT_OBJECT_DIRECTORY`).
    pub elsewhere: Vec<PathBuf>,
}

/// Option of a locator: those directories, separated by NUL.
pub const OBJECTS: &str = "object-dirs";

/// Option of a locator: where git would move the git directory of a submodule that has it in its work tree.
pub const MOVES_TO: &str = "moves-to";

impl Place {
    /// The repository that a command in `locator.at` works on. A locator of an earlier capture names it exactly.
    pub fn find(locator: &Locator) -> Result<Place> {
        let listed = locator.opts.get(OBJECTS).map(Bytes::as_slice).unwrap_or_default();
        let dirs = listed.split(|b| *b == 0).filter(|dir| !dir.is_empty());
        let place = Place::find_dirs(locator)?;
        // git has gone to the top of the working tree when it uses a relative one (measured, git 2.47.3).
        let at = locator.at.as_path();
        let from = place.work_tree.as_deref().filter(|top| at.starts_with(top)).unwrap_or(at);
        let from = Bytes::from(from);
        let elsewhere = dirs.map(|dir| from.join(dir).as_path().to_path_buf()).collect();
        Ok(Place { elsewhere, ..place })
    }

    /// The repository of an earlier capture, which may be gone: `None` where nothing is there any more.
    ///
    /// # Errors
    /// Where it is there and could not be read just now: that is not nothing.
    pub fn find_if_there(locator: &Locator) -> Result<Option<Place>> {
        let why = match Place::find(locator) {
            Ok(place) => return Ok(Some(place)),
            Err(why) => why,
        };
        let Some(named) = locator.opts.get("git-dir") else { return Ok(None) };
        let dir = resolve_git_file(&locator.at.as_path().join(named.as_path()));
        let absent = [ErrorKind::NotFound, ErrorKind::NotADirectory];
        let is_unreadable = std::fs::read(dir.join("HEAD")).is_err_and(|e| !absent.contains(&e.kind()));
        if is_unreadable || is_git_dir(&dir) {
            return Err(why.context(format!("{} could not be read", dir.display())));
        }
        Ok(None)
    }

    fn find_dirs(locator: &Locator) -> Result<Place> {
        let opt = |name: &str| locator.opts.get(name).map(|v| v.as_path().to_path_buf());
        let work_tree = opt("work-tree");
        if let Some(git_dir) = opt("git-dir") {
            let at = locator.at.as_path();
            let mut git_dir = resolve_git_file(&at.join(git_dir));
            if let Some(to) = opt(MOVES_TO).filter(|to| !is_git_dir(&git_dir) && is_git_dir(to)) {
                git_dir = to;
            }
            if !is_git_dir(&git_dir) {
                return Err(none_at(&git_dir));
            }
            let beside = (git_dir.file_name() == Some(".git".as_ref())).then(|| git_dir.parent()).flatten();
            let work_tree = work_tree.or_else(|| match opt("bare") {
                Some(_) => None,
                None => Some(beside.unwrap_or(at).to_path_buf()),
            });
            return Ok(Place::of(git_dir, work_tree));
        }
        let mut found = Place::discover(locator.at.as_path())?;
        if work_tree.is_some() {
            found.work_tree = work_tree;
        }
        Ok(found)
    }

    fn discover(at: &Path) -> Result<Place> {
        if !at.is_absolute() {
            return Err(Error::failure(format!("{} is not an absolute path", at.display())));
        }
        for dir in at.ancestors() {
            let git_dir = resolve_git_file(&dir.join(".git"));
            if is_git_dir(&git_dir) {
                return Ok(Place::of(git_dir, Some(dir.to_path_buf())));
            }
            if is_git_dir(dir) {
                // Inside a `.git` directory, or a bare repository.
                let tree = (dir.file_name() == Some(".git".as_ref())).then(|| dir.parent()).flatten();
                return Ok(Place::of(dir.to_path_buf(), tree.map(Path::to_path_buf)));
            }
        }
        Err(none_at(at))
    }

    fn of(git_dir: PathBuf, work_tree: Option<PathBuf>) -> Place {
        let git_dir = tidy(&git_dir);
        let common_dir = match read_line(&git_dir.join("commondir")) {
            Some(line) => tidy(&git_dir.join(Bytes::from(line).as_path())),
            None => git_dir.clone(),
        };
        Place { work_tree: work_tree.map(|w| tidy(&w)), git_dir, common_dir, elsewhere: Vec::new() }
    }

    /// Where it is, if a capture found it somewhere else: only submodules are moved.
    pub fn moved(&self, locator: &Locator) -> Option<Bytes> {
        let captured = locator.opts.get("git-dir").filter(|_| locator.opts.contains_key(MOVES_TO))?;
        let here = Bytes::from(self.git_dir.as_path());
        (*captured != here).then_some(here)
    }

    /// True where this is a linked working tree.
    pub fn is_linked(&self) -> bool {
        self.git_dir != self.common_dir
    }

    /// The resource in the target grammar: `git:` and the working tree, or the repository where it is bare.
    pub fn resource(&self) -> Bytes {
        let place = self.work_tree.as_ref().unwrap_or(&self.git_dir);
        Bytes([b"git:", Bytes::from(place.as_path()).as_slice()].concat())
    }

    /// A locator that finds exactly this repository again, and is the same wherever in it the command ran; other options
    /// (`what`) are kept.
    pub fn locator(&self, from: &Locator) -> Locator {
        let mut opts: BTreeMap<String, Bytes> = from.opts.clone();
        opts.insert("git-dir".to_owned(), Bytes::from(self.git_dir.as_path()));
        match &self.work_tree {
            Some(tree) => opts.insert("work-tree".to_owned(), Bytes::from(tree.as_path())),
            None => opts.insert("bare".to_owned(), Bytes::from("true")),
        };
        // Directories of objects that the environment names may be relative to where the command ran.
        let at = match from.opts.contains_key(OBJECTS) {
            true => from.at.clone(),
            false => Bytes::from(self.work_tree.as_deref().unwrap_or(&self.git_dir)),
        };
        Locator { at, opts, ..Locator::default() }
    }

    /// The directory of objects.
    pub fn objects(&self) -> PathBuf {
        self.common_dir.join("objects")
    }

    /// That, and the others that the command sees.
    pub fn all_objects(&self) -> Vec<PathBuf> {
        std::iter::once(self.objects()).chain(self.elsewhere.iter().cloned()).collect()
    }

    /// Opens the working tree's own git directory and the shared one.
    pub fn open(&self) -> Result<Roots> {
        let (own, common) = (Root::open(&self.git_dir)?, Root::open(&self.common_dir)?);
        // Only plain `key = value` lines in the repository's own file count, as git itself requires
        // (gitrepository-layout(5)).
        let config = common.read(b"config").ok().flatten().map(|c| c.bytes).unwrap_or_default();
        let tables = config_text::value(&config, "extensions", "refstorage").is_some_and(|v| v == "reftable");
        Ok(Roots { own, common, linked: self.is_linked(), tables })
    }
}

/// The two directories that hold a repository's files, open.
pub struct Roots {
    /// See [`Place::git_dir`].
    pub own: Root,
    /// See [`Place::common_dir`].
    pub common: Root,
    /// See [`Place::is_linked`].
    pub linked: bool,
    /// Refs and reflogs are in tables ([`super::reftable`]).
    pub tables: bool,
}

fn none_at(path: &Path) -> Error {
    Error::failure(format!("no git repository at {} or above it", path.display()))
}

/// A `.git` file (`gitdir: <path>`: linked working trees, submodules) leads to the directory it names.
fn resolve_git_file(path: &Path) -> PathBuf {
    let target = || {
        if path.symlink_metadata().ok()?.is_dir() {
            return None;
        }
        let line = read_line(path)?;
        let target = line.strip_prefix(b"gitdir: ")?;
        Some(path.parent()?.join(Bytes::from(target).as_path()))
    };
    target().unwrap_or_else(|| path.to_path_buf())
}

/// True for a `.git` file that leads to this git directory.
pub fn leads_to(file: &Path, git_dir: &Path) -> bool {
    let to = resolve_git_file(file);
    to != file && tidy(&to) == git_dir
}

/// git's own test: objects and refs (here or in the common directory), and a HEAD that looks like one.
pub fn is_git_dir(path: &Path) -> bool {
    let head = path.join("HEAD");
    let looks_like_head = head.symlink_metadata().is_ok_and(|m| m.is_symlink())
        || read_line(&head)
            .is_some_and(|l| l.starts_with(b"ref:") || super::objects::parse_hex(&l).is_some());
    let common = read_line(&path.join("commondir"));
    let common = common.map_or_else(|| path.to_path_buf(), |l| path.join(Bytes::from(l).as_path()));
    looks_like_head && common.join("objects").is_dir() && common.join("refs").is_dir()
}

/// The first bytes of a small regular file without the line end.
fn read_line(path: &Path) -> Option<Vec<u8>> {
    let meta = path.metadata().ok()?;
    if !meta.is_file() || meta.len() > 8192 {
        return None;
    }
    Some(std::fs::read(path).ok()?.trim_ascii_end().to_vec())
}

/// Removes `.` and resolves `..` through the file system, so that one repository has one name.
pub fn tidy(path: &Path) -> PathBuf {
    if path.components().any(|c| matches!(c, Component::ParentDir)) {
        return path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    }
    path.components().collect()
}
