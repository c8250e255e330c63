//! The beginning of an undo: the present of all that it writes is captured, and the undo stands in the journal, before anything is
//! written.

use super::decided::Decided;
use super::planning::{UndoPlan, captured_of};
use super::rounds::repositories_made;
use crate::error::{Error, Result};
use crate::journal::index::Event;
use crate::journal::{Durability, Journal};
use crate::model::{
    Actor, Before, Capture, Effect, EffectClass, EventId, EventKind, ObjectSink as _, Policy, Record,
    Reversal, Step,
};
use crate::platform::home::Home;
use crate::record;
use crate::record::own::Own;
use crate::store::Store;

/// Captures the present of everything that the plan writes, and records the undo as an event.
pub fn begin(
    plan: &UndoPlan,
    events: &[Event],
    actor: Actor,
    store: &Store,
    journal: &Journal,
    home: &Home,
) -> Result<EventId> {
    let mut effects = written(plan, events);
    effects.extend(plan.restoring().filter(|(_, s)| s.policy.is_some()).map(|(_, s)| rewrite_by(s)));
    effects.extend(repositories_made(&effects));
    let batch = store.batch();
    for (kind, object) in &plan.made {
        batch.put(*kind, object)?;
    }
    let taken = record::capture_all(&effects, &batch, home);
    // A target that could not be read at all is as bad as one that failed; a socket in a tree is not.
    let unread = |c: &Capture| c.missing.iter().find(|m| m.what == c.locator.at).cloned();
    let unread = taken.captures.iter().find_map(unread).map(|m| format!("{}: {}", m.what.lossy(), m.why));
    if let Some(warning) = taken.warnings.first().or(unread.as_ref()) {
        return Err(Error::failure(format!(
            "the present could not be captured, so nothing was written: {warning}"
        ))
        .hint("an undo that cannot itself be undone is not started"));
    }
    if let Some(step) = plan.forced().find(|step| !is_captured(step, &taken.captures)) {
        let what = step.resource.lossy();
        return Err(Error::failure(format!(
            "{what} could not be captured completely, so nothing was written"
        ))
        .hint("`--on-conflict force` overwrites only what can be brought back"));
    }
    let decided = Decided::of(plan).put(&batch)?;
    batch.commit()?;
    let parts = events.iter().flat_map(standing_parts);
    let of = plan.events.iter().copied().chain(parts).collect();
    let policy = Some(plan.policy).filter(|policy| *policy != Policy::Abort);
    let reversal = Reversal { of, policy, net: plan.net.clone(), only: plan.only.clone(), decided };
    let kind = if plan.redo { EventKind::Redo(reversal) } else { EventKind::Undo(reversal) };
    let cwd = events.first().map(|event| event.before.cwd.clone()).unwrap_or_default();
    let own = Own::now(kind, line_of(plan), actor).before();
    let before = Before { cwd, effects, captures: taken.captures, ..own };
    Ok(journal.append(&Record::Before(Box::new(before)), None, Durability::Durable)?.event)
}

/// The places that the steps write, each as something that is about to be overwritten.
fn written(plan: &UndoPlan, events: &[Event]) -> Vec<Effect> {
    if !plan.net.is_empty() {
        return plan.net.iter().map(|captured| rewrite_of(&captured.before)).collect();
    }
    let [event] = events else { return Vec::new() };
    let captures = captured_of(event).into_iter().enumerate();
    let written = captures.filter(|(position, _)| !plan.unchanged.contains(position));
    written.map(|(_, captured)| rewrite_of(&captured.before)).collect()
}

/// The command as it would be typed, for the record.
fn line_of(plan: &UndoPlan) -> String {
    const NAMED: usize = 8;
    let mut line = "fr undo".to_owned();
    for event in plan.events.iter().take(NAMED) {
        line.push_str(&format!(" {event}"));
    }
    if plan.events.len() > NAMED {
        line.push_str(&format!(" … ({} events)", plan.events.len()));
    }
    if plan.policy != Policy::Abort {
        line.push_str(&format!(" --on-conflict {}", plan.policy.word()));
    }
    line
}

/// The parts of an event that are taken back with it.
fn standing_parts(event: &Event) -> impl Iterator<Item = EventId> {
    event.parts.iter().filter(|part| part.undone_by.is_none()).map(|part| part.id)
}

/// What a policy writes, perhaps beside the event's own targets.
fn rewrite_by(step: &Step) -> Effect {
    Effect {
        system: step.system.clone(),
        class: EffectClass::Overwrite,
        resource: step.resource.clone(),
        reversibility: crate::model::Reversibility::Exact,
        certain: true,
        locator: Some(step.locator.clone()),
    }
}

fn is_captured(step: &Step, captures: &[Capture]) -> bool {
    let of_it = |c: &&Capture| c.system == step.system && c.locator.at == step.locator.at;
    captures.iter().any(|c| of_it(&c)) && captures.iter().filter(of_it).all(Capture::is_complete)
}

fn rewrite_of(capture: &Capture) -> Effect {
    Effect {
        system: capture.system.clone(),
        class: EffectClass::Overwrite,
        resource: capture.resource.clone(),
        reversibility: crate::model::Reversibility::Exact,
        certain: true,
        locator: Some(capture.locator.clone()),
    }
}
