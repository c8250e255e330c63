//! What has to be known of a kind to compare its objects and to make them anew: one small file for each.
//! The rules are Velero's (`pkg/restore/actions`), as far as they fit an undo that follows within minutes or days.

mod api_service;
mod claim;
mod config_map;
mod definition;
mod endpoints;
mod job;
mod lease;
mod namespace;
mod node;
mod pod;
mod replica_set;
mod secret;
mod service;
mod service_account;
mod volume;
mod workload;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::object::{Key, Object, SERVER_FIELDS, drop_own_finalizers};

/// One kind, or some that are alike.
pub trait Kind: Sync {
    /// True for its objects.
    fn is(&self, key: &Key) -> bool;

    /// Takes out what does not count when two states are compared, beyond what counts for no kind.
    fn normalise(&self, object: &mut Object) {
        let _ = object;
    }

    /// Takes out what one that was made anew cannot have again.
    fn loosen(&self, object: &mut Object) {
        let _ = object;
    }

    /// Takes out what cannot be given to a new one, beyond what no new object takes.
    fn strip(&self, object: &mut Object) {
        let _ = object;
    }

    /// A controller makes it anew; `services` are those that choose pods, as `NAMESPACE/NAME`.
    fn is_left(&self, object: &Object, services: &BTreeSet<String>) -> bool {
        let _ = (object, services);
        false
    }

    /// Why it must not be made anew; `None` where it may.
    fn must_not_return(&self, object: &Object) -> Option<&'static str> {
        let _ = object;
        None
    }

    /// What does not come back with it.
    fn lost(&self, object: &Object) -> Vec<String> {
        let _ = object;
        Vec::new()
    }
}

static KINDS: &[&dyn Kind] = &[
    &api_service::ApiService,
    &claim::Claim,
    &config_map::ConfigMap,
    &definition::Definition,
    &endpoints::Endpoints,
    &job::Job,
    &lease::Lease,
    &namespace::Namespace,
    &node::Node,
    &pod::Pod,
    &replica_set::ReplicaSet,
    &secret::Secret,
    &service::Service,
    &service_account::ServiceAccount,
    &volume::Volume,
    &workload::Workload,
];

fn of(key: &Key) -> impl Iterator<Item = &'static dyn Kind> {
    KINDS.iter().copied().filter(|kind| kind.is(key))
}

/// Takes out what does not count when two states are compared.
pub fn normalise(object: &mut Object) {
    for kind in of(&object.key.clone()) {
        kind.normalise(object);
    }
}

/// Takes out, of a normal form, what one that was made anew cannot have again.
pub fn loosen(object: &mut Object) {
    for kind in of(&object.key.clone()) {
        kind.loosen(object);
    }
}

/// The object as it can be given to the server for a new one. Its owners are left to the caller.
pub fn strip(object: &Object) -> Object {
    let mut out = object.clone();
    if let Some(top) = out.value.as_object_mut() {
        top.remove("status");
    }
    if let Some(meta) = out.metadata() {
        for field in SERVER_FIELDS {
            meta.remove(*field);
        }
        drop_own_finalizers(meta);
    }
    for kind in of(&object.key) {
        kind.strip(&mut out);
    }
    out
}

/// True where a controller makes it anew.
pub fn is_left(object: &Object, services: &BTreeSet<String>) -> bool {
    has_controller(object) || of(&object.key).any(|kind| kind.is_left(object, services))
}

/// Why an object must not be made anew.
pub fn must_not_return(object: &Object) -> Option<&'static str> {
    of(&object.key).find_map(|kind| kind.must_not_return(object))
}

/// What does not come back with an object.
pub fn lost(object: &Object) -> Vec<String> {
    of(&object.key).flat_map(|kind| kind.lost(object)).collect()
}

/// True where an object that is there is what it was, as far as one that was made anew can be.
pub fn same(before: &Object, now: &Object) -> bool {
    if before.digest() == now.digest() {
        return true;
    }
    let loose = |object: &Object| {
        let mut object = Object { value: object.normal(), ..object.clone() };
        loosen(&mut object);
        object.value
    };
    before.uid() != now.uid() && loose(before) == loose(now)
}

