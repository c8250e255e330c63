//! The gaps of the record.

use rusqlite::{Row, params_from_iter};

use super::open::{Index, sql};
use super::query::unsigned;
use crate::error::Result;
use crate::journal::Position;
use crate::model::{Gap, Record};

/// Gaps that are read at once.
const PAGE: i64 = 10;

impl Index {
    /// The latest gaps of the record, newest first, at most `limit`.
    pub fn gaps(&self, limit: usize) -> Result<Vec<Gap>> {
        let text = "SELECT seq, segment, offset FROM gap ORDER BY seq DESC LIMIT ?";
        let found = self.gaps_of(text, &[bounded(limit)])?;
        Ok(found.into_iter().map(|(_, gap)| gap).collect())
    }

    /// The same since a moment, without reading those before it: they lie in the order in which they were written.
    pub fn gaps_since(&self, since_ns: Option<i64>, limit: usize) -> Result<Vec<Gap>> {
        let Some(since_ns) = since_ns else { return self.gaps(limit) };
        let text = "SELECT seq, segment, offset FROM gap WHERE seq < ? ORDER BY seq DESC LIMIT ?";
        let (mut found, mut behind) = (Vec::new(), i64::MAX);
        while found.len() < limit {
            let page = self.gaps_of(text, &[behind, PAGE.min(bounded(limit - found.len()))])?;
            let Some((last, _)) = page.last() else { break };
            behind = i64::try_from(*last).unwrap_or(0);
            // A clock that was set back for a moment is no end.
            let is_past = page.iter().all(|(_, gap)| gap.at_ns < since_ns);
            found.extend(page.into_iter().map(|(_, gap)| gap).filter(|gap| gap.at_ns >= since_ns));
            if is_past {
                break;
            }
        }
        Ok(found)
    }

    /// The gaps behind a place of the journal (its sequence number), oldest first, at most `limit`, each with its own.
    pub fn gaps_after(&self, seq: u64, limit: usize) -> Result<Vec<(u64, Gap)>> {
        let text = "SELECT seq, segment, offset FROM gap WHERE seq > ? ORDER BY seq LIMIT ?";
        self.gaps_of(text, &[i64::try_from(seq).unwrap_or(i64::MAX), bounded(limit)])
    }

    /// The sequence number of the latest gap; 0 where there is none.
    pub fn last_gap(&self) -> Result<u64> {
        let last: Option<i64> =
            self.db.query_row("SELECT max(seq) FROM gap", [], |row| row.get(0)).map_err(sql("read"))?;
        Ok(unsigned(last.unwrap_or(0)))
    }

    /// How many there are.
    pub fn count_gaps(&self) -> Result<u64> {
        self.db.query_row("SELECT count(*) FROM gap", [], |row| row.get(0)).map(unsigned).map_err(sql("read"))
    }

    fn gaps_of(&self, text: &str, values: &[i64]) -> Result<Vec<(u64, Gap)>> {
        let mut gaps = Vec::new();
        for (seq, at) in self.positions(text, values)? {
            if let Record::Gap(gap) = self.frame(at)?.record {
                gaps.push((seq, gap));
            }
        }
        Ok(gaps)
    }

    /// Sequence numbers and the places of their frames.
    pub(super) fn positions(&self, text: &str, values: &[i64]) -> Result<Vec<(u64, Position)>> {
        let mut statement = self.db.prepare_cached(text).map_err(sql("read"))?;
        let position = |row: &Row<'_>| {
            let at = Position { segment: row.get(1)?, offset: unsigned(row.get(2)?) };
            Ok((unsigned(row.get(0)?), at))
        };
        let rows = statement.query_map(params_from_iter(values), position).map_err(sql("read"))?;
        rows.collect::<rusqlite::Result<_>>().map_err(sql("read"))
    }
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
