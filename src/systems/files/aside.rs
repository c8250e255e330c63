//! Puts a captured state beside the present: into a directory that is new or empty.

use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::build::Builder;
use super::compare::load_state;
use super::entry::Entry;
use super::judge::unable;
use super::tree::decode_tree;
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, StepOutcome};
use crate::platform::fs::{
    is_name, link_beside, list_dir, open_absolute, open_beneath, split_parent, sync_file_system,
};
use crate::systems::ApplyCx;

/// Writes the captured path into `to`, under its own name.
pub fn restore_to(captured: &Capture, to: &Path, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let id = captured.state.object.ok_or_else(|| Error::corrupt("the captured state has no object"))?;
    let state = load_state(cx.source, &id)?;
    let Some(entry) = state.entry else {
        return Ok(StepOutcome::Failed { reason: format!("{} did not exist then", state.path.lossy()) });
    };
    let failed = |e: std::io::Error| Error::io("write", to, &e);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(to).map_err(failed)?;
    let real = std::fs::canonicalize(to).map_err(failed)?;
    let base = open_absolute(&Bytes::from(real).0).map_err(failed)?;
    let mut names = 0;
    list_dir(base.as_fd(), &mut Vec::new(), |_| names += 1).map_err(failed)?;
    if names > 0 {
        return Err(Error::failure(format!("{} is not empty", to.display()))
            .hint("name a directory that does not exist yet"));
    }
    let name = match split_parent(state.path.as_slice()).1 {
        name if is_name(name) => name.to_vec(),
        _ => b"root".to_vec(),
    };
    write_below(base.as_fd(), name, entry, cx)
}

/// Writes an entry, with all below it, under a new name.
pub fn write_below(
    base: std::os::fd::BorrowedFd<'_>,
    name: Vec<u8>,
    entry: Entry,
    cx: &ApplyCx<'_>,
) -> Result<StepOutcome> {
    let mut builder = Builder::new(cx.source, false);
    let mut full = Vec::new();
    let mut lost = Vec::new();
    let mut done = 0;
    let mut stack = vec![(name, entry)];
    while let Some((path, entry)) = stack.pop() {
        let shown = Bytes::from(path.as_slice());
        if let Some(why) = entry.why_skipped().map(str::to_owned).or_else(|| unable(&entry)) {
            lost.push(format!("{}: {why}", shown.lossy()));
            continue;
        }
        let (dir, name) = split_parent(&path);
        let fd = open_beneath(base, dir).map_err(|e| Error::io("open", shown.as_path(), &e))?;
        let group = entry.links.map(|l| (l.dev, l.ino));
        let linked = match group.and_then(|group| builder.links.get(&group)) {
            Some((from_dir, from)) => open_beneath(base, from_dir)
                .and_then(|from_fd| link_beside(from_fd.as_fd(), from, fd.as_fd(), name))
                .is_ok(),
            None => false,
        };
        if !linked {
            builder.make(fd.as_fd(), name, &entry, &path)?;
            if let Some(group) = group {
                builder.links.insert(group, (dir.to_vec(), name.to_vec()));
            }
        }
        done += 1;
        (cx.progress)(done);
        if let Some(tree) = entry.tree() {
            let names = decode_tree(&cx.source.get(&tree)?)?;
            stack.extend(
                names.into_iter().rev().map(|n| ([&path, &b"/"[..], n.name.as_slice()].concat(), n.entry)),
            );
        }
        if entry.is_dir() {
            full.push((path, entry.meta));
        }
    }
    for (path, meta) in full.iter().rev() {
        let fd = open_beneath(base, path)
            .map_err(|e| Error::io("open", Bytes::from(path.as_slice()).as_path(), &e))?;
        builder.finish_dir(fd.as_fd(), meta, path);
    }
    sync_file_system(base).map_err(|e| Error::io("sync", "the restored files", &e))?;
    lost.append(&mut builder.shortfalls);
    if lost.is_empty() {
        return Ok(StepOutcome::Done);
    }
    let more = lost.len().saturating_sub(10);
    lost.truncate(10);
    let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
    Ok(StepOutcome::Failed { reason: format!("did not come back: {}{tail}", lost.join("; ")) })
}
