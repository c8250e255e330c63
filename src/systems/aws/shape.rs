//! Values of AWS: finding parts of them, their normal form, and the parameters that are made of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::kinds::{Act, Kind};
use crate::model::{ObjectId, ObjectKind};

/// The tag by which something that was made anew names what it stands for.
pub const REPLACES: &str = "fr:replaces";

/// Fields that are never part of a thing.
const NEVER: &[&str] = &["ResponseMetadata", "NextToken", "IsTruncated", "Marker"];

/// The identity of a value's normal form.
pub fn digest(kind: &Kind, value: &Value) -> ObjectId {
    ObjectId::of(ObjectKind::State, normal(kind, value).to_string().as_bytes())
}

/// What of a value counts: without what the service sets, lists in an order of their own.
pub fn normal(kind: &Kind, value: &Value) -> Value {
    let mut value = match kind.only.is_empty() {
        true => value.clone(),
        false => {
            let mut fields = Map::new();
            for pointer in &kind.only {
                if let Some(found) = all_at(value, pointer) {
                    fields.insert(pointer.clone(), found);
                }
            }
            Value::Object(fields)
        }
    };
    if kind.normal == "ip-permissions" {
        // `only` names fields by pointers.
        let fields = value.as_object_mut().into_iter().flat_map(|fields| fields.iter_mut());
        for (_, list) in fields.filter(|(name, _)| name.contains("IpPermissions")) {
            *list = flat(list.take());
        }
    }
    plain(kind, &mut value);
    value
}

fn plain(kind: &Kind, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let is_left =
                |name: &str| NEVER.contains(&name) || kind.ignore.iter().any(|ignored| ignored == name);
            fields.retain(|name, inner| !is_left(name) && !inner.is_null());
            fields.values_mut().for_each(|inner| plain(kind, inner));
            fields.retain(|_, inner| !is_empty(inner));
            // The order of insertion does not count.
            let mut sorted: Vec<(String, Value)> = std::mem::take(fields).into_iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            fields.extend(sorted);
        }
        Value::Array(list) => {
            let is_mark = |item: &Value| item.get("Key").and_then(Value::as_str) == Some(REPLACES);
            list.retain(|item| !is_mark(item));
            list.iter_mut().for_each(|inner| plain(kind, inner));
            list.sort_by_key(Value::to_string);
        }
        Value::String(text) => {
            let other =
                kind.same.iter().filter_map(|pair| pair.split_once('=')).find(|(from, _)| from == text);
            if let Some((_, to)) = other {
                *text = to.to_owned();
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Array(list) if list.is_empty())
        || matches!(value, Value::Object(fields) if fields.is_empty())
}

/// Nothing is there: `null`, `{}`, `[]`.
pub fn is_nothing(value: &Value) -> bool {
    value.is_null() || is_empty(value)
}

/// A rule per source: adding one to a security group must not add those that are there.
pub fn flat(permissions: Value) -> Value {
    const SOURCES: &[&str] = &["IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"];
    let Value::Array(list) = permissions else { return permissions };
    let mut out = Vec::new();
    for permission in list {
        let mut base = permission.clone();
        if let Some(fields) = base.as_object_mut() {
            SOURCES.iter().for_each(|source| drop(fields.remove(*source)));
        }
        for source in SOURCES {
            for one in permission.get(*source).and_then(Value::as_array).into_iter().flatten() {
                let mut rule = base.clone();
                rule[*source] = Value::Array(vec![one.clone()]);
                out.push(rule);
            }
        }
    }
    Value::Array(out)
}

/// A part of a value; with `*` for each of a list, a list of parts. `None` where there is none.
pub fn all_at(value: &Value, pointer: &str) -> Option<Value> {
    let Some((front, rest)) = pointer.split_once("/*") else {
        return value.pointer(pointer).filter(|found| !found.is_null()).cloned();
    };
    let list = value.pointer(front)?.as_array()?;
    let parts: Vec<Value> = list.iter().filter_map(|item| all_at(item, rest)).flat_map(spread).collect();
    (!parts.is_empty()).then_some(Value::Array(parts))
}

fn spread(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        other => vec![other],
    }
}

