//! Before a command: its targets, and what of them is about to be lost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::ID;
use super::cli::Cli;
use super::find::{self, Found};
use super::look::{self, Budget, Eyes};
use super::query::{self, Access, Kind};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Locator, Missing, StateRef, SystemId};
use crate::systems::CaptureCx;
use crate::systems::things::{Things, locator_of, names_of};

/// Stores the things that a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    let access = Access::of(locator);
    let cli = Cli::of(&access, limit(cx));
    let mut found = Found::default();
    match names_of(locator) {
        // The present of what an earlier capture covers: an undo is about to write it.
        Some(names) => {
            let containers = names.iter().filter_map(|name| name.strip_prefix("container/"));
            found.lost = containers.map(|name| (name.to_owned(), query::Loss::Container)).collect();
            found.names = names.into_iter().collect();
        }
        None => {
            for ask in query::asks(locator)? {
                find::find(&cli, &ask, &access.cwd, &mut found)?;
            }
        }
    }
    let mut things = Things::new(ID, place(&cli)?);
    let mut missing: Vec<Missing> = found
        .missing
        .iter()
        .map(|(what, why)| Missing { what: Bytes::from(what.as_str()), why: why.clone() })
        .collect();
    let budget = Budget::of(cx.caps);
    let eyes = Eyes { cli: &cli, sink: cx.sink, source: cx.source, contents: true, budget: &budget };
    look::look(&eyes, &found, &mut things, &mut missing)?;
    if things.is_empty() && missing.is_empty() {
        return Ok(Vec::new());
    }
    // A container may get a name that is free now without being made by the command.
    if things.all().any(|(name, thing)| name.starts_with("container/") && thing.is_none()) {
        things.know(cli.lines(&["container", "ls", "-aq", "--no-trunc"])?);
    }
    Ok(vec![finished(&things, &effect.resource, &access, missing, cx)?])
}

/// The things of a capture as they are now.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let earlier = Things::load(&captured.state, cx.source)?;
    let access = Access::of(&captured.locator);
    let cli = Cli::of(&access, limit(cx));
    let things = now(&cli, &earlier, cx)?;
    things.store(cx.sink)
}

fn now(cli: &Cli, earlier: &Things, cx: &CaptureCx<'_>) -> Result<Things> {
    let mut things = Things::new(ID, same_place(cli, earlier)?);
    let budget = Budget::of(cx.caps);
    let eyes = Eyes { cli, sink: cx.sink, source: cx.source, contents: false, budget: &budget };
    for name in earlier.names() {
        things.note(name, look::one(&eyes, name, earlier.get(name))?);
    }
    for (name, old) in earlier.all() {
        let Some(old) = old.filter(|_| name.starts_with("container/") && things.get(name).is_none()) else {
            continue;
        };
        // It may have got another name, by another command of the line.
        if let Some(new) = look::name_by_id(&eyes, &old.id)? {
            let new = Kind::Container.named(&new);
            if !things.covers(&new) {
                things.note(&new, look::one(&eyes, &new, None)?);
            }
        }
    }
    Ok(things)
}

/// Checks that it is the recorded engine.
///
/// # Errors
/// Where the same words lead to another one: nothing there is what was captured.
pub fn same_place(cli: &Cli, recorded: &Things) -> Result<BTreeMap<String, String>> {
    let place = place(cli)?;
    if place == recorded.place {
        return Ok(place);
    }
    Err(Error::failure("another container engine answers now than at the time of the event")
        .hint("set DOCKER_HOST or the context back to the recorded one"))
}

fn place(cli: &Cli) -> Result<BTreeMap<String, String>> {
    let format = if cli.is_podman() { "{{.Host.Hostname}} {{.Store.GraphRoot}}" } else { "{{.ID}}" };
    let engine = cli.ask(&["info", "--format", format])?;
    Ok(BTreeMap::from([("engine".to_owned(), engine)]))
}

fn limit(cx: &CaptureCx<'_>) -> Instant {
    let own = Instant::now() + Duration::from_secs(cx.caps.container_seconds);
    cx.deadline.map_or(own, |deadline| deadline.min(own))
}

fn finished(
    things: &Things,
    asked: &Bytes,
    access: &Access,
    missing: Vec<Missing>,
    cx: &CaptureCx<'_>,
) -> Result<Capture> {
    const NAMED: usize = 3;
    let state = things.store(cx.sink)?;
    let names: Vec<String> =
        things.names().map(|name| format!("docker:{}", name.replacen('/', ":", 1))).collect();
    let resource = match names.as_slice() {
        [] => asked.clone(),
        few if few.len() <= NAMED => Bytes::from(few.join(" ")),
        [first, ..] => Bytes::from(format!("{first} and {} more", names.len() - 1)),
    };
    let locator: Locator = locator_of(access.locator(), things.names());
    let (items, bytes) = (things.count(), things.bytes());
    Ok(Capture { system: SystemId::new(ID), resource, locator, state, missing, items, bytes })
}

/// The name of a compose project that the words do not name: a line of its file, else its directory's name with what may
/// not be in it taken out (compose-spec, "name").
pub fn project_name(files: &[String], dir: Option<&str>, cwd: &Bytes) -> String {
    let cwd = cwd.as_path();
    let file = files.first().map(|file| cwd.join(file));
    let dir = match (dir, &file) {
        (Some(dir), _) => cwd.join(dir),
        (None, Some(file)) => file.parent().unwrap_or(cwd).to_path_buf(),
        (None, None) => cwd.to_path_buf(),
    };
    let usual = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
    let named = file.into_iter().chain(usual.iter().map(|name| dir.join(name)));
    let text = named.filter(|path| path.is_file()).find_map(|path| std::fs::read_to_string(path).ok());
    let line = text.and_then(|text| {
        let value = text.lines().find_map(|line| line.strip_prefix("name:").map(str::to_owned))?;
        let value = value.split(" #").next()?.trim().trim_matches(['"', '\'']).to_owned();
        (!value.is_empty() && !value.contains('$')).then_some(value)
    });
    let fallback = || dir.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = line.unwrap_or_else(fallback);
    let kept = name.chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(*c));
    kept.collect::<String>().trim_start_matches(['-', '_']).to_owned()
}
