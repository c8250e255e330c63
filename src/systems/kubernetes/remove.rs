//! Removes objects that a command made: each by its own identity, and a namespace only while nothing of others is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::action::Guarded;
use super::apply::GOING;
use super::kubectl::Kubectl;
use super::object::{Key, Object};
use super::recreate::told;
use super::resources::Server;
use super::{kinds, look, namespace};
use crate::error::Result;
use crate::model::StepOutcome;
use crate::systems::ApplyCx;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);

/// Removes them, what depends on others first.
pub fn remove(
    (kubectl, server): (&Kubectl, &Server<'_>),
    objects: &[Guarded],
    cx: &ApplyCx<'_>,
) -> Result<StepOutcome> {
    let mut keys = Vec::new();
    for guard in objects {
        keys.push((guard.key()?, None));
    }
    let now: BTreeMap<String, Object> = look::look(kubectl, &keys)?
        .into_iter()
        .map(|(object, _)| (object.key.to_string(), object))
        .filter(|(_, object)| !object.is_going())
        .collect();
    let mut there: Vec<(&Object, &Guarded)> = Vec::new();
    for guard in objects {
        let Some(object) = now.get(&guard.key) else { continue };
        if object.uid() != guard.uid || object.digest() != guard.digest {
            let reason = format!("{} is not as the command left it", object.key.short());
            return Ok(StepOutcome::Conflict { reason });
        }
        there.push((object, guard));
    }
    if let Some(reason) = others_in_namespaces(kubectl, &there)? {
        return Ok(StepOutcome::Conflict { reason });
    }
    let mut ranks: BTreeMap<std::cmp::Reverse<u32>, Vec<(&Object, &Guarded)>> = BTreeMap::new();
    for (object, guard) in &there {
        ranks.entry(std::cmp::Reverse(kinds::rank(&object.key))).or_default().push((*object, *guard));
    }
    let mut done = 0;
    for of_rank in ranks.values() {
        if let Some(outcome) = delete(server, of_rank) {
            return Ok(outcome);
        }
        done += of_rank.len() as u64;
        (cx.progress)(done);
    }
    let keys: Vec<Key> = there.iter().map(|(object, _)| object.key.clone()).collect();
    Ok(match gone(kubectl, &keys)? {
        left if left.is_empty() => StepOutcome::Done,
        left => StepOutcome::Failed { reason: format!("still being deleted: {}", told(&left)) },
    })
}

/// Deletes some at once; how that failed, if it did.
fn delete(server: &Server<'_>, some: &[(&Object, &Guarded)]) -> Option<StepOutcome> {
    let done = server.api.each(some, |line, (object, guard)| {
        let path = server.kinds.object(line, &object.key, &object.version).map_err(|e| (false, e.what))?;
        match line.delete(&path, &guard.uid, false).map_err(|e| (false, e.what))? {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.is_not_there() => Ok(()),
            Err(refusal) => Err((refusal.is_moved(), refusal.said(&object.key))),
        }
    });
    let (mut failed, mut all_moved) = (Vec::new(), true);
    for ((object, _), done) in some.iter().zip(done) {
        if let Err((moved, why)) = done {
            failed.push(format!("{}: {why}", object.key.short()));
            all_moved &= moved;
        }
    }
    match (failed.is_empty(), all_moved) {
        (true, _) => None,
        (_, true) => Some(StepOutcome::Conflict { reason: told(&failed) }),
        (_, false) => Some(StepOutcome::Failed { reason: told(&failed) }),
    }
}

/// What others have put into a namespace that is to go.
fn others_in_namespaces(kubectl: &Kubectl, there: &[(&Object, &Guarded)]) -> Result<Option<String>> {
    let ours: BTreeSet<&Key> = there.iter().map(|(object, _)| &object.key).collect();
    for (object, _) in there.iter().filter(|(object, _)| object.key.is("", "Namespace")) {
        let mut found = namespace::content(kubectl, &object.key.name)?;
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
