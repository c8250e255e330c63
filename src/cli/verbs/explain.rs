//! `fr explain`: what `fr` would see in a command line. Runs nothing, records nothing.

use crate::cli::render::{safe, style};
use crate::cli::{Out, args::ExplainArgs};
use crate::error::{Error, Result};
use crate::intake::{self, Action};
use crate::model::Bytes;
use crate::record;
use crate::record::explain::{Coverage, coverage};

/// Runs the verb.
pub fn run(args: &ExplainArgs, out: &mut Out) -> Result<u8> {
    let cwd = std::env::current_dir()
        .map_err(|e| Error::failure(format!("cannot find the current directory: {e}")))?;
    let action = match &args.command {
        Some(line) => Action::Shell(Bytes::from(line.as_os_str()).0),
        None => Action::Argv(args.argv.iter().map(|a| Bytes::from(a.as_os_str())).collect()),
    };
    let mut reading = record::read(&action, &Bytes::from(cwd), &intake::current_env());
    record::explain::hide_secrets(&mut reading);
    let report = record::explain::report(&reading.understood, &reading.effects);
    if out.json {
        out.json(&report)?;
        return Ok(0);
    }
    let class = out.paint(style::of_class(report.class), report.class.as_str());
    out.line(format!("class: {class}"))?;
    for effect in &reading.effects {
        let class = out.paint(style::of_class(effect.class), format!("{:<10}", effect.class));
        let sure = if effect.certain { "" } else { "  (not certain)" };
        let capture = match coverage(effect) {
            Coverage::All => "captured first",
            Coverage::LocalSide => "captured here, not on the remote side",
            Coverage::None => "recorded, not captured",
        };
        let resource = safe(effect.resource.as_slice());
        out.line(format!(
            "  {class} {:<11} {resource}  {}, {capture}{sure}",
            effect.system.0, effect.reversibility
        ))?;
    }
    for why in &reading.understood.opaque {
        out.line(format!("  {}", safe(why.as_bytes())))?;
    }
    Ok(0)
}
