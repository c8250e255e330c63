//! One object of a cluster: its name, and what of it can be compared.

use std::fmt;

use serde_json::{Map, Value};

use super::kinds;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind};

/// What names an object, whatever version of its kind it is read as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Empty for what has no namespace.
    pub namespace: String,
    /// The API group; empty for the core.
    pub group: String,
    /// `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Key {
    // None of the four can hold a slash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.namespace, self.group, self.kind, self.name)
    }
}

impl Key {
    /// Reads it back.
    pub fn parse(text: &str) -> Option<Key> {
        let mut parts = text.splitn(4, '/').map(str::to_owned);
        Some(Key { namespace: parts.next()?, group: parts.next()?, kind: parts.next()?, name: parts.next()? })
    }

    /// Of something without a namespace.
    pub fn cluster_wide(group: &str, kind: &str, name: &str) -> Key {
        Key {
            namespace: String::new(),
            group: group.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        }
    }

    /// As people write it: `deployment/web`.
    pub fn short(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }

    /// True for this kind of this group.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}

/// An object as a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its name.
    pub key: Key,
    /// `v1`: the version that it was read as.
    pub version: String,
    /// All of it.
    pub value: Value,
}

impl Object {
    /// Reads the JSON of an object.
    pub fn parse(text: &str) -> Result<Object> {
        let value: Value = serde_json::from_str(text)
            .map_err(|e| Error::corrupt(format!("an object of a cluster cannot be read: {e}")))?;
        Object::of(value)
    }

    /// An object that was read.
    pub fn of(value: Value) -> Result<Object> {
        let text =
            |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let api = text("/apiVersion");
        let (group, version) = api.rsplit_once('/').unwrap_or(("", &api));
        let key = Key {
            namespace: text("/metadata/namespace"),
            group: group.to_owned(),
            kind: text("/kind"),
            name: text("/metadata/name"),
        };
        if key.kind.is_empty() || key.name.is_empty() {
            return Err(Error::failure("the cluster gave something without kind or name"));
        }
        Ok(Object { key, version: version.to_owned(), value })
    }

    /// A text field; empty where it is not there.
    pub fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its identity.
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// It is being deleted.
    pub fn is_going(&self) -> bool {
        self.value.pointer("/metadata/deletionTimestamp").is_some_and(|t| !t.is_null())
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.value.get("metadata")?.get("annotations")?.get(name)?.as_str()
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.value.get("metadata")?.get("labels")?.get(name)?.as_str()
    }

    /// Its owners.
    pub fn owners(&self) -> &[Value] {
        let owners = self.value.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        owners.map(Vec::as_slice).unwrap_or_default()
    }

    /// What of it counts when two states are compared: all that somebody wants it to be, nothing that the server or a
    /// controller notes on it.
    pub fn normal(&self) -> Value {
        let mut value = self.value.clone();
        if let Some(top) = value.as_object_mut() {
            top.remove("status");
            if let Some(meta) = top.get_mut("metadata").and_then(Value::as_object_mut) {
                normal_metadata(meta);
            }
        }
        let mut normal = Object { value, ..self.clone() };
        kinds::normalise(&mut normal);
        prune(&mut normal.value);
        normal.value
    }

    /// The identity of its normal form. The version that it was read as is in it.
    pub fn digest(&self) -> ObjectId {
        // Keys of a map are sorted: the text is the same for the same value.
        ObjectId::of(ObjectKind::State, self.normal().to_string().as_bytes())
    }
}

/// Set by the server for each object anew.
pub const SERVER_FIELDS: &[&str] = &[
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "managedFields",
    "generateName",
];

/// Finalizers that the server or its controllers add and remove by themselves.
const OWN_FINALIZERS: &[&str] =
    &["foregroundDeletion", "orphan", "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"];

/// Annotations that controllers write.
const OWN_ANNOTATIONS: &[&str] = &[
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "endpoints.kubernetes.io/last-change-trigger-time",
    "control-plane.alpha.kubernetes.io/leader",
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "batch.kubernetes.io/job-tracking",
];

fn normal_metadata(meta: &mut Map<String, Value>) {
    for field in SERVER_FIELDS {
        meta.remove(*field);
    }
    if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|name, _| !OWN_ANNOTATIONS.contains(&name.as_str()));
    }
    drop_own_finalizers(meta);
    // Owners are the same by their names: a uid is new after each restore.
    for owner in meta.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(owner) = owner.as_object_mut() {
            owner.remove("uid");
        }
    }
}

/// Takes out the finalizers that come by themselves; those of other controllers stay.
pub fn drop_own_finalizers(meta: &mut Map<String, Value>) {
    if let Some(finalizers) = meta.get_mut("finalizers").and_then(Value::as_array_mut) {
        finalizers.retain(|f| !f.as_str().is_some_and(|f| OWN_FINALIZERS.contains(&f)));
    }
}

/// An empty map or list and none at all are the same to the server.
fn prune(value: &mut Value) {
    let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    meta.retain(|_, v| {
        !(v.is_null() || v.as_object().is_some_and(Map::is_empty) || v.as_array().is_some_and(Vec::is_empty))
    });
}
