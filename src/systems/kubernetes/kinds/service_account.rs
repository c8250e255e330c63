//! ServiceAccounts: the secrets with their own tokens are made anew, and each namespace has a `default`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct ServiceAccount;

impl ServiceAccount {
    fn without_tokens(object: &mut Object) {
        let name = object.key.name.clone();
        let made = [format!("{name}-token-"), format!("{name}-dockercfg-")];
        for list in ["secrets", "imagePullSecrets"] {
            let Some(top) = object.value.as_object_mut() else { return };
            if let Some(secrets) = top.get_mut(list).and_then(Value::as_array_mut) {
                let is_made = |s: &Value| {
                    let secret = s.get("name").and_then(Value::as_str).unwrap_or_default();
                    made.iter().any(|front| secret.starts_with(front.as_str()))
                };
                secrets.retain(|secret| !is_made(secret));
                if secrets.is_empty() {
                    top.remove(list);
                }
            }
        }
    }
}

impl Kind for ServiceAccount {
    fn is(&self, key: &Key) -> bool {
        key.is("", "ServiceAccount")
    }
    fn normalise(&self, object: &mut Object) {
        ServiceAccount::without_tokens(object);
    }
    fn strip(&self, object: &mut Object) {
        ServiceAccount::without_tokens(object);
    }
    fn is_left(&self, object: &Object, _: &BTreeSet<String>) -> bool {
        // One that somebody has added to is restored into the one that the namespace gets.
        let normal = object.normal();
        let plain = |key: &str| matches!(key, "apiVersion" | "kind" | "metadata");
        let only_named = normal
            .get("metadata")
            .and_then(Value::as_object)
            .is_some_and(|meta| meta.keys().all(|key| matches!(key.as_str(), "name" | "namespace")));
        object.key.name == "default"
            && only_named
            && normal.as_object().is_some_and(|top| top.keys().all(|key| plain(key)))
    }
}
