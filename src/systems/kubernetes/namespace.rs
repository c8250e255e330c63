//! All in a namespace, and what outside of it points into it.
//!
//! Two questions after each other (which kinds are there; their objects) and one beside them (what has no namespace).

use std::collections::BTreeSet;

use super::cluster::Found;
use super::kubectl::Kubectl;
use super::object::Object;
use crate::error::{Error, Result};

/// Kinds that are no state: what happened, and what is measured.
const SKIPPED: &[&str] = &["events", "events.events.k8s.io", "pods.metrics.k8s.io"];

/// Kinds without a namespace whose objects may point into one.
const AROUND: &str = "persistentvolumes,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations,apiservices";

/// What is in a namespace, its own object not.
pub fn inside(kubectl: &Kubectl, namespace: &str) -> Result<Found> {
    std::thread::scope(|scope| {
        let around = scope.spawn(|| kubectl.get(&[AROUND]));
        let mut found = content(kubectl, namespace, &[])?;
        let around = around.join().unwrap_or_else(|_| Err(Error::failure("reading them failed")));
        found.extend_filtered("cluster-wide objects that point into it", around, |o| {
            points_into(o, namespace)
        });
        Ok(found)
    })
}

/// The objects of all kinds in a namespace, as far as `more` chooses them.
pub fn content(kubectl: &Kubectl, namespace: &str, more: &[&str]) -> Result<Found> {
    let place = ["--namespace", namespace];
    let place: Vec<&str> = place.iter().chain(more).copied().collect();
    let kinds = kubectl.ask(&["api-resources", "--namespaced", "--verbs=list", "-o", "name"])?;
    of_kinds(kubectl, &String::from_utf8_lossy(&kinds), &place, namespace)
}

/// All objects of the cluster.
pub fn everywhere(kubectl: &Kubectl) -> Result<Found> {
    let kinds = kubectl.ask(&["api-resources", "--verbs=list", "-o", "name"])?;
    of_kinds(kubectl, &String::from_utf8_lossy(&kinds), &["--all-namespaces"], "")
}

/// The objects of these kinds, a line each. Not from kubectl's cache: a kind that was installed a minute ago counts too.
fn of_kinds(kubectl: &Kubectl, kinds: &str, place: &[&str], of: &str) -> Result<Found> {
    let kinds: BTreeSet<&str> = kinds.lines().filter(|kind| !SKIPPED.contains(kind)).collect();
    // Two at a time: kubectl asks for one kind after the other.
    let kinds: Vec<&str> = kinds.into_iter().collect();
    let (one, two) = kinds.split_at(kinds.len() / 2);
    let ask = |kinds: &[&str]| -> Result<Found> {
        if kinds.is_empty() {
            return Ok(Found::default());
        }
        let list = kinds.join(",");
        let args: Vec<&str> = [list.as_str()].into_iter().chain(place.iter().copied()).collect();
        Found::of(kubectl.get(&args)?, of)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| ask(two));
        let mut found = ask(one)?;
        found.extend(other.join().unwrap_or_else(|_| Err(Error::failure("reading a namespace failed")))?);
        Ok(found)
    })
}

/// True for a volume that is bound in the namespace, a binding that names a subject in it, a webhook or an API that a
/// service in it answers.
fn points_into(object: &Object, namespace: &str) -> bool {
    let is = |value: Option<&serde_json::Value>| value.and_then(|v| v.as_str()) == Some(namespace);
    let any = |list: &str, pointer: &str| {
        let items = object.value.get(list).and_then(|l| l.as_array()).into_iter().flatten();
        items.into_iter().any(|item| is(item.pointer(pointer)))
    };
    match object.key.kind.as_str() {
        "PersistentVolume" => is(object.value.pointer("/spec/claimRef/namespace")),
        "ClusterRoleBinding" => any("subjects", "/namespace"),
        "APIService" => is(object.value.pointer("/spec/service/namespace")),
        _ => any("webhooks", "/clientConfig/service/namespace"),
    }
}
