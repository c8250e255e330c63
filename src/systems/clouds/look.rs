//! Describing: the user's own program, with the words and the environment of the recorded command.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::describe::{ENV, NOT_KEPT, split};
use crate::error::{Error, Result};
use crate::model::{Bytes, Capture, Effect, Locator, ObjectKind, ObjectSink, StateRef, SystemId};
use crate::platform::runner;
use crate::systems::CaptureCx;
use crate::systems::things::{Thing, Things, locator_of, names_of};

/// How long it may take: both are Python programs that start slowly and ask a server.
const LIMIT: Duration = Duration::from_secs(30);

/// Fields that differ from one reading to the next although nobody changed the thing.
const VOLATILE: &[&str] =
    &["etag", "fingerprint", "updateTime", "lastStartTimestamp", "lastStopTimestamp", "currentMasterUptime"];

/// By which words of the program it is told that a thing is not there.
const ABSENT: &[&str] =
    &["was not found", "NOT_FOUND", "not found", "does not exist", "ResourceNotFound", "HTTPError 404"];

/// Describes what a command is about to change, and keeps that.
pub fn capture(id: &'static str, effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator = effect.locator.as_ref().ok_or_else(|| {
        Error::failure("fr knows no command that describes it: it is recorded, and the way back is by hand")
    })?;
    if let Some(why) = locator.opts.get(NOT_KEPT) {
        return Err(Error::failure(why.lossy()));
    }
    let names = names_of(locator).ok_or_else(|| Error::corrupt("a target that does not say what it is"))?;
    let things = read(id, names.iter().map(String::as_str), locator, cx)?;
    let state = things.store(cx.sink)?;
    let locator = locator_of(locator.clone(), things.names());
    let (resource, items) = (effect.resource.clone(), things.count());
    let bytes = 0;
    Ok(vec![Capture {
        system: SystemId::new(id),
        resource,
        locator,
        state,
        missing: Vec::new(),
        items,
        bytes,
    }])
}

/// The same as it is now.
pub fn observe(id: &'static str, captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let earlier = Things::load(&captured.state, cx.source)?;
    read(id, earlier.names(), &captured.locator, cx)?.store(cx.sink)
}

fn read<'n>(
    id: &str,
    names: impl Iterator<Item = &'n str>,
    locator: &Locator,
    cx: &CaptureCx<'_>,
) -> Result<Things> {
    let own = Instant::now() + LIMIT;
    let until = cx.deadline.map_or(own, |deadline| deadline.min(own));
    let mut things = Things::new(id, BTreeMap::new());
    for name in names {
        things.note(name, described(name, locator, until, cx.sink)?);
    }
    Ok(things)
}

fn described(name: &str, locator: &Locator, until: Instant, sink: &dyn ObjectSink) -> Result<Option<Thing>> {
    let unknown = || Error::corrupt(format!("{name} says not how it is described"));
    let (_, argv) = split(name).ok_or_else(unknown)?;
    let program = argv.first().cloned().unwrap_or_default();
    let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
    let mut env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    // It has no terminal, so it can ask nobody.
    env.extend(
        [("FR_SHIM", "off"), ("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")].map(|(n, v)| (n.into(), v.into())),
    );
    let recorded = locator.opts.iter().filter_map(|(name, value)| Some((name.strip_prefix(ENV)?, value)));
    env.extend(recorded.map(|(name, value): (&str, &Bytes)| (name.into(), value.as_path().into())));
    let cwd = Some(locator.at.as_path()).filter(|dir| dir.is_dir());
    let cwd = cwd.map_or_else(|| "/".into(), std::path::PathBuf::from);
    let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let done = runner::errand(&argv, &env, &cwd, left)
        .map_err(|e| Error::failure(format!("{program} did not answer: {}", e.what)))?;
    if done.code == 0 {
        let value: Value = serde_json::from_slice(&done.stdout)
            .map_err(|e| Error::failure(format!("what {program} says is no JSON: {e}")))?;
        let mut thing = Thing::new(&done.stdout, sink)?;
        thing.digest = sink.put(ObjectKind::Blob, plain(value.clone()).to_string().as_bytes())?;
        if let Some(unique) = value.get("uniqueId").and_then(Value::as_str) {
            thing.facts.insert("unique-id".to_owned(), unique.to_owned());
        }
        return Ok(Some(thing));
    }
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    if ABSENT.iter().any(|part| said.contains(part)) {
        return Ok(None);
    }
    let line = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it says nothing");
    Err(Error::failure(format!("{program}: {}", line.chars().take(200).collect::<String>())))
}

fn plain(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str()));
            Value::Object(kept.map(|(name, inner)| (name, plain(inner))).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(plain).collect()),
        other => other,
    }
}
