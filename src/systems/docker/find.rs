//! What a command is about to touch, found by the same filters as the engine itself uses.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cli::Cli;
use super::query::{Ask, Kind, Loss};
use super::swarm;
use crate::error::Result;
use crate::model::Bytes;

/// What was found: names of things, and how much of each container is lost.
#[derive(Default)]
pub struct Found {
    /// Things by their names, those that are not there too.
    pub names: BTreeSet<String>,
    /// Containers that are removed, and whether their anonymous volumes go with them.
    pub lost: Vec<(String, Loss)>,
    /// Images that stay and may lose a name.
    pub in_use: BTreeSet<String>,
    /// What could not be listed.
    pub missing: Vec<(String, String)>,
}

/// Finds the targets of a question.
pub fn find(cli: &Cli, ask: &Ask, cwd: &Bytes, out: &mut Found) -> Result<()> {
    match ask {
        Ask::Named { kind: Kind::Container, names, loss } => containers(cli, names, *loss, out),
        Ask::Named { kind: Kind::Image, names, .. } => images(cli, names, out),
        Ask::Named { kind: Kind::Pod, names, loss } => {
            for name in names {
                let found = cli.inspect(Kind::Pod, std::slice::from_ref(name))?;
                let own = found.first().map(name_of).unwrap_or_else(|| name.clone());
                out.names.insert(Kind::Pod.named(&own));
                let members = found.first().map(super::pod::members).unwrap_or_default();
                containers(cli, &members, *loss, out)?;
            }
            Ok(())
        }
        Ask::Named { kind, names, .. } => {
            let found = if *kind == Kind::File { Vec::new() } else { cli.inspect(*kind, names)? };
            // An id, or a part of one, names a thing that has a name.
            for name in names {
                let real = found.iter().find(|thing| is_named(thing, name)).map(name_of);
                let in_swarm = || found.iter().find(|t| swarm::name_of(t) == *name || is_named(t, name));
                let real = match kind {
                    Kind::Service | Kind::Config | Kind::Secret => in_swarm().map(swarm::name_of),
                    _ => real,
                };
                out.names.insert(kind.named(real.as_deref().unwrap_or(name)));
            }
            Ok(())
        }
        Ask::Containers { running, loss, filters } => {
            let mut args = vec!["container", "ls", "-q", "--no-trunc"];
            if !running {
                args.push("-a");
            }
            args.extend(filters.iter().flat_map(|filter| ["--filter", filter]));
            containers(cli, &cli.lines(&args)?, *loss, out)
        }
        Ask::All { kind, filters } => all(cli, *kind, filters, out),
        Ask::Unused { kinds, all, filters } => unused(cli, (kinds, *all, filters), out),
        Ask::Project { .. } => project(cli, ask, cwd, out),
        Ask::Tags => tags(cli, out),
        Ask::Stack { names } => {
            for name in names {
                out.names.extend(swarm::stack(cli, name)?);
            }
            Ok(())
        }
    }
}

/// A thing's own name.
pub fn name_of(thing: &Value) -> String {
    let text = |key: &str| thing.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = [text("Name"), text("name"), text("Id"), text("id")].into_iter().find(|n| !n.is_empty());
    name.unwrap_or_default().trim_start_matches('/').to_owned()
}

/// A thing's identity.
pub fn id_of(thing: &Value) -> String {
    let text = |key: &str| thing.get(key).and_then(Value::as_str).unwrap_or_default();
    let id = [text("Id"), text("ID"), text("id")].into_iter().find(|n| !n.is_empty());
    id.unwrap_or_default().to_owned()
}

fn is_named(thing: &Value, word: &str) -> bool {
    name_of(thing) == word.trim_start_matches('/') || (!word.is_empty() && id_of(thing).starts_with(word))
}

fn containers(cli: &Cli, words: &[String], loss: Loss, out: &mut Found) -> Result<()> {
    let found = cli.inspect(Kind::Container, words)?;
    for word in words {
        let Some(thing) = found.iter().find(|thing| is_named(thing, word)) else {
            out.names.insert(Kind::Container.named(word.trim_start_matches('/')));
            continue;
        };
        let name = name_of(thing);
        out.names.insert(Kind::Container.named(&name));
        // A container that was run with --rm goes when it stops, and its anonymous volumes with it.
        let temporary = thing.pointer("/HostConfig/AutoRemove").and_then(Value::as_bool) == Some(true);
        let loss = if temporary { Loss::Volumes } else { loss };
        if loss == Loss::Volumes {
            out.names.extend(anonymous(thing).map(|volume| Kind::Volume.named(&volume)));
        }
        if loss != Loss::Nothing {
            out.lost.push((name, loss));
        }
    }
    Ok(())
}

