//! `fr restore <id> --to DIR`, `--to namespace:NAME`: the old state beside the present.

use std::path::Path;

use crate::cli::Out;
use crate::cli::args::RestoreArgs;
use crate::cli::render::{safe, style};
use crate::error::{ExitCode, Result};
use crate::model::{Bytes, StepOutcome};
use crate::recover::{self, Beside, Put};

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
    let beside = place(&args.to).map_or(Beside::Dir(&args.to), |(kind, name)| Beside::Place(kind, name));
    let actor = super::undo::actor();
    let recover::Restored { event: own, put } =
        recover::restore(&event, &chosen, beside, actor, &home, &|_| {})?;
    if out.json {
        let rows: Vec<_> = put
            .iter()
            .map(|Put { resource, outcome, notes }| match notes.is_empty() {
                true => serde_json::json!({"resource": resource, "outcome": outcome}),
                false => serde_json::json!({"resource": resource, "outcome": outcome, "notes": notes}),
            })
            .collect();
        out.json(&rows)?;
    }
    let mut code = 0;
    for Put { resource, outcome, notes } in &put {
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
        let what = match code {
            0 => format!("the state before event {}", event.id),
            _ => format!("what could be had of the state before event {}", event.id),
        };
        let to = safe(args.to.as_os_str().as_encoded_bytes());
        out.line(format!("{what} is in {to} (event {own})"))?;
        if let Beside::Dir(_) = beside {
            out.line(out.paint(style::DIM, format!("`fr undo {own}` takes it away again")))?;
        }
    }
    Ok(code)
}
