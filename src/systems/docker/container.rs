//! Containers: what makes two equal, what of one is lost when it is removed, and making it anew.

use serde_json::{Map, Value, json};

use super::cli::Cli;
use super::find::{id_of, is_anonymous};
use super::look::{Eyes, Seen};
use super::query::{Kind, Loss};
use super::{api, file};
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSource, StepOutcome};
use crate::systems::things::{Part, Taking, Thing};

/// Fact: the image's id.
pub const IMAGE: &str = "image";
/// Fact: it wrote a log.
pub const LOG: &str = "log";
/// The part that holds the end of its log.
const LOG_PART: &str = "log";
/// The parts that hold what it wrote outside of volumes begin so; the path follows.
const LAYER: &str = "layer:";
/// The most paths of a layer that are read one by one.
const MOST_PATHS: usize = 64;
/// The most bytes of a log that are kept, to be looked at.
const MOST_LOG: u64 = 8 << 20;

/// A container as it is.
pub fn look(eyes: &Eyes<'_>, name: &str, loss: Loss) -> Result<Option<Seen>> {
    let found = eyes.cli.inspect(Kind::Container, &[name.to_owned()])?;
    let Some(description) = found.first() else { return Ok(None) };
    let mut thing = Thing::new(description.to_string().as_bytes(), eyes.sink)?;
    thing.id = id_of(description);
    thing.state = state_of(description).to_owned();
    thing.digest =
        ObjectId::of(ObjectKind::State, normal(description, eyes.cli.is_podman()).to_string().as_bytes());
    let image = description.get("Image").and_then(Value::as_str).unwrap_or_default();
    thing.facts.insert(IMAGE.to_owned(), image.to_owned());
    let mut seen = Seen::whole(thing);
    if loss != Loss::Nothing {
        layer(eyes, name, description, &mut seen)?;
        log(eyes, name, &mut seen)?;
    }
    Ok(Some(seen))
}

