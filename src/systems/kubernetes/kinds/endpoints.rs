//! Endpoints and EndpointSlices: those of a service that chooses pods are made anew; others were written by hand.

use std::collections::BTreeSet;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct Endpoints;

impl Kind for Endpoints {
    fn is(&self, key: &Key) -> bool {
        key.is("", "Endpoints") || key.is("discovery.k8s.io", "EndpointSlice")
    }
    fn is_left(&self, object: &Object, services: &BTreeSet<String>) -> bool {
        let managed = object.label("endpointslice.kubernetes.io/managed-by");
        let of = object.label("kubernetes.io/service-name").unwrap_or(&object.key.name);
        managed.is_some_and(|by| by.ends_with(".k8s.io"))
            || services.contains(&format!("{}/{of}", object.key.namespace))
    }
}
