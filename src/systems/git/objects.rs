//! git objects, read through libgit2's object database alone: no repository is opened, so no configuration of a
//! hostile one is read and the owner of its directory does not matter.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use git2::{ObjectType, OdbLookupFlags, Oid, Repository};

use crate::error::{Error, Result};

/// An id in hexadecimal: 40 digits, or 64 in a SHA-256 repository.
pub fn parse_hex(text: &[u8]) -> Option<&[u8]> {
    let hex = text.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b));
    (hex && (text.len() == 40 || text.len() == 64)).then_some(text)
}

/// A SHA-1 object id; `None` for anything else and for the zero id, which names no object.
pub fn parse_oid(text: &[u8]) -> Option<Oid> {
    if text.len() != 40 {
        return None;
    }
    let oid = Oid::from_str(std::str::from_utf8(parse_hex(text)?).ok()?).ok()?;
    (!oid.is_zero()).then_some(oid)
}

/// An object database over one or more `objects` directories and their alternates.
pub struct Objects {
    repo: Repository,
    // libgit2 takes paths as text; others are named through an open directory.
    _dirs: Vec<OwnedFd>,
}

impl Objects {
    /// Opens the directories; those that do not exist are left out.
    pub fn open<D: AsRef<Path>>(dirs: &[D]) -> Result<Objects> {
        crate::platform::libgit::isolate();
        let failed = |e: git2::Error| failure("cannot open the object database", &e);
        let odb = git2::Odb::new().map_err(failed)?;
        let mut kept = Vec::new();
        for dir in dirs.iter().map(AsRef::as_ref).filter(|d| d.is_dir()) {
            let alternates = dir.join("info/alternates");
            if alternates.exists() && !alternates.is_file() {
                // libgit2 would open it and, if it is a FIFO, wait for ever.
                return Err(Error::failure(format!("{} is not a regular file", alternates.display())));
            }
            match dir.to_str() {
                Some(text) => odb.add_disk_alternate(text).map_err(failed)?,
                None => {
                    let fd: OwnedFd = File::open(dir).map_err(|e| Error::io("open", dir, &e))?.into();
                    odb.add_disk_alternate(&format!("/proc/self/fd/{}", fd.as_raw_fd())).map_err(failed)?;
                    kept.push(fd);
                }
            }
        }
        Ok(Objects { repo: Repository::from_odb(odb).map_err(failed)?, _dirs: kept })
    }

    /// The database itself.
    pub fn odb(&self) -> Result<git2::Odb<'_>> {
        self.repo.odb().map_err(|e| failure("cannot open the object database", &e))
    }

    /// The ids of all objects, sorted, 20 bytes each; `None` where there are more than `most`.
    pub fn list(&self, most: usize) -> Result<Option<Vec<u8>>> {
        let mut ids: Vec<Oid> = Vec::new();
        let ended = self.odb()?.foreach(|id| {
            ids.push(*id);
            ids.len() <= most
        });
        if ids.len() > most {
            return Ok(None);
        }
        ended.map_err(|e| failure("cannot list the objects", &e))?;
        ids.sort_unstable();
        ids.dedup();
        Ok(Some(ids.iter().flat_map(|id| id.as_bytes()).copied().collect()))
    }

    /// Packs `ids` into `to` (an `objects/pack` directory), durably. Ids that cannot be read make it fail.
    pub fn pack_into(&self, ids: &[Oid], to: &Path) -> Result<()> {
        let failed = |e: git2::Error| failure(&format!("cannot write objects to {}", to.display()), &e);
        let mut builder = self.repo.packbuilder().map_err(failed)?;
        for id in ids {
            builder.insert_object(*id, None).map_err(failed)?;
        }
        builder.write(to, 0o444).map_err(failed)?;
        let name = builder.name_bytes().map(|n| String::from_utf8_lossy(n).into_owned()).unwrap_or_default();
        for ending in ["pack", "idx"] {
            sync(&to.join(format!("pack-{name}.{ending}")))?;
        }
        sync(to)
    }
}

/// Makes a file or directory durable.
pub fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|f| f.sync_all()).map_err(|e| Error::io("sync", path, &e))
}

/// True where the database holds the object. Packs that appeared since it was opened are not looked for.
pub fn holds(odb: &git2::Odb<'_>, id: Oid) -> bool {
    odb.exists_ext(id, OdbLookupFlags::NO_REFRESH)
}

/// The ids of a list that [`Objects::list`] made.
pub fn listed(list: &[u8]) -> impl Iterator<Item = Oid> {
    list.chunks_exact(20).filter_map(|id| Oid::from_bytes(id).ok())
}

/// An error of libgit2 with what was being done.
pub fn failure(doing: &str, cause: &git2::Error) -> Error {
    Error::failure(format!("{doing}: {}", cause.message()))
}

/// What an object points to: its kind is known where the pointer says it.
pub type Pointer = (Oid, Option<ObjectType>);

/// The objects that an object names: a commit's tree and parents, a tree's entries (submodule commits are not ours),
/// a tag's target. Damaged content ends the list early.
pub fn pointers(kind: ObjectType, data: &[u8]) -> Vec<Pointer> {
    match kind {
        ObjectType::Commit => {
            headers(data, &[(b"tree ", ObjectType::Tree), (b"parent ", ObjectType::Commit)])
        }
        ObjectType::Tag => {
            headers(data, &[(b"object ", ObjectType::Any)]).into_iter().map(|(id, _)| (id, None)).collect()
        }
        ObjectType::Tree => tree_entries(data),
        _ => Vec::new(),
    }
}

fn headers(data: &[u8], wanted: &[(&[u8], ObjectType)]) -> Vec<Pointer> {
    let lines = data.split(|b| *b == b'\n').take_while(|l| !l.is_empty());
    lines
        .filter_map(|line| {
            let (prefix, kind) = wanted.iter().find(|(prefix, _)| line.starts_with(prefix))?;
            Some((parse_oid(line.get(prefix.len()..)?)?, Some(*kind)))
        })
        .collect()
}

fn tree_entries(mut data: &[u8]) -> Vec<Pointer> {
    let mut found = Vec::new();
    while let Some(nul) = data.iter().position(|b| *b == 0) {
        let (mode, rest) = (data.get(..nul).unwrap_or_default(), data.get(nul + 1..).unwrap_or_default());
        let Some((id, rest)) = rest.split_at_checked(20) else { break };
        data = rest;
        let kind = match mode.split(|b| *b == b' ').next().unwrap_or_default() {
            b"160000" => continue,
            b"40000" => ObjectType::Tree,
            _ => ObjectType::Blob,
        };
        if let Ok(id) = Oid::from_bytes(id) {
            found.push((id, Some(kind)));
        }
    }
    found
}
