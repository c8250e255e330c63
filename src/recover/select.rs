//! Which events are meant: by number, range, session, time or count, or the latest one where nothing is said.

use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Filter, Index};
use crate::model::{ANYBODY, ActorKind, Capture, EventId, EventKind, Outcome, PlaybookMark};
use crate::systems::{self, System};

/// How far back the latest event that changed something is looked for.
const LOOK_BACK: usize = 10_000;

/// Events that are read at once while the latest ones are looked for.
const PAGE: usize = 200;

/// What a person has said about which events are to be taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Numbers, unique prefixes of global ids, ranges `3..7`.
    pub ids: Vec<String>,
    /// Those of this session (a prefix of its id); empty: the latest of an agent that can be taken back.
    pub session: Option<String>,
    /// Those since this wall time, nanoseconds since 1970.
    pub since_ns: Option<i64>,
    /// The latest so many.
    pub last: Option<usize>,
    /// Only this actor's: a name or a kind; `any` for everybody's.
    pub actor: Option<String>,
    /// Not these: as `ids`.
    pub exclude: Vec<String>,
}

impl Selection {
    /// Nothing was said.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && !self.is_open()
    }

    /// Events are asked for by what they are, not by name: those that cannot be taken back are passed over.
    fn is_open(&self) -> bool {
        self.session.is_some() || self.since_ns.is_some() || self.last.is_some()
    }
}

/// The events that are meant, newest first.
pub fn selected(index: &Index, selection: &Selection) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for text in &selection.ids {
        match range(text) {
            Some((first, last)) if first > last => {
                return Err(Error::new(ExitCode::Usage, format!("{first}..{last} is empty"))
                    .hint(format!("the older event comes first: {last}..{first}")));
            }
            Some((first, last)) => events.extend(in_range(index, first, last, can_be_taken_back)?),
            None => events.push(index.find(text)?),
        }
    }
    if selection.is_open() {
        events.extend(asked_for(index, selection, can_be_taken_back)?);
    }
    if let Some(actor) = named_actor(selection).filter(|_| !selection.ids.is_empty()) {
        events.retain(|event| event.before.actor.is_called(actor));
    }
    let mut excluded = Vec::new();
    for text in &selection.exclude {
        match range(text) {
            Some((first, last)) => excluded.push(first..=last),
            None => excluded.push(index.find(text).map(|event| event.id.0..=event.id.0)?),
        }
    }
    events.retain(|event| !excluded.iter().any(|range| range.contains(&event.id.0)));
    events.sort_by_key(|event| std::cmp::Reverse(event.id));
    events.dedup_by_key(|event| event.id);
    // A part is taken back with its line.
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    events.retain(|event| event.before.parent.is_none_or(|line| !ids.contains(&line)));
    if events.is_empty() {
        return Err(nothing(selection));
    }
    Ok(events)
}

/// The events among those that were asked for by what they are which destroyed something and of which nothing was captured:
/// an undo passes them over, and must say so. `chosen` is what it takes back.
pub fn passed_over(index: &Index, selection: &Selection, chosen: &[Event]) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for (first, last) in selection.ids.iter().filter_map(|text| range(text)) {
        events.extend(in_range(index, first, last, is_lost)?);
    }
    if selection.is_open() {
        // Of the latest so many only what lies between them counts.
        let oldest = chosen.iter().map(|event| event.id).min().filter(|_| selection.last.is_some());
        let all = Selection { last: None, ..selection.clone() };
        let asked = asked_for(index, &all, is_lost)?;
        events.extend(asked.into_iter().filter(|event| oldest.is_none_or(|oldest| event.id > oldest)));
    }
    events.sort_by_key(|event| std::cmp::Reverse(event.id));
    events.dedup_by_key(|event| event.id);
    for text in &selection.exclude {
        match range(text) {
            Some((first, last)) => events.retain(|event| !(first..=last).contains(&event.id.0)),
            None => {
                let excluded = index.find(text)?.id;
                events.retain(|event| event.id != excluded);
            }
        }
    }
    Ok(events)
}

