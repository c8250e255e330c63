//! Namespaces: the server adds its own finalizer and, since 1.21, a label with the name.

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct Namespace;

impl Kind for Namespace {
    fn is(&self, key: &Key) -> bool {
        key.is("", "Namespace")
    }
    fn normalise(&self, object: &mut Object) {
        object.remove("/metadata/labels", &["kubernetes.io/metadata.name"]);
        object.remove("", &["spec"]);
    }
    fn strip(&self, object: &mut Object) {
        object.remove("", &["spec"]);
    }
}
