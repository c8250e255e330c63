//! Asking the index.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params_from_iter};
use serde::Serialize;

use super::catchup::failed;
use super::filter::{Filter, sortable};
use super::open::{Index, sql};
use super::pending;
use crate::error::{Error, ExitCode, Result};
use crate::journal::{Frame, Position, read_frame};
use crate::model::{After, Before, EventId, Kept, Outcome, Promise, Record, StepMark};

/// An event with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// Its number.
    pub id: EventId,
    /// Its before-half.
    pub before: Before,
    /// Its after-half, where it has come.
    pub after: Option<After>,
    /// Its turn or session has ended without a word of how it ended.
    pub silent: bool,
    /// The steps of an undo, in the order they were journaled.
    pub steps: Vec<StepMark>,
    /// The undo event that took it back and still stands.
    pub undone_by: Option<EventId>,
    /// That undo could not bring everything back: what is left can be taken back by another one.
    pub undone_in_part: bool,
    /// The events that are part of it, in order: what shims recorded of the commands that the line ran.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Event>,
}

/// All events in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Events.
    pub events: u64,
    /// Those that captured something.
    pub captured_events: u64,
    /// Bytes that their captures refer to.
    pub captured_bytes: u64,
}

/// What the index has of an event: where to find it.
struct Found {
    id: EventId,
    kind: i64,
    before: Position,
    after: Option<Position>,
    silent: bool,
    undone_by: Option<EventId>,
    undone_in_part: bool,
}

/// An undo that took effect and counts as failed was done in part (exit code 3).
const COLUMNS: &str = "id, kind, segment, offset, asegment, aoffset, undone_by, silent, \
    (SELECT undo.failed FROM event AS undo WHERE undo.id = event.undone_by)";

pub(super) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    let position = |segment, offset| Position { segment, offset: unsigned(offset) };
    let after: (Option<u32>, Option<i64>) = (row.get(4)?, row.get(5)?);
    Ok(Found {
        id: EventId(unsigned(row.get(0)?)),
        kind: row.get(1)?,
        before: position(row.get(2)?, row.get(3)?),
        after: after.0.zip(after.1).map(|(s, o)| position(s, o)),
        silent: row.get(7)?,
        undone_by: row.get::<_, Option<i64>>(6)?.map(|n| EventId(unsigned(n))),
        undone_in_part: row.get::<_, Option<bool>>(8)?.unwrap_or(false),
    })
}

impl Event {
    /// How it ended. `None` where it may still run.
    pub fn outcome(&self) -> Option<Outcome> {
        let told = self.after.as_ref().map(|after| after.outcome);
        told.or_else(|| self.silent.then_some(Outcome::Unknown))
    }

    /// What the store has of the state before it. What did not run changed nothing.
    pub fn kept(&self) -> Kept {
        match self.outcome() {
            Some(Outcome::Refused) => Kept::NotApplicable,
            _ => Kept::of(&self.before),
        }
    }

    /// What can come back of it: its reversibility, lowered by what was kept.
    pub fn promise(&self) -> Promise {
        Promise::of(&self.before, self.kept())
    }

    /// Whether it failed; `None` where nobody said so.
    pub fn failed(&self) -> Option<bool> {
        self.outcome().and_then(failed)
    }
}

impl Index {
    /// An event by its number, or by the number of a second report of it.
    pub fn event(&self, id: EventId) -> Result<Option<Event>> {
        let text = format!("SELECT {COLUMNS} FROM event WHERE id = ?");
        let number = i64::try_from(id.0).unwrap_or(-1);
        let number = pending::primary(&self.db, number).map_err(sql("read"))?.unwrap_or(number);
        let row = self.db.prepare_cached(&text).map_err(sql("read"))?.query_row([number], found).optional();
        row.map_err(sql("read"))?.map(|f| self.load(f)).transpose()
    }

