//! A database's file: opened, copied as one moment of it (what lies in its write-ahead log too), written from a copy.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};
use crate::platform::scratch::ScratchDir;
use crate::systems::tables::{FileOf, State};

/// The name of the one database in a state.
pub const MAIN: &str = "main";
/// How long a writer is waited for.
const BUSY: Duration = Duration::from_secs(5);
const PART: usize = 2 << 20;

/// An error of SQLite without data: its message for a constraint names columns only.
pub fn failed(doing: &str, path: &Path) -> impl Fn(rusqlite::Error) -> Error {
    let what = format!("cannot {doing} {}", path.display());
    move |e| Error::failure(format!("{what}: {e}"))
}

/// Opens it. A file that is not ours may hold anything: its functions and views are not trusted.
pub fn open(path: &Path, writes: bool) -> Result<Connection> {
    let access = if writes { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let opened = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let db = opened.map_err(failed("open", path))?;
    db.busy_timeout(BUSY).map_err(failed("open", path))?;
    db.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA query_only = OFF; PRAGMA foreign_keys = OFF;")
        .map_err(failed("open", path))?;
    Ok(db)
}

/// Mode and owner of the file; `None` where it is not there.
pub fn of(path: &Path) -> Option<FileOf> {
    let meta = std::fs::metadata(path).ok()?;
    Some(FileOf { mode: meta.mode() & 0o7777, uid: meta.uid(), gid: meta.gid() })
}

/// Gives the file mode and owner.
///
/// # Errors
/// Where it is not ours to do.
pub fn give(path: &Path, to: FileOf) -> Result<()> {
    let now = of(path);
    if now.is_none_or(|now| (now.uid, now.gid) != (to.uid, to.gid)) {
        std::os::unix::fs::chown(path, Some(to.uid), Some(to.gid))
            .map_err(|e| Error::io("give its old owner to", path, &e))?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(to.mode))
        .map_err(|e| Error::io("give its old mode to", path, &e))
}

/// A copy of one moment, in parts.
pub fn image(db: &Connection, path: &Path, sink: &dyn ObjectSink) -> Result<(Vec<ObjectId>, u64)> {
    let scratch = ScratchDir::new("sqlite")?;
    let copy = scratch.path().join("copy.db");
    {
        let mut to = Connection::open(&copy).map_err(failed("copy", path))?;
        let backup = Backup::new(db, &mut to).map_err(failed("copy", path))?;
        while backup.step(2048).map_err(failed("copy", path))? != StepResult::Done {}
    }
    let mut file = std::fs::File::open(&copy).map_err(|e| Error::io("read", &copy, &e))?;
    let (mut parts, mut bytes, mut buffer) = (Vec::new(), 0u64, vec![0u8; PART]);
    loop {
        let mut filled = 0;
        while filled < PART {
            let read = file
                .read(buffer.get_mut(filled..).unwrap_or_default())
                .map_err(|e| Error::io("read", &copy, &e))?;
            if read == 0 {
                break;
            }
            filled += read;
        }
        if filled == 0 {
            scratch.remove()?;
            return Ok((parts, bytes));
        }
        parts.push(sink.put(ObjectKind::Blob, buffer.get(..filled).unwrap_or_default())?);
        bytes += filled as u64;
    }
}

/// Writes the copy of a state to a new file.
pub fn write(state: &State, to: &Path, source: &dyn ObjectSource) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("write", to, &e);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(failed)?;
    for id in state.databases.get(MAIN).into_iter().flatten() {
        file.write_all(&source.get(id)?).map_err(failed)?;
    }
    file.sync_all().map_err(failed)
}