/// `/pointer=text` holds, or `/pointer!=text`. An empty condition holds.
pub fn holds(value: Option<&Value>, condition: &str) -> bool {
    if let Some((pointer, unwanted)) = condition.split_once("!=") {
        return !holds(value, &format!("{pointer}={unwanted}"));
    }
    let Some((pointer, wanted)) = condition.rsplit_once('=') else { return condition.is_empty() };
    let found = value.and_then(|value| value.pointer(pointer));
    let text = match found {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    text == wanted
}

/// An operation is part of the way from the present value to the old one.
pub fn applies(act: &Act, old: &Value, now: Option<&Value>) -> bool {
    let differs = |pointer: &str| now.is_none_or(|now| now.pointer(pointer) != old.pointer(pointer));
    holds(Some(old), &act.old)
        && (act.now.is_empty() || holds(now, &act.now))
        && (act.changed.is_empty() || differs(&act.changed))
}

/// What parameters are made of.
pub struct Material<'a> {
    /// Its kind.
    pub kind: &'a Kind,
    /// The value that is to be there.
    pub value: &'a Value,
    /// The value that is there.
    pub now: Option<&'a Value>,
    /// Its ids, by the names of their parameters.
    pub ids: &'a [(String, Value)],
    /// What was read with it, by kind.
    pub beside: &'a dyn Fn(&str) -> Option<Value>,
}

/// The parameters of an operation that writes.
pub fn parameters(act: &Act, material: &Material<'_>) -> Value {
    let mut input = Map::new();
    if !act.bare {
        input.extend(material.ids.iter().cloned());
    }
    for text in &act.take {
        let (name, from) = text.split_once('=').unwrap_or((text, ""));
        let (name, from) = match from {
            "" => match name.split_once(':') {
                Some((name, how)) => (name, format!("/{name}:{how}")),
                None => (name, format!("/{name}")),
            },
            from => (name, from.to_owned()),
        };
        // An empty list is as good as none, and some services do not take one.
        if let Some(found) =
            material.found(&from).filter(|found| from.starts_with(['!', '%']) || !is_nothing(found))
        {
            insert(&mut input, name, found);
        }
    }
    Value::Object(input)
}

impl Material<'_> {
    fn found(&self, from: &str) -> Option<Value> {
        if let Some(constant) = from.strip_prefix('!') {
            return serde_json::from_str(constant).ok();
        }
        if let Some(template) = from.strip_prefix('%') {
            return Some(self.filled(serde_json::from_str(template).ok()?));
        }
        // A kind's name has a colon, so what stands behind the last slash or brace is looked at.
        let tail = from.rfind(['/', '}', '.', '$']).unwrap_or_default();
        let (from, how) = match from.get(tail..).and_then(|end| end.split_once(':')) {
            Some((end, how)) => (from.get(..tail + end.len()).unwrap_or_default(), how),
            None => (from, ""),
        };
        let (from, only) = match from.strip_suffix('}').and_then(|from| from.split_once('{')) {
            Some((from, fields)) => (from, fields.split(',').collect()),
            None => (from, Vec::new()),
        };
        let found = picked(self.source(from)?, &only);
        let found =
            how.split(':').filter(|how| !how.is_empty()).fold(found, |found, how| self.turned(found, how));
        (!found.is_null()).then_some(found)
    }

    fn source(&self, from: &str) -> Option<Value> {
        if let Some(id) = from.strip_prefix('$') {
            return self.ids.iter().find(|(known, _)| known == id).map(|(_, value)| value.clone());
        }
        if let Some(other) = from.strip_prefix('@') {
            let (kind, pointer) = other.split_once('/').unwrap_or((other, ""));
            let value = (self.beside)(kind)?;
            return all_at(&value, &if pointer.is_empty() { String::new() } else { format!("/{pointer}") });
        }
        if let Some(pointer) = from.strip_prefix('^') {
            return all_at(self.now?, pointer);
        }
        if from == "." { Some(self.value.clone()) } else { all_at(self.value, from) }
    }

    /// A document in which texts that begin like sources stand for what they lead to.
    fn filled(&self, template: Value) -> Value {
        match template {
            Value::Object(fields) => {
                let filled = fields.into_iter().map(|(name, inner)| (name, self.filled(inner)));
                Value::Object(filled.filter(|(_, inner)| !inner.is_null()).collect())
            }
            Value::Array(list) => Value::Array(list.into_iter().map(|inner| self.filled(inner)).collect()),
            Value::String(text) if text.starts_with(['/', '$', '@', '.']) => {
                self.found(&text).unwrap_or_default()
            }
            other => other,
        }
    }

    fn turned(&self, found: Value, how: &str) -> Value {
        match (how, found) {
            ("json", Value::String(text)) => Value::String(text),
            ("json", other) => Value::String(other.to_string()),
            ("list", other) => Value::Array(vec![other]),
            ("counted", other) => {
                let kind =
                    Kind { only: Vec::new(), normal: String::new(), same: Vec::new(), ..self.kind.clone() };
                normal(&kind, &other)
            }
            ("base64", Value::String(text)) => Value::String(STANDARD.encode(text)),
            ("unbase64", Value::String(text)) => unbase64(&text).map_or(Value::Null, Value::String),
            // Some services tell "none" as 0 and do not take it.
            ("positive", Value::Number(number)) if number.as_u64() == Some(0) => Value::Null,
            ("name", Value::String(text)) => Value::from(text.rsplit(['/', ':']).next().unwrap_or_default()),
            (_, other) => other,
        }
    }
}

