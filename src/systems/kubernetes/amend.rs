//! Gives fields of an object their old values: read, work out the fields, write them only if nobody wrote in between.

use serde_json::{Value, json};

use super::action::Guarded;
use super::fields::{self, Fields};
use super::kubectl::{Kubectl, said};
use super::look;
use super::object::{Key, Object};
use super::snapshot::Snapshot;
use super::{recreate, remove};
use crate::error::{Error, Result};
use crate::model::{ObjectId, StepOutcome};
use crate::systems::ApplyCx;

/// Controllers write statuses all the time: how often a write may meet another's.
const TRIES: usize = 8;

/// Gives an object's fields their old values.
pub fn amend(
    kubectl: &Kubectl,
    before: &Snapshot,
    (guard, left): (&Guarded, &ObjectId),
    cx: &ApplyCx<'_>,
) -> Result<StepOutcome> {
    let key = guard.key()?;
    let entry =
        before.entry(&key).ok_or_else(|| Error::corrupt("a step for an object that was not captured"))?;
    let old = Snapshot::object(entry, cx.source)?;
    let conflict =
        |reason: String| Ok(StepOutcome::Conflict { reason: format!("{}: {reason}", key.short()) });
    for _ in 0..TRIES {
        let Some(now) = one(kubectl, &key, &old.version)? else {
            return conflict("somebody deleted it just now".to_owned());
        };
        if now.digest() == old.digest() {
            return Ok(StepOutcome::Done);
        }
        if now.uid() != guard.uid {
            return conflict("somebody made it anew just now".to_owned());
        }
        let after = match cx.source.get(left) {
            Ok(bytes) => Object::parse(&String::from_utf8_lossy(&bytes))?,
            // A state that was only looked at is not stored; then the present must be that very state.
            Err(_) if now.digest() == guard.digest => now.clone(),
            Err(error) => return Err(error),
        };
        let fields = fields::back(&old.normal(), &after.normal(), &now.normal());
        if !fields.changed_since.is_empty() {
            return conflict(format!("{} changed since", fields::shown(&fields.changed_since)));
        }
        match write(kubectl, &now, &fields)? {
            Written::Done => {
                (cx.progress)(1);
                return Ok(StepOutcome::Done);
            }
            Written::Moved => {}
            Written::Refused(why) if after.uid() != entry.uid && is_immutable(&why) => {
                return anew(kubectl, before, guard, cx);
            }
            Written::Refused(reason) => {
                return Ok(StepOutcome::Failed { reason: format!("{}: {reason}", key.short()) });
            }
        }
    }
    conflict("it changes all the time".to_owned())
}

/// The command replaced the object by another one, with fields that cannot be changed: so does its undo.
fn anew(kubectl: &Kubectl, before: &Snapshot, guard: &Guarded, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    match remove::remove(kubectl, std::slice::from_ref(guard), cx)? {
        StepOutcome::Done => recreate::recreate(kubectl, before, std::slice::from_ref(&guard.key), cx),
        other => Ok(other),
    }
}

fn is_immutable(why: &str) -> bool {
    ["immutable", "updates to", "may not be changed", "may not change", "Forbidden: "]
        .iter()
        .any(|w| why.contains(w))
}

/// An object now.
pub fn one(kubectl: &Kubectl, key: &Key, version: &str) -> Result<Option<Object>> {
    let found = look::look(kubectl, &[(key.clone(), Some(version.to_owned()))])?;
    Ok(found.into_iter().map(|(object, _)| object).next())
}

/// How a write ended.
pub enum Written {
    /// It is written.
    Done,
    /// Somebody wrote the object since it was read: nothing was written.
    Moved,
    /// The server does not take it.
    Refused(String),
}

/// Writes fields of an object, if it still is as it was read.
pub fn write(kubectl: &Kubectl, now: &Object, fields: &Fields) -> Result<Written> {
    let version = now.text("/metadata/resourceVersion");
    let mut patch = vec![json!({"op": "test", "path": "/metadata/resourceVersion", "value": version})];
    patch.extend(fields.patch.iter().cloned());
    let kind = match now.key.group.as_str() {
        "" => now.key.kind.clone(),
        group => format!("{}.{}.{group}", now.key.kind, now.version),
    };
    let mut args = vec!["patch", kind.as_str(), now.key.name.as_str()];
    // The patch may hold a secret: it does not go onto the command line.
    args.extend(["--type", "json", "--patch-file", "/dev/stdin"]);
    if !now.key.namespace.is_empty() {
        args.extend(["--namespace", now.key.namespace.as_str()]);
    }
    let done = kubectl.run(&args, Value::Array(patch).to_string().as_bytes())?;
    if done.code == 0 {
        return Ok(Written::Done);
    }
    let text = String::from_utf8_lossy(&done.stderr);
    let moved =
        ["(Conflict)", "test operation", "testing value", "testing path", "the object has been modified"];
    if moved.iter().any(|m| text.contains(m)) || is_stale(kubectl, now)? {
        return Ok(Written::Moved);
    }
    Ok(Written::Refused(said(&done).what))
}

/// Servers before 1.22 say no more of a failed test than that the request was wrong.
fn is_stale(kubectl: &Kubectl, read: &Object) -> Result<bool> {
    let version = |o: &Object| o.text("/metadata/resourceVersion").to_owned();
    Ok(one(kubectl, &read.key, &read.version)?.is_none_or(|now| version(&now) != version(read)))
}
