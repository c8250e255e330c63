//! Giving a container back what it did and how it was set.

use serde_json::{Map, Value, json};

use super::make::endpoint;
use super::normal::{networks, object};
use crate::error::{Error, Result};
use crate::model::{ObjectSource, StepOutcome};
use crate::systems::docker::api;
use crate::systems::docker::cli::Cli;
use crate::systems::docker::find::id_of;
use crate::systems::docker::query::Kind;
use crate::systems::things::Thing;

/// Gives a container back what it did or how it was set.
pub fn change(
    cli: &Cli,
    name: &str,
    before: &Thing,
    now: &Thing,
    source: &dyn ObjectSource,
) -> Result<StepOutcome> {
    let mut stays = Vec::new();
    if before.digest != now.digest {
        let description: Value = serde_json::from_slice(&source.get(&before.object)?)
            .map_err(|e| Error::corrupt(format!("the description of {name} cannot be read: {e}")))?;
        if let Some(reason) = connect(cli, name, &description)? {
            return Ok(StepOutcome::Failed { reason });
        }
        let host = object(description.pointer("/HostConfig").cloned().unwrap_or_default());
        let mut body = Map::new();
        for key in UPDATED {
            if let Some(value) = host.get(*key) {
                body.insert((*key).to_owned(), value.clone());
            }
        }
        if host.get("RestartPolicy").and_then(|policy| policy["Name"].as_str()) == Some("") {
            // An empty name leaves it as it is.
            body.insert("RestartPolicy".to_owned(), json!({"Name": "no"}));
        }
        let path = format!("/containers/{}/update", api::encoded(name));
        let answer = api::post(cli, &path, &Value::Object(body))?;
        if answer.status != 200 {
            return Ok(StepOutcome::Failed { reason: answer.message() });
        }
        stays = limits_that_stay(cli, name, &host)?;
    }
    let verbs: &[&str] = match (now.state.as_str(), before.state.as_str()) {
        ("stopped", "running") => &["start"],
        ("stopped", "paused") => &["start", "pause"],
        ("running", "stopped") => &["stop"],
        ("running", "paused") => &["pause"],
        ("paused", "running") => &["unpause"],
        ("paused", "stopped") => &["unpause", "stop"],
        _ => &[],
    };
    for verb in verbs {
        cli.ask(&["container", verb, name])?;
    }
    if stays.is_empty() {
        return Ok(StepOutcome::Done);
    }
    Ok(StepOutcome::Failed {
        reason: format!(
            "the engine cannot take a limit away from a container that has it: {} (make it anew by hand)",
            stays.join(", ")
        ),
    })
}

/// Limits that were not there before and that no update takes away (moby, daemon/container, UpdateContainer: 0 is "as it is").
fn limits_that_stay(cli: &Cli, name: &str, old: &Map<String, Value>) -> Result<Vec<&'static str>> {
    let found = cli.inspect(Kind::Container, &[name.to_owned()])?;
    let Some(now) = found.first() else { return Ok(Vec::new()) };
    let is_set = |value: Option<&Value>| match value {
        Some(Value::Number(number)) => number.as_i64() != Some(0),
        Some(Value::String(text)) => !text.is_empty(),
        _ => false,
    };
    let stays =
        |key: &&'static str| is_set(now.pointer(&format!("/HostConfig/{key}"))) && !is_set(old.get(*key));
    Ok(UPDATED.iter().copied().filter(stays).collect())
}

/// What `docker update` may change (Engine API, ContainerUpdate).
const UPDATED: &[&str] = &[
    "CpuShares",
    "Memory",
    "CgroupParent",
    "BlkioWeight",
    "CpuPeriod",
    "CpuQuota",
    "CpuRealtimePeriod",
    "CpuRealtimeRuntime",
    "CpusetCpus",
    "CpusetMems",
    "MemoryReservation",
    "MemorySwap",
    "NanoCpus",
    "PidsLimit",
    "RestartPolicy",
];

/// Puts a container on the networks that it was on, in the way in which it was, and on no other.
fn connect(cli: &Cli, name: &str, before: &Value) -> Result<Option<String>> {
    let found = cli.inspect(Kind::Container, &[name.to_owned()])?;
    let Some(now) = found.first() else { return Ok(None) };
    let short = |of: &Value| id_of(of).chars().take(12).collect::<String>();
    let ways = |of: &Value| -> Map<String, Value> {
        networks(of).into_iter().map(|(net, how)| (net, endpoint(&how, &short(of)))).collect()
    };
    let (old, new) = (ways(before), ways(now));
    let podman = cli.is_podman();
    for network in new.keys().filter(|net| old.get(*net) != new.get(*net)) {
        cli.ask(&["network", "disconnect", "-f", network, name])?;
    }
    for (network, how) in old.iter().filter(|(net, how)| new.get(*net) != Some(how)) {
        if podman {
            cli.ask(&["network", "connect", network, name])?;
            continue;
        }
        let path = format!("/networks/{}/connect", api::encoded(network));
        let answer = api::post(cli, &path, &json!({ "Container": name, "EndpointConfig": how }))?;
        if answer.status >= 300 {
            return Ok(Some(format!("it is not connected to {network}: {}", answer.message())));
        }
    }
    Ok(None)
}
