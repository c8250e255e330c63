//! All in a namespace, and what outside of it points into it; all that carries certain labels.

use std::collections::BTreeSet;
use std::time::Duration;

use super::api::Api;
use super::cluster::Found;
use super::kubectl::Kubectl;
use super::lists::{self, Kinds, SKIPPED, Wish};
use super::object::Object;
use crate::error::Result;

/// Kinds without a namespace whose objects may point into one.
const AROUND: &[&str] = &[
    "persistentvolumes",
    "clusterrolebindings",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "apiservices",
];

/// How long a proxy gets to listen before it is done without one.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is in a namespace, with its own object.
pub fn inside(kubectl: &Kubectl, namespace: &str) -> Result<Found> {
    let all = Wish { kinds: Kinds::Namespaced, namespace: Some(namespace), selector: "" };
    let what = "cluster-wide objects that point into it";
    let around = Wish { kinds: Kinds::Named { names: AROUND, what }, namespace: None, selector: "" };
    let own = Wish { kinds: Kinds::Itself, ..all };
    let mut out = Found::default();
    for mut found in find(kubectl, &[all, around, own])? {
        found.objects.retain(|(object, _)| {
            !object.key.namespace.is_empty()
                || object.key.is("", "Namespace")
                || points_into(object, namespace)
        });
        out.extend(found);
    }
    Ok(out)
}

/// The objects of all kinds in a namespace.
pub fn content(kubectl: &Kubectl, namespace: &str) -> Result<Found> {
    let all = Wish { kinds: Kinds::Namespaced, namespace: Some(namespace), selector: "" };
    Ok(find(kubectl, &[all])?.into_iter().next().unwrap_or_default())
}

/// All objects of the cluster.
pub fn everywhere(kubectl: &Kubectl) -> Result<Found> {
    let all = Wish { kinds: Kinds::All, namespace: None, selector: "" };
    Ok(find(kubectl, &[all])?.into_iter().next().unwrap_or_default())
}

/// What is wished for, each wish's by itself.
pub fn find(kubectl: &Kubectl, wishes: &[Wish<'_>]) -> Result<Vec<Found>> {
    match Api::reading(kubectl, PATIENCE) {
        Ok(api) => lists::find(&api, wishes),
        // A wrapper of the user's that knows no `proxy`, a container whose sockets are not seen here, a long `TMPDIR`.
        Err(_) => wishes.iter().map(|wish| by_kubectl(kubectl, wish)).collect(),
    }
}

/// The same by kubectls of their own.
fn by_kubectl(kubectl: &Kubectl, wish: &Wish<'_>) -> Result<Found> {
    let mut place: Vec<&str> = match wish.namespace {
        Some(namespace) => vec!["--namespace", namespace],
        None => vec!["--all-namespaces"],
    };
    if !wish.selector.is_empty() {
        place.extend(["--selector", wish.selector]);
    }
    let listed = |more: &[&str]| -> Result<String> {
        let words: Vec<&str> =
            ["api-resources", "--verbs=list", "-o", "name"].iter().chain(more).copied().collect();
        Ok(String::from_utf8_lossy(&kubectl.ask(&words)?).into_owned())
    };
    match wish.kinds {
        Kinds::Namespaced => of_kinds(kubectl, &listed(&["--namespaced"])?, &place, wish.what()),
        Kinds::All => of_kinds(kubectl, &listed(&[])?, &place, wish.what()),
        Kinds::Itself => Found::of(kubectl.get(&["namespace", wish.what()])?, ""),
        Kinds::Named { names, what } => {
            let mut found = Found::default();
            let list = names.join(",");
            let args: Vec<&str> = [list.as_str()].into_iter().chain(place).collect();
            found.extend_or_miss(what, kubectl.get(&args));
            Ok(found)
        }
    }
}

/// The objects of these kinds, a line each. Not from kubectl's cache: a kind that was installed a minute ago counts too.
fn of_kinds(kubectl: &Kubectl, kinds: &str, place: &[&str], of: &str) -> Result<Found> {
    let kinds: BTreeSet<&str> = kinds.lines().filter(|kind| !SKIPPED.contains(kind)).collect();
    if kinds.is_empty() {
        return Ok(Found::default());
    }
    let list = kinds.into_iter().collect::<Vec<_>>().join(",");
    let args: Vec<&str> = [list.as_str()].into_iter().chain(place.iter().copied()).collect();
    Found::of(kubectl.get(&args)?, of)
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
