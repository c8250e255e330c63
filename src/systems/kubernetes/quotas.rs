//! Resource quotas, and what an undo makes of them. The server answers for each object as if it were the only one; several
//! that fit one by one and not together are found here: how many there are, the storage that claims ask for, the
//! processors and memory of pods, the ports of services.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::api::Line;
use super::object::{Key, Object};
use super::quantity::Quantity;
use super::resources::Server;
use super::scopes::Scopes;
use crate::error::Result;

/// Kinds that quotas count by a word of their own, too (kubernetes.io/docs/concepts/policy/resource-quotas).
const WORDS: &[&str] = &[
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
];

/// What is taken of quotas, by their words.
type Use = BTreeMap<String, Quantity>;

/// The objects for which there is no room beside the others, and why. In the order in which they are made, as long as
/// there is room.
pub fn beyond(server: &Server<'_>, make: &[&Object]) -> Result<BTreeMap<Key, String>> {
    let mut out = BTreeMap::new();
    let mut line = server.api.line();
    let spaces: BTreeSet<&str> =
        make.iter().map(|o| o.key.namespace.as_str()).filter(|space| !space.is_empty()).collect();
    for space in spaces {
        let Ok(list) = line.get(&format!("/api/v1/namespaces/{space}/resourcequotas"))? else { continue };
        let quotas = list.get("items").and_then(Value::as_array).into_iter().flatten();
        let mut limits: Vec<Limit> = quotas.flat_map(limits_of).collect();
        if limits.is_empty() {
            continue;
        }
        let wanted = wanted(server, &mut line, make, space)?;
        for limit in &mut limits {
            limit.look_again(&mut line, &wanted)?;
        }
        for one in &wanted {
            match limits.iter().find(|limit| limit.has_no_room_for(one)) {
                Some(limit) => drop(out.insert(one.object.key.clone(), limit.said(&wanted))),
                None => limits.iter_mut().for_each(|limit| limit.give(one)),
            }
        }
    }
    Ok(out)
}

/// An object that is to be made: the collection that it goes into, and what it takes.
struct Wanted<'o> {
    object: &'o Object,
    path: String,
    takes: Use,
}

impl Wanted<'_> {
    fn of(&self, limit: &Limit) -> Quantity {
        limit.counted(&self.path, &self.object.value, &self.takes)
    }
}

/// What is to be made in a namespace.
fn wanted<'o>(
    server: &Server<'_>,
    line: &mut Line<'_>,
    make: &[&'o Object],
    space: &str,
) -> Result<Vec<Wanted<'o>>> {
    let mut out = Vec::new();
    for object in make.iter().filter(|o| o.key.namespace == space) {
        if server.kinds.knows(line, &object.key, &object.version)? {
            let path = server.kinds.collection(line, &object.key, &object.version)?;
            let takes = takes(&path, &object.key.group, &object.value);
            out.push(Wanted { object, path, takes });
        }
    }
    Ok(out)
}

/// One word of a quota.
struct Limit {
    quota: String,
    word: String,
    scopes: Scopes,
    hard: Quantity,
    used: Quantity,
    /// What there was room for when nothing was made yet.
    room: Quantity,
}

/// The words of a quota; none where it has a scope that is not known here.
fn limits_of(quota: &Value) -> Vec<Limit> {
    let Some(scopes) = Scopes::of(quota) else { return Vec::new() };
    let name = quota.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let amount = |value: Option<&Value>| Quantity::parse(value?.as_str()?);
    let hard = quota.pointer("/status/hard").and_then(Value::as_object).into_iter().flatten();
    let one = |(word, value): (&String, &Value)| {
        let used = amount(quota.pointer("/status/used").and_then(|used| used.get(word))).unwrap_or_default();
        let hard = amount(Some(value))?;
        let room = hard.minus(used);
        Some(Limit { quota: name.to_owned(), word: word.clone(), scopes: scopes.clone(), hard, used, room })
    };
    hard.filter_map(one).collect()
}

