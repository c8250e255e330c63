//! `fr restore <id> --to DIR`: the old state beside the present.

use crate::cli::Out;
use crate::cli::args::RestoreArgs;
use crate::cli::render::{safe, style};
use crate::error::{ExitCode, Result};
use crate::model::{Bytes, StepOutcome};
use crate::recover;

/// Runs the verb.
pub fn run(args: &RestoreArgs, out: &mut Out) -> Result<u8> {
    let (home, index) = super::opened()?;
    let event = index.find(&args.id)?;
    let targets: Vec<Bytes> = args.target.iter().cloned().map(Bytes::from).collect();
    let chosen = recover::Chosen::of(&event, &targets)?;
    let done = recover::restore_to(&event, &chosen, &args.to, &home, &|_| {})?;
    if out.json {
        let rows: Vec<_> = done
            .iter()
            .map(|(resource, outcome)| serde_json::json!({"resource": resource, "outcome": outcome}))
            .collect();
        out.json(&rows)?;
    }
    let mut code = 0;
    for (resource, outcome) in &done {
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
