//! The remote's old refs beside the present: a bare repository to look at and to fetch from.

use std::fs;
use std::path::Path;

use super::state::RemoteState;
use crate::error::{Error, Result};
use crate::model::{Capture, StepOutcome};
use crate::systems::ApplyCx;
use crate::systems::git::place::Place;
use crate::systems::git::vault::{Limits, Vault, object_dirs, take_files};

/// Makes a bare repository in `to` with the captured refs of the remote.
pub fn restore_to(captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let state = RemoteState::expect(&captured.state, cx.source)?;
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::failure(format!("{} is not empty", to.display())).hint("name a new directory"));
    }
    for below in ["objects/pack", "objects/info", "refs"] {
        let path = to.join(below);
        fs::create_dir_all(&path).map_err(|e| Error::io("create", &path, &e))?;
    }
    let write = |name: &str, text: &str| {
        let path = to.join(name);
        fs::write(&path, text).map_err(|e| Error::io("write", &path, &e))
    };
    let sha256 = state.refs.values().flatten().any(|id| id.len() == 64);
    let format =
        if sha256 { "1\n\tbare = true\n[extensions]\n\tobjectformat = sha256" } else { "0\n\tbare = true" };
    write("config", &format!("[core]\n\trepositoryformatversion = {format}\n"))?;
    let known = state.refs.iter().filter_map(|(name, id)| id.as_ref().map(|id| format!("{id} {name}\n")));
    write("packed-refs", &format!("# pack-refs with: sorted\n{}", known.collect::<String>()))?;
    let mut missing = Vec::new();
    let dirs = Place::find(&captured.locator).map(|p| object_dirs(&p.objects())).unwrap_or_default();
    for dir in dirs.into_iter().chain([Vault::of(&cx.vault, &captured.locator)?.objects()]) {
        take_files(&dir, &to.join("objects"), &mut Limits::none(), &mut missing)?;
    }
    // Last: without HEAD git does not take a half-made directory for a repository.
    let head = state
        .refs
        .keys()
        .find(|name| name.starts_with("refs/heads/"))
        .map_or("refs/heads/none", String::as_str);
    write("HEAD", &format!("ref: {head}\n"))?;
    let left: Vec<String> = missing.into_iter().map(|m| format!("{}: {}", m.what.lossy(), m.why)).collect();
    Ok(if left.is_empty() { StepOutcome::Done } else { StepOutcome::Failed { reason: left.join("; ") } })
}
