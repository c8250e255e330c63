//! Where the server keeps which kind: the paths of its API. It is asked, not kubectl's cache: a definition may have come back
//! a moment ago.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::api::{Api, Line};
use super::object::Key;
use crate::error::{Error, Result};

/// The kinds of one group in one version: the name of the collection, and whether it has namespaces.
type Served = HashMap<String, (String, bool)>;

/// The kinds that a server knows, as far as they were asked for.
#[derive(Default)]
pub struct Resources {
    /// By group and version; `None` where the server does not serve it.
    known: Mutex<HashMap<(String, String), Option<Served>>>,
}

impl Resources {
    /// True where the server knows the kind now.
    pub fn knows(&self, line: &mut Line<'_>, key: &Key, version: &str) -> Result<bool> {
        Ok(self.place(line, key, version)?.is_some())
    }

    /// Forgets a group: a kind of it was not there.
    pub fn forget(&self, group: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _), _| known != group);
    }

    /// The path of the collection that an object is in.
    pub fn collection(&self, line: &mut Line<'_>, key: &Key, version: &str) -> Result<String> {
        let Some((version, name, namespaced)) = self.place(line, key, version)? else {
            let group = if key.group.is_empty() { String::new() } else { format!(" of {}", key.group) };
            return Err(Error::failure(format!("the server knows no kind {}{group}", key.kind)));
        };
        let root = root(&key.group, &version);
        Ok(match namespaced {
            true => format!("{root}/namespaces/{}/{name}", key.namespace),
            false => format!("{root}/{name}"),
        })
    }

    /// The path of one object.
    pub fn object(&self, line: &mut Line<'_>, key: &Key, version: &str) -> Result<String> {
        Ok(format!("{}/{}", self.collection(line, key, version)?, key.name))
    }

    /// The version that serves it: the one that it was read as, else another.
    fn place(&self, line: &mut Line<'_>, key: &Key, version: &str) -> Result<Option<(String, String, bool)>> {
        if let Some((name, namespaced)) = self.find(line, key, version)? {
            return Ok(Some((version.to_owned(), name, namespaced)));
        }
        for other in versions(line, &key.group)? {
            if let Some((name, namespaced)) = self.find(line, key, &other)? {
                return Ok(Some((other, name, namespaced)));
            }
        }
        Ok(None)
    }

    fn find(&self, line: &mut Line<'_>, key: &Key, version: &str) -> Result<Option<(String, bool)>> {
        let of = (key.group.clone(), version.to_owned());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&of).cloned();
        let served = match known {
            Some(served) => served,
            None => {
                let served = read(line, &key.group, version)?;
                self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(of, served.clone());
                served
            }
        };
        Ok(served.and_then(|served| served.get(&key.kind).cloned()))
    }
}

fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
}

fn read(line: &mut Line<'_>, group: &str, version: &str) -> Result<Option<Served>> {
    let list = match line.get(&root(group, version))? {
        Ok(list) => list,
        Err(refusal) if refusal.is_not_there() => return Ok(None),
        Err(refusal) => return Err(Error::failure(refusal.message)),
    };
    let resources = list.get("resources").and_then(Value::as_array).into_iter().flatten();
    let one = |resource: &Value| {
        let text = |name: &str| resource.get(name).and_then(Value::as_str).map(str::to_owned);
        // `deployments/scale` is a part of another.
        let name = text("name").filter(|name| !name.contains('/'))?;
        Some((text("kind")?, (name, resource.get("namespaced").and_then(Value::as_bool)?)))
    };
    Ok(Some(resources.filter_map(one).collect()))
}

/// The versions of a group, the preferred one first.
fn versions(line: &mut Line<'_>, group: &str) -> Result<Vec<String>> {
    if group.is_empty() {
        return Ok(vec!["v1".to_owned()]);
    }
    let Ok(group) = line.get(&format!("/apis/{group}"))? else { return Ok(Vec::new()) };
    let versions = group.get("versions").and_then(Value::as_array).into_iter().flatten();
    Ok(versions.filter_map(|v| v.get("version")?.as_str().map(str::to_owned)).collect())
}

/// The API with what is known of its kinds.
pub struct Server<'a> {
    /// The API.
    pub api: &'a Api,
    /// Its kinds.
    pub kinds: Resources,
}

impl<'a> Server<'a> {
    /// Of which no kind is known yet.
    pub fn of(api: &'a Api) -> Server<'a> {
        Server { api, kinds: Resources::default() }
    }
}
