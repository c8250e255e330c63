//! Carries out a step, only while the thing is as the plan saw it.

use super::read::{emptied, look, rules, tool};
use super::{managers, users};
use crate::error::Result;
use crate::model::{Step, StepOutcome};
use crate::systems::ApplyCx;
use crate::systems::things::{Job, Nowhere, Verb};

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let job = Job::of(step)?;
    let before = job.before(cx.source)?;
    let old = before.get(&job.name);
    let now = look(&job.name, &Nowhere)?;
    if let Some(outcome) = job.check(old, now.as_ref()) {
        return Ok(outcome);
    }
    let (kind, own) = job.name.split_once('/').unwrap_or((&job.name, ""));
    let text = old.map(|old| cx.source.get(&old.object)).transpose()?.unwrap_or_default();
    let value = String::from_utf8_lossy(&text).into_owned();
    let mut commands: Vec<(Vec<String>, Vec<u8>)> = Vec::new();
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<String>>();
    match kind {
        "crontab" => {
            let mut argv = words(&["crontab"]);
            if own != "user" {
                argv.extend(words(&["-u", own]));
            }
            argv.push(if job.verb == Verb::Remove { "-r" } else { "-" }.to_owned());
            commands.push((argv, text));
        }
        "sysctl" => commands.push((words(&["sysctl", "-q", "-w", &format!("{own}={value}")]), Vec::new())),
        "rules" if own == "nft" => {
            // In one transaction: no moment without rules.
            commands.push((words(&["nft", "-f", "-"]), [b"flush ruleset\n".as_slice(), &text].concat()));
        }
        "rules" => {
            let more = emptied(&value, &rules(own)?);
            commands.push((words(&[&format!("{own}-restore")]), [text, more.into_bytes()].concat()));
        }
        "unit" | "user-unit" => {
            let systemctl = |verb: &str| match kind {
                "unit" => words(&["systemctl", verb, own]),
                _ => words(&["systemctl", "--user", verb, own]),
            };
            let (Some(old), Some(now)) = (old, now.as_ref()) else {
                return Ok(StepOutcome::Failed { reason: format!("the unit {own} is gone") });
            };
            if old.digest != now.digest {
                if now.fact("enabled").starts_with("masked") {
                    commands.push((systemctl("unmask"), Vec::new()));
                }
                let verb = match old.fact("enabled") {
                    "enabled" => Some("enable"),
                    "disabled" => Some("disable"),
                    "masked" => Some("mask"),
                    _ => None,
                };
                commands.extend(verb.map(|verb| (systemctl(verb), Vec::new())));
            }
            match (old.state.as_str(), now.state.as_str()) {
                (old, now) if old == now => {}
                ("active", _) => commands.push((systemctl("start"), Vec::new())),
                ("inactive" | "failed", _) => commands.push((systemctl("stop"), Vec::new())),
                _ => {}
            }
        }
        "user" if job.verb == Verb::Remove => commands.push((words(&["userdel", own]), Vec::new())),
        "group" if job.verb == Verb::Remove => commands.push((words(&["groupdel", own]), Vec::new())),
        "user" | "group" => {
            // It may only have got another name (`usermod -l`, `groupmod -n`).
            let new = if now.is_none() { users::renamed(kind, &value)? } else { None };
            let there = now.is_some() || new.is_some();
            if let Some(new) = new {
                let (tool, flag) = if kind == "user" { ("usermod", "-l") } else { ("groupmod", "-n") };
                commands.push((words(&[tool, flag, own, &new]), Vec::new()));
            }
            let bring = if kind == "user" { users::bring } else { users::bring_group };
            commands.extend(bring(own, &value, there).unwrap_or_default());
        }
        "package" => {
            let spec = old.map_or(own.to_owned(), |old| format!("{own}={}", old.fact("version")));
            // Nothing else may go for it.
            let install = ["apt-get", "install", "-y", "-q", "--allow-downgrades", "--no-remove", &spec];
            let argv = if job.verb == Verb::Remove {
                words(&["apt-get", "remove", "-y", "-q", own])
            } else {
                words(&install)
            };
            commands.push((argv, Vec::new()));
        }
        "packages" => {
            let (Some(old), Some(now)) = (old, now.as_ref()) else {
                return Ok(StepOutcome::Failed { reason: format!("{own} does not tell what is installed") });
            };
            let way = managers::way(own, &old.facts, &now.facts);
            commands.extend(way.commands.into_iter().filter(|_| way.runs).map(|argv| (argv, Vec::new())));
        }
        _ => return Ok(StepOutcome::Failed { reason: format!("fr does not know how to write {kind}") }),
    }
    if commands.is_empty() {
        return Ok(StepOutcome::Failed { reason: format!("the record of {own} cannot be read") });
    }
    for (argv, stdin) in commands {
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        let done = tool(&argv, &stdin)?;
        if done.code != 0 {
            let text = String::from_utf8_lossy(&done.stderr);
            let line = text.lines().next().unwrap_or("it says nothing").to_owned();
            return Ok(StepOutcome::Failed { reason: format!("{}: {line}", argv.join(" ")) });
        }
    }
    (cx.progress)(1);
    Ok(StepOutcome::Done)
}
