//! Which objects are needed: those of kept events, and what they refer to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use super::{GcOptions, References, ns};
use crate::error::Result;
use crate::journal::verify::objects_of;
use crate::journal::{Journal, Position};
use crate::model::{
    ActorKind, Before, Bytes, Covered, EventId, EventKind, Incident, ObjectId, ObjectKind, Record, Reversal,
};
use crate::platform::clock;
use crate::store::catalog::IdHasher;
use crate::store::{Store, pin};

/// A set of objects.
pub(crate) type Ids = HashSet<ObjectId, BuildHasherDefault<IdHasher>>;

/// What must stay.
#[derive(Default)]
pub(crate) struct Marked {
    /// Needed objects.
    pub objects: Ids,
    /// Events whose captures stay.
    pub kept: u64,
    /// Events whose captures may go.
    pub expired: u64,
    /// Events younger than this stay, nanoseconds since 1970.
    pub keep_since_ns: i64,
    /// Needed objects that could not be read.
    pub unreadable: Vec<ObjectId>,
    /// The options of the locators of the captures that stay.
    pub places: Places,
}

/// Options of locators: what systems keep beside the packs is named in them.
pub type Places = BTreeSet<BTreeMap<String, Bytes>>;

/// What one event needs.
#[derive(Default)]
struct Needs {
    time_ns: i64,
    roots: Vec<ObjectId>,
    /// Positions in [`Journaled::places`].
    places: Vec<usize>,
    /// What tells whether an incident is about it.
    who: Option<Who>,
}

/// Of an event, what [`crate::model::Scope`] asks for.
struct Who {
    parent: Option<EventId>,
    session: Rc<str>,
    actor: ActorKind,
    at_ns: i64,
}

/// The most that gc believes the clock to be ahead of the journal: a clock set forward must not expire everything.
const CLOCK_LEAD_NS: i64 = 86_400_000_000_000;

/// Marks from the journal as it is now.
pub(crate) fn mark(store: &Store, options: &GcOptions, references: References<'_>) -> Result<Marked> {
    let Journaled { events, links, loose, places, incidents, last_ns } = read_journal(store)?;
    let now_ns = clock::now_ns().min(last_ns.saturating_add(CLOCK_LEAD_NS));
    let keep_since_ns = now_ns.saturating_sub(ns(options.keep_within));
    let mut kept: HashSet<EventId> = pin::pinned(store.home())?.into_iter().collect();
    kept.extend(events.iter().filter(|(_, needs)| needs.time_ns >= keep_since_ns).map(|(id, _)| *id));
    kept.extend(locked(&incidents, &events));
    spread(&mut kept, &links);

    let mut marked = Marked { keep_since_ns, ..Marked::default() };
    // What cannot be tied to an event stays: it is little, and it was written for something.
    let mut todo: Vec<ObjectId> = loose;
    let mut kept_places: HashSet<usize> = HashSet::new();
    for (id, needs) in &events {
        if kept.contains(id) {
            marked.kept += 1;
            todo.extend(&needs.roots);
            kept_places.extend(&needs.places);
        } else {
            marked.expired += u64::from(!needs.roots.is_empty());
        }
    }
    marked.places =
        places.into_iter().filter(|(_, at)| kept_places.contains(at)).map(|(opts, _)| opts).collect();
    let reader = store.reader();
    while let Some(id) = todo.pop() {
        if !marked.objects.insert(id) {
            continue;
        }
        match reader.get_with_kind(&id) {
            Ok((ObjectKind::Blob | ObjectKind::Argv, _)) => {}
            Ok((kind, content)) => match references(kind, &content) {
                Some(named) => todo.extend(named),
                None => marked.unreadable.push(id),
            },
            Err(_) => marked.unreadable.push(id),
        }
    }
    Ok(marked)
}

