//! Networks: their settings. Addresses of containers on them are the engine's to give.

use serde_json::{Value, json};

use super::cli::Cli;
use super::find::{id_of, name_of};
use super::look::Eyes;
use super::query::Kind;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSource, StepOutcome};
use crate::systems::things::Thing;

/// A network as it is.
pub fn look(eyes: &Eyes<'_>, name: &str) -> Result<Option<Thing>> {
    let found = eyes.cli.inspect(Kind::Network, &[name.to_owned()])?;
    let Some(description) = found.iter().find(|network| name_of(network) == name) else { return Ok(None) };
    let mut thing = Thing::new(description.to_string().as_bytes(), eyes.sink)?;
    thing.id = id_of(description);
    thing.digest = ObjectId::of(ObjectKind::State, normal(description).to_string().as_bytes());
    Ok(Some(thing))
}

/// A field in docker's spelling or in podman's.
fn field(description: &Value, names: &[&str]) -> Value {
    let value = names.iter().find_map(|name| description.get(*name));
    let is_empty = |v: &&Value| {
        v.as_object().is_some_and(serde_json::Map::is_empty) || v.as_array().is_some_and(Vec::is_empty)
    };
    value.filter(|v| !is_empty(v)).cloned().unwrap_or(Value::Null)
}

fn normal(description: &Value) -> Value {
    let of = |names: &[&str]| field(description, names);
    json!([
        of(&["Driver", "driver"]),
        of(&["Internal", "internal"]),
        of(&["EnableIPv6", "ipv6_enabled"]),
        of(&["Attachable"]),
        subnets(description),
        of(&["Options", "options"]),
        of(&["Labels", "labels"]),
        of(&["dns_enabled"]),
    ])
}

/// Subnet, gateway and range of each of its pools.
fn subnets(description: &Value) -> Vec<[String; 3]> {
    let pools = description.pointer("/IPAM/Config").or_else(|| description.get("subnets"));
    let text = |pool: &Value, names: [&str; 2]| {
        let value = names.iter().find_map(|name| pool.get(*name)).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let pools = pools.and_then(Value::as_array).into_iter().flatten();
    let of = |pool: &Value| {
        [
            text(pool, ["Subnet", "subnet"]),
            text(pool, ["Gateway", "gateway"]),
            text(pool, ["IPRange", "lease_range"]),
        ]
    };
    pools.map(of).collect()
}

/// Makes a network anew.
pub fn make(cli: &Cli, name: &str, thing: &Thing, source: &dyn ObjectSource) -> Result<StepOutcome> {
    let description: Value = serde_json::from_slice(&source.get(&thing.object)?)
        .map_err(|e| Error::corrupt(format!("the description of the network {name} cannot be read: {e}")))?;
    let mut args: Vec<String> = vec!["network".into(), "create".into()];
    let mut add = |flag: &str, value: &str| {
        if !value.is_empty() {
            args.extend([flag.to_owned(), value.to_owned()]);
        }
    };
    add("--driver", field(&description, &["Driver", "driver"]).as_str().unwrap_or_default());
    for [subnet, gateway, range] in subnets(&description) {
        add("--subnet", &subnet);
        add("--gateway", &gateway);
        add("--ip-range", &range);
    }
    for (names, flag) in [(["Options", "options"], "--opt"), (["Labels", "labels"], "--label")] {
        for (name, value) in field(&description, &names).as_object().into_iter().flatten() {
            add(flag, &format!("{name}={}", value.as_str().unwrap_or_default()));
        }
    }
    let is = |names: &[&str]| field(&description, names) == Value::Bool(true);
    for (on, flag) in [
        (is(&["Internal", "internal"]), "--internal"),
        (is(&["EnableIPv6", "ipv6_enabled"]), "--ipv6"),
        (is(&["Attachable"]), "--attachable"),
    ] {
        if on {
            args.push(flag.to_owned());
        }
    }
    args.push(name.to_owned());
    cli.ask(&args.iter().map(String::as_str).collect::<Vec<_>>())?;
    Ok(StepOutcome::Done)
}
