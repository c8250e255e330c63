//! Which reports are one event, and which ending belongs to which beginning.
//!
//! One command may be reported more than once: Copilot CLI, VS Code and Cursor also run the hooks that were registered
//! for Claude, and a shell's integration sees what an agent's hook has announced (agents.md 4.8). The hook of a harmless
//! command looks nothing up, so this is found out here, from the journal's order alone:
//!
//! - the same call id and the same action in one session are the same call;
//! - without an id on both sides, the same action in one session within [`APART_NS`] is the same call if it comes by
//!   another channel. One registration that reports the same line twice has run it twice: `make; make` are two events;
//! - a shell's report is an agent's call if the agent has just announced that line, whatever the session; or however long
//!   ago (its user was asked), where the shell knows the call's id, as in Codex.
//!
//! A second report is only taken for the first one's twin while that one's end has not been told: agents run all
//! before-hooks before the tool.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{ActorKind, After, Before, Call, Source};

type Sql<T> = rusqlite::Result<T>;

/// How far reports of one call by two channels may lie apart.
const APART_NS: i64 = 2_000_000_000;
/// The same in events, to look at few: nothing that `fr` records comes faster.
const APART_EVENTS: i64 = 2_000;
/// The same for a shell that knows the id of the call.
const APART_WHEN_ASKED_NS: i64 = 3_600_000_000_000;
/// The same for reports with the same id. Some model servers give `call_0` to every call.
const APART_WITH_ID_NS: i64 = 60_000_000_000;

/// A before-half as one channel's report of a call.
pub(crate) struct Report<'a> {
    session: i64,
    actor: i64,
    at_ns: i64,
    call: &'a str,
    key: String,
    channel: String,
    by_agent: bool,
}

