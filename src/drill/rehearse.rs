//! One rehearsal: make, destroy, take back, compare, for each command of a scenario.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::aws::Account;
use super::cluster::Cluster;
use super::look::{Look, differences};
use super::scenario::{Promise, Scenario};
use super::scene::{Given, Scene, missing_tool, tail};
use super::server::Server;
use crate::error::{Error, Result};
use crate::model::{DrillOutcome, Drilled};
use crate::platform::runner::Finished;

/// One command that was destroyed with and taken back.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    /// The command.
    pub command: String,
    /// What it destroyed comes back as something new: identities are not compared.
    pub anew: bool,
    /// Its event in the scratch store; `null` where none was recorded.
    pub event: Option<u64>,
    /// The exit code of `fr undo`; `null` where it was never run.
    pub undo_exit_code: Option<i32>,
    /// How long the undo took, from its start to its end, seconds.
    pub undo_seconds: Option<f64>,
    /// What did not come back, or was not there before.
    pub differences: Vec<String>,
    /// Why it does not count as taken back; `null` where it does.
    pub failure: Option<String>,
}

/// One scenario, rehearsed.
#[derive(Clone, Debug, Serialize)]
pub struct Rehearsal {
    /// The scenario's name.
    pub system: String,
    /// What it is about.
    pub title: String,
    /// How it ended.
    pub outcome: DrillOutcome,
    /// Why it failed or was skipped; `null` where it passed.
    pub reason: Option<String>,
    /// How many commands were to be taken back.
    pub commands: u64,
    /// Its commands, up to the first that left the target different.
    pub rounds: Vec<Round>,
    /// How long all of it took, seconds.
    pub seconds: f64,
}

/// What happens just now, for people who wait.
pub struct Moment<'a> {
    /// The scenario.
    pub system: &'a str,
    /// The command that is being rehearsed; `None` while the target is made.
    pub command: Option<&'a str>,
}

/// Where scenarios are rehearsed.
pub struct Ground<'a> {
    /// Each gets a directory of its own below this one.
    pub scratch: &'a Path,
    /// The context of the cluster that somebody named.
    pub context: Option<&'a str>,
    /// The account that somebody named.
    pub account: &'a Account,
    /// The database servers that somebody named.
    pub servers: &'a [Server],
    /// What is made outside of the directory stays, too.
    pub keep: bool,
}

