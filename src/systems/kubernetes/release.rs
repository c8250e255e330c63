//! Helm releases: the Secrets in which Helm keeps them, and the objects that carry their name.
//!
//! What another version of a chart makes stands nowhere before Helm runs. So a capture names its releases, and who looks
//! again looks for all that carries their names: what was not there before is what the command made.

use std::collections::BTreeSet;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cluster::Found;
use super::identity::Identity;
use super::kubectl::Kubectl;
use super::lists::{Kinds, Wish};
use super::namespace;
use super::object::{Key, Object};
use super::query::Access;
use super::snapshot::Snapshot;
use crate::error::Result;
use crate::model::ObjectSource;

/// What Helm (3.2 and later) leaves on all that it makes, but for hooks and what lies in a chart's `crds`.
const MANAGED: &str = "app.kubernetes.io/managed-by=Helm";
const RELEASE: &str = "meta.helm.sh/release-name";
const HOME: &str = "meta.helm.sh/release-namespace";
/// What is on the Secrets that are its records.
const RECORDS: &str = "owner=helm";

/// Kinds without a namespace that charts make.
const CLUSTER_WIDE: &[&str] = &[
    "clusterroles",
    "clusterrolebindings",
    "customresourcedefinitions",
    "storageclasses",
    "priorityclasses",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "persistentvolumes",
    "namespaces",
    "apiservices",
    "ingressclasses",
];

/// The most bytes of a release's record: etcd takes no object of more than 1.5 MB, and text packs 20 to 1 at best.
const LONGEST: u64 = 64 << 20;

/// The releases that a capture covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Releases {
    /// Where their records are.
    pub namespace: String,
    /// Their names.
    pub names: Vec<String>,
}

/// The namespace of the command.
fn namespace_of(kubectl: &Kubectl) -> Result<String> {
    let access = Access { flags: kubectl.flags().to_vec(), ..Access::default() };
    Ok(Identity::read(kubectl, &access)?.namespace)
}

/// Finds all releases in the namespace of the command.
pub fn all(kubectl: &Kubectl) -> Result<Found> {
    let namespace = namespace_of(kubectl)?;
    let records = kubectl.get(&["secrets", "--selector", RECORDS, "--namespace", &namespace])?;
    let records = Found::of(records, "")?;
    let names = records.objects.iter().filter_map(|(record, _)| record.label("name").map(str::to_owned));
    let releases = Releases { namespace, names: names.collect::<BTreeSet<_>>().into_iter().collect() };
    if releases.names.is_empty() {
        return Ok(records);
    }
    let mut found = content(kubectl, &releases)?;
    found.releases = Some(releases);
    Ok(found)
}

/// Finds the releases of these names in the namespace of the command.
pub fn find(kubectl: &Kubectl, names: &[&str], destroys: bool) -> Result<Found> {
    let namespace = namespace_of(kubectl)?;
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let releases = Releases { namespace, names };
    let mut found = std::thread::scope(|scope| {
        // `--create-namespace` makes it.
        let space = (!destroys).then(|| scope.spawn(|| kubectl.get(&["namespace", &releases.namespace])));
        let found = content(kubectl, &releases);
        let space = space.and_then(|thread| thread.join().ok()?.ok());
        found.map(|mut found| {
            if space.is_some_and(|got| got.items.is_empty()) {
                found.absent.push(Key::cluster_wide("", "Namespace", &releases.namespace));
            }
            found
        })
    })?;
    if !destroys {
        coming(&mut found, &releases);
    }
    found.releases = Some(releases);
    Ok(found)
}

