//! The way back, thing by thing, by what it was before (B), after (A) and is now (N).

use std::collections::BTreeMap;

use serde_json::Value;

use super::action::{Action, Payload};
use super::kinds::{self, Act, Kind};
use super::read::ANY;
use super::snapshot::{Key, Part, Snapshot};
use super::{entries, s3, shape};
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Captured, ObjectId, ObjectSource, Reversibility, StateRef, Step, StepVerdict, SystemId,
};
use crate::systems::PlanCx;

/// Plans: one step for each thing, one for all objects of a bucket.
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

/// What is made anew comes in the order of the kinds, then what is removed, the other way round.
pub fn arrange(steps: &mut [Step]) {
    steps.sort_by_key(|step| match Payload::of(step).map(|payload| payload.action) {
        Ok(Action::Thing { key, removes, .. }) => {
            let rank = Key::decode(&key).map_or(usize::MAX, |key| kinds::rank(&key.kind));
            if removes { (1, usize::MAX - rank) } else { (0, rank) }
        }
        Ok(Action::Objects { .. }) => (0, kinds::rank(s3::OBJECT)),
        Ok(Action::Nothing) | Err(_) => (2, 0),
    });
}

fn on_request(asks: &str) -> StepVerdict {
    match asks.is_empty() {
        true => StepVerdict::Restore,
        false => StepVerdict::OnRequest { reason: format!("{asks}: --apply-infra does it") },
    }
}

struct Planner<'a> {
    captured: &'a Captured,
    before: Snapshot,
    after: Option<Snapshot>,
    now: Snapshot,
    source: &'a dyn ObjectSource,
}

/// What is to be done about one thing.
enum Way {
    /// Nothing: the command did not change it.
    Leave,
    /// It is as before.
    Back,
    /// It goes back.
    Go,
    /// Somebody stands in between.
    Conflict(&'static str),
}

impl Planner<'_> {
    fn steps(&self) -> Result<Vec<Step>> {
        let mut keys: Vec<Key> =
            self.before.parts().map(|(key, _)| key).filter(|key| !s3::is_object(key)).collect();
        keys.sort_by_key(|key| (kinds::rank(&key.kind), key.clone()));
        let (mut steps, mut removing, mut back) = (Vec::new(), Vec::new(), false);
        let mut buckets = self.buckets()?;
        for key in keys {
            // Settings come after objects, except those without which objects cannot be written as they were.
            if kinds::rank(&key.kind) > kinds::rank(s3::OBJECT) {
                steps.append(&mut buckets.0);
            }
            match self.way(&key) {
                Way::Leave => {}
                Way::Back => back = true,
                Way::Conflict(reason) => steps.push(self.conflict(&key, reason)?),
                Way::Go if self.before.part(&key).is_none() => removing.push(self.thing(&key)?),
                Way::Go => steps.push(self.thing(&key)?),
            }
        }
        steps.append(&mut buckets.0);
        removing.reverse();
        steps.append(&mut removing);
        if steps.is_empty() && (back || buckets.1) {
            let resource = self.captured.before.resource.clone();
            steps.push(self.step(resource, "is back".to_owned(), StepVerdict::Already, Action::Nothing)?);
        }
        Ok(steps)
    }

    fn way(&self, key: &Key) -> Way {
        let kind = kinds::by_id(&key.kind);
        if kind.is_some_and(|kind| kind.carried) {
            return Way::Leave;
        }
        // What has come with what it belongs to goes with it.
        if let Some(kind) = kind
            && kind.comes
            && kind.remove.is_empty()
            && kind.each.is_none()
            && self.before.part(key).is_none()
        {
            return Way::Leave;
        }
        let digest = |part: Option<&Part>| part.map(|part| part.digest);
        let (b, n) = (digest(self.before.part(key)), digest(self.now.part(key)));
        let a = self.after.as_ref().map(|after| digest(after.part(key)));
        match (b, a, n) {
            (b, Some(a), _) if a == b => Way::Leave,
            (b, _, n) if b == n => Way::Back,
            (_, Some(a), n) if a == n => Way::Go,
            // What the service takes its time to remove.
            (Some(_), _, None) => Way::Go,
            (None, None, Some(_)) => {
                Way::Conflict("it is there, and nobody told whether the command made it")
            }
            (Some(_), None, Some(_)) => {
                Way::Conflict("it is not as before, and nobody told how the command left it")
            }
            (None, None, None) => Way::Back,
            (_, Some(_), _) => Way::Conflict("it was changed since"),
        }
    }

