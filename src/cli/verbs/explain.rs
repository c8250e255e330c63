//! `fr explain`: what `fr` would see in a command line. Runs nothing, records nothing.

use crate::cli::render::{safe, style};
use crate::cli::{Out, args::ExplainArgs};
use crate::error::{Error, Result};
use crate::intake::{self, Action};
use crate::model::{Bytes, Verdict};
use crate::platform::home::{self, Home};
use crate::record::explain::{Coverage, Foretold, coverage};
use crate::record::{self, Config, Mode};

/// Runs the verb.
pub fn run(args: &ExplainArgs, out: &mut Out) -> Result<u8> {
    let cwd = std::env::current_dir()
        .map_err(|e| Error::failure(format!("cannot find the current directory: {e}")))?;
    let action = match (&args.command, args.argv.as_slice()) {
        // One word alone is a line in quotes: no program's name has blanks in it.
        (Some(line), _) | (None, [line]) => Action::Shell(Bytes::from(line.as_os_str()).0),
        (None, _) => Action::Argv(args.argv.iter().map(|a| Bytes::from(a.as_os_str())).collect()),
    };
    let mut reading = record::read(&action, &Bytes::from(cwd), &intake::current_env());
    record::explain::hide_secrets(&mut reading);
    let config = settings(out)?;
    let policy = record::explain::foretell(&reading.effects, &config);
    let report = record::explain::report(&reading.understood, &reading.effects, policy);
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
            Coverage::Listed => "captured as far as it is listed before",
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
    answer(&report.policy, out)?;
    Ok(0)
}

/// The settings in force; the default ones where there is no store yet.
fn settings(out: &mut Out) -> Result<Config> {
    let home = Home::at(home::state_dir()?);
    Config::load(&home).or_else(|error| {
        let what = safe(error.what.as_bytes());
        out.talk(format!("warning: the settings do not count: {what}; `fr config check` names the line"));
        Ok(Config::default())
    })
}

/// What an agent would be answered.
fn answer(policy: &Foretold, out: &mut Out) -> Result<()> {
    let (mark, told) = match &policy.guard {
        Verdict::Allow => (style::GOOD, "let it run".to_owned()),
        Verdict::Ask { reason } => (style::WARN, format!("ask: {reason}")),
        Verdict::Deny { reason } => (style::ERROR, format!("deny: {reason}")),
    };
    let (would, mode) = match policy.mode {
        Mode::Guard => ("guard mode will", "the mode in force"),
        Mode::Observe => ("guard mode would", "not in force: mode is observe, it runs and is recorded"),
    };
    let told = out.paint(mark, safe(told.as_bytes()));
    out.line(format!("{would} {told} ({mode})"))
}