impl Limit {
    /// What was deleted a moment ago may count still: where it would not do, what is really there is counted.
    fn look_again(&mut self, line: &mut Line<'_>, wanted: &[Wanted<'_>]) -> Result<()> {
        if self.used.plus(self.all(wanted)) <= self.hard {
            return Ok(());
        }
        let paths: BTreeSet<(&str, &str)> = wanted
            .iter()
            .filter(|one| {
                one.takes.contains_key(&self.word) && self.scopes.count(&one.path, &one.object.value)
            })
            .map(|one| (one.path.as_str(), one.object.key.group.as_str()))
            .collect();
        let mut used = Quantity::default();
        for (path, group) in paths {
            used = used.plus(self.really_used(line, path, group)?);
        }
        (self.used, self.room) = (used, self.hard.minus(used));
        Ok(())
    }

    /// What all of them together take.
    fn all(&self, wanted: &[Wanted<'_>]) -> Quantity {
        wanted.iter().fold(Quantity::default(), |sum, one| sum.plus(one.of(self)))
    }

    fn has_no_room_for(&self, one: &Wanted<'_>) -> bool {
        let more = one.of(self);
        more > Quantity::default() && self.used.plus(more) > self.hard
    }

    fn give(&mut self, one: &Wanted<'_>) {
        self.used = self.used.plus(one.of(self));
    }

    /// What an object takes of it, of all that it takes.
    fn counted(&self, path: &str, object: &Value, takes: &Use) -> Quantity {
        let counts = self.scopes.count(path, object);
        takes.get(&self.word).copied().filter(|_| counts).unwrap_or_default()
    }

    /// What the objects of a collection take of it.
    fn really_used(&self, line: &mut Line<'_>, path: &str, group: &str) -> Result<Quantity> {
        let (mut sum, mut more) = (Quantity::default(), String::new());
        loop {
            let Ok(list) = line.get(&format!("{path}?limit=500{more}"))? else { return Ok(sum) };
            for item in list.get("items").and_then(Value::as_array).into_iter().flatten() {
                sum = sum.plus(self.counted(path, item, &takes(path, group, item)));
            }
            let next = list.pointer("/metadata/continue").and_then(Value::as_str);
            match next.filter(|token| !token.is_empty()) {
                // A token is base64 of the URL's alphabet (apiserver `EncodeContinue`).
                Some(token) => more = format!("&continue={token}"),
                None => return Ok(sum),
            }
        }
    }

    fn said(&self, wanted: &[Wanted<'_>]) -> String {
        let (room, all) = (self.room.shown(), self.all(wanted).shown());
        let (quota, word, hard) = (&self.quota, &self.word, self.hard.shown());
        format!("exceeded quota: {quota} has room for {room} of the {all} to be made ({word}, hard {hard})")
    }
}

/// What an object takes of quotas (the server's `pkg/quota/v1/evaluator/core`).
fn takes(path: &str, group: &str, object: &Value) -> Use {
    let plural = path.rsplit('/').next().unwrap_or_default();
    let counted =
        if group.is_empty() { format!("count/{plural}") } else { format!("count/{plural}.{group}") };
    let mut out = Use::from([(counted, Quantity::whole(1))]);
    if !group.is_empty() {
        return out;
    }
    match plural {
        "pods" if is_over(object) => return out,
        "pods" => out.extend(of_pod(object)),
        "persistentvolumeclaims" => out.extend(of_claim(object)),
        "services" => out.extend(of_service(object)),
        _ => {}
    }
    if WORDS.contains(&plural) {
        out.insert(plural.to_owned(), Quantity::whole(1));
    }
    out
}

/// A pod that has ended takes nothing but its place.
fn is_over(pod: &Value) -> bool {
    matches!(pod.pointer("/status/phase").and_then(Value::as_str), Some("Succeeded" | "Failed"))
}

/// The storage that a claim asks for, once for its namespace and once for its class.
fn of_claim(claim: &Value) -> Use {
    let mut out = Use::new();
    let text = |at: &str| claim.pointer(at).and_then(Value::as_str).filter(|text| !text.is_empty());
    // The older way to name a class counts first, as for the server.
    let class = text("/metadata/annotations/volume.beta.kubernetes.io~1storage-class")
        .or_else(|| text("/spec/storageClassName"));
    let storage = text("/spec/resources/requests/storage").and_then(Quantity::parse);
    let of_class = |word: &str| class.map(|class| format!("{class}.storageclass.storage.k8s.io/{word}"));
    if let Some(word) = of_class("persistentvolumeclaims") {
        out.insert(word, Quantity::whole(1));
    }
    if let Some(storage) = storage {
        out.insert("requests.storage".to_owned(), storage);
        out.extend(of_class("requests.storage").map(|word| (word, storage)));
    }
    out
}

/// The ports on nodes and the load balancer of a service.
fn of_service(service: &Value) -> Use {
    let ports = service.pointer("/spec/ports").and_then(Value::as_array).map_or(0, Vec::len);
    let of = |word: &str, count: usize| (word.to_owned(), Quantity::whole(count));
    match service.pointer("/spec/type").and_then(Value::as_str) {
        Some("NodePort") => Use::from([of("services.nodeports", ports)]),
        Some("LoadBalancer") => Use::from([of("services.nodeports", ports), of("services.loadbalancers", 1)]),
        _ => Use::new(),
    }
}

/// What the containers of a pod ask for and may use: all of them at once, or the hungriest of those that run before.
fn of_pod(pod: &Value) -> Use {
    let mut out = Use::new();
    for kind in ["requests", "limits"] {
        let mut sum = Use::new();
        for container in pod.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten() {
            for (name, amount) in amounts(container, kind) {
                let entry = sum.entry(name).or_default();
                *entry = entry.plus(amount);
            }
        }
        for first in pod.pointer("/spec/initContainers").and_then(Value::as_array).into_iter().flatten() {
            for (name, amount) in amounts(first, kind) {
                let entry = sum.entry(name).or_default();
                *entry = amount.max(*entry);
            }
        }
        for (name, amount) in sum {
            if kind == "requests" && matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
                out.insert(name.clone(), amount);
            }
            out.insert(format!("{kind}.{name}"), amount);
        }
    }
    out
}

