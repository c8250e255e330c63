//! podman's pods: by the command line that podman noted when they were made. Their containers are captured beside them.

use serde_json::Value;

use super::cli::Cli;
use super::find::id_of;
use super::look::{Eyes, Seen};
use super::query::Kind;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSource, StepOutcome};
use crate::systems::things::Thing;

fn words(description: &Value) -> Vec<String> {
    let list = description.get("CreateCommand").and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The containers of a pod but its own.
pub fn members(description: &Value) -> Vec<String> {
    let infra = description.get("InfraContainerID").and_then(Value::as_str).unwrap_or_default();
    let list = description.get("Containers").and_then(Value::as_array).into_iter().flatten();
    let own = |c: &&Value| c.get("Id").and_then(Value::as_str) != Some(infra);
    list.filter(own).filter_map(|c| c.get("Name")?.as_str().map(str::to_owned)).collect()
}

/// A pod as it is.
pub fn look(eyes: &Eyes<'_>, name: &str) -> Result<Option<Seen>> {
    let found = eyes.cli.inspect(Kind::Pod, &[name.to_owned()])?;
    let Some(description) = found.first() else { return Ok(None) };
    let mut thing = Thing::new(description.to_string().as_bytes(), eyes.sink)?;
    thing.id = id_of(description);
    thing.digest = ObjectId::of(ObjectKind::State, words(description).join("\0").as_bytes());
    Ok(Some(Seen::whole(thing)))
}

/// Makes a pod anew, as it was made; its containers come after it.
pub fn make(cli: &Cli, name: &str, thing: &Thing, source: &dyn ObjectSource) -> Result<StepOutcome> {
    let description: Value = serde_json::from_slice(&source.get(&thing.object)?)
        .map_err(|e| Error::corrupt(format!("the description of the pod {name} cannot be read: {e}")))?;
    let words = words(&description);
    let at = words.windows(2).position(|pair| pair == ["pod", "create"]);
    let Some(rest) = at.and_then(|at| words.get(at + 2..)) else {
        return Ok(StepOutcome::Failed { reason: "podman does not say how it was made".to_owned() });
    };
    let mut args = vec!["pod", "create"];
    let named = rest.iter().any(|w| w == name || w.strip_prefix("--name=").is_some());
    if !named {
        args.extend(["--name", name]);
    }
    args.extend(rest.iter().map(String::as_str));
    cli.ask(&args)?;
    Ok(StepOutcome::Done)
}
