//! What makes two containers equal.

use serde_json::{Map, Value, json};

use crate::systems::docker::find::id_of;

/// What it is doing.
pub fn state_of(description: &Value) -> &'static str {
    let is =
        |what: &str| description.pointer(&format!("/State/{what}")).and_then(Value::as_bool) == Some(true);
    match (is("Paused"), is("Running") || is("Restarting")) {
        (true, _) => "paused",
        (false, true) => "running",
        (false, false) => "stopped",
    }
}

/// What counts for equality: what it runs, with which settings, on which mounts and networks. Not its identity, its addresses
/// or what the engine notes about its runs.
pub fn normal(description: &Value, podman: bool) -> Value {
    let at = |path: &str| description.pointer(path).cloned().unwrap_or(Value::Null);
    let mut config = object(at("/Config"));
    let short: String = id_of(description).chars().take(12).collect();
    if config.get("Hostname").and_then(Value::as_str) == Some(short.as_str()) {
        config.remove("Hostname");
    }
    config.remove("Volumes");
    config.remove("CreateCommand");
    config.remove("StopTimeout");
    config.retain(|_, value| !is_nothing(value));
    if let Some(list) = config.get_mut("Env").and_then(Value::as_array_mut) {
        list.sort_by_key(|entry| entry.as_str().map(str::to_owned));
    }
    let mut host = object(at("/HostConfig"));
    for written_otherwise in ["Binds", "Mounts", "ContainerIDFile", "Cgroup", "CgroupConf", "NetworkMode"] {
        host.remove(written_otherwise);
    }
    host.retain(|_, value| !is_nothing(value));
    if let Some(policy) = host.get_mut("RestartPolicy").and_then(Value::as_object_mut)
        && policy.get("Name").and_then(Value::as_str) == Some("")
    {
        // None was chosen, which is the same.
        policy.insert("Name".to_owned(), Value::from("no"));
    }
    if let Some(log) = host.get_mut("LogConfig").and_then(Value::as_object_mut) {
        // podman's has the container's own directory in it.
        log.remove("Path");
    }
    if podman {
        // podman derives these from how the command line was written.
        for derived in ["Annotations", "SecurityOpt", "Ulimits", "IDMappings", "UsernsMode", "CgroupParent"] {
            host.remove(derived);
        }
        config.remove("Annotations");
    }
    json!({
        "image": at("/Image"), "config": config, "host": host,
        "mounts": mounts(description), "networks": chosen_networks(description),
        "mode": mode(description),
    })
}

/// A map; empty where it is none.
pub fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}

/// The engines write an unset list as null, as an empty list or not at all.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn mounts(description: &Value) -> Vec<String> {
    let text =
        |mount: &Value, key: &str| mount.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = description.get("Mounts").and_then(Value::as_array).into_iter().flatten();
    let line = |mount: &Value| {
        let (kind, name) = (text(mount, "Type"), text(mount, "Name"));
        let what = if name.is_empty() { text(mount, "Source") } else { name };
        let writable = mount.get("RW").and_then(Value::as_bool) != Some(false);
        format!("{kind} {what} {} {writable}", text(mount, "Destination"))
    };
    let mut lines: Vec<String> = list.map(line).collect();
    lines.sort();
    lines
}

/// The networks that somebody chose, with the names and addresses that somebody gave it there; the default one goes without
/// saying.
fn chosen_networks(description: &Value) -> Vec<Value> {
    let implied = ["bridge", "none", "host", "podman", "pasta"];
    let short: String = id_of(description).chars().take(12).collect();
    let chosen = networks(description).into_iter().filter(|(name, _)| !implied.contains(&name.as_str()));
    let form = |(name, how): (String, Value)| {
        let names = how.get("Aliases").and_then(Value::as_array).into_iter().flatten();
        let mut names: Vec<&str> = names.filter_map(Value::as_str).filter(|alias| *alias != short).collect();
        names.sort_unstable();
        let address = |key: &str| {
            how.pointer(&format!("/IPAMConfig/{key}")).and_then(Value::as_str).unwrap_or_default()
        };
        json!([name, names, address("IPv4Address"), address("IPv6Address")])
    };
    chosen.map(form).collect()
}

fn mode(description: &Value) -> String {
    let mode = description.pointer("/HostConfig/NetworkMode").and_then(Value::as_str).unwrap_or_default();
    // The names of its networks are compared.
    if networks(description).contains_key(mode) { String::new() } else { mode.to_owned() }
}

/// Its networks, with how it is on each.
pub fn networks(description: &Value) -> Map<String, Value> {
    object(description.pointer("/NetworkSettings/Networks").cloned().unwrap_or_default())
}