/// A command that ran, destroyed something, and has no capture.
fn is_lost(event: &Event) -> bool {
    event.before.kind == EventKind::Command
        && event.undone_by.is_none()
        && event.before.parent.is_none()
        && event.before.effects.iter().any(|effect| effect.class.is_destructive())
        && std::iter::once(event).chain(&event.parts).all(|e| e.before.captures.is_empty())
        && event.after.as_ref().is_none_or(|after| after.outcome != Outcome::Refused)
}

fn nothing(selection: &Selection) -> Error {
    let error = Error::new(
        ExitCode::NothingToUndo,
        "nothing to undo: no event that is meant changed anything that is not undone already",
    );
    let by_agents = selection.actor.is_none() && selection.session.is_none() && selection.ids.is_empty();
    let error = match by_agents {
        true => error.hint("only agents' commands are meant; `--actor any` takes everybody's back"),
        false => error,
    };
    error.hint("`fr timeline --changes` lists what was recorded")
}

fn range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.trim().split_once("..")?;
    let last = last.strip_prefix('=').unwrap_or(last);
    Some((first.parse().ok()?, last.parse().ok()?))
}

fn in_range(index: &Index, first: u64, last: u64, meant: fn(&Event) -> bool) -> Result<Vec<Event>> {
    let filter = Filter {
        changes: true,
        after: Some(first.saturating_sub(1)),
        before: Some(last.saturating_add(1)),
        limit: usize::MAX,
        ..Filter::default()
    };
    Ok(index.timeline(&filter)?.into_iter().filter(meant).collect())
}

/// By default only what agents did is taken back: whatever others did on the same targets is in conflict with it.
fn named_actor(selection: &Selection) -> Option<&str> {
    match (&selection.actor, &selection.session, selection.ids.is_empty()) {
        (Some(actor), ..) => Some(actor.as_str()).filter(|actor| *actor != ANYBODY),
        (None, None, true) => Some("agent"),
        (None, ..) => None,
    }
}

fn asked_for(index: &Index, selection: &Selection, is_meant: fn(&Event) -> bool) -> Result<Vec<Event>> {
    let session = match selection.session.as_deref() {
        None => None,
        Some("") => Some(latest_session(index, selection)?),
        Some(name) => Some(one_session(index, name)?),
    };
    let filter = Filter {
        changes: true,
        since_ns: selection.since_ns,
        session: session.clone(),
        actor: named_actor(selection).map(str::to_owned),
        ..Filter::default()
    };
    // The filter takes prefixes of sessions.
    let meant =
        |event: &Event| is_meant(event) && session.as_ref().is_none_or(|name| event.before.session == *name);
    let mut events = Vec::new();
    let mut before = None;
    loop {
        let page = index.timeline(&Filter { before, limit: PAGE, ..filter.clone() })?;
        let Some(oldest) = page.last() else { return Ok(events) };
        before = Some(oldest.id.0);
        events.extend(page.into_iter().filter(&meant));
        if let Some(last) = selection.last.filter(|last| events.len() >= *last) {
            events.truncate(last);
            return Ok(events);
        }
    }
}

/// The session that changed something last: an agent's, unless somebody else is named. What a person did since then at a
/// prompt is not what is to be taken back.
fn latest_session(index: &Index, selection: &Selection) -> Result<String> {
    let actor = selection.actor.as_deref().unwrap_or("agent");
    let is_whose = |event: &Event| event.before.actor.is_called(actor);
    found(index, |event| can_be_taken_back(event) && is_whose(event))?
        .map(|event| event.before.session)
        .ok_or_else(|| nothing(&Selection { session: None, ..selection.clone() }))
}

