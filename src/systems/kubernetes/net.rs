//! Several events as one change, object by object: each event is taken back in memory on what the later ones leave, so that
//! a deployment that was deleted before its namespace was comes back with it, and what somebody wrote between two commands
//! stays.

use std::collections::{BTreeMap, BTreeSet};

use super::clash::Clash;
use super::identity::Identity;
use super::object::{Key, Object};
use super::plan::{Planner, left_of};
use super::query::Access;
use super::snapshot::{Entry, Snapshot};
use super::steps::Steps;
use super::tryout::Tried;
use super::{capture, fields, kinds, release};
use crate::error::Result;
use crate::model::{Captured, ObjectKind, StateRef};
use crate::systems::{Net, NetCx, Taken};

/// Works out the net effect of events on clusters.
pub fn net(taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
    let mut clusters: BTreeMap<(String, String), Vec<(&Taken, Snapshot)>> = BTreeMap::new();
    for one in taken.iter().filter(|one| cx.wants(one.captured.before.locator.at.as_slice())) {
        let before = Snapshot::load(&one.captured.before.state, cx.source)?;
        let cluster = (before.cluster.server.clone(), before.cluster.ca.clone());
        clusters.entry(cluster).or_default().push((one, before));
    }
    let mut net = Net::default();
    for events in clusters.into_values() {
        one_cluster(&events, cx, &mut net)?;
    }
    Ok(net)
}

fn one_cluster(events: &[(&Taken, Snapshot)], cx: &NetCx<'_>, net: &mut Net) -> Result<()> {
    let Some((newest, first)) = events.first() else { return Ok(()) };
    let present = present(events, cx)?;
    let mut rewinding = Rewinding {
        cx,
        value: present.entries().map(|(key, entry)| (key, entry.cloned())).collect(),
        stuck: BTreeSet::new(),
        clashes: Vec::new(),
        taken_over: Vec::new(),
    };
    for (one, before) in events {
        rewinding.event(one, before)?;
    }
    let Rewinding { value, clashes, taken_over, .. } = rewinding;
    net.residue.extend(taken_over);
    let mut composed = Snapshot::new(first.cluster.clone());
    value.iter().for_each(|(key, entry)| composed.set(key, entry.clone()));
    let changed = composed.entries().any(|(key, entry)| !is_same(entry, present.entry(&key)));
    let access = Access::of(&newest.captured.before.locator);
    let resource = capture::resource_of(&composed, &newest.captured.before.resource);
    let before = capture::finished(&composed, resource, &access, (0, Vec::new()), cx.made)?;
    let after = Some(kept(&present, cx)?);
    let captured = Captured { before, after };
    for (event, key, why) in clashes {
        let planner = Planner {
            before: composed.clone(),
            after: Some(present.clone()),
            now: present.clone(),
            source: cx.source,
        };
        let tried = Tried::default();
        let steps = Steps { captured: &captured, planner: &planner, tried: &tried, event };
        net.steps.push(steps.conflict(&key, &why, Clash::Between.ways(&key))?);
    }
    if changed {
        net.captured.push(captured);
    }
    Ok(())
}

/// All that the events cover, as it is now.
fn present(events: &[(&Taken, Snapshot)], cx: &NetCx<'_>) -> Result<Snapshot> {
    let mut seen: BTreeSet<Vec<Key>> = BTreeSet::new();
    let mut all: Option<Snapshot> = None;
    for (one, before) in events {
        if !seen.insert(before.keys().collect()) {
            continue;
        }
        let now = Snapshot::load(&(cx.observe)(&one.captured.before, None)?, cx.source)?;
        match &mut all {
            None => all = Some(now),
            Some(all) => {
                now.entries().for_each(|(key, entry)| all.set(&key, entry.cloned()));
                all.releases = all.releases.take().or(now.releases);
            }
        }
    }
    Ok(all.unwrap_or_else(|| Snapshot::new(Identity::default())))
}

/// The present with its objects: what the undo's record names must be stored.
fn kept(present: &Snapshot, cx: &NetCx<'_>) -> Result<StateRef> {
    for (_, entry) in present.entries() {
        if let Some(entry) = entry {
            cx.made.put(ObjectKind::Blob, &cx.source.get(&entry.object)?)?;
        }
    }
    present.store(cx.made)
}

struct Rewinding<'a> {
    cx: &'a NetCx<'a>,
    /// What is there when the events so far are taken back.
    value: BTreeMap<Key, Option<Entry>>,
    /// Objects that are in conflict: no older event is taken back on them.
    stuck: BTreeSet<Key>,
    /// The event, the object, why.
    clashes: Vec<(String, Key, String)>,
    /// What Helm took over and is left as it is.
    taken_over: Vec<String>,
}

