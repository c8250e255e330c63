//! Carries out a step: in the recorded account, and in no other; only where the present is what the plan saw.

mod template;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::action::{Action, Payload};
use super::cli::{Call, Cli, Refusal, Reply};
use super::kinds::{self, Act, Each, Kind};
use super::query::Access;
use super::read::{self, Found};
use super::shape::{self, Material, REPLACES};
use super::snapshot::{Key, Snapshot};
use super::{capture, entries, s3};
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectSource, Step, StepOutcome};
use crate::systems::ApplyCx;

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(600);
/// How long something that was made is waited for, where more has to be done to it.
const PATIENCE: Duration = Duration::from_secs(180);
/// How many entries of a list are written in one go.
const IN_ONE_GO: usize = 100;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(700);

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload = Payload::of(step)?;
    let before = payload.before(cx.source)?;
    let cli = Cli::trusted(&Access::of(&step.locator), Instant::now() + LIMIT);
    match &payload.action {
        Action::Nothing => Ok(StepOutcome::Done),
        Action::Objects { bucket, objects } => s3::restore(&cli, &before, bucket, objects, cx),
        Action::Thing { key, left, .. } => {
            let key = Key::decode(key).ok_or_else(|| Error::corrupt("a step for AWS names nothing"))?;
            let kind = kinds::by_id(&key.kind)
                .ok_or_else(|| Error::failure(format!("this fr does not know {}", key.kind)))?;
            let thing = Thing {
                cli: &cli,
                before: &before,
                key: &key,
                kind,
                source: cx.source,
                state: payload.state,
                placed: RefCell::new(None),
            };
            let outcome = thing.back(*left)?;
            (cx.progress)(1);
            Ok(outcome)
        }
    }
}

/// Images are marked after they are made.
const IMAGE: &str = "image";

/// One thing that goes back.
struct Thing<'a> {
    cli: &'a Cli,
    before: &'a Snapshot,
    key: &'a Key,
    kind: &'a Kind,
    source: &'a dyn ObjectSource,
    state: ObjectId,
    /// Its key, where it is put back on an instance that was started in another's place.
    placed: RefCell<Option<Key>>,
}