/// The volumes of a container that have only a random name.
fn anonymous(container: &Value) -> impl Iterator<Item = String> {
    let mounts = container.get("Mounts").and_then(Value::as_array).cloned().unwrap_or_default();
    mounts.into_iter().filter_map(|mount| {
        let name = mount.get("Name").and_then(Value::as_str)?;
        is_anonymous(name).then(|| name.to_owned())
    })
}

/// A random name: 64 hexadecimal digits.
pub fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Names and ids of images. What has an id and no other name is gone when its last name is; one that is named by its id
/// loses all its names.
fn images(cli: &Cli, words: &[String], out: &mut Found) -> Result<()> {
    for word in words {
        let found = cli.inspect(Kind::Image, std::slice::from_ref(word))?;
        let Some(image) = found.first() else {
            out.names.insert(Kind::Image.named(word));
            continue;
        };
        let bare = id_of(image).trim_start_matches("sha256:").to_owned();
        let by_id = bare.starts_with(word.trim_start_matches("sha256:"));
        if by_id {
            out.names.extend(names_of_image(image));
        } else {
            out.names.insert(Kind::Image.named(&with_tag(word)));
        }
    }
    Ok(())
}

/// All names of an image; its id where it has none.
fn names_of_image(image: &Value) -> Vec<String> {
    let tags = image.get("RepoTags").and_then(Value::as_array).into_iter().flatten();
    let tags: Vec<String> = tags.filter_map(Value::as_str).map(|t| Kind::Image.named(t)).collect();
    if tags.is_empty() { vec![Kind::Image.named(&id_of(image))] } else { tags }
}

/// `app` is `app:latest`.
pub fn with_tag(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) { name.to_owned() } else { format!("{name}:latest") }
}

fn all(cli: &Cli, kind: Kind, filters: &[String], out: &mut Found) -> Result<()> {
    let list = |args: &[&str]| {
        let filters = filters.iter().flat_map(|filter| ["--filter", filter.as_str()]);
        cli.lines(&args.iter().copied().chain(filters).collect::<Vec<_>>())
    };
    let names = match kind {
        Kind::Image => {
            let ids = list(&["image", "ls", "-aq", "--no-trunc"])?;
            let ids: Vec<String> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
            return images(cli, &ids, out);
        }
        Kind::Volume => list(&["volume", "ls", "-q"])?,
        Kind::Network => list(&["network", "ls", "--format", "{{.Name}}"])?,
        _ => Vec::new(),
    };
    out.names.extend(names.iter().map(|name| kind.named(name)));
    Ok(())
}

