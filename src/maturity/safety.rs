//! What the systems that agents use say of their own safety nets: each asked in a thread of its own, with one deadline, only where
//! the journal says that agents have worked.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use super::measures::{Measured, Reading};
use super::remotes;
use super::scene::{Past, Scene, Wanted, captures, effects, few};
use crate::intake::install::World;
use crate::journal::index::Event;
use crate::model::{ActorKind, Locator};
use crate::systems::{self, Holds, Safeguard, SafeguardCx, Safety};

/// How many ways to a system are handed over, the latest first.
const WAYS: usize = 200;

/// Asks every system.
pub fn ask(record: &Past, world: &World, wanted: &Wanted, until: Instant) -> Vec<Safeguard> {
    let agents: Vec<&Event> =
        record.commands().filter(|event| event.before.actor.kind == ActorKind::Agent).collect();
    let mut dirs: Vec<PathBuf> = Vec::new();
    let mut seen = BTreeSet::new();
    let worked = agents.iter().map(|event| event.before.cwd.as_path().to_path_buf());
    for dir in std::iter::once(world.cwd.clone()).chain(worked).filter(|dir| dir.is_dir()) {
        if seen.insert(dir.clone()) {
            dirs.push(dir);
        }
    }
    let remotes = remotes::of(&dirs);
    let is_wanted = |id: &str| wanted.system.as_deref().is_none_or(|system| system == id);
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for system in systems::all().iter().filter(|system| is_wanted(&system.id().0)) {
            let ways = ways(&agents, &system.id().0);
            let (dirs, remotes) = (dirs.as_slice(), remotes.as_slice());
            threads.push(scope.spawn(move || {
                let cx = SafeguardCx { dirs, remotes, ways: &ways, person: wanted.person, until };
                system.safeguards(&cx)
            }));
        }
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

/// How agents reached a system, each way once, the latest first. What a capture found out about a place comes before what a
/// command's words say of it.
fn ways(agents: &[&Event], system: &str) -> Vec<Locator> {
    let mut ways: Vec<Locator> = Vec::new();
    for event in agents {
        let stored = captures(event).filter(|c| c.system.0 == system).map(|capture| &capture.locator);
        let worded = effects(event).filter(|e| e.system.0 == system).filter_map(|e| e.locator.as_ref());
        for way in stored.chain(worded) {
            if ways.len() < WAYS && !ways.contains(way) {
                ways.push(way.clone());
            }
        }
    }
    ways
}

/// What was said of one safety net.
pub fn of(scene: &Scene<'_>, safety: Safety) -> Measured {
    let all: Vec<&Safeguard> = scene.safeguards.iter().filter(|one| one.safety == safety).collect();
    if all.is_empty() {
        return match scene.has_agents() {
            true => Measured::of(Reading::Nothing(safety.nothing().to_owned())),
            false => Measured::unknown(format!("no agent is on record {}", scene.wanted.time())),
        };
    }
    let with = |holds: fn(&Holds) -> bool| all.iter().filter(move |one| holds(&one.holds));
    let good = with(|holds| *holds == Holds::Yes).count();
    let shown = |one: &&&Safeguard| match &one.holds {
        Holds::Unknown(why) => format!("{}: {why}", one.of),
        _ if one.evidence.is_empty() => one.of.clone(),
        _ => format!("{}: {}", one.of, one.evidence),
    };
    let lacking: Vec<String> = with(|holds| *holds == Holds::No).map(|one| shown(&one)).collect();
    let unknown: Vec<String> =
        with(|holds| matches!(holds, Holds::Unknown(_))).map(|one| shown(&one)).collect();
    let held: Vec<String> = with(|holds| *holds == Holds::Yes).map(|one| shown(&one)).collect();
    let reading = match (lacking.is_empty(), unknown.first()) {
        (true, Some(first)) => Reading::Unknown(match unknown.len() {
            1 => first.clone(),
            n => format!("{n} of {} are not known; {first}", all.len()),
        }),
        // What is not known is not good.
        _ => Reading::Share { good: good as u64, of: all.len() as u64 },
    };
    let mut measured = Measured::of(reading);
    for (word, list) in [("missing", &lacking), ("not known", &unknown), ("there", &held)] {
        if !list.is_empty() {
            measured = measured.with(format!("{word}: {}", few(list)));
        }
    }
    let first = |holds: fn(&Holds) -> bool| all.iter().find(|one| holds(&one.holds) && one.next.is_some());
    let next = first(|holds| *holds == Holds::No).or_else(|| first(|holds| *holds != Holds::Yes));
    measured.next = next.and_then(|one| one.next.clone());
    measured
}
