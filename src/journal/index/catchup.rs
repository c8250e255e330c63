//! Bringing the index up to the end of the journal.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::facts;
use super::filter::{class_bit, sortable};
use super::open::{Index, Mark, sql};
use super::pending::{self, Report};
use super::undone;
use crate::error::{Error, Result};
use crate::journal::{Frame, Journal, Position};
use crate::model::{
    Actor, After, Before, Bytes, Kept, ObjectId, Outcome, Record, SessionMark, SessionMoment, Verdict,
};

/// Frames per transaction: bounds the write-ahead log and how long another process waits.
const FRAMES_PER_COMMIT: usize = 20_000;

impl Index {
    /// Takes in what the journal has grown by. Where another process is doing that right now and does not finish in
    /// time, what is there stays as it is.
    pub(crate) fn catch_up(&mut self) -> Result<()> {
        while self.is_behind()? {
            let tx = match self.db.transaction_with_behavior(TransactionBehavior::Immediate) {
                Ok(tx) => tx,
                Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => return Ok(()),
                Err(e) => return Err(sql("lock")(e)),
            };
            let mark = read_mark(&tx)?;
            let (mark, done) = take_in(&tx, &self.journal, mark)?;
            write_mark(&tx, mark)?;
            tx.commit().map_err(sql("write"))?;
            if done {
                break;
            }
        }
        Ok(())
    }

    /// True where the journal has grown since it was taken in, as far as one look at its last segment tells.
    pub(crate) fn has_more(&self) -> bool {
        read_mark(&self.db).is_ok_and(|mark| self.journal.reaches_beyond(mark.next))
    }

    /// True where the journal goes on behind the mark. An error where the mark does not belong to this journal: then
    /// the index was made from another one.
    fn is_behind(&self) -> Result<bool> {
        let mark = read_mark(&self.db)?;
        if mark.last.segment > 0 && self.journal.hash_at(mark.last) != Some(mark.hash) {
            return Err(Error::failure("the index does not belong to this journal"));
        }
        Ok(self.journal.reaches_beyond(mark.next))
    }
}

pub(crate) fn read_mark(db: &Connection) -> Result<Mark> {
    let text: Option<String> = db
        .query_row("SELECT value FROM meta WHERE key = 'mark'", [], |row| row.get(0))
        .optional()
        .map_err(sql("read"))?;
    let Some(text) = text else { return Ok(Mark::default()) };
    parse_mark(&text).ok_or_else(|| Error::failure("the index's mark is damaged"))
}

fn parse_mark(text: &str) -> Option<Mark> {
    let mut words = text.split(' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let mut position = || Some(Position { segment: u32::try_from(number()?).ok()?, offset: number()? });
    let (next, last) = (position()?, position()?);
    let hash = words.next()?.parse::<ObjectId>().ok()?.0;
    Some(Mark { next, last, hash })
}

fn write_mark(db: &Connection, mark: Mark) -> Result<()> {
    let hash = ObjectId(mark.hash);
    let (next, last) = (mark.next, mark.last);
    let text = format!("{} {} {} {} {hash}", next.segment, next.offset, last.segment, last.offset);
    db.execute("INSERT OR REPLACE INTO meta VALUES ('mark', ?)", [text]).map_err(sql("write"))?;
    Ok(())
}

/// Takes in frames up to the end or the limit; the new mark, and whether that was the end.
fn take_in(tx: &Transaction<'_>, journal: &Journal, mut mark: Mark) -> Result<(Mark, bool)> {
    let mut taker = Taker { tx, names: Names::default() };
    let mut taken = 0;
    for placed in journal.raw_frames(mark.next)? {
        // Damage is verify's to report; what is whole is indexed.
        let Ok(placed) = placed else { continue };
        mark = Mark { next: placed.next, last: placed.position, hash: placed.frame.hash };
        if let Ok(frame) = placed.parse() {
            taker.take(&frame).map_err(sql("write"))?;
        }
        taken += 1;
        if taken >= FRAMES_PER_COMMIT {
            return Ok((mark, false));
        }
    }
    Ok((mark, true))
}

/// Row numbers of names, so that each is looked up once per run.
#[derive(Default)]
struct Names {
    actors: HashMap<(String, String), i64>,
    systems: HashMap<String, i64>,
    sessions: HashMap<String, i64>,
}

struct Taker<'a> {
    tx: &'a Transaction<'a>,
    names: Names,
}

