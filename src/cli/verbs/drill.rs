//! `fr drill`: does recovery work, here and now? Destroys scratch targets, takes them back, compares, and writes the
//! outcome down.

use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

use crate::cli::Out;
use crate::cli::args::DrillArgs;
use crate::cli::render::{count, progress, safe, style, when};
use crate::drill::{self, Ground, Moment, Rehearsal, Round};
use crate::error::{ExitCode, Result};
use crate::model::DrillOutcome;
use crate::platform::home::{self, Home};
use crate::platform::{clock, interrupt::Interrupt, scratch::ScratchDir};

/// How many differences of one command are shown.
const MOST_SHOWN: usize = 8;

/// What `fr drill --json` prints (`schema/drill.schema.json`).
#[derive(Serialize)]
struct Report {
    /// Everything was rehearsed and came back.
    passed: bool,
    /// The event that keeps the outcome; `null` where it could not be written.
    event: Option<u64>,
    /// The store that it is in.
    store: PathBuf,
    /// That store was made for it.
    store_created: bool,
    /// Where the scratch targets are, where they were kept.
    kept: Option<PathBuf>,
    scenarios: Vec<Rehearsal>,
    seconds: f64,
}

/// Runs the verb.
pub fn run(args: &DrillArgs, out: &mut Out) -> Result<u8> {
    // A wrong word makes no store.
    let servers = args.server.iter().map(|url| drill::Server::parse(url)).collect::<Result<Vec<_>>>()?;
    drill::by_systems(&args.system, args.context.as_deref(), &servers)?;
    let home = Home::at(home::state_dir()?);
    let store_created = drill::prepare(&home)?;
    if store_created {
        out.talk(format!("made a store at {}", safe(home.root.as_os_str().as_encoded_bytes())));
    }
    let mut scratch = ScratchDir::new("drill")?;
    if args.keep {
        scratch.keep();
        out.talk(format!("kept: {}", safe(scratch.path().as_os_str().as_encoded_bytes())));
    }
    let kept = args.keep.then(|| scratch.path().to_owned());
    let (began_ns, started) = (clock::now_ns(), Instant::now());
    let scenarios = rehearse_all(args, &servers, &scratch)?;
    let took = started.elapsed();
    // Before anything is printed: a closed pipe ends the process there.
    if let Err(error) = scratch.remove() {
        out.talk(format!("warning: {}", safe(error.what.as_bytes())));
    }
    let actor = crate::intake::attribution::actor_here(&crate::intake::current_env());
    let drilled = scenarios.iter().map(Rehearsal::drilled).collect();
    let recorded = drill::record(drilled, began_ns, took, actor, &home);
    let code = drill::exit_code(scenarios.iter().map(|s| s.outcome));
    let report = Report {
        passed: code == ExitCode::Ok,
        event: recorded.as_ref().ok().map(|event| event.0),
        store: home.root,
        store_created,
        kept,
        scenarios,
        seconds: took.as_secs_f64(),
    };
    show(&report, out)?;
    recorded.map(|_| code as u8).map_err(|e| e.context("the outcome was not recorded"))
}

fn rehearse_all(args: &DrillArgs, servers: &[drill::Server], scratch: &ScratchDir) -> Result<Vec<Rehearsal>> {
    let interrupt = Interrupt::listen();
    let bar = progress::named("rehearsing");
    let mut watch = |moment: Moment<'_>| {
        bar.set_message(format!("{}: {}", moment.system, moment.command.unwrap_or("making the target")));
        interrupt.check()
    };
    let account = drill::Account { profile: args.aws_profile.clone(), endpoint: args.aws_endpoint.clone() };
    let context = args.context.as_deref();
    let ground = Ground { scratch: scratch.path(), context, account: &account, servers, keep: args.keep };
    let scenarios = drill::by_systems(&args.system, ground.context, servers)?;
    // What nobody named is asked for before anything is made.
    for needs in scenarios.iter().filter_map(|scenario| scenario.given) {
        needs(&ground)?;
    }
    let done = scenarios.into_iter().map(|s| drill::rehearse(s, &ground, &mut watch)).collect();
    bar.finish_and_clear();
    interrupt.check().and(done)
}

