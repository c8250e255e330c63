//! Reading things: which operations, and what their answers say.

use serde_json::{Map, Value, json};

use super::cli::{Call, Cli, Refusal, Reply};
use super::kinds::{self, Kind};
use super::permissions;
use super::shape::{self, REPLACES};
use super::snapshot::{Account, Key};
use crate::error::Result;

/// How a key of something without a kind begins: the operation that reads it stands behind it.
pub const ANY: &str = "any:";

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Its values.
    There(Value),
    /// It is not there.
    Absent,
    /// It could not be read: why.
    Unknown(String),
}

/// Codes by which services say that something is not there, beside those of a kind.
const ABSENT: &[&str] = &[
    "404",
    "NotFound",
    "NoSuchEntity",
    "ResourceNotFoundException",
    "NotFoundException",
    "ResourceNotFound",
    "NoSuchBucket",
];

/// Asks who asks. It comes with the first things that are read.
pub fn who() -> Call {
    Call::new("sts", "get-caller-identity", json!({}))
}

/// The account, by the answer to [`who`]. Where that may not be asked, it is not known.
pub fn account(reply: Option<&Reply>, region: Option<String>) -> Account {
    let text = |name: &str| match reply {
        Some(Ok(answer)) => answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    Account { id: text("Account"), arn: text("Arn"), region: region.unwrap_or_default() }
}

/// What was read at once.
pub struct Looked {
    /// By whom; `None` where that was not asked.
    pub account: Account,
    /// One for each key.
    pub found: Vec<Found>,
}

/// Reads things by their names.
///
/// # Errors
/// Where AWS is not reached.
pub fn read(cli: &Cli, keys: &[Key]) -> Result<Looked> {
    let mut calls = vec![who()];
    let keys = on_instances(cli, keys)?;
    let spans = plan(&keys, &mut calls);
    let answers = cli.ask_all(&calls)?;
    let account = account(answers.replies.first(), answers.region);
    let of = |(key, span): (&Key, std::ops::Range<usize>)| {
        found(key, answers.replies.get(span).unwrap_or_default())
    };
    let found = keys.iter().zip(spans).map(of).collect();
    Ok(Looked { account, found })
}

/// What hangs on an instance is looked for at the one that was started in its place, where there is one.
///
/// # Errors
/// Where AWS is not reached.
pub fn on_instances(cli: &Cli, keys: &[Key]) -> Result<Vec<Key>> {
    let hangs = |key: &&Key| kinds::by_id(&key.kind).is_some_and(|kind| kind.of_instance);
    let mut ids: Vec<&str> = keys.iter().filter(hangs).map(|key| key.id(0)).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(keys.to_vec());
    }
    let input = json!({"Filters": [{"Name": format!("tag:{REPLACES}"), "Values": ids}]});
    let answer = cli.ask(Call::new("ec2", "describe-instances", input))?.unwrap_or_default();
    let all = shape::all_at(&answer, "/Reservations/*/Instances").unwrap_or_default();
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
    let mut stands_in = std::collections::BTreeMap::new();
    for one in all.as_array().into_iter().flatten() {
        let is_gone = matches!(one["State"]["Name"].as_str(), Some("terminated" | "shutting-down"));
        let tags = one["Tags"].as_array().into_iter().flatten();
        let of = tags.filter(|tag| tag["Key"] == REPLACES).map(|tag| text(tag, "Value"));
        if !is_gone {
            stands_in.extend(of.map(|of| (of, text(one, "InstanceId"))));
        }
    }
    let placed = |key: &Key| match (hangs(&key), stands_in.get(key.id(0))) {
        (true, Some(new)) => {
            let ids = std::iter::once(new.clone()).chain(key.ids.iter().skip(1).cloned()).collect();
            Key { ids, ..key.clone() }
        }
        _ => key.clone(),
    };
    Ok(keys.iter().map(placed).collect())
}

