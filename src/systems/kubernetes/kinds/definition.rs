//! CustomResourceDefinitions. The finalizer that removes the instances is the server's own.

use serde_json::Value;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct Definition;

impl Definition {
    fn without_own(object: &mut Object) {
        let finalizers =
            object.metadata().and_then(|m| m.get_mut("finalizers")).and_then(Value::as_array_mut);
        if let Some(finalizers) = finalizers {
            finalizers.retain(|f| f.as_str() != Some("customresourcecleanup.apiextensions.k8s.io"));
        }
    }
}

impl Kind for Definition {
    fn is(&self, key: &Key) -> bool {
        key.is("apiextensions.k8s.io", "CustomResourceDefinition")
    }
    fn normalise(&self, object: &mut Object) {
        Definition::without_own(object);
    }
    fn strip(&self, object: &mut Object) {
        Definition::without_own(object);
    }
}