impl Thing<'_> {
    fn back(&self, left: Option<ObjectId>) -> Result<StepOutcome> {
        let old = self.before.part(self.key).map(|part| Snapshot::value(part, self.source)).transpose()?;
        let looked = read::read(self.cli, std::slice::from_ref(self.key))?;
        capture::same_account(&self.before.account, &looked.account)?;
        let now = match looked.found.into_iter().next() {
            Some(Found::There(value)) => Some(value),
            Some(Found::Unknown(why)) => return Ok(failed(&format!("it cannot be read: {why}"))),
            Some(Found::Absent) | None => None,
        };
        let digest = |value: &Option<Value>| value.as_ref().map(|value| shape::digest(self.kind, value));
        if digest(&now) == digest(&old) {
            return Ok(StepOutcome::Done);
        }
        let comes = self.kind.comes && left.is_none() && now.is_some();
        if digest(&now) != left && !comes {
            return Ok(StepOutcome::Conflict {
                reason: format!("{} was changed just now", self.key.shown()),
            });
        }
        if let (Some(old), true) = (&old, self.kind.id() == template::VERSIONS) {
            return self.versions(old, now.as_ref());
        }
        if let (Some(old), None, template::TEMPLATE) = (&old, &now, self.kind.id().as_str()) {
            return self.template(old);
        }
        match (&self.kind.each, &old, &now) {
            (Some(each), _, _) => self.entries(each, old.as_ref(), now.as_ref()),
            (None, Some(old), Some(now)) => self.acts(&self.kind.put, old, Some(now)),
            (None, Some(old), None) => self.acts(self.kind.making(self.before, self.key), old, None),
            (None, None, Some(now)) => self.acts(&self.kind.remove, now, Some(now)),
            (None, None, None) => Ok(StepOutcome::Done),
        }
    }

    fn acts(&self, acts: &[Act], old: &Value, now: Option<&Value>) -> Result<StepOutcome> {
        let (mut done, mut now) = (Vec::new(), now.cloned());
        for act in acts {
            if !act.until.is_empty() {
                now = self.wait(&act.until)?;
                if act.op.is_empty() {
                    continue;
                }
            }
            // What was made anew in its place has an id of its own, and one operation may have done another's work.
            if !done.is_empty() {
                now = self.look()?;
            }
            if !shape::applies(act, old, now.as_ref()) {
                continue;
            }
            let making = self.kind.make.first().is_some_and(|first| first.op == act.op) && now.is_none();
            let input = self.input(act, old, now.as_ref(), making);
            match self.ask(act, input)? {
                Ok(answer) => {
                    done.push(act.op.as_str());
                    if let Some(refusal) = self.mark_afterwards(making, &answer, old)? {
                        return Ok(self.refused("create-tags", &refusal, &done));
                    }
                }
                Err(refusal) if act.fine.contains(&refusal.code) => done.push(act.op.as_str()),
                Err(refusal) => return Ok(self.refused(&act.op, &refusal, &done)),
            }
        }
        Ok(StepOutcome::Done)
    }

    fn ask(&self, act: &Act, mut input: Value) -> Result<Reply> {
        let reply = self.cli.ask(Call::new(&self.kind.service, &act.op, input.clone()))?;
        let Some(fields) = input.as_object_mut() else { return Ok(reply) };
        let spared = act.spare.iter().filter(|name| fields.remove(name.as_str()).is_some()).count();
        if reply.is_ok() || spared == 0 {
            return Ok(reply);
        }
        // Another request is another token.
        if let Some(Value::String(token)) = fields.get_mut("ClientToken") {
            token.push('b');
        }
        self.cli.ask(Call::new(&self.kind.service, &act.op, input))
    }

    /// The disks that went with an instance, as large as they were. Those that stay are not made again.
    fn disks(&self, old: &Value) -> Option<Value> {
        let one = |mapping: &Value| {
            let id = mapping.pointer("/Ebs/VolumeId")?.as_str()?;
            let goes = mapping.pointer("/Ebs/DeleteOnTermination")?.as_bool()?;
            let part = self.before.part(&Key::new("ec2:volume", &[id])).filter(|_| goes)?;
            let volume = Snapshot::value(part, self.source).ok()?;
            let mut disk = json!({"DeleteOnTermination": true});
            for (to, from) in [("VolumeSize", "Size"), ("VolumeType", "VolumeType")] {
                if let Some(value) = volume.get(from).filter(|value| !value.is_null()) {
                    disk[to] = value.clone();
                }
            }
            Some(json!({"DeviceName": mapping["DeviceName"], "Ebs": disk}))
        };
        let disks: Vec<Value> = old["BlockDeviceMappings"].as_array()?.iter().filter_map(one).collect();
        (!disks.is_empty()).then(|| Value::from(disks))
    }

    /// A list that has grown since: what was made last is what counts.
    fn look_at(&self, kind: &str) -> Option<Value> {
        let key = Key { kind: kind.to_owned(), ids: self.key.ids.iter().take(1).cloned().collect() };
        match read::read(self.cli, &[key]).ok()?.found.into_iter().next()? {
            Found::There(value) => Some(value),
            _ => None,
        }
    }

    fn look(&self) -> Result<Option<Value>> {
        let looked = read::read(self.cli, std::slice::from_ref(self.key))?;
        Ok(match looked.found.into_iter().next() {
            Some(Found::There(value)) => Some(value),
            _ => None,
        })
    }

    /// Waits until its present value has something; what it is then, however long that took.
    fn wait(&self, condition: &str) -> Result<Option<Value>> {
        let begun = Instant::now();
        loop {
            let now = self.look()?;
            if shape::holds(now.as_ref(), condition) || begun.elapsed() > PATIENCE {
                return Ok(now);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn input(&self, act: &Act, old: &Value, now: Option<&Value>, making: bool) -> Value {
        let placed = self.placed.borrow();
        let mut ids = read::ids(self.kind, placed.as_ref().unwrap_or(self.key));
        let own = now.filter(|_| !self.kind.own.is_empty()).and_then(|now| now.pointer(&self.kind.own));
        if let (Some(own), Some(first)) = (own, ids.first_mut()) {
            first.1 = own.clone();
        }
        let beside = |kind: &str| {
            if kinds::by_id(kind).is_some_and(|kind| kind.normal == "newest") {
                return self.look_at(kind);
            }
            let of_it = |(key, _): &(Key, Option<&super::snapshot::Part>)| {
                key.kind == kind && key.id(0) == self.key.id(0)
            };
            let (_, part) = self.before.parts().find(of_it)?;
            Snapshot::value(part?, self.source).ok()
        };
        let mut input = shape::parameters(
            act,
            &Material { kind: self.kind, value: old, now, ids: &ids, beside: &beside },
        );
        if making
            && !self.kind.tag.is_empty()
            && let Some(fields) = input.as_object_mut()
        {
            self.mark(old, fields);
        }
        input
    }

    /// The tags of what is made anew, one of which says what it stands for; and a token, by which doing it twice is doing
    /// it once.
    fn mark(&self, old: &Value, fields: &mut Map<String, Value>) {
        if self.kind.tag == IMAGE {
            return;
        }
        let tags = self.tags(old);
        if let Some(disks) = self.disks(old).filter(|_| self.kind.tag == "instance") {
            fields.insert("BlockDeviceMappings".to_owned(), disks);
        }
        fields.insert("TagSpecifications".to_owned(), json!([{"ResourceType": self.kind.tag, "Tags": tags}]));
        if matches!(self.kind.tag.as_str(), "instance" | "volume" | "natgateway") {
            let token = blake3::hash(format!("{}{}", self.state, self.key.encode()).as_bytes()).to_hex();
            fields.insert("ClientToken".to_owned(), Value::from(token.get(..32).unwrap_or_default()));
        }
    }

    /// Its old tags, and the one that says what it stands for.
    fn tags(&self, old: &Value) -> Vec<Value> {
        let is_own =
            |tag: &&Value| !tag["Key"].as_str().is_some_and(|key| key.starts_with("aws:") || key == REPLACES);
        let mut tags: Vec<Value> =
            old["Tags"].as_array().into_iter().flatten().filter(is_own).cloned().collect();
        tags.push(json!({"Key": REPLACES, "Value": self.key.id(0)}));
        tags
    }

    /// The same of what takes no tags while it is made: `register-image` of the command lines before 2024.
    fn mark_afterwards(&self, making: bool, answer: &Value, old: &Value) -> Result<Option<Refusal>> {
        let id = answer.pointer(&self.kind.own).and_then(Value::as_str);
        let Some(id) = id.filter(|_| making && self.kind.tag == IMAGE) else { return Ok(None) };
        let input = json!({"Resources": [id], "Tags": self.tags(old)});
        Ok(self.cli.ask(Call::new("ec2", "create-tags", input))?.err())
    }

    /// Adds what is missing in a list, then drops what is too much.
    fn entries(&self, each: &Each, old: Option<&Value>, present: Option<&Value>) -> Result<StepOutcome> {
        if self.kind.of_instance
            && let Some(reason) = self.find_instance()?
        {
            return Ok(failed(&reason));
        }
        let entries = entries::between(self.kind, each, old, present);
        if entries.lacks_an_operation() {
            return Ok(failed(&format!("{}: an entry has no way back", self.key.shown())));
        }
        let mut done = 0;
        for group in [entries.added, entries.dropped] {
            for group in group.chunks(IN_ONE_GO) {
                let call = |(act, one): &(&Act, Value)| {
                    Call::new(&self.kind.service, &act.op, self.input(act, one, present, false))
                };
                let calls: Vec<Call> = group.iter().map(call).collect();
                for ((act, _), reply) in group.iter().zip(self.cli.ask_all(&calls)?.replies) {
                    match reply {
                        Err(refusal) if !act.fine.contains(&refusal.code) => {
                            let until = format!("{done} entries");
                            return Ok(self.refused(&act.op, &refusal, &[until.as_str()]));
                        }
                        _ => done += 1,
                    }
                }
            }
        }
        Ok(StepOutcome::Done)
    }

    /// Finds the instance that its entries are put on, and waits until it can take them; why it cannot.
    fn find_instance(&self) -> Result<Option<String>> {
        let placed = read::on_instances(self.cli, std::slice::from_ref(self.key))?.into_iter().next();
        let id = placed.as_ref().map_or("", |key| key.id(0)).to_owned();
        *self.placed.borrow_mut() = placed;
        let begun = Instant::now();
        loop {
            let input = json!({"InstanceIds": [id]});
            let answer = match self.cli.ask(Call::new("ec2", "describe-instances", input))? {
                Ok(answer) => answer,
                Err(refusal) => return Ok(Some(format!("{}: {}", self.key.shown(), refusal.shown()))),
            };
            let state = answer.pointer("/Reservations/0/Instances/0/State/Name").and_then(Value::as_str);
            match state {
                Some("running" | "stopped") => return Ok(None),
                Some("pending" | "stopping") if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                other => {
                    let state = other.unwrap_or("gone");
                    return Ok(Some(format!("{}: the instance {id} is {state}", self.key.shown())));
                }
            }
        }
    }

    fn refused(&self, op: &str, refusal: &Refusal, done: &[&str]) -> StepOutcome {
        let until =
            if done.is_empty() { String::new() } else { format!("; done until then: {}", done.join(", ")) };
        failed(&format!("{}: {op}: {}{until}", self.key.shown(), refusal.shown()))
    }
}

fn failed(reason: &str) -> StepOutcome {
    StepOutcome::Failed { reason: reason.to_owned() }
}