/// All that belongs to releases now.
pub fn content(kubectl: &Kubectl, releases: &Releases) -> Result<Found> {
    let Releases { namespace, names } = releases;
    let is_one = |name: &str| names.iter().any(|one| one == name);
    // Another namespace may have a release of that name, with cluster-wide objects of its own.
    let is_here = |object: &Object| object.annotation(HOME).is_none_or(|home| home == namespace);
    let place = Some(namespace.as_str());
    let named = |names, what| Kinds::Named { names, what };
    let wishes = [
        Wish { kinds: Kinds::Namespaced, namespace: place, selector: MANAGED },
        Wish {
            kinds: named(CLUSTER_WIDE, "the release's cluster-wide objects"),
            namespace: None,
            selector: MANAGED,
        },
        Wish { kinds: named(&["secrets"], "the release's own records"), namespace: place, selector: RECORDS },
    ];
    let mut out = Found::default();
    for (mut found, wish) in namespace::find(kubectl, &wishes)?.into_iter().zip(&wishes) {
        found.objects.retain(|(object, _)| match wish.selector {
            RECORDS => object.label("name").is_some_and(is_one),
            _ => object.annotation(RELEASE).is_some_and(is_one) && is_here(object),
        });
        out.extend(found);
    }
    Ok(out)
}

/// What installs, upgrades and rolls back makes the record of another revision (two, where one that fails is rolled back at
/// once): without a word on how the command left it, that it is there is a question, and nothing is deleted.
fn coming(found: &mut Found, releases: &Releases) {
    for name in &releases.names {
        let revisions =
            found.objects.iter().filter(|(o, _)| o.key.is("", "Secret") && o.label("name") == Some(name));
        let newest =
            revisions.filter_map(|(o, _)| o.label("version")?.parse::<u64>().ok()).max().unwrap_or(0);
        found.absent.extend((newest + 1..=newest + 2).map(|revision| Key {
            namespace: releases.namespace.clone(),
            group: String::new(),
            kind: "Secret".to_owned(),
            name: format!("sh.helm.release.v1.{name}.v{revision}"),
        }));
    }
}

/// Why something that carries a release's name since the command was not made by it: it is older than the first record that
/// the command wrote, by the server's own clock (`--take-ownership`).
pub fn was_there_before(object: &Object, records: &[Object]) -> Option<String> {
    let first = records.iter().map(|record| record.text("/metadata/creationTimestamp")).min()?;
    // RFC 3339 in UTC, to the second: text sorts as time.
    (object.text("/metadata/creationTimestamp") < first).then(|| {
        "Helm took it over, it is older than the release's record: not the command's to delete".to_owned()
    })
}

/// The records of revisions that are in one state and not in the other.
pub fn new_records(before: &Snapshot, after: &Snapshot, source: &dyn ObjectSource) -> Vec<Object> {
    let is_new = |key: &Key| {
        key.is("", "Secret") && key.name.starts_with("sh.helm.release.v1.") && before.entry(key).is_none()
    };
    let new = after.entries().filter(|(key, _)| is_new(key)).filter_map(|(_, entry)| entry);
    new.filter_map(|entry| Snapshot::object(entry, source).ok()).collect()
}

/// What a revision left that carries no release's name: what its hooks did, and definitions that Helm never deletes.
pub fn leaves(record: &Object) -> Vec<String> {
    let Some(release) = decoded(record) else {
        return vec![format!("what the hooks of {} did: its record cannot be read", record.key.short())];
    };
    let list = |at: &str| release.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |value: &Value, at: &str| value.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ran = |hook: &&Value| !text(hook, "/last_run/phase").is_empty();
    let hooks = list("/hooks")
        .iter()
        .filter(ran)
        .map(|hook| {
            format!("what the hook {}/{} did", text(hook, "/kind").to_lowercase(), text(hook, "/name"))
        })
        .collect::<Vec<_>>();
    let is_first = release.get("version").and_then(Value::as_u64) == Some(1);
    let files = list("/chart/files").into_iter().map(|file| text(&file, "/name"));
    let crds = files.filter(|name| is_first && name.starts_with("crds/"));
    let crds = crds
        .map(|name| format!("the definitions of the chart's {name}: Helm does not say whether it made them"));
    hooks.into_iter().chain(crds).collect()
}

/// A release as Helm keeps it: JSON, packed by gzip, in base64; and a Secret's data are base64 again.
fn decoded(record: &Object) -> Option<Value> {
    let outer = STANDARD.decode(record.text("/data/release")).ok()?;
    let inner = STANDARD.decode(outer).ok()?;
    let mut json = Vec::new();
    flate2::read::GzDecoder::new(inner.as_slice()).take(LONGEST).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}
