//! Nodes. What a controller writes on a node because of its condition or of `spec.unschedulable` comes and goes by itself
//! (kube-controller-manager `node_lifecycle_controller.go`).

use serde_json::Value;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct Node;

/// A taint that the node's controllers set.
pub fn is_of_controllers(taint: &Value) -> bool {
    let key = taint.get("key").and_then(Value::as_str).unwrap_or_default();
    key.starts_with("node.kubernetes.io/") || key.starts_with("node.cloudprovider.kubernetes.io/")
}

impl Kind for Node {
    fn is(&self, key: &Key) -> bool {
        key.is("", "Node")
    }
    fn normalise(&self, object: &mut Object) {
        let Some(spec) = object.map("/spec") else { return };
        if let Some(taints) = spec.get_mut("taints").and_then(Value::as_array_mut) {
            taints.retain(|taint| !is_of_controllers(taint));
            if taints.is_empty() {
                spec.remove("taints");
            }
        }
    }
}
