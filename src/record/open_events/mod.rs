//! Captured events that await their after-half: one log of lines, so that the after-hook finds its captures without a
//! database, and a hook makes no file. A new file costs ext4 up to a millisecond where many were just deleted
//! (`docs/speed.md`); a line costs a hundredth of that.
//!
//! A call is claimed before anything is captured. That is also how a second report of the same call (an agent that runs
//! another agent's hooks too, agents.md 4.8) learns that it is the second, and captures nothing again: of two claims the
//! one that lies first in the log counts.
//!
//! An after-half with an id takes the call of its place ([`place_of`]); one without takes the oldest call of its place that
//! its own registration has reported. Events that nobody ended (a killed agent's) stay for days, within a bound.

mod line;
mod log;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::line::{Id, Kind, Line, Place, Tag, Written};
use self::log::{Log, MOST};
use self::table::{Table, Waiting};
use super::nesting::Nest;
use crate::error::{Error, Result};
use crate::model::{Call, Capture, EventId};
use crate::platform::{clock, home::Home};

/// How long after the first report of a call was recorded a second one may come (agents.md 4.8).
const TOLD_AGAIN: Duration = Duration::from_secs(2);

/// The longest that the first report may still be at work on its capture.
const AT_WORK: Duration = Duration::from_secs(300);

/// How long the agent may have asked its user, for a shell that knows the call's id (Codex tells it).
const ASKED: Duration = Duration::from_secs(3600);

/// How far back in the log, in bytes, a second report looks for the first: over some sixty calls. What lies farther back
/// was reported too long ago, and a hook must not become slow where an agent ends nothing.
const RECENT: u64 = 64 << 10;

/// What nobody has asked for during this time never will be.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);

/// A call as it is reported: what tells it from others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its session.
    pub session: String,
    /// Its call.
    pub call: String,
    /// [`Call::key`] of what it runs: some model servers give ids like `call_0` again and again.
    pub key: String,
    /// The name of the agent that runs it; empty for a person.
    pub agent: String,
    /// Who reports it: `id` for whoever has call ids, `shell`, else the registration.
    pub channel: String,
    /// The record says already that nobody told how it ended. Somebody still may.
    #[serde(default)]
    pub closed: bool,
    /// The recorder said no, and the record says that it never ran. An agent may run it all the same, and say so.
    #[serde(default)]
    pub denied: bool,
}

/// What the after-half needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenEvent {
    /// The call.
    #[serde(flatten)]
    pub report: Report,
    /// The event.
    pub event: EventId,
    /// What to look at again.
    pub captures: Vec<Capture>,
    /// What it tells those that run inside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nest: Option<Nest>,
}

/// The answer to "may I record this call?".
pub enum Claim {
    /// Nobody has; the slot is ours.
    Mine(Slot),
    /// Another channel has reported it, and its process records it.
    Twin,
}

/// The place of an event that is being captured.
pub struct Slot {
    id: Id,
    place: Place,
}

/// What an after-half finds.
pub enum Taken {
    /// Nothing was captured.
    Nothing,
    /// Its event.
    Open(Box<OpenEvent>),
    /// Another registration has reported this call's end.
    Told,
}

impl Slot {
    /// Leaves word for the after-half. Not synced: without it the event is closed as "not known", which is true then.
    pub fn fill(self, home: &Home, open: &OpenEvent) -> Result<()> {
        let part_of = open.nest.as_ref().and_then(|nest| nest.parent);
        let tag = part_of.map_or(line::NONE, |event| line::tag(event.0));
        let body = encode(open)?;
        Log::make(home)?.append(&Line { tag, body: &body, ..self.line(Kind::Open) }).map(drop)
    }

    /// Gives the place up: nothing was captured, or not by us.
    pub fn release(self, home: &Home) {
        // Where this fails the call is forgotten after some days.
        let _ = Log::make(home).and_then(|mut log| log.append(&self.line(Kind::Gone)));
    }

