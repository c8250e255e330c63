//! Several events as one, path by path. What undoing them leaves at a path is worked out in memory, newest event first, by
//! the rules of [`judge`]: each event finds the path as the later ones of the set leave it. Only then is anything
//! compared with the present, so a path that twenty commands changed is written once.
//!
//! A path belongs to the place (the captured path) under which it was seen first. A place's two states hold the whole
//! present and differ where something is to be written, so that applying them is applying any capture.

mod compose;
mod dirs;
mod own;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, EventId, Missing, ObjectId, Policy, StateRef, Step, Way};
use crate::platform::fs::split_parent;
use crate::systems::files::compare::{After, Difference, differences, load_state};
use crate::systems::files::entry::{Content, Entry, Kind};
use crate::systems::files::judge::{Verdict, judge, judge_again, judge_made_again};
use crate::systems::files::links::Groups;
use crate::systems::files::plan::{Payload, conflict_step};
use crate::systems::files::tree::{Parent, State};
use crate::systems::files::ways::{Ways, fingerprint};
use crate::systems::{Net, NetCx, Taken};

/// Works out the net effect of events on files.
pub fn net(taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
    let mut world = World {
        cx,
        places: Vec::new(),
        paths: BTreeMap::new(),
        stuck: BTreeMap::new(),
        lost: BTreeMap::new(),
        stays: BTreeSet::new(),
        made: BTreeSet::new(),
        times: BTreeMap::new(),
    };
    for one in taken {
        world.rewind(one)?;
    }
    world.finish()
}

/// What undoing has made so far of what is there now.
struct World<'a> {
    cx: &'a NetCx<'a>,
    places: Vec<Place>,
    paths: BTreeMap<Vec<u8>, Value>,
    /// Paths where an event cannot be taken back, with what it was to find there.
    stuck: BTreeMap<Vec<u8>, Stuck>,
    /// What no capture holds, or cannot be made again.
    lost: BTreeMap<Vec<u8>, Lost>,
    /// Directories that hold things which no event of the set made.
    stays: BTreeSet<Vec<u8>>,
    /// Directories that events made on the way to what they were about (`mkdir -p`).
    made: BTreeSet<Vec<u8>>,
    /// The times that undoing gives to directories, whichever place they were seen in.
    times: BTreeMap<Vec<u8>, i64>,
}

/// A captured place, as several events captured it.
struct Place {
    capture: Capture,
    now: State,
    now_ref: StateRef,
    missing: Vec<Missing>,
    /// The directories above it that were there before the oldest event.
    parents: Vec<Parent>,
    /// The directories that were looked into, as they are now.
    dirs: HashMap<Vec<u8>, Option<Entry>>,
}

struct Value {
    start: Option<Entry>,
    value: Option<Entry>,
    /// The directory that `value` took away: it stays after all if something in it does.
    dir: Option<Entry>,
    place: usize,
}

struct Stuck {
    at: Difference,
    reason: String,
    event: EventId,
    payload: Payload,
    /// What the events after it leave there is not what is there now.
    moved: bool,
}

enum Lost {
    NotCaptured(String),
    Unable(String),
}