/// True for what a new namespace gets by itself.
pub fn comes_by_itself(key: &Key) -> bool {
    key.is("", "ServiceAccount") && key.name == "default"
}

/// True for what controllers write all the time, and nobody else.
pub fn is_status(key: &Key) -> bool {
    matches!(key.kind.as_str(), "Endpoints" | "EndpointSlice" | "Lease" | "Event")
}

/// True for a taint that the controllers of nodes set.
pub fn is_taint_of_controllers(taint: &Value) -> bool {
    node::is_of_controllers(taint)
}

/// Which addresses of a service are given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// The ports on the nodes.
    Ports,
    /// The address too.
    All,
}

/// Takes out addresses that the cluster gives.
pub fn without_addresses(object: &mut Object, which: Addresses) {
    service::Service::without_node_ports(object);
    if which == Addresses::All {
        service::Service::without_addresses(object);
    }
}

/// The services that choose pods: their endpoints are made anew.
pub fn selecting_services(all: &[&Object]) -> BTreeSet<String> {
    let selects = |object: &&&Object| {
        object.key.is("", "Service")
            && object
                .value
                .pointer("/spec/selector")
                .and_then(Value::as_object)
                .is_some_and(|s| !s.is_empty())
    };
    all.iter().filter(selects).map(|o| format!("{}/{}", o.key.namespace, o.key.name)).collect()
}

/// Kinds of Kubernetes' own whose controllers make what they own anew. A deployment's replica sets are not among it: they
/// are its history, and it adopts them.
const CONTROLLERS: &[&str] = &[
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ReplicationController",
    "Node",
    "Service",
    "Endpoints",
];

fn has_controller(object: &Object) -> bool {
    object.owners().iter().any(|owner| {
        let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
        let of_kubernetes = matches!(text("apiVersion"), "v1" | "apps/v1" | "batch/v1" | "batch/v1beta1");
        of_kubernetes && CONTROLLERS.contains(&text("kind"))
    })
}

/// The order in which kinds are made (Velero's `defaultRestorePriorities`): definitions before instances, a namespace before
/// what is in it, volumes before claims, what is mounted before what mounts it, pods and replica sets before what adopts
/// them; last what can stop others from being made.
pub fn rank(key: &Key) -> u32 {
    match (key.group.as_str(), key.kind.as_str()) {
        ("apiextensions.k8s.io", _) => 0,
        (_, "Namespace" | "Project") => 1,
        (_, "StorageClass" | "PriorityClass" | "IngressClass" | "RuntimeClass") => 2,
        (_, "VolumeSnapshotClass" | "VolumeSnapshotContent") => 3,
        (_, "VolumeSnapshot") => 4,
        ("", "PersistentVolume") => 5,
        ("", "PersistentVolumeClaim") => 6,
        (_, "ClusterRole") => 7,
        (_, "Role") => 8,
        ("", "ServiceAccount") => 9,
        (_, "ClusterRoleBinding") => 10,
        (_, "RoleBinding") => 11,
        ("", "Secret") => 12,
        ("", "ConfigMap") => 13,
        ("", "LimitRange") => 14,
        ("", "Pod") => 15,
        ("apps", "ReplicaSet") => 16,
        ("", "Endpoints") => 17,
        ("", "Service") => 18,
        ("apiregistration.k8s.io", _) => 40,
        ("admissionregistration.k8s.io", _) => 50,
        // A quota whose use was not counted yet lets nothing in ("status unknown for quota"): after all that it counts.
        ("", "ResourceQuota") => 35,
        (group, _) if is_own(group) => 20,
        _ => 30,
    }
}

/// True for the groups of Kubernetes itself.
pub fn is_own(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

impl Object {
    /// Its metadata.
    pub fn metadata(&mut self) -> Option<&mut Map<String, Value>> {
        self.value.get_mut("metadata").and_then(Value::as_object_mut)
    }

    /// A map below a pointer.
    pub fn map(&mut self, pointer: &str) -> Option<&mut Map<String, Value>> {
        self.value.pointer_mut(pointer).and_then(Value::as_object_mut)
    }

    /// Takes fields out of a map.
    pub fn remove(&mut self, pointer: &str, fields: &[&str]) {
        if let Some(map) = self.map(pointer) {
            for field in fields {
                map.remove(*field);
            }
        }
    }
}
