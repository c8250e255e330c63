//! The way back, object by object, by what it was before (B), after (A) and is now (N).

use std::collections::BTreeSet;

use super::action::Guarded;
use super::clash::{Clash, Ways};
use super::fields::{self, Fields};
use super::kinds;
use super::object::{Key, Object};
use super::query::Access;
use super::release;
use super::snapshot::{Entry, Snapshot};
use super::steps::Steps;
use super::tryout::{self, Asked};
use crate::error::Result;
use crate::model::{Captured, ObjectId, ObjectSource, StateRef, Step};
use crate::systems::PlanCx;

/// Plans: one step for all that is made anew, one for all that is removed, one for each object whose fields go back.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let planner = Planner {
        before: Snapshot::load(&captured.before.state, cx.source)?,
        after: captured.after.map(|after| Snapshot::load(&after, cx.source)).transpose()?,
        now: Snapshot::load(now, cx.source)?,
        source: cx.source,
    };
    let sorted = planner.sorted()?;
    let asked = planner.asked(&sorted)?;
    let tried = tryout::ask(&Access::of(&captured.before.locator), &asked);
    let steps = Steps { captured, planner: &planner, tried: &tried, event: cx.event.to_string() };
    steps.of(sorted)
}

/// The three states.
pub struct Planner<'a> {
    /// Before the command.
    pub before: Snapshot,
    /// After it, where that is known.
    pub after: Option<Snapshot>,
    /// The present.
    pub now: Snapshot,
    /// Stored objects.
    pub source: &'a dyn ObjectSource,
}

/// An object whose fields go back.
pub struct Amending {
    /// Which, as the command left it.
    pub object: Guarded,
    /// As the command left it.
    pub left: ObjectId,
    /// As it is now.
    pub now: Object,
    /// What is written.
    pub fields: Fields,
    /// The command replaced the object by another one.
    pub replaced: bool,
}

/// What is to be done, and what cannot be.
#[derive(Default)]
pub struct Sorted {
    /// To be made anew.
    pub gone: Vec<Key>,
    /// To be removed.
    pub made: Vec<Guarded>,
    /// Whose fields go back.
    pub amended: Vec<Amending>,
    /// Made anew, removed or given back already.
    pub back: bool,
    /// Left away, and why.
    pub left_away: Vec<(Key, String)>,
    /// In conflict, why, and what might be done about it.
    pub clashes: Vec<(Key, String, Ways)>,
}

impl Planner<'_> {
    fn sorted(&self) -> Result<Sorted> {
        let mut sorted = Sorted::default();
        for key in self.before.keys_with(self.after.as_ref()) {
            self.sort(&key, &mut sorted)?;
        }
        self.leave_what_was_there(&mut sorted)?;
        Ok(sorted)
    }

    /// Helm may take over what others made: it carries the release's name since, and is not the command's to delete.
    fn leave_what_was_there(&self, out: &mut Sorted) -> Result<()> {
        let Some(after) = self.after.as_ref().filter(|_| self.before.releases.is_some()) else {
            return Ok(());
        };
        let records = release::new_records(&self.before, after, self.source);
        for guard in std::mem::take(&mut out.made) {
            let key = guard.key()?;
            let known = if self.before.covers(&key) { None } else { after.entry(&key) };
            let object = known.map(|entry| Snapshot::object(entry, self.source)).transpose()?;
            match object.and_then(|object| release::was_there_before(&object, &records)) {
                Some(why) => out.left_away.push((key, why)),
                None => out.made.push(guard),
            }
        }
        Ok(())
    }

    fn sort(&self, key: &Key, out: &mut Sorted) -> Result<()> {
        let there = |entry: Option<&'_ Entry>| entry.filter(|e| e.is_there()).cloned();
        let before = there(self.before.entry(key));
        let now = there(self.now.entry(key));
        let after = self.after.as_ref().map(|after| left_of(key, &self.before, after, self.source));
        let is_left = [&before, &now].into_iter().flatten().any(|entry| entry.left);
        // What a controller has made anew is its own; what the command has written into one that is still there goes back.
        if is_left && (kinds::is_status(key) || !is_one([&before, &after.clone().flatten(), &now])) {
            return Ok(());
        }
        match (before, after, now) {
            (None, _, None) => {}
            (Some(b), after, None) => self.is_gone(key, &b, after.as_ref(), out)?,
            (None, Some(None), Some(_)) => {}
            (None, Some(Some(a)), Some(n)) if a.uid == n.uid && a.digest == n.digest => {
                out.made.push(Guarded { key: key.to_string(), uid: a.uid, digest: a.digest });
            }
            (None, Some(_), Some(n)) => {
                out.clash(key, "it was changed since the command made it", Clash::Made { now: &n });
            }
            (None, None, Some(n)) => {
                let why = "it is there, and nobody told whether the command made it";
                out.clash(key, why, Clash::Made { now: &n });
            }
            (Some(b), Some(Some(a)), Some(_)) if a.digest == b.digest && a.uid == b.uid => {}
            (Some(b), after, Some(n)) => self.is_there(key, (&b, after.as_ref(), &n), out)?,
        }
        Ok(())
    }

    fn is_gone(&self, key: &Key, b: &Entry, after: Option<&Option<Entry>>, out: &mut Sorted) -> Result<()> {
        let object = Snapshot::object(b, self.source)?;
        if let Some(Some(_)) = after {
            // A volume goes with its claim, in its own time.
            if !key.is("", "PersistentVolume") {
                out.clash(key, "somebody has deleted it since", Clash::Deleted);
                return Ok(());
            }
        }
        match kinds::must_not_return(&object).or_else(|| volume_is_lost(&object)) {
            Some(why) => out.left_away.push((key.clone(), why.to_owned())),
            None => out.gone.push(key.clone()),
        }
        Ok(())
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
            let why = "it is not as before, and nobody told how the command left it";
            out.clash(key, why, Clash::Unknown { now: n });
            return Ok(());
        };
        let Some(a) = after.as_ref() else {
            if kinds::comes_by_itself(key) {
                out.gone.push(key.clone());
            } else {
                let why = "somebody has made it anew since, and it is another one";
                out.clash(key, why, Clash::MadeAnew { now: n });
            }
            return Ok(());
        };
        if a.uid != n.uid {
            let why = "somebody has deleted it and made it anew since";
            out.clash(key, why, Clash::MadeAnew { now: n });
            return Ok(());
        }
        self.amend((&old, b), a, (now, n), out)
    }

    fn amend(
        &self,
        (old, b): (&Object, &Entry),
        a: &Entry,
        (now, n): (Object, &Entry),
        out: &mut Sorted,
    ) -> Result<()> {
        let key = old.key.clone();
        let after = Snapshot::object(a, self.source)?;
        let fields = fields::back(&old.normal(), &after.normal(), &now.normal());
        if !fields.changed_since.is_empty() {
            let why = format!("{} changed since the command", fields::shown(&fields.changed_since));
            out.clash(&key, &why, Clash::Written { states: [old, &after, &now], left: a, now: n });
            return Ok(());
        }
        if fields.patch.is_empty() {
            out.back = true;
            return Ok(());
        }
        let object = Guarded { key: key.to_string(), uid: a.uid.clone(), digest: a.digest };
        out.amended.push(Amending { object, left: a.object, now, fields, replaced: a.uid != b.uid });
        Ok(())
    }

    /// How many objects the command changed, whatever they are now: a plan that is made again groups them alike.
    pub fn changed(&self) -> usize {
        let Some(after) = &self.after else { return 0 };
        let differs = |(key, b): (Key, Option<&Entry>)| match (b, after.entry(&key)) {
            (Some(b), Some(a)) => a.is_there() && b.digest != a.digest,
            _ => false,
        };
        self.before.entries().filter(|(key, b)| differs((key.clone(), *b))).count()
    }

    /// What the server is asked before.
    fn asked(&self, sorted: &Sorted) -> Result<Asked> {
        let mut asked = Asked::default();
        for key in &sorted.gone {
            if let Some(entry) = self.before.entry(key) {
                asked.make.push(Snapshot::object(entry, self.source)?);
            }
        }
        for one in &sorted.amended {
            asked.write.push((one.now.clone(), one.fields.clone(), one.replaced));
        }
        for guard in &sorted.made {
            if let Some(entry) = self.now.entry(&guard.key()?) {
                asked.remove.push((Snapshot::object(entry, self.source)?, guard.clone()));
            }
        }
        Ok(asked)
    }
}