impl World<'_> {
    fn rewind(&mut self, one: &Taken) -> Result<()> {
        let captured = &one.captured;
        let place = self.place(&captured.before)?;
        let before_id = object_of(&captured.before.state)?;
        let after_id = captured.after.as_ref().map(object_of).transpose()?;
        let before = load_state(self.cx.source, &before_id)?;
        let after = after_id.map(|id| load_state(self.cx.source, &id)).transpose()?;
        let after = after.map(|after| self.before_it_was_replaced(after, one.event)).transpose()?;
        self.unmake_parents(&before, after.as_ref());
        let (now, source) = (self.places[place].now.clone(), self.cx.source);
        let parent = split_parent(before.path.as_slice()).0.to_vec();
        self.turn_parents(place, &before, after.as_ref());
        let payload = Payload { after: after_id, ..Payload::of(before_id) };
        let groups = Groups::of(source, &before, after.as_ref());
        differences(source, &before, after.as_ref(), Some(&now), |at| {
            let full = [parent.as_slice(), b"/", &at.path].concat();
            self.visit(place, full, at, one.event, &payload, &groups)
        })
    }

    /// The place of a capture, looked at once.
    fn place(&mut self, capture: &Capture) -> Result<usize> {
        if let Some(known) = self.places.iter().position(|p| p.capture.locator == capture.locator) {
            let place = &mut self.places[known];
            place.missing.extend(
                capture.missing.iter().filter(|m| !place.missing.contains(m)).cloned().collect::<Vec<_>>(),
            );
            return Ok(known);
        }
        let now_ref = (self.cx.observe)(capture, None)?;
        let now = load_state(self.cx.source, &object_of(&now_ref)?)?;
        let (missing, dirs, parents) = (capture.missing.clone(), HashMap::new(), now.parents.clone());
        self.places.push(Place { capture: capture.clone(), now, now_ref, missing, parents, dirs });
        Ok(self.places.len() - 1)
    }

    fn visit(
        &mut self,
        place: usize,
        full: Vec<u8>,
        mut at: Difference,
        event: EventId,
        payload: &Payload,
        groups: &Groups<'_>,
    ) -> Result<()> {
        self.places[place].dirs.entry(full.clone()).or_insert_with(|| at.now.clone());
        if !self.cx.wants(&full) || self.is_below_a_stuck_one(&full) {
            return Ok(());
        }
        let start = at.now.take();
        match self.own_tree(&full, event) {
            Some(tree) if tree.is_of(event) => {
                let (is_maker, replaces) = (tree.made_by == event, tree.replaces);
                if is_maker && full == tree.at.as_slice() {
                    self.remove_whole(full.clone(), start.clone(), place);
                }
                if !is_maker || !replaces {
                    return Ok(());
                }
                // What the event removed before it made the tree comes back to nothing.
                let gone = || Value { start: start.clone(), value: None, dir: None, place };
                self.paths.entry(full.clone()).or_insert_with(gone);
            }
            // A later event made what is there now, and that is taken back.
            Some(_) if !self.paths.contains_key(&full) => {
                self.paths
                    .insert(full.clone(), Value { start: start.clone(), value: None, dir: None, place });
            }
            _ => {}
        }
        if !self.paths.contains_key(&full) && self.is_made_and_emptied(&full, start.as_ref()) {
            let made = Value { start: start.clone(), value: None, dir: start.clone(), place };
            self.paths.insert(full.clone(), made);
        }
        let value = match self.paths.get_mut(&full) {
            Some(known) => {
                known.learn(start.as_ref(), place);
                known.value.clone()
            }
            None => start.clone(),
        };
        at.more = self.more_than_known(&full, &at);
        let (before, after) = as_deep_as(&at, value.as_ref());
        // What an earlier undo has put back may lack its time; what later events of the set leave has the one they found.
        let judge = match self.cx.retry {
            true if !self.paths.contains_key(&full) => judge_again,
            true => judge_made_again,
            false => judge,
        };
        let verdict = judge(before.as_ref(), &after, value.as_ref());
        let seen = Difference { before: before.clone(), after, now: value.clone(), ..at.clone() };
        let verdict = groups.with_links(verdict, &seen)?;
        if let Some(pending) = self.stuck.get(&full) {
            // Somebody has put the path back to what it was before an earlier event of the set: all is well. What could not be
            // read is not known to be anything, although another place has read it by now.
            let was_read = pending.at.now.as_ref().and_then(Entry::why_skipped).is_none();
            if verdict == Verdict::Already && !pending.moved && was_read {
                self.stuck.remove(&full);
            }
            return Ok(());
        }
        let moved = self.paths.contains_key(&full) && !same(start.as_ref(), value.as_ref());
        match verdict {
            // Taken away through a place that does not list it (`mkdir` names the directory only): here it is listed.
            Verdict::Already if at.has_grown() && value.is_none() && at.before.is_none() => {
                self.stays.insert(full);
            }
            Verdict::Nothing | Verdict::Already => self.turn_dir(full, &at, value.as_ref()),
            Verdict::Replace if at.has_grown() => {
                self.stick(full, at, value, "the directory holds things made since", event, payload, moved);
            }
            Verdict::Remove if at.has_grown() => drop(self.stays.insert(full)),
            Verdict::Create | Verdict::Replace | Verdict::Metadata | Verdict::Remove => {
                let value = rewound(before, value);
                if let Some(dir) = value.as_ref().filter(|entry| entry.is_dir()) {
                    self.times.insert(full.clone(), dir.meta.mtime_ns);
                }
                match self.paths.get_mut(&full) {
                    Some(known) => known.set(value),
                    None => {
                        let dir = start.clone().filter(|entry| value.is_none() && entry.is_dir());
                        self.paths.insert(full, Value { start, value, dir, place });
                    }
                }
            }
            Verdict::Conflict(why) => self.stick(full, at, value, &why, event, payload, moved),
            Verdict::NotCaptured(why) => drop(self.lost.entry(full).or_insert(Lost::NotCaptured(why))),
            Verdict::Unable(why) => drop(self.lost.entry(full).or_insert(Lost::Unable(why))),
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn stick(
        &mut self,
        full: Vec<u8>,
        mut at: Difference,
        value: Option<Entry>,
        why: &str,
        event: EventId,
        payload: &Payload,
        moved: bool,
    ) {
        at.now = value;
        let stuck = Stuck { at, reason: why.to_owned(), event, payload: payload.clone(), moved };
        self.stuck.insert(full, stuck);
    }

    /// What lies below a path in conflict is part of that conflict, but for a directory that is there on both sides.
    fn is_below_a_stuck_one(&self, full: &[u8]) -> bool {
        let is_dir = |entry: &Option<Entry>| entry.as_ref().is_some_and(Entry::is_dir);
        let mut top = split_parent(full).0;
        while !self.stuck.is_empty() && !top.is_empty() {
            if self.stuck.get(top).is_some_and(|s| !(is_dir(&s.at.before) && is_dir(&s.at.now))) {
                return true;
            }
            top = split_parent(top).0;
        }
        false
    }

    /// The names in a directory, as undoing has left it so far, that this event has nothing to do with.
    fn more_than_known(&self, full: &[u8], at: &Difference) -> Vec<Bytes> {
        let child = |name: &[u8]| [full, b"/", name].concat();
        let stays = |name: &Bytes| self.paths.get(&child(name.as_slice())).is_none_or(|v| v.value.is_some());
        at.more.iter().filter(|name| stays(name)).cloned().collect()
    }
}

impl Value {
    fn set(&mut self, value: Option<Entry>) {
        if let (Some(dir), None) = (self.value.take().filter(Entry::is_dir), &value) {
            self.dir = Some(dir);
        }
        self.value = value;
    }

    fn is_changed(&self) -> bool {
        !same(self.start.as_ref(), self.value.as_ref())
    }

    /// Where only metadata was seen so far and this place knows the content: it is the place that can write it.
    fn learn(&mut self, seen: Option<&Entry>, place: usize) {
        let (Some(start), Some(value), Some(seen)) = (&mut self.start, &mut self.value, seen) else { return };
        if is_unread(start) && is_unread(value) && !is_unread(seen) {
            (start.kind, value.kind) = (seen.kind.clone(), seen.kind.clone());
            self.place = place;
        }
    }
}

impl Stuck {
    fn into_step(self, path: Vec<u8>, cx: &NetCx<'_>, merged: &mut u64) -> Result<Step> {
        let parent = split_parent(&path).0.to_vec();
        // A path of its own parent: the event's states name it from their own top.
        let top = path.len() - self.at.path.len();
        let mut ways = Ways {
            source: cx.source,
            event: self.event,
            parent: path.get(..top.saturating_sub(1)).unwrap_or(&parent),
            merged: *merged,
        };
        let mut found = ways.at(&self.at, &self.payload)?;
        *merged = ways.merged;
        if self.moved {
            found.retain(|way| way.policy == Policy::SideBySide);
            let why =
                format!("later events changed it too: take those back first, then event {}", self.event);
            found.extend([Policy::Merge, Policy::Force].map(|policy| Way::closed(policy, why.clone())));
        }
        let reason = format!("{} (event {})", self.reason, self.event);
        conflict_step(Bytes(path), &self.at, &reason, &self.payload, found)
    }
}

/// The states that an event recorded, as far as they can be compared with what was seen: for `chmod` no content was read.
fn as_deep_as(at: &Difference, value: Option<&Entry>) -> (Option<Entry>, After) {
    let (mut before, mut after) = (at.before.clone(), at.after.clone());
    let Some(value) = value.filter(|value| !is_unread(value) && matches!(value.kind, Kind::File { .. }))
    else {
        return (before, after);
    };
    if let Some(entry) = before.as_mut().filter(|entry| is_unread(entry)) {
        entry.kind = value.kind.clone();
    }
    if let After::Known(Some(entry)) = &mut after
        && is_unread(entry)
    {
        entry.kind = value.kind.clone();
    }
    (before, after)
}

fn is_unread(entry: &Entry) -> bool {
    matches!(entry.kind, Kind::File { content: Content::Unread })
}

/// What taking an event back leaves: what was there before it, in a directory the names that are there now.
fn rewound(before: Option<Entry>, value: Option<Entry>) -> Option<Entry> {
    match (before, value) {
        (Some(before), Some(value)) if before.is_dir() && value.is_dir() => {
            Some(Entry { kind: value.kind, ..before })
        }
        (before, _) => before,
    }
}

/// Equal as far as this path alone goes.
fn same(a: Option<&Entry>, b: Option<&Entry>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) if a.is_dir() && b.is_dir() => fingerprint(Some(a)) == fingerprint(Some(b)),
        (a, b) => a == b,
    }
}

fn object_of(state: &StateRef) -> Result<ObjectId> {
    state.object.ok_or_else(|| Error::corrupt("a captured state of files has no object"))
}
