//! Makes objects anew that are gone: definitions and namespaces first, owners before what they own, and nothing over what
//! somebody made since.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::action;
use super::amend::{self, Written};
use super::api::{Line, Refusal};
use super::apply::GOING;
use super::fields::{self, Fields};
use super::kinds::{self, Addresses};
use super::kubectl::Kubectl;
use super::look;
use super::object::{Key, Object};
use super::remove;
use super::resources::Server;
use super::snapshot::Snapshot;
use crate::error::Result;
use crate::model::StepOutcome;
use crate::systems::ApplyCx;

/// How long the server gets to serve a definition that came back, or to make a service account.
const SETTLE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(150);
/// How many failures are told.
const TOLD: usize = 12;

/// Makes them; `elsewhere` are services that get another address, because somebody else has theirs.
pub fn recreate(
    (kubectl, server): (&Kubectl, &Server<'_>),
    before: &Snapshot,
    (names, elsewhere): (&[String], &[String]),
    cx: &ApplyCx<'_>,
) -> Result<StepOutcome> {
    let mut all = Vec::new();
    for name in names {
        if let Some(entry) = before.entry(&action::key(name)?) {
            all.push(Snapshot::object(entry, cx.source)?);
        }
    }
    let elsewhere = elsewhere.iter().map(|name| action::key(name)).collect::<Result<_>>()?;
    make((kubectl, server), all, elsewhere, cx)
}

/// Makes objects that are given as they were.
pub fn make(
    (kubectl, server): (&Kubectl, &Server<'_>),
    all: Vec<Object>,
    elsewhere: HashSet<Key>,
    cx: &ApplyCx<'_>,
) -> Result<StepOutcome> {
    let mut work = Work { kubectl, server, cx, elsewhere, uids: HashMap::new(), failed: Vec::new(), done: 0 };
    let mut left = match work.absent(all)? {
        Ok(left) => left,
        Err(outcome) => return Ok(outcome),
    };
    work.free_volumes(&mut left)?;
    make_all(&mut work, left)
}

fn make_all(work: &mut Work<'_>, mut left: Vec<Object>) -> Result<StepOutcome> {
    while !left.is_empty() {
        let batch = next(&mut left);
        work.make(batch)?;
    }
    Ok(match work.failed.as_slice() {
        [] => StepOutcome::Done,
        failed => StepOutcome::Failed { reason: told(failed) },
    })
}

/// Some of many reasons.
pub fn told(failed: &[String]) -> String {
    let mut text = failed.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join("; ");
    if failed.len() > TOLD {
        text.push_str(&format!("; and {} more", failed.len() - TOLD));
    }
    text
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
    server: &'a Server<'a>,
    cx: &'a ApplyCx<'a>,
    elsewhere: HashSet<Key>,
    /// New identities by old ones.
    uids: HashMap<String, String>,
    failed: Vec<String>,
    done: u64,
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
            let (what, seconds) = (told(&stuck), GOING.as_secs());
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
        let mut line = self.server.api.line();
        for claim in claims {
            let name = claim.text("/spec/volumeName").to_owned();
            if name.is_empty() || made.contains(&name) {
                continue;
            }
            let key = Key::cluster_wide("", "PersistentVolume", &name);
            let Some(volume) = amend::read(self.server, &mut line, &key, "v1")? else {
                claim.remove("/spec", &["volumeName"]);
                continue;
            };
            let of_claim = volume.text("/spec/claimRef/name") == claim.key.name
                && volume.text("/spec/claimRef/namespace") == claim.key.namespace
                && volume.text("/spec/claimRef/uid") == claim.uid();
            if of_claim {
                let patch = vec![json!({"op": "remove", "path": "/spec/claimRef/uid"})];
                let fields = Fields { patch, ..Fields::default() };
                let written = amend::write(self.server, &mut line, &volume, &fields, false)?;
                if let Written::Refused(why) = written {
                    self.failed.push(format!("{} stays bound to the old claim: {why}", key.short()));
                }
            }
        }
        Ok(())
    }

    /// Makes a batch, some at once.
    fn make(&mut self, batch: Vec<Object>) -> Result<()> {
        self.know(&batch)?;
        let bodies: Vec<Object> = batch.iter().map(|o| self.body(o)).collect();
        let this: &Work<'_> = self;
        let done = this.server.api.each(&bodies, |line, body| this.post(line, body));
        for (old, done) in batch.iter().zip(done) {
            match done {
                Ok(uid) => drop(self.uids.insert(old.uid().to_owned(), uid)),
                Err(why) => self.failed.push(format!("{}: {why}", old.key.short())),
            }
            self.done += 1;
            (self.cx.progress)(self.done);
        }
        Ok(())
    }

    /// Waits until the server knows the kinds of a batch: their definitions may have come back a moment ago.
    fn know(&mut self, batch: &[Object]) -> Result<()> {
        let until = Instant::now() + SETTLE;
        let mut line = self.server.api.line();
        let kinds: BTreeSet<(&str, &str, &str)> =
            batch.iter().map(|o| (o.key.group.as_str(), o.key.kind.as_str(), o.version.as_str())).collect();
        for (group, kind, version) in kinds {
            let key = Key::cluster_wide(group, kind, "");
            while !self.server.kinds.knows(&mut line, &key, version)? && Instant::now() < until {
                std::thread::sleep(PAUSE);
                self.server.kinds.forget(group);
            }
        }
        Ok(())
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
        if self.elsewhere.contains(&body.key) {
            kinds::without_addresses(&mut body, Addresses::All);
        }
        body
    }

    /// Gives one to the server; its new identity, or why not.
    fn post(&self, line: &mut Line<'_>, body: &Object) -> Result<String, String> {
        let until = Instant::now() + SETTLE;
        let text = |e: crate::error::Error| e.what;
        let path = self.server.kinds.collection(line, &body.key, &body.version).map_err(text)?;
        loop {
            let refusal = match line.create(&path, &body.value, false).map_err(text)? {
                Ok(made) => return Ok(uid_in(&made)),
                Err(refusal) => refusal,
            };
            if refusal.is_there_already() {
                return self.over(line, body);
            }
            if is_unsettled(&refusal) && Instant::now() < until {
                std::thread::sleep(PAUSE);
                continue;
            }
            return self.elsewhere(line, body, &path, refusal);
        }
    }

    /// The namespace got it by itself a moment ago: it becomes what it was.
    fn over(&self, line: &mut Line<'_>, body: &Object) -> Result<String, String> {
        let text = |e: crate::error::Error| e.what;
        let now = amend::read(self.server, line, &body.key, &body.version).map_err(text)?;
        let Some(now) = now else { return Err("it was there and went".to_owned()) };
        if now.digest() == body.digest() {
            return Ok(now.uid().to_owned());
        }
        if !kinds::comes_by_itself(&body.key) {
            return Err("somebody has made it just now".to_owned());
        }
        let fields = fields::exactly(&body.normal(), &now.normal());
        match amend::write(self.server, line, &now, &fields, false).map_err(text)? {
            Written::Done => Ok(now.uid().to_owned()),
            Written::Moved => Err("somebody changes it just now".to_owned()),
            Written::Refused(why) => Err(why),
        }
    }

    /// A service whose address or port somebody took a moment ago comes back with another; that is said.
    fn elsewhere(
        &self,
        line: &mut Line<'_>,
        body: &Object,
        path: &str,
        refusal: Refusal,
    ) -> Result<String, String> {
        let said = refusal.said(&body.key);
        let taken = said.contains("already allocated") || said.contains("not in the valid range");
        if !body.key.is("", "Service") || !taken {
            return Err(said);
        }
        for addresses in [Addresses::Ports, Addresses::All] {
            let mut other = body.clone();
            kinds::without_addresses(&mut other, addresses);
            if line.create(path, &other.value, false).map_err(|e| e.what)?.is_ok() {
                return Err(format!(
                    "it came back with another address or port, its old one is taken ({said})"
                ));
            }
        }
        Err(said)
    }
}

fn uid_in(made: &Value) -> String {
    made.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The namespace, its service account or the definition came back a moment ago, and not all of the server knows it.
fn is_unsettled(refusal: &Refusal) -> bool {
    refusal.is_not_there()
        || ["service account", "serviceaccount", "could not find the requested resource"]
            .iter()
            .any(|u| refusal.message.contains(u))
}
