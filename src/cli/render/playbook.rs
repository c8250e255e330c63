//! What happened in a run of a playbook, for people.

use super::{safe, when};
use crate::cli::Out;
use crate::error::Result;
use crate::model::{PlaybookMark, PlaybookMoment};

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
