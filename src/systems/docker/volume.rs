//! Volumes: their contents as an archive, read and written through a container that mounts them, so that no rights on the
//! engine's own directories are needed and remote engines are no different.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::Value;

use super::cli::Cli;
use super::find::name_of;
use super::look::{Eyes, Seen};
use super::query::Kind;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSource, StepOutcome};
use crate::platform::random;
use crate::systems::things::{Part, Taking, Thing};

/// The part that holds the contents.
pub const DATA: &str = "tar";
/// Where a container of ours mounts a volume.
const INSIDE: &str = "fr-volume";
/// Fact: the directory that all names in the archive begin with.
const TOP: &str = "top";
/// Fact, of podman, whose archives do not have it: mode and owner of the volume's own directory.
const OWN: &str = "own";

/// A volume as it is; with its contents where these are asked for.
pub fn look(eyes: &Eyes<'_>, name: &str, read: bool) -> Result<Option<Seen>> {
    let found = eyes.cli.inspect(Kind::Volume, &[name.to_owned()])?;
    let Some(description) = found.iter().find(|volume| name_of(volume) == name) else { return Ok(None) };
    let mut thing = Thing::new(description.to_string().as_bytes(), eyes.sink)?;
    let normal = normal(description);
    let mut missing = Vec::new();
    let mut contents = None;
    if read {
        match contents_of(eyes, name) {
            Ok(Some(taken)) => contents = Some(taken),
            Ok(None) => missing.push((
                format!("the contents of the volume {name}"),
                format!("over the cap of {} bytes (caps.container_bytes)", eyes.budget.left()),
            )),
            Err(error) => missing.push((format!("the contents of the volume {name}"), error.what)),
        }
    }
    let mut text = normal.to_string();
    if let Some((part, identity, top)) = contents {
        eyes.budget.spend(part.bytes);
        text.push_str(&identity.to_string());
        thing.facts.insert(TOP.to_owned(), top);
        if let Some(own) = own(eyes.cli, description) {
            text.push_str(&own);
            thing.facts.insert(OWN.to_owned(), own);
        }
        thing.parts.insert(DATA.to_owned(), part);
    }
    thing.digest = ObjectId::of(ObjectKind::State, text.as_bytes());
    Ok(Some(Seen { thing, missing }))
}

/// Driver, labels and options; not the place on the engine's disk and not the time.
fn normal(description: &Value) -> Value {
    let at = |key: &str| description.get(key).filter(|v| !v.as_object().is_some_and(|m| m.is_empty()));
    let at = |key: &str| at(key).cloned().unwrap_or(Value::Null);
    serde_json::json!([at("Driver"), at("Labels"), at("Options")])
}

/// The contents, their identity, and what all their names begin with.
fn contents_of(eyes: &Eyes<'_>, name: &str) -> Result<Option<(Part, ObjectId, String)>> {
    let taking = Taking { sink: eyes.for_contents(), most: eyes.budget.left() };
    let cli = eyes.cli;
    let take = |args: &[&str], top: &str| {
        let taken = cli.read(args, |from| Part::take_tar(from, taking, top))?;
        Ok(taken.map(|(part, identity)| (part, identity, top.to_owned())))
    };
    if cli.is_podman() {
        // podman's `cp` gives everything to root.
        return take(&["volume", "export", name], "");
    }
    // With the directory itself: docker does not set mode and owner of where it writes, only of what it writes.
    if let Some((container, inside)) = mounted_at(cli, name)? {
        let top = inside.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        return take(&["cp", &format!("{container}:{inside}"), "-"], top);
    }
    with_container(cli, name, (INSIDE, "ro"), |container| {
        take(&["cp", &format!("{container}:/{INSIDE}"), "-"], INSIDE)
    })
}

/// Mode and owner of a podman volume's own directory.
fn own(cli: &Cli, description: &Value) -> Option<String> {
    let dir = description.get("Mountpoint").and_then(Value::as_str).filter(|_| cli.is_podman())?;
    let meta = std::fs::metadata(dir).ok()?;
    Some(format!("{:o} {} {}", meta.mode() & 0o7777, meta.uid(), meta.gid()))
}

/// Sets them again.
fn set_own(cli: &Cli, name: &str, own: &str) -> Result<()> {
    let found = cli.inspect(Kind::Volume, &[name.to_owned()])?;
    let dir = found.first().and_then(|volume| volume.get("Mountpoint")).and_then(Value::as_str);
    let mut fields = own.split(' ').map(|field| field.parse::<u32>().ok());
    let mode = own.split(' ').next().and_then(|mode| u32::from_str_radix(mode, 8).ok());
    let (uid, gid) = (fields.nth(1).flatten(), fields.next().flatten());
    let (Some(dir), Some(mode)) = (dir, mode) else { return Ok(()) };
    std::os::unix::fs::chown(dir, uid, gid).map_err(|e| Error::io("give the old owner to", dir, &e))?;
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(dir, mode).map_err(|e| Error::io("set the mode of", dir, &e))
}

