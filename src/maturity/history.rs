//! What the record tells of itself and of what was destroyed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::measures::{Measured, Reading};
use super::scene::{Scene, captures, effects, few, named};
use crate::journal::Journal;
use crate::journal::index::Event;
use crate::model::{ActorKind, Confidence, EffectClass, SystemId};
use crate::recover;
use crate::store::Store;
use crate::store::verify::Severity;
use crate::systems::files;

/// How many captures are read again.
const SAMPLE: usize = 50;
/// How long that may take.
const READING: Duration = Duration::from_secs(5);
/// The most bytes of a journal that are read here; above, `fr store verify` does it.
const JOURNAL: u64 = 512 << 20;

/// How many commands of agents there are.
pub fn agent_commands(scene: &Scene<'_>) -> Measured {
    if let Some(why) = &scene.record.unreadable {
        return Measured::unknown(format!("the journal cannot be read: {why}"));
    }
    let mut by_agent: BTreeMap<&str, u64> = BTreeMap::new();
    scene.by_agents().for_each(|event| *by_agent.entry(&event.before.actor.name).or_default() += 1);
    let count: u64 = by_agent.values().sum();
    let each = by_agent.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ");
    let each = if each.is_empty() { "no agent".to_owned() } else { each };
    Measured::of(Reading::Number(count as f64)).with(format!("{}: {each}", scene.wanted.time()))
}

/// Commands whose actor is known.
pub fn attributed(scene: &Scene<'_>) -> Measured {
    let (mut known, mut all) = (0, 0);
    let mut unsure: Vec<String> = Vec::new();
    for event in scene.commands() {
        let actor = &event.before.actor;
        let enough = match actor.kind {
            // A person on a terminal leaves no stronger sign than that nobody else is there.
            ActorKind::Human => Confidence::Medium,
            _ => Confidence::High,
        };
        all += 1;
        if actor.confidence >= enough {
            known += 1;
        } else {
            unsure.push(format!("{}: {} ({})", named(event), actor.name, actor.evidence));
        }
    }
    if all == 0 {
        return Measured::unknown(format!("no command is on record {}", scene.wanted.time()));
    }
    let measured = Measured::share(known, all, "");
    if unsure.is_empty() { measured } else { measured.with(format!("not sure: {}", few(&unsure))) }
}

/// Destructive events with all of it kept.
pub fn captured(scene: &Scene<'_>) -> Measured {
    let mut by_system: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let (mut kept, mut all) = (0, 0);
    let mut lacking: Vec<String> = Vec::new();
    for event in scene.commands() {
        let destroyed = effects(event).filter(|e| e.class.is_destructive() && scene.is_wanted(e));
        let mut systems: Vec<&SystemId> = destroyed.map(|effect| &effect.system).collect();
        systems.sort_unstable();
        systems.dedup();
        if systems.is_empty() {
            continue;
        }
        let mut whole = true;
        for system in systems {
            let is_whole = is_kept(event, system);
            let (good, of) = by_system.entry(system.0.as_ref()).or_default();
            *of += 1;
            *good += u64::from(is_whole);
            whole &= is_whole;
        }
        all += 1;
        kept += usize::from(whole);
        if !whole {
            lacking.push(named(event));
        }
    }
    if all == 0 {
        return Measured::unknown(format!("no destructive command is on record {}", scene.wanted.time()));
    }
    let each = by_system.iter().map(|(system, (good, of))| format!("{system} {good} of {of}"));
    let measured = Measured::share(kept, all, "").with(each.collect::<Vec<_>>().join(", "));
    match lacking.first() {
        None => measured,
        Some(first) => {
            let id = first.split(' ').next().unwrap_or_default().to_owned();
            measured
                .with(format!("not kept or only in part: {}", few(&lacking)))
                .next(format!("fr show {id}"))
        }
    }
}

/// All that the event destroys of a system is in the store. What git ignores is left out of a work tree's snapshot on purpose.
pub fn is_kept(event: &Event, system: &SystemId) -> bool {
    let mut own = captures(event).filter(|capture| capture.system == *system).peekable();
    own.peek().is_some() && own.all(|capture| capture.missing.iter().all(files::is_ignored_by_git))
}

