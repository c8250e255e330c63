//! Carrying playbooks out: `run`, `resume`, and the runs that there are.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;

use serde::Serialize;

use super::desk::{Desk, moment_word};
use super::look::told_where;
use crate::cli::args::{PlaybookResumeArgs, PlaybookRunArgs};
use crate::cli::render::{Table, safe, style, when};
use crate::cli::{Out, ask, usage};
use crate::error::{Error, Result};
use crate::journal::index::Index;
use crate::model::{Bytes, EventId, Incident, PlaybookMode, PlaybookMoment};
use crate::platform::clock;
use crate::platform::home::Home;
use crate::respond::incident;
use crate::respond::playbook::{self, Begin, Ended, Planned, Playbook, Resume, Subject, short};

/// Runs one.
pub fn run(args: &PlaybookRunArgs, home: &Home, out: &mut Out) -> Result<u8> {
    let found = playbook::find(&args.name, home)?;
    told_where(&found, out);
    let (subject, incident) = about(args, &found.playbook, home)?;
    let said = said(&args.var)?;
    let begin = Begin { found: &found, subject: &subject, said: &said, incident, home };
    let planned = playbook::dry_run(&begin)?;
    if args.dry_run {
        return dry(&args.name, &planned, out);
    }
    let alone = planned.iter().filter(|step| step.mode == PlaybookMode::Auto).count();
    if ask::is_possible() && !args.yes_auto && !out.json {
        let event = subject.event.as_ref();
        let line =
            event.map(|event| format!("event {}: {}", event.id, safe(event.before.command.line.as_slice())));
        out.line(format!(
            "{}: {}",
            safe(args.name.as_bytes()),
            line.unwrap_or_else(|| "about no event".to_owned())
        ))?;
        let question = format!(
            "{} steps; {alone} of them only read or contain and run by themselves. Begin?",
            planned.len()
        );
        if !ask::confirmed(&question, out)? {
            return Err(Error::failure("not begun").hint("`--dry-run` shows all that it would do"));
        }
    }
    let ended = {
        let mut desk = Desk::new(&args.agreed, out)?;
        playbook::begin(&begin, &mut desk)?
    };
    report(&ended, out)
}

/// What it is about. A drill is about nothing, and needs no store.
fn about(args: &PlaybookRunArgs, of: &Playbook, home: &Home) -> Result<(Subject, Option<EventId>)> {
    let said = args.event.is_some() || args.session.is_some() || args.incident.is_some();
    if !home.exists() && !said {
        return Ok((Subject::default(), None));
    }
    let index = Index::open(home)?;
    let incident = args.incident.as_deref().map(|id| incident_of(id, &index)).transpose()?;
    let subject = match &incident {
        // Another incident's damage is not what it is about.
        Some(incident) if args.event.is_none() && args.session.is_none() => {
            playbook::subject_of(&index, of, incident)?
        }
        _ => playbook::subject(&index, of, args.event.as_deref(), args.session.as_deref())?,
    };
    Ok((subject, incident.map(|incident| incident.id)))
}

/// An incident by its number, which is the one of the event that opened it.
fn incident_of(id: &str, index: &Index) -> Result<Incident> {
    let number = id.trim().parse().map_err(|_| {
        usage(format!("--incident is the number of an incident, {} is none", id.escape_debug()))
            .hint("`fr incident list` lists them")
    })?;
    incident::find(index, Some(number))
}

fn said(vars: &[std::ffi::OsString]) -> Result<BTreeMap<String, Bytes>> {
    let one = |var: &std::ffi::OsString| {
        let bytes = var.as_bytes();
        let at = bytes.iter().position(|b| *b == b'=');
        let name = at.and_then(|at| std::str::from_utf8(bytes.get(..at)?).ok());
        match (name, at) {
            (Some(name), Some(at)) if !name.is_empty() => {
                Ok((name.to_owned(), Bytes(bytes.get(at + 1..).unwrap_or_default().to_vec())))
            }
            _ => Err(usage("--var is NAME=VALUE").hint("--var branch=main")),
        }
    };
    vars.iter().map(one).collect()
}

/// What `fr playbook run --dry-run --json` prints.
#[derive(Serialize)]
struct Dry<'a> {
    playbook: &'a str,
    steps: &'a [Planned],
}

