//! The blast radius: what a session, or all since a moment, has changed or destroyed, by system and place, which of it is
//! production, and what of it can come back. From the record alone: it looks at nothing outside, so it answers at once and also
//! where a server does not. What an undo said of each thing is a part of that record ([`undone`]).

mod lacks;
mod next;
mod outlook;
mod remotes;
mod undone;
mod unkept;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::{
    Bytes, Capture, Context, Effect, EffectClass, EventId, EventKind, Outcome, Reversibility, SystemId,
};
use crate::record::production::{Match, Production};
use crate::systems::{self, git};

use next::next;
pub use outlook::Outlook;
use outlook::promised;
use remotes::once;
use undone::Record;
pub use undone::{Recovered, Undone, capture_of, promised as promised_of};
pub use unkept::failed;
use unkept::why_not_kept;

/// Which events are meant. Nothing said means the agent's session that changed something last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Of {
    /// This session, by a prefix of its id; empty: the agent's that changed something last.
    pub session: Option<String>,
    /// Since this wall time, nanoseconds since 1970.
    pub since_ns: Option<i64>,
    /// Until this wall time, nanoseconds since 1970.
    pub until_ns: Option<i64>,
    /// Only this actor's: a name or a kind; `any` for everybody's. Without a session it is agents'.
    pub actor: Option<String>,
}

/// One thing that was touched.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// The events that touched it, the oldest first.
    pub events: Vec<EventId>,
    /// Its system.
    pub system: SystemId,
    /// The worst that was done to it.
    pub class: EffectClass,
    /// What it is.
    pub resource: Bytes,
    /// How many files, objects, rows or refs of it were captured.
    pub items: u64,
    /// Where it is, by the names people know.
    pub contexts: Vec<Context>,
    /// Why it counts as production.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub production: Option<Match>,
    /// What can be had back, or is back.
    pub comes_back: Outlook,
    /// What an undo made of it, where one was about all that was done to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone: Option<Undone>,
    /// Nothing of it was captured, and each command that was about it failed: it may be as it was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// What of it is not in the store, and why, in words for people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// All that was touched.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Radius {
    /// Whose doing, where it is one session's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Who.
    pub actors: Vec<String>,
    /// When the first of the commands began, nanoseconds since 1970.
    pub first_ns: i64,
    /// When the last of them began.
    pub last_ns: i64,
    /// How many commands changed something.
    pub commands: u64,
    /// How many more were not let run.
    pub refused: u64,
    /// How many of the commands nobody reported back: they may not have run.
    pub unreported: u64,
    /// What they touched: production first, then the worst.
    pub items: Vec<Item>,
    /// How many things by what can be had back of them.
    pub totals: BTreeMap<Outlook, u64>,
    /// What undos named that is not back and concerns none of these things in particular.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// How many moments the record has no word of, in that time.
    pub gaps: u64,
    /// What to do next: commands, each with its reason.
    pub next: Vec<Next>,
}

/// A command to run next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// The command.
    pub command: String,
    /// What for.
    pub why: String,
}

/// How many gaps are looked through.
const GAPS: usize = 1000;

/// Works it out.
///
/// # Errors
/// Nothing to undo, where no such event changed anything; usage, where there is no such session.
pub fn radius(index: &Index, of: &Of, production: &Production) -> Result<Radius> {
    let session = session(index, of)?;
    let actor = match (&of.actor, &session) {
        (Some(actor), _) => Some(actor.clone()),
        (None, None) => Some("agent".to_owned()),
        (None, Some(_)) => None,
    };
    let filter = Filter {
        changes: true,
        session: session.clone(),
        since_ns: of.since_ns,
        until_ns: of.until_ns,
        actor,
        limit: usize::MAX,
        ..Filter::default()
    };
    let mut events = index.timeline(&filter)?;
    events.reverse();
    radius_of(index, events, session, of.until_ns, production)
}

