//! Lists of many kinds, out of one `kubectl proxy`: which kinds there are is asked of the server, not of kubectl's cache (a
//! kind that was installed a minute ago counts too), and their lists come side by side. A `kubectl get` for them asks for one
//! kind after the other, and each kubectl takes 0.1 s of processor before it asks for anything.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::{Api, Line, Refusal};
use super::cluster::{Found, refusal};
use super::kinds::is_own;
use super::object::Object;
use crate::error::{Error, Result};
use crate::model::{Bytes, Missing};

/// Kinds that are no state: what happened, and what is measured.
pub const SKIPPED: &[&str] = &["events", "events.events.k8s.io", "pods.metrics.k8s.io"];
/// How the names of groups end that serve nothing but measurements.
const MEASURED: &str = "metrics.k8s.io";
/// How many objects come in one answer, as with kubectl.
const CHUNK: &str = "limit=500";

/// Objects that are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Of which kinds.
    pub kinds: Kinds<'a>,
    /// In this namespace; `None` for all of the cluster.
    pub namespace: Option<&'a str>,
    /// With these labels (`app=web`); empty for all.
    pub selector: &'a str,
}

/// The kinds of a wish.
#[derive(Clone, Copy, Debug)]
pub enum Kinds<'a> {
    /// All that have a namespace.
    Namespaced,
    /// All.
    All,
    /// Kubernetes' own of these names, as far as the server has them. `what` says to people what their objects are.
    Named { names: &'a [&'a str], what: &'a str },
    /// None: the namespace's own object.
    Itself,
}

/// A kind as the server tells of it.
struct Kind {
    group: String,
    version: String,
    plural: String,
    namespaced: bool,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    versions: Vec<Version>,
    #[serde(rename = "preferredVersion", default)]
    preferred: Option<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Served {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct List<'a> {
    kind: String,
    #[serde(rename = "apiVersion")]
    api: String,
    #[serde(default)]
    metadata: Meta,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(rename = "continue", default)]
    more: Option<String>,
}

