//! Before a command: its targets, found by the same words as kubectl finds them, and what goes with them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::cluster::Found;
use super::identity::Identity;
use super::kubectl::Kubectl;
use super::object::Key;
use super::query::{Access, Mode, Query};
use super::snapshot::Snapshot;
use super::{candidates, cluster, look, namespace, owned, prune, release};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Locator, Missing, ObjectId, ObjectSink, StateRef, SystemId};
use crate::systems::CaptureCx;

/// Option of a capture's locator: its own stored state, which knows the objects.
const STATE: &str = "state";
/// How long the cluster is waited for where somebody waits for the answer and nothing is about to be lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stores the objects that a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    if locator.opts.contains_key(STATE) {
        return capture_again(&effect.resource, locator, cx);
    }
    let query = Query::of(locator)?;
    let kubectl = Kubectl::of(&query.access, limit(&query, cx))?;
    let patient = kubectl.until(within(cx.caps.cluster_namespace_seconds, cx));
    let (identity, found) = std::thread::scope(|scope| {
        let identity = scope.spawn(|| Identity::read(&kubectl, &query.access));
        let found = find(&kubectl, &patient, &query);
        (identity.join().unwrap_or_else(|_| Err(Error::failure("reading the kubeconfig failed"))), found)
    });
    let (identity, mut found) = (identity?, found?);
    found.dedup();
    let mut snapshot = Snapshot::new(identity);
    snapshot.releases = found.releases;
    let bytes = snapshot.add(&found.objects, cx.sink)?;
    let own = snapshot.cluster.namespace.clone();
    for mut key in found.absent {
        if key.namespace.is_empty() && !cluster::is_cluster_wide(&key) {
            key.namespace.clone_from(&own);
        }
        snapshot.add_absent(&key);
    }
    if snapshot.is_empty() && found.missing.is_empty() {
        return Ok(Vec::new());
    }
    let resource = resource_of(&snapshot, &effect.resource);
    let access = snapshot.cluster.pinned(&query.access);
    Ok(vec![finished(&snapshot, resource, &access, (bytes, found.missing), cx.sink)?])
}

/// The bounds: a few named objects are quickly there; a namespace is many lists.
fn limit(query: &Query, cx: &CaptureCx<'_>) -> Instant {
    let many = !query.namespaces.is_empty()
        || matches!(query.mode, Mode::Prune | Mode::Helm | Mode::Releases | Mode::Listed);
    within(if many { cx.caps.cluster_namespace_seconds } else { cx.caps.cluster_named_seconds }, cx)
}

fn within(seconds: u64, cx: &CaptureCx<'_>) -> Instant {
    let own = Instant::now() + Duration::from_secs(seconds);
    cx.deadline.map_or(own, |deadline| deadline.min(own))
}

/// `patient` waits longer: for what takes many lists.
fn find(kubectl: &Kubectl, patient: &Kubectl, query: &Query) -> Result<Found> {
    let words: Vec<&str> = query.ask.iter().map(String::as_str).collect();
    let none = BTreeSet::new();
    match query.mode {
        Mode::Names => cluster::by_names(kubectl, &words),
        Mode::Manifests => expand(kubectl, patient, query, &none, cluster::by_manifests(kubectl, &words)?),
        Mode::Prune => prune::find(kubectl, &words),
        Mode::Helm => release::find(kubectl, &words, query.destroys),
        Mode::Releases => {
            let mut found = release::all(kubectl)?;
            found.missing.extend(query.sure.is_none().then(candidates::beside_releases));
            Ok(found)
        }
        Mode::Listed => {
            let mut found = candidates::find(kubectl, query)?;
            if query.drains {
                on_nodes(patient, &mut found);
            }
            expand(kubectl, patient, query, &none, found)
        }
        Mode::Objects => std::thread::scope(|scope| {
            // A namespace that the words name is read while it is itself asked for.
            let inside: Vec<_> = query
                .namespaces
                .iter()
                .map(|name| (name, scope.spawn(move || namespace::inside(kubectl, name))))
                .collect();
            // With all that is in it comes its own object.
            let mut found = match names_only(&words, &query.namespaces) {
                true => Found::default(),
                false => Found::of(kubectl.get(&words)?, "")?,
            };
            let mut known = BTreeSet::new();
            for (name, thread) in inside {
                found.extend(
                    thread.join().unwrap_or_else(|_| Err(Error::failure("reading a namespace failed")))?,
                );
                known.insert(name.clone());
            }
            if query.drains {
                on_nodes(patient, &mut found);
            }
            expand(kubectl, patient, query, &known, found)
        }),
    }
}

