//! Things that are lists: which of their entries are to be added and which dropped, to be what they were.

use serde_json::Value;

use super::kinds::{Act, Each, Kind};
use super::shape;

/// Operations, each with the entry that it is for.
pub struct Entries<'e> {
    /// What is missing, or is written over another that has the same key.
    pub added: Vec<(&'e Act, Value)>,
    /// What is too much.
    pub dropped: Vec<(&'e Act, Value)>,
}

impl Entries<'_> {
    /// An entry has to come or go for which no operation is known.
    pub fn lacks_an_operation(&self) -> bool {
        self.added.iter().chain(&self.dropped).any(|(act, _)| act.op.is_empty())
    }
}

/// What leads from the present list to the old one.
pub fn between<'e>(kind: &Kind, each: &'e Each, old: Option<&Value>, now: Option<&Value>) -> Entries<'e> {
    let (old, now) = (list(kind, each, old), list(kind, each, now));
    let plain = Kind { only: Vec::new(), normal: String::new(), ..kind.clone() };
    let normal = |value: &Value| shape::normal(&plain, value);
    let is_in = |list: &[Value], one: &Value| list.iter().any(|other| normal(other) == normal(one));
    let same_key =
        |a: &Value, b: &Value| !each.key.is_empty() && each.key.iter().all(|k| a.get(k) == b.get(k));
    let over = |one: &Value| if now.iter().any(|n| same_key(n, one)) { each.over.as_ref() } else { None };
    let added = old
        .iter()
        .filter(|one| !is_in(&now, one))
        .map(|one| (over(one).unwrap_or(&each.add), one.clone()))
        .collect();
    let dropped = now.iter().filter(|one| !is_in(&old, one) && !old.iter().any(|o| same_key(o, one)));
    Entries { added, dropped: dropped.map(|one| (&each.drop, one.clone())).collect() }
}

fn list(kind: &Kind, each: &Each, value: Option<&Value>) -> Vec<Value> {
    let list = value.and_then(|value| shape::all_at(value, &each.at));
    let list = if kind.normal == "ip-permissions" { list.map(shape::flat) } else { list };
    match list {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}
