//! Where the server keeps which kind: the paths of its API. Objects are written there as they are; `kubectl create -f` would
//! rewrite the annotation that `kubectl apply` compares with.

use std::collections::HashMap;

use super::kubectl::Kubectl;
use super::object::{Key, Object};
use crate::error::{Error, Result};

/// Version, name of the collection, whether it has namespaces.
type Served = (String, String, bool);

/// The kinds that a server knows.
pub struct Resources {
    /// Name of the collection and whether it has namespaces, by group and kind, for each version.
    known: HashMap<(String, String), Vec<Served>>,
}

impl Resources {
    /// Asks the server, not kubectl's cache: a definition may have come back a moment ago.
    pub fn read(kubectl: &Kubectl) -> Result<Resources> {
        // A group whose server is away makes kubectl fail after it has listed the others.
        let done = kubectl.run(&["api-resources", "--no-headers"], b"")?;
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let mut known: HashMap<_, Vec<_>> = HashMap::new();
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, .., api, namespaced, kind] = words.as_slice() else { continue };
            let (group, version) = api.rsplit_once('/').unwrap_or(("", api));
            let entry = (version.to_owned(), (*name).to_owned(), *namespaced == "true");
            known.entry((group.to_owned(), (*kind).to_owned())).or_default().push(entry);
        }
        if known.is_empty() { Err(super::kubectl::said(&done)) } else { Ok(Resources { known }) }
    }

    /// True where the server knows the kind.
    pub fn knows(&self, key: &Key) -> bool {
        self.known.contains_key(&(key.group.clone(), key.kind.clone()))
    }

    /// The path of a collection, for an object as it was read.
    pub fn collection(&self, object: &Object) -> Result<String> {
        self.path(&object.key, &object.version)
    }

    /// The path of one object.
    pub fn object(&self, key: &Key, version: &str) -> Result<String> {
        Ok(format!("{}/{}", self.path(key, version)?, key.name))
    }

    fn path(&self, key: &Key, version: &str) -> Result<String> {
        let known = self.known.get(&(key.group.clone(), key.kind.clone()));
        let known = known.and_then(|k| k.iter().find(|(v, _, _)| v == version).or(k.first()));
        let Some((_, name, namespaced)) = known else {
            return Err(Error::failure(format!("the server knows no kind {} of {}", key.kind, key.group)));
        };
        let root = if key.group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{}/{version}", key.group)
        };
        Ok(match namespaced {
            true => format!("{root}/namespaces/{}/{name}", key.namespace),
            false => format!("{root}/{name}"),
        })
    }
}