/// Adds the operations that read things; where the answers to each will be.
pub fn plan(keys: &[Key], calls: &mut Vec<Call>) -> Vec<std::ops::Range<usize>> {
    let mut spans = Vec::new();
    for key in keys {
        let first = calls.len();
        calls.extend(calls_of(key));
        spans.push(first..calls.len());
    }
    spans
}

/// The ids of something as parameters of its reading.
pub fn ids(kind: &Kind, key: &Key) -> Vec<(String, Value)> {
    let parameters = kind.parameters().zip(&key.ids).filter(|(_, id)| !id.is_empty());
    let value = |is_json: bool, id: &String| {
        if is_json { serde_json::from_str(id).unwrap_or_default() } else { json!(id) }
    };
    parameters
        .map(|(p, id)| (p.names.first().copied().unwrap_or_default().to_owned(), value(p.is_json, id)))
        .collect()
}

fn calls_of(key: &Key) -> Vec<Call> {
    if let Some(op) = key.kind.strip_prefix(ANY) {
        let (service, op) = op.split_once(' ').unwrap_or((op, ""));
        let loose = serde_json::from_str(key.id(0)).unwrap_or_default();
        return vec![Call { loose, ..Call::new(service, op, json!({})) }];
    }
    let Some(kind) = kinds::by_id(&key.kind) else { return Vec::new() };
    let named = ids(kind, key);
    let base: Map<String, Value> =
        kind.input.iter().map(|(name, value)| (name.clone(), filled(value, &named))).collect();
    let mut input = base.clone();
    match (kind.by.as_str(), kind.pick.as_str()) {
        ("-", _) => {}
        ("", "") => input.extend(named),
        // All are asked for, by the ids behind the first.
        ("", _) => input.extend(named.into_iter().skip(1)),
        (by, _) => {
            input.insert(by.to_owned(), json!([key.id(0)]));
            input.extend(named.into_iter().skip(1));
        }
    }
    let mut calls = vec![Call::new(&kind.service, &kind.read, Value::Object(input))];
    if !kind.tag.is_empty() {
        let mut input = base;
        input.insert(
            "Filters".to_owned(),
            json!([{"Name": format!("tag:{REPLACES}"), "Values": [key.id(0)]}]),
        );
        calls.push(Call::new(&kind.service, &kind.read, Value::Object(input)));
    }
    calls
}

/// Texts `$Id` become ids.
fn filled(value: &Value, ids: &[(String, Value)]) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$') {
            Some(name) => {
                ids.iter().find(|(known, _)| known == name).map(|(_, id)| id.clone()).unwrap_or_default()
            }
            None => value.clone(),
        },
        Value::Array(list) => Value::Array(list.iter().map(|inner| filled(inner, ids)).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, inner)| (name.clone(), filled(inner, ids))).collect())
        }
        other => other.clone(),
    }
}

/// What the answers say of a thing. What was made anew in its place has another id, and counts as the thing.
pub fn found(key: &Key, replies: &[Reply]) -> Found {
    let any = Kind::default();
    let kind = match key.kind.starts_with(ANY) {
        true => &any,
        false => match kinds::by_id(&key.kind) {
            Some(kind) => kind,
            None => return Found::Unknown(format!("this fr does not know {}", key.kind)),
        },
    };
    let mut first = replies.first().map_or(Found::Absent, |reply| one(kind, key, reply));
    if let (Found::Absent, Some(second)) = (&first, replies.get(1)) {
        first = match one(kind, key, second) {
            Found::Unknown(_) => Found::Absent,
            other => other,
        };
    }
    first
}

