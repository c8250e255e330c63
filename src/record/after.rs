//! The after-half: how the command ended, and what its captured resources look like now. The latter is what undo
//! compares the present with, to know a later human edit from the command's own change.

use super::before::{command_text, pairing};
use super::open_events::{self, OpenEvent, Taken};
use super::{captures, redact, reported};
use crate::error::Result;
use crate::intake::{Ending, SessionSignal, Task};
use crate::journal::{Durability, Journal};
use crate::model::{
    After, Bytes, Call, Capture, Outcome, PostState, Record, SessionMark, SessionMoment, Source,
};
use crate::platform::{clock, home::Home};
use crate::store::Store;

/// Records that a command has ended. `registration` is the word behind `fr hook`, for channels that may not give their
/// calls ids: those endings find their beginning by what ran.
pub fn after(ending: &Ending, registration: Option<&str>, home: &Home) -> Result<()> {
    if !home.exists() {
        if ending.edit.is_none() {
            return Ok(());
        }
        Store::open_or_create(home)?;
    }
    if let Some(Task { id, ended: Some(outcome) }) = &ending.task {
        end_task(&ending.session, id, *outcome, home)?;
    }
    let call = call_of(ending, registration, home);
    let taken = call.as_ref().map(|call| open_events::take(home, &ending.session, call));
    let open = match taken {
        // The other registration's after-half is on record.
        Some(Taken::Told) => return Ok(()),
        Some(Taken::Open(open)) => Some(*open),
        Some(Taken::Nothing) | None => None,
    };
    if let Some(edit) = ending.edit.as_ref().filter(|_| open.is_none())
        && reported::is_news(edit, call.as_ref(), home)?
    {
        return reported::record(edit, ending, call.as_ref(), home);
    }
    let denied = open.as_ref().is_some_and(|open| open.report.denied);
    if denied && !proves_a_run(ending.outcome) {
        return Ok(());
    }
    let note = ending.note.as_ref().map(|n| redact::redact(n, &redact::TagKey::load(home)));
    let mut record = After {
        at_ns: clock::now_ns(),
        session: ending.session.clone(),
        call: call.map(|call| call.to_string()),
        outcome: ending.outcome,
        duration_ms: ending.duration_ms,
        post: Vec::new(),
        note: note.map(|n| String::from_utf8_lossy(&n).into_owned()),
        lacking: Vec::new(),
    };
    let parts = open.as_ref().map(|open| open_events::take_parts(home, open.event)).unwrap_or_default();
    let (of_line, of_parts) = states_after(open.as_ref(), &parts, ending.outcome, home)?;
    record.post = of_line;
    let event = open.as_ref().map(|open| open.event);
    if let (Some(Task { id, ended: None }), Some(open)) = (&ending.task, open)
        && ending.outcome == Outcome::Background
    {
        open_events::keep_as(home, &task_call(id), open)?;
    }
    let journal = Journal::open(home)?;
    journal.append(&Record::After(Box::new(record)), event, Durability::Buffered)?;
    for (part, post) in parts.iter().zip(of_parts) {
        let record = end_of_part(part, ending.outcome, post);
        journal.append(&Record::After(Box::new(record)), Some(part.event), Durability::Buffered)?;
    }
    Ok(())
}

/// What only a command that ran can be told of. Agents report a tool that was not allowed as one that failed, too.
fn proves_a_run(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Exited { .. }
            | Outcome::Signalled { .. }
            | Outcome::Succeeded
            | Outcome::Ended
            | Outcome::Background
    )
}

/// The end of a command that went on in the background: what it left can be looked at now.
fn end_task(session: &str, id: &str, outcome: Outcome, home: &Home) -> Result<()> {
    let Taken::Open(open) = open_events::take(home, session, &Call::Id(task_call(id))) else { return Ok(()) };
    let post = states_after(Some(&open), &[], outcome, home)?.0;
    let note = "it went on in the background: its state is the one when its end was told";
    let record = After { outcome, post, note: Some(note.to_owned()), ..unknown_end(&open) };
    let journal = Journal::open(home)?;
    journal.append(&Record::After(Box::new(record)), Some(open.event), Durability::Buffered)?;
    Ok(())
}

/// What an open event is called while it is a task in the background.
fn task_call(id: &str) -> String {
    format!("task:{id}")
}