/// A container that has the volume, and where; not one that mounts something else inside of it.
fn mounted_at(cli: &Cli, name: &str) -> Result<Option<(String, String)>> {
    let filter = format!("volume={name}");
    let ids = cli.lines(&["container", "ls", "-aq", "--no-trunc", "--filter", &filter])?;
    for container in cli.inspect(Kind::Container, &ids)? {
        let mounts = container.get("Mounts").and_then(Value::as_array).cloned().unwrap_or_default();
        let text =
            |mount: &Value, key: &str| mount.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(mount) = mounts.iter().find(|mount| text(mount, "Name") == name) else { continue };
        let inside = text(mount, "Destination");
        let nested = |other: &Value| text(other, "Destination").starts_with(&format!("{inside}/"));
        if !inside.is_empty() && !mounts.iter().any(nested) {
            return Ok(Some((name_of(&container), inside)));
        }
    }
    Ok(None)
}

/// Runs with a container of ours that mounts the volume and is never started. Any image will do; where there is none, an
/// empty one is made from an empty archive.
fn with_container<T>(
    cli: &Cli,
    volume: &str,
    (inside, how): (&str, &str),
    with: impl FnOnce(&str) -> Result<T>,
) -> Result<T> {
    let mut noise = [0u8; 6];
    random::fill(&mut noise);
    let noise: String = noise.iter().map(|b| format!("{b:02x}")).collect();
    let name = format!("fr-look-{noise}");
    let (image, own) = match smallest_image(cli)? {
        Some(image) => (image, false),
        None => {
            let image = format!("fr-empty:{noise}");
            // An archive's end is two blocks of zeros (POSIX ustar).
            cli.write(&["import", "-", &image], |pipe| {
                pipe.write_all(&[0; 1024]).map_err(|e| Error::failure(format!("writing stopped: {e}")))
            })?;
            (image, true)
        }
    };
    let bind = format!("{volume}:/{inside}:{how},nocopy");
    let made = cli.ask(&[
        "container",
        "create",
        "--name",
        &name,
        "--network",
        "none",
        "-v",
        &bind,
        "--entrypoint",
        "/none",
        &image,
        "/none",
    ]);
    let done = match made {
        Ok(_) => {
            let done = with(&name);
            let _ = cli.run(&["container", "rm", "-f", "-v", &name]);
            done
        }
        Err(error) => Err(error),
    };
    if own {
        let _ = cli.run(&["image", "rm", &image]);
    }
    done
}

fn smallest_image(cli: &Cli) -> Result<Option<String>> {
    let mut ids = cli.lines(&["image", "ls", "-q", "--no-trunc"])?;
    ids.sort();
    ids.dedup();
    let size = |image: &Value| image.get("Size").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let smallest = cli.inspect(Kind::Image, &ids)?.into_iter().min_by_key(size);
    Ok(smallest.map(|image| super::find::id_of(&image)))
}

/// Makes a volume anew, with its contents.
pub fn make(cli: &Cli, name: &str, thing: &Thing, source: &dyn ObjectSource) -> Result<StepOutcome> {
    let description: Value = serde_json::from_slice(&source.get(&thing.object)?)
        .map_err(|e| Error::corrupt(format!("the description of the volume {name} cannot be read: {e}")))?;
    let mut args: Vec<String> = vec!["volume".into(), "create".into()];
    if let Some(driver) = description.get("Driver").and_then(Value::as_str) {
        args.extend(["--driver".to_owned(), driver.to_owned()]);
    }
    for (key, flag) in [("Labels", "--label"), ("Options", "--opt")] {
        for (name, value) in description.get(key).and_then(Value::as_object).into_iter().flatten() {
            args.extend([flag.to_owned(), format!("{name}={}", value.as_str().unwrap_or_default())]);
        }
    }
    args.push(name.to_owned());
    cli.ask(&args.iter().map(String::as_str).collect::<Vec<_>>())?;
    fill(cli, name, thing, source)
}

fn fill(cli: &Cli, name: &str, thing: &Thing, source: &dyn ObjectSource) -> Result<StepOutcome> {
    let Some(part) = thing.parts.get(DATA) else {
        return Ok(StepOutcome::Failed { reason: format!("the volume {name} is there again, and empty") });
    };
    let filled = if cli.is_podman() {
        cli.write(&["volume", "import", name, "-"], |pipe| part.write(source, pipe))
    } else {
        let top = Some(thing.fact(TOP)).filter(|top| !top.is_empty()).unwrap_or(INSIDE);
        with_container(cli, name, (top, "rw"), |container| {
            cli.write(&["cp", "-", &format!("{container}:/")], |pipe| part.write(source, pipe))
        })
    };
    let own = thing.fact(OWN);
    let filled = filled.and_then(|_| if own.is_empty() { Ok(()) } else { set_own(cli, name, own) });
    if let Err(error) = filled {
        // Half a volume would be taken for a whole one.
        let _ = cli.run(&["volume", "rm", name]);
        return Ok(StepOutcome::Failed {
            reason: format!("its contents could not be written: {}", error.what),
        });
    }
    Ok(StepOutcome::Done)
}
