//! The old state, configuration and inventory beside the present, in a directory of their own.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::data;
use super::snapshot::Resource;
use super::state::RootState;
use crate::error::{Error, Result};
use crate::model::{Capture, ObjectSource, StepOutcome};
use crate::systems::ApplyCx;

/// Puts the captured state and configuration into `to`.
///
/// # Errors
/// Where the directory holds something, or cannot be written.
pub fn restore_to(captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let state = RootState::load(&captured.state, cx.source)?;
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::failure(format!("{} is not empty", to.display())).hint("name a new directory"));
    }
    configuration(&state, &to.join("configuration"), cx.source)?;
    if let Some(kept) = &state.state {
        write(&to.join("terraform.tfstate"), &cx.source.get(&kept.object)?)?;
    }
    for (path, id) in &state.others {
        let name = Path::new(path).file_name().unwrap_or_default();
        write(&to.join("other").join(name), &cx.source.get(id)?)?;
    }
    write(&to.join("inventory.txt"), inventory(state.resources()).as_bytes())?;
    let left: Vec<String> =
        captured.missing.iter().map(|m| format!("{}: {}", m.what.lossy(), m.why)).collect();
    Ok(if left.is_empty() { StepOutcome::Done } else { StepOutcome::Failed { reason: left.join("; ") } })
}

/// Puts the configuration into `to`, files at the places that they had towards each other; returns the root module.
///
/// # Errors
/// Where it cannot be written.
pub fn configuration(state: &RootState, to: &Path, source: &dyn ObjectSource) -> Result<PathBuf> {
    let top = common(&state.root(), state.files.keys().map(Path::new));
    let below = |path: &Path| moved(path, &top, to);
    let module = module_in(state, to);
    made(&module)?;
    for (path, id) in &state.files {
        write(&below(Path::new(path)), &source.get(id)?)?;
    }
    if let Some(locks) = &state.locks {
        write(&module.join(".terraform.lock.hcl"), &source.get(locks)?)?;
    }
    Ok(module)
}

/// Where the root module is in a recorded configuration that was put into `to`.
pub fn module_in(state: &RootState, to: &Path) -> PathBuf {
    let root = state.root();
    moved(&root, &common(&root, state.files.keys().map(Path::new)), to)
}

fn moved(path: &Path, top: &Path, to: &Path) -> PathBuf {
    path.strip_prefix(top).map(|rest| to.join(rest)).unwrap_or_else(|_| to.to_path_buf())
}

/// The lowest directory with all of it.
fn common<'a>(root: &Path, files: impl Iterator<Item = &'a Path>) -> PathBuf {
    let mut top = root.to_path_buf();
    for file in files {
        while !file.starts_with(&top) {
            if !top.pop() {
                break;
            }
        }
    }
    top
}

/// A list of resources for people.
pub fn inventory(resources: &[Resource]) -> String {
    let mut text = String::new();
    for r in resources {
        let id = r.id.as_deref().map(|id| format!(" (id {id})")).unwrap_or_default();
        text.push_str(&format!("{}{id}, {}", r.address, r.provider));
        let hints = data::hints(r);
        if !hints.is_empty() {
            text.push_str(&format!(", {hints}"));
        }
        if data::holds_data(r) {
            text.push_str(", holds data");
        }
        text.push('\n');
    }
    text
}

/// Writes a file that only its owner may read: states and variables hold secrets.
///
/// # Errors
/// Where it cannot be written, or is there already.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(dir) = path.parent() {
        made(dir)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes)).map_err(|e| Error::io("write", path, &e))
}

fn made(dir: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| Error::io("create", dir, &e))
}
