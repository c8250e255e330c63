//! Items of DynamoDB that a command writes without naming their keys: the table tells which of their fields are the key.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::cli::{Call, Cli};
use super::params::Params;
use super::snapshot::Key;
use crate::error::Result;

/// The items that a command writes; none where it is another operation or its words do not tell.
pub fn keys(cli: &Cli, params: &Params) -> Result<Vec<Key>> {
    if params.service != "dynamodb" {
        return Ok(Vec::new());
    }
    let items = items(params);
    let tables: BTreeSet<&String> = items.iter().map(|(table, _)| table).collect();
    let calls: Vec<Call> = tables
        .iter()
        .map(|table| Call::new("dynamodb", "describe-table", json!({"TableName": table})))
        .collect();
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let replies = cli.ask_all(&calls)?.replies;
    let mut names: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for (table, reply) in tables.into_iter().zip(replies) {
        let schema = reply.ok().and_then(|answer| answer["Table"]["KeySchema"].as_array().cloned());
        let of = |key: &Value| key["AttributeName"].as_str().map(str::to_owned);
        names.insert(table, schema.unwrap_or_default().iter().filter_map(of).collect());
    }
    let key = |(table, item): &(String, Value)| {
        let names = names.get(table).filter(|names| !names.is_empty())?;
        let fields: Option<Map<String, Value>> =
            names.iter().map(|name| Some((name.clone(), item.get(name)?.clone()))).collect();
        Some(Key::new("dynamodb:item", &[table, &Value::Object(fields?).to_string()]))
    };
    Ok(items.iter().filter_map(key).collect())
}

/// Items or keys, each with its table.
fn items(params: &Params) -> Vec<(String, Value)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match params.op.as_str() {
        "put-item" => {
            params.value("Item").map(|item| (params.texts("TableName").concat(), item)).into_iter().collect()
        }
        "batch-write-item" => {
            let tables =
                params.value("RequestItems").and_then(|v| v.as_object().cloned()).unwrap_or_default();
            let of = |(table, list): (String, Value)| {
                let requests = list.as_array().cloned().unwrap_or_default();
                let found = requests.into_iter().filter_map(|request| {
                    request
                        .pointer("/PutRequest/Item")
                        .or_else(|| request.pointer("/DeleteRequest/Key"))
                        .cloned()
                });
                found.map(|item| (table.clone(), item)).collect::<Vec<_>>()
            };
            tables.into_iter().flat_map(of).collect()
        }
        "transact-write-items" => {
            let list = params.value("TransactItems").and_then(|v| v.as_array().cloned()).unwrap_or_default();
            let of = |item: Value| {
                let write = ["Put", "Delete", "Update"].iter().find_map(|verb| item.get(*verb).cloned())?;
                let named = write.get("Item").or_else(|| write.get("Key")).cloned()?;
                Some((text(&write["TableName"]), named))
            };
            list.into_iter().filter_map(of).collect()
        }
        _ => Vec::new(),
    }
}
