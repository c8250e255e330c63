//! Carries out a step: on the recorded engine and no other, and only while the thing is as the plan saw it.

use std::time::{Duration, Instant};

use super::cli::Cli;
use super::look::{self, Budget, Eyes};
use super::query::{Access, Kind, Loss};
use super::{capture, container, file, image, network, pod, swarm, volume};
use crate::error::Result;
use crate::model::{Step, StepOutcome};
use crate::systems::things::{Job, Nowhere, Thing, Verb};
use crate::systems::{ApplyCx, Caps};

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let job = Job::of(step)?;
    let before = job.before(cx.source)?;
    let cli = Cli::of(&Access::of(&step.locator), Instant::now() + LIMIT);
    capture::same_place(&cli, &before)?;
    let budget = Budget::of(&Caps { container_bytes: u64::MAX, ..Caps::default() });
    let eyes = Eyes { cli: &cli, sink: &Nowhere, source: cx.source, contents: false, budget: &budget };
    let old = before.get(&job.name);
    let now = look::one(&eyes, &job.name, old)?;
    if let Some(outcome) = job.check(old, now.as_ref()) {
        return Ok(outcome);
    }
    let outcome = act(&cli, &job, (old, now.as_ref()), &eyes)?;
    (cx.progress)(1);
    Ok(outcome)
}

fn act(
    cli: &Cli,
    job: &Job,
    (old, now): (Option<&Thing>, Option<&Thing>),
    eyes: &Eyes<'_>,
) -> Result<StepOutcome> {
    let lost = || StepOutcome::Failed { reason: format!("{} is not in the capture", job.name) };
    let Some((kind, name)) = Kind::of(&job.name) else { return Ok(lost()) };
    let source = eyes.source;
    match (job.verb, old, now) {
        (Verb::Anew, Some(old), _) => match kind {
            Kind::Container => match look::name_by_id(eyes, &old.id)? {
                Some(new) => {
                    cli.ask(&["container", "rename", &new, name])?;
                    // What else the line did to it.
                    match container::look(eyes, name, Loss::Nothing)?.map(|seen| seen.thing) {
                        Some(now) if !old.looks_like(&now) => container::change(cli, name, old, &now, source),
                        _ => Ok(StepOutcome::Done),
                    }
                }
                None => container::make(cli, name, old, source),
            },
            Kind::Volume => volume::make(cli, name, old, source),
            Kind::Image => image::make(cli, name, old, source),
            Kind::Network => network::make(cli, name, old, source),
            Kind::File => file::put_back(cli, name, old, source),
            Kind::Service | Kind::Config | Kind::Secret => swarm::make(cli, kind, name, old, source),
            Kind::Pod => pod::make(cli, name, old, source),
        },
        (Verb::Change, Some(old), Some(now)) => match kind {
            Kind::Container => container::change(cli, name, old, now, source),
            Kind::Image => image::make(cli, name, old, source),
            Kind::File => file::put_back(cli, name, old, source),
            Kind::Service => swarm::change(cli, name, old, source),
            Kind::Volume | Kind::Network | Kind::Config | Kind::Secret | Kind::Pod => Ok(lost()),
        },
        (Verb::Remove, _, Some(_)) => match kind {
            Kind::Container => done(cli.ask(&["container", "rm", "-f", name])),
            Kind::Volume => done(cli.ask(&["volume", "rm", name])),
            Kind::Network => done(cli.ask(&["network", "rm", name])),
            Kind::Image => image::untag(cli, name),
            Kind::File => file::remove(cli, name),
            Kind::Service | Kind::Config | Kind::Secret => done(cli.ask(&[kind.word(), "rm", name])),
            Kind::Pod => done(cli.ask(&["pod", "rm", "-f", name])),
        },
        _ => Ok(lost()),
    }
}

fn done(said: Result<String>) -> Result<StepOutcome> {
    said.map(|_| StepOutcome::Done)
}
