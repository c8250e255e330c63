//! ReplicaSets of a deployment are its history. They are made before it, without an owner, and it adopts them.

use serde_json::Value;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct ReplicaSet;

impl ReplicaSet {
    fn is_of_deployment(object: &Object) -> bool {
        object.label("pod-template-hash").is_some()
            || object.owners().iter().any(|o| o.get("kind").and_then(Value::as_str) == Some("Deployment"))
    }
    fn without_owner(object: &mut Object) {
        if ReplicaSet::is_of_deployment(object)
            && let Some(meta) = object.metadata()
        {
            meta.remove("ownerReferences");
        }
    }
}

impl Kind for ReplicaSet {
    fn is(&self, key: &Key) -> bool {
        key.is("apps", "ReplicaSet")
    }
    fn normalise(&self, object: &mut Object) {
        if ReplicaSet::is_of_deployment(object) {
            // The deployment says how many, and counts its revisions.
            object.remove("/spec", &["replicas"]);
            let counts =
                ["deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"];
            object.remove("/metadata/annotations", &counts);
            object.remove("/metadata/annotations", &["deployment.kubernetes.io/revision-history"]);
        }
        ReplicaSet::without_owner(object);
    }
    fn strip(&self, object: &mut Object) {
        ReplicaSet::without_owner(object);
    }
}
