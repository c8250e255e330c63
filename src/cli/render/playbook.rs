//! What happened in a run of a playbook, for people.

use anstyle::Style;

use super::{count, safe, style, when};
use crate::cli::Out;
use crate::error::Result;
use crate::model::{PlaybookMark, PlaybookMoment};
use crate::respond::playbook::{self, RunState, Tally};

/// In one line, for the timeline.
pub(super) fn mark_words(mark: &PlaybookMark) -> String {
    let why = mark.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    let step = mark.step.as_ref().map(|step| step.id.as_str()).unwrap_or_default();
    let by = mark.confirmed_by.as_ref().map(|by| format!(", confirmed by {by}")).unwrap_or_default();
    let what = match mark.moment {
        PlaybookMoment::Started => "started".to_owned(),
        PlaybookMoment::Resumed => "gone on with".to_owned(),
        PlaybookMoment::StepBegun => format!("{step} begun{by}"),
        PlaybookMoment::StepDone => format!("{step} done{by}"),
        PlaybookMoment::StepFailed => format!("{step} FAILED{why}"),
        PlaybookMoment::StepSkipped => format!("{step} skipped{why}"),
        PlaybookMoment::StepRefused => format!("{step} refused{why}"),
        PlaybookMoment::Waiting => format!("{step} waits for a person{why}"),
        PlaybookMoment::Finished => format!("finished{why}"),
        PlaybookMoment::BrokenOff => format!("broken off{why}"),
        PlaybookMoment::StepTakenBack => format!("{step} taken back{by}{why}"),
    };
    safe(format!("playbook {}: {what}", mark.playbook).as_bytes())
}

/// A whole run in one line: how it stands, how many of its steps are done, which went wrong.
pub fn run_words(state: &RunState) -> (String, Style) {
    let Tally { done, skipped, failed, back, open } = state.tally();
    let last = state.marks.last().map(|(_, mark)| mark);
    let at = last.and_then(|mark| mark.step.as_ref()).map(|step| step.id.as_str()).unwrap_or_default();
    let note = last.and_then(|mark| mark.note.as_deref()).unwrap_or_default();
    let stands = match (state.moment, &open) {
        (PlaybookMoment::Finished, _) => "finished".to_owned(),
        (PlaybookMoment::Waiting, _) => format!("waits for a person at {at}"),
        // What is behind the step's name stands below, with the step.
        (PlaybookMoment::BrokenOff, _) => match note.split_once(": ") {
            Some((step, _)) => format!("broken off at {step}"),
            None => format!("broken off: {note}"),
        },
        (_, Some(open)) => format!("at {open}, which has no end on record yet"),
        (_, None) => "not finished".to_owned(),
    };
    let mut steps = vec![format!("{} done", count(done as u64, "step"))];
    steps.extend((skipped > 0).then(|| format!("{skipped} left out")));
    steps.extend((!back.is_empty()).then(|| format!("taken back: {}", back.join(", "))));
    steps.extend((!failed.is_empty()).then(|| format!("FAILED: {}", failed.join(", "))));
    let style = match state.moment {
        PlaybookMoment::BrokenOff => style::ERROR,
        PlaybookMoment::Finished if failed.is_empty() => style::GOOD,
        _ => style::WARN,
    };
    let run = playbook::short(state.run);
    let text = format!("playbook {} {stands}: {} (run {run})", state.playbook, steps.join(", "));
    (safe(text.as_bytes()), style)
}

/// The exit code that the run ended with, for the timeline.
pub fn run_exit(state: &RunState) -> &'static str {
    match state.moment {
        PlaybookMoment::Finished if state.tally().failed.is_empty() => "0",
        PlaybookMoment::Finished => "3",
        PlaybookMoment::BrokenOff => "1",
        _ => "open",
    }
}

/// The rest of it.
pub(super) fn mark_details(mark: &PlaybookMark, out: &mut Out) -> Result<()> {
    let run = mark.run.to_string();
    out.line(format!("  run           {run}  (fr playbook resume {})", run.get(..12).unwrap_or(&run)))?;
    if let Some(step) = &mark.step {
        let (phase, kind, mode) = (step.phase.as_str(), step.kind.as_str(), step.mode.as_str());
        out.line(format!("  step          {}  {phase}, {kind}, {mode}", safe(step.id.as_bytes())))?;
    }
    if !mark.about.is_empty() {
        let about: Vec<String> = mark.about.iter().map(ToString::to_string).collect();
        out.line(format!("  about         {}", about.join(", ")))?;
    }
    if let Some(incident) = mark.incident {
        out.line(format!("  incident      {incident}"))?;
    }
    if let Some(code) = mark.code {
        out.line(format!("  exit code     {code}"))?;
    }
    if let Some(ms) = mark.took_ms {
        out.line(format!("  took          {}", when::duration(ms)))?;
    }
    if let Some(event) = mark.event {
        out.line(format!("  its event     {event}"))?;
    }
    for line in mark.evidence.iter().flat_map(|text| text.lines()) {
        out.line(format!("  | {}", safe(line.as_bytes())))?;
    }
    Ok(())
}
