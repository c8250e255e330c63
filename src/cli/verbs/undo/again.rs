//! `fr undo --resume` and `--abort`: after a crash, on to the end or back to the beginning.

use super::{Desk, Wishes, actor, agreed, conflict, previewed, report};
use crate::cli::Out;
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::Event;
use crate::recover;

/// Goes on with the interrupted undo.
pub fn resume(desk: &Desk<'_>, wishes: Wishes, out: &mut Out) -> Result<u8> {
    let (undo, of) = interrupted(desk)?;
    let applied = recover::resume(&undo, &of, wishes.infra, desk.home, &|_| {})?;
    report(&applied, out)
}

/// Takes back what the interrupted undo has written.
pub fn abort(desk: &Desk<'_>, wishes: Wishes, out: &mut Out) -> Result<u8> {
    let (undo, of) = interrupted(desk)?;
    let mut plan = recover::plan_back(&undo, &of, desk.store, desk.home)?;
    plan.choose(wishes.policy);
    if plan.is_done() {
        recover::end(&undo, desk.home)?;
        out.talk(format!("undo event {} had not written anything yet; it is given up", undo.id));
        return Ok(0);
    }
    if let Some(code) = previewed(&plan, wishes, out)? {
        return Ok(code);
    }
    if plan.conflicts().next().is_some() && !plan.leaves_conflicts_alone() {
        return Err(conflict(&plan));
    }
    if !wishes.yes {
        agreed(&mut plan, out)?;
    }
    recover::end(&undo, desk.home)?;
    let applied = recover::apply(&plan, std::slice::from_ref(&undo), actor(), desk.home, &|_| {})?;
    report(&applied, out)
}

/// The undo that never ended, and the events that it takes back, newest first.
fn interrupted(desk: &Desk<'_>) -> Result<(Event, Vec<Event>)> {
    let Some(undo) = recover::unfinished(desk.index)? else {
        return Err(Error::new(ExitCode::NothingToUndo, "no interrupted undo is there to go on with"));
    };
    let of = undo.before.kind.reversal().map(|reversal| reversal.of.as_slice()).unwrap_or_default();
    let events = of.iter().map(|id| desk.index.find(&id.to_string())).collect::<Result<Vec<Event>>>()?;
    // Parts are taken back by the plan of their line.
    let is_part = |event: &Event| event.before.parent.is_some_and(|parent| of.contains(&parent));
    let mut events: Vec<Event> = events.into_iter().filter(|event| !is_part(event)).collect();
    events.sort_by_key(|event| std::cmp::Reverse(event.id));
    Ok((undo, events))
}
