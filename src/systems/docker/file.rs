//! Files inside a container, which `docker cp` writes.

use std::collections::BTreeSet;
use std::io::Read;

use super::cli::Cli;
use super::look::{Eyes, Seen};
use super::volume::DATA;
use crate::error::{Error, Result};
use crate::model::{ObjectSource, StepOutcome};
use crate::systems::things::{Part, Taking, Thing};

/// A path in a container: `CONTAINER:PATH`. A copy into a directory that is there goes below it, which is in it too.
pub fn look(eyes: &Eyes<'_>, name: &str) -> Result<Option<Seen>> {
    let taking = Taking { sink: eyes.for_contents(), most: eyes.budget.left() };
    let taken = match eyes.cli.read(&["cp", name, "-"], |from| Part::take_tar(from, taking, "")) {
        Ok(taken) => taken,
        Err(error) if is_absent(&error.what) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut thing = Thing::new(name.as_bytes(), eyes.sink)?;
    let Some((part, identity)) = taken else {
        return Ok(Some(Seen {
            thing,
            missing: vec![(name.to_owned(), "over the cap (caps.container_bytes)".to_owned())],
        }));
    };
    thing.digest = identity;
    eyes.budget.spend(part.bytes);
    thing.parts.insert(DATA.to_owned(), part);
    Ok(Some(Seen::whole(thing)))
}

fn is_absent(said: &str) -> bool {
    let said = said.to_lowercase();
    ["could not find the file", "no such file", "not found", "could not be found"]
        .iter()
        .any(|a| said.contains(a))
}

/// The directory that a path is in.
pub fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

/// Writes the old content over the present, and removes what the command has added in a directory.
pub fn put_back(cli: &Cli, name: &str, before: &Thing, source: &dyn ObjectSource) -> Result<StepOutcome> {
    let (Some(part), Some((container, path))) = (before.parts.get(DATA), name.split_once(':')) else {
        return Ok(StepOutcome::Failed { reason: format!("{name} was not captured") });
    };
    let to = format!("{container}:{}", parent(path));
    let present = cli.read(&["cp", name, "-"], names).unwrap_or_default();
    let old = part.read_with(source, names)?;
    let at = |entry: &String| format!("{}/{entry}", parent(path).trim_end_matches('/'));
    let added: Vec<String> = present.difference(&old).map(at).collect();
    if !added.is_empty() {
        let mut args = vec!["exec", container, "rm", "-rf", "--"];
        args.extend(added.iter().map(String::as_str));
        if let Err(error) = cli.ask(&args) {
            let reason = format!("what was added is removed by the container's own rm: {}", error.what);
            return Ok(StepOutcome::Failed { reason });
        }
    }
    cli.write(&["cp", "-", &to], |pipe| part.write(source, pipe))?;
    Ok(StepOutcome::Done)
}

/// The names in an archive; of those below one that is named itself, only that one where it is new.
fn names(from: &mut dyn Read) -> Result<BTreeSet<String>> {
    let failed = |e: std::io::Error| Error::failure(format!("an archive cannot be read: {e}"));
    let mut found = BTreeSet::new();
    let mut archive = tar::Archive::new(&mut *from);
    for entry in archive.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        found.insert(String::from_utf8_lossy(&entry.path_bytes()).trim_end_matches('/').to_owned());
    }
    std::io::copy(from, &mut std::io::sink()).map_err(failed)?;
    Ok(found)
}

/// Removes a path that the copy made, by the container's own `rm`.
pub fn remove(cli: &Cli, name: &str) -> Result<StepOutcome> {
    let Some((container, path)) = name.split_once(':') else {
        return Ok(StepOutcome::Failed { reason: format!("{name} is no path in a container") });
    };
    cli.ask(&["exec", container, "rm", "-rf", "--", path])
        .map_err(|e| e.context("a file is removed by the container's own rm"))?;
    Ok(StepOutcome::Done)
}
