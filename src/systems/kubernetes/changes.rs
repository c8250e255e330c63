//! What differs between two recorded states, for people: each object as YAML. Of a secret only the names of its keys.

use std::collections::BTreeSet;

use serde_json::Value;

use super::object::{Key, Object};
use super::snapshot::{Entry, Snapshot};
use crate::error::Result;
use crate::model::{Bytes, Change, ChangeKind, ObjectSource, StateRef};
use crate::platform::yaml;

/// Every object that differs. What controllers make anew does not count.
pub fn changes(
    before: &StateRef,
    after: Option<&StateRef>,
    source: &dyn ObjectSource,
) -> Result<Vec<Change>> {
    let old = Snapshot::load(before, source)?;
    let new = after.map(|after| Snapshot::load(after, source)).transpose()?;
    let keys: BTreeSet<Key> = old.keys().chain(new.iter().flat_map(Snapshot::keys)).collect();
    let context = &old.cluster.context;
    let mut out = Vec::new();
    for key in keys {
        let b = old.entry(&key).filter(|e| e.is_there());
        let a = new.as_ref().map(|new| new.entry(&key).filter(|e| e.is_there()));
        if [b, a.flatten()].into_iter().flatten().any(|entry| entry.left) {
            continue;
        }
        let how = match (b, a) {
            (_, None) => ChangeKind::Unknown,
            (None, Some(None)) => continue,
            (Some(b), Some(Some(a))) if a.digest == b.digest => continue,
            (None, Some(Some(_))) => ChangeKind::Added,
            (Some(_), Some(None)) => ChangeKind::Removed,
            (Some(_), Some(Some(_))) => ChangeKind::Changed,
        };
        let what = Bytes::from(format!("k8s:{context}/{}/{}", key.namespace, key.short()));
        out.push(Change { what, how, before: shown(b, source)?, after: shown(a.flatten(), source)? });
    }
    Ok(out)
}

fn shown(entry: Option<&Entry>, source: &dyn ObjectSource) -> Result<Option<Bytes>> {
    let Some(entry) = entry else { return Ok(None) };
    let object = Snapshot::object(entry, source)?;
    let mut value = object.normal();
    if object.key.is("", "Secret") {
        mask(&mut value);
    }
    Ok(Some(Bytes::from(yaml::text(&value)?)))
}

/// Values of secrets are not for terminals.
fn mask(value: &mut Value) {
    for list in ["data", "stringData"] {
        let values = value.get_mut(list).and_then(Value::as_object_mut);
        for secret in values.into_iter().flat_map(|map| map.values_mut()) {
            *secret = Value::from("(not shown)");
        }
    }
    if let Some(notes) = value.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut)
        && let Some(applied) = notes.get_mut(super::prune::APPLIED)
    {
        *applied = Value::from("(not shown)");
    }
}

/// The object as a file for people: as received, as YAML.
pub fn whole(object: &Object) -> Result<String> {
    yaml::text(&object.value)
}
