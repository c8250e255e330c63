//! What was exercised: drills, undos, containment.

use std::collections::BTreeMap;

use super::measures::{Measured, Reading};
use super::scene::{Scene, effects, few};
use crate::drill;
use crate::journal::index::Event;
use crate::model::{DrillOutcome, Drilled, EventKind, Outcome};

/// The latest drill of each scenario that was not skipped.
fn latest<'s>(scene: &'s Scene<'_>) -> BTreeMap<&'s str, (&'s Drilled, &'s Event)> {
    let mut latest = BTreeMap::new();
    for (one, event) in drills(scene) {
        if one.outcome != DrillOutcome::Skipped {
            latest.entry(one.system.as_str()).or_insert((one, event));
        }
    }
    latest
}

/// All drills of that time, newest first.
fn drills<'s>(scene: &'s Scene<'_>) -> impl Iterator<Item = (&'s Drilled, &'s Event)> {
    let rehearsed = |event: &'s Event| match &event.before.kind {
        EventKind::Drill { drilled } => drilled.as_slice(),
        _ => &[],
    };
    scene.record.events.iter().flat_map(move |event| rehearsed(event).iter().map(move |one| (one, event)))
}

/// Whether the latest drill of each system worked.
pub fn drill_success(scene: &Scene<'_>) -> Measured {
    let latest = latest(scene);
    if latest.is_empty() {
        return Measured::unknown(format!("nothing was rehearsed {}", scene.wanted.time()));
    }
    let passed = latest.values().filter(|(one, _)| one.outcome == DrillOutcome::Passed).count();
    let each = latest.iter().map(|(name, (one, event))| {
        format!("{name} {} (event {}, {} of {})", one.outcome.as_str(), event.id, one.restored, one.commands)
    });
    Measured::share(passed, latest.len(), "").with(each.collect::<Vec<_>>().join(", "))
}

/// The drills that rehearse a system.
fn scenarios(system: &str) -> &'static [&'static str] {
    match system {
        "fs" => &["files"],
        "git" => &["git", "git-remote"],
        "terraform" => &["terraform"],
        "sqlite" => &["sqlite"],
        "postgres" => &["postgres"],
        "mysql" => &["mysql"],
        "redis" => &["redis"],
        "docker" => &["docker"],
        "aws" => &["aws"],
        "kubernetes" => &["kubernetes"],
        _ => &[],
    }
}

/// Whether each system in which agents destroy was rehearsed.
pub fn drilled(scene: &Scene<'_>) -> Measured {
    let mut systems: Vec<&str> = scene
        .by_agents()
        .flat_map(effects)
        .filter(|effect| effect.class.is_destructive() && scene.is_wanted(effect))
        .map(|effect| effect.system.0.as_ref())
        .collect();
    systems.sort_unstable();
    systems.dedup();
    if !scene.has_agents() {
        return Measured::unknown(format!("no agent is on record {}", scene.wanted.time()));
    }
    let known: Vec<&str> = drill::systems().collect();
    let (with, without): (Vec<&str>, Vec<&str>) =
        systems.into_iter().partition(|system| scenarios(system).iter().any(|name| known.contains(name)));
    let latest = latest(scene);
    let passed = |name: &&str| latest.get(*name).is_some_and(|(one, _)| one.outcome == DrillOutcome::Passed);
    let missing: Vec<&str> =
        with.iter().flat_map(|system| scenarios(system)).copied().filter(|name| !passed(name)).collect();
    let good = with.iter().filter(|system| scenarios(system).iter().all(passed)).count();
    let mut measured =
        Measured::share(good, with.len(), "agents destroyed nothing in a system that can be rehearsed");
    if !with.is_empty() {
        measured = measured.with(format!("agents destroyed something in {}", with.join(", ")));
    }
    if !missing.is_empty() {
        let more = match () {
            () if missing.contains(&"kubernetes") => " --context NAME",
            () if missing.contains(&"aws") => " --aws-profile NAME",
            () => "",
        };
        measured = measured
            .with(format!("not rehearsed, or not passed: {}", missing.join(", ")))
            .next(format!("fr drill --system {}{more}", missing.join(",")));
    }
    if without.is_empty() {
        return measured;
    }
    measured.with(format!("there is no drill yet for {}", without.join(", ")))
}

