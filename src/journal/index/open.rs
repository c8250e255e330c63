//! Opening the index: the file, its schema, and whether it belongs to this journal.

use std::cell::RefCell;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::{Error, Result};
use crate::journal::{Journal, Position};
use crate::platform::home::Home;
use crate::store::file;

const SCHEMA: &str = include_str!("../../../schema/sqlite/0001_index.sql");
/// Changes with every change of the schema or of what rows mean; an index of another version is made anew.
const SCHEMA_VERSION: i64 = 9;
/// How long to wait for another process that is catching up; then what is there is read.
const BUSY: Duration = Duration::from_secs(2);

/// The index, caught up with the journal as of its opening.
pub struct Index {
    pub(crate) db: Connection,
    pub(crate) journal: Journal,
    /// The segment read last: neighbours in a timeline are neighbours in the journal.
    pub(crate) segment: RefCell<Option<(u32, File)>>,
}

/// Where the index stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Where the next frame will begin.
    pub next: Position,
    /// Where the last indexed frame begins.
    pub last: Position,
    /// Its hash.
    pub hash: [u8; 32],
}

pub(crate) fn sql(doing: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |e| {
        Error::failure(format!("cannot {doing} the index: {e}"))
            .hint("run `fr store rebuild`: the index is made anew from the journal")
    }
}

impl Index {
    /// Opens the index and catches up with the journal. A damaged or foreign one is made anew; where the directory
    /// cannot be written, an index in memory serves.
    pub fn open(home: &Home) -> Result<Index> {
        let journal = Journal::open(home)?;
        match Index::on_disk(home, &journal) {
            Ok(index) => Ok(index),
            Err(_) => Index::rebuild(home).or_else(|_| Index::in_memory(journal)),
        }
    }

    /// Drops the index and makes it anew from the journal.
    pub fn rebuild(home: &Home) -> Result<Index> {
        let journal = Journal::open(home)?;
        remove(&home.index())?;
        Index::on_disk(home, &journal)
    }

    pub(crate) fn on_disk(home: &Home, journal: &Journal) -> Result<Index> {
        let path = home.index();
        // Made by us, so that it and its companions get mode 0600 whatever the umask.
        file::open_write(&path, true).map_err(|e| Error::io("open", &path, &e))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags).map_err(sql("open"))?;
        db.busy_timeout(BUSY).map_err(sql("open"))?;
        let mut index = Index { db, journal: journal.clone(), segment: RefCell::default() };
        index.prepare()?;
        index.catch_up()?;
        Ok(index)
    }

    pub(crate) fn in_memory(journal: Journal) -> Result<Index> {
        let db = Connection::open_in_memory().map_err(sql("open"))?;
        let mut index = Index { db, journal, segment: RefCell::default() };
        index.prepare()?;
        index.catch_up()?;
        Ok(index)
    }

    fn version(&self) -> Result<i64> {
        self.db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sql("read"))
    }

    /// Makes the tables where they are missing.
    fn prepare(&mut self) -> Result<()> {
        match self.version()? {
            SCHEMA_VERSION => {
                return self.db.pragma_update(None, "synchronous", "NORMAL").map_err(sql("open"));
            }
            0 => {}
            other => return Err(Error::failure(format!("the index has schema {other}"))),
        }
        let _: String =
            self.db.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)).map_err(sql("make"))?;
        self.db.pragma_update(None, "synchronous", "NORMAL").map_err(sql("make"))?;
        let tx = self
            .db
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(sql("make"))?;
        // Somebody else may have made them while we waited.
        let version: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sql("read"))?;
        if version == 0 {
            tx.execute_batch(SCHEMA).map_err(sql("make"))?;
            tx.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(sql("make"))?;
        }
        tx.commit().map_err(sql("make"))
    }
}

fn remove(path: &Path) -> Result<()> {
    // The database first: a new one of zero bytes makes SQLite drop whatever log is left beside it.
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("remove", Path::new(&name), &e));
            }
            _ => {}
        }
    }
    Ok(())
}
