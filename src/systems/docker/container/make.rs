//! Making a container anew.

use serde_json::{Map, Value, json};

use super::layer::LAYER;
use super::normal::{networks, object};
use crate::error::{Error, Result};
use crate::model::{ObjectSource, StepOutcome};
use crate::systems::docker::cli::Cli;
use crate::systems::docker::find::{self, id_of, is_anonymous};
use crate::systems::docker::query::Kind;
use crate::systems::docker::{api, file};
use crate::systems::things::Thing;

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
    let is_there = |name: &String| there.iter().any(|volume| find::name_of(volume) == *name);
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
    let endpoint = |settings: &Value| endpoint(settings, &short);
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
    for mount in list {
        let text = |key: &str| mount.get(key).and_then(Value::as_str).unwrap_or_default();
        let (name, inside) = (text("Name"), text("Destination"));
        if text("Type") != "volume" || !is_anonymous(name) {
            continue;
        }
        // `--mount type=volume,dst=…` names none.
        let mut asked = host.get_mut("Mounts").and_then(Value::as_array_mut).into_iter().flatten();
        if let Some(one) = asked.find(|one| one.get("Target").and_then(Value::as_str) == Some(inside)) {
            one["Source"] = Value::from(name);
            continue;
        }
        let list = host.entry("Binds").or_insert(Value::Null);
        let mut all = list.as_array().cloned().unwrap_or_default();
        // One that fr has made has it by its name already.
        let is_there =
            all.iter().filter_map(Value::as_str).any(|bind| bind.split(':').nth(1) == Some(inside));
        if !is_there {
            all.push(Value::from(format!("{name}:{inside}")));
        }
        *list = Value::Array(all);
    }
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

/// How a container is put on a network: the addresses and names that somebody chose, not those that the engine gave.
pub fn endpoint(settings: &Value, short: &str) -> Value {
    let mut kept = object(settings.clone());
    kept.retain(|key, _| matches!(key.as_str(), "IPAMConfig" | "Links" | "Aliases" | "DriverOpts"));
    if let Some(names) = kept.get_mut("Aliases").and_then(Value::as_array_mut) {
        names.retain(|alias| alias.as_str() != Some(short));
    }
    Value::Object(kept)
}