fn there(entry: Option<&Entry>) -> Option<Entry> {
    entry.filter(|entry| entry.is_there()).cloned()
}

fn is_same(one: Option<&Entry>, other: Option<&Entry>) -> bool {
    let identity = |entry: Option<&Entry>| entry.filter(|e| e.is_there()).map(|e| (e.uid.clone(), e.digest));
    identity(one) == identity(other)
}

impl Rewinding<'_> {
    /// Takes one event back in memory.
    fn event(&mut self, one: &Taken, before: &Snapshot) -> Result<()> {
        let after = one.captured.after.map(|after| Snapshot::load(&after, self.cx.source)).transpose()?;
        let keys = before.keys_with(after.as_ref());
        let records = after.as_ref().map(|after| release::new_records(before, after, self.cx.source));
        for key in keys.into_iter().filter(|key| !self.stuck.contains(key)).collect::<Vec<_>>() {
            let seen_since =
                after.as_ref().filter(|_| !before.covers(&key)).and_then(|after| after.entry(&key));
            if let (Some(entry), Some(records)) = (seen_since, &records) {
                let object = Snapshot::object(entry, self.cx.source)?;
                if let Some(why) = release::was_there_before(&object, records) {
                    self.taken_over.push(format!("{}: {why}", key.short()));
                    continue;
                }
            }
            let b = there(before.entry(&key));
            let a = after.as_ref().map(|after| left_of(&key, before, after, self.cx.source));
            match self.object(&key, b.as_ref(), a.as_ref().map(Option::as_ref))? {
                Ok(Some(value)) => drop(self.value.insert(key, value)),
                Ok(None) => {}
                Err(why) => {
                    self.clashes.push((one.event.to_string(), key.clone(), why));
                    self.stuck.insert(key);
                }
            }
        }
        Ok(())
    }

    /// What the object was before the event; nothing where it stays as it is; a reason where it cannot be known.
    fn object(
        &self,
        key: &Key,
        b: Option<&Entry>,
        a: Option<Option<&Entry>>,
    ) -> Result<Result<Option<Option<Entry>>, String>> {
        let v = self.value.get(key).and_then(Option::as_ref).filter(|entry| entry.is_there());
        let back = || Ok(Ok(Some(b.cloned())));
        let stays = Ok(Ok(None));
        let clash = |why: &str| Ok(Err(why.to_owned()));
        if is_same(v, b) || a.is_some_and(|a| is_same(a, b)) {
            return stays;
        }
        if a.is_some_and(|a| is_same(a, v)) {
            return back();
        }
        // Controllers make it anew; what was there is kept for those who refer to it.
        if [b, v].into_iter().flatten().any(|entry| entry.left) {
            return if v.is_none() { back() } else { stays };
        }
        match (b, a, v) {
            (Some(_), None, None) => back(),
            (None, _, None) | (None, Some(None), Some(_)) => stays,
            (Some(b), _, Some(v)) if self.is_back(b, v)? => stays,
            (Some(_), Some(None), Some(_)) if kinds::comes_by_itself(key) => back(),
            (Some(_), Some(Some(_)), None) if key.is("", "PersistentVolume") => back(),
            (Some(b), Some(Some(a)), Some(v)) if a.uid == v.uid => self.merged(b, a, v),
            (_, None, Some(_)) => clash("nobody told how the command left it"),
            (Some(_), Some(Some(_)), None) => clash("somebody deleted it between the events or since"),
            (Some(_), ..) => clash("somebody made it anew between the events or since"),
            (None, ..) => clash("it was changed since the command made it"),
        }
    }

    fn is_back(&self, b: &Entry, v: &Entry) -> Result<bool> {
        Ok(kinds::same(&Snapshot::object(b, self.cx.source)?, &Snapshot::object(v, self.cx.source)?))
    }

    /// The command's fields go back, what others have written stays.
    fn merged(&self, b: &Entry, a: &Entry, v: &Entry) -> Result<Result<Option<Option<Entry>>, String>> {
        let read = |entry: &Entry| Snapshot::object(entry, self.cx.source);
        let value = read(v)?;
        let fields = fields::back(&read(b)?.normal(), &read(a)?.normal(), &value.normal());
        if !fields.changed_since.is_empty() {
            return Ok(Err(format!("{} changed since the command", fields::shown(&fields.changed_since))));
        }
        let object = Object { value: fields::applied(&value.value, &fields), ..value };
        let raw = object.value.to_string();
        let stored = self.cx.made.put(ObjectKind::Blob, raw.as_bytes())?;
        Ok(Ok(Some(Some(Entry { object: stored, digest: object.digest(), ..v.clone() }))))
    }
}
