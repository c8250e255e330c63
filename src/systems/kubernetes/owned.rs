//! What custom resources own: the garbage collector deletes it with them, of whatever kind. What owns what is only in the
//! owned objects themselves, so all of them are looked at: of the namespace of an owner, or everywhere where it has none.

use std::collections::BTreeSet;

use super::cluster::Found;
use super::kinds;
use super::kubectl::Kubectl;
use super::namespace;
use super::object::Object;
use crate::error::Result;
use crate::model::Missing;

/// Adds what the custom resources among the found ones own. `known` are namespaces that were read as wholes.
pub fn find(kubectl: &Kubectl, known: &BTreeSet<String>, found: &mut Found) {
    let is_custom =
        |object: &Object| !kinds::is_own(&object.key.group) && !known.contains(&object.key.namespace);
    let owners: Vec<&Object> =
        found.objects.iter().map(|(object, _)| object).filter(|o| is_custom(o)).collect();
    if owners.is_empty() {
        return;
    }
    let mut uids: BTreeSet<String> = owners.iter().map(|o| o.uid().to_owned()).collect();
    let spaces: BTreeSet<String> = owners.iter().map(|o| o.key.namespace.clone()).collect();
    // An owner without a namespace may own objects in any.
    let all = match spaces.contains("") {
        true => namespace::everywhere(kubectl),
        false => inside(kubectl, &spaces),
    };
    let mut all = match all {
        Ok(all) => all,
        Err(error) => {
            let what = "what the custom resources own, which the cluster deletes with them".into();
            return found.missing.push(Missing { what, why: error.what });
        }
    };
    found.missing.append(&mut all.missing);
    let is_owned = |object: &Object, uids: &BTreeSet<String>| {
        let uid =
            |owner: &serde_json::Value| owner.get("uid").and_then(|uid| uid.as_str()).map(str::to_owned);
        object.owners().iter().filter_map(uid).any(|uid| uids.contains(&uid))
    };
    // What is owned may own others.
    loop {
        let (owned, rest): (Vec<_>, Vec<_>) =
            all.objects.into_iter().partition(|(object, _)| is_owned(object, &uids));
        if owned.is_empty() {
            return;
        }
        uids.extend(owned.iter().map(|(object, _)| object.uid().to_owned()));
        found.objects.extend(owned);
        all.objects = rest;
    }
}

fn inside(kubectl: &Kubectl, spaces: &BTreeSet<String>) -> Result<Found> {
    let mut all = Found::default();
    for space in spaces {
        all.extend(namespace::content(kubectl, space)?);
    }
    Ok(all)
}
