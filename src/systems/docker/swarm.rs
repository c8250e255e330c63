//! What a swarm has: services, configurations, secrets. They are described whole by the engine, but for a secret's value, which
//! it gives to nobody but the containers that use it.

use serde_json::{Value, json};

use super::api;
use super::cli::Cli;
use super::find::id_of;
use super::look::{Eyes, Seen};
use super::query::Kind;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSource, StepOutcome};
use crate::systems::things::Thing;

/// The name of a thing of a swarm.
pub fn name_of(thing: &Value) -> String {
    thing.pointer("/Spec/Name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// One as it is.
pub fn look(eyes: &Eyes<'_>, kind: Kind, name: &str) -> Result<Option<Seen>> {
    let found = eyes.cli.inspect(kind, &[name.to_owned()])?;
    let Some(description) = found.iter().find(|thing| name_of(thing) == name) else { return Ok(None) };
    let mut thing = Thing::new(description.to_string().as_bytes(), eyes.sink)?;
    thing.id = id_of(description);
    let spec = description.get("Spec").cloned().unwrap_or_default();
    thing.digest = ObjectId::of(ObjectKind::State, spec.to_string().as_bytes());
    let mut seen = Seen::whole(thing);
    if kind == Kind::Secret {
        let why = "the engine gives it to nobody but the containers that use it";
        seen.missing.push((format!("the value of the secret {name}"), why.to_owned()));
    }
    Ok(Some(seen))
}

/// What belongs to a stack, by its label.
pub fn stack(cli: &Cli, stack: &str) -> Result<Vec<String>> {
    let label = format!("label=com.docker.stack.namespace={stack}");
    let mut names = Vec::new();
    for kind in [Kind::Service, Kind::Config, Kind::Secret, Kind::Network] {
        let format = "{{.Name}}";
        let found = cli.lines(&[kind.word(), "ls", "--filter", &label, "--format", format])?;
        names.extend(found.iter().map(|name| kind.named(name)));
    }
    Ok(names)
}

fn spec(name: &str, thing: &Thing, source: &dyn ObjectSource) -> Result<Value> {
    let description: Value = serde_json::from_slice(&source.get(&thing.object)?)
        .map_err(|e| Error::corrupt(format!("the description of {name} cannot be read: {e}")))?;
    Ok(description.get("Spec").cloned().unwrap_or_default())
}

/// Makes one anew.
pub fn make(
    cli: &Cli,
    kind: Kind,
    name: &str,
    thing: &Thing,
    source: &dyn ObjectSource,
) -> Result<StepOutcome> {
    let path = match kind {
        Kind::Service => "/services/create",
        Kind::Config => "/configs/create",
        _ => return Ok(StepOutcome::Failed { reason: "the value of a secret was not captured".to_owned() }),
    };
    let mut spec = spec(name, thing, source)?;
    if kind == Kind::Service {
        point(cli, &mut spec)?;
    }
    done(&api::post(cli, path, &spec)?)
}

/// A service knows its configurations and secrets by their ids too, and those that were made anew have new ones.
fn point(cli: &Cli, spec: &mut Value) -> Result<()> {
    for (list, kind, word) in [("Configs", Kind::Config, "Config"), ("Secrets", Kind::Secret, "Secret")] {
        let at = format!("/TaskTemplate/ContainerSpec/{list}");
        let Some(all) = spec.pointer_mut(&at).and_then(Value::as_array_mut) else { continue };
        for one in all {
            let name = one.get(format!("{word}Name")).and_then(Value::as_str).unwrap_or_default().to_owned();
            let found = cli.inspect(kind, std::slice::from_ref(&name))?;
            if let (Some(found), Some(one)) = (found.first(), one.as_object_mut()) {
                one.insert(format!("{word}ID"), json!(id_of(found)));
            }
        }
    }
    Ok(())
}

/// Gives a service its old settings.
pub fn change(cli: &Cli, name: &str, old: &Thing, source: &dyn ObjectSource) -> Result<StepOutcome> {
    let found = cli.inspect(Kind::Service, &[name.to_owned()])?;
    let version = found.first().and_then(|now| now.pointer("/Version/Index")).and_then(Value::as_u64);
    let Some(version) = version else {
        return Ok(StepOutcome::Failed { reason: format!("the service {name} is gone") });
    };
    let mut spec = spec(name, old, source)?;
    point(cli, &mut spec)?;
    let path = format!("/services/{}/update?version={version}", api::encoded(name));
    done(&api::post(cli, &path, &spec)?)
}

fn done(answer: &api::Answer) -> Result<StepOutcome> {
    Ok(match answer.status {
        200 | 201 => StepOutcome::Done,
        409 => StepOutcome::Conflict { reason: answer.message() },
        _ => StepOutcome::Failed { reason: answer.message() },
    })
}