impl Kind {
    /// As kubectl names it: `deployments.apps`.
    fn word(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The path of its objects in a namespace, or of all of them.
    fn path(&self, namespace: Option<&str>) -> String {
        let root = root(&self.group, &self.version);
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    fn is_wanted(&self, wish: &Wish<'_>) -> bool {
        match wish.kinds {
            _ if SKIPPED.contains(&self.word().as_str()) => false,
            Kinds::Namespaced => self.namespaced,
            Kinds::All => true,
            Kinds::Named { names, .. } => is_own(&self.group) && names.contains(&self.plural.as_str()),
            Kinds::Itself => self.group.is_empty() && self.plural == "namespaces",
        }
    }
}

fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
}

/// What is wished for, each wish's by itself. Kinds that cannot be read are named as missing.
///
/// # Errors
/// Where the server does not say which kinds it has, or none of them can be read in time.
pub fn find(api: &Api, wishes: &[Wish<'_>]) -> Result<Vec<Found>> {
    let (kinds, unknown) = kinds(api)?;
    let wanted: Vec<(usize, &Wish<'_>, &Kind)> = wishes
        .iter()
        .enumerate()
        .flat_map(|(at, wish)| kinds.iter().filter(|k| k.is_wanted(wish)).map(move |kind| (at, wish, kind)))
        .collect();
    let answers = api.each(&wanted, |line, (_, wish, kind)| list(line, kind, wish));
    if let (true, Some(Err(error))) = (answers.iter().all(Result::is_err), answers.first()) {
        return Err(Error::failure(error.what.clone()));
    }
    let mut out: Vec<Found> = wishes.iter().map(|_| Found::default()).collect();
    for ((at, wish, kind), answer) in wanted.into_iter().zip(answers) {
        let Some(found) = out.get_mut(at) else { continue };
        match answer {
            Ok(Ok(objects)) => found.objects.extend(objects),
            // It has gone since it was named.
            Ok(Err(refused)) if refused.is_not_there() => {}
            Ok(Err(refused)) => {
                let line = format!("Error from server ({}): {}", refused.reason, refused.message);
                found.missing.push(refusal(&line, wish.what()));
            }
            Err(error) => found.missing.push(Missing { what: Bytes::from(kind.word()), why: error.what }),
        }
    }
    // What a group serves that does not say so may be wanted.
    let is_whole = |wish: &Wish<'_>| matches!(wish.kinds, Kinds::Namespaced | Kinds::All);
    if let Some(found) = wishes.iter().position(is_whole).and_then(|at| out.get_mut(at)) {
        found.missing.extend(unknown);
    }
    Ok(out)
}

impl Wish<'_> {
    /// In what the objects are, for people.
    pub fn what(&self) -> &str {
        match self.kinds {
            Kinds::Named { what, .. } => what,
            _ => self.namespace.unwrap_or_default(),
        }
    }
}

/// The kinds that can be listed, each in the version that the server prefers; and the groups that do not say what they serve
/// (the server behind an aggregated API is down).
fn kinds(api: &Api) -> Result<(Vec<Kind>, Vec<Missing>)> {
    let mut line = api.line();
    let groups: Groups = read(&mut line, "/apis")?.map_err(|refused| Error::failure(refused.message))?;
    let mut versions: Vec<(&str, &str)> = vec![("", "v1")];
    for group in &groups.groups {
        let preferred = group.preferred.as_ref().map(|preferred| preferred.version.as_str());
        let others = group.versions.iter().map(|v| v.version.as_str()).filter(|v| Some(*v) != preferred);
        versions.extend(preferred.into_iter().chain(others).map(|version| (group.name.as_str(), version)));
    }
    let served = api.each(&versions, |line, (group, version)| read::<Served>(line, &root(group, version)));
    let (mut kinds, mut unknown) = (Vec::<Kind>::new(), Vec::new());
    for ((group, version), answer) in versions.into_iter().zip(served) {
        let why = match answer {
            Ok(Ok(served)) => {
                let listed = served.resources.into_iter().filter(Resource::is_listed);
                for Resource { name: plural, namespaced, .. } in listed {
                    if !kinds.iter().any(|kind| kind.group == group && kind.plural == plural) {
                        let (group, version) = (group.to_owned(), version.to_owned());
                        kinds.push(Kind { group, version, plural, namespaced });
                    }
                }
                continue;
            }
            Ok(Err(refused)) => refused.message,
            // Without the core's kinds nothing is known.
            Err(error) if group.is_empty() => return Err(error),
            Err(error) => error.what,
        };
        if group.is_empty() {
            return Err(Error::failure(why));
        }
        if !group.ends_with(MEASURED) {
            let what = Bytes::from(format!("all kinds of {group}/{version}"));
            unknown.push(Missing { what, why: format!("the server of that API does not answer ({why})") });
        }
    }
    Ok((kinds, unknown))
}

impl Resource {
    fn is_listed(&self) -> bool {
        // `deployments/scale` is a part of another.
        !self.name.contains('/') && self.verbs.iter().any(|verb| verb == "list")
    }
}

fn read<T: for<'de> Deserialize<'de>>(
    line: &mut Line<'_>,
    path: &str,
) -> Result<std::result::Result<T, Refusal>> {
    let text = match line.read(path)? {
        Ok(text) => text,
        Err(refused) => return Ok(Err(refused)),
    };
    let unreadable = |e| Error::failure(format!("the server's answer for {path} cannot be read: {e}"));
    Ok(Ok(serde_json::from_slice(&text).map_err(unreadable)?))
}

/// What a list gives: each object with its JSON as received, or why there is none.
type Listed = std::result::Result<Vec<(Object, String)>, Refusal>;

/// The objects of a kind.
fn list(line: &mut Line<'_>, kind: &Kind, wish: &Wish<'_>) -> Result<Listed> {
    let path = match (wish.kinds, wish.namespace) {
        (Kinds::Itself, Some(name)) => return one(line, &format!("{}/{name}", kind.path(None))),
        _ => kind.path(wish.namespace),
    };
    let selector = match wish.selector {
        "" => String::new(),
        text => format!("&labelSelector={}", text.replace('=', "%3D")),
    };
    let (mut out, mut more) = (Vec::new(), CHUNK.to_owned());
    loop {
        let text = match line.read(&format!("{path}?{more}{selector}"))? {
            Ok(text) => text,
            // The list grew too old between two parts: then all at once.
            Err(refused) if refused.code == 410 && more.starts_with(CHUNK) && !out.is_empty() => {
                out.clear();
                more.clear();
                continue;
            }
            Err(refused) => return Ok(Err(refused)),
        };
        let unreadable = |e| Error::failure(format!("the list {path} cannot be read: {e}"));
        let list: List<'_> = serde_json::from_slice(&text).map_err(unreadable)?;
        for raw in list.items.iter().flatten() {
            let raw = whole(raw.get(), list.kind.strip_suffix("List").unwrap_or(&list.kind), &list.api);
            out.push((Object::parse(&raw)?, raw));
        }
        match list.metadata.more.filter(|token| !token.is_empty()) {
            // A token is base64 of the URL's alphabet (apiserver `EncodeContinue`).
            Some(token) => more = format!("{CHUNK}&continue={token}"),
            None => return Ok(Ok(out)),
        }
    }
}

/// One object.
fn one(line: &mut Line<'_>, path: &str) -> Result<Listed> {
    let text = match line.read(path)? {
        Ok(text) => text,
        Err(refused) => return Ok(Err(refused)),
    };
    let raw = String::from_utf8_lossy(&text).trim().to_owned();
    Ok(Ok(vec![(Object::parse(&raw)?, raw)]))
}

/// An object out of a list. Kubernetes' own say their kind only once, at the list.
fn whole(raw: &str, kind: &str, api: &str) -> String {
    #[derive(Deserialize)]
    struct Named {
        kind: Option<String>,
    }
    let is_named = serde_json::from_str::<Named>(raw).is_ok_and(|named| named.kind.is_some());
    match raw.trim_start().strip_prefix('{') {
        Some(rest) if !is_named => {
            let text = |text: &str| serde_json::Value::from(text).to_string();
            format!("{{\"kind\":{},\"apiVersion\":{},{rest}", text(kind), text(api))
        }
        _ => raw.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_out_of_a_list_says_what_it_is() {
        let map = whole("{\"metadata\":{\"name\":\"a\"}}", "ConfigMap", "v1");
        assert_eq!(map, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}");
        let own = "{\"apiVersion\":\"x/v1\",\"kind\":\"Y\",\"metadata\":{\"name\":\"a\"}}";
        assert_eq!(whole(own, "Z", "z/v1"), own);
        assert!(Object::parse(&map).is_ok());
    }
}
