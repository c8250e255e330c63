//! What was found in a cluster, and the simple ways of finding it: by names, by manifests.

use std::collections::{BTreeMap, HashMap};

use super::kubectl::{Got, Kubectl, objects};
use super::look;
use super::object::{Key, Object};
use super::release::Releases;
use crate::error::{Error, Result};
use crate::model::{Bytes, Missing};

/// Objects, each with its JSON as received; what is not there; what could not be read.
#[derive(Debug, Default)]
pub struct Found {
    /// What is there.
    pub objects: Vec<(Object, String)>,
    /// What was looked for and is not there.
    pub absent: Vec<Key>,
    /// What could not be read, and why.
    pub missing: Vec<Missing>,
    /// The releases of Helm's that these are.
    pub releases: Option<Releases>,
}

impl Found {
    /// The answer to a `get`; `of` says in what the refused kinds are.
    pub fn of(got: Got, of: &str) -> Result<Found> {
        let mut found = Found::default();
        for raw in &got.items {
            found.objects.push((Object::parse(raw.get())?, raw.get().to_owned()));
        }
        found.missing = got.refused.iter().map(|line| refusal(line, of)).collect();
        Ok(found)
    }

    /// Adds more.
    pub fn extend(&mut self, other: Found) {
        self.objects.extend(other.objects);
        self.absent.extend(other.absent);
        self.missing.extend(other.missing);
    }

    /// Adds an answer; where there is none, that is named.
    pub fn extend_or_miss(&mut self, what: &str, got: Result<Got>) {
        self.extend_filtered(what, got, |_| true);
    }

    /// The same, for those objects of it that matter.
    pub fn extend_filtered(&mut self, what: &str, got: Result<Got>, matters: impl Fn(&Object) -> bool) {
        match got.and_then(|got| Found::of(got, what)) {
            Ok(mut found) => {
                found.objects.retain(|(object, _)| matters(object));
                self.extend(found);
            }
            Err(e) => self.missing.push(Missing { what: Bytes::from(what), why: e.to_string() }),
        }
    }

    /// Each object once: some are served under two groups (`extensions` and its heirs), with one uid.
    pub fn dedup(&mut self) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<(Object, String)> = Vec::new();
        for (object, raw) in std::mem::take(&mut self.objects) {
            match seen.get(object.uid()) {
                Some(at) if !object.uid().is_empty() => {
                    if let Some(known) =
                        kept.get_mut(*at).filter(|(known, _)| known.key.group == "extensions")
                    {
                        *known = (object, raw);
                    }
                }
                _ => {
                    seen.insert(object.uid().to_owned(), kept.len());
                    kept.push((object, raw));
                }
            }
        }
        self.objects = kept;
        let mut named = Vec::new();
        self.missing.retain(|missing| {
            let new = !named.contains(&missing.what);
            named.push(missing.what.clone());
            new
        });
    }
}

/// `Error from server (Forbidden): secrets is forbidden: User … cannot list resource "secrets" …`
pub fn refusal(line: &str, of: &str) -> Missing {
    let said = line.strip_prefix("Error from server ").unwrap_or(line);
    let (why, rest) = said.split_once(": ").unwrap_or((said, ""));
    let what = rest.split_once(" is forbidden").map_or(rest, |(kind, _)| kind);
    let what = if of.is_empty() { what.to_owned() } else { format!("{what} ({of})") };
    let why = why.trim_matches(['(', ')']).to_lowercase();
    let why =
        if why == "forbidden" { "the cluster does not let this user list them".to_owned() } else { why };
    Missing { what: Bytes::from(what), why }
}

