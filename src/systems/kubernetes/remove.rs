//! Removes objects that a command made: each by its own identity, and a namespace only while nothing of others is in it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use super::action::Guarded;
use super::apply::GOING;
use super::kubectl::{Kubectl, said};
use super::object::{Key, Object};
use super::resources::Resources;
use super::{kinds, look, namespace};
use crate::error::Result;
use crate::model::StepOutcome;
use crate::systems::ApplyCx;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);

/// Removes them, what depends on others first.
pub fn remove(kubectl: &Kubectl, objects: &[Guarded], cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let mut keys = Vec::new();
    for guard in objects {
        keys.push((guard.key()?, None));
    }
    let now: Vec<Object> = look::look(kubectl, &keys)?.into_iter().map(|(object, _)| object).collect();
    let mut there: Vec<(&Object, &Guarded)> = Vec::new();
    for guard in objects {
        let Some(object) = now.iter().find(|o| o.key.to_string() == guard.key && !o.is_going()) else {
            continue;
        };
        if object.uid() != guard.uid || object.digest() != guard.digest {
            let reason = format!("{} is not as the command left it", object.key.short());
            return Ok(StepOutcome::Conflict { reason });
        }
        there.push((object, guard));
    }
    if let Some(reason) = others_in_namespaces(kubectl, &there)? {
        return Ok(StepOutcome::Conflict { reason });
    }
    let resources = Resources::read(kubectl)?;
    there.sort_by_key(|(object, _)| (std::cmp::Reverse(kinds::rank(&object.key)), object.key.clone()));
    for (object, guard) in &there {
        let path = resources.object(&object.key, &object.version)?;
        let options = json!({
            "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background",
            "preconditions": {"uid": guard.uid},
        });
        let done = kubectl.run(&["delete", "--raw", &path, "-f", "-"], options.to_string().as_bytes())?;
        let text = String::from_utf8_lossy(&done.stderr);
        if done.code != 0 && !text.contains("(NotFound)") {
            let reason = format!("{}: {}", object.key.short(), said(&done).what);
            return Ok(match text.contains("(Conflict)") {
                true => StepOutcome::Conflict { reason },
                false => StepOutcome::Failed { reason },
            });
        }
        (cx.progress)(1);
    }
    let keys: Vec<Key> = there.iter().map(|(object, _)| object.key.clone()).collect();
    Ok(match gone(kubectl, &keys)? {
        left if left.is_empty() => StepOutcome::Done,
        left => StepOutcome::Failed { reason: format!("still being deleted: {}", left.join(", ")) },
    })
}

/// What others have put into a namespace that is to go.
fn others_in_namespaces(kubectl: &Kubectl, there: &[(&Object, &Guarded)]) -> Result<Option<String>> {
    let ours: BTreeSet<&Key> = there.iter().map(|(object, _)| &object.key).collect();
    for (object, _) in there.iter().filter(|(object, _)| object.key.is("", "Namespace")) {
        let mut found = namespace::content(kubectl, &object.key.name, &[])?;
        found.dedup();
        if let Some(missing) = found.missing.first() {
            return Ok(Some(format!(
                "{} may hold {} of others: {}",
                object.key.short(),
                missing.what.lossy(),
                missing.why
            )));
        }
        let all: Vec<&Object> = found.objects.iter().map(|(object, _)| object).collect();
        let services = kinds::selecting_services(&all);
        let other = all
            .iter()
            .find(|o| !ours.contains(&o.key) && !kinds::is_left(o, &services) && !of_ours(o, &ours));
        if let Some(other) = other {
            return Ok(Some(format!(
                "{} holds {} by now, which the command did not make",
                object.key.short(),
                other.key.short()
            )));
        }
    }
    Ok(None)
}

/// A replica set of a deployment that is to go.
fn of_ours(object: &Object, ours: &BTreeSet<&Key>) -> bool {
    object.owners().iter().any(|owner| {
        let text = |name: &str| owner.get(name).and_then(|v| v.as_str()).unwrap_or_default();
        let namespace = &object.key.namespace;
        ours.iter()
            .any(|key| key.kind == text("kind") && key.name == text("name") && key.namespace == *namespace)
    })
}

/// Waits until objects are gone; names those that are not.
pub fn gone(kubectl: &Kubectl, keys: &[Key]) -> Result<Vec<String>> {
    let until = Instant::now() + GOING;
    let asked: Vec<(Key, Option<String>)> = keys.iter().map(|key| (key.clone(), None)).collect();
    loop {
        let left = if asked.is_empty() { Vec::new() } else { look::look(kubectl, &asked)? };
        if left.is_empty() || Instant::now() > until {
            return Ok(left.into_iter().map(|(object, _)| object.key.short()).collect());
        }
        std::thread::sleep(PAUSE);
    }
}
