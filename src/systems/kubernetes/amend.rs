//! Gives fields of an object their old values: read, work out the fields, write them only if nobody wrote in between.

use serde_json::{Value, json};

use super::action::Guarded;
use super::api::Line;
use super::fields::{self, Fields};
use super::kinds;
use super::kubectl::Kubectl;
use super::merge;
use super::object::{Key, Object};
use super::recreate::told;
use super::resources::Server;
use super::snapshot::{Entry, Snapshot};
use super::{recreate, remove};
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectSource, StepOutcome};
use crate::systems::ApplyCx;

/// Controllers write statuses all the time: how often a write may meet another's.
const TRIES: usize = 8;

/// How the fields are found.
#[derive(Clone, Copy)]
pub enum How<'a> {
    /// Those that are as the command left them.
    Back(&'a ObjectId),
    /// Those that the command changed, as they are now or not; all of them, where it is not known how the command left it.
    Force(Option<&'a ObjectId>),
    /// Into what somebody has written since; the normal form that comes of it.
    Merge(&'a ObjectId, &'a ObjectId),
}

/// Where and from what.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// For what is read in lists.
    pub kubectl: &'a Kubectl,
    /// The server's API.
    pub server: &'a Server<'a>,
    /// The state before the command.
    pub before: &'a Snapshot,
    /// Stored objects.
    pub cx: &'a ApplyCx<'a>,
}

/// Gives the fields of many objects their old values, some at once.
pub fn amend_all(desk: &Desk<'_>, objects: &[(Guarded, ObjectId)]) -> Result<StepOutcome> {
    let done =
        desk.server.api.each(objects, |line, (guard, left)| amend_by(desk, line, guard, How::Back(left)));
    let (mut failed, mut all_moved) = (Vec::new(), true);
    for (outcome, position) in done.into_iter().zip(1..) {
        match outcome? {
            StepOutcome::Done => (desk.cx.progress)(position),
            StepOutcome::Conflict { reason } => failed.push(reason),
            StepOutcome::Failed { reason } | StepOutcome::Waiting { operation: reason } => {
                failed.push(reason);
                all_moved = false;
            }
        }
    }
    let reason = told(&failed);
    Ok(match (failed.is_empty(), all_moved) {
        (true, _) => StepOutcome::Done,
        (_, true) => StepOutcome::Conflict { reason },
        (_, false) => StepOutcome::Failed { reason },
    })
}

/// Gives an object's fields their old values.
pub fn amend(desk: &Desk<'_>, guard: &Guarded, how: How<'_>) -> Result<StepOutcome> {
    let outcome = amend_by(desk, &mut desk.server.api.line(), guard, how)?;
    (desk.cx.progress)(1);
    Ok(outcome)
}

fn amend_by(desk: &Desk<'_>, line: &mut Line<'_>, guard: &Guarded, how: How<'_>) -> Result<StepOutcome> {
    let key = guard.key()?;
    let entry = desk
        .before
        .entry(&key)
        .ok_or_else(|| Error::corrupt("a step for an object that was not captured"))?;
    let old = Snapshot::object(entry, desk.cx.source)?;
    let conflict =
        |reason: String| Ok(StepOutcome::Conflict { reason: format!("{}: {reason}", key.short()) });
    for _ in 0..TRIES {
        let Some(now) = read(desk.server, line, &key, &old.version)? else {
            return conflict("somebody deleted it just now".to_owned());
        };
        if is_reached(how, &now, &old) {
            return Ok(StepOutcome::Done);
        }
        if now.uid() != guard.uid {
            return conflict("somebody made it anew just now".to_owned());
        }
        let fields = match how.fields((&old, entry), &now, guard, desk.cx.source)? {
            Ok(fields) => fields,
            Err(reason) => return conflict(reason),
        };
        match write(desk.server, line, &now, &fields, false)? {
            Written::Done => return Ok(StepOutcome::Done),
            Written::Moved => {}
            Written::Refused(why) if how.may_replace(&now, entry) && is_immutable(&why) => {
                return anew(desk, guard, &now);
            }
            Written::Refused(reason) => {
                return Ok(StepOutcome::Failed { reason: format!("{}: {reason}", key.short()) });
            }
        }
    }
    conflict("it changes all the time".to_owned())
}

fn is_reached(how: How<'_>, now: &Object, old: &Object) -> bool {
    match how {
        How::Merge(_, goal) => now.digest() == *goal,
        _ => now.digest() == old.digest(),
    }
}

impl How<'_> {
    /// What to write; a reason where it is not what was planned any more.
    fn fields(
        self,
        (old, _): (&Object, &Entry),
        now: &Object,
        guard: &Guarded,
        source: &dyn ObjectSource,
    ) -> Result<std::result::Result<Fields, String>> {
        let left = |id: &ObjectId| match source.get(id) {
            Ok(bytes) => Object::parse(&String::from_utf8_lossy(&bytes)),
            // A state that was only looked at is not stored; then the present must be that very state.
            Err(_) if now.digest() == guard.digest => Ok(now.clone()),
            Err(error) => Err(error),
        };
        let moved = || Ok(Err("somebody changed it since the plan was made".to_owned()));
        let (before, present) = (old.normal(), now.normal());
        match self {
            How::Back(id) => {
                let fields = fields::back(&before, &left(id)?.normal(), &present);
                match fields.changed_since.is_empty() {
                    true => Ok(Ok(fields)),
                    false => Ok(Err(format!("{} changed since", fields::shown(&fields.changed_since)))),
                }
            }
            // Somebody's work is written over: only what the plan has shown.
            _ if now.digest() != guard.digest => moved(),
            How::Force(Some(id)) => Ok(Ok(fields::forced(&before, &left(id)?.normal(), &present))),
            How::Force(None) => Ok(Ok(fields::exactly(&before, &present))),
            How::Merge(id, _) => match merge::merged(&before, &left(id)?.normal(), &present) {
                Ok(value) => Ok(Ok(fields::exactly(&value, &present))),
                Err(clashes) => Ok(Err(format!("{} changed since", fields::shown(&clashes)))),
            },
        }
    }

    /// An object with fields that cannot be changed is made anew: where the command did that, or where a person wants it.
    fn may_replace(self, now: &Object, before: &Entry) -> bool {
        matches!(self, How::Force(_)) || (matches!(self, How::Back(_)) && now.uid() != before.uid)
    }
}

