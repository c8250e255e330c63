//! What the settings of this machine say: agents' hooks, the store, policy.

use super::measures::{Measured, Reading};
use super::scene::{Scene, few};
use crate::doctor::Protection;
use crate::platform::disk::{self, Disk};
use crate::record::production::KINDS;
use crate::record::{AlarmReaction, Config, Mode};

/// Whether the agents that are here are recorded.
pub fn hooks(scene: &Scene<'_>) -> Measured {
    let here = || scene.doctor.agents.iter().filter(|agent| agent.protection != Protection::Absent);
    let all = here().count();
    if all == 0 {
        let what = "no agent that fr knows is found on this machine";
        return Measured::unknown(what).next("fr run -- AGENT");
    }
    let good = here().filter(|agent| agent.protection == Protection::Protected);
    let recorded: Vec<String> = good.map(|agent| agent.name.to_owned()).collect();
    let mut measured = Measured::share(recorded.len(), all, "");
    if !recorded.is_empty() {
        measured = measured.with(format!("recorded: {}", recorded.join(", ")));
    }
    for agent in here().filter(|agent| agent.protection == Protection::Unprotected) {
        let problem = agent.problem.as_deref().unwrap_or("not recorded");
        measured = measured.with(format!("{}: {problem} ({})", agent.name, agent.file.lossy()));
        if measured.next.is_none() {
            // "run `fr install --agent claude`"
            let step = agent.next.as_deref().unwrap_or_default();
            measured.next = Some(step.strip_prefix("run ").unwrap_or(step).trim_matches('`').to_owned());
        }
    }
    measured
}

/// Whether the store is as it should be.
pub fn store(scene: &Scene<'_>) -> Measured {
    let store = &scene.doctor.store;
    if !store.exists && store.problems.is_empty() {
        return Measured::unknown(format!("there is no store at {} yet", store.root.lossy()))
            .next("fr install");
    }
    let sound = Measured::of(Reading::Truth(store.problems.is_empty()));
    let sound = sound.with(store.root.lossy()).with(disk(&disk::below(store.root.as_path())));
    if store.problems.is_empty() { sound } else { sound.with(few(&store.problems)) }
}

/// It is said, and no level hangs on it: much that encrypts a disk cannot be seen from the machine that uses it.
fn disk(disk: &Disk) -> String {
    match disk {
        Disk::Encrypted(by) => format!("its disk is encrypted by the kernel ({by})"),
        Disk::Plain(name) => {
            format!(
                "its disk {name} is not encrypted by the kernel; what the disk itself or a hypervisor does is not seen"
            )
        }
        Disk::Unseen(why) => format!("whether its disk is encrypted is not known: {why}"),
    }
}

fn config<'s>(scene: &'s Scene<'_>) -> Result<&'s Config, Measured> {
    scene.config.as_ref().map_err(|error| {
        Measured::unknown(format!("the settings cannot be read: {}", error.what)).next("fr config check")
    })
}

/// Whether policy stands in the way of the irreversible.
pub fn guard_mode(scene: &Scene<'_>) -> Measured {
    let config = match config(scene) {
        Ok(config) => config,
        Err(unknown) => return unknown,
    };
    let mode = if config.mode == Mode::Guard { "guard" } else { "observe" };
    Measured::of(Reading::Truth(config.mode == Mode::Guard))
        .with(format!("mode = {mode} in {}", scene.home.config().display()))
}

/// Whether something is marked as production, and destroying it raises the alarm.
pub fn production_marked(scene: &Scene<'_>) -> Measured {
    let config = match config(scene) {
        Ok(config) => config,
        Err(unknown) => return unknown,
    };
    let production = &config.production;
    if production.is_empty() {
        return Measured::of(Reading::Truth(false)).with("nothing is marked");
    }
    let marked = KINDS.iter().map(|kind| production.patterns(*kind)).filter(|(_, list)| !list.is_empty());
    let marked = marked.map(|(name, list)| format!("{name} = {}", list.join(" "))).collect::<Vec<_>>();
    let alarmed = production.reaction != AlarmReaction::Off;
    let measured = Measured::of(Reading::Truth(alarmed)).with(marked.join(", "));
    match alarmed {
        true => measured.with(format!("what destroys it: {}", production.reaction.as_str())),
        false => measured
            .with("nothing happens when it is destroyed")
            .next("fr config set production.reaction alert"),
    }
}