    fn line(&self, kind: Kind) -> Line<'static> {
        about(self.id, self.place, kind)
    }
}

fn about(id: Id, place: Place, kind: Kind) -> Line<'static> {
    Line { kind, at_ns: clock::now_ns(), id, place, tag: line::NONE, body: &[] }
}

fn encode<T: Serialize>(what: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(what).map_err(|e| Error::failure(format!("cannot encode an open event: {e}")))
}

/// Asks for the place of a call that is about to be captured.
pub fn claim(home: &Home, call: &Call, report: &Report) -> Result<Claim> {
    let mut log = Log::make(home)?;
    let text = log.read_last(RECENT)?;
    let asked = Asked { place: place_of(&report.session, call), report, now_ns: clock::now_ns() };
    let key = key_tag(&report.key);
    let wanted = |claim: &Written<'_>| *claim.tag() == key || *claim.place() == asked.place;
    let table = Table::of_some(&text, &wanted);
    if let Some(twin) = asked.twin(&table)
        && asked.joins(twin, &mut log)?
    {
        return Ok(Claim::Twin);
    }
    // The id of an earlier call is given again.
    let replaced = table.living().filter(|call| is_named(&asked.place) && call.place == asked.place);
    for call in replaced {
        log.append(&about(call.id, call.place, Kind::Gone))?;
    }
    let slot = Slot { id: line::id(asked.now_ns, std::process::id()), place: asked.place };
    let body = table::claim_body(&report.channel, &encode(report)?);
    let others = log.append(&Line { tag: key, body: &body, ..slot.line(Kind::Claim) })?;
    // Reported at the same moment by somebody who was faster.
    if let Some(twin) = asked.twin(&Table::of(&others))
        && asked.joins(twin, &mut log)?
    {
        log.append(&slot.line(Kind::Gone))?;
        return Ok(Claim::Twin);
    }
    if log.len() > MOST {
        log.tidy(asked.now_ns)?;
    }
    Ok(Claim::Mine(slot))
}

/// A report that looks for an earlier one of the same call.
struct Asked<'a> {
    place: Place,
    report: &'a Report,
    now_ns: i64,
}

impl Asked<'_> {
    /// The call that this is a second report of: the same call; the same action in the same session, or a shell's report
    /// of what its agent has announced. One call is told once by each channel; the same channel reporting the same line
    /// again has run it again.
    fn twin<'t, 'a>(&self, table: &'t Table<'a>) -> Option<&'t Waiting<'a>> {
        let key = key_tag(&self.report.key);
        let same_key = |call: &&Waiting<'_>| call.key == key && !call.is_done();
        table
            .living()
            .filter(same_key)
            .find(|call| call.report().is_some_and(|there| self.is_twin(call, &there)))
    }

    fn is_twin(&self, call: &Waiting<'_>, there: &Report) -> bool {
        let ours = self.report;
        if there.key != ours.key || there.closed {
            return false;
        }
        if is_named(&self.place) && call.place == self.place && self.is_fresh(call) {
            return true;
        }
        if call.channels.iter().any(|(channel, _)| *channel == ours.channel.as_bytes()) {
            return false;
        }
        let from_agent = ours.channel == "shell" && there.agent == ours.agent;
        let named = from_agent && there.channel == "id" && there.call == ours.call;
        let same = there.session == ours.session || (!ours.agent.is_empty() && from_agent);
        same && self.age(call) <= ASKED && (named || self.is_fresh(call))
    }

    /// Whether a report that comes now may be a second one of this call.
    fn is_fresh(&self, call: &Waiting<'_>) -> bool {
        self.age(call) <= if call.is_open() { TOLD_AGAIN } else { AT_WORK }
    }

    /// A clock that was set back: made just now.
    fn age(&self, call: &Waiting<'_>) -> Duration {
        Duration::from_nanos(self.now_ns.saturating_sub(call.touched_ns).try_into().unwrap_or(0))
    }

    /// Leaves our mark on the call; false where our channel has just left it, for another run of the same.
    fn joins(&self, twin: &Waiting<'_>, log: &mut Log) -> Result<bool> {
        let channel = self.report.channel.as_bytes();
        if twin.channels.iter().any(|(there, _)| *there == channel) {
            return Ok(true);
        }
        let others = log.append(&Line { body: channel, ..about(twin.id, twin.place, Kind::Mark) })?;
        // One call is one call, however often it is reported.
        let is_same_call = is_named(&self.place) && twin.place == self.place;
        Ok(is_same_call
            || !line::lines(&others).any(|l| l.kind == Kind::Mark && *l.id() == twin.id && l.body == channel))
    }
}

