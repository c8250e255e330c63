//! Quotas that count objects, and what an undo makes of them. The server answers for each object as if it were the only one;
//! several that fit one by one and not together are found here. Sums of storage and of CPU are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::api::Line;
use super::object::{Key, Object};
use super::resources::Server;
use crate::error::Result;

/// Kinds that quotas count by a word of their own, too (kubernetes.io/docs/concepts/policy/resource-quotas).
const WORDS: &[&str] = &[
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
];

/// The objects for which there is no room beside the others, and why. In the order in which they are made, the first fit.
pub fn beyond(server: &Server<'_>, make: &[&Object]) -> Result<BTreeMap<Key, String>> {
    let mut out = BTreeMap::new();
    let mut line = server.api.line();
    let spaces: BTreeSet<&str> =
        make.iter().map(|o| o.key.namespace.as_str()).filter(|space| !space.is_empty()).collect();
    for space in spaces {
        let Ok(list) = line.get(&format!("/api/v1/namespaces/{space}/resourcequotas"))? else { continue };
        let quotas: Vec<&Value> = list.get("items").and_then(Value::as_array).into_iter().flatten().collect();
        if quotas.is_empty() {
            continue;
        }
        for (path, objects) in by_collection(server, &mut line, make, space)? {
            let room = quotas.iter().filter_map(|quota| room(quota, &path, objects.first()?)).min();
            let Some((room, said)) = room.filter(|(room, _)| objects.len() > *room) else { continue };
            // What was deleted a moment ago may count still.
            let really = count(&mut line, &path)?;
            if said.hard >= really + objects.len() {
                continue;
            }
            for object in objects.iter().skip(room) {
                let why = format!(
                    "exceeded quota: {} has room for {room} of the {} to be made ({}, hard {})",
                    said.quota,
                    objects.len(),
                    said.counts,
                    said.hard
                );
                out.insert(object.key.clone(), why);
            }
        }
    }
    Ok(out)
}

/// A limit of a quota.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Limit {
    quota: String,
    counts: String,
    hard: usize,
}

/// What is to be made in a namespace, by the path of its collection.
fn by_collection<'o>(
    server: &Server<'_>,
    line: &mut Line<'_>,
    make: &[&'o Object],
    space: &str,
) -> Result<BTreeMap<String, Vec<&'o Object>>> {
    let mut out: BTreeMap<String, Vec<&Object>> = BTreeMap::new();
    for object in make.iter().filter(|o| o.key.namespace == space) {
        if server.kinds.knows(line, &object.key, &object.version)? {
            let path = server.kinds.collection(line, &object.key, &object.version)?;
            out.entry(path).or_default().push(object);
        }
    }
    Ok(out)
}

/// How many more objects of a collection a quota lets in.
fn room(quota: &Value, path: &str, object: &&Object) -> Option<(usize, Limit)> {
    // With scopes it counts some pods only.
    let spec = quota.get("spec")?;
    if spec.get("scopes").is_some() || spec.get("scopeSelector").is_some() {
        return None;
    }
    let plural = path.rsplit('/').next()?;
    let group = Some(object.key.group.as_str()).filter(|group| !group.is_empty());
    let own = group.map_or_else(|| format!("count/{plural}"), |group| format!("count/{plural}.{group}"));
    let word = WORDS.iter().find(|word| group.is_none() && **word == plural);
    let number = |at: &str, name: &str| -> Option<usize> {
        let value = quota.get("status")?.get(at)?.get(name)?;
        value.as_str()?.parse().ok()
    };
    let name = quota.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let limit = |counts: &str| {
        let (hard, used) = (number("hard", counts)?, number("used", counts).unwrap_or(0));
        let limit = Limit { quota: name.to_owned(), counts: counts.to_owned(), hard };
        Some((hard.saturating_sub(used), limit))
    };
    [Some(own.as_str()), word.copied()].into_iter().flatten().filter_map(limit).min()
}

/// How many objects are in a collection.
fn count(line: &mut Line<'_>, path: &str) -> Result<usize> {
    let Ok(list) = line.get(&format!("{path}?limit=500"))? else { return Ok(0) };
    let shown = list.get("items").and_then(Value::as_array).map_or(0, Vec::len);
    let more = list.pointer("/metadata/remainingItemCount").and_then(Value::as_u64).unwrap_or(0);
    Ok(shown + usize::try_from(more).unwrap_or(usize::MAX - shown))
}
