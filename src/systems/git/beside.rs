//! The old state beside the present: a bare repository with the captured refs, to look at and to fetch from.

use std::fs;
use std::path::Path;

use super::dir::Root;
use super::look::Area;
use super::place::Place;
use super::state::{FileKind, RepoState};
use super::vault::{Limits, Vault, object_dirs, take_files};
use crate::error::{Error, Result};
use crate::model::{Capture, ObjectSource, StepOutcome};
use crate::systems::ApplyCx;

/// Makes a bare repository in `to` with the captured HEAD, refs, reflogs and index. The captured configuration lies
/// beside as `config.captured`: in force it could run programs.
pub fn restore_to(captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let state = RepoState::load(&captured.state, cx.source)?
        .ok_or_else(|| Error::corrupt("a capture of a repository without its state"))?;
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::failure(format!("{} is not empty", to.display())).hint("name a new directory"));
    }
    for below in ["objects/pack", "objects/info", "refs", "logs"] {
        let path = to.join(below);
        fs::create_dir_all(&path).map_err(|e| Error::io("create", &path, &e))?;
    }
    let root = Root::open(to)?;
    write(&root, b"config", config(&state).as_bytes())?;
    write(&root, b"packed-refs", &packed_refs(&state))?;
    for (name, value) in state.refs.iter().filter(|(_, v)| v.as_slice().starts_with(b"ref: ")) {
        write(&root, name.as_slice(), &[value.as_slice(), b"\n"].concat())?;
    }
    if let Some(index) = &state.index {
        write(&root, b"index", &cx.source.get(&index.blob)?)?;
    }
    files(&state, &root, cx.source)?;
    let left = objects(captured, to, cx)?;
    // Last: without HEAD git does not take a half-made directory for a repository.
    if let Some(head) = &state.head {
        write(&root, b"HEAD", head.as_slice())?;
    }
    if left.is_empty() { Ok(StepOutcome::Done) } else { Ok(StepOutcome::Failed { reason: left.join("; ") }) }
}

/// Only what says how the rest is to be read.
fn config(state: &RepoState) -> String {
    let objects = &state.object_format;
    if objects == "sha1" {
        return "[core]\n\trepositoryformatversion = 0\n\tbare = true\n".to_owned();
    }
    format!(
        "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = {objects}\n"
    )
}

fn packed_refs(state: &RepoState) -> Vec<u8> {
    let mut text = b"# pack-refs with: sorted\n".to_vec();
    for (name, value) in state.refs.iter().filter(|(_, v)| !v.as_slice().starts_with(b"ref: ")) {
        text.extend_from_slice(&[value.as_slice(), b" ", name.as_slice(), b"\n"].concat());
    }
    text
}

fn files(state: &RepoState, to: &Root, source: &dyn ObjectSource) -> Result<()> {
    for (key, file) in &state.files {
        let Some((_, name)) = Area::split(key.as_slice()) else { continue };
        match file.kind {
            FileKind::Log | FileKind::StashLog => write(to, name, &file.load(source)?)?,
            FileKind::Config if name == b"config" => write(to, b"config.captured", &file.load(source)?)?,
            FileKind::Config if name == b"shallow" => write(to, name, &file.load(source)?)?,
            _ => {}
        }
    }
    Ok(())
}

/// Objects of the project as far as it still has them, then those of the vault.
fn objects(captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    let mut limits = Limits::none();
    let target = to.join("objects");
    let place = Place::find(&captured.locator);
    let dirs = place.as_ref().map(|p| object_dirs(&p.objects())).unwrap_or_default();
    let vault = Vault::of(&cx.vault, &captured.locator)?;
    for dir in dirs.into_iter().chain([vault.objects()]) {
        take_files(&dir, &target, &mut limits, &mut missing)?;
    }
    Ok(missing.into_iter().map(|m| format!("{}: {}", m.what.lossy(), m.why)).collect())
}

/// The directory is empty and ours, but names come from a repository: none may lead out of it.
fn write(to: &Root, name: &[u8], bytes: &[u8]) -> Result<()> {
    to.lock(name)?.commit(bytes, Some(0o600), None)
}
