//! Before a command: what it is about to move in a registry.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::run::Run;
use super::{ID, crates, npm};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Locator, Missing, ObjectSink, StateRef, SystemId};
use crate::systems::CaptureCx;
use crate::systems::things::{Thing, Things, locator_of, names_of};

/// Stores what a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    let run = run(locator, cx);
    let names = match names_of(locator) {
        Some(names) => names,
        None => targets(&run, locator)?,
    };
    let mut things = Things::new(ID, place(&run, &names)?);
    let mut missing = Vec::new();
    for name in &names {
        things.note(name, look(&run, name, cx.sink)?);
        if name.starts_with("npm-version/") && things.get(name).is_some() {
            missing.push(Missing {
                what: Bytes::from(name.replacen('/', " ", 1)),
                why: "a version that is gone can never be published again under its number".to_owned(),
            });
        }
    }
    let state = things.store(cx.sink)?;
    let place = Locator { at: locator.at.clone(), ..Locator::default() };
    let locator = locator_of(place, things.names());
    let (resource, items) = (effect.resource.clone(), things.count());
    Ok(vec![Capture { system: SystemId::new(ID), resource, locator, state, missing, items, bytes: 0 }])
}

/// The same things as they are now.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let earlier = Things::load(&captured.state, cx.source)?;
    let mut run = run(&captured.locator, cx);
    run.registry = registry_of(&earlier);
    let mut now = Things::new(ID, earlier.place.clone());
    for name in earlier.names() {
        now.note(name, look(&run, name, cx.sink)?);
    }
    now.store(cx.sink)
}

fn run(locator: &Locator, cx: &CaptureCx<'_>) -> Run {
    let own = Instant::now() + Duration::from_secs(cx.caps.github_seconds);
    Run::of(locator.at.as_path(), cx.deadline.map_or(own, |deadline| deadline.min(own)))
}

fn targets(run: &Run, locator: &Locator) -> Result<Vec<String>> {
    let words = locator.opts.get("words").map(|words| words.lossy().into_owned());
    let words = words.ok_or_else(|| Error::failure("its target is not known before it runs"))?;
    let words: Vec<&str> = words.split('\0').collect();
    match words.as_slice() {
        ["npm", verb, rest @ ..] => npm::things(run, verb, rest),
        ["cargo", verb, rest @ ..] => crates::things(run, verb, rest),
        _ => Err(Error::failure("fr does not read this registry")),
    }
}

/// Kind, name, which of it, and the registry.
pub fn parts(name: &str) -> Option<(&str, &str, &str, &str)> {
    let (kind, rest) = name.split_once('/')?;
    let mut words = rest.split(' ');
    Some((kind, words.next()?, words.next().unwrap_or_default(), words.next().unwrap_or_default()))
}

/// One thing as it is.
pub fn look(run: &Run, name: &str, sink: &dyn ObjectSink) -> Result<Option<Thing>> {
    let lost = || Error::corrupt(format!("{name} is nothing in a registry that this fr knows"));
    let (kind, own, which, registry) = parts(name).ok_or_else(lost)?;
    let value = match kind.starts_with("npm-") {
        true => npm::look(run, kind, own, which)?,
        false => crates::look(run, kind, own, which, registry)?,
    };
    value.map(|value| Thing::new(value.as_bytes(), sink)).transpose()
}

/// The registry that npm talks to; cargo's are named.
fn place(run: &Run, names: &[String]) -> Result<BTreeMap<String, String>> {
    let scope =
        names.iter().find_map(|name| Some(parts(name)?.1.strip_prefix('@')?.split('/').next()?.to_owned()));
    if !names.iter().any(|name| name.starts_with("npm-")) {
        return Ok(BTreeMap::new());
    }
    let mut registry = "undefined".to_owned();
    if let Some(scope) = scope {
        registry = run.ask(&["npm", "config", "get", &format!("@{scope}:registry")])?;
    }
    if registry == "undefined" {
        registry = run.ask(&["npm", "config", "get", "registry"])?;
    }
    // Some write their password into it.
    let registry = match (registry.split_once("://"), registry.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => registry,
    };
    Ok(BTreeMap::from([("registry".to_owned(), registry)]))
}

/// The recorded registry, as an option of npm: what it is set to by now does not count.
pub fn registry_of(recorded: &Things) -> Option<String> {
    let url = recorded.place.get("registry")?;
    let scope = recorded
        .names()
        .find_map(|name| Some(parts(name)?.1.strip_prefix('@')?.split('/').next()?.to_owned()));
    Some(scope.map_or(format!("--registry={url}"), |scope| format!("--@{scope}:registry={url}")))
}
