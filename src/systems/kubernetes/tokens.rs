//! Tokens of service accounts that the server makes by itself (before 1.24: a Secret for each account, with five random
//! letters in its name). A new account gets a new one under another name; that matters where something refers to the old
//! one by its name, and to nobody else in the cluster.

use serde_json::Value;

use super::kinds;
use super::object::Key;
use super::snapshot::{Entry, Snapshot};
use crate::model::ObjectSource;

/// Those that are gone: what is lost where something refers to them, and a note on the others.
pub fn lost(before: &Snapshot, now: &Snapshot, source: &dyn ObjectSource) -> (Vec<String>, String) {
    let is_gone = |key: &Key| now.entry(key).is_none();
    let is_token = |(key, entry): &(Key, Option<&Entry>)| {
        key.is("", "Secret") && entry.is_some_and(|entry| entry.left) && is_gone(key)
    };
    let tokens: Vec<(Key, &Entry)> =
        before.entries().filter(is_token).filter_map(|(key, entry)| Some((key, entry?))).collect();
    if tokens.is_empty() {
        return (Vec::new(), String::new());
    }
    let mut lost = Vec::new();
    let mut unnamed = 0;
    let others = others(before, source);
    for (key, entry) in tokens {
        let refers = |(of, value): &&(Key, Value)| of.namespace == key.namespace && names(value, &key.name);
        match (others.iter().find(refers), Snapshot::object(entry, source)) {
            (Some((of, _)), Ok(token)) => {
                lost.extend(
                    kinds::lost(&token)
                        .into_iter()
                        .map(|text| format!("{text}; {} refers to it", of.short())),
                );
            }
            _ => unnamed += 1,
        }
    }
    let note = match unnamed {
        0 => String::new(),
        1 => "; the server makes a new token for 1 service account, nothing refers to the old one by name"
            .to_owned(),
        n => format!(
            "; the server makes new tokens for {n} service accounts, nothing refers to the old ones by name"
        ),
    };
    (lost, note)
}

/// What may refer to a secret: all that comes back, without what the server wrote into it itself (an account's own list, the
/// mount in a pod).
fn others(before: &Snapshot, source: &dyn ObjectSource) -> Vec<(Key, Value)> {
    let kept =
        before.entries().filter_map(|(key, entry)| Some((key, entry.filter(|e| e.is_there() && !e.left)?)));
    kept.filter_map(|(key, entry)| Some((key, Snapshot::object(entry, source).ok()?.normal()))).collect()
}

/// A text that is this name, wherever it stands but in the object's own name.
fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(list) => list.iter().any(|item| names(item, name)),
        Value::Object(map) => map.iter().any(|(field, item)| field != "metadata" && names(item, name)),
        _ => false,
    }
}
