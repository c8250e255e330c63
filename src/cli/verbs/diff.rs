//! `fr diff <id>`: what an event changed.

use serde::Serialize;

use crate::cli::Out;
use crate::cli::args::DiffArgs;
use crate::cli::render::{safe, style};
use crate::error::Result;
use crate::journal::index::Event;
use crate::model::{Bytes, Change, ChangeKind};
use crate::platform::home::Home;
use crate::recover;

#[derive(Serialize)]
struct Report {
    event: u64,
    changes: Vec<Change>,
}

/// Runs the verb.
pub fn run(args: &DiffArgs, out: &mut Out) -> Result<u8> {
    let (home, index) = super::opened()?;
    let event = index.find(&args.id)?;
    let changes = changes(&event, args.now, &home)?;
    if out.json {
        out.json(&Report { event: event.id.0, changes })?;
        return Ok(0);
    }
    if changes.is_empty() {
        out.talk("no difference is recorded");
    }
    show(&changes, args.stat, out)?;
    Ok(0)
}

/// The changes for people; `stat` leaves out what they hold.
pub(in crate::cli) fn show(changes: &[Change], stat: bool, out: &mut Out) -> Result<()> {
    for change in changes {
        head(change, out)?;
        if !stat {
            body(change, out)?;
        }
    }
    Ok(())
}

fn changes(event: &Event, now: bool, home: &Home) -> Result<Vec<Change>> {
    if now { recover::changes_until_now(event, home) } else { recover::changes(event, home) }
}

fn head(change: &Change, out: &mut Out) -> Result<()> {
    let (word, mark) = match change.how {
        ChangeKind::Added => ("added", style::GOOD),
        ChangeKind::Removed => ("removed", style::ERROR),
        ChangeKind::Changed => ("changed", style::WARN),
        ChangeKind::Metadata => ("metadata", style::WARN),
        ChangeKind::Unknown => ("not known", style::DIM),
    };
    let word = out.paint(mark, format!("{word:<9}"));
    out.line(format!("{word} {}", safe(change.what.as_slice())))
}

/// The difference of two texts, line by line; of anything else, that it differs.
fn body(change: &Change, out: &mut Out) -> Result<()> {
    let text =
        |bytes: &Option<Bytes>| bytes.as_ref().map_or(Some(String::new()), |b| b.as_str().map(str::to_owned));
    if change.before.is_none() && change.after.is_none() {
        return Ok(());
    }
    let (Some(before), Some(after)) = (text(&change.before), text(&change.after)) else {
        return out.line("  binary content");
    };
    let patch = diffy::create_patch(&before, &after);
    for line in patch.to_string().lines().skip(2) {
        let mark = match line.as_bytes().first() {
            Some(b'+') => style::GOOD,
            Some(b'-') => style::ERROR,
            _ => style::DIM,
        };
        let line = out.paint(mark, safe(line.as_bytes()));
        out.line(format!("  {line}"))?;
    }
    Ok(())
}
