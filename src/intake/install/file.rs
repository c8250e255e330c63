//! Reading and writing other programs' settings. A file is replaced whole or not at all, keeps its mode and owner, and
//! where a link stands in its place (people keep their dotfiles in a repository), the file behind the link is changed.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::platform::{fs, random};

/// No settings file is as big; a bigger one is something else.
const MAX_BYTES: u64 = 16 << 20;

/// The file behind a path, and its bytes; `None` where there is none.
pub fn read(path: &Path) -> Result<(PathBuf, Option<Vec<u8>>)> {
    let io = |e: &io::Error| Error::io("read", path, e);
    let real = match path.symlink_metadata() {
        Ok(meta) if meta.file_type().is_symlink() => path.canonicalize().map_err(|e| {
            io(&e).hint("it is a link; make what it leads to, or remove it, then run this again")
        })?,
        Ok(_) => path.canonicalize().map_err(|e| io(&e))?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((beneath_real(path), None)),
        Err(e) => return Err(io(&e)),
    };
    // Not opened before it is known to be a file: opening a FIFO waits for ever.
    if !real.metadata().map_err(|e| io(&e))?.is_file() {
        return Err(Error::failure(format!("{} is not a file", real.display())));
    }
    let mut bytes = Vec::new();
    File::open(&real)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| io(&e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::failure(format!("{} is too big to be a settings file", real.display())));
    }
    Ok((real, Some(bytes)))
}

/// The path with the part of it that exists resolved, so that a file has one name whether it is there yet or not.
fn beneath_real(path: &Path) -> PathBuf {
    for dir in path.ancestors().skip(1) {
        if let (Ok(real), Ok(rest)) = (dir.canonicalize(), path.strip_prefix(dir)) {
            return real.join(rest);
        }
    }
    path.to_path_buf()
}

/// The error for a file that is no text.
pub fn not_utf8() -> Error {
    Error::failure("it is not UTF-8").hint("save it as UTF-8, then run this again")
}

/// Refuses a file that nobody may write. Replacing it by name would work, and would not be what its owner wants.
pub fn writable(real: &Path) -> Result<()> {
    let Ok(meta) = real.metadata() else { return Ok(()) };
    let refused = rustix::fs::access(real, rustix::fs::Access::WRITE_OK).is_err();
    // Root may write everything; the mode still says what is meant.
    if refused || meta.permissions().mode() & 0o222 == 0 {
        return Err(Error::failure(format!("{} is read-only", real.display()))
            .hint("make it writable (`chmod u+w`), or change it where it is generated from"));
    }
    Ok(())
}

/// Makes the directories above a file; those that were missing, outermost first.
pub fn make_parents(path: &Path) -> Result<Vec<PathBuf>> {
    let missing: Vec<&Path> = path.ancestors().skip(1).take_while(|dir| !dir.exists()).collect();
    let mut made = Vec::new();
    for dir in missing.into_iter().rev() {
        std::fs::create_dir(dir).map_err(|e| Error::io("create", dir, &e))?;
        made.push(dir.to_path_buf());
        if let Ok(new) = File::open(dir) {
            give_to_owner_of_parent(dir, &new);
        }
    }
    Ok(made)
}

/// Replaces a file, or makes it: a new file beside it, synced, renamed, the directory synced.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut noise = [0u8; 8];
    random::fill(&mut noise);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.fr-{:016x}", u64::from_le_bytes(noise)));
    let done = write_new(&new, path, bytes)
        .and_then(|()| std::fs::rename(&new, path))
        .and_then(|()| path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all()));
    if done.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    done.map_err(|e| Error::io("write", path, &e))
}

fn write_new(new: &Path, old: &Path, bytes: &[u8]) -> io::Result<()> {
    let old = File::open(old).ok();
    // Like any new file, mode 0666 less the umask; where one is replaced, closed to others until it has its mode.
    let mode = if old.is_some() { 0o600 } else { 0o666 };
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(new)?;
    file.write_all(bytes)?;
    match &old {
        Some(old) => take_after(&file, old)?,
        None => give_to_owner_of_parent(new, &file),
    }
    file.sync_all()
}

/// Owner, extended attributes (labels, ACLs) and mode of the file that is replaced; the mode last, as a change of owner
/// clears bits of it.
fn take_after(new: &File, old: &File) -> io::Result<()> {
    let meta = old.metadata()?;
    let mine = new.metadata()?;
    if (meta.uid(), meta.gid()) != (mine.uid(), mine.gid()) {
        fs::set_owner(new.as_fd(), meta.uid(), meta.gid())?;
    }
    for (name, value) in fs::get_xattrs(old.as_fd()).unwrap_or_default() {
        // A label that we may not set is the system's to set.
        let _ = fs::set_xattr(new.as_fd(), &name, &value);
    }
    new.set_permissions(std::fs::Permissions::from_mode(meta.mode() & 0o7777))
}

/// Under sudo, what we make in a user's home is the user's.
fn give_to_owner_of_parent(path: &Path, new: &File) {
    if let Some(Ok(parent)) = path.parent().map(Path::metadata)
        && rustix::process::geteuid().is_root()
    {
        let _ = fs::set_owner(new.as_fd(), parent.uid(), parent.gid());
    }
}