impl<'a> Report<'a> {
    pub(crate) fn of(before: &'a Before, session: i64, actor: i64) -> Report<'a> {
        let call = before.call.as_deref().unwrap_or_default();
        let channel = match (before.source, Call::parse(call)) {
            (Source::Hook, Call::Args { by, .. }) => format!("args:{by}"),
            (Source::Hook, Call::Id(_)) => "id".to_owned(),
            (Source::Shell, _) => "shell".to_owned(),
            (Source::Exec | Source::Shim | Source::Trace | Source::Recorder, _) => "other".to_owned(),
        };
        Report {
            session,
            actor,
            at_ns: before.at_ns,
            call,
            key: Call::key(&before.command.tool, before.command.line.as_slice()),
            channel,
            by_agent: before.actor.kind == ActorKind::Agent,
        }
    }

    /// The event that this report, the journal's `number`, tells of again.
    pub(crate) fn twin(&self, db: &Connection, number: i64) -> Sql<Option<i64>> {
        if self.channel == "other" || (self.channel == "shell" && !self.by_agent) {
            return Ok(None);
        }
        if let Some(event) = self.with_same_id(db)? {
            return Ok(Some(event));
        }
        // A shell's report comes after the agent's own, so it is the latest one that it belongs to.
        let (owner, order) = match self.channel.as_str() {
            "shell" => ("event.actor = ?1 AND pending.channel <> 'other'", "DESC"),
            _ => ("pending.session = ?1", "ASC"),
        };
        let sql = format!(
            "SELECT event.id FROM pending JOIN event ON event.id = pending.event \
             WHERE key = ?2 AND event > ?6 AND {owner} AND asegment IS NULL AND at_ns BETWEEN ?3 AND ?4 \
             AND NOT EXISTS (SELECT 1 FROM pending AS told WHERE told.event = event.id AND told.channel = ?5) \
             ORDER BY event.id {order} LIMIT 1"
        );
        let owner = if self.channel == "shell" { self.actor } else { self.session };
        let (from, to) = around(self.at_ns, APART_NS);
        let oldest = number.saturating_sub(APART_EVENTS);
        let values = params![owner, self.key, from, to, self.channel, oldest];
        db.prepare_cached(&sql)?.query_row(values, |row| row.get(0)).optional()
    }

    fn with_same_id(&self, db: &Connection) -> Sql<Option<i64>> {
        let (owner, apart) = match self.channel.as_str() {
            "id" if !self.call.is_empty() => ("pending.session = ?1", APART_WITH_ID_NS),
            "shell" => ("event.actor = ?1 AND channel = 'id'", APART_WHEN_ASKED_NS),
            _ => return Ok(None),
        };
        let sql = format!(
            "SELECT event.id FROM pending JOIN event ON event.id = pending.event \
             WHERE key = ?2 AND call = ?3 AND {owner} AND asegment IS NULL AND at_ns BETWEEN ?4 AND ?5 \
             ORDER BY event.id LIMIT 1"
        );
        let owner = if self.channel == "shell" { self.actor } else { self.session };
        let (from, to) = around(self.at_ns, apart);
        let values = params![owner, self.key, self.call, from, to];
        db.prepare_cached(&sql)?.query_row(values, |row| row.get(0)).optional()
    }

    /// Waits for the end of an event that this report begins.
    pub(crate) fn insert(&self, db: &Connection, event: i64) -> Sql<()> {
        let sql = "INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?)";
        let values = params![self.session, self.call, event, self.key, self.channel];
        db.prepare_cached(sql)?.execute(values).map(drop)
    }

    /// Waits for the end of an event that another report has begun; `number` is what the journal has given this one.
    pub(crate) fn insert_twin(&self, db: &Connection, number: i64, event: i64) -> Sql<()> {
        self.insert(db, event)?;
        let sql = "INSERT OR REPLACE INTO twin VALUES (?, ?)";
        db.prepare_cached(sql)?.execute([number, event]).map(drop)
    }
}

fn around(at_ns: i64, apart_ns: i64) -> (i64, i64) {
    (at_ns.saturating_sub(apart_ns), at_ns.saturating_add(apart_ns))
}

/// The event of an after-half: the one it names; else, of its session and call, one whose end nobody has told. Ids are
/// unique, so it is the latest one; calls without an id end first in, first out.
pub(crate) fn event_of(db: &Connection, named: i64, after: &After) -> Sql<Option<i64>> {
    if named != 0 {
        return Ok(Some(primary(db, named)?.unwrap_or(named)));
    }
    let call = after.call.as_deref().unwrap_or_default();
    let order = if matches!(Call::parse(call), Call::Args { .. }) { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT event.id FROM pending JOIN session ON session.id = pending.session \
         JOIN event ON event.id = pending.event WHERE session.name = ? AND call = ? \
         ORDER BY asegment IS NOT NULL OR silent, event.id {order} LIMIT 1"
    );
    db.prepare_cached(&sql)?.query_row(params![after.session, call], |row| row.get(0)).optional()
}

/// The end of an event has been told by this channel.
pub(crate) fn close(db: &Connection, event: i64, after: &After) -> Sql<()> {
    let sql = "DELETE FROM pending WHERE event = ? AND call = ?";
    let call = after.call.as_deref().unwrap_or_default();
    db.prepare_cached(sql)?.execute(params![event, call]).map(drop)
}

/// A turn or session has ended: what it has left open may have run, or not. An ending that comes later still counts.
pub(crate) fn silence(db: &Connection, session: i64) -> Sql<()> {
    let sql = "UPDATE event SET silent = 1 WHERE asegment IS NULL AND silent = 0 \
               AND id IN (SELECT event FROM pending WHERE session = ?)";
    db.prepare_cached(sql)?.execute([session]).map(drop)
}

/// The event that a report was another report of.
pub(crate) fn primary(db: &Connection, number: i64) -> Sql<Option<i64>> {
    let sql = "SELECT of FROM twin WHERE event = ?";
    db.prepare_cached(sql)?.query_row([number], |row| row.get(0)).optional()
}