/// Captures that can be read.
pub fn captures_whole(scene: &Scene<'_>) -> Measured {
    let with: Vec<&Event> =
        scene.record.events.iter().filter(|event| captures(event).next().is_some()).collect();
    if with.is_empty() {
        return Measured::unknown(format!("nothing was captured {}", scene.wanted.time()));
    }
    let store = match Store::open(scene.home) {
        Ok(store) => store,
        Err(error) => return Measured::unknown(error.what),
    };
    let until = Instant::now() + READING;
    let (mut whole, mut read, mut damaged) = (0, 0, Vec::new());
    for event in with.iter().take(SAMPLE) {
        if Instant::now() >= until {
            break;
        }
        read += 1;
        match recover::verify_event(event, &store) {
            Ok(found) if found.iter().all(|capture| capture.damage.is_empty()) => whole += 1,
            Ok(_) => damaged.push(named(event)),
            Err(error) => damaged.push(format!("{}: {}", named(event), error.what)),
        }
    }
    let measured = Measured::share(whole, read, "")
        .with(format!("the latest {read} of {} events with captures were read now", with.len()));
    if damaged.is_empty() { measured } else { measured.with(format!("damaged: {}", few(&damaged))) }
}

/// Agents' commands whose targets are known before they run.
pub fn resolved(scene: &Scene<'_>) -> Measured {
    let (mut known, mut all, mut open) = (0, 0, Vec::new());
    for event in scene.by_agents() {
        let own = || event.before.effects.iter().filter(|effect| scene.is_wanted(effect));
        if !own().any(|effect| effect.class.is_destructive() || effect.class == EffectClass::Opaque) {
            continue;
        }
        all += 1;
        // A shim sees what an opaque line really runs; a capture has found the targets by asking.
        let seen = !event.parts.is_empty();
        let found = |system: &SystemId| event.before.captures.iter().any(|c| c.system == *system);
        let is_known = |class: EffectClass, certain: bool, system: &SystemId| {
            class != EffectClass::Opaque && (certain || found(system))
        };
        if seen || own().all(|e| e.class == EffectClass::None || is_known(e.class, e.certain, &e.system)) {
            known += 1;
        } else {
            open.push(named(event));
        }
    }
    if all == 0 {
        return Measured::unknown(format!("agents changed nothing on record {}", scene.wanted.time()));
    }
    let measured = Measured::share(known, all, "");
    if open.is_empty() { measured } else { measured.with(format!("not known: {}", few(&open))) }
}

/// What was lost, in per cent of all commands.
pub fn gaps(scene: &Scene<'_>) -> Measured {
    let lost: u64 = scene.record.gaps.iter().map(|gap| gap.count.max(1)).sum::<u64>() + scene.record.damaged;
    let commands = scene.commands().count() as u64;
    if commands == 0 {
        return Measured::unknown(format!("no command is on record {}", scene.wanted.time()));
    }
    let share = (lost as f64 * 1000.0 / (lost + commands) as f64).round() / 10.0;
    let mut reasons: Vec<String> = Vec::new();
    for gap in &scene.record.gaps {
        if !reasons.contains(&gap.reason) {
            reasons.push(gap.reason.clone());
        }
    }
    let measured =
        Measured::of(Reading::Number(share)).with(format!("{lost} lost beside {commands} on record"));
    if reasons.is_empty() { measured } else { measured.with(few(&reasons)) }
}

/// The chain of hashes.
pub fn chain(scene: &Scene<'_>) -> Measured {
    if !scene.home.exists() {
        return Measured::unknown("there is no store yet");
    }
    let files = std::fs::read_dir(scene.home.journal()).into_iter().flatten().flatten();
    let bytes: u64 = files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum();
    if bytes > JOURNAL {
        let what = format!("the journal has {} MiB, more than is read here", bytes >> 20);
        return Measured::unknown(what).next("fr store verify");
    }
    let checked = match Journal::open(scene.home).and_then(|journal| journal.check(|_| {})) {
        Ok(checked) => checked,
        Err(error) => return Measured::unknown(error.what),
    };
    let broken: Vec<String> = checked
        .findings
        .iter()
        .filter(|finding| finding.severity > Severity::Note)
        .map(|finding| finding.what.clone())
        .collect();
    let measured = Measured::of(Reading::Truth(broken.is_empty())).with(format!(
        "{} frames were read now, {} KiB",
        checked.frames,
        checked.bytes.div_ceil(1024)
    ));
    if broken.is_empty() { measured } else { measured.with(few(&broken)) }
}