/// What the journal says.
struct Journaled {
    /// Events with what they need.
    events: HashMap<EventId, Needs>,
    /// Undo events and what they take back.
    links: Vec<(EventId, EventId)>,
    /// Objects that belong to no event.
    loose: Vec<ObjectId>,
    /// The options of captures' locators, each once, by their number.
    places: BTreeMap<BTreeMap<String, Bytes>, usize>,
    /// Incidents as they stand at the end.
    incidents: Vec<Incident>,
    /// The time of the last frame.
    last_ns: i64,
}

fn read_journal(store: &Store) -> Result<Journaled> {
    let mut events: HashMap<EventId, Needs> = HashMap::new();
    let mut calls: HashMap<(String, Option<String>), EventId> = HashMap::new();
    let mut places: BTreeMap<BTreeMap<String, Bytes>, usize> = BTreeMap::new();
    let mut sessions: HashMap<String, Rc<str>> = HashMap::new();
    let mut marks: Vec<(EventId, Before)> = Vec::new();
    let (mut links, mut loose, mut last_ns) = (Vec::new(), Vec::new(), i64::MIN);
    for frame in Journal::open(store.home())?.frames(Position::START) {
        // A damaged place must not let gc remove what it may have named.
        let frame = frame.map_err(|e| e.context("gc needs a whole journal"))?;
        // An event is as young as the latest time seen before it: a clock set back does not age what follows.
        last_ns = last_ns.max(frame.time_ns);
        let mut event = frame.event;
        match &frame.record {
            Record::Before(before) => {
                let session = sessions.entry(before.session.clone());
                let session = session.or_insert_with(|| Rc::from(before.session.as_str())).clone();
                let (parent, actor, at_ns) = (before.parent, before.actor.kind, before.at_ns);
                let who = Some(Who { parent, session, actor, at_ns });
                let mut needs = Needs { time_ns: last_ns, who, ..Needs::default() };
                if matches!(before.kind, EventKind::Incident { .. }) {
                    marks.push((event, (**before).clone()));
                }
                for capture in &before.captures {
                    let next = places.len();
                    needs.places.push(*places.entry(capture.locator.opts.clone()).or_insert(next));
                }
                events.insert(event, needs);
                calls.insert((before.session.clone(), before.call.clone()), event);
                if let Some(Reversal { of, .. }) = before.kind.reversal() {
                    links.extend(of.iter().map(|of| (event, *of)));
                }
            }
            Record::After(after) if event.0 == 0 => {
                let key = (after.session.clone(), after.call.clone());
                event = calls.get(&key).copied().unwrap_or(event);
            }
            _ => {}
        }
        let named = objects_of(&frame.record);
        match events.get_mut(&event) {
            Some(needs) => needs.roots.extend(named),
            None => loose.extend(named),
        }
    }
    let incidents = Incident::all(marks.iter().map(|(id, before)| (*id, before)));
    Ok(Journaled { events, links, loose, places, incidents, last_ns })
}

/// The events of incidents that are open, or closed and not unlocked: their captures are evidence, and the way back.
fn locked(incidents: &[Incident], events: &HashMap<EventId, Needs>) -> Vec<EventId> {
    let incidents: Vec<&Incident> = incidents.iter().filter(|incident| incident.locked).collect();
    if incidents.is_empty() {
        return Vec::new();
    }
    let is_locked = |id: EventId, who: &Who| {
        let Who { parent, session, actor, at_ns } = who;
        let event = Covered { id, parent: *parent, session, actor: *actor, at_ns: *at_ns };
        incidents.iter().any(|incident| incident.scope.covers(event))
    };
    let events = events.iter().filter_map(|(id, needs)| Some((*id, needs.who.as_ref()?)));
    events.filter(|(id, who)| is_locked(*id, who)).map(|(id, _)| id).collect()
}

/// An undo and what it takes back stay together: each needs the other to be taken back or forth again.
fn spread(kept: &mut HashSet<EventId>, links: &[(EventId, EventId)]) {
    loop {
        let before = kept.len();
        for (one, other) in links {
            if kept.contains(one) || kept.contains(other) {
                kept.extend([*one, *other]);
            }
        }
        if kept.len() == before {
            return;
        }
    }
}