fn call_of(ending: &Ending, registration: Option<&str>, home: &Home) -> Option<Call> {
    match (&ending.call, &ending.action) {
        (Some(id), _) => Some(Call::Id(id.clone())),
        (None, Some(action)) => pairing(None, registration, &command_text(action, Source::Hook, home)),
        (None, None) => None,
    }
}

/// The states of what a line captured and of what its parts did, looked at in one go.
fn states_after(
    line: Option<&OpenEvent>,
    parts: &[OpenEvent],
    outcome: Outcome,
    home: &Home,
) -> Result<(Vec<PostState>, Vec<Vec<PostState>>)> {
    let whole = || line.into_iter().chain(parts);
    let captures: Vec<Capture> = whole().flat_map(|open| open.captures.iter().cloned()).collect();
    // What goes on in the background has no post-state yet; what is looked at now would be neither before nor after.
    let mut found = match outcome == Outcome::Background || captures.is_empty() {
        true => Vec::new(),
        false => post_states(&captures, home)?,
    };
    let mut first = 0;
    let mut each = whole().map(|open| {
        let range = first..first + open.captures.len();
        let own = found.extract_if(.., |post| range.contains(&post.capture));
        let own = own.map(|post| PostState { capture: post.capture - range.start, ..post }).collect();
        first = range.end;
        own
    });
    let of_line = if line.is_some() { each.next().unwrap_or_default() } else { Vec::new() };
    Ok((of_line, each.collect()))
}

/// A part was executed in the recorder's own place: nobody waited for it, the line's end is what is known of its end.
fn end_of_part(part: &OpenEvent, outcome: Outcome, post: Vec<PostState>) -> After {
    let outcome = if outcome == Outcome::Background { outcome } else { Outcome::Ended };
    let note = "a part of a line: its own exit code was not seen, its state is the one after the line";
    After { post, outcome, note: Some(note.to_owned()), ..unknown_end(part) }
}

/// Looks at every captured resource again. A resource that cannot be read has no post-state: undo then treats its
/// present as not known to be the command's.
pub fn post_states(captured: &[Capture], home: &Home) -> Result<Vec<PostState>> {
    let store = Store::open(home)?;
    let batch = store.batch();
    let mut post = Vec::new();
    for (capture, before) in captured.iter().enumerate() {
        let contents = worth_keeping(before);
        if let Ok(state) = captures::observe(before, &batch, home, contents) {
            post.push(PostState { capture, state });
        }
    }
    batch.commit()?;
    super::before::commit_caches(home);
    Ok(post)
}

/// The next command's pre-state is this command's post-state: storing a work tree's contents now makes that capture
/// cheap, and those of a single file let `fr diff` show what was written.
fn worth_keeping(capture: &Capture) -> bool {
    matches!(capture.locator.opts.get("scope").and_then(Bytes::as_str), Some("workspace" | "node"))
}

/// Records a session's moment. When a turn or the session ends, whatever never reported back is closed as not known; a
/// later report still counts (a sub-agent may go on).
pub fn session(signal: &SessionSignal, home: &Home) -> Result<()> {
    Store::open_or_create(home)?;
    let journal = Journal::open(home)?;
    if matches!(signal.moment, SessionMoment::Stop | SessionMoment::End) {
        let end = signal.moment == SessionMoment::End;
        for open in open_events::close_session(home, &signal.session, end) {
            journal.append(
                &Record::After(Box::new(unknown_end(&open))),
                Some(open.event),
                Durability::Buffered,
            )?;
        }
    }
    let mark = SessionMark {
        at_ns: clock::now_ns(),
        session: signal.session.clone(),
        moment: signal.moment,
        actor: signal.actor.clone(),
        cwd: signal.cwd.clone(),
    };
    journal.append(&Record::Session(mark), None, Durability::Buffered)?;
    Ok(())
}

fn unknown_end(open: &OpenEvent) -> After {
    After {
        at_ns: clock::now_ns(),
        session: open.report.session.clone(),
        call: Some(open.report.call.clone()),
        outcome: Outcome::Unknown,
        duration_ms: None,
        post: Vec::new(),
        note: Some("the turn or session ended and nobody said how the command ended".to_owned()),
        lacking: Vec::new(),
    }
}
