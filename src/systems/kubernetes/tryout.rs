//! Before anything is written the server is asked whether it would take it: admission, quotas, immutable fields, rights. It
//! answers as it would to the real thing and keeps nothing (`dryRun=All`, Kubernetes 1.13 and later). What only the undo
//! itself makes possible (objects of a namespace that it makes) cannot be asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::action::Guarded;
use super::amend::{self, Written};
use super::api::{Api, Line, Refusal};
use super::fields::Fields;
use super::kinds;
use super::kubectl::Kubectl;
use super::object::{Key, Object};
use super::query::Access;
use super::quotas;
use super::resources::Server;
use crate::error::Result;

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What is to be asked.
#[derive(Default)]
pub struct Asked {
    /// To be made anew.
    pub make: Vec<Object>,
    /// Objects as they are now, and the fields to be written; true where it is made anew if it must be.
    pub write: Vec<(Object, Fields, bool)>,
    /// To be removed, as they are now.
    pub remove: Vec<(Object, Guarded)>,
}

/// What the server said.
#[derive(Default)]
pub struct Tried {
    /// What it would not do, and why.
    pub refused: BTreeMap<Key, String>,
    /// Services whose address or port somebody else has now, in words.
    pub elsewhere: BTreeMap<Key, String>,
    /// What scales an object: the names of autoscalers.
    pub scalers: BTreeMap<Key, String>,
    /// How many could not be asked, since the undo itself makes what they need.
    pub untried: usize,
    /// Why nothing could be asked.
    pub unasked: Option<String>,
}

/// Asks all of it.
pub fn ask(access: &Access, asked: &Asked) -> Tried {
    let mut tried = Tried::default();
    if asked.make.is_empty() && asked.write.is_empty() && asked.remove.is_empty() {
        return tried;
    }
    let until = Instant::now() + LIMIT;
    let kubectl = Kubectl::trusted(access, until);
    let api = match Api::start(&kubectl, until) {
        Ok(api) => api,
        Err(error) => {
            tried.unasked = Some(error.what);
            return tried;
        }
    };
    let asking = Asking { server: Server::of(&api), made: asked.make.iter().map(|o| &o.key).collect() };
    asking.addresses(&asked.make, &mut tried);
    asking.make(&asked.make, &mut tried);
    asking.write(&asked.write, &mut tried);
    asking.remove(&asked.remove, &mut tried);
    asking.scalers(&asked.write, &mut tried);
    tried
}

struct Asking<'a> {
    server: Server<'a>,
    /// What the undo makes.
    made: BTreeSet<&'a Key>,
}

/// What came of one question.
enum Said {
    Yes,
    No(String),
    /// It cannot be known before.
    Unknown,
    Failed(String),
}