/// True where the words name namespaces and nothing else.
fn names_only(words: &[&str], namespaces: &[String]) -> bool {
    let is_kind = |word: &str| matches!(word, "namespace" | "namespaces" | "ns");
    let names = match words {
        [kind, names @ ..] if is_kind(kind) => names,
        all => all,
    };
    let name = |word: &&str| match word.split_once('/') {
        Some((kind, name)) if is_kind(kind) => name.to_owned(),
        _ => (*word).to_owned(),
    };
    !namespaces.is_empty() && names.iter().map(name).eq(namespaces.iter().cloned())
}

/// The pods of nodes that are drained: those without a controller do not come back by themselves.
fn on_nodes(kubectl: &Kubectl, found: &mut Found) {
    let nodes: Vec<String> =
        found.objects.iter().filter(|(o, _)| o.key.is("", "Node")).map(|(o, _)| o.key.name.clone()).collect();
    for node in nodes {
        let on = format!("spec.nodeName={node}");
        let got = kubectl.get(&["pods", "--all-namespaces", "--field-selector", &on]);
        found.extend_or_miss(&format!("the pods on {node}"), got);
    }
}

/// What is deleted with what was found: all in a namespace, all of a definition, the volumes of claims, the replica sets
/// that hold a deployment's history.
fn expand(
    kubectl: &Kubectl,
    patient: &Kubectl,
    query: &Query,
    known: &BTreeSet<String>,
    mut found: Found,
) -> Result<Found> {
    if !query.destroys {
        return Ok(found);
    }
    let keys: Vec<Key> = found.objects.iter().map(|(object, _)| object.key.clone()).collect();
    let of = |group: &str, kind: &str| keys.iter().filter(|k| k.is(group, kind)).collect::<Vec<_>>();
    for key in of("", "Namespace").into_iter().filter(|key| !known.contains(&key.name)) {
        found.extend(namespace::inside(kubectl, &key.name)?);
    }
    for key in of("project.openshift.io", "Project").into_iter().filter(|key| !known.contains(&key.name)) {
        found.extend(namespace::inside(kubectl, &key.name)?);
    }
    for key in of("apiextensions.k8s.io", "CustomResourceDefinition") {
        found.extend(Found::of(kubectl.get(&[&key.name, "--all-namespaces"])?, &key.name)?);
    }
    owned::find(patient, known, &mut found);
    // In a namespace that was read they are there already.
    let outside = |key: &&Key| !known.contains(&key.namespace);
    let volumes: BTreeSet<String> = found
        .objects
        .iter()
        .filter(|(object, _)| object.key.is("", "PersistentVolumeClaim") && outside(&&object.key))
        .map(|(object, _)| object.text("/spec/volumeName").to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    if !volumes.is_empty() {
        let args: Vec<&str> =
            std::iter::once("persistentvolumes").chain(volumes.iter().map(String::as_str)).collect();
        found.extend_or_miss("the volumes of the claims", kubectl.get(&args));
    }
    let deployments: BTreeMap<&str, Vec<&Key>> =
        of("apps", "Deployment").into_iter().filter(outside).fold(BTreeMap::new(), |mut map, key| {
            map.entry(key.namespace.as_str()).or_default().push(key);
            map
        });
    for (namespace, keys) in deployments {
        let names: BTreeSet<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        let got = kubectl.get(&["replicasets.apps", "--namespace", namespace]);
        found.extend_filtered("their replica sets", got, |object| {
            let owner = |o: &serde_json::Value| {
                o.get("kind").and_then(|k| k.as_str()) == Some("Deployment")
                    && o.get("name").and_then(|n| n.as_str()).is_some_and(|n| names.contains(n))
            };
            object.owners().iter().any(owner)
        });
    }
    Ok(found)
}

/// Captures the present of what an earlier capture covers: an undo is about to write it.
fn capture_again(resource: &Bytes, locator: &Locator, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let earlier = earlier(locator, cx)?;
    let access = Access::of(locator);
    let kubectl = Kubectl::trusted(&access, patience(cx));
    let snapshot = now(&kubectl, &access, &earlier, cx)?;
    Ok(vec![finished(&snapshot, resource.clone(), &access, (0, Vec::new()), cx.sink)?])
}

fn earlier(locator: &Locator, cx: &CaptureCx<'_>) -> Result<Snapshot> {
    let id = locator.opts.get(STATE).and_then(Bytes::as_str).and_then(|hex| hex.parse::<ObjectId>().ok());
    let id = id.ok_or_else(|| Error::corrupt("a capture of a cluster that does not say what it covers"))?;
    Snapshot::load(&StateRef { digest: id, object: Some(id) }, cx.source)
}

/// The objects of a capture as they are now.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let earlier = Snapshot::load(&captured.state, cx.source)?;
    let access = Access::of(&captured.locator);
    let kubectl = Kubectl::trusted(&access, patience(cx));
    now(&kubectl, &access, &earlier, cx)?.store(cx.sink)
}