/// The same of these events, the oldest first.
///
/// # Errors
/// Nothing to undo, where none of them changed anything.
pub fn radius_of(
    index: &Index,
    mut events: Vec<Event>,
    session: Option<String>,
    until_ns: Option<i64>,
    production: &Production,
) -> Result<Radius> {
    events.retain(|event| {
        event.before.kind == EventKind::Command && event.before.parent.is_none() && changes(event)
    });
    let (refused, ran): (Vec<Event>, Vec<Event>) = events.into_iter().partition(was_refused);
    let (Some(first), Some(last)) = (ran.first(), ran.last()) else {
        return Err(Error::new(ExitCode::NothingToUndo, "no command of these changed anything")
            .hint("`fr timeline` lists what was recorded; `--actor any` counts people's commands too"));
    };
    let (first_ns, last_ns) = (first.before.at_ns, last.before.at_ns);
    let mut actors: Vec<String> = ran.iter().map(|event| event.before.actor.name.clone()).collect();
    actors.sort();
    actors.dedup();
    let record = Record::read(index, &ran)?;
    let mut items = items(&ran, &record, production);
    let left = record.judge(&mut items);
    items.sort_by_key(|item| {
        (item.production.is_none(), std::cmp::Reverse(item.comes_back), item.events.first().copied())
    });
    let mut totals = BTreeMap::new();
    items.iter().for_each(|item| *totals.entry(item.comes_back).or_default() += 1);
    let until = until_ns.unwrap_or(i64::MAX);
    let gaps = index
        .gaps_since(Some(first_ns), GAPS)?
        .iter()
        .filter(|gap| (first_ns..=until).contains(&gap.at_ns))
        .count() as u64;
    let interrupted = index.unfinished()?.filter(|undo| is_about(undo, &ran));
    let next = next(&ran, &items, session.as_deref(), interrupted.as_ref());
    let unreported = ran.iter().filter(|event| event.after.is_none()).count() as u64;
    let (commands, refused) = (ran.len() as u64, refused.len() as u64);
    Ok(Radius {
        session,
        actors,
        first_ns,
        last_ns,
        commands,
        refused,
        unreported,
        items,
        totals,
        left,
        gaps,
        next,
    })
}

/// The undo takes one of these events back.
fn is_about(undo: &Event, events: &[Event]) -> bool {
    let of = undo.before.kind.reversal().map(|reversal| reversal.of.as_slice()).unwrap_or_default();
    events.iter().any(|event| of.contains(&event.id))
}

/// It, or a part of it, did something.
fn changes(event: &Event) -> bool {
    let lines = || std::iter::once(event).chain(&event.parts);
    lines().any(|one| {
        one.before.effects.iter().any(|effect| effect.class.changes_state())
            || !one.before.captures.is_empty()
    })
}

fn session(index: &Index, of: &Of) -> Result<Option<String>> {
    match of.session.as_deref() {
        None if of.since_ns.is_some() => Ok(None),
        None | Some("") => {
            let all = index.sessions()?;
            let is_agents =
                |s: &&crate::journal::index::SessionSummary| s.actor_kind == "agent" && s.changes > 0;
            let found = all.iter().find(is_agents).map(|session| session.session.clone());
            found.map(Some).ok_or_else(|| {
                Error::new(ExitCode::NothingToUndo, "no agent has changed anything yet")
                    .hint("`--since 2h --actor any` counts everybody's commands")
            })
        }
        Some(name) => named(index, name).map(Some),
    }
}

/// The one session whose id begins like this.
///
/// # Errors
/// Usage, where there is none or more than one.
pub(super) fn named(index: &Index, name: &str) -> Result<String> {
    let found = index.sessions_named(name)?;
    match found.as_slice() {
        [one] => Ok(one.clone()),
        several if several.iter().any(|one| one == name) => Ok(name.to_owned()),
        [] => Err(Error::new(ExitCode::Usage, format!("there is no session {}", name.escape_debug()))
            .hint("`fr sessions` lists them")),
        several => Err(Error::new(
            ExitCode::Usage,
            format!("{} sessions begin with {}", several.len(), name.escape_debug()),
        )
        .hint("give more of its id; `fr sessions` lists them")),
    }
}

fn was_refused(event: &Event) -> bool {
    event.after.as_ref().is_some_and(|after| after.outcome == Outcome::Refused)
}

/// What the events touched, one entry for each thing.
fn items(events: &[Event], record: &Record<'_>, production: &Production) -> Vec<Item> {
    let mut found: Vec<Item> = Vec::new();
    let mut at: HashMap<(SystemId, Bytes), usize> = HashMap::new();
    for event in events {
        let with_parts = std::iter::once(event).chain(&event.parts).filter(|event| !was_refused(event));
        for item in with_parts.flat_map(|one| of_event(one, event, production)) {
            let key = (item.system.clone(), item.resource.clone());
            let Some(place) = at.get(&key).copied() else {
                at.insert(key, found.len());
                found.push(item);
                continue;
            };
            let was_back = found.get(place).is_some_and(|known| record.was_back(known, event.id, &found));
            let Some(known) = found.get_mut(place) else { continue };
            merge(known, item, was_back);
        }
    }
    once(found)
}

/// What is taken back is the state before the first of the commands, unless that was back before this one ran.
fn merge(known: &mut Item, item: Item, was_back: bool) {
    let mut events = std::mem::take(&mut known.events);
    events.extend(&item.events);
    events.dedup();
    if was_back {
        *known = Item { events, ..item };
        return;
    }
    known.events = events;
    known.failed &= item.failed;
    known.class = known.class.max(item.class);
    known.production = known.production.take().or(item.production);
}

