//! What is to be done as steps, in words, with what does not come back.

use std::collections::BTreeSet;

use super::action::{Action, Payload};
use super::clash::{self, Clash, Ways};
use super::fields;
use super::object::{Key, Object};
use super::plan::{Amending, Planner, Sorted};
use super::snapshot::{Entry, Snapshot};
use super::tryout::Tried;
use super::{controllers, kinds, release, tokens};
use crate::error::{Error, Result};
use crate::model::{Bytes, Captured, Reversibility, Step, StepVerdict, SystemId};

/// More objects than these whose fields go back are one step.
const ONE_BY_ONE: usize = 20;
/// How many objects a step names.
const NAMED: usize = 4;

/// Makes steps.
pub struct Steps<'a> {
    /// The capture.
    pub captured: &'a Captured,
    /// The states.
    pub planner: &'a Planner<'a>,
    /// What the server said.
    pub tried: &'a Tried,
    /// The event's number.
    pub event: String,
}

impl Steps<'_> {
    /// The steps, in the order in which they are done.
    pub fn of(&self, mut sorted: Sorted) -> Result<Vec<Step>> {
        let mut conflicts = Vec::new();
        for (key, why) in &self.tried.refused {
            let name = key.to_string();
            sorted.gone.retain(|gone| gone != key);
            sorted.made.retain(|made| made.key != name);
            sorted.amended.retain(|one| one.object.key != name);
            conflicts.push(self.conflict(
                key,
                &format!("the server does not take it: {why}"),
                Clash::Refused.ways(key),
            )?);
        }
        let mut steps = Vec::new();
        if !sorted.gone.is_empty() {
            steps.push(self.recreate(&sorted.gone)?);
        }
        for (key, why) in sorted.left_away {
            let verdict = StepVerdict::NotCaptured { reason: why };
            let action = format!("leave {} away", key.short());
            steps.push(self.step(self.name(&key), action, verdict, Action::nothing())?);
        }
        for (key, why, ways) in sorted.clashes {
            conflicts.push(self.conflict(&key, &why, ways)?);
        }
        steps.append(&mut conflicts);
        steps.extend(self.amend(sorted.amended)?);
        if !sorted.made.is_empty() {
            steps.push(self.remove(sorted.made)?);
        }
        if sorted.back && steps.is_empty() {
            let resource = self.captured.before.resource.clone();
            steps.push(self.step(resource, "is back".to_owned(), StepVerdict::Already, Action::nothing())?);
        }
        Ok(steps)
    }

    fn amend(&self, all: Vec<Amending>) -> Result<Vec<Step>> {
        if self.planner.changed() <= ONE_BY_ONE {
            return all.into_iter().map(|one| self.amend_one(one)).collect();
        }
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<Key> = all.iter().map(|one| one.now.key.clone()).collect();
        let who: BTreeSet<String> = all.iter().filter_map(|one| self.rival(&one.now)).collect();
        let action = format!("give the fields of {} back{}", some(&keys), rivals(who, "some of it"));
        let objects = all.into_iter().map(|one| (one.object, one.left)).collect();
        let resource = self.captured.before.resource.clone();
        let mut step = self.step(resource, action, StepVerdict::Restore, Action::AmendAll { objects })?;
        step.reversibility = Reversibility::Exact;
        Ok(vec![step])
    }

    fn amend_one(&self, one: Amending) -> Result<Step> {
        let key = &one.now.key;
        let who = self.rival(&one.now).into_iter().collect();
        let what = fields::shown(&one.fields.written);
        let action = format!("give {} back its {what}{}", key.short(), rivals(who, "it"));
        let what = Action::Amend { object: one.object, left: one.left };
        let mut step = self.step(self.name(key), action, StepVerdict::Restore, what)?;
        step.reversibility = Reversibility::Exact;
        Ok(step)
    }

    /// Who keeps the object as he wants it.
    fn rival(&self, now: &Object) -> Option<String> {
        let scaler = || self.tried.scalers.get(&now.key).map(|name| format!("the autoscaler {name}"));
        scaler().or_else(|| controllers::manager(now))
    }

    fn recreate(&self, gone: &[Key]) -> Result<Step> {
        let mut gone = gone.to_vec();
        gone.sort_by_key(|key| (kinds::rank(key), key.clone()));
        let mut action = format!("make {} anew, with new uids", some(&gone));
        let (mut lost, mut who) = (Vec::new(), BTreeSet::new());
        let mut elsewhere = Vec::new();
        for key in &gone {
            let Some(entry) = self.planner.before.entry(key) else { continue };
            let object = Snapshot::object(entry, self.planner.source)?;
            lost.extend(kinds::lost(&object));
            lost.extend(self.data_lost(&object));
            if let Some(taken) = self.tried.elsewhere.get(key) {
                lost.push(format!("{taken}; it gets another one"));
                elsewhere.push(key.to_string());
            }
            who.extend(controllers::manager(&object));
        }
        let (referred, notes) = tokens::lost(&self.planner.before, &self.planner.now, self.planner.source);
        lost.extend(referred);
        action.push_str(&rivals(who, "some of it"));
        action.push_str(&notes);
        action.push_str(&self.untried());
        let objects = gone.iter().map(Key::to_string).collect();
        let resource = self.captured.before.resource.clone();
        let what = Action::Recreate { objects, elsewhere };
        let mut step = self.step(resource, action, StepVerdict::Restore, what)?;
        step.not_restored = lost;
        Ok(step)
    }

    /// What the server could not be asked before.
    fn untried(&self) -> String {
        match (&self.tried.unasked, self.tried.untried) {
            (Some(why), _) => format!("; not tried out before: {why}"),
            (None, 0) => String::new(),
            (None, n) => {
                format!("; {n} of them cannot be tried out before: what they need comes back with them")
            }
        }
    }

    /// A claim whose volume is gone, and its data with it.
    fn data_lost(&self, claim: &Object) -> Option<String> {
        let name = claim.text("/spec/volumeName");
        if !claim.key.is("", "PersistentVolumeClaim") || name.is_empty() {
            return None;
        }
        let key = Key::cluster_wide("", "PersistentVolume", name);
        let before = self.planner.before.entry(&key);
        let volume = before.and_then(|entry| Snapshot::object(entry, self.planner.source).ok())?;
        let is_there = self.planner.now.entry(&key).is_some_and(Entry::is_there);
        let deletes = volume.text("/spec/persistentVolumeReclaimPolicy") == "Delete";
        match (is_there, deletes) {
            (false, true) => {
                Some(format!("the data of {}: its volume {name} was deleted with it", claim.key.short()))
            }
            (true, true) => Some(format!(
                "perhaps the data of {}: the policy of its volume {name} is Delete",
                claim.key.short()
            )),
            _ => None,
        }
    }

    fn remove(&self, made: Vec<super::action::Guarded>) -> Result<Step> {
        let keys: Vec<Key> = made.iter().filter_map(|g| Key::parse(&g.key)).collect();
        let resource = self.captured.before.resource.clone();
        let action = format!("delete {}, made by the command", some(&keys));
        let mut step = self.step(resource, action, StepVerdict::Restore, Action::Remove { objects: made })?;
        step.reversibility = Reversibility::Exact;
        step.not_restored = self.left_by_releases();
        Ok(step)
    }

    /// What carries no release's name.
    fn left_by_releases(&self) -> Vec<String> {
        let Planner { before, after, source, .. } = self.planner;
        let Some(after) = after.as_ref().filter(|_| before.releases.is_some()) else { return Vec::new() };
        release::new_records(before, after, *source).iter().flat_map(release::leaves).collect()
    }

    /// A conflict with its ways.
    pub fn conflict(&self, key: &Key, reason: &str, ways: Ways) -> Result<Step> {
        let verdict = StepVerdict::Conflict { reason: format!("{}: {reason}", key.short()) };
        let action = format!("leave {} as it is", key.short());
        let mut step = self.step(self.name(key), action, verdict, Action::nothing())?;
        for (policy, way) in ways {
            let way = way.map_err(|why| why.replace("EVENT", &self.event));
            step.ways.push(clash::way(policy, way, |what| self.payload(what))?);
        }
        Ok(step)
    }

    fn name(&self, key: &Key) -> Bytes {
        let context = &self.planner.before.cluster.context;
        Bytes::from(format!("k8s:{context}/{}/{}", key.namespace, key.short()))
    }

    fn payload(&self, what: Action) -> Result<serde_json::Value> {
        let state = self.captured.before.state.object;
        let state = state.ok_or_else(|| Error::corrupt("a capture of a cluster without its state"))?;
        Payload { state, action: what }.encode()
    }

    fn step(&self, resource: Bytes, action: String, verdict: StepVerdict, what: Action) -> Result<Step> {
        Ok(Step {
            system: SystemId::new("kubernetes"),
            resource,
            action,
            reversibility: Reversibility::Recreate,
            verdict,
            not_restored: Vec::new(),
            locator: self.captured.before.locator.clone(),
            payload: self.payload(what)?,
            policy: None,
            ways: Vec::new(),
        })
    }
}

/// Some of many names.
fn some(keys: &[Key]) -> String {
    let mut text = keys.iter().take(NAMED).map(Key::short).collect::<Vec<_>>().join(", ");
    if keys.len() > NAMED {
        text.push_str(&format!(" and {} more", keys.len() - NAMED));
    }
    text
}

fn rivals(who: BTreeSet<String>, what: &str) -> String {
    if who.is_empty() {
        return String::new();
    }
    let verb = if who.len() == 1 { "manages" } else { "manage" };
    let who = who.into_iter().collect::<Vec<_>>().join(", ");
    format!("; {who} {verb} {what} and may change it again")
}