fn patience(cx: &CaptureCx<'_>) -> Instant {
    let own = Instant::now() + PATIENCE;
    cx.deadline.map_or(own, |deadline| deadline.min(own))
}

fn now(kubectl: &Kubectl, access: &Access, earlier: &Snapshot, cx: &CaptureCx<'_>) -> Result<Snapshot> {
    let identity = same_cluster(kubectl, access, &earlier.cluster)?;
    let keys: Vec<(Key, Option<String>)> =
        earlier.entries().map(|(key, entry)| (key, entry.map(|e| e.version.clone()))).collect();
    let mut found = look::look(kubectl, &keys)?;
    if let Some(releases) = &earlier.releases {
        let all = release::content(kubectl, releases)?;
        if let Some(missing) = all.missing.first() {
            return Err(Error::failure(format!("{}: {}", missing.what.lossy(), missing.why)));
        }
        found.extend(all.objects);
    }
    let mut snapshot = Snapshot::new(identity);
    snapshot.releases.clone_from(&earlier.releases);
    snapshot.add(&found, cx.sink)?;
    keys.iter().for_each(|(key, _)| snapshot.add_absent(key));
    Ok(snapshot)
}

/// Checks that a context still leads to the recorded cluster.
///
/// # Errors
/// Where it leads to another one: nothing there is what was captured.
pub fn same_cluster(kubectl: &Kubectl, access: &Access, recorded: &Identity) -> Result<Identity> {
    let identity = Identity::read(kubectl, access)?;
    if identity.is_same(recorded) {
        return Ok(identity);
    }
    let (old, new) = (&recorded.server, &identity.server);
    let what = match old == new {
        true => format!("{new} answers with another CA than the recorded cluster's"),
        false => format!("context {} leads to {new} now, the event was on {old}", recorded.context),
    };
    Err(Error::failure(what).hint("point the kubeconfig at the recorded cluster again"))
}

/// A capture of a state: its locator knows the state, by which its objects are found again.
pub fn finished(
    snapshot: &Snapshot,
    resource: Bytes,
    access: &Access,
    (bytes, missing): (u64, Vec<Missing>),
    sink: &dyn ObjectSink,
) -> Result<Capture> {
    let state = snapshot.store(sink)?;
    let mut locator = access.locator();
    locator.opts.insert("server".to_owned(), snapshot.cluster.server.as_str().into());
    if let Some(id) = state.object {
        locator.opts.insert(STATE.to_owned(), Bytes::from(id.to_string()));
    }
    let items = snapshot.count();
    Ok(Capture { system: SystemId::new("kubernetes"), resource, locator, items, bytes, state, missing })
}

/// What was captured, for people: by its names where they are few.
pub fn resource_of(snapshot: &Snapshot, asked: &Bytes) -> Bytes {
    const NAMED: usize = 3;
    let context = &snapshot.cluster.context;
    let namespaces: Vec<String> = snapshot.keys().filter(|k| k.is("", "Namespace")).map(|k| k.name).collect();
    let keys: Vec<Key> = snapshot.keys().collect();
    let name = |key: &Key| format!("k8s:{context}/{}/{}", key.namespace, key.short());
    let text = match (namespaces.as_slice(), keys.as_slice()) {
        ([namespace], all) if all.len() > 1 => {
            format!("k8s:{context}//namespace/{namespace} with all in it")
        }
        (_, []) => return asked.clone(),
        // What is to be made has no names yet.
        _ if snapshot.releases.is_some() && snapshot.count() == 0 => return asked.clone(),
        (_, few) if few.len() <= NAMED => few.iter().map(name).collect::<Vec<_>>().join(" "),
        (_, [first, ..]) => format!("{} and {} more", name(first), keys.len() - 1),
    };
    Bytes::from(text)
}

/// What an earlier capture holds of what a later one covers.
pub fn held(
    outer: &Capture,
    inner: &Capture,
    source: &dyn crate::model::ObjectSource,
) -> Result<crate::systems::Held> {
    use crate::systems::Held;
    // What the line left open the part has by its names: with that alone the gap is closed.
    if outer.missing.iter().any(candidates::is_about) && !inner.missing.iter().any(candidates::is_about) {
        return Ok(Held::Nothing);
    }
    let (outer, inner) = (Snapshot::load(&outer.state, source)?, Snapshot::load(&inner.state, source)?);
    if !outer.cluster.is_same(&inner.cluster) || !inner.keys().all(|key| outer.covers(&key)) {
        return Ok(Held::Nothing);
    }
    let same = inner.entries().all(|(key, entry)| {
        let digest =
            |entry: Option<&super::snapshot::Entry>| entry.filter(|e| e.is_there()).map(|e| e.digest);
        digest(entry) == digest(outer.entry(&key))
    });
    Ok(if same { Held::Same } else { Held::Other })
}