type Sql<T> = rusqlite::Result<T>;

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Taker<'_> {
    fn take(&mut self, frame: &Frame) -> Sql<()> {
        let (segment, offset) = (frame.position.segment, signed(frame.position.offset));
        let (event, seq) = (signed(frame.event.0), signed(frame.seq));
        match &frame.record {
            Record::Before(before) => self.before(event, frame.position, before),
            Record::After(after) => self.after(event, frame.position, after),
            Record::Session(mark) => self.session_mark(mark),
            Record::Step(_) => {
                let sql = "INSERT OR REPLACE INTO step VALUES (?, ?, ?, ?)";
                self.tx.prepare_cached(sql)?.execute(params![event, seq, segment, offset]).map(drop)
            }
            Record::Gap(_) => {
                let sql = "INSERT OR REPLACE INTO gap VALUES (?, ?, ?)";
                self.tx.prepare_cached(sql)?.execute(params![seq, segment, offset]).map(drop)
            }
        }
    }

    fn before(&mut self, event: i64, at: Position, before: &Before) -> Sql<()> {
        let classes = before.effects.iter().fold(0, |bits, e| bits | class_bit(e.class));
        let mut systems = 0i64;
        for effect in &before.effects {
            systems |= 1 << (self.system(&effect.system.0)? - 1).clamp(0, 62);
        }
        let changes = classes & !class_bit(crate::model::EffectClass::None) != 0;
        let destructive = before.effects.iter().any(|e| e.class.is_destructive());
        // What was denied did not run.
        let unkept = Kept::of(before).lacks() && !matches!(before.verdict, Some(Verdict::Deny { .. }));
        let actor = self.actor(&before.actor)?;
        let session = self.session(&before.session, actor, &before.cwd, before.at_ns)?;
        let report = Report::of(before, session, actor);
        if let Some(of) = report.twin(self.tx, event)? {
            report.insert_twin(self.tx, event, of)?;
            return Ok(());
        }
        report.insert(self.tx, event)?;
        // The recorder's own word (an alarm) may come first: the session is still the agent's.
        self.tx
            .prepare_cached(
                "UPDATE session SET last_ns = max(last_ns, ?2), events = events + 1, \
                 changes = changes + ?3, destructive = destructive + ?4, unkept = unkept + ?6, \
                 actor = iif(actor IN (SELECT id FROM actor WHERE kind = 'recorder'), ?5, actor) WHERE id = ?1",
            )?
            .execute(params![session, before.at_ns, changes, destructive, actor, unkept])?;
        let uid = before.uid.0.first_chunk::<8>().map_or(0, |b| sortable(u64::from_be_bytes(*b)));
        self.tx
            .prepare_cached(
                "INSERT OR REPLACE INTO event (id, uid, at_ns, session, actor, kind, classes, systems, captured, \
                 segment, offset, line, parent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                event,
                uid,
                before.at_ns,
                session,
                actor,
                facts::kind_number(&before.kind),
                classes,
                systems,
                signed(before.captures.iter().map(|c| c.bytes).sum()),
                at.segment,
                signed(at.offset),
                before.command.line.as_slice(),
                before.parent.map(|parent| signed(parent.0)),
            ])?;
        for of in facts::targets(&before.kind) {
            let sql = "INSERT OR REPLACE INTO target VALUES (?, ?)";
            self.tx.prepare_cached(sql)?.execute([event, signed(of)])?;
        }
        for place in facts::places(before) {
            self.touch(&place, event)?;
        }
        Ok(())
    }

    /// An ending gives way to one that tells more: "not known", "refused" and "in the background" to "ended", that to a verdict. An undo may end more than once (`--resume`): there the last one stands.
    fn after(&mut self, named: i64, at: Position, after: &After) -> Sql<()> {
        let Some(event) = pending::event_of(self.tx, named, after)? else { return Ok(()) };
        let failed = failed(after.outcome);
        let tells = told(after.outcome);
        if tells >= told(Outcome::Ended) {
            pending::close(self.tx, event, after)?;
        }
        let sql = "UPDATE event SET asegment = ?2, aoffset = ?3, failed = ?4, told = ?5 WHERE id = ?1 \
                   AND (told < ?5 OR kind <> 0)";
        let offset = signed(at.offset);
        if self.tx.prepare_cached(sql)?.execute(params![event, at.segment, offset, failed, tells])? == 0 {
            return Ok(());
        }
        let sql = "UPDATE session SET last_ns = max(last_ns, ?2), failed = failed + ?3 \
                   WHERE id = (SELECT session FROM event WHERE id = ?1)";
        self.tx.prepare_cached(sql)?.execute(params![event, after.at_ns, failed == Some(true)])?;
        if undone::took_effect(after.outcome) {
            undone::apply(self.tx, event)?;
        }
        Ok(())
    }

    fn session_mark(&mut self, mark: &SessionMark) -> Sql<()> {
        let actor = self.actor(&mark.actor)?;
        let session = self.session(&mark.session, actor, &mark.cwd, mark.at_ns)?;
        if matches!(mark.moment, SessionMoment::Stop | SessionMoment::End) {
            pending::silence(self.tx, session)?;
        }
        let ended = (mark.moment == SessionMoment::End).then_some(mark.at_ns);
        let sql =
            "UPDATE session SET last_ns = max(last_ns, ?2), ended_ns = coalesce(?3, ended_ns) WHERE id = ?1";
        self.tx.prepare_cached(sql)?.execute(params![session, mark.at_ns, ended]).map(drop)
    }

    fn touch(&mut self, place: &Bytes, event: i64) -> Sql<()> {
        let bytes = place.as_slice();
        self.tx.prepare_cached("INSERT OR IGNORE INTO path (bytes) VALUES (?)")?.execute([bytes])?;
        let sql = "INSERT OR IGNORE INTO touch SELECT id, ?2 FROM path WHERE bytes = ?1";
        self.tx.prepare_cached(sql)?.execute(params![bytes, event]).map(drop)
    }

    fn actor(&mut self, actor: &Actor) -> Sql<i64> {
        let kind = serde_json::to_value(actor.kind).ok().and_then(|v| v.as_str().map(str::to_owned));
        let key = (kind.unwrap_or_default(), actor.name.clone());
        if let Some(id) = self.names.actors.get(&key) {
            return Ok(*id);
        }
        let sql = "INSERT OR IGNORE INTO actor (kind, name) VALUES (?, ?)";
        self.tx.prepare_cached(sql)?.execute(params![key.0, key.1])?;
        let sql = "SELECT id FROM actor WHERE kind = ? AND name = ?";
        let id = self.tx.prepare_cached(sql)?.query_row(params![key.0, key.1], |row| row.get(0))?;
        self.names.actors.insert(key, id);
        Ok(id)
    }

    fn system(&mut self, name: &str) -> Sql<i64> {
        if let Some(id) = self.names.systems.get(name) {
            return Ok(*id);
        }
        self.tx.prepare_cached("INSERT OR IGNORE INTO system (name) VALUES (?)")?.execute([name])?;
        let sql = "SELECT id FROM system WHERE name = ?";
        let id = self.tx.prepare_cached(sql)?.query_row([name], |row| row.get(0))?;
        self.names.systems.insert(name.to_owned(), id);
        Ok(id)
    }

    fn session(&mut self, name: &str, actor: i64, cwd: &Bytes, at_ns: i64) -> Sql<i64> {
        if let Some(id) = self.names.sessions.get(name) {
            return Ok(*id);
        }
        let sql =
            "INSERT OR IGNORE INTO session (name, actor, cwd, first_ns, last_ns) VALUES (?, ?, ?, ?, ?)";
        self.tx.prepare_cached(sql)?.execute(params![name, actor, cwd.as_slice(), at_ns, at_ns])?;
        let sql = "SELECT id FROM session WHERE name = ?";
        let id = self.tx.prepare_cached(sql)?.query_row([name], |row| row.get(0))?;
        self.names.sessions.insert(name.to_owned(), id);
        Ok(id)
    }
}

/// Whether an outcome counts as failed; `None` where it is not known.
pub(crate) fn failed(outcome: Outcome) -> Option<bool> {
    match outcome {
        Outcome::Exited { code } => Some(code != 0),
        Outcome::Signalled { .. } | Outcome::Failed | Outcome::Refused => Some(true),
        Outcome::Succeeded => Some(false),
        Outcome::Ended | Outcome::Background | Outcome::Unknown => None,
    }
}

/// How much an outcome tells. More overrules less.
fn told(outcome: Outcome) -> i64 {
    match outcome {
        Outcome::Unknown => 1,
        // It may run all the same: not every agent has been seen to obey.
        Outcome::Refused => 2,
        Outcome::Background => 3,
        Outcome::Ended => 4,
        _ => 5,
    }
}
