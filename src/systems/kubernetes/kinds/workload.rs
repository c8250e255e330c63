//! Deployments, StatefulSets, DaemonSets and their like: their pods go with them, and what these kept on their nodes.

use serde_json::Value;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct Workload;

impl Kind for Workload {
    fn is(&self, key: &Key) -> bool {
        key.group == "apps" && matches!(key.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet")
    }
    fn normalise(&self, object: &mut Object) {
        // The defaults of an older client, written by the server itself.
        object.remove("/metadata/annotations", &["deployment.kubernetes.io/revision"]);
    }
    fn lost(&self, object: &Object) -> Vec<String> {
        scratch_data(object, "/spec/template/spec")
    }
}

/// What pods keep in `emptyDir` goes with them.
pub fn scratch_data(object: &Object, spec: &str) -> Vec<String> {
    let volumes = object.value.pointer(&format!("{spec}/volumes")).and_then(Value::as_array);
    let names: Vec<&str> = volumes
        .into_iter()
        .flatten()
        .filter(|volume| volume.get("emptyDir").is_some())
        .filter_map(|volume| volume.get("name").and_then(Value::as_str))
        .collect();
    if names.is_empty() {
        return Vec::new();
    }
    vec![format!("what the pods of {} kept in emptyDir ({})", object.key.short(), names.join(", "))]
}
