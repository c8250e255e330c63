//! Secrets with the token of a service account: the server makes the token, and a new account has a new one.

use std::collections::BTreeSet;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

const TOKEN: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";

pub struct Secret;

impl Secret {
    fn is_token(object: &Object) -> bool {
        object.text("/type") == TOKEN
    }
    fn without_token(object: &mut Object) {
        if Secret::is_token(object) {
            object.remove("/metadata/annotations", &["kubernetes.io/service-account.uid"]);
            object.remove("/data", &["token", "ca.crt", "namespace", "service-ca.crt"]);
            let is_empty = object.map("/data").is_some_and(|data| data.is_empty());
            if is_empty {
                object.remove("", &["data"]);
            }
        }
    }
}

impl Kind for Secret {
    fn is(&self, key: &Key) -> bool {
        key.is("", "Secret")
    }
    fn normalise(&self, object: &mut Object) {
        Secret::without_token(object);
    }
    fn strip(&self, object: &mut Object) {
        Secret::without_token(object);
    }
    fn is_left(&self, object: &Object, _: &BTreeSet<String>) -> bool {
        // Before 1.24 each account got one by itself, with five random letters.
        let name = object.annotation(ACCOUNT).unwrap_or_default();
        let random = object.key.name.strip_prefix(&format!("{name}-token-"));
        Secret::is_token(object) && !name.is_empty() && random.is_some_and(|letters| letters.len() == 5)
    }
    fn lost(&self, object: &Object) -> Vec<String> {
        if !Secret::is_token(object) {
            return Vec::new();
        }
        vec![format!(
            "the token in {}: it is a new one, who holds the old one is locked out",
            object.key.short()
        )]
    }
}