impl Asking<'_> {
    fn make(&self, objects: &[Object], tried: &mut Tried) {
        let elsewhere: BTreeSet<&Key> = tried.elsewhere.keys().collect();
        let said = self.server.api.each(objects, |line, object| {
            self.creation(line, object, elsewhere.contains(&object.key))
                .unwrap_or_else(|e| Said::Failed(e.what))
        });
        let keys: Vec<Key> = objects.iter().map(|o| o.key.clone()).collect();
        note(&keys, said, tried);
        self.together(objects, tried);
    }

    /// Those that fit one by one and not together.
    fn together(&self, objects: &[Object], tried: &mut Tried) {
        let made_with = |key: &Key| {
            let space = Key::cluster_wide("", "Namespace", &key.namespace);
            self.made.contains(&space)
        };
        let mut fit: Vec<&Object> = objects
            .iter()
            .filter(|o| !tried.refused.contains_key(&o.key) && !made_with(&o.key))
            .filter(|o| !kinds::comes_by_itself(&o.key))
            .collect();
        fit.sort_by_key(|o| (kinds::rank(&o.key), o.key.clone()));
        match quotas::beyond(&self.server, &fit) {
            Ok(beyond) => tried.refused.extend(beyond),
            Err(error) => drop(tried.unasked.get_or_insert(error.what)),
        }
    }

    fn creation(&self, line: &mut Line<'_>, object: &Object, elsewhere: bool) -> Result<Said> {
        let space = Key::cluster_wide("", "Namespace", &object.key.namespace);
        let project = Key::cluster_wide("project.openshift.io", "Project", &object.key.namespace);
        if self.made.contains(&space) || self.made.contains(&project) {
            return Ok(Said::Unknown);
        }
        if !self.server.kinds.knows(line, &object.key, &object.version)? {
            return Ok(match self.defines(&object.key) {
                true => Said::Unknown,
                false => Said::No(format!("the server knows no kind {} any more", object.key.kind)),
            });
        }
        let mut body = kinds::strip(object);
        if elsewhere {
            kinds::without_addresses(&mut body, kinds::Addresses::All);
        }
        let path = self.server.kinds.collection(line, &object.key, &object.version)?;
        Ok(match line.create(&path, &body.value, true)? {
            Ok(_) => Said::Yes,
            Err(refusal) if refusal.is_there_already() => Said::Yes,
            Err(refusal) if self.is_not_known_yet(&refusal) => Said::Unknown,
            Err(refusal) => Said::No(refusal.said(&object.key)),
        })
    }

    /// The undo makes the definition of this kind.
    fn defines(&self, key: &Key) -> bool {
        let end = format!(".{}", key.group);
        self.made.iter().any(|made| made.kind == "CustomResourceDefinition" && made.name.ends_with(&end))
    }

    /// It is refused for want of something that the undo makes, or is being deleted still, or a webhook cannot be asked.
    fn is_not_known_yet(&self, refusal: &Refusal) -> bool {
        let said = refusal.message.as_str();
        let wants = |made: &&&Key| {
            !made.name.is_empty()
                && (said.contains(&format!("\"{}\"", made.name))
                    || said.contains(&format!("/{}:", made.name)))
        };
        let lacks = said.contains("not found") || said.contains("does not exist");
        (lacks && self.made.iter().any(|made| wants(&made)))
            || said.contains("being terminated")
            || said.contains("being deleted")
            || said.contains("does not support dry run")
            || said.contains("dryRun")
            // "object is being deleted: … already exists", quotas that the deleted objects still count in.
            || refusal.code == 429
            || (500..600).contains(&refusal.code)
    }

    fn write(&self, objects: &[(Object, Fields, bool)], tried: &mut Tried) {
        let said = self.server.api.each(objects, |line, (now, fields, may_replace)| {
            match amend::write(&self.server, line, now, fields, true) {
                Ok(Written::Done) => Said::Yes,
                Ok(Written::Moved) => Said::Unknown,
                Ok(Written::Refused(why)) if *may_replace && amend::is_immutable(&why) => Said::Yes,
                Ok(Written::Refused(why)) if why.contains("does not support dry run") => Said::Unknown,
                Ok(Written::Refused(why)) => Said::No(why),
                Err(error) => Said::Failed(error.what),
            }
        });
        let keys: Vec<Key> = objects.iter().map(|(o, ..)| o.key.clone()).collect();
        note(&keys, said, tried);
    }

    fn remove(&self, objects: &[(Object, Guarded)], tried: &mut Tried) {
        let said = self.server.api.each(objects, |line, (now, guard)| {
            let asked = self
                .server
                .kinds
                .object(line, &now.key, &now.version)
                .and_then(|path| line.delete(&path, &guard.uid, true));
            match asked {
                Ok(Ok(_)) => Said::Yes,
                Ok(Err(refusal)) if refusal.is_not_there() => Said::Yes,
                Ok(Err(refusal)) if self.is_not_known_yet(&refusal) => Said::Unknown,
                Ok(Err(refusal)) => Said::No(refusal.said(&now.key)),
                Err(error) => Said::Failed(error.what),
            }
        });
        let keys: Vec<Key> = objects.iter().map(|(o, _)| o.key.clone()).collect();
        note(&keys, said, tried);
    }

    /// Services whose address or node port another service has by now.
    fn addresses(&self, make: &[Object], tried: &mut Tried) {
        let services: Vec<&Object> = make.iter().filter(|o| o.key.is("", "Service")).collect();
        if services.is_empty() {
            return;
        }
        let Ok(Ok(list)) = self.server.api.line().get("/api/v1/services") else { return };
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        for service in list.get("items").and_then(Value::as_array).into_iter().flatten() {
            let name = |pointer: &str| service.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let who = format!("{}/{}", name("/metadata/namespace"), name("/metadata/name"));
            addresses_of(service).into_iter().for_each(|at| drop(taken.insert(at, who.clone())));
        }
        for service in services {
            let theirs = addresses_of(&service.value).into_iter().find_map(|at| Some((taken.get(&at)?, at)));
            if let Some((who, at)) = theirs {
                let text = format!("{at} of {}: service {who} has it now", service.key.short());
                tried.elsewhere.insert(service.key.clone(), text);
            }
        }
    }

    /// Autoscalers that set the number of replicas that is written.
    fn scalers(&self, objects: &[(Object, Fields, bool)], tried: &mut Tried) {
        let writes = |fields: &Fields| fields.written.iter().any(|path| path == "/spec/replicas");
        let scaled: Vec<&Key> =
            objects.iter().filter(|(_, fields, _)| writes(fields)).map(|(o, ..)| &o.key).collect();
        let spaces: BTreeSet<&str> = scaled.iter().map(|key| key.namespace.as_str()).collect();
        let mut line = self.server.api.line();
        for space in spaces {
            let path = format!("/apis/autoscaling/v1/namespaces/{space}/horizontalpodautoscalers");
            let Ok(Ok(list)) = line.get(&path) else { continue };
            for scaler in list.get("items").and_then(Value::as_array).into_iter().flatten() {
                let text =
                    |pointer: &str| scaler.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                let of = |key: &&&Key| {
                    key.namespace == space
                        && key.kind == text("/spec/scaleTargetRef/kind")
                        && key.name == text("/spec/scaleTargetRef/name")
                };
                if let Some(key) = scaled.iter().find(of) {
                    tried.scalers.insert((*key).clone(), text("/metadata/name").to_owned());
                }
            }
        }
    }
}

/// The addresses and node ports that no two services share.
fn addresses_of(service: &Value) -> Vec<String> {
    let spec = service.get("spec");
    let of = |name: &str| spec.and_then(|spec| spec.get(name));
    let one = of("clusterIP").and_then(Value::as_str);
    let more = of("clusterIPs").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let addresses: BTreeSet<&str> =
        one.into_iter().chain(more).filter(|ip| !ip.is_empty() && *ip != "None").collect();
    let ports = of("ports").and_then(Value::as_array).into_iter().flatten();
    let ports = ports.filter_map(|port| {
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        Some(format!("the node port {}/{protocol}", port.get("nodePort").and_then(Value::as_u64)?))
    });
    let addresses = addresses.into_iter().map(|ip| format!("the address {ip}"));
    addresses.chain(ports).collect()
}

fn note(keys: &[Key], said: Vec<Said>, tried: &mut Tried) {
    for (key, said) in keys.iter().zip(said) {
        match said {
            Said::Yes => {}
            Said::No(why) => drop(tried.refused.insert(key.clone(), why)),
            Said::Unknown => tried.untried += 1,
            Said::Failed(why) => drop(tried.unasked.get_or_insert(why)),
        }
    }
}
