//! The directory of shims: one link to this binary for each program.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::PROGRAMS;
use super::find::{Avoid, find};
use crate::error::{Error, Result};

/// How it stands with one shim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The link is there, and it is what the name finds on PATH.
    Active,
    /// The link is there, and PATH finds another program first.
    Shadowed,
    /// There is no link, and the program is there.
    Off,
    /// There is no such program, so there is no link: `command -v` must go on telling the truth.
    NoProgram,
    /// Something that is not ours has that name in the directory.
    Foreign,
}

/// The directory and its shims.
#[derive(Clone, Debug, Serialize)]
pub struct Links {
    /// The directory.
    pub dir: PathBuf,
    /// It is on PATH.
    pub on_path: bool,
    /// Each program and its state.
    pub programs: Vec<Shim>,
}

/// One program.
#[derive(Clone, Debug, Serialize)]
pub struct Shim {
    /// Its name.
    pub name: &'static str,
    /// How it stands.
    pub state: State,
    /// The real program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real: Option<PathBuf>,
}

/// Makes a link to `binary` for each program that there is, and takes away links of programs that are gone.
///
/// # Errors
/// Where the directory is none that shims may lie in, or cannot be written.
pub fn enable(dir: &Path, state_dir: &Path, binary: &Path) -> Result<()> {
    refuse(dir, state_dir)?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| Error::io("create", dir, &e))?;
    let avoid = Avoid::new(std::iter::once(dir.to_path_buf()));
    for name in PROGRAMS {
        let link = dir.join(name);
        if is_foreign(&link) {
            continue;
        }
        let real = find(name, std::env::var_os("PATH").as_deref(), &avoid);
        if real.is_err() {
            remove(&link)?;
        } else if fs::read_link(&link).ok().as_deref() != Some(binary) {
            // Made beside and renamed: a shell that looks right now must find one or the other.
            let beside = dir.join(format!(".{name}.{}", std::process::id()));
            remove(&beside)?;
            std::os::unix::fs::symlink(binary, &beside).map_err(|e| Error::io("make", &beside, &e))?;
            fs::rename(&beside, &link).map_err(|e| Error::io("make", &link, &e))?;
        }
    }
    Ok(())
}

/// Takes the links away, and the directory if nothing else is in it. Returns how many there were.
///
/// # Errors
/// Where a link cannot be removed.
pub fn disable(dir: &Path) -> Result<usize> {
    let mut count = 0;
    for name in PROGRAMS {
        let link = dir.join(name);
        if link.symlink_metadata().is_ok() && !is_foreign(&link) {
            remove(&link)?;
            count += 1;
        }
    }
    // Not empty, or not there: then it is not ours to remove.
    let _ = fs::remove_dir(dir);
    Ok(count)
}

/// How it stands.
pub fn status(dir: &Path) -> Links {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let avoid = Avoid::new(std::iter::once(dir.to_path_buf()));
    let on_path = std::env::split_paths(&path).any(|element| element == dir);
    let shim = |name: &&'static str| {
        let real = find(name, Some(&path), &avoid).ok();
        let link = dir.join(name);
        let state = if is_foreign(&link) {
            State::Foreign
        } else if link.symlink_metadata().is_err() {
            if real.is_some() { State::Off } else { State::NoProgram }
        } else if first(name, &path).as_deref() == Some(link.as_path()) {
            State::Active
        } else {
            State::Shadowed
        };
        Shim { name, state, real }
    };
    Links { dir: dir.to_path_buf(), on_path, programs: PROGRAMS.iter().map(shim).collect() }
}

/// What a name finds on PATH, shim or not.
fn first(name: &str, path: &OsStr) -> Option<PathBuf> {
    find(name, Some(path), &Avoid::default()).ok()
}

/// A shim that a command could remove or replace protects nothing; and what is in a work tree is in commits and
/// snapshots too.
fn refuse(dir: &Path, state_dir: &Path) -> Result<()> {
    let no = |what: String| {
        Err(Error::failure(what)
            .hint(format!("without --dir the shims go to {}", state_dir.join("shims").display())))
    };
    if !dir.is_absolute() {
        return no(format!("{} is not an absolute path", dir.display()));
    }
    let tree = dir.ancestors().find(|above| above.join(".git").symlink_metadata().is_ok());
    if let Some(tree) = tree.filter(|_| !dir.starts_with(state_dir)) {
        return no(format!("{} lies in the work tree {}", dir.display(), tree.display()));
    }
    let others = fs::read_dir(dir).into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        !PROGRAMS.iter().any(|known| OsStr::new(known) == name) || is_foreign(&entry.path())
    });
    if others {
        return no(format!("{} holds other things than shims", dir.display()));
    }
    Ok(())
}

/// There is something, and it is no link to a binary called `fr`.
fn is_foreign(link: &Path) -> bool {
    match fs::read_link(link) {
        Ok(target) => target.file_name() != Some(OsStr::new("fr")),
        Err(_) => link.symlink_metadata().is_ok(),
    }
}

fn remove(link: &Path) -> Result<()> {
    match fs::remove_file(link) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("remove", link, &e)),
        _ => Ok(()),
    }
}