/// Objects by `NAMESPACE|KIND.VERSION.GROUP/NAME`.
pub fn by_names(kubectl: &Kubectl, words: &[&str]) -> Result<Found> {
    let mut spaces: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut found = Found::default();
    for word in words {
        let (namespace, name) = word.split_once('|').unwrap_or(("", word));
        let key =
            key_of(namespace, name).ok_or_else(|| Error::corrupt("a target in a cluster without a name"))?;
        found.absent.push(key);
        spaces.entry(namespace).or_default().push(name);
    }
    for (namespace, names) in spaces {
        let mut args = names.clone();
        if !namespace.is_empty() {
            args.extend(["--namespace", namespace]);
        }
        found.extend(Found::of(look::get_known(kubectl, &names, &args)?, "")?);
    }
    found.absent.retain(|key| !found.objects.iter().any(|(object, _)| same_name(&object.key, key)));
    Ok(found)
}

/// The namespace may be the context's own, which the words do not tell.
fn same_name(object: &Key, key: &Key) -> bool {
    (&object.group, &object.kind, &object.name) == (&key.group, &key.kind, &key.name)
        && (key.namespace.is_empty() || object.namespace.is_empty() || object.namespace == key.namespace)
}

/// `Deployment.v1.apps/web`, `CronJob.batch/x`, `ConfigMap.v1./x`.
fn key_of(namespace: &str, word: &str) -> Option<Key> {
    let (kind, name) = word.split_once('/')?;
    let (kind, rest) = kind.split_once('.').unwrap_or((kind, ""));
    let is_version = |v: &str| v.starts_with('v') && v[1..].starts_with(|c: char| c.is_ascii_digit());
    let group = match rest.split_once('.') {
        Some((version, group)) if is_version(version) => group,
        _ => rest,
    };
    let text = |t: &str| t.to_owned();
    Some(Key { namespace: text(namespace), group: text(group), kind: text(kind), name: text(name) })
}

/// Kinds of Kubernetes' own that have no namespace. Of other kinds it is learnt when they are seen.
pub fn is_cluster_wide(key: &Key) -> bool {
    matches!(
        key.kind.as_str(),
        "Namespace"
            | "Node"
            | "PersistentVolume"
            | "ClusterRole"
            | "ClusterRoleBinding"
            | "CustomResourceDefinition"
            | "StorageClass"
            | "PriorityClass"
            | "APIService"
            | "ValidatingWebhookConfiguration"
            | "MutatingWebhookConfiguration"
            | "CertificateSigningRequest"
            | "IngressClass"
            | "RuntimeClass"
            | "CSIDriver"
            | "VolumeSnapshotClass"
    )
}

/// The objects of manifests: those that are there, and the names of those that are not.
pub fn by_manifests(kubectl: &Kubectl, words: &[&str]) -> Result<Found> {
    let files = files_of(words);
    let (live, named) = std::thread::scope(|scope| {
        let named = scope.spawn(|| names_in(kubectl, &files));
        let live = kubectl.get(&files);
        (live, named.join().unwrap_or_else(|_| Err(Error::failure("reading the manifests failed"))))
    });
    let mut found = Found::of(live?, "")?;
    match named {
        Ok(named) => {
            let there = |key: &Key| found.objects.iter().any(|(object, _)| same_name(&object.key, key));
            found.absent = named.into_iter().filter(|key| !there(key)).collect();
        }
        Err(e) => found.missing.push(Missing {
            what: "objects of the manifests that are not there yet".into(),
            why: e.to_string(),
        }),
    }
    Ok(found)
}

/// The options that name manifests.
pub fn files_of<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let mut out = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--recursive" => out.push(*word),
            "--filename" | "--kustomize" => {
                out.push(*word);
                out.extend(rest.next());
            }
            _ => drop(rest.next()),
        }
    }
    out
}

/// What manifests name, by a dry run on our side: nothing reaches the server but questions about its kinds.
fn names_in(kubectl: &Kubectl, files: &[&str]) -> Result<Vec<Key>> {
    let fixed = ["create", "--dry-run=client", "--validate=false", "-o", "json"];
    let args: Vec<&str> = fixed.iter().chain(files).copied().collect();
    let text = kubectl.ask(&args)?;
    objects(&text)?.iter().map(|raw| Ok(Object::parse(raw.get())?.key)).collect()
}
