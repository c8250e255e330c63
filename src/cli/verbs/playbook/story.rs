//! `fr playbook show RUN`: what was done in a run, step by step.

use serde::Serialize;

use super::desk::moment_word;
use crate::cli::Out;
use crate::cli::render::{Table, command_cell, run_words, safe, style, when};
use crate::error::Result;
use crate::journal::index::{Event, Index};
use crate::model::{EventId, PlaybookMark, PlaybookMoment, PlaybookStep};
use crate::respond::fold::{Fold, Folding, Place, mark_of};
use crate::respond::playbook::{self, RunState};

/// One step as it went (`schema/playbook-story.schema.json`).
#[derive(Serialize)]
struct Told<'a> {
    /// The event that says so.
    mark: EventId,
    time: String,
    #[serde(flatten)]
    step: &'a PlaybookStep,
    moment: PlaybookMoment,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
    /// The event of what it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a str>,
}

/// A run with its steps.
#[derive(Serialize)]
struct Story<'a> {
    #[serde(flatten)]
    run: &'a RunState,
    steps: Vec<Told<'a>>,
}

/// True where a name can be the beginning of a run's id.
pub fn is_run(name: &str) -> bool {
    name.len() >= 4 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Shows the run whose id begins like this.
pub fn show(begins: &str, out: &mut Out) -> Result<u8> {
    let (_, index) = super::super::opened()?;
    let run = playbook::find_run(&index, Some(begins))?;
    let steps = steps(&run);
    if out.json {
        out.json(&Story { run: &run, steps })?;
        return Ok(0);
    }
    let (words, paint) = run_words(&run);
    out.line(out.paint(paint, words))?;
    heading(&run, &index, out)?;
    let headings = ["ID", "STEP", "PHASE", "ENDED", "BY", "TOOK", "EVENT", "TOLD"];
    let mut table = Table::new(&headings, out.color, out.width);
    for step in &steps {
        let (word, paint) = moment_word(step.moment);
        let by = step.confirmed_by.unwrap_or(if step.took_ms.is_some() { "itself" } else { "" });
        table.row(vec![
            (step.mark.to_string(), Some(style::DIM)),
            (safe(step.step.id.as_bytes()), Some(style::BOLD)),
            (step.step.phase.as_str().to_owned(), Some(style::DIM)),
            (word.to_owned(), Some(paint)),
            (safe(by.as_bytes()), None),
            (step.took_ms.map(when::duration).unwrap_or_default(), Some(style::DIM)),
            (step.event.map(|event| event.to_string()).unwrap_or_default(), None),
            (told(step), None),
        ]);
    }
    for line in table.lines() {
        out.line(line)?;
    }
    if !run.is_finished() {
        out.line(format!("go on: fr playbook resume {}", playbook::short(run.run)))?;
    }
    Ok(0)
}

/// Its steps in their order; a beginning whose end is on record is left out.
fn steps(run: &RunState) -> Vec<Told<'_>> {
    let mut folding = Folding::new(Fold::Steps);
    let newest_first = run.marks.iter().rev().map(|(event, _)| event);
    let mut told: Vec<Told<'_>> =
        newest_first.filter(|event| folding.place(event) == Place::Stands).filter_map(one).collect();
    told.reverse();
    told
}

fn one(event: &Event) -> Option<Told<'_>> {
    let mark: &PlaybookMark = mark_of(event)?;
    // That somebody is waited for says nothing once they came.
    let step = mark.step.as_ref().filter(|_| mark.moment != PlaybookMoment::Waiting)?;
    Some(Told {
        mark: event.id,
        time: when::rfc3339(event.before.at_ns),
        step,
        moment: mark.moment,
        confirmed_by: mark.confirmed_by.as_deref(),
        code: mark.code,
        took_ms: mark.took_ms,
        event: mark.event,
        note: mark.note.as_deref(),
        evidence: mark.evidence.as_deref(),
    })
}

/// Why it ended like this, else the first line of what it told; `fr show ID` has all of it.
fn told(step: &Told<'_>) -> String {
    let text = step.note.or(step.evidence).unwrap_or_default();
    let mut lines = text.lines();
    let first = safe(lines.next().unwrap_or_default().as_bytes());
    if lines.next().is_some() { format!("{first} …") } else { first }
}

fn heading(run: &RunState, index: &Index, out: &mut Out) -> Result<()> {
    let began = when::absolute(run.began_ns);
    let by = run.marks.first().map(|(event, _)| safe(event.before.actor.name.as_bytes())).unwrap_or_default();
    out.line(format!("  began     {began} by {by}"))?;
    for id in &run.about {
        let line = index.event(*id)?.map(|event| command_cell(&event)).unwrap_or_default();
        out.line(format!("  about     event {id}: {line}"))?;
    }
    if let Some(incident) = run.incident {
        out.line(format!("  incident  {incident}"))?;
    }
    Ok(())
}
