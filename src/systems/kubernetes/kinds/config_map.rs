//! ConfigMaps: the CA that is put into each namespace is put there anew.

use std::collections::BTreeSet;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct ConfigMap;

impl Kind for ConfigMap {
    fn is(&self, key: &Key) -> bool {
        key.is("", "ConfigMap")
    }
    fn is_left(&self, object: &Object, _: &BTreeSet<String>) -> bool {
        matches!(
            object.key.name.as_str(),
            "kube-root-ca.crt" | "openshift-service-ca.crt" | "istio-ca-root-cert"
        )
    }
}