    /// An event by its number, or by a prefix of its global id that only it has. What is a number is taken as one
    /// if there is such an event.
    pub fn find(&self, text: &str) -> Result<Event> {
        let text = text.trim();
        if let Ok(number) = text.parse()
            && let Some(event) = self.event(EventId(number))?
        {
            return Ok(event);
        }
        let none = || {
            Error::new(ExitCode::Usage, format!("there is no event {}", text.escape_debug()))
                .hint("`fr timeline` lists them")
        };
        let hex = text.len() <= 32 && text.len() >= 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex {
            return Err(none());
        }
        let mut matches = self.by_prefix(&text.to_ascii_lowercase())?;
        match (matches.pop(), matches.is_empty()) {
            (Some(event), true) => Ok(event),
            (None, _) => Err(none()),
            _ => Err(Error::new(ExitCode::Usage, format!("more than one event begins with {text}"))
                .hint("give more digits, or the event's number")),
        }
    }

    fn by_prefix(&self, prefix: &str) -> Result<Vec<Event>> {
        let head = prefix.get(..prefix.len().min(16)).unwrap_or_default();
        let bound = |fill: char| {
            let padded: String = head.chars().chain(std::iter::repeat(fill)).take(16).collect();
            u64::from_str_radix(&padded, 16).map(sortable).unwrap_or(0)
        };
        let text = format!("SELECT {COLUMNS} FROM event WHERE uid BETWEEN ? AND ? LIMIT 1000");
        let mut events =
            self.select(&text, &[bound('0').into(), bound('f').into()], |_, damage| Err(damage))?;
        events.retain(|e| e.before.uid.to_string().starts_with(prefix));
        Ok(events)
    }

    /// The events that pass a filter, newest first.
    pub fn timeline(&self, filter: &Filter) -> Result<Vec<Event>> {
        self.legible(filter, |_, damage| Err(damage))
    }

    /// The same, where one damaged frame must not hide all other events: `damaged` is told what could not be read, and
    /// says whether to go on.
    pub fn legible(
        &self,
        filter: &Filter,
        damaged: impl FnMut(EventId, Error) -> Result<()>,
    ) -> Result<Vec<Event>> {
        let (terms, mut values) = filter.sql();
        values.push(i64::try_from(filter.limit).unwrap_or(i64::MAX).into());
        let text = format!("SELECT {COLUMNS} FROM event WHERE {terms} ORDER BY id DESC LIMIT ?");
        self.select(&text, &values, damaged)
    }

    /// The same, oldest first: what follows an event is read page by page, with `filter.after`.
    pub fn following(
        &self,
        filter: &Filter,
        damaged: impl FnMut(EventId, Error) -> Result<()>,
    ) -> Result<Vec<Event>> {
        let (terms, mut values) = filter.sql();
        values.push(i64::try_from(filter.limit).unwrap_or(i64::MAX).into());
        let text = format!("SELECT {COLUMNS} FROM event WHERE {terms} ORDER BY id LIMIT ?");
        self.select(&text, &values, damaged)
    }

    /// Those of these events whose end is known by now. The journal is not read for it.
    pub fn ended(&self, open: &[EventId]) -> Result<Vec<EventId>> {
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let numbers: Vec<String> = open.iter().map(ToString::to_string).collect();
        let text = "SELECT id FROM event WHERE id IN (SELECT value FROM json_each(?)) \
                    AND (asegment IS NOT NULL OR silent) ORDER BY id";
        let mut statement = self.db.prepare_cached(text).map_err(sql("read"))?;
        let list = format!("[{}]", numbers.join(","));
        let rows = statement.query_map([list], |row| row.get::<_, i64>(0)).map_err(sql("read"))?;
        let found: rusqlite::Result<Vec<i64>> = rows.collect();
        Ok(found.map_err(sql("read"))?.into_iter().map(|id| EventId(unsigned(id))).collect())
    }

    /// The number of the latest event; 0 where there is none.
    pub fn last_event(&self) -> Result<EventId> {
        let last: Option<i64> =
            self.db.query_row("SELECT max(id) FROM event", [], |row| row.get(0)).map_err(sql("read"))?;
        Ok(EventId(unsigned(last.unwrap_or(0))))
    }

    /// All but commands and drills, oldest first: undos, alarms, containment, what was done about incidents.
    pub fn doings(&self) -> Result<Vec<Event>> {
        let text = format!("SELECT {COLUMNS} FROM event WHERE kind NOT IN (0, 4) ORDER BY id");
        self.select(&text, &[], |_, damage| Err(damage))
    }