fn dry(name: &str, planned: &[Planned], out: &mut Out) -> Result<u8> {
    if out.json {
        out.json(&Dry { playbook: name, steps: planned })?;
        return Ok(0);
    }
    for (at, step) in planned.iter().enumerate() {
        let title = out.paint(style::BOLD, safe(step.title.as_bytes()));
        let mode = match step.mode {
            PlaybookMode::Auto => "by itself",
            PlaybookMode::Confirm => "when you agree",
            PlaybookMode::Manual => "by you",
        };
        let place = out.paint(style::DIM, format!("{}, {mode}", step.phase.as_str()));
        out.line(format!("[{}/{}] {}: {title}  {place}", at + 1, planned.len(), safe(step.step.as_bytes())))?;
        for line in step.does.lines() {
            out.line(format!("    {}", safe(line.as_bytes())))?;
        }
        if let Some(why) = &step.left_out {
            out.line(out.paint(style::WARN, format!("    left out: {}", safe(why.as_bytes()))))?;
        }
    }
    out.talk("dry run: nothing was run, nothing was written");
    Ok(0)
}

/// Goes on with one.
pub fn resume(args: &PlaybookResumeArgs, out: &mut Out) -> Result<u8> {
    let (home, index) = super::super::opened()?;
    let state = playbook::find_run(&index, args.run.as_deref())?;
    drop(index);
    let ended = {
        let mut desk = Desk::new(&args.agreed, out)?;
        playbook::resume(&Resume { state: &state, home: &home }, &mut desk)?
    };
    report(&ended, out)
}

fn report(ended: &Ended, out: &mut Out) -> Result<u8> {
    if out.json {
        out.json(ended)?;
        return Ok(ended.exit);
    }
    let run = short(ended.run);
    let at = ended.at.as_ref().map(|at| safe(at.as_bytes())).unwrap_or_default();
    let why = safe(ended.why.as_bytes());
    match ended.moment {
        PlaybookMoment::Finished if ended.failed.is_empty() => {
            out.line(
                out.paint(
                    style::GOOD,
                    format!("finished: every step of run {run} is done or does not apply"),
                ),
            )?;
        }
        PlaybookMoment::Finished => {
            out.line(out.paint(style::WARN, format!("finished, but {why}")))?;
        }
        PlaybookMoment::Waiting => {
            out.line(out.paint(style::WARN, format!("waits at {at}: {why}")))?;
            out.line(format!("go on: fr playbook resume {run}"))?;
            if !ended.flags.is_empty() {
                out.line(format!("  without a terminal: {}", safe(ended.flags.join(", or ").as_bytes())))?;
            }
        }
        _ if ended.steps.last().is_some_and(|line| line.moment == PlaybookMoment::StepRefused) => {
            out.line(out.paint(style::ERROR, format!("broken off at {at}: {why}")))?;
            let name = safe(ended.playbook.as_bytes());
            out.line(format!("a run keeps its values: begin another, `fr playbook run {name}`"))?;
        }
        _ => {
            out.line(out.paint(style::ERROR, format!("broken off at {at}: {why}")))?;
            out.line(format!("when that is mended: fr playbook resume {run}"))?;
            out.line(format!("  or without that step: fr playbook resume {run} --skip {at}"))?;
        }
    }
    Ok(ended.exit)
}

/// The runs that there are.
pub fn list(out: &mut Out) -> Result<u8> {
    let (_, index) = super::super::opened()?;
    let runs = playbook::runs(&index)?;
    if out.json {
        out.json(&runs)?;
        return Ok(0);
    }
    if runs.is_empty() {
        out.line("no playbook was run yet")?;
        return Ok(0);
    }
    let now = clock::now_ns();
    let mut table = Table::new(&["RUN", "PLAYBOOK", "BEGAN", "STANDS", "AT"], out.color, out.width);
    for run in &runs {
        let (word, paint) = moment_word(run.moment);
        table.row(vec![
            (short(run.run), Some(style::BOLD)),
            (safe(run.playbook.as_bytes()), None),
            (when::relative(run.began_ns, now), Some(style::DIM)),
            (word.to_owned(), Some(paint)),
            (safe(run.step.as_deref().unwrap_or_default().as_bytes()), None),
        ]);
    }
    for line in table.lines() {
        out.line(line)?;
    }
    Ok(0)
}