fn amounts(container: &Value, kind: &str) -> Vec<(String, Quantity)> {
    let all = container.pointer(&format!("/resources/{kind}")).and_then(Value::as_object);
    let one = |(name, value): (&String, &Value)| Some((name.clone(), Quantity::parse(value.as_str()?)?));
    all.into_iter().flatten().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(takes: Use) -> Vec<String> {
        takes.into_iter().map(|(word, amount)| format!("{word} {}", amount.shown())).collect()
    }

    #[test]
    fn a_claim_takes_storage_of_its_namespace_and_of_its_class() {
        let claim =
            json!({"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "1.5Gi"}}}});
        let want = [
            "count/persistentvolumeclaims 1",
            "fast.storageclass.storage.k8s.io/persistentvolumeclaims 1",
            "fast.storageclass.storage.k8s.io/requests.storage 1536Mi",
            "persistentvolumeclaims 1",
            "requests.storage 1536Mi",
        ];
        assert_eq!(shown(takes("/api/v1/namespaces/x/persistentvolumeclaims", "", &claim)), want);
    }

    #[test]
    fn a_pod_takes_what_its_containers_ask_for() {
        let of = |cpu: &str, memory: &str| json!({"resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": "2"}}});
        let pod = json!({"spec": {"containers": [of("100m", "1Gi"), of("200m", "1Gi")], "initContainers": [of("1", "1Mi")]}});
        let want = [
            "count/pods 1",
            "cpu 1",
            "limits.cpu 4",
            "memory 2Gi",
            "pods 1",
            "requests.cpu 1",
            "requests.memory 2Gi",
        ];
        assert_eq!(shown(takes("/api/v1/namespaces/x/pods", "", &pod)), want);
        let over = json!({"status": {"phase": "Succeeded"}});
        assert_eq!(shown(takes("/api/v1/namespaces/x/pods", "", &over)), ["count/pods 1"]);
    }

    #[test]
    fn of_services_ports_and_balancers_count() {
        let service = json!({"spec": {"type": "LoadBalancer", "ports": [{}, {}]}});
        let want = ["count/services 1", "services 1", "services.loadbalancers 1", "services.nodeports 2"];
        assert_eq!(shown(takes("/api/v1/namespaces/x/services", "", &service)), want);
        assert_eq!(
            shown(takes("/apis/apps/v1/namespaces/x/deployments", "apps", &json!({}))),
            ["count/deployments.apps 1"]
        );
    }

    #[test]
    fn a_quota_with_a_scope_that_is_not_known_is_not_guessed_at() {
        let quota = |spec: Value| json!({"metadata": {"name": "q"}, "spec": spec, "status": {"hard": {"pods": "2"}, "used": {"pods": "1"}}});
        assert_eq!(limits_of(&quota(json!({}))).len(), 1);
        assert_eq!(limits_of(&quota(json!({"scopes": ["BestEffort"]}))).len(), 1);
        assert!(limits_of(&quota(json!({"scopes": ["Best"]}))).is_empty());
    }
}