fn state_of(description: &Value) -> &'static str {
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
fn normal(description: &Value, podman: bool) -> Value {
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

fn object(value: Value) -> Map<String, Value> {
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

/// The networks that somebody chose; the default one goes without saying.
fn chosen_networks(description: &Value) -> Vec<String> {
    let implied = ["bridge", "none", "host", "podman", "pasta"];
    networks(description).keys().filter(|name| !implied.contains(&name.as_str())).cloned().collect()
}

fn mode(description: &Value) -> String {
    let mode = description.pointer("/HostConfig/NetworkMode").and_then(Value::as_str).unwrap_or_default();
    // The names of its networks are compared.
    if networks(description).contains_key(mode) { String::new() } else { mode.to_owned() }
}

fn networks(description: &Value) -> Map<String, Value> {
    object(description.pointer("/NetworkSettings/Networks").cloned().unwrap_or_default())
}

/// What it wrote outside of its volumes.
fn layer(eyes: &Eyes<'_>, name: &str, description: &Value, seen: &mut Seen) -> Result<()> {
    let what = format!("what {name} wrote outside of its volumes");
    let lines = eyes.cli.lines(&["container", "diff", name])?;
    let (paths, deleted) = written(&lines, description);
    if deleted > 0 {
        seen.missing.push((
            format!("{name}: the deletion of {deleted} paths of its image"),
            "they are there again in a container that is made anew".to_owned(),
        ));
    }
    if paths.is_empty() {
        return Ok(());
    }
    if eyes.budget.layer == 0 || paths.len() > MOST_PATHS {
        let why = match eyes.budget.layer {
            0 => "it is not read (caps.container_layer_bytes is 0)".to_owned(),
            _ => format!("{} paths are more than {MOST_PATHS}", paths.len()),
        };
        seen.missing.push((what, why));
        return Ok(());
    }
    let mut left = eyes.budget.layer;
    for path in paths {
        let taking = Taking { sink: eyes.for_contents(), most: left };
        let from = format!("{name}:{path}");
        let part = eyes.cli.read(&["cp", &from, "-"], |from| Part::take(from, taking));
        match part {
            Ok(Some(part)) => {
                left = left.saturating_sub(part.bytes);
                seen.thing.parts.insert(format!("{LAYER}{path}"), part);
            }
            Ok(None) => {
                let why = format!("over the cap of {} bytes (caps.container_layer_bytes)", eyes.budget.layer);
                seen.missing.push((from, why));
            }
            Err(error) => seen.missing.push((from, error.what)),
        }
    }
    Ok(())
}

/// The topmost paths that were added or changed, and how many of the image's were deleted. A directory that is only noted as
/// changed because something in it is, is left to that.
fn written(lines: &[String], description: &Value) -> (Vec<String>, usize) {
    let list = description.get("Mounts").and_then(Value::as_array).into_iter().flatten();
    let mounts: Vec<&str> = list.filter_map(|mount| mount.get("Destination")?.as_str()).collect();
    let below = |path: &str, top: &str| {
        path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let entries: Vec<(&str, &str)> = lines.iter().filter_map(|line| line.split_once(' ')).collect();
    let mut paths: Vec<String> = Vec::new();
    for (how, path) in &entries {
        // Where a volume is mounted the engine makes a directory.
        let of_mount = mounts.iter().any(|mount| below(path, mount) || below(mount, path));
        let is_parent = *how == "C" && entries.iter().any(|(_, other)| other != path && below(other, path));
        let is_covered = paths.iter().any(|top| below(path, top));
        if matches!(*how, "A" | "C") && !of_mount && !is_parent && !is_covered {
            paths.push((*path).to_owned());
        }
    }
    (paths, entries.iter().filter(|(how, _)| *how == "D").count())
}

/// The end of its log, to be looked at: a log cannot be put back.
fn log(eyes: &Eyes<'_>, name: &str, seen: &mut Seen) -> Result<()> {
    let taking = Taking { sink: eyes.for_contents(), most: MOST_LOG };
    // A log driver may not let it be read.
    let part = eyes.cli.read(&["logs", "--tail", "2000", name], |from| Part::take(from, taking));
    if let Ok(Some(part)) = part
        && part.bytes > 0
    {
        seen.thing.facts.insert(LOG.to_owned(), "yes".to_owned());
        seen.thing.parts.insert(LOG_PART.to_owned(), part);
    }
    Ok(())
}

/// Makes a container anew, with what it wrote, and lets it do what it did.
pub fn make(cli: &Cli, name: &str, thing: &Thing, source: &dyn ObjectSource) -> Result<StepOutcome> {
    let description: Value = serde_json::from_slice(&source.get(&thing.object)?)
        .map_err(|e| Error::corrupt(format!("the description of {name} cannot be read: {e}")))?;
    let image = match image_for(cli, &description)? {
        Ok(image) => image,
        Err(reason) => return Ok(StepOutcome::Failed { reason }),
    };
    if let Some(volume) = lost_volume(cli, &description)? {
        let reason = format!("its volume {volume} is gone, and {name} would begin with an empty one");
        return Ok(StepOutcome::Failed { reason });
    }
    if cli.is_podman() {
        if let Some(reason) = make_by_command(cli, name, &description)? {
            return Ok(StepOutcome::Failed { reason });
        }
    } else if let Some(outcome) = make_by_api(cli, name, &image, &description)? {
        return Ok(outcome);
    }
    for (part, content) in &thing.parts {
        let Some(path) = part.strip_prefix(LAYER) else { continue };
        let to = format!("{name}:{}", file::parent(path));
        cli.write(&["cp", "-", &to], |pipe| content.write(source, pipe)).map_err(|e| e.context(path))?;
    }
    if thing.state != "stopped" {
        cli.ask(&["container", "start", name]).map_err(|e| e.context("it was made and does not start"))?;
    }
    if thing.state == "paused" {
        cli.ask(&["container", "pause", name])?;
    }
    Ok(StepOutcome::Done)
}

/// The image to make it from: by its name where that is still the same, else by its id.
fn image_for(cli: &Cli, description: &Value) -> Result<Result<String, String>> {
    let text = |path: &str| description.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (id, name) = (text("/Image"), text("/Config/Image"));
    for word in [&name, &id] {
        let found = cli.inspect(Kind::Image, std::slice::from_ref(word))?;
        if found.first().is_some_and(|image| id_of(image).ends_with(id.trim_start_matches("sha256:"))) {
            return Ok(Ok(word.clone()));
        }
    }
    Ok(Err(format!("its image {name} is not here any more")))
}

fn lost_volume(cli: &Cli, description: &Value) -> Result<Option<String>> {
    let list = description.get("Mounts").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<String> = list
        .filter_map(|mount| mount.get("Name")?.as_str())
        .filter(|n| !n.is_empty())
        .map(str::to_owned)
        .collect();
    let there = cli.inspect(Kind::Volume, &names)?;
    let is_there = |name: &String| there.iter().any(|volume| super::find::name_of(volume) == *name);
    Ok(names.into_iter().find(|name| !is_there(name)))
}

/// The Engine API takes what it has described.
fn make_by_api(cli: &Cli, name: &str, image: &str, description: &Value) -> Result<Option<StepOutcome>> {
    let at = |path: &str| description.pointer(path).cloned().unwrap_or_default();
    let short: String = id_of(description).chars().take(12).collect();
    let mut body = object(at("/Config"));
    if body.get("Hostname").and_then(Value::as_str) == Some(short.as_str()) {
        body.remove("Hostname");
    }
    body.insert("Image".to_owned(), json!(image));
    let mut host = object(at("/HostConfig"));
    host.remove("ContainerIDFile");
    keep_anonymous(description, &mut host);
    let networks = networks(description);
    let endpoint = |settings: &Value| {
        let mut kept = object(settings.clone());
        kept.retain(|key, _| matches!(key.as_str(), "IPAMConfig" | "Links" | "Aliases" | "DriverOpts"));
        if let Some(names) = kept.get_mut("Aliases").and_then(Value::as_array_mut) {
            names.retain(|alias| alias.as_str() != Some(short.as_str()));
        }
        Value::Object(kept)
    };
    let mode = description.pointer("/HostConfig/NetworkMode").and_then(Value::as_str).unwrap_or_default();
    // Before API 1.44 a container is made on one network and connected to the others. The CLI names the default one, too.
    let first = networks.keys().find(|n| *n == mode).or_else(|| networks.keys().next()).cloned();
    if !mode.starts_with("container:") {
        let name = if matches!(mode, "none" | "host" | "default" | "") {
            mode
        } else {
            first.as_deref().unwrap_or(mode)
        };
        let settings = first.as_ref().and_then(|first| networks.get(first)).map(&endpoint);
        let name = if name.is_empty() { "default" } else { name };
        let config = Map::from_iter([(name.to_owned(), settings.unwrap_or_else(|| json!({})))]);
        body.insert("NetworkingConfig".to_owned(), json!({ "EndpointsConfig": config }));
    }
    body.insert("HostConfig".to_owned(), Value::Object(host));
    let path = format!("/containers/create?name={}", api::encoded(name));
    let answer = api::post(cli, &path, &Value::Object(body))?;
    match answer.status {
        201 => {}
        409 => return Ok(Some(StepOutcome::Conflict { reason: answer.message() })),
        _ => return Ok(Some(StepOutcome::Failed { reason: answer.message() })),
    }
    for (network, settings) in networks.iter().filter(|(n, _)| Some(*n) != first.as_ref()) {
        let path = format!("/networks/{}/connect", api::encoded(network));
        let answer =
            api::post(cli, &path, &json!({ "Container": name, "EndpointConfig": endpoint(settings) }))?;
        if answer.status >= 300 {
            let reason = format!("it is not connected to {network}: {}", answer.message());
            return Ok(Some(StepOutcome::Failed { reason }));
        }
    }
    Ok(None)
}

/// Its anonymous volumes are mounted again by their names; without that it would get new, empty ones.
fn keep_anonymous(description: &Value, host: &mut Map<String, Value>) {
    let list = description.get("Mounts").and_then(Value::as_array).into_iter().flatten();
    let mut binds: Vec<String> = Vec::new();
    for mount in list {
        let text = |key: &str| mount.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("Type") == "volume" && is_anonymous(text("Name")) {
            binds.push(format!("{}:{}", text("Name"), text("Destination")));
        }
    }
    if binds.is_empty() {
        return;
    }
    let list = host.entry("Binds").or_insert(Value::Null);
    let mut all = list.as_array().cloned().unwrap_or_default();
    all.extend(binds.into_iter().map(Value::from));
    *list = Value::Array(all);
}

/// podman notes the command line that made a container.
fn make_by_command(cli: &Cli, name: &str, description: &Value) -> Result<Option<String>> {
    let words = description.pointer("/Config/CreateCommand").and_then(Value::as_array).cloned();
    let words: Vec<String> =
        words.unwrap_or_default().iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let verb = words.iter().position(|word| word == "run" || word == "create");
    let Some(rest) = verb.and_then(|at| words.get(at + 1..)) else {
        return Ok(Some("podman does not say how it was made".to_owned()));
    };
    let mut args: Vec<String> = vec!["container".to_owned(), "create".to_owned()];
    let (mut named, mut env) = (false, Vec::new());
    let mut words = rest.iter().peekable();
    while let Some(word) = words.next() {
        match word.as_str() {
            // These are `run`'s own, or were done the first time.
            "-d" | "--detach" | "--rmi" | "--replace" => {}
            "--name" => {
                named = true;
                words.next();
                args.extend(["--name".to_owned(), name.to_owned()]);
            }
            "-e" | "--env" => {
                let word = words.next().cloned().unwrap_or_default();
                // `-e NAME` took its value from an environment that is gone. What is on a command line others can read.
                env.extend(value_of(&word, description).map(|value| (word.clone(), value)));
                args.extend(["--env".to_owned(), word]);
            }
            _ => {
                named |= word.starts_with("--name=");
                args.push(word.replace("-dit", "-it").replace("-itd", "-it"));
            }
        }
    }
    if !named {
        args.splice(2..2, ["--name".to_owned(), name.to_owned()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    Ok(cli.ask_with(&args, &env).err().map(|e| e.what))
}

/// The value of a variable in a container.
fn value_of(name: &str, description: &Value) -> Option<String> {
    let list = description.pointer("/Config/Env").and_then(Value::as_array).into_iter().flatten();
    let mut pairs = list.filter_map(Value::as_str).filter_map(|entry| entry.split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
}

/// Gives a container back what it did or how it was set.
pub fn change(
    cli: &Cli,
    name: &str,
    before: &Thing,
    now: &Thing,
    source: &dyn ObjectSource,
) -> Result<StepOutcome> {
    if before.digest != now.digest {
        let description: Value = serde_json::from_slice(&source.get(&before.object)?)
            .map_err(|e| Error::corrupt(format!("the description of {name} cannot be read: {e}")))?;
        let host = object(description.pointer("/HostConfig").cloned().unwrap_or_default());
        let mut body = Map::new();
        for key in UPDATED {
            if let Some(value) = host.get(*key) {
                body.insert((*key).to_owned(), value.clone());
            }
        }
        let path = format!("/containers/{}/update", api::encoded(name));
        let answer = api::post(cli, &path, &Value::Object(body))?;
        if answer.status != 200 {
            return Ok(StepOutcome::Failed { reason: answer.message() });
        }
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
    Ok(StepOutcome::Done)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_read_from_its_topmost_paths_and_without_what_is_mounted() {
        let lines: Vec<String> =
            ["C /etc", "A /etc/foo", "A /srv", "A /srv/a", "A /data", "C /var", "C /var/x", "D /bin/ls"]
                .map(str::to_owned)
                .into();
        let description = json!({"Mounts": [{"Destination": "/data"}]});
        let (paths, deleted) = written(&lines, &description);
        assert_eq!(paths, ["/etc/foo", "/srv", "/var/x"]);
        assert_eq!(deleted, 1);
    }
}