/// Rehearses a scenario. What goes wrong with it is its outcome; an error is only what `watch` returns, which can break it
/// off. What was made outside of the scratch directory is removed in each case.
pub fn rehearse(
    scenario: &Scenario,
    ground: &Ground<'_>,
    watch: &mut dyn FnMut(Moment<'_>) -> Result<()>,
) -> Result<Rehearsal> {
    let started = Instant::now();
    let mut done = Rehearsal {
        system: scenario.system.to_owned(),
        title: scenario.title.to_owned(),
        outcome: DrillOutcome::Passed,
        reason: None,
        commands: scenario.rounds().count() as u64,
        rounds: Vec::new(),
        seconds: 0.0,
    };
    if let Some(tool) = missing_tool(scenario.needs) {
        done.end(DrillOutcome::Skipped, format!("{tool} is not on PATH"));
        return Ok(done);
    }
    watch(Moment { system: scenario.system, command: None })?;
    let given = scenario.given.map_or_else(|| Ok(Given::default()), |given| given(ground));
    if let Ok(Given { absent: Some(why), .. }) = given {
        done.end(DrillOutcome::Skipped, why);
        return Ok(done);
    }
    match given.and_then(|given| set(scenario, given, ground)) {
        Err(e) => done.end(DrillOutcome::Failed, e.to_string()),
        Ok(scene) => {
            let broken_off = play_all(scenario, &scene, &mut done, watch);
            let cleared = scenario.clear.filter(|_| !ground.keep).map_or(Ok(()), |clear| clear(&scene));
            match broken_off {
                // Whoever breaks it off must know what is left.
                Err(e) => match cleared {
                    Ok(()) => return Err(e),
                    Err(left) => return Err(e.hint(left.to_string())),
                },
                Ok(()) => cleared.unwrap_or_else(|left| done.end(DrillOutcome::Failed, left.to_string())),
            }
        }
    }
    if let Some(reason) = done.first_failure() {
        done.end(DrillOutcome::Failed, reason);
    }
    done.seconds = started.elapsed().as_secs_f64();
    Ok(done)
}

/// Makes the target, then destroys it and takes it back by each command.
fn play_all(
    scenario: &Scenario,
    scene: &Scene,
    done: &mut Rehearsal,
    watch: &mut dyn FnMut(Moment<'_>) -> Result<()>,
) -> Result<()> {
    if let Err(e) = (scenario.build)(scene) {
        done.end(DrillOutcome::Failed, e.to_string());
        return Ok(());
    }
    let mut seen = None;
    for (incident, promise) in scenario.rounds() {
        let line = scene.line(incident.line);
        watch(Moment { system: scenario.system, command: Some(&line) })?;
        let round = round(scenario, line, promise, scene, &mut seen);
        let spoilt = !round.differences.is_empty();
        done.rounds.push(round);
        // The target is not what the next command is meant for.
        if spoilt {
            break;
        }
    }
    Ok(())
}

fn set(scenario: &Scenario, given: Given, ground: &Ground<'_>) -> Result<Scene> {
    let root = ground.scratch.join(scenario.system);
    std::fs::create_dir(&root).map_err(|e| Error::io("create", &root, &e))?;
    Scene::set_in(&root, ground.context.filter(|_| scenario.in_cluster).map(Cluster::of), given)
}

/// `seen` is how the target looked after the round before.
fn round(
    scenario: &Scenario,
    line: String,
    promise: Promise,
    scene: &Scene,
    seen: &mut Option<Look>,
) -> Round {
    let mut round = Round {
        command: line.clone(),
        anew: promise == Promise::Anew,
        event: None,
        undo_exit_code: None,
        undo_seconds: None,
        differences: Vec::new(),
        failure: None,
    };
    round.failure = match play(scenario, (&line, promise), scene, seen, &mut round) {
        Ok(failure) => failure,
        Err(e) => Some(e.to_string()),
    };
    round
}

/// Destroys and takes back; why that failed, if it did.
fn play(
    scenario: &Scenario,
    (line, promise): (&str, Promise),
    scene: &Scene,
    seen: &mut Option<Look>,
    round: &mut Round,
) -> Result<Option<String>> {
    let before = seen.take().map_or_else(|| (scenario.look)(scene), Ok)?;
    let last = scene.latest_event()?;
    let ran = scene.agent_runs(line)?;
    if ran.code != 0 {
        return Ok(Some(format!(
            "the command could not be rehearsed: exit code {}: {}",
            ran.code,
            tail(&ran.stderr)
        )));
    }
    round.event = scene.latest_event()?.filter(|event| Some(*event) != last);
    let Some(event) = round.event else {
        return Ok(Some("the recorder recorded no event".to_owned()));
    };
    // Without this a drill whose commands do nothing would pass.
    if (scenario.look)(scene)? == before {
        return Ok(Some("the command changed nothing, so there was nothing to take back".to_owned()));
    }
    let (undo, took) = scene.undo(event, promise)?;
    round.undo_exit_code = Some(undo.code);
    round.undo_seconds = Some(took.as_secs_f64());
    let after = (scenario.look)(scene)?;
    round.differences = match promise {
        Promise::Same => differences(&before, &after),
        Promise::Anew => differences(&before.without_identities(), &after.without_identities()),
    };
    *seen = Some(after);
    Ok(verdict(&round.differences, undo.code, promise, &reason(&undo)))
}

/// Why an undo did not end with 0: the error on stderr, before its hints; else the end of its report.
fn reason(undo: &Finished) -> String {
    let stderr = String::from_utf8_lossy(&undo.stderr);
    match stderr.lines().next() {
        Some(error) => error.trim_start_matches("error: ").to_owned(),
        None => tail(&undo.stdout),
    }
}

fn verdict(differences: &[String], code: i32, promise: Promise, said: &str) -> Option<String> {
    let differ = match differences.len() {
        1 => "1 thing differs".to_owned(),
        n => format!("{n} things differ"),
    };
    match (differences.is_empty(), code) {
        (true, 0) => None,
        (true, 3) if promise == Promise::Anew => None,
        (false, 0) => Some(format!("undo said that it is done, but {differ}")),
        (true, code) => Some(format!("everything is back, but undo ended with exit code {code}: {said}")),
        (false, code) => Some(format!("undo ended with exit code {code}: {said}; {differ}")),
    }
}

impl Rehearsal {
    fn end(&mut self, outcome: DrillOutcome, reason: String) {
        self.outcome = outcome;
        self.reason = Some(reason);
    }

    /// The first command that was not taken back, why, and the first thing that differs.
    fn first_failure(&self) -> Option<String> {
        let (round, why) = self.rounds.iter().find_map(|r| r.failure.as_ref().map(|why| (r, why)))?;
        let difference = round.differences.first().map(|d| format!(": {d}")).unwrap_or_default();
        Some(format!("{}: {why}{difference}", round.command))
    }

    /// How many commands came back as promised.
    pub fn restored(&self) -> u64 {
        self.rounds.iter().filter(|r| r.failure.is_none()).count() as u64
    }

    /// How long the slowest of the undos took that brought everything back.
    pub fn slowest_undo(&self) -> Option<Duration> {
        let good = self.rounds.iter().filter(|r| r.failure.is_none());
        let slowest = good.filter_map(|r| r.undo_seconds).max_by(f64::total_cmp);
        slowest.map(Duration::from_secs_f64)
    }

    /// What the journal keeps of it.
    pub fn drilled(&self) -> Drilled {
        let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        Drilled {
            system: self.system.clone(),
            outcome: self.outcome,
            restored: self.restored(),
            commands: self.commands,
            slowest_undo_ms: self.slowest_undo().map(ms),
            took_ms: ms(Duration::from_secs_f64(self.seconds)),
            reason: self.reason.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Promise, verdict};

    #[test]
    fn only_identical_with_exit_code_0_counts() {
        let lines = |n: usize| (0..n).map(|i| format!("f{i}: gone")).collect::<Vec<_>>();
        let said =
            |n: usize, code: i32| verdict(&lines(n), code, Promise::Same, "damaged").unwrap_or_default();
        assert_eq!(verdict(&[], 0, Promise::Same, ""), None);
        assert_eq!(verdict(&[], 3, Promise::Anew, "new ids"), None);
        assert!(verdict(&lines(1), 3, Promise::Anew, "new ids").is_some());
        assert_eq!(said(1, 0), "undo said that it is done, but 1 thing differs");
        assert_eq!(said(0, 3), "everything is back, but undo ended with exit code 3: damaged");
        assert_eq!(said(2, 1), "undo ended with exit code 1: damaged; 2 things differ");
    }
}