    fn thing(&self, key: &Key) -> Result<Step> {
        let name = key.shown();
        let nothing = |reason: String| (String::new(), StepVerdict::NotCaptured { reason });
        let (before, now) = (self.before.part(key), self.now.part(key));
        let any = Kind::default();
        let kind = kinds::by_id(&key.kind).unwrap_or(&any);
        let by_hand = || match key.kind.starts_with(ANY) {
            true => format!(
                "fr knows no way back of aws {}; `fr restore ID --to DIR` has what it was",
                self.before.operation
            ),
            false if kind.by_hand.is_empty() => {
                "fr knows no way back; `fr restore ID --to DIR` has what it was".to_owned()
            }
            false => kind.by_hand.clone(),
        };
        let ops = |acts: &[Act]| self.operations(acts, before, now);
        let making = kind.making(&self.before, key);
        let ((action, verdict), makes) = match (before, now) {
            _ if self.lacks_entries(kind, before, now) => (nothing(by_hand()), false),
            (Some(_), Some(_)) | (Some(_), None) if kind.each.is_some() => {
                ((self.put_back(&name, kind, before), StepVerdict::Restore), false)
            }
            (Some(_), Some(_)) if kind.put.is_empty() => (nothing(by_hand()), false),
            (Some(_), Some(_)) if ops(&kind.put).is_empty() => {
                let why =
                    "fr knows no operation that gives it back what it was; `fr restore ID --to DIR` has it";
                (nothing(why.to_owned()), false)
            }
            (Some(_), Some(_)) => {
                ((format!("give {name} its old values ({})", ops(&kind.put)), StepVerdict::Restore), false)
            }
            (Some(_), None) if making.is_empty() || !self.has_needs(key, kind) => (nothing(by_hand()), true),
            (Some(_), None) => {
                let fresh = if kind.fresh.is_empty() {
                    String::new()
                } else {
                    format!(", with a new {}", kind.fresh)
                };
                let verdict = match kind.asks.is_empty() {
                    true => StepVerdict::Restore,
                    false => {
                        StepVerdict::OnRequest { reason: format!("{}: --apply-infra does it", kind.asks) }
                    }
                };
                ((format!("make {name} anew ({}){fresh}", ops(making)), verdict), true)
            }
            (None, _) if kind.each.is_some() => (
                (format!("take the entries out of {name} that the command added"), StepVerdict::Restore),
                false,
            ),
            (None, _) if kind.remove.is_empty() => (nothing(by_hand()), false),
            (None, _) => (
                (format!("remove {name}, made by the command ({})", ops(&kind.remove)), StepVerdict::Restore),
                false,
            ),
        };
        // What belongs to something that is made anew only on request waits for it.
        let verdict = match verdict {
            StepVerdict::Restore if now.is_none() => on_request(self.asked_for(key)),
            other => other,
        };
        let left = now.map(|part| part.digest);
        let mut step = self.step(
            Bytes::from(name),
            action,
            verdict,
            Action::Thing { key: key.encode(), left, removes: before.is_none() },
        )?;
        if makes {
            step.reversibility = kind.promise.unwrap_or(Reversibility::Recreate);
        }
        match step.verdict {
            StepVerdict::NotCaptured { .. } => step.reversibility = Reversibility::Irreversible,
            _ if makes => {
                step.not_restored = kind.losing(&self.before, key).to_vec();
                if let (Some(stays), Some(part)) = (&kind.stays, before) {
                    step.not_restored.extend(stays.of(&Snapshot::value(part, self.source)?));
                }
            }
            _ => {}
        }
        Ok(step)
    }

    /// What putting entries back does, by their names where the kind says how to call it.
    fn put_back(&self, name: &str, kind: &Kind, before: Option<&Part>) -> String {
        let field = kind.each.as_ref().and_then(|each| each.key.first());
        let (Some(field), false) = (field, kind.does.is_empty()) else {
            return format!("put the entries of {name} back that were there");
        };
        let value = before.and_then(|part| Snapshot::value(part, self.source).ok()).unwrap_or_default();
        let at = kind.each.as_ref().map(|each| each.at.as_str()).unwrap_or_default();
        let list = shape::all_at(&value, at).unwrap_or_default();
        let shown = |one: &Value| match &one[field] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let names: Vec<String> = list.as_array().into_iter().flatten().map(shown).collect();
        format!("{} {}", kind.does, names.join(", "))
    }

    /// The operations that will be used.
    fn operations(&self, acts: &[Act], before: Option<&Part>, now: Option<&Part>) -> String {
        let value = |part: Option<&Part>| part.and_then(|part| Snapshot::value(part, self.source).ok());
        let (old, now) = (value(before), value(now));
        let applies = |act: &&Act| old.as_ref().is_none_or(|old| shape::applies(act, old, now.as_ref()));
        let mut names: Vec<&str> =
            acts.iter().filter(applies).map(|act| act.op.as_str()).filter(|op| !op.is_empty()).collect();
        names.dedup();
        names.join(", ")
    }