/// Only these fields, of one or of each of a list. All where none are named.
fn picked(value: Value, only: &[&str]) -> Value {
    if only.is_empty() {
        return value;
    }
    match value {
        Value::Array(list) => Value::Array(list.into_iter().map(|inner| picked(inner, only)).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(name, inner)| only.contains(&name.as_str()) && !inner.is_null())
                .collect(),
        ),
        other => other,
    }
}

/// The text that base64 carries; `None` where it carries none.
pub fn unbase64(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

/// `Placement/AvailabilityZone` is a field of a field.
fn insert(input: &mut Map<String, Value>, name: &str, found: Value) {
    match name.split_once('/') {
        None => drop(input.insert(name.to_owned(), found)),
        Some((front, rest)) => {
            let inner = input.entry(front).or_insert_with(|| Value::Object(Map::new()));
            if let Some(fields) = inner.as_object_mut() {
                insert(fields, rest, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_and_what_the_service_sets_do_not_count() {
        let kind = Kind { ignore: vec!["RoleId".into()], ..Kind::default() };
        let one = json!({"Name": "r", "RoleId": "1", "Tags": [{"Key": "a"}, {"Key": "b"}], "X": null});
        let two = json!({"Tags": [{"Key": "b"}, {"Key": REPLACES, "Value": "i-1"}, {"Key": "a"}], "RoleId": "2", "Name": "r"});
        assert_eq!(digest(&kind, &one), digest(&kind, &two));
        assert_ne!(digest(&kind, &one), digest(&kind, &json!({"Name": "s"})));
    }

    #[test]
    fn parameters_come_from_values_ids_and_constants() {
        let act = Act {
            op: "x".into(),
            take: [
                "A",
                "B=/In/*/Id",
                "C=$Id:name",
                "D=!1",
                "E=/Doc:json",
                "F/G=/A:list",
                "H=/nothing",
                "I=@k:l/v",
                "J=/In{Id}",
                "K=%{\"L\": [{\"M\": \".\"}], \"N\": \"UPSERT\"}",
                "O=/A:base64",
                "Doc:json",
                "P=@k:l/w:json",
                "Q=^/In/*/X",
            ]
            .map(str::to_owned)
            .into(),
            ..Act::default()
        };
        let value = json!({"A": "a", "In": [{"Id": 1, "X": 0}, {"Id": 2}], "Doc": {"x": 1}});
        let ids = [("Id".to_owned(), json!("https://x/i"))];
        let beside = |kind: &str| (kind == "k:l").then(|| json!({"v": 7, "w": [1]}));
        let material =
            Material { kind: &Kind::default(), value: &value, now: Some(&value), ids: &ids, beside: &beside };
        assert_eq!(
            parameters(&act, &material),
            json!({
                "Id": "https://x/i", "A": "a", "B": [1, 2], "C": "i", "D": 1, "E": "{\"x\":1}", "F": {"G": ["a"]}, "I": 7,
                "J": [{"Id": 1}, {"Id": 2}], "K": {"L": [{"M": value}], "N": "UPSERT"}, "O": "YQ==", "Doc": "{\"x\":1}",
                "P": "[1]", "Q": [0],
            })
        );
    }

    #[test]
    fn base64_there_and_back() {
        for text in ["", "a", "ab", "abc", "#!/bin/sh\necho ü"] {
            assert_eq!(unbase64(&STANDARD.encode(text)).as_deref(), Some(text));
        }
        assert_eq!(unbase64("//79"), None, "not a text");
    }

    #[test]
    fn a_rule_per_source() {
        let value = json!([{"FromPort": 22, "IpRanges": [{"CidrIp": "a"}, {"CidrIp": "b"}]}]);
        assert_eq!(flat(value).as_array().map(Vec::len), Some(2));
    }
}
