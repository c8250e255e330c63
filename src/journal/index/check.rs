//! Comparing the index with what the journal says. SQLite does not notice flipped bits; a second index made in memory
//! does.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::catchup::read_mark;
use super::open::{Index, sql};
use crate::error::{Error, Result};
use crate::journal::Journal;
use crate::platform::home::Home;
use crate::store::verify::{Finding, Severity};

const TABLES: [&str; 10] =
    ["actor", "system", "session", "event", "pending", "twin", "target", "path", "touch", "step"];
/// How often to try while others go on appending.
const TRIES: usize = 3;

impl Index {
    /// What is wrong with the index; nothing where there is none yet.
    pub(crate) fn check(home: &Home) -> Option<Finding> {
        if !home.index().exists() {
            return None;
        }
        let wrong = compare(home).err()?;
        let what = format!("{}; `fr store rebuild` makes it anew", wrong.what);
        Some(Finding::new(Severity::Repairable, &home.index(), 0, what))
    }
}

fn compare(home: &Home) -> Result<()> {
    for _ in 0..TRIES {
        let journal = Journal::open(home)?;
        let disk = Index::on_disk(home, &journal)?;
        let verdict: String =
            disk.db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(sql("check"))?;
        if verdict != "ok" {
            return Err(Error::failure(format!("the index is damaged: {verdict}")));
        }
        let memory = Index::in_memory(journal)?;
        if read_mark(&disk.db)? != read_mark(&memory.db)? {
            continue;
        }
        for table in TABLES {
            if !same(&disk.db, &memory.db, table)? {
                return Err(Error::failure(format!(
                    "the index's table {table} is not what the journal says"
                )));
            }
        }
        return Ok(());
    }
    Ok(())
}

/// True where both hold the same rows.
pub(crate) fn same(one: &Connection, other: &Connection, table: &str) -> Result<bool> {
    let text = format!("SELECT * FROM {table} ORDER BY 1, 2");
    let mut first = one.prepare(&text).map_err(sql("check"))?;
    let mut second = other.prepare(&text).map_err(sql("check"))?;
    let width = first.column_count();
    let mut left = first.query([]).map_err(sql("check"))?;
    let mut right = second.query([]).map_err(sql("check"))?;
    loop {
        match (left.next().map_err(sql("check"))?, right.next().map_err(sql("check"))?) {
            (None, None) => return Ok(true),
            (Some(l), Some(r)) => {
                for column in 0..width {
                    let value = |row: &rusqlite::Row<'_>| row.get::<_, Value>(column).map_err(sql("check"));
                    if value(l)? != value(r)? {
                        return Ok(false);
                    }
                }
            }
            _ => return Ok(false),
        }
    }
}
