//! Makes objects anew that are gone: definitions and namespaces first, owners before what they own, and nothing over what
//! somebody made since.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::action;
use super::amend::{self, Written};
use super::apply::GOING;
use super::fields::{self, Fields};
use super::kinds::{self, Addresses};
use super::kubectl::{Kubectl, said};
use super::look;
use super::object::{Key, Object};
use super::remove;
use super::resources::Resources;
use super::snapshot::Snapshot;
use crate::error::Result;
use crate::model::StepOutcome;
use crate::systems::ApplyCx;

/// How many kubectls write beside each other.
const AT_ONCE: usize = 4;
/// How long the server gets to serve a definition that came back, or to make a service account.
const SETTLE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(300);

/// Makes them.
pub fn recreate(
    kubectl: &Kubectl,
    before: &Snapshot,
    names: &[String],
    cx: &ApplyCx<'_>,
) -> Result<StepOutcome> {
    let mut all = Vec::new();
    for name in names {
        if let Some(entry) = before.entry(&action::key(name)?) {
            all.push(Snapshot::object(entry, cx.source)?);
        }
    }
    let mut work = Work { kubectl, cx, resources: None, uids: HashMap::new(), failed: Vec::new() };
    let mut left = match work.absent(all)? {
        Ok(left) => left,
        Err(outcome) => return Ok(outcome),
    };
    work.free_volumes(&mut left)?;
    while !left.is_empty() {
        let batch = next(&mut left);
        work.make(batch)?;
    }
    Ok(match work.failed.as_slice() {
        [] => StepOutcome::Done,
        failed => StepOutcome::Failed { reason: failed.join("; ") },
    })
}

/// The objects that can be made next: of the lowest rank, and owned by none that is still to be made.
fn next(left: &mut Vec<Object>) -> Vec<Object> {
    let uids: BTreeSet<String> = left.iter().map(|o| o.uid().to_owned()).collect();
    let waits = |object: &Object| object.owners().iter().any(|owner| uids.contains(uid_of(owner)));
    let ready = left.iter().filter(|o| !waits(o)).map(|o| kinds::rank(&o.key)).min();
    // Two that own each other: in any order.
    let Some(rank) = ready else { return std::mem::take(left) };
    let (batch, rest) =
        std::mem::take(left).into_iter().partition(|o| !waits(o) && kinds::rank(&o.key) == rank);
    *left = rest;
    batch
}

fn uid_of(owner: &Value) -> &str {
    owner.get("uid").and_then(Value::as_str).unwrap_or_default()
}

struct Work<'a> {
    kubectl: &'a Kubectl,
    cx: &'a ApplyCx<'a>,
    resources: Option<Resources>,
    /// New identities by old ones.
    uids: HashMap<String, String>,
    failed: Vec<String>,
}

