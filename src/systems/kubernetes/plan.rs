//! The way back, object by object, by what it was before (B), after (A) and is now (N).

use std::collections::BTreeSet;

use super::action::{Action, Guarded, Payload};
use super::fields;
use super::object::{Key, Object};
use super::snapshot::{Entry, Snapshot};
use super::{controllers, kinds};
use crate::error::{Error, Result};
use crate::model::{Bytes, Captured, ObjectSource, Reversibility, StateRef, Step, StepVerdict, SystemId};
use crate::systems::PlanCx;

/// Plans: one step for all that is made anew, one for all that is removed, one for each object whose fields go back.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let planner = Planner {
        captured,
        before: Snapshot::load(&captured.before.state, cx.source)?,
        after: captured.after.map(|after| Snapshot::load(&after, cx.source)).transpose()?,
        now: Snapshot::load(now, cx.source)?,
        source: cx.source,
    };
    planner.steps()
}

struct Planner<'a> {
    captured: &'a Captured,
    before: Snapshot,
    after: Option<Snapshot>,
    now: Snapshot,
    source: &'a dyn ObjectSource,
}

#[derive(Default)]
struct Sorted {
    /// To be made anew.
    gone: Vec<Key>,
    /// To be removed.
    made: Vec<Guarded>,
    /// Made anew or removed already.
    back: bool,
    /// The others.
    steps: Vec<Step>,
}

