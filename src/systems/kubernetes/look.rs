//! Looking at known objects again: a few by their names, many by lists of their kinds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::cluster::Found;
use super::kubectl::{Got, Kubectl};
use super::object::{Key, Object};
use crate::error::{Error, Result};

/// The most objects of one namespace that are asked for by name: each is a request of its own.
const FEW: usize = 12;

/// The objects that are there now, each with its JSON as received.
pub fn look(kubectl: &Kubectl, keys: &[(Key, Option<String>)]) -> Result<Vec<(Object, String)>> {
    let mut spaces: BTreeMap<&str, Vec<&(Key, Option<String>)>> = BTreeMap::new();
    for key in keys {
        spaces.entry(key.0.namespace.as_str()).or_default().push(key);
    }
    let answers: Vec<Result<Found>> = std::thread::scope(|scope| {
        let ask = |(namespace, keys)| scope.spawn(move || one_namespace(kubectl, namespace, keys));
        let threads: Vec<_> = spaces.iter().map(|(n, k)| (*n, k.as_slice())).map(ask).collect();
        let failed = || Err(Error::failure("reading a namespace failed"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| failed())).collect()
    });
    let wanted: BTreeSet<&Key> = keys.iter().map(|(key, _)| key).collect();
    let mut loose: HashMap<(&str, &str, &str), &Key> = HashMap::new();
    for (key, _) in keys {
        loose.insert((&key.group, &key.kind, &key.name), key);
    }
    let mut out = Vec::new();
    for found in answers {
        let found = found?;
        if let Some(missing) = found.missing.first() {
            return Err(Error::failure(format!("{}: {}", missing.what.lossy(), missing.why)));
        }
        for (mut object, raw) in found.objects {
            if !wanted.contains(&object.key) {
                // A kind of which it was not known that it has no namespace.
                let name = (object.key.group.as_str(), object.key.kind.as_str(), object.key.name.as_str());
                match loose.get(&name).filter(|_| object.key.namespace.is_empty()) {
                    Some(key) => object.key = (*key).clone(),
                    None => continue,
                }
            }
            out.push((object, raw));
        }
    }
    Ok(out)
}

fn one_namespace(kubectl: &Kubectl, namespace: &str, keys: &[&(Key, Option<String>)]) -> Result<Found> {
    let place: Vec<&str> = if namespace.is_empty() { Vec::new() } else { vec!["--namespace", namespace] };
    if keys.len() <= FEW {
        let names: Vec<String> =
            keys.iter().map(|(key, version)| format!("{}/{}", kind_of(key, version), key.name)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let args: Vec<&str> = names.iter().chain(&place).copied().collect();
        return Found::of(get_known(kubectl, &names, &args)?, namespace);
    }
    let kinds: BTreeSet<String> = keys.iter().map(|(key, version)| kind_of(key, version)).collect();
    let mut kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    loop {
        if kinds.is_empty() {
            return Ok(Found::default());
        }
        let list = kinds.join(",");
        let args: Vec<&str> = std::iter::once(list.as_str()).chain(place.iter().copied()).collect();
        match kubectl.get(&args) {
            Ok(got) => return Found::of(got, namespace),
            Err(e) => {
                let gone = unknown_kind(&e)?;
                let before = kinds.len();
                kinds.retain(|kind| !is_kind(kind, &gone));
                if kinds.len() == before {
                    return Err(e);
                }
            }
        }
    }
}

/// `Deployment.v1.apps`, as kubectl takes it.
fn kind_of(key: &Key, version: &Option<String>) -> String {
    match (version, key.group.as_str()) {
        (Some(version), group) => format!("{}.{version}.{group}", key.kind),
        (None, "") => key.kind.clone(),
        (None, group) => format!("{}.{group}", key.kind),
    }
}

/// Asks for objects by name; those of a kind that the server does not know are not there.
pub fn get_known(kubectl: &Kubectl, names: &[&str], args: &[&str]) -> Result<Got> {
    let mut args = args.to_vec();
    let mut left = names.len();
    loop {
        if left == 0 {
            return Ok(Got::default());
        }
        match kubectl.get(&args) {
            Ok(got) => return Ok(got),
            Err(e) => {
                let gone = unknown_kind(&e)?;
                let before = args.len();
                args.retain(|arg| !(names.contains(arg) && is_kind(arg, &gone)));
                left -= before - args.len();
                if args.len() == before {
                    return Err(e);
                }
            }
        }
    }
}

/// The kind that the server does not know. The error itself, where it is another one.
fn unknown_kind(error: &Error) -> Result<String> {
    let name = error
        .what
        .split_once("the server doesn't have a resource type \"")
        .or_else(|| error.what.split_once("no matches for kind \""))
        .and_then(|(_, rest)| rest.split('"').next());
    name.map(str::to_owned).ok_or_else(|| Error {
        hints: error.hints.clone(),
        what: error.what.clone(),
        ..*error
    })
}

fn is_kind(arg: &str, kind: &str) -> bool {
    let of = arg.split(['.', '/']).next().unwrap_or_default();
    of.eq_ignore_ascii_case(kind)
}