fn show(report: &Report, out: &mut Out) -> Result<()> {
    if out.json {
        return out.json(report);
    }
    for rehearsal in &report.scenarios {
        text(rehearsal, out)?;
    }
    summary(report, out)
}

fn text(rehearsal: &Rehearsal, out: &mut Out) -> Result<()> {
    let word = out.paint(style::of_drill(rehearsal.outcome), rehearsal.outcome.as_str());
    out.line(format!("{:<10} {word}  {}", rehearsal.system, out.paint(style::DIM, &rehearsal.title)))?;
    for round in &rehearsal.rounds {
        round_text(round, out)?;
    }
    let rest = rehearsal.commands.saturating_sub(rehearsal.rounds.len() as u64);
    if rest > 0 && !rehearsal.rounds.is_empty() {
        out.line(format!("  {} not rehearsed: the target is not what it was", count(rest, "command")))?;
    }
    // What failed in a round is said there.
    let said = rehearsal.rounds.iter().any(|r| r.failure.is_some());
    match rehearsal.reason.as_ref().filter(|_| !said) {
        Some(reason) => out.line(format!("  {}", out.paint(style::WARN, safe(reason.as_bytes())))),
        None => Ok(()),
    }
}

fn round_text(round: &Round, out: &mut Out) -> Result<()> {
    let took = round.undo_seconds.map(seconds).unwrap_or_default();
    let mark = match round.failure {
        None if round.anew => out.paint(style::GOOD, format!("{:<9}", "anew")),
        None => out.paint(style::GOOD, format!("{:<9}", "identical")),
        Some(_) => out.paint(style::ERROR, format!("{:<9}", "FAILED")),
    };
    out.line(format!("  {mark}  {took:>7}  {}", safe(round.command.as_bytes())))?;
    let Some(why) = &round.failure else { return Ok(()) };
    out.line(format!("    {}", out.paint(style::ERROR, safe(why.as_bytes()))))?;
    for difference in round.differences.iter().take(MOST_SHOWN) {
        out.line(format!("    {}", safe(difference.as_bytes())))?;
    }
    if round.differences.len() > MOST_SHOWN {
        out.line(format!("    and {} more; `--json` names all", round.differences.len() - MOST_SHOWN))?;
    }
    Ok(())
}

fn summary(report: &Report, out: &mut Out) -> Result<()> {
    let with = |outcome| report.scenarios.iter().filter(|s| s.outcome == outcome).collect::<Vec<_>>();
    let (passed, failed) = (with(DrillOutcome::Passed), with(DrillOutcome::Failed));
    let skipped = with(DrillOutcome::Skipped);
    let restored: u64 = report.scenarios.iter().map(Rehearsal::restored).sum();
    let slowest = report.scenarios.iter().filter_map(Rehearsal::slowest_undo).max();
    let slowest = slowest.map(|d| format!(", the slowest in {}", seconds(d.as_secs_f64())));
    let style = if report.passed { style::GOOD } else { style::ERROR };
    let mut text = format!("{} of {} passed", passed.len(), count(report.scenarios.len() as u64, "scenario"));
    text += &format!("; {} taken back{}", count(restored, "command"), slowest.unwrap_or_default());
    out.line(out.paint(style, text))?;
    for (word, which) in [("failed", failed), ("skipped", skipped)] {
        for one in which {
            let why = one.reason.as_deref().unwrap_or_default();
            out.line(format!("{word}: {}: {}", one.system, safe(why.as_bytes())))?;
        }
    }
    let took = when::duration((report.seconds * 1000.0) as u64);
    let event = report.event.map(|event| format!("recorded as event {event}, ")).unwrap_or_default();
    out.line(out.paint(style::DIM, format!("{event}took {took}")))
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.3} s")
}
