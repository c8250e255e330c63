//! What `fr install` did to a file, kept so that `fr uninstall` can give back the very bytes: the file as it was, and
//! the file as we wrote it. One directory per file under `$FR_HOME/install/`, named by the hash of its path.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::edit::Kind;
use crate::error::{Error, Result};
use crate::model::Bytes;

/// A file that `fr install` wrote to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it is, links followed.
    pub file: PathBuf,
    /// The file as it was before; `None` where there was none.
    pub original: Option<Vec<u8>>,
    /// The file as we wrote it.
    pub written: Vec<u8>,
    /// How our part stands in it.
    pub kind: Kind,
    /// Whom it serves: agents' names, or a shell's.
    pub agents: Vec<String>,
    /// The directories that we made for it, outermost first.
    pub made: Vec<PathBuf>,
}

/// The part of a record that is no file of its own.
#[derive(Serialize, Deserialize)]
struct Head {
    file: Bytes,
    existed: bool,
    kind: Kind,
    agents: Vec<String>,
    made: Vec<Bytes>,
}

impl Record {
    /// The record of a file.
    ///
    /// # Errors
    /// There is one, and it cannot be read.
    pub fn load(state: &Path, file: &Path) -> Result<Option<Record>> {
        Record::read(&place(state, file))
    }

    /// Every record.
    pub fn all(state: &Path) -> Result<Vec<Record>> {
        let dir = state.join("install");
        let Ok(entries) = std::fs::read_dir(&dir) else { return Ok(Vec::new()) };
        let mut places: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        places.sort();
        let mut records = Vec::new();
        for place in places {
            records.extend(Record::read(&place)?);
        }
        Ok(records)
    }

    fn read(place: &Path) -> Result<Option<Record>> {
        let path = place.join("record.json");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        let head: Head = serde_json::from_slice(&text).map_err(|e| {
            Error::failure(format!("{} is damaged: {e}", path.display()))
                .hint("remove that directory; fr will then find its own lines by their form")
        })?;
        let read = |name: &str| {
            let path = place.join(name);
            std::fs::read(&path).map_err(|e| Error::io("read", &path, &e))
        };
        Ok(Some(Record {
            file: head.file.as_path().to_path_buf(),
            original: if head.existed { Some(read("original")?) } else { None },
            written: read("written")?,
            kind: head.kind,
            agents: head.agents,
            made: head.made.iter().map(|dir| dir.as_path().to_path_buf()).collect(),
        }))
    }

    /// Writes it down, durably. `record.json` comes last: without it there is no record.
    pub fn save(&self, state: &Path) -> Result<()> {
        let place = place(state, &self.file);
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&place);
        made.map_err(|e| Error::io("create", &place, &e))?;
        if let Some(original) = &self.original {
            put(&place.join("original"), original)?;
        }
        put(&place.join("written"), &self.written)?;
        let head = Head {
            file: Bytes::from(self.file.clone()),
            existed: self.original.is_some(),
            kind: self.kind,
            agents: self.agents.clone(),
            made: self.made.iter().map(|dir| Bytes::from(dir.clone())).collect(),
        };
        let text = serde_json::to_vec_pretty(&head)
            .map_err(|e| Error::failure(format!("cannot write the record: {e}")))?;
        put(&place.join("record.json"), &text)
    }

    /// Forgets it.
    pub fn drop(state: &Path, file: &Path) -> Result<()> {
        let place = place(state, file);
        match std::fs::remove_dir_all(&place) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &place, &e)),
            _ => {
                // Gone with its last record; a directory with others in it stays.
                let _ = std::fs::remove_dir(state.join("install"));
                let _ = std::fs::remove_dir(state);
                Ok(())
            }
        }
    }
}

fn place(state: &Path, file: &Path) -> PathBuf {
    let hash = blake3::hash(file.as_os_str().as_bytes()).to_hex();
    state.join("install").join(hash.get(..16).unwrap_or_default())
}

/// Settings may hold tokens: mode 0600.
fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    let new = path.with_extension("new");
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&new, path));
    written.map_err(|e| Error::io("write", path, &e))
}
