//! The stretch of the journal that some events lie in, by which a report of them can be checked later.

use serde::Serialize;

use super::open::{Index, sql};
use crate::error::Result;
use crate::journal::{Frame, Position};
use crate::model::EventId;
use crate::model::ObjectId;

/// One end of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The frame's sequence number.
    pub seq: u64,
    /// Its hash, 64 hex digits.
    pub hash: String,
}

/// From the first word about the events to the last. The hash of the last frame covers all before it: it is the head of a chain
/// (`docs/format.md`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// The hash that the first frame continues.
    pub prev: String,
    /// The first frame.
    pub first: Link,
    /// The last frame.
    pub last: Link,
}

impl Index {
    /// Where these events lie; nothing where there are none.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn chain(&self, events: &[EventId]) -> Result<Option<Chain>> {
        let text = "SELECT segment, offset, asegment, aoffset FROM event WHERE id = ?";
        let mut statement = self.db.prepare_cached(text).map_err(sql("read"))?;
        let mut places: Vec<Position> = Vec::new();
        for event in events {
            let at =
                |segment: u32, offset: i64| Position { segment, offset: u64::try_from(offset).unwrap_or(0) };
            let row = statement.query_row([i64::try_from(event.0).unwrap_or(-1)], |row| {
                let after: (Option<u32>, Option<i64>) = (row.get(2)?, row.get(3)?);
                Ok((at(row.get(0)?, row.get(1)?), after.0.zip(after.1).map(|(s, o)| at(s, o))))
            });
            let (before, after) = row.map_err(sql("read"))?;
            places.extend(std::iter::once(before).chain(after));
        }
        let order = |place: &&Position| (place.segment, place.offset);
        let (Some(first), Some(last)) = (places.iter().min_by_key(order), places.iter().max_by_key(order))
        else {
            return Ok(None);
        };
        let hex = |hash: [u8; 32]| ObjectId(hash).to_string();
        let link = |frame: &Frame| Link { seq: frame.seq, hash: hex(frame.hash) };
        let (first, last) = (self.frame(*first)?, self.frame(*last)?);
        Ok(Some(Chain { prev: hex(first.prev), first: link(&first), last: link(&last) }))
    }
}