/// Takes the word back: the event's after-half is being written.
pub fn take(home: &Home, session: &str, call: &Call) -> Taken {
    // A log that cannot be read leaves the event as "not known"; the index keeps what is known.
    try_take(home, session, call).unwrap_or(Taken::Nothing)
}

fn try_take(home: &Home, session: &str, call: &Call) -> Result<Taken> {
    let Some(mut log) = Log::open(home)? else { return Ok(Taken::Nothing) };
    let text = log.read()?;
    let place = place_of(session, call);
    let table = Table::of_some(&text, &|claim| *claim.place() == place);
    let taken = match call {
        Call::Id(_) => take_named(&table, &place, &mut log)?,
        Call::Args { by, .. } => take_oldest(&table, &place, by, &mut log)?,
    };
    if !matches!(taken, Taken::Nothing) && table.may_be_past() {
        log.tidy(clock::now_ns())?;
    }
    Ok(taken)
}

fn take_named(table: &Table<'_>, place: &Place, log: &mut Log) -> Result<Taken> {
    // What is not on record yet stays: its recorder is at work.
    let Some(call) = table.open_at(place) else { return Ok(Taken::Nothing) };
    let others = log.append(&about(call.id, *place, Kind::Gone))?;
    let taken = line::lines(&others).any(|line| line.kind == Kind::Gone && *line.id() == call.id);
    let open = call.event().filter(|_| !taken);
    Ok(open.map_or(Taken::Nothing, |open| Taken::Open(Box::new(open))))
}

/// First in, first out; what the record has closed already comes last, it was most likely refused.
fn take_oldest(table: &Table<'_>, place: &Place, by: &str, log: &mut Log) -> Result<Taken> {
    let by = by.as_bytes();
    let ours = |call: &&Waiting<'_>| call.place == *place && call.channels.contains(&(by, false));
    let mut calls: Vec<&Waiting<'_>> = table.living().filter(ours).collect();
    calls.sort_by_key(|call| call.closed);
    for call in calls {
        let others = log.append(&Line { body: by, ..about(call.id, *place, Kind::Told) })?;
        let told: Vec<Written<'_>> =
            line::lines(&others).filter(|line| line.kind == Kind::Told && *line.id() == call.id).collect();
        if told.iter().any(|line| line.body == by) {
            continue;
        }
        let event = call.event().map_or(Taken::Nothing, |open| Taken::Open(Box::new(open)));
        return Ok(if call.is_done() || !told.is_empty() { Taken::Told } else { event });
    }
    Ok(Taken::Nothing)
}

/// Leaves word for the end of what goes on in the background, under another name of its call.
pub fn keep_as(home: &Home, call: &str, mut open: OpenEvent) -> Result<()> {
    // What runs from now on is not known to run inside of it.
    open.nest = None;
    open.report.closed = true;
    let place = place_of(&open.report.session, &Call::Id(call.to_owned()));
    let id = line::id(clock::now_ns(), std::process::id());
    let claimed = table::claim_body(&open.report.channel, &encode(&open.report)?);
    let key = key_tag(&open.report.key);
    let claim = Line { tag: key, body: &claimed, ..about(id, place, Kind::Claim) }.encode();
    let word = Line { body: &encode(&open)?, ..about(id, place, Kind::Open) }.encode();
    Log::make(home)?.append_bytes(&[claim, word].concat()).map(drop)
}

