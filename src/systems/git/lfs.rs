//! Large files of git-lfs: the contents lie in `lfs/objects/ab/cd/<sha256>` of the git directory, or below the directory that
//! `lfs.storage` names, and nowhere else until they are pushed (git-lfs-config(5)). They never change, so a hard link in the
//! vault keeps them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::config_text;
use super::vault::{Limits, Vault, take_file};
use crate::error::{Error, Result};
use crate::model::{Bytes, Missing, ObjectId, ObjectSink};
use crate::platform::home;

/// Where they are in the vault.
const DIR: &str = "lfs/objects";
/// More are not listed before every command.
const MOST: usize = 50_000;

/// The directory that holds `objects`: the repository's own setting, else the user's, else `lfs` (git-lfs-config(5)).
fn storage(common_dir: &Path) -> PathBuf {
    let user = home::user_home().map(|home| home.as_path().join(".gitconfig"));
    let set = [Some(common_dir.join("config")), user].into_iter().flatten().find_map(|file| {
        let text = fs::read(file).ok()?;
        config_text::raw_value(&text, "lfs", "storage").filter(|value| !value.is_empty())
    });
    common_dir.join(set.as_deref().unwrap_or("lfs"))
}

/// The names of all of them; empty where there are none.
///
/// # Errors
/// Where they are behind a symbolic link, or too many.
pub fn names(common_dir: &Path) -> Result<BTreeSet<[u8; 32]>> {
    let mut found = BTreeSet::new();
    let top = storage(common_dir);
    for dir in [top.clone(), top.join("objects")] {
        match dir.symlink_metadata() {
            Ok(meta) if meta.is_dir() => {}
            Ok(meta) if meta.is_symlink() => {
                return Err(Error::failure(format!("{} is a symbolic link", dir.display())));
            }
            _ => return Ok(found),
        }
    }
    let is_short = |name: &String| name.len() == 2 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let dirs_in = |dir: &Path| -> Vec<String> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let dirs = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        dirs.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_short).collect()
    };
    let top = top.join("objects");
    for first in dirs_in(&top) {
        for second in dirs_in(&top.join(&first)) {
            let dir = top.join(&first).join(second);
            let entries = fs::read_dir(&dir).into_iter().flatten().flatten();
            let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
            found.extend(files.filter_map(|entry| parse(entry.file_name().to_str()?)));
            if found.len() > MOST {
                return Err(Error::failure(format!("more than {MOST} objects")));
            }
        }
    }
    Ok(found)
}

/// A list of names as it is stored: 32 bytes each.
pub fn stored(names: &BTreeSet<[u8; 32]>, sink: &dyn ObjectSink) -> Result<Option<ObjectId>> {
    if names.is_empty() {
        return Ok(None);
    }
    super::state::put_new(sink, &names.iter().flatten().copied().collect::<Vec<u8>>()).map(Some)
}

/// The names of a stored list.
pub fn listed(list: &[u8]) -> impl Iterator<Item = [u8; 32]> {
    list.chunks_exact(32).filter_map(|name| name.try_into().ok())
}

/// Keeps them in the vault.
pub fn pin(common_dir: &Path, vault: &Vault, names: &BTreeSet<[u8; 32]>, limits: Limits) -> Vec<Missing> {
    let mut missing = Vec::new();
    // What was kept last: asking for the very same again looks at none of them.
    let digest = blake3::hash(&names.iter().flatten().copied().collect::<Vec<u8>>()).to_hex();
    let note = vault.dir().join("lfs-last");
    if fs::read(&note).is_ok_and(|last| last == digest.as_bytes()) {
        return missing;
    }
    let taken = take(
        &storage(common_dir).join("objects"),
        &vault.dir().join(DIR),
        names.iter(),
        limits,
        &mut missing,
    );
    let synced = taken.and_then(|()| sync(vault.dir()));
    if let Err(e) = synced {
        missing.push(Missing { what: Bytes::from(DIR), why: e.to_string() });
    }
    if missing.is_empty() {
        // Best effort: without it they are looked at again.
        let _looked_at_again = fs::write(note, digest.as_bytes());
    }
    missing
}

/// Links back from the vault what is not there. Returns how many are nowhere.
pub fn bring(common_dir: &Path, vault: &Vault, names: &[[u8; 32]]) -> Result<usize> {
    let mut missing = Vec::new();
    let (from, to) = (vault.dir().join(DIR), storage(common_dir).join("objects"));
    take(&from, &to, names.iter(), Limits::none(), &mut missing)?;
    if let Some(missing) = missing.first() {
        return Err(Error::failure(format!("cannot bring back {}: {}", missing.what.lossy(), missing.why)));
    }
    sync(to.parent().filter(|dir| dir.exists()).unwrap_or(common_dir))?;
    Ok(names.iter().filter(|name| to.join(path(name)).symlink_metadata().is_err()).count())
}

fn take<'n>(
    from: &Path,
    to: &Path,
    names: impl Iterator<Item = &'n [u8; 32]>,
    mut limits: Limits,
    missing: &mut Vec<Missing>,
) -> Result<()> {
    for name in names {
        take_file(from, to, &path(name), &mut limits, missing)?;
    }
    Ok(())
}

fn sync(dir: &Path) -> Result<()> {
    let open = File::open(dir).map_err(|e| Error::io("open", dir, &e))?;
    rustix::fs::syncfs(&open).map_err(|e| Error::io("sync", dir, &e.into()))
}

fn path(name: &[u8; 32]) -> String {
    let hex = blake3::Hash::from_bytes(*name).to_hex();
    format!("{}/{}/{hex}", hex.get(..2).unwrap_or_default(), hex.get(2..4).unwrap_or_default())
}

fn parse(name: &str) -> Option<[u8; 32]> {
    let is_lower = name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    blake3::Hash::from_hex(name).ok().filter(|_| is_lower).map(|hash| *hash.as_bytes())
}
