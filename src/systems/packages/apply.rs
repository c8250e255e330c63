//! Carries out a step, only while the thing is as the plan saw it.

use std::time::{Duration, Instant};

use super::capture::{look, parts, registry_of};
use super::run::Run;
use super::{crates, npm};
use crate::error::Result;
use crate::model::{Step, StepOutcome};
use crate::systems::ApplyCx;
use crate::systems::things::{Job, Nowhere, Verb};

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let job = Job::of(step)?;
    let before = job.before(cx.source)?;
    let mut run = Run::of(step.locator.at.as_path(), Instant::now() + Duration::from_secs(300));
    run.registry = registry_of(&before);
    let old = before.get(&job.name);
    let now = look(&run, &job.name, &Nowhere)?;
    if let Some(outcome) = job.check(old, now.as_ref()) {
        return Ok(outcome);
    }
    let text = old.map(|old| cx.source.get(&old.object)).transpose()?;
    let value =
        text.map(|text| String::from_utf8_lossy(&text).into_owned()).filter(|_| job.verb != Verb::Remove);
    let command = parts(&job.name).and_then(|(kind, name, which, registry)| match kind.starts_with("npm-") {
        true => npm::write(kind, name, which, value.as_deref()),
        false => crates::write(kind, name, which, registry, value.as_deref()),
    });
    let Some(command) = command else {
        return Ok(StepOutcome::Failed { reason: "fr does not know how to write it".to_owned() });
    };
    run.ask(&command.iter().map(String::as_str).collect::<Vec<_>>())?;
    (cx.progress)(1);
    Ok(StepOutcome::Done)
}