/// Undos that ran, and their exit codes.
fn undos<'s>(scene: &'s Scene<'_>) -> Vec<(&'s Event, i32)> {
    let ran = |event: &'s Event| match (&event.before.kind, event.outcome()?) {
        (EventKind::Undo(_), Outcome::Exited { code }) => Some((event, code)),
        _ => None,
    };
    scene.record.events.iter().filter_map(ran).collect()
}

/// Whether undos bring all back. What a drill took back counts: it is the same undo.
pub fn undo_whole(scene: &Scene<'_>) -> Measured {
    // At a conflict nothing was written (exit code 4): it says nothing about what would have come back.
    let own: Vec<(&Event, i32)> = undos(scene).into_iter().filter(|(_, code)| *code != 4).collect();
    let whole = own.iter().filter(|(_, code)| *code == 0).count();
    let (mut back, mut rehearsed) = (0, 0);
    for (one, _) in drills(scene).filter(|(one, _)| one.outcome != DrillOutcome::Skipped) {
        back += usize::try_from(one.restored).unwrap_or(usize::MAX);
        rehearsed += usize::try_from(one.commands).unwrap_or(usize::MAX);
    }
    if own.len() + rehearsed == 0 {
        return Measured::unknown(format!("nothing was taken back {}", scene.wanted.time())).next("fr drill");
    }
    let left: Vec<String> = own
        .iter()
        .filter(|(_, code)| *code != 0)
        .map(|(event, code)| format!("{} ({code})", event.id))
        .collect();
    let measured = Measured::share(whole + back, own.len() + rehearsed, "")
        .with(format!("{whole} of {} undos, {back} of {rehearsed} commands in drills", own.len()));
    match left.first() {
        None => measured,
        Some(first) => {
            let id = first.split(' ').next().unwrap_or_default().to_owned();
            measured
                .with(format!("something was left (exit code): {}", few(&left)))
                .next(format!("fr show {id}"))
        }
    }
}

/// How long they take.
pub fn undo_time(scene: &Scene<'_>) -> Measured {
    let own = undos(scene).into_iter().filter(|(_, code)| matches!(code, 0 | 3));
    let took = |event: &Event| {
        let after = event.after.as_ref()?;
        let between = u64::try_from((after.at_ns - event.before.at_ns) / 1_000_000).ok();
        after.duration_ms.or(between)
    };
    let mut times: Vec<u64> = own.filter_map(|(event, _)| took(event)).collect();
    let undone = times.len();
    times.extend(drills(scene).filter_map(|(one, _)| one.slowest_undo_ms));
    if times.is_empty() {
        return Measured::unknown(format!("nothing was taken back {}", scene.wanted.time())).next("fr drill");
    }
    times.sort_unstable();
    let seconds = |percent| (percentile(&times, percent) as f64 / 100.0).round() / 10.0;
    Measured::of(Reading::Number(seconds(95))).with(format!(
        "half of them within {} s; {undone} undos, {} drills",
        seconds(50),
        times.len() - undone
    ))
}

/// The value that so many per cent of them do not exceed (nearest rank). Sorted.
pub fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!((percentile(&hundred, 50), percentile(&hundred, 95)), (50, 95));
        assert_eq!((percentile(&[7], 95), percentile(&[1, 9], 50), percentile(&[1, 9], 95)), (7, 1, 9));
        assert_eq!(percentile(&[], 95), 0);
    }

    #[test]
    fn every_drill_belongs_to_a_system() {
        let systems = crate::systems::all().iter().map(|system| system.id().0);
        let mine: Vec<&str> = systems.flat_map(|id| scenarios(&id)).copied().collect();
        for name in drill::systems() {
            assert!(mine.contains(&name), "{name}");
        }
    }
}
