//! Sessions in numbers.

use rusqlite::{OptionalExtension, Row};
use serde::Serialize;

use super::open::{Index, sql};
use super::query::unsigned;
use crate::error::Result;
use crate::model::Bytes;

/// A session in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionSummary {
    /// Its id.
    pub session: String,
    /// The kind of its actor (`agent`, `human`, `ci`, `recorder`).
    pub actor_kind: String,
    /// The name of its actor.
    pub actor: String,
    /// Where it began.
    pub cwd: Bytes,
    /// When it was first seen, nanoseconds since 1970.
    pub first_ns: i64,
    /// When it was last seen, nanoseconds since 1970.
    pub last_ns: i64,
    /// When it said that it ended, nanoseconds since 1970.
    pub ended_ns: Option<i64>,
    /// Its events.
    pub events: u64,
    /// Those with an effect other than `none`.
    pub changes: u64,
    /// Those that destroy, overwrite or weaken.
    pub destructive: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that changed something of which not all was captured.
    pub unkept: u64,
}

impl SessionSummary {
    /// True for one of `fr`'s own: an undo, a drill, a note of an incident, each a process of somebody's outside of any
    /// agent, shell or CI job.
    pub fn is_own(&self) -> bool {
        let number = self.session.strip_prefix("fr-").unwrap_or_default();
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    }
}

const COLUMNS: &str = "session.name, kind, actor.name, cwd, first_ns, last_ns, ended_ns, events, changes, destructive, \
                       failed, unkept FROM session JOIN actor ON actor.id = actor";

/// An id of this length is short enough: `shell-4711-18ebfa53afccd241`. An agent's is a UUID.
const SHORT: usize = 28;

/// Shorter beginnings of ids than this are shown nowhere.
const SHORTEST: usize = 8;

impl Index {
    /// All sessions, the one seen last first.
    pub fn sessions(&self) -> Result<Vec<SessionSummary>> {
        let text = format!("SELECT {COLUMNS} ORDER BY last_ns DESC");
        let mut statement = self.db.prepare_cached(&text).map_err(sql("read"))?;
        let rows = statement.query_map([], summary).map_err(sql("read"))?;
        rows.collect::<rusqlite::Result<_>>().map_err(sql("read"))
    }

    /// The ids that begin like this, the one seen last first.
    pub fn sessions_named(&self, beginning: &str) -> Result<Vec<String>> {
        let text = "SELECT name FROM session WHERE name >= ?1 AND name <= ?2 ORDER BY last_ns DESC";
        let mut statement = self.db.prepare_cached(text).map_err(sql("read"))?;
        let end = format!("{beginning}\u{10FFFF}");
        let rows = statement.query_map([beginning, &end], |row| row.get(0)).map_err(sql("read"))?;
        rows.collect::<rusqlite::Result<_>>().map_err(sql("read"))
    }

    /// One session, by its whole id.
    pub fn session(&self, name: &str) -> Result<Option<SessionSummary>> {
        let text = format!("SELECT {COLUMNS} WHERE session.name = ?");
        let mut statement = self.db.prepare_cached(&text).map_err(sql("read"))?;
        statement.query_row([name], summary).optional().map_err(sql("read"))
    }

    /// The beginning of a session's id that no other session has: what people type after `--session`.
    pub fn short_session(&self, name: &str) -> Result<String> {
        if name.len() <= SHORT {
            return Ok(name.to_owned());
        }
        let beside = |text: &str| -> Result<Option<String>> {
            let mut statement = self.db.prepare_cached(text).map_err(sql("read"))?;
            statement.query_row([name], |row| row.get(0)).map_err(sql("read"))
        };
        let before = beside("SELECT max(name) FROM session WHERE name < ?")?;
        let after = beside("SELECT min(name) FROM session WHERE name > ?")?;
        let shared = |other: Option<String>| {
            let other = other.unwrap_or_default();
            name.chars().zip(other.chars()).take_while(|(a, b)| a == b).count() + 1
        };
        let length = shared(before).max(shared(after)).max(SHORTEST);
        Ok(name.chars().take(length).collect())
    }
}

fn summary(row: &Row<'_>) -> rusqlite::Result<SessionSummary> {
    Ok(SessionSummary {
        session: row.get(0)?,
        actor_kind: row.get(1)?,
        actor: row.get(2)?,
        cwd: Bytes(row.get(3)?),
        first_ns: row.get(4)?,
        last_ns: row.get(5)?,
        ended_ns: row.get(6)?,
        events: unsigned(row.get(7)?),
        changes: unsigned(row.get(8)?),
        destructive: unsigned(row.get(9)?),
        failed: unsigned(row.get(10)?),
        unkept: unsigned(row.get(11)?),
    })
}
