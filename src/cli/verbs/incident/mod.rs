//! `fr incident`: open one, write down what happens, report.

mod change;
mod show;

use std::path::Path;

use crate::cli::Out;
use crate::cli::args::{IncidentAction, IncidentArgs, ReportFormat};
use crate::cli::render::safe;
use crate::error::{Error, Result};
use crate::respond::incident;
use crate::respond::report::{Report, report};

/// Runs the verb.
pub fn run(args: IncidentArgs, out: &mut Out) -> Result<u8> {
    match args.action {
        IncidentAction::List => show::list(out),
        IncidentAction::Show { id } => show::one(id, out),
        IncidentAction::Timeline { id, all } => show::timeline(id, all, out),
        IncidentAction::Report { id, format, out: file } => write_report(id, format, file.as_deref(), out),
        other => change::run(other, out),
    }
}

fn write_report(id: Option<u64>, format: ReportFormat, file: Option<&Path>, out: &mut Out) -> Result<u8> {
    let (home, index) = super::opened()?;
    let found = incident::find(&index, id)?;
    let made = report(&incident::load(&index, found.id)?, &index, &home)?;
    let format = if out.json { ReportFormat::Json } else { format };
    let text = written(&made, format)?;
    let Some(file) = file else {
        out.line(text.trim_end())?;
        return Ok(0);
    };
    std::fs::write(file, text)
        .map_err(|e| Error::io("write", file, &e).hint("name another file after --out"))?;
    out.talk(format!("written to {}", safe(file.as_os_str().as_encoded_bytes())));
    Ok(0)
}

fn written(made: &Report, format: ReportFormat) -> Result<String> {
    match format {
        ReportFormat::Md => made.markdown(),
        ReportFormat::Html => made.html(),
        ReportFormat::Json => {
            let text = serde_json::to_string_pretty(made);
            text.map(|text| text + "\n").map_err(|e| Error::failure(format!("cannot render JSON: {e}")))
        }
    }
}