/// The names of all images that have one.
fn tags(cli: &Cli, out: &mut Found) -> Result<()> {
    let lines = cli.lines(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"])?;
    out.names.extend(lines.iter().filter(|l| !l.contains("<none>")).map(|l| Kind::Image.named(l)));
    Ok(())
}

/// What a prune takes. Filters by label are passed on; by time they cannot be: then more is kept than goes.
fn unused(cli: &Cli, (kinds, all, filters): (&[Kind], bool, &[String]), out: &mut Found) -> Result<()> {
    let labels: Vec<&str> = filters.iter().map(String::as_str).filter(|f| f.starts_with("label=")).collect();
    let with = |fixed: &[&'static str]| -> Vec<String> {
        let label = labels.iter().flat_map(|label| ["--filter", label]);
        fixed.iter().copied().chain(label).map(str::to_owned).collect()
    };
    let list = |fixed: &[&'static str]| -> Result<Vec<String>> {
        let args = with(fixed);
        cli.lines(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let has = |kind: Kind| kinds.contains(&kind);
    let mut freed: Vec<Value> = Vec::new();
    if has(Kind::Container) {
        let mut stopped = vec!["container", "ls", "-aq", "--no-trunc", "--filter", "status=exited"];
        stopped.extend(["--filter", "status=created"]);
        if !cli.is_podman() {
            stopped.extend(["--filter", "status=dead"]);
        }
        let ids = list(&stopped)?;
        containers(cli, &ids, Loss::Container, out)?;
        freed = cli.inspect(Kind::Container, &ids)?;
    }
    if has(Kind::Volume) {
        let mut names = list(&["volume", "ls", "-q", "--filter", "dangling=true"])?;
        let of_freed = freed.iter().flat_map(mounted);
        names.extend(of_freed);
        let every = all || takes_named_volumes(cli);
        out.names.extend(
            names.iter().filter(|name| every || is_anonymous(name)).map(|name| Kind::Volume.named(name)),
        );
    }
    if has(Kind::Image) {
        if all {
            let kept: BTreeSet<String> = in_use(cli, &freed)?;
            let mut ids = list(&["image", "ls", "-q", "--no-trunc"])?;
            ids.sort();
            ids.dedup();
            // Of an image in use all names but one are taken away (moby, image_prune.go).
            let (used, free): (Vec<String>, Vec<String>) = ids.into_iter().partition(|id| kept.contains(id));
            for image in cli.inspect(Kind::Image, &used)? {
                out.in_use.extend(names_of_image(&image));
            }
            out.names.extend(out.in_use.iter().cloned());
            images(cli, &free, out)?;
        } else {
            let mut ids = list(&["image", "ls", "-q", "--no-trunc", "--filter", "dangling=true"])?;
            ids.sort();
            ids.dedup();
            images(cli, &ids, out)?;
        }
    }
    if has(Kind::Network) {
        let fixed: &[&'static str] = &["network", "ls", "--format", "{{.Name}}", "--filter", "type=custom"];
        let names = if cli.is_podman() { list(&fixed[..4])? } else { list(fixed)? };
        let is_free = |network: &Value| {
            let used = network.get("Containers").or_else(|| network.get("containers"));
            used.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty)
        };
        let found = cli.inspect(Kind::Network, &names)?;
        let free = found.iter().filter(|network| is_free(network)).map(name_of);
        out.names.extend(free.filter(|name| name != "podman").map(|name| Kind::Network.named(&name)));
    }
    Ok(())
}

fn mounted(container: &Value) -> Vec<String> {
    let mounts = container.get("Mounts").and_then(Value::as_array).into_iter().flatten();
    mounts.filter_map(|mount| mount.get("Name")?.as_str()).map(str::to_owned).collect()
}

/// Engines before API 1.42 (Docker 23), and podman, prune named volumes too.
fn takes_named_volumes(cli: &Cli) -> bool {
    if cli.is_podman() {
        return true;
    }
    let version = cli.ask(&["version", "--format", "{{.Server.APIVersion}}"]).unwrap_or_default();
    let minor = version.strip_prefix("1.").and_then(|minor| minor.parse::<u32>().ok());
    // What cannot be told is taken for the wider one.
    minor.is_none_or(|minor| minor < 42)
}

/// The images of containers that stay.
fn in_use(cli: &Cli, freed: &[Value]) -> Result<BTreeSet<String>> {
    let ids = cli.lines(&["container", "ls", "-aq", "--no-trunc"])?;
    let freed: BTreeSet<String> = freed.iter().map(id_of).collect();
    let stay: Vec<String> = ids.into_iter().filter(|id| !freed.contains(id)).collect();
    let found = cli.inspect(Kind::Container, &stay)?;
    let image = |c: &Value| c.get("Image").and_then(Value::as_str).map(str::to_owned);
    let ids = found.iter().filter_map(image);
    Ok(ids.map(|id| if id.contains(':') { id } else { format!("sha256:{id}") }).collect())
}

fn project(cli: &Cli, ask: &Ask, cwd: &Bytes, out: &mut Found) -> Result<()> {
    let Ask::Project { name, files, dir, loss, networks, images, services } = ask else { return Ok(()) };
    let name = match name {
        Some(name) => name.clone(),
        None => super::capture::project_name(files, dir.as_deref(), cwd),
    };
    let label = format!("label=com.docker.compose.project={name}");
    let mut args = vec!["container", "ls", "-aq", "--no-trunc", "--filter", &label];
    let service = services.first().map(|s| format!("label=com.docker.compose.service={s}"));
    if let (Some(service), 1) = (&service, services.len()) {
        args.extend(["--filter", service]);
    }
    let ids = cli.lines(&args)?;
    containers(cli, &ids, *loss, out)?;
    if *images {
        let found = cli.inspect(Kind::Container, &ids)?;
        let image = |c: &Value| c.pointer("/Config/Image").and_then(Value::as_str).map(str::to_owned);
        let names: BTreeSet<String> = found.iter().filter_map(image).collect();
        super::find::images(cli, &names.into_iter().collect::<Vec<_>>(), out)?;
    }
    if *networks {
        let names = cli.lines(&["network", "ls", "--format", "{{.Name}}", "--filter", &label])?;
        out.names.extend(names.iter().map(|name| Kind::Network.named(name)));
    }
    if *loss == Loss::Volumes {
        let names = cli.lines(&["volume", "ls", "-q", "--filter", &label])?;
        out.names.extend(names.iter().map(|name| Kind::Volume.named(name)));
    }
    if out.names.is_empty() {
        out.missing.push((
            format!("what belongs to the project {name}"),
            "no container, network or volume carries its label".to_owned(),
        ));
    }
    Ok(())
}
