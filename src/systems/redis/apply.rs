//! Carries out a step. Keys that are gone are restored without REPLACE, so that the server itself refuses where somebody was
//! faster; what the command left is replaced by a script that compares first, in one piece.

use std::time::{Duration, Instant};

use super::capture::{again, named};
use super::client::{Client, command};
use super::plan::{Payload, Standing, Verb, some_of, standing};
use super::query::Access;
use crate::error::Result;
use crate::model::{Step, StepOutcome};
use crate::platform::clock;
use crate::systems::ApplyCx;

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// Restores a key where it still holds what is expected.
const SWAP: &[u8] = b"if redis.call('DUMP', KEYS[1]) == ARGV[1] then redis.call('RESTORE', KEYS[1], ARGV[2], ARGV[3], 'ABSTTL', 'REPLACE') return 1 end return 0";
/// Deletes a key where it still holds what is expected.
const DROP: &[u8] =
    b"if redis.call('DUMP', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload = Payload::of(step)?;
    let (before, after) = payload.states(cx.source)?;
    let client = Client::of(&Access::of(&step.locator), Instant::now() + LIMIT);
    if payload.verb == Verb::Config {
        for (name, value) in &before.config {
            client.ask(0, &[b"CONFIG", b"SET", name.as_bytes(), value.as_bytes()])?;
        }
        return Ok(StepOutcome::Done);
    }
    let now = again(&client, &before, true)?;
    let now_ms = clock::now_ns() / 1_000_000;
    let mut lost = Vec::new();
    let mut dbs: Vec<u32> = before.records.keys().map(|(db, _)| *db).collect();
    dbs.dedup();
    for db in dbs {
        let mut commands = Vec::new();
        let mut keys = Vec::new();
        for ((_, key), b) in before.records.iter().filter(|((own, _), _)| *own == db) {
            let at = (db, key.clone());
            let a = after.as_ref().map(|after| after.records.get(&at).cloned().flatten());
            let n = now.records.get(&at).cloned().flatten();
            let how = standing(b.as_ref(), a.as_ref().map(Option::as_ref), n.as_ref(), now_ms);
            let expires = b.as_ref().map_or(0, |b| b.expires.max(0)).to_string();
            let line = match (how, b, &n) {
                (Standing::Gone, Some(b), _) => {
                    command(&[b"RESTORE", key, expires.as_bytes(), &b.dump, b"ABSTTL"])
                }
                (Standing::Changed, Some(b), Some(n)) => {
                    command(&[b"EVAL", SWAP, b"1", key, &n.dump, expires.as_bytes(), &b.dump])
                }
                (Standing::Made, _, Some(n)) => command(&[b"EVAL", DROP, b"1", key, &n.dump]),
                _ => continue,
            };
            keys.push(key.clone());
            commands.push(line);
        }
        let errors = client.write(db, &commands)?;
        for (at, said) in errors {
            let name = keys.get(at).map(|key| named(db, key)).unwrap_or_default();
            let moved = said.contains("BUSYKEY") || said.contains("(integer) 0");
            lost.push((name, moved, said));
        }
        (cx.progress)(commands.len() as u64);
    }
    let names: Vec<String> = lost.iter().map(|(name, ..)| name.clone()).collect();
    Ok(match lost.iter().find(|(_, moved, _)| !moved) {
        _ if lost.is_empty() => StepOutcome::Done,
        Some((_, _, said)) => {
            StepOutcome::Failed { reason: format!("{} did not come back: {said}", some_of(&names)) }
        }
        None => StepOutcome::Conflict {
            reason: format!("{} keys were written just now and are left: {}", names.len(), some_of(&names)),
        },
    })
}