impl Sorted {
    fn clash(&mut self, key: &Key, why: &str, clash: Clash<'_>) {
        self.clashes.push((key.clone(), why.to_owned(), clash.ways(key)));
    }
}

/// The very same object all the time.
fn is_one(states: [&Option<Entry>; 3]) -> bool {
    match states {
        [Some(b), Some(a), Some(n)] => b.uid == a.uid && a.uid == n.uid,
        _ => false,
    }
}

/// What the command left of an object. One that the deletion of something else takes along, a moment later, is as good as gone;
/// not so what the same command has made since (`kubectl delete ns x && kubectl create ns x && kubectl apply …`).
pub fn left_of(key: &Key, before: &Snapshot, after: &Snapshot, source: &dyn ObjectSource) -> Option<Entry> {
    let there = |entry: Option<&Entry>| entry.filter(|e| e.is_there()).cloned();
    let left = there(after.entry(key))?;
    let is_made_since = match there(before.entry(key)) {
        Some(old) => old.uid != left.uid,
        None => there(after.entry(&Key::cluster_wide("", "Namespace", &key.namespace))).is_some(),
    };
    (is_made_since || !went_with(key, before, after, source)).then_some(left)
}

/// True where a deletion of something else takes this along, a moment later: the owner, the namespace, the definition.
fn went_with(key: &Key, before: &Snapshot, after: &Snapshot, source: &dyn ObjectSource) -> bool {
    let is_gone = |other: &Key| {
        let (old, new) = (before.entry(other), after.entry(other));
        old.is_some() && new.is_none_or(|new| !new.is_there() || old.is_some_and(|old| old.uid != new.uid))
    };
    if !key.namespace.is_empty() && is_gone(&Key::cluster_wide("", "Namespace", &key.namespace)) {
        return true;
    }
    let defines = |k: &Key| {
        k.kind == "CustomResourceDefinition" && k.name.ends_with(&format!(".{}", key.group)) && is_gone(k)
    };
    if !kinds::is_own(&key.group) && before.keys().any(|k| defines(&k)) {
        return true;
    }
    let Some(object) = before.entry(key).and_then(|entry| Snapshot::object(entry, source).ok()) else {
        return false;
    };
    let owners: BTreeSet<&str> = object.owners().iter().filter_map(|o| o.get("uid")?.as_str()).collect();
    !owners.is_empty()
        && before.entries().any(|(k, e)| e.is_some_and(|e| owners.contains(e.uid.as_str())) && is_gone(&k))
}

fn volume_is_lost(object: &Object) -> Option<&'static str> {
    let deletes = object.key.is("", "PersistentVolume")
        && object.text("/spec/persistentVolumeReclaimPolicy") == "Delete";
    let dynamic = object.annotation("pv.kubernetes.io/provisioned-by").is_some();
    (deletes && dynamic).then_some("its reclaim policy is Delete: the storage went with it, its data too")
}