impl Work<'_> {
    /// Those that are not there. What is being deleted is waited for; what somebody made is a conflict.
    fn absent(&mut self, all: Vec<Object>) -> Result<Result<Vec<Object>, StepOutcome>> {
        let keys: Vec<_> = all.iter().map(|o| (o.key.clone(), Some(o.version.clone()))).collect();
        let mut there: HashMap<Key, Object> = HashMap::new();
        let mut going = Vec::new();
        for (object, _) in look::look(self.kubectl, &keys)? {
            if object.is_going() {
                going.push(object.key.clone());
            } else {
                there.insert(object.key.clone(), object);
            }
        }
        let stuck = remove::gone(self.kubectl, &going)?;
        if !stuck.is_empty() {
            let (what, seconds) = (stuck.join(", "), GOING.as_secs());
            let reason = format!(
                "{what} is still being deleted after {seconds} s: a finalizer holds it; undo again later"
            );
            return Ok(Err(StepOutcome::Failed { reason }));
        }
        let mut left = Vec::new();
        for object in all {
            match there.get(&object.key) {
                None => left.push(object),
                Some(now) if kinds::same(&object, now) => {
                    self.uids.insert(object.uid().to_owned(), now.uid().to_owned());
                }
                Some(now) if kinds::comes_by_itself(&now.key) => left.push(object),
                Some(now) => {
                    let reason = format!("somebody has made {} since", now.key.short());
                    return Ok(Err(StepOutcome::Conflict { reason }));
                }
            }
        }
        Ok(Ok(left))
    }

    /// A volume that stays remembers the identity of the claim that is gone; a claim whose volume is gone asks for a new one.
    fn free_volumes(&mut self, left: &mut [Object]) -> Result<()> {
        let made: BTreeSet<String> =
            left.iter().filter(|o| o.key.is("", "PersistentVolume")).map(|o| o.key.name.clone()).collect();
        let claims: Vec<&mut Object> =
            left.iter_mut().filter(|o| o.key.is("", "PersistentVolumeClaim")).collect();
        for claim in claims {
            let name = claim.text("/spec/volumeName").to_owned();
            if name.is_empty() || made.contains(&name) {
                continue;
            }
            let key =
                Key { namespace: String::new(), group: String::new(), kind: "PersistentVolume".into(), name };
            let Some(volume) = amend::one(self.kubectl, &key, "v1")? else {
                claim.remove("/spec", &["volumeName"]);
                continue;
            };
            let of_claim = volume.text("/spec/claimRef/name") == claim.key.name
                && volume.text("/spec/claimRef/namespace") == claim.key.namespace
                && volume.text("/spec/claimRef/uid") == claim.uid();
            if of_claim {
                let patch = vec![json!({"op": "remove", "path": "/spec/claimRef/uid"})];
                let fields = Fields { patch, ..Fields::default() };
                if let Written::Refused(why) = amend::write(self.kubectl, &volume, &fields)? {
                    self.failed.push(format!("{} stays bound to the old claim: {why}", key.short()));
                }
            }
        }
        Ok(())
    }

    /// Makes a batch, some at once.
    fn make(&mut self, batch: Vec<Object>) -> Result<()> {
        self.know(&batch)?;
        let bodies: Vec<(Object, Object)> = batch.into_iter().map(|o| (self.body(&o), o)).collect();
        for some in bodies.chunks(AT_ONCE) {
            let this: &Work<'_> = self;
            let done: Vec<Result<String, String>> = std::thread::scope(|scope| {
                let threads: Vec<_> = some.iter().map(|(body, _)| scope.spawn(|| this.post(body))).collect();
                let failed = || Err("writing it failed".to_owned());
                threads.into_iter().map(|t| t.join().unwrap_or_else(|_| failed())).collect()
            });
            for ((_, old), done) in some.iter().zip(done) {
                match done {
                    Ok(uid) => drop(self.uids.insert(old.uid().to_owned(), uid)),
                    Err(why) => self.failed.push(format!("{}: {why}", old.key.short())),
                }
                (self.cx.progress)(1);
            }
        }
        Ok(())
    }

    /// Waits until the server knows the kinds of a batch: their definitions may have come back a moment ago.
    fn know(&mut self, batch: &[Object]) -> Result<()> {
        let until = Instant::now() + SETTLE;
        loop {
            if self.resources.as_ref().is_some_and(|r| batch.iter().all(|o| r.knows(&o.key))) {
                return Ok(());
            }
            if self.resources.is_some() && Instant::now() > until {
                return Ok(());
            }
            if self.resources.is_some() {
                std::thread::sleep(PAUSE);
            }
            self.resources = Some(Resources::read(self.kubectl)?);
        }
    }

    /// An object as it is given to the server: owners by their new identities.
    fn body(&self, object: &Object) -> Object {
        let mut body = kinds::strip(object);
        let owners = body.value.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut);
        for owner in owners.into_iter().flatten() {
            if let Some(new) = self.uids.get(uid_of(owner)) {
                owner["uid"] = json!(new);
            }
        }
        body
    }

    /// Gives one to the server; its new identity, or why not.
    fn post(&self, body: &Object) -> Result<String, String> {
        let until = Instant::now() + SETTLE;
        let text = |e: crate::error::Error| e.what;
        let resources = self.resources.as_ref().ok_or("the server's kinds are not known")?;
        let path = format!("{}?fieldManager=fr", resources.collection(body).map_err(text)?);
        loop {
            let json = body.value.to_string();
            let done =
                self.kubectl.run(&["create", "--raw", &path, "-f", "-"], json.as_bytes()).map_err(text)?;
            if done.code == 0 {
                let made: Value = serde_json::from_slice(&done.stdout).map_err(|e| e.to_string())?;
                return Ok(made
                    .pointer("/metadata/uid")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned());
            }
            let said = said(&done).what;
            if said.contains("AlreadyExists") || said.contains("already exists") {
                return self.over(body);
            }
            let unsettled =
                ["service account", "serviceaccount", "NotFound", "could not find the requested resource"];
            if unsettled.iter().any(|u| said.contains(u)) && Instant::now() < until {
                std::thread::sleep(PAUSE);
                continue;
            }
            return self.elsewhere(body, &path, said);
        }
    }

    /// The namespace got it by itself a moment ago: it becomes what it was.
    fn over(&self, body: &Object) -> Result<String, String> {
        let text = |e: crate::error::Error| e.what;
        let now = amend::one(self.kubectl, &body.key, &body.version).map_err(text)?;
        let Some(now) = now else { return Err("it was there and went".to_owned()) };
        if now.digest() == body.digest() {
            return Ok(now.uid().to_owned());
        }
        if !kinds::comes_by_itself(&body.key) {
            return Err("somebody has made it just now".to_owned());
        }
        let fields = fields::exactly(&body.normal(), &now.normal());
        match amend::write(self.kubectl, &now, &fields).map_err(text)? {
            Written::Done => Ok(now.uid().to_owned()),
            Written::Moved => Err("somebody changes it just now".to_owned()),
            Written::Refused(why) => Err(why),
        }
    }

    /// A service whose address or port somebody else has by now comes back with another; that is said.
    fn elsewhere(&self, body: &Object, path: &str, said: String) -> Result<String, String> {
        let taken = said.contains("already allocated") || said.contains("not in the valid range");
        if !body.key.is("", "Service") || !taken {
            return Err(said);
        }
        for addresses in [Addresses::Ports, Addresses::All] {
            let mut other = body.clone();
            kinds::without_addresses(&mut other, addresses);
            let json = other.value.to_string();
            let done = self
                .kubectl
                .run(&["create", "--raw", path, "-f", "-"], json.as_bytes())
                .map_err(|e| e.what)?;
            if done.code == 0 {
                return Err(format!(
                    "it came back with another address or port, its old one is taken ({said})"
                ));
            }
        }
        Err(said)
    }
}
