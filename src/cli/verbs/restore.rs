//! `fr restore <id> --to DIR`, `--to namespace:NAME`: the old state beside the present.

use std::path::Path;

use crate::cli::Out;
use crate::cli::args::RestoreArgs;
use crate::cli::render::{safe, style};
use crate::error::{ExitCode, Result};
use crate::model::{Bytes, StepOutcome};
use crate::recover;

/// What was put there, how that ended, and what was left out.
type Put = (Bytes, StepOutcome, Vec<String>);

/// `KIND:NAME`; a directory of such a name is `./KIND:NAME`.
fn place(to: &Path) -> Option<(&str, &str)> {
    let (kind, name) = to.to_str()?.split_once(':')?;
    ["namespace", "schema", "database"].contains(&kind).then_some((kind, name))
}

/// Runs the verb.
pub fn run(args: &RestoreArgs, out: &mut Out) -> Result<u8> {
    let (home, index) = super::opened()?;
    let event = index.find(&args.id)?;
    let targets: Vec<Bytes> = args.target.iter().cloned().map(Bytes::from).collect();
    let chosen = recover::Chosen::of(&event, &targets)?;
    let done: Vec<Put> = match place(&args.to) {
        Some(place) => recover::restore_into(&event, &chosen, place, &home, &|_| {})?,
        None => {
            let put = recover::restore_to(&event, &chosen, &args.to, &home, &|_| {})?;
            put.into_iter().map(|(resource, outcome)| (resource, outcome, Vec::new())).collect()
        }
    };
    if out.json {
        let rows: Vec<_> = done
            .iter()
            .map(|(resource, outcome, notes)| match notes.is_empty() {
                true => serde_json::json!({"resource": resource, "outcome": outcome}),
                false => serde_json::json!({"resource": resource, "outcome": outcome, "notes": notes}),
            })
            .collect();
        out.json(&rows)?;
    }
    let mut code = 0;
    for (resource, outcome, notes) in &done {
        let word = match outcome {
            StepOutcome::Done => out.paint(style::GOOD, "restored"),
            StepOutcome::Waiting { operation } => format!("waiting for {operation}"),
            StepOutcome::Conflict { reason } | StepOutcome::Failed { reason } => {
                out.paint(style::ERROR, safe(reason.as_bytes()))
            }
        };
        if *outcome != StepOutcome::Done {
            code = ExitCode::Partial as u8;
        }
        if !out.json {
            out.line(format!("  {}: {word}", safe(resource.as_slice())))?;
            for note in notes {
                out.line(format!("    {}", out.paint(style::WARN, safe(note.as_bytes()))))?;
            }
        }
    }
    if !out.json {
        out.line(format!(
            "the state before event {} is in {}",
            event.id,
            safe(args.to.as_os_str().as_encoded_bytes())
        ))?;
    }
    Ok(code)
}
