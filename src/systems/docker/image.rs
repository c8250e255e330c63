//! Images: by a name, which may come to mean another one, or by their ids.

use serde_json::Value;

use super::cli::Cli;
use super::find::id_of;
use super::look::{Eyes, Seen};
use super::query::Kind;
use crate::error::Result;
use crate::model::{ObjectId, ObjectKind, ObjectSource, StepOutcome};
use crate::systems::things::{Part, Taking, Thing};

/// The part that holds `docker save`.
const ARCHIVE: &str = "tar";
/// Fact: where it can be pulled from again, by its digest.
const PULLED: &str = "pulled-from";

/// An image as it is, with its layers where no registry has them.
pub fn look(eyes: &Eyes<'_>, name: &str) -> Result<Option<Seen>> {
    let Some(mut seen) = look_quickly(eyes, name)? else { return Ok(None) };
    if !seen.thing.fact(PULLED).is_empty() {
        return Ok(Some(seen));
    }
    let taking = Taking { sink: eyes.for_contents(), most: eyes.budget.left() };
    let id = seen.thing.id.clone();
    match eyes.cli.read(&["image", "save", &id], |from| Part::take(from, taking)) {
        Ok(Some(part)) => {
            eyes.budget.spend(part.bytes);
            seen.thing.parts.insert(ARCHIVE.to_owned(), part);
        }
        Ok(None) => seen.missing.push((
            format!("the layers of the image {name}"),
            format!("over the cap of {} bytes (caps.container_bytes)", eyes.budget.left()),
        )),
        Err(error) => seen.missing.push((format!("the layers of the image {name}"), error.what)),
    }
    Ok(Some(seen))
}

/// Only what it is.
pub fn look_quickly(eyes: &Eyes<'_>, name: &str) -> Result<Option<Seen>> {
    let found = eyes.cli.inspect(Kind::Image, &[name.to_owned()])?;
    let Some(description) = found.first() else { return Ok(None) };
    let mut thing = Thing::new(description.to_string().as_bytes(), eyes.sink)?;
    thing.id = id_of(description);
    // An image's id is its content's.
    thing.digest = ObjectId::of(ObjectKind::State, thing.id.as_bytes());
    let digests = description.get("RepoDigests").and_then(Value::as_array).into_iter().flatten();
    // podman gives a digest to what it built itself, under localhost.
    let mut digests = digests.filter_map(Value::as_str).filter(|d| !d.starts_with("localhost/"));
    if let Some(from) = digests.next() {
        thing.facts.insert(PULLED.to_owned(), from.to_owned());
    }
    Ok(Some(Seen::whole(thing)))
}

/// Brings an image and its name back: by a tag where the image is still there, from the store, or from its registry.
pub fn make(cli: &Cli, name: &str, thing: &Thing, source: &dyn ObjectSource) -> Result<StepOutcome> {
    let is_there =
        || -> Result<bool> { Ok(!cli.inspect(Kind::Image, std::slice::from_ref(&thing.id))?.is_empty()) };
    if !is_there()? {
        if let Some(part) = thing.parts.get(ARCHIVE) {
            cli.write(&["image", "load"], |pipe| part.write(source, pipe))?;
        } else if !thing.fact(PULLED).is_empty() {
            cli.ask(&["image", "pull", thing.fact(PULLED)])
                .map_err(|e| e.context("its layers are only in the registry"))?;
        } else {
            return Ok(StepOutcome::Failed { reason: "its layers were not captured".to_owned() });
        }
        if !is_there()? {
            let reason = format!("what came back is not the image {}", short(&thing.id));
            return Ok(StepOutcome::Failed { reason });
        }
    }
    tag(cli, name, &thing.id)
}

/// Gives an image its name again.
pub fn tag(cli: &Cli, name: &str, id: &str) -> Result<StepOutcome> {
    let bare = id.trim_start_matches("sha256:");
    if !name.contains(bare) && !name.contains('@') {
        cli.ask(&["image", "tag", id, name])?;
    }
    Ok(StepOutcome::Done)
}

/// Takes a name away again; the image goes with its last name.
pub fn untag(cli: &Cli, name: &str) -> Result<StepOutcome> {
    cli.ask(&["image", "rm", "--no-prune", name]).or_else(|e| match cli.is_podman() {
        true => cli.ask(&["image", "rm", name]),
        false => Err(e),
    })?;
    Ok(StepOutcome::Done)
}

/// An id for people.
pub fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}
