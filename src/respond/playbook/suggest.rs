//! Which playbook fits what happened.

use globset::GlobBuilder;

use super::format::{Playbook, Trigger};
use super::library::Found;
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::{ActorKind, Effect, EffectClass, EventKind, Incident, Outcome, PlaybookMark};
use crate::respond::incident::commands;

/// What a playbook is run for.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The event.
    pub event: Option<Event>,
}

/// How many events are looked through for the latest that is meant.
const MOST: usize = 10_000;

/// Events that are read at once. The one that is meant is nearly always among the first.
const PAGE: usize = 200;

/// The event that a playbook is run for: by its number, else the latest one that it fits, of a session or of all. One that it
/// does not fit is never taken where it takes an event back.
///
/// # Errors
/// Usage, where there is no such event or session.
pub fn subject(
    index: &Index,
    playbook: &Playbook,
    event: Option<&str>,
    session: Option<&str>,
) -> Result<Subject> {
    if let Some(id) = event {
        return Ok(Subject { event: Some(index.find(id)?) });
    }
    let mut found = latest(index, session, |event| is_for(playbook, event))?;
    if found.is_none() && takes_any(playbook) {
        found = latest(index, session, is_damage)?;
    }
    match (found, session) {
        (None, Some(session)) => {
            let name = &playbook.name;
            let what =
                format!("nothing that {name} is for is on record of session {}", session.escape_debug());
            Err(Error::new(ExitCode::Usage, what)
                .hint("`fr sessions` lists them; `--event ID` says which event"))
        }
        (event, _) => Ok(Subject { event }),
    }
}

/// What a run for an incident is about: the latest of its commands that the playbook fits.
///
/// # Errors
/// Where the record cannot be read.
pub fn subject_of(index: &Index, playbook: &Playbook, incident: &Incident) -> Result<Subject> {
    let mut events = commands(index, incident)?;
    events.reverse();
    let at = events.iter().position(|event| is_for(playbook, event));
    let at = at.or_else(|| events.iter().position(|event| takes_any(playbook) && is_damage(event)));
    Ok(Subject { event: at.map(|at| events.swap_remove(at)) })
}

/// The latest event that did damage: it destroyed something, or one of these playbooks is for it.
///
/// # Errors
/// Where the record cannot be read.
pub fn latest_damage(index: &Index, playbooks: &[(String, Result<Found>)]) -> Result<Subject> {
    // What only made or set something is looked at no further.
    let is_notable = |event: &Event| {
        let classes = [EffectClass::StateOnly, EffectClass::Access, EffectClass::Publish];
        event.before.effects.iter().any(|effect| classes.contains(&effect.class))
    };
    let fits_one = |event: &Event| {
        playbooks.iter().any(|(_, found)| found.as_ref().is_ok_and(|found| is_for(&found.playbook, event)))
    };
    let event = latest(index, None, |event| is_damage(event) || is_notable(event) && fits_one(event))?;
    Ok(Subject { event })
}

fn latest(index: &Index, session: Option<&str>, meant: impl Fn(&Event) -> bool) -> Result<Option<Event>> {
    let mut before = None;
    for _ in 0..MOST / PAGE {
        let session = session.map(str::to_owned);
        let filter = Filter { changes: true, session, before, limit: PAGE, ..Filter::default() };
        let page = index.timeline(&filter)?;
        let Some(oldest) = page.last() else { break };
        before = Some(oldest.id.0);
        if let Some(event) = page.into_iter().find(&meant) {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// It says not what it is for, or takes nothing back: any damage may be what it is run for.
fn takes_any(playbook: &Playbook) -> bool {
    playbook.trigger.is_empty() || !playbook.steps.iter().any(|step| step.undo.is_some())
}

fn is_for(playbook: &Playbook, event: &Event) -> bool {
    is_done(event) && suits(playbook, event)
}

fn is_damage(event: &Event) -> bool {
    is_done(event) && event.before.effects.iter().any(|effect| effect.class.is_destructive())
}

/// A command that may have run, and is none of a playbook: what a person let one run is no damage.
fn is_done(event: &Event) -> bool {
    let before = &event.before;
    let by_playbook =
        before.session.starts_with(PlaybookMark::SESSION) && before.actor.kind != ActorKind::Agent;
    before.kind == EventKind::Command
        && before.parent.is_none()
        && event.outcome() != Some(Outcome::Refused)
        && !by_playbook
}

/// True where one of the playbook's triggers fits the event.
pub fn suits(playbook: &Playbook, event: &Event) -> bool {
    playbook.trigger.iter().any(|trigger| fits(trigger, event))
}

fn fits(trigger: &Trigger, event: &Event) -> bool {
    if trigger.agent && event.before.actor.kind != ActorKind::Agent {
        return false;
    }
    let line = event.before.command.line.lossy();
    let runs = |text: &String| regex::Regex::new(text).is_ok_and(|regex| regex.is_match(&line));
    if !trigger.command.as_ref().is_none_or(runs) {
        return false;
    }
    let about_effects = !trigger.system.is_empty()
        || !trigger.effect.is_empty()
        || trigger.resource.is_some()
        || trigger.except.is_some();
    let mut effects = std::iter::once(event).chain(&event.parts).flat_map(|one| &one.before.effects);
    !about_effects || effects.any(|effect| is_of(trigger, effect))
}

fn is_of(trigger: &Trigger, effect: &Effect) -> bool {
    let system = trigger.system.is_empty() || trigger.system.iter().any(|name| *name == effect.system.0);
    let class = trigger.effect.is_empty() || trigger.effect.contains(&effect.class);
    let like = |glob: &String| {
        let glob = GlobBuilder::new(glob).literal_separator(false).build();
        glob.is_ok_and(|glob| glob.compile_matcher().is_match(&*effect.resource.lossy()))
    };
    system
        && class
        && trigger.resource.as_ref().is_none_or(like)
        && !trigger.except.as_ref().is_some_and(like)
}
