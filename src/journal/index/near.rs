//! Which events concern a place: by the index alone, so that ten thousand others cost nothing.

use std::collections::BTreeSet;

use rusqlite::params;

use super::open::{Index, sql};
use super::query::Event;
use crate::error::Result;
use crate::model::{Bytes, EventId};

impl Index {
    /// The events after `after` that name one of these places, something in it, or something that it is in; newest first.
    /// What a part names counts for its line.
    pub fn concerning(&self, places: &[Bytes], after: u64) -> Result<Vec<Event>> {
        let mut paths = BTreeSet::new();
        for place in places {
            self.paths_near(place.as_slice(), &mut paths)?;
        }
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let mut found: BTreeSet<u64> = BTreeSet::new();
        for path in paths {
            let text = "SELECT coalesce(parent, id) FROM touch JOIN event ON id = touch.event \
                        WHERE path = ?1 AND touch.event > ?2";
            let mut statement = self.db.prepare_cached(text).map_err(sql("read"))?;
            let rows = statement.query_map([path, after], |row| row.get::<_, i64>(0)).map_err(sql("read"))?;
            for row in rows {
                found.extend(u64::try_from(row.map_err(sql("read"))?).ok());
            }
        }
        let events = found.iter().rev().map(|id| self.event(EventId(*id)));
        events.filter_map(Result::transpose).collect()
    }

    /// The rows of a place, of all that is below it, and of all that it is below.
    fn paths_near(&self, place: &[u8], into: &mut BTreeSet<i64>) -> Result<()> {
        let above = place.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at > 0);
        let above = above.filter_map(|(at, _)| place.get(..at));
        for name in above.chain([b"/".as_slice(), place]) {
            self.paths_between(name, &[name, b"\0"].concat(), into)?;
        }
        self.paths_between(&[place, b"/"].concat(), &[place, b"0"].concat(), into)
    }

    /// The rows from one name up to before another. `0` is the byte after `/`.
    fn paths_between(&self, from: &[u8], until: &[u8], into: &mut BTreeSet<i64>) -> Result<()> {
        let text = "SELECT id FROM path WHERE bytes >= ?1 AND bytes < ?2";
        let mut statement = self.db.prepare_cached(text).map_err(sql("read"))?;
        let rows = statement.query_map(params![from, until], |row| row.get(0)).map_err(sql("read"))?;
        for row in rows {
            into.insert(row.map_err(sql("read"))?);
        }
        Ok(())
    }
}