/// The session that a prefix means.
fn one_session(index: &Index, name: &str) -> Result<String> {
    let found = index.sessions_named(name)?;
    if found.iter().any(|session| session == name) {
        return Ok(name.to_owned());
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Error::new(ExitCode::Usage, format!("there is no session {}", name.escape_debug()))
            .hint("`fr sessions` lists them")),
        several => Err(Error::new(
            ExitCode::Usage,
            format!("{} sessions begin with {}", several.len(), name.escape_debug()),
        )
        .hint(format!(
            "give more of its id: {}",
            several.iter().take(5).cloned().collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// The latest command that changed something and is not undone. One that is undone in part is done with, unless it is
/// named; so is what a playbook ran: who has just worked through one means what it was about, and not its repair.
pub fn latest_undoable(index: &Index) -> Result<Event> {
    let stands = |event: &Event| can_be_taken_back(event) && event.undone_by.is_none();
    if let Some(event) = found(index, |event| stands(event) && !is_of_a_playbook(event))? {
        return Ok(event);
    }
    let error = Error::new(
        ExitCode::NothingToUndo,
        "nothing to undo: no recorded command changed anything that is not undone already",
    );
    let error = match found(index, stands)? {
        Some(of_playbook) => {
            error.hint(format!("`fr undo {}` takes back what a playbook ran last", of_playbook.id))
        }
        None => error,
    };
    Err(error.hint("`fr timeline --changes` lists what was recorded"))
}

/// What brought an event about again after it was taken back: the redo, where the command acted on resources with identities
/// of their own. What is there now was made by the redo, and goes by taking that back. The event itself in all other cases.
pub fn standing(index: &Index, event: Event) -> Result<Event> {
    let has_identities =
        |capture: &Capture| systems::by_id(&capture.system.0).is_some_and(System::has_identities);
    let own = std::iter::once(&event).chain(&event.parts);
    if event.undone_by.is_some() || !own.flat_map(|e| &e.before.captures).any(has_identities) {
        return Ok(event);
    }
    let is_it = |id: &EventId| *id == event.id || event.parts.iter().any(|part| part.id == *id);
    let ends = |e: &Event| match &e.before.kind {
        EventKind::Undo(reversal) => !reversal.of.is_empty() && reversal.of.iter().all(is_it),
        _ => e.id == event.id,
    };
    let redo = match found(index, ends)?.and_then(|undo| undo.undone_by) {
        Some(by) => index.event(by)?,
        None => None,
    };
    let is_whole = |redo: &Event| {
        let ended = redo.after.as_ref().is_some_and(|after| after.outcome == Outcome::Exited { code: 0 });
        matches!(redo.before.kind, EventKind::Redo(_)) && redo.undone_by.is_none() && ended
    };
    Ok(redo.filter(is_whole).unwrap_or(event))
}

/// A step of a playbook ran it, for a person. An agent could name its session like this: what agents did is always meant.
fn is_of_a_playbook(event: &Event) -> bool {
    event.before.session.starts_with(PlaybookMark::SESSION) && event.before.actor.kind != ActorKind::Agent
}

/// The latest event that is meant. It is nearly always among the first ones that are read.
fn found(index: &Index, is_meant: impl Fn(&Event) -> bool) -> Result<Option<Event>> {
    let mut before = None;
    for _ in 0..LOOK_BACK / PAGE {
        let filter = Filter { changes: true, limit: PAGE, before, ..Filter::default() };
        let page = index.timeline(&filter)?;
        let Some(oldest) = page.last() else { break };
        before = Some(oldest.id.0);
        if let Some(event) = page.into_iter().find(&is_meant) {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// A command that ran, has captures and stands.
pub fn can_be_taken_back(event: &Event) -> bool {
    event.before.kind == EventKind::Command
        && (event.undone_by.is_none() || event.undone_in_part)
        // A part is taken back with its line.
        && event.before.parent.is_none()
        && std::iter::once(event).chain(&event.parts).any(|e| !e.before.captures.is_empty())
        && event.after.as_ref().is_none_or(|after| after.outcome != Outcome::Refused)
}

/// The latest undo that is not itself taken back.
pub fn latest_undone(index: &Index) -> Result<Event> {
    let stands = |e: &Event| {
        matches!(e.before.kind, EventKind::Undo(_)) && e.undone_by.is_none() && !e.before.captures.is_empty()
    };
    found(index, stands)?
        .ok_or_else(|| Error::new(ExitCode::NothingToUndo, "nothing to redo: no undo is there to take back"))
}

/// The undo that began and never ended, if there is one.
pub fn unfinished(index: &Index) -> Result<Option<Event>> {
    index.unfinished()
}