impl Planner<'_> {
    fn steps(&self) -> Result<Vec<Step>> {
        let mut sorted = Sorted::default();
        for key in self.before.keys() {
            self.sort(&key, &mut sorted)?;
        }
        let mut steps = Vec::new();
        if !sorted.gone.is_empty() {
            steps.push(self.recreate(&sorted.gone)?);
        }
        steps.append(&mut sorted.steps);
        if !sorted.made.is_empty() {
            steps.push(self.remove(sorted.made)?);
        }
        if sorted.back && steps.is_empty() {
            let resource = self.captured.before.resource.clone();
            let recreate = Action::Recreate { objects: Vec::new() };
            let step = self.step(resource, "is back".to_owned(), StepVerdict::Already, recreate)?;
            steps.push(step);
        }
        Ok(steps)
    }

    fn sort(&self, key: &Key, out: &mut Sorted) -> Result<()> {
        let there = |entry: Option<&'_ Entry>| entry.filter(|e| e.is_there()).cloned();
        let before = there(self.before.entry(key));
        let now = there(self.now.entry(key));
        let after = self.after.as_ref().map(|after| there(after.entry(key)).filter(|_| !self.went_with(key)));
        if [&before, &now].into_iter().flatten().any(|entry| entry.left) {
            return Ok(());
        }
        match (before, after, now) {
            (None, _, None) => {}
            (Some(b), after, None) => self.is_gone(key, &b, after.as_ref(), out)?,
            (None, Some(None), Some(_)) => {}
            (None, Some(Some(a)), Some(n)) if a.uid == n.uid && a.digest == n.digest => {
                out.made.push(Guarded { key: key.to_string(), uid: a.uid, digest: a.digest });
            }
            (None, Some(_), Some(_)) => {
                out.steps.push(self.conflict(key, "it was changed since the command made it")?)
            }
            (None, None, Some(_)) => {
                out.steps
                    .push(self.conflict(key, "it is there, and nobody told whether the command made it")?);
            }
            (Some(b), Some(Some(a)), Some(_)) if a.digest == b.digest && a.uid == b.uid => {}
            (Some(b), after, Some(n)) => self.is_there(key, (&b, after.as_ref(), &n), out)?,
        }
        Ok(())
    }

    /// True where the command's deletion of something else takes this along, a moment later: the owner, the namespace, the
    /// definition.
    fn went_with(&self, key: &Key) -> bool {
        let Some(after) = &self.after else { return false };
        let is_gone = |other: &Key| {
            let (old, new) = (self.before.entry(other), after.entry(other));
            old.is_some()
                && new.is_none_or(|new| !new.is_there() || old.is_some_and(|old| old.uid != new.uid))
        };
        let space = |name: &str| Key {
            namespace: String::new(),
            group: String::new(),
            kind: "Namespace".into(),
            name: name.into(),
        };
        if !key.namespace.is_empty() && is_gone(&space(&key.namespace)) {
            return true;
        }
        if !kinds::is_own(&key.group)
            && self.before.keys().any(|k| {
                k.kind == "CustomResourceDefinition"
                    && k.name.ends_with(&format!(".{}", key.group))
                    && is_gone(&k)
            })
        {
            return true;
        }
        let Some(object) = self.before.entry(key).and_then(|entry| Snapshot::object(entry, self.source).ok())
        else {
            return false;
        };
        let owners: BTreeSet<&str> = object.owners().iter().filter_map(|o| o.get("uid")?.as_str()).collect();
        !owners.is_empty()
            && self
                .before
                .entries()
                .any(|(k, e)| e.is_some_and(|e| owners.contains(e.uid.as_str())) && is_gone(&k))
    }

    fn is_gone(&self, key: &Key, b: &Entry, after: Option<&Option<Entry>>, out: &mut Sorted) -> Result<()> {
        let object = Snapshot::object(b, self.source)?;
        if let Some(Some(_)) = after {
            // A volume goes with its claim, in its own time.
            if !key.is("", "PersistentVolume") {
                out.steps.push(self.conflict(key, "somebody has deleted it since")?);
                return Ok(());
            }
        }
        if let Some(why) = kinds::must_not_return(&object).or_else(|| self.volume_is_lost(&object)) {
            let verdict = StepVerdict::NotCaptured { reason: why.to_owned() };
            let nothing = Action::Recreate { objects: Vec::new() };
            out.steps.push(self.step(
                self.name(key),
                format!("leave {} away", key.short()),
                verdict,
                nothing,
            )?);
            return Ok(());
        }
        out.gone.push(key.clone());
        Ok(())
    }

    fn volume_is_lost(&self, object: &Object) -> Option<&'static str> {
        let deletes = object.key.is("", "PersistentVolume")
            && object.text("/spec/persistentVolumeReclaimPolicy") == "Delete";
        let dynamic = object.annotation("pv.kubernetes.io/provisioned-by").is_some();
        (deletes && dynamic).then_some("its reclaim policy is Delete: the storage went with it, its data too")
    }

    fn is_there(
        &self,
        key: &Key,
        (b, after, n): (&Entry, Option<&Option<Entry>>, &Entry),
        out: &mut Sorted,
    ) -> Result<()> {
        let old = Snapshot::object(b, self.source)?;
        let now = Snapshot::object(n, self.source)?;
        if kinds::same(&old, &now) {
            out.back = true;
            return Ok(());
        }
        let Some(after) = after else {
            out.steps
                .push(self.conflict(key, "it is not as before, and nobody told how the command left it")?);
            return Ok(());
        };
        let Some(a) = after.as_ref() else {
            if kinds::comes_by_itself(key) {
                out.gone.push(key.clone());
            } else {
                out.steps.push(self.conflict(key, "somebody has made it anew since, and it is another one")?);
            }
            return Ok(());
        };
        if a.uid != n.uid {
            out.steps.push(self.conflict(key, "somebody has deleted it and made it anew since")?);
            return Ok(());
        }
        out.steps.push(self.amend(key, &old, a, &now)?);
        Ok(())
    }

    fn amend(&self, key: &Key, old: &Object, a: &Entry, now: &Object) -> Result<Step> {
        let after = Snapshot::object(a, self.source)?;
        let fields = fields::back(&old.normal(), &after.normal(), &now.normal());
        if !fields.changed_since.is_empty() {
            let what = fields::shown(&fields.changed_since);
            return self.conflict(key, &format!("{what} changed since the command"));
        }
        let mut action = format!("give {} back its {}", key.short(), fields::shown(&fields.written));
        if fields.patch.is_empty() {
            return self.step(
                self.name(key),
                action,
                StepVerdict::Already,
                Action::Recreate { objects: Vec::new() },
            );
        }
        if let Some(who) = controllers::manager(now).or_else(|| self.scaler(key, &fields.written)) {
            action.push_str(&format!("; {who} manages it and may change it again"));
        }
        let object = Guarded { key: key.to_string(), uid: a.uid.clone(), digest: a.digest };
        let mut step = self.step(
            self.name(key),
            action,
            StepVerdict::Restore,
            Action::Amend { object, left: a.object },
        )?;
        step.reversibility = Reversibility::Exact;
        Ok(step)
    }

    /// An autoscaler that was captured too and sets the number of replicas.
    fn scaler(&self, key: &Key, written: &[String]) -> Option<String> {
        if !written.iter().any(|path| path == "/spec/replicas") {
            return None;
        }
        let scalers = self
            .now
            .entries()
            .filter(|(k, _)| k.kind == "HorizontalPodAutoscaler" && k.namespace == key.namespace);
        let mut objects = scalers.filter_map(|(_, entry)| Snapshot::object(entry?, self.source).ok());
        let scaler = objects.find(|o| o.text("/spec/scaleTargetRef/name") == key.name)?;
        Some(format!("the autoscaler {}", scaler.key.name))
    }

    fn recreate(&self, gone: &[Key]) -> Result<Step> {
        const NAMED: usize = 4;
        let mut gone = gone.to_vec();
        gone.sort_by_key(|key| (kinds::rank(key), key.clone()));
        let mut named = gone.iter().take(NAMED).map(Key::short).collect::<Vec<_>>().join(", ");
        if gone.len() > NAMED {
            named.push_str(&format!(" and {} more", gone.len() - NAMED));
        }
        let mut action = format!("make {named} anew, with new uids");
        let (mut lost, mut who) = (Vec::new(), BTreeSet::new());
        for key in &gone {
            let Some(entry) = self.before.entry(key) else { continue };
            let object = Snapshot::object(entry, self.source)?;
            lost.extend(kinds::lost(&object));
            lost.extend(self.data_lost(&object));
            who.extend(controllers::manager(&object));
        }
        lost.extend(self.tokens_lost());
        if !who.is_empty() {
            let who = who.into_iter().collect::<Vec<_>>().join(", ");
            action.push_str(&format!("; {who} manages some of it and may change it again"));
        }
        let objects = gone.iter().map(Key::to_string).collect();
        let resource = self.captured.before.resource.clone();
        let mut step = self.step(resource, action, StepVerdict::Restore, Action::Recreate { objects })?;
        step.not_restored = lost;
        Ok(step)
    }

    /// A claim whose volume is gone, and its data with it.
    fn data_lost(&self, claim: &Object) -> Option<String> {
        let name = claim.text("/spec/volumeName");
        if !claim.key.is("", "PersistentVolumeClaim") || name.is_empty() {
            return None;
        }
        let key = Key {
            namespace: String::new(),
            group: String::new(),
            kind: "PersistentVolume".into(),
            name: name.to_owned(),
        };
        let volume = self.before.entry(&key).and_then(|entry| Snapshot::object(entry, self.source).ok())?;
        let is_there = self.now.entry(&key).is_some_and(Entry::is_there);
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

    /// Tokens of service accounts that the server makes anew.
    fn tokens_lost(&self) -> Vec<String> {
        let is_gone = |key: &Key| self.now.entry(key).is_none();
        let left = self.before.entries().filter(|(key, entry)| {
            key.is("", "Secret") && entry.is_some_and(|entry| entry.left) && is_gone(key)
        });
        left.filter_map(|(_, entry)| Snapshot::object(entry?, self.source).ok())
            .flat_map(|o| kinds::lost(&o))
            .collect()
    }

    fn remove(&self, made: Vec<Guarded>) -> Result<Step> {
        const NAMED: usize = 4;
        let names: Vec<String> =
            made.iter().filter_map(|g| Key::parse(&g.key)).map(|key| key.short()).collect();
        let mut named = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if names.len() > NAMED {
            named.push_str(&format!(" and {} more", names.len() - NAMED));
        }
        let resource = self.captured.before.resource.clone();
        let action = format!("delete {named}, made by the command");
        let mut step = self.step(resource, action, StepVerdict::Restore, Action::Remove { objects: made })?;
        step.reversibility = Reversibility::Exact;
        Ok(step)
    }

    fn conflict(&self, key: &Key, reason: &str) -> Result<Step> {
        let verdict = StepVerdict::Conflict { reason: format!("{}: {reason}", key.short()) };
        let nothing = Action::Recreate { objects: Vec::new() };
        self.step(self.name(key), format!("leave {} as it is", key.short()), verdict, nothing)
    }

    fn name(&self, key: &Key) -> Bytes {
        Bytes::from(format!("k8s:{}/{}/{}", self.before.cluster.context, key.namespace, key.short()))
    }

    fn step(&self, resource: Bytes, action: String, verdict: StepVerdict, what: Action) -> Result<Step> {
        let state = self.captured.before.state.object;
        let state = state.ok_or_else(|| Error::corrupt("a capture of a cluster without its state"))?;
        Ok(Step {
            system: SystemId::new("kubernetes"),
            resource,
            action,
            reversibility: Reversibility::Recreate,
            verdict,
            not_restored: Vec::new(),
            locator: self.captured.before.locator.clone(),
            payload: Payload { state, action: what }.encode()?,
            policy: None,
            ways: Vec::new(),
        })
    }
}