fn one(kind: &Kind, key: &Key, reply: &Reply) -> Found {
    let answer = match reply {
        Ok(answer) => answer,
        Err(refusal) if is_absent(kind, refusal) => return Found::Absent,
        Err(refusal) => return Found::Unknown(refusal.shown()),
    };
    let mut at = kind.at.clone();
    if let Some(front) = at.strip_suffix("/-") {
        // The first that is not gone.
        let list = shape::all_at(answer, front).and_then(|list| list.as_array().cloned()).unwrap_or_default();
        let alive = list.into_iter().find(|value| !is_gone(kind, value));
        let alive = alive.and_then(|value| match kind.normal.as_str() {
            "association" => association(kind, key, &value),
            _ => Some(value),
        });
        return alive.map_or(Found::Absent, Found::There);
    }
    if !kind.pick.is_empty() {
        let list = shape::all_at(answer, &at).and_then(|list| list.as_array().cloned()).unwrap_or_default();
        let is_it = |value: &Value| value.get(&kind.pick).and_then(Value::as_str) == Some(key.id(0));
        return list.into_iter().find(is_it).map_or(Found::Absent, Found::There);
    }
    if at == "/" {
        at.clear();
    }
    if kind.normal == "permissions" {
        let text = answer.pointer(&at).and_then(Value::as_str);
        return text.map_or(Found::Absent, |text| Found::There(permissions::of(text)));
    }
    match answer.pointer(&at) {
        Some(value) if !shape::is_nothing(value) && !is_gone(kind, value) => {
            let value = counted(kind, key, sorted(kind, value.clone()));
            if shape::is_nothing(&value) { Found::Absent } else { Found::There(value) }
        }
        _ => Found::Absent,
    }
}

/// Those of a list that count.
fn counted(kind: &Kind, key: &Key, value: Value) -> Value {
    let Value::Array(list) = value else { return value };
    let own = ids(kind, key);
    let text = |condition: &String| match condition.split_once("=$") {
        Some((pointer, name)) => {
            let id = own.iter().find(|(known, _)| known == name).and_then(|(_, id)| id.as_str());
            format!("{pointer}={}", id.unwrap_or_default())
        }
        None => condition.clone(),
    };
    let conditions: Vec<String> = kind.which.iter().map(text).collect();
    let counts = |one: &Value| conditions.iter().all(|condition| shape::holds(Some(one), condition));
    Value::Array(list.into_iter().filter(counts).collect())
}

/// The association of a table of routes that is named by its own id, by its subnet, or that is its VPC's main one.
fn association(kind: &Kind, key: &Key, table: &Value) -> Option<Value> {
    let named = ids(kind, key);
    let (name, id) = named.first()?;
    let is_it = |one: &&Value| match name.as_str() {
        "AssociationId" => one["RouteTableAssociationId"] == *id,
        "VpcId" => one["Main"] == true,
        _ => one["SubnetId"] == *id,
    };
    let mut found = table["Associations"].as_array()?.iter().find(is_it)?.clone();
    found["RouteTableId"] = table["RouteTableId"].clone();
    found["VpcId"] = table["VpcId"].clone();
    if found["Main"] != true {
        // It is the subnet's, and says nothing of its VPC.
        found.as_object_mut()?.remove("VpcId");
    }
    Some(found)
}

/// Snapshots, the newest first.
fn sorted(kind: &Kind, mut value: Value) -> Value {
    let time = |value: &Value| {
        let of = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let times = ["StartTime", "SnapshotCreateTime", "CreationDate", "BackupCreationDateTime"];
        times.into_iter().find_map(of).unwrap_or_default()
    };
    if let (true, Value::Array(list)) = (kind.normal == "newest", &mut value) {
        list.sort_by_key(|one| std::cmp::Reverse(time(one)));
    }
    value
}

fn is_gone(kind: &Kind, value: &Value) -> bool {
    kind.gone.iter().any(|condition| shape::holds(Some(value), condition))
}

fn is_absent(kind: &Kind, refusal: &Refusal) -> bool {
    // Version 2 tells codes of some services with another ending (measured: `NoSuchEntityException` of IAM).
    let short = refusal.code.strip_suffix("Exception").unwrap_or(&refusal.code);
    kind.absent.contains(&refusal.code)
        || kind.absent.iter().any(|code| code == short)
        || ABSENT.contains(&short)
        || ABSENT.contains(&refusal.code.as_str())
        || refusal.code.ends_with(".NotFound")
        || refusal.code.ends_with("NotFoundFault")
        || refusal.code.ends_with("NotFound")
}