    /// The latest undo or redo that began and has not ended. One whose record is damaged could not be gone on with, and must
    /// not keep the whole ones from being taken back.
    pub fn unfinished(&self) -> Result<Option<Event>> {
        let text =
            format!("SELECT {COLUMNS} FROM event WHERE kind IN (1, 2) AND asegment IS NULL ORDER BY id DESC");
        Ok(self.select(&text, &[], |_, _| Ok(()))?.into_iter().next())
    }

    /// What somebody vouched for, the latest first.
    pub fn attestations(&self) -> Result<Vec<Event>> {
        self.of_kind(super::facts::ATTEST)
    }

    /// The measurements that were kept, the latest first.
    pub fn measurements(&self) -> Result<Vec<Event>> {
        self.of_kind(super::facts::MATURITY)
    }

    fn of_kind(&self, kind: i64) -> Result<Vec<Event>> {
        let text = format!("SELECT {COLUMNS} FROM event WHERE kind = ? ORDER BY id DESC");
        // One damaged frame must not hide the others.
        self.select(&text, &[kind.into()], |_, _| Ok(()))
    }

    fn select(
        &self,
        text: &str,
        values: &[Value],
        mut damaged: impl FnMut(EventId, Error) -> Result<()>,
    ) -> Result<Vec<Event>> {
        let mut statement = self.db.prepare_cached(text).map_err(sql("read"))?;
        let rows = statement.query_map(params_from_iter(values), found).map_err(sql("read"))?;
        let mut events = Vec::new();
        for row in rows {
            let row = row.map_err(sql("read"))?;
            let id = row.id;
            match self.load(row) {
                Ok(event) => events.push(event),
                Err(damage) => damaged(id, damage)?,
            }
        }
        Ok(events)
    }

    fn load(&self, found: Found) -> Result<Event> {
        let frame = self.frame(found.before)?;
        let Record::Before(before) = frame.record else { return Err(mismatch(found.before)) };
        let after = match found.after.map(|at| self.frame(at)).transpose()? {
            Some(Frame { record: Record::After(after), .. }) => Some(*after),
            Some(frame) => return Err(mismatch(frame.position)),
            None => None,
        };
        let steps = if found.kind == 0 { Vec::new() } else { self.steps(found.id)? };
        let parts = if before.parent.is_some() { Vec::new() } else { self.parts(found.id)? };
        let Found { id, silent, undone_by, undone_in_part, .. } = found;
        Ok(Event { id, before: *before, after, silent, steps, undone_by, undone_in_part, parts })
    }

    /// What was recorded as a part of an event. Parts have none themselves.
    fn parts(&self, event: EventId) -> Result<Vec<Event>> {
        let text = format!("SELECT {COLUMNS} FROM event WHERE parent = ? ORDER BY id");
        self.select(&text, &[i64::try_from(event.0).unwrap_or(-1).into()], |_, damage| Err(damage))
    }

    pub(super) fn frame(&self, at: Position) -> Result<Frame> {
        let mut open = self.segment.borrow_mut();
        let segment = match open.take() {
            Some((number, segment)) if number == at.segment => segment,
            _ => self.journal.segment(at.segment)?,
        };
        let frame = read_frame(&segment, at)?.parse();
        *open = Some((at.segment, segment));
        frame
    }

    fn steps(&self, event: EventId) -> Result<Vec<StepMark>> {
        let text = "SELECT seq, segment, offset FROM step WHERE event = ? ORDER BY seq";
        let mut steps = Vec::new();
        for (_, at) in self.positions(text, &[i64::try_from(event.0).unwrap_or(-1)])? {
            if let Record::Step(step) = self.frame(at)?.record {
                steps.push(step);
            }
        }
        Ok(steps)
    }

    /// Counts over all events. Reads every row.
    pub fn totals(&self) -> Result<Totals> {
        let text = "SELECT count(*), count(nullif(captured, 0)), coalesce(sum(captured), 0) FROM event";
        let totals = |row: &Row<'_>| {
            Ok(Totals {
                events: unsigned(row.get(0)?),
                captured_events: unsigned(row.get(1)?),
                captured_bytes: unsigned(row.get(2)?),
            })
        };
        self.db.query_row(text, [], totals).map_err(sql("read"))
    }
}

fn mismatch(at: Position) -> Error {
    Error::failure(format!("the index does not fit the journal at {at}"))
        .hint("run `fr store rebuild`: the index is made anew from the journal")
}