    /// It is a list, and an entry of it has to come or go for which no operation is known.
    fn lacks_entries(&self, kind: &Kind, before: Option<&Part>, now: Option<&Part>) -> bool {
        let Some(each) = &kind.each else { return false };
        let value = |part: Option<&Part>| part.and_then(|part| Snapshot::value(part, self.source).ok());
        let (old, now) = (value(before), value(now));
        entries::between(kind, each, old.as_ref(), now.as_ref()).lacks_an_operation()
    }

    /// Why what a thing belongs to is made anew only on request; empty where it is not.
    fn asked_for(&self, key: &Key) -> &'static str {
        let is_its = |kind: &&Kind| kind.with.iter().any(|with| with.kind == key.kind);
        let owners = kinds::all().iter().filter(is_its).filter(|kind| {
            let owner = Key::new(&kind.id(), &[key.id(0)]);
            self.before.part(&owner).is_some() && self.now.part(&owner).is_none()
        });
        owners.map(|kind| kind.asks.as_str()).find(|asks| !asks.is_empty()).unwrap_or_default()
    }

    /// What making it anew takes is there: a snapshot, for example.
    fn has_needs(&self, key: &Key, kind: &Kind) -> bool {
        let Some((other, _)) = kind.needs.split_once('/') else { return true };
        let other = Key { kind: other.to_owned(), ids: key.ids.iter().take(1).cloned().collect() };
        self.now.part(&other).is_some() || self.before.part(&other).is_some()
    }

    /// One step for the objects of each bucket. The second: some are back.
    fn buckets(&self) -> Result<(Vec<Step>, bool)> {
        let mut going: BTreeMap<String, BTreeMap<String, Option<ObjectId>>> = BTreeMap::new();
        let (mut steps, mut back, mut lost) = (Vec::new(), false, Vec::new());
        for (key, part) in self.before.parts().filter(|(key, _)| s3::is_object(key)) {
            match self.way(&key) {
                Way::Leave => {}
                Way::Back => back = true,
                Way::Conflict(reason) => steps.push(self.conflict(&key, reason)?),
                Way::Go if part.is_some_and(|part| !s3::can_return(part)) => lost.push(key),
                Way::Go => {
                    let left = self.now.part(&key).map(|part| part.digest);
                    going.entry(key.id(0).to_owned()).or_default().insert(key.id(1).to_owned(), left);
                }
            }
        }
        for key in lost {
            let reason = "its content was not kept".to_owned();
            let verdict = StepVerdict::NotCaptured { reason };
            steps.push(self.step(Bytes::from(key.shown()), String::new(), verdict, Action::Nothing)?);
        }
        for (bucket, objects) in going {
            steps.push(self.objects(bucket, objects)?);
        }
        Ok((steps, back))
    }

    fn objects(&self, bucket: String, objects: BTreeMap<String, Option<ObjectId>>) -> Result<Step> {
        let was = |name: &String| self.before.part(&Key::new(s3::OBJECT, &[&bucket, name]));
        let made = objects.keys().filter(|name| was(name).is_none()).count();
        let versions = objects.keys().filter_map(was).filter(|part| s3::has_version(part)).count();
        let copies = objects.len() - made - versions;
        let few = |n: usize| if n == 1 { "1 object".to_owned() } else { format!("{n} objects") };
        let mut does = Vec::new();
        if versions > 0 {
            does.push(format!("bring the old versions of {} back", few(versions)));
        }
        if copies > 0 {
            does.push(format!("write {} again, byte for byte", few(copies)));
        }
        if made > 0 {
            does.push(format!("remove {}, made by the command", few(made)));
        }
        let resource = match objects.keys().next() {
            Some(name) if objects.len() == 1 => format!("aws:s3:object:{bucket}/{name}"),
            _ => format!("{} of aws:s3:bucket:{bucket}", few(objects.len())),
        };
        let mut step = self.step(
            Bytes::from(resource),
            does.join("; "),
            StepVerdict::Restore,
            Action::Objects { bucket, objects },
        )?;
        step.reversibility = Reversibility::Exact;
        Ok(step)
    }

    fn conflict(&self, key: &Key, reason: &str) -> Result<Step> {
        let verdict = StepVerdict::Conflict { reason: reason.to_owned() };
        self.step(
            Bytes::from(key.shown()),
            format!("leave {} as it is", key.shown()),
            verdict,
            Action::Nothing,
        )
    }

    fn step(&self, resource: Bytes, action: String, verdict: StepVerdict, what: Action) -> Result<Step> {
        let state = self.captured.before.state.object;
        let state = state.ok_or_else(|| Error::corrupt("a capture of an account without its state"))?;
        Ok(Step {
            system: SystemId::new("aws"),
            resource,
            action,
            reversibility: Reversibility::Exact,
            verdict,
            not_restored: Vec::new(),
            locator: self.captured.before.locator.clone(),
            payload: Payload { state, action: what }.encode()?,
            policy: None,
            ways: Vec::new(),
        })
    }
}