/// What a session has left open and the record does not say so yet. At the end of the session (`end`) the places are
/// given up; before, an ending may still come for them (a sub-agent goes on after its parent's turn).
pub fn close_session(home: &Home, session: &str, end: bool) -> Vec<OpenEvent> {
    try_close(home, session, end).unwrap_or_default()
}

fn try_close(home: &Home, session: &str, end: bool) -> Result<Vec<OpenEvent>> {
    let Some(mut log) = Log::open(home)? else { return Ok(Vec::new()) };
    let text = log.read()?;
    let table = Table::of(&text);
    let mut left = Vec::new();
    for call in table.living() {
        let Some(report) = call.report().filter(|report| report.session == session) else { continue };
        if end {
            log.append(&about(call.id, call.place, Kind::Gone))?;
        }
        if let Some(open) = call.event().filter(|_| !report.closed && !report.denied && !call.is_done()) {
            if !end {
                log.append(&about(call.id, call.place, Kind::Closed))?;
            }
            left.push(open);
        }
    }
    left.sort_by_key(|open| open.event);
    if end {
        log.tidy(clock::now_ns())?;
    }
    Ok(left)
}

/// Where a call's ending looks for it. Calls without an id share the place of what they run.
fn place_of(session: &str, call: &Call) -> Place {
    let mut hasher = blake3::Hasher::new();
    hasher.update(session.as_bytes());
    let front = match call {
        Call::Id(id) => {
            hasher.update(&[0]).update(id.as_bytes());
            NAMED
        }
        Call::Args { key, .. } => {
            hasher.update(&[0]).update(key.as_bytes());
            b'a'
        }
    };
    let mut place = line::fixed(&hasher.finalize().to_hex().as_bytes()[..32]).unwrap_or([b'0'; 32]);
    place[0] = front;
    place
}

/// How the place of a call with an id begins.
const NAMED: u8 = b'n';

fn is_named(place: &Place) -> bool {
    place[0] == NAMED
}

/// A key may be any text, a tag may not.
fn key_tag(key: &str) -> Tag {
    line::fixed(&blake3::hash(key.as_bytes()).to_hex().as_bytes()[..16]).unwrap_or(line::NONE)
}

/// Looks at the open event of a call that has an id, and leaves it.
pub fn peek(home: &Home, session: &str, call: &str) -> Option<OpenEvent> {
    let text = Log::open(home).ok()??.read().ok()?;
    Table::of(&text).open_at(&place_of(session, &Call::Id(call.to_owned())))?.event()
}

/// All open events, in no order.
pub fn all(home: &Home) -> Vec<OpenEvent> {
    let text = Log::open(home).ok().flatten().and_then(|mut log| log.read().ok()).unwrap_or_default();
    Table::of(&text).living().filter(|call| !call.is_done()).filter_map(Waiting::event).collect()
}

/// Takes back the parts of an event.
pub fn take_parts(home: &Home, of: EventId) -> Vec<OpenEvent> {
    try_take_parts(home, of).unwrap_or_default()
}

fn try_take_parts(home: &Home, of: EventId) -> Result<Vec<OpenEvent>> {
    let Some(mut log) = Log::open(home)? else { return Ok(Vec::new()) };
    let text = log.read()?;
    let tag = line::tag(of.0);
    let table = Table::of(&text);
    let mut parts = Vec::new();
    for part in table.living().filter(|call| call.part_of == tag && call.is_open()) {
        if let Taken::Open(open) = take_named(&table, &part.place, &mut log)? {
            parts.push(*open);
        }
    }
    parts.sort_by_key(|open| open.event);
    if !parts.is_empty() && table.may_be_past() {
        log.tidy(clock::now_ns())?;
    }
    Ok(parts)
}
