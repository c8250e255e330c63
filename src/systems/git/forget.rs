//! At gc: vaults that no capture needs any longer are removed whole.
//!
//! No capture can lose by it. A capture touches the vault's lock file while it holds the lock, and its event is in the
//! journal within the grace time; gc marked first, and removes only what was not touched for the grace time, while it
//! holds that lock itself.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::FlockOperation;

use crate::error::{Error, Result};
use crate::model::Bytes;
use crate::systems::{ForgetCx, Forgotten};

/// Removes the vaults that no locator of `cx.kept` names, or says which it would remove.
pub fn forget(cx: &ForgetCx<'_>) -> Result<Vec<Forgotten>> {
    let kept: BTreeSet<&str> =
        cx.kept.iter().filter_map(|opts| opts.get("vault").and_then(Bytes::as_str)).collect();
    let mut gone = Vec::new();
    for entry in fs::read_dir(&cx.vault).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let dir = entry.path();
        if name.starts_with(REMOVED) && !cx.dry_run {
            // An earlier gc was killed while it removed this.
            remove(&dir)?;
        }
        if name.ends_with(".git") && !kept.contains(name.as_str()) && is_left(&dir, cx) {
            gone.extend(forget_one(&dir, &name, cx)?);
        }
    }
    Ok(gone)
}

/// The front of the name under which a vault is removed.
const REMOVED: &str = "removed-";

fn forget_one(dir: &Path, name: &str, cx: &ForgetCx<'_>) -> Result<Option<Forgotten>> {
    let from = fs::read(dir.join("source")).unwrap_or_default();
    let what = Bytes([b"git vault of ", from.trim_ascii_end()].concat());
    let forgotten = Forgotten { what, bytes: own_bytes(dir) };
    if cx.dry_run {
        return Ok(Some(forgotten));
    }
    let lock = dir.join("lock");
    let file = File::open(&lock).map_err(|e| Error::io("open", &lock, &e))?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() || !is_left(dir, cx) {
        return Ok(None);
    }
    // Renamed first: a capture that comes now makes a new vault and never sees half of one.
    let aside = cx.vault.join(format!("{REMOVED}{name}"));
    fs::rename(dir, &aside).map_err(|e| Error::io("rename", dir, &e))?;
    remove(&aside)?;
    Ok(Some(forgotten))
}

fn remove(dir: &Path) -> Result<()> {
    fs::remove_dir_all(dir).map_err(|e| Error::io("remove", dir, &e))
}

/// Nobody has used the vault for the grace time. One whose lock file cannot be looked at stays.
fn is_left(dir: &Path, cx: &ForgetCx<'_>) -> bool {
    let used = fs::symlink_metadata(dir.join("lock")).and_then(|meta| meta.modified());
    let age = used.ok().and_then(|used| SystemTime::now().duration_since(used).ok());
    age.is_some_and(|age| age >= cx.grace)
}

/// The bytes that only the vault holds: hard links to the project's own packs cost nothing while those are there.
fn own_bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut sum = 0;
    let mut todo = vec![dir.to_path_buf()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            match meta.is_dir() {
                true => todo.push(entry.path()),
                false if meta.nlink() == 1 => sum += meta.len(),
                false => {}
            }
        }
    }
    sum
}
