//! All in a namespace, and what outside of it points into it.
//!
//! Two questions after each other: which kinds are there, and their objects.

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
    let kinds = kinds_in(kubectl)?;
    let place = ["--namespace", namespace];
    // With the others, because a kubectl of their own costs more than their lists. One that this server does not have
    // spoils the whole answer: then they are asked for alone.
    let (mut found, around) = match of_kinds(kubectl, &with_around(&kinds), &place, namespace) {
        Ok(mut found) => {
            let around =
                found.objects.extract_if(.., |(object, _)| object.key.namespace.is_empty()).collect();
            (found, Found { objects: around, ..Found::default() })
        }
        Err(_) => {
            let mut around = Found::default();
            around.extend_or_miss("cluster-wide objects that point into it", kubectl.get(&[AROUND]));
            (of_kinds(kubectl, &kinds, &place, namespace)?, around)
        }
    };
    let into = around.objects.into_iter().filter(|(object, _)| points_into(object, namespace));
    found.extend(Found { objects: into.collect(), missing: around.missing, ..Found::default() });
    Ok(found)
}

fn with_around(kinds: &str) -> String {
    AROUND.split(',').chain(kinds.lines()).collect::<Vec<_>>().join("\n")
}

fn kinds_in(kubectl: &Kubectl) -> Result<String> {
    let kinds = kubectl.ask(&["api-resources", "--namespaced", "--verbs=list", "-o", "name"])?;
    Ok(String::from_utf8_lossy(&kinds).into_owned())
}

/// The objects of all kinds in a namespace, as far as `more` chooses them.
pub fn content(kubectl: &Kubectl, namespace: &str, more: &[&str]) -> Result<Found> {
    let place = ["--namespace", namespace];
    let place: Vec<&str> = place.iter().chain(more).copied().collect();
    of_kinds(kubectl, &kinds_in(kubectl)?, &place, namespace)
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
