//! Pods that nobody controls. Where one ran, its priority and its token volumes are given to a new one by the server.

use std::collections::BTreeSet;

use serde_json::Value;

use super::workload::scratch_data;
use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct Pod;

impl Pod {
    fn without_given(object: &mut Object) {
        object.remove("/spec", &["nodeName", "priority", "ephemeralContainers"]);
        let account = object.text("/spec/serviceAccountName").to_owned();
        let token = format!("{account}-token-");
        let is_token = |name: &str| name.starts_with(&token) || name.starts_with("kube-api-access-");
        let unnamed = |value: &Value| !value.get("name").and_then(Value::as_str).is_some_and(is_token);
        if let Some(volumes) = object.value.pointer_mut("/spec/volumes").and_then(Value::as_array_mut) {
            volumes.retain(unnamed);
        }
        for list in ["/spec/containers", "/spec/initContainers"] {
            let containers = object.value.pointer_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                if let Some(mounts) = container.get_mut("volumeMounts").and_then(Value::as_array_mut) {
                    mounts.retain(unnamed);
                }
            }
        }
        drop_empty(object);
    }
}

/// No volumes, and none that is left of them, are the same.
fn drop_empty(object: &mut Object) {
    let is_empty = |value: Option<&Value>| value.and_then(Value::as_array).is_some_and(Vec::is_empty);
    if let Some(spec) = object.map("/spec") {
        if is_empty(spec.get("volumes")) {
            spec.remove("volumes");
        }
        for list in ["containers", "initContainers"] {
            for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(container) = container.as_object_mut().filter(|c| is_empty(c.get("volumeMounts")))
                {
                    container.remove("volumeMounts");
                }
            }
        }
    }
}

impl Kind for Pod {
    fn is(&self, key: &Key) -> bool {
        key.is("", "Pod")
    }
    fn normalise(&self, object: &mut Object) {
        Pod::without_given(object);
    }
    fn strip(&self, object: &mut Object) {
        Pod::without_given(object);
    }
    fn is_left(&self, object: &Object, _: &BTreeSet<String>) -> bool {
        // A mirror of a file on a node.
        object.annotation("kubernetes.io/config.mirror").is_some()
    }
    fn must_not_return(&self, object: &Object) -> Option<&'static str> {
        let done = matches!(object.text("/status/phase"), "Succeeded" | "Failed");
        done.then_some("it had finished, and a new one would run again")
    }
    fn lost(&self, object: &Object) -> Vec<String> {
        let mut lost = scratch_data(object, "/spec");
        if object.text("/status/phase") == "Running" {
            lost.push(format!("what {} wrote into its own containers", object.key.short()));
        }
        lost
    }
}
