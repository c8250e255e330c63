//! Which playbook fits what happened.

use globset::GlobBuilder;

use super::format::{Playbook, Trigger};
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::{Effect, EventKind};

/// What a playbook is run for.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The event.
    pub event: Option<Event>,
}

/// How many events are looked through for the latest destructive one.
const MOST: usize = 10_000;

/// The event that is meant: by its number, the latest destructive one of a session, or the latest of all.
///
/// # Errors
/// Usage, where there is no such event or session.
pub fn subject(index: &Index, event: Option<&str>, session: Option<&str>) -> Result<Subject> {
    if let Some(id) = event {
        return Ok(Subject { event: Some(index.find(id)?) });
    }
    let filter =
        Filter { changes: true, session: session.map(str::to_owned), limit: MOST, ..Filter::default() };
    let is_it = |event: &Event| {
        event.before.kind == EventKind::Command
            && event.before.parent.is_none()
            && event.before.effects.iter().any(|effect| effect.class.is_destructive())
            // What a playbook ran is no damage.
            && !event.before.session.starts_with("playbook-")
    };
    let found = index.timeline(&filter)?.into_iter().find(is_it);
    match (found, session) {
        (None, Some(session)) => {
            let what = format!("nothing destructive is on record of session {}", session.escape_debug());
            Err(Error::new(ExitCode::Usage, what).hint("`fr sessions` lists them"))
        }
        (event, _) => Ok(Subject { event }),
    }
}

/// True where one of the playbook's triggers fits the event.
pub fn suits(playbook: &Playbook, event: &Event) -> bool {
    playbook.trigger.iter().any(|trigger| fits(trigger, event))
}

fn fits(trigger: &Trigger, event: &Event) -> bool {
    if trigger.agent && event.before.actor.kind != crate::model::ActorKind::Agent {
        return false;
    }
    let line = event.before.command.line.lossy();
    let runs = |text: &String| regex::Regex::new(text).is_ok_and(|regex| regex.is_match(&line));
    if !trigger.command.as_ref().is_none_or(runs) {
        return false;
    }
    let about_effects =
        !trigger.system.is_empty() || !trigger.effect.is_empty() || trigger.resource.is_some();
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
    system && class && trigger.resource.as_ref().is_none_or(like)
}