/// Deletes it and makes the old one.
fn anew(desk: &Desk<'_>, guard: &Guarded, now: &Object) -> Result<StepOutcome> {
    let place = (desk.kubectl, desk.server);
    let seen = Guarded { digest: now.digest(), ..guard.clone() };
    match remove::remove(place, std::slice::from_ref(&seen), desk.cx)? {
        StepOutcome::Done => {
            recreate::recreate(place, desk.before, (std::slice::from_ref(&guard.key), &[]), desk.cx)
        }
        other => Ok(other),
    }
}

/// The server's ways to say that a field cannot be changed.
pub fn is_immutable(why: &str) -> bool {
    ["immutable", "updates to", "may not be changed", "may not change", "Forbidden: "]
        .iter()
        .any(|w| why.contains(w))
}

/// An object now.
pub fn read(server: &Server<'_>, line: &mut Line<'_>, key: &Key, version: &str) -> Result<Option<Object>> {
    if !server.kinds.knows(line, key, version)? {
        return Ok(None);
    }
    let path = server.kinds.object(line, key, version)?;
    match line.get(&path)? {
        Ok(value) => Object::of(value).map(Some),
        Err(refusal) if refusal.is_not_there() => Ok(None),
        Err(refusal) => Err(Error::failure(format!("{}: {}", key.short(), refusal.said(key)))),
    }
}

/// The taints that the controllers of nodes have set stay beside those that are given back.
fn with_taints(now: &Object, op: &Value) -> Value {
    let present = now.value.pointer("/spec/taints").and_then(Value::as_array);
    let theirs: Vec<Value> = present
        .into_iter()
        .flatten()
        .filter(|taint| kinds::is_taint_of_controllers(taint))
        .cloned()
        .collect();
    let is_taints = op.get("path").and_then(Value::as_str) == Some("/spec/taints");
    if theirs.is_empty() || !is_taints || !now.key.is("", "Node") {
        return op.clone();
    }
    let given = op.get("value").and_then(Value::as_array).cloned().unwrap_or_default();
    json!({"op": "add", "path": "/spec/taints", "value": theirs.into_iter().chain(given).collect::<Vec<_>>()})
}

/// Owners are known by their names and written by their identities: those that are there now. One that is not there cannot
/// own anything (the garbage collector would take what it owns); nothing is to be written where none of them is.
fn with_owners(server: &Server<'_>, line: &mut Line<'_>, now: &Object, op: &Value) -> Result<Option<Value>> {
    let owners = op.get("value").and_then(Value::as_array);
    let (Some(owners), Some("/metadata/ownerReferences")) = (owners, op.get("path").and_then(Value::as_str))
    else {
        return Ok(Some(op.clone()));
    };
    let mut written = Vec::new();
    for owner in owners {
        let text = |name: &str| owner.get(name).and_then(Value::as_str).unwrap_or_default();
        let (group, version) = text("apiVersion").rsplit_once('/').unwrap_or(("", text("apiVersion")));
        let key = Key {
            namespace: now.key.namespace.clone(),
            ..Key::cluster_wide(group, text("kind"), text("name"))
        };
        if let Some(found) = read(server, line, &key, version)?.filter(|found| !found.is_going()) {
            let mut owner = owner.clone();
            owner["uid"] = json!(found.uid());
            written.push(owner);
        }
    }
    if written.is_empty() {
        return Ok(None);
    }
    let mut op = op.clone();
    op["value"] = json!(written);
    Ok(Some(op))
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

/// Writes fields of an object, if it still is as it was read; `dry` only asks whether the server would.
pub fn write(
    server: &Server<'_>,
    line: &mut Line<'_>,
    now: &Object,
    fields: &Fields,
    dry: bool,
) -> Result<Written> {
    let version = now.text("/metadata/resourceVersion");
    let mut patch = vec![json!({"op": "test", "path": "/metadata/resourceVersion", "value": version})];
    for op in &fields.patch {
        patch.extend(with_owners(server, line, now, &with_taints(now, op))?);
    }
    if patch.len() == 1 && !fields.patch.is_empty() {
        return Ok(Written::Done);
    }
    let path = server.kinds.object(line, &now.key, &now.version)?;
    let refusal = match line.patch(&path, &Value::Array(patch), dry)? {
        Ok(_) => return Ok(Written::Done),
        Err(refusal) => refusal,
    };
    let moved = ["test operation", "testing value", "testing path", "the object has been modified"];
    // Servers before 1.22 say no more of a failed test than that the request was wrong.
    let stale = |line: &mut Line<'_>| -> Result<bool> {
        let version = |o: &Object| o.text("/metadata/resourceVersion").to_owned();
        Ok(read(server, line, &now.key, &now.version)?.is_none_or(|newer| version(&newer) != version(now)))
    };
    if refusal.is_moved() || moved.iter().any(|m| refusal.message.contains(m)) || stale(line)? {
        return Ok(Written::Moved);
    }
    Ok(Written::Refused(refusal.said(&now.key)))
}