fn of_event(one: &Event, line: &Event, production: &Production) -> Vec<Item> {
    let captures = &one.before.captures;
    let effects = &git::name_as_captured(&one.before.effects, captures);
    let mut found: Vec<Item> = Vec::new();
    let is_claimed = |effect: &Effect| captures.iter().any(|capture| claims(effect, capture));
    let is_free = |capture: &Capture| !effects.iter().any(|effect| claims(effect, capture));
    for capture in captures {
        // Of a push: the remote's capture is of its refs, the local one of what goes with it.
        let named = effects.iter().filter(|effect| is_within(effect, capture));
        found.extend(named.map(|effect| Item {
            resource: effect.resource.clone(),
            ..of_capture(capture, &[effect], line, production)
        }));
        // What names no capture belongs to those that nothing names, or to all where there is none of them.
        let takes_rest = is_free(capture)
            || !captures.iter().any(|other| other.system == capture.system && is_free(other));
        let is_own = |effect: &&Effect| match is_claimed(effect) {
            true => claims(effect, capture) && !is_within(effect, capture),
            false => takes_rest && is_of(effect, capture),
        };
        let own: Vec<&Effect> = effects.iter().filter(is_own).collect();
        let item = of_capture(capture, &own, line, production);
        let was_nothing = item.class == EffectClass::Destroy && capture.items == 0 && capture.is_complete();
        if !own.is_empty() && !was_nothing {
            found.push(item);
        }
    }
    // What a line only announces, its parts may have captured.
    let all = std::iter::once(line).chain(&line.parts);
    let held: Vec<&SystemId> =
        all.flat_map(|event| event.before.captures.iter().map(|c| &c.system)).collect();
    let lost = effects.iter().filter(|e| !held.contains(&&e.system) && e.class > EffectClass::Create);
    found.extend(lost.map(|effect| Item {
        events: vec![line.id],
        system: effect.system.clone(),
        class: effect.class,
        resource: effect.resource.clone(),
        items: 0,
        contexts: each_once(
            systems::contexts(&effect.system, &effect.resource, effect.locator.as_ref()).into_iter(),
        ),
        production: production.of_effect(effect, captures),
        comes_back: promised(effect.reversibility, None).max(match effect.class {
            EffectClass::Opaque => Outlook::Unknown,
            _ => Outlook::NotAtAll,
        }),
        undone: None,
        failed: failed(line).is_some(),
        missing: vec![why_not_kept(one, line, effect)],
    }));
    found
}

fn of_capture(capture: &Capture, own: &[&Effect], line: &Event, production: &Production) -> Item {
    let class = own.iter().map(|effect| effect.reversibility).max().unwrap_or(Reversibility::Exact);
    let marked = production.find(&capture.system, &capture.resource, Some(&capture.locator));
    let by_words = || own.iter().find_map(|effect| production.of_effect(effect, &[]));
    let of_effects = own.iter().flat_map(|e| systems::contexts(&e.system, &e.resource, e.locator.as_ref()));
    let of_capture = systems::contexts(&capture.system, &capture.resource, Some(&capture.locator));
    Item {
        events: vec![line.id],
        system: capture.system.clone(),
        class: own.iter().map(|effect| effect.class).max().unwrap_or(EffectClass::Opaque),
        resource: capture.resource.clone(),
        items: capture.items,
        contexts: each_once(of_capture.into_iter().chain(of_effects)),
        production: marked.or_else(by_words),
        comes_back: promised(class, Some(capture)),
        undone: None,
        failed: false,
        missing: capture.missing.iter().map(|m| format!("{}: {}", m.what.lossy(), m.why)).collect(),
    }
}

fn each_once(contexts: impl Iterator<Item = Context>) -> Vec<Context> {
    let mut once: Vec<Context> = Vec::new();
    contexts.for_each(|context| {
        if !once.contains(&context) {
            once.push(context);
        }
    });
    once
}

/// The effect's words name the capture, something in it, or the remote that it is of.
fn claims(effect: &Effect, capture: &Capture) -> bool {
    is_of(effect, capture)
        && (effect.resource == capture.resource || is_within(effect, capture) || speaks_of(effect, capture))
}

/// `dyn:current branch on origin` of `git:origin/refs/heads/main`: which ref that is nobody knew before it was captured.
fn speaks_of(effect: &Effect, capture: &Capture) -> bool {
    let (words, place) = (effect.resource.lossy(), capture.resource.lossy());
    let Some(words) = words.strip_prefix("dyn:").filter(|_| effect.system.0 == "git") else { return false };
    let remote =
        place.strip_prefix("git:").map(|place| place.split_once("/refs/").map_or(place, |(name, _)| name));
    remote.is_some_and(|remote| !remote.is_empty() && words.split([' ', ',']).any(|word| word == remote))
}

/// The effect names something of what was captured: `git:origin/refs/heads/main` of `git:origin`.
fn is_within(effect: &Effect, capture: &Capture) -> bool {
    let rest = effect.resource.as_slice().strip_prefix(capture.resource.as_slice());
    is_of(effect, capture) && rest.is_some_and(|rest| rest.starts_with(b"/"))
}

fn is_of(effect: &Effect, capture: &Capture) -> bool {
    effect.system == capture.system && effect.class > EffectClass::None
}
