//! APIServices: those of the server's own are made by itself.

use std::collections::BTreeSet;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct ApiService;

impl Kind for ApiService {
    fn is(&self, key: &Key) -> bool {
        key.is("apiregistration.k8s.io", "APIService")
    }
    fn is_left(&self, object: &Object, _: &BTreeSet<String>) -> bool {
        object.label("kube-aggregator.kubernetes.io/automanaged").is_some()
    }
}
