//! `fr verify`: can this event still be undone? Every object of its captures is read and checked.

use serde::Serialize;

use crate::cli::Out;
use crate::cli::args::VerifyArgs;
use crate::cli::render::{count, safe, style};
use crate::error::Result;
use crate::journal::index::{Event, Filter};
use crate::recover::{self, CaptureHealth};
use crate::store::Store;

#[derive(Serialize)]
struct Report {
    event: u64,
    whole: bool,
    captures: Vec<CaptureHealth>,
}

/// Runs the verb.
pub fn run(args: &VerifyArgs, out: &mut Out) -> Result<u8> {
    let (home, index) = super::opened()?;
    let store = Store::open(&home)?;
    let mut illegible = false;
    let all = Filter { changes: true, limit: usize::MAX, ..Filter::default() };
    let events: Vec<Event> = match &args.id {
        Some(id) => vec![index.find(id)?],
        None => index.legible(&all, |event, damage| {
            illegible = true;
            out.talk(format!("warning: event {event} cannot be read: {}", safe(damage.what.as_bytes())));
            Ok(())
        })?,
    };
    let mut reports = Vec::new();
    for event in events.iter().filter(|e| args.id.is_some() || !e.before.captures.is_empty()) {
        let captures = recover::verify_event(event, &store)?;
        let whole = captures.iter().all(|c| c.damage.is_empty());
        reports.push(Report { event: event.id.0, whole, captures });
    }
    let damaged = illegible || reports.iter().any(|r| !r.whole);
    if out.json {
        out.json(&reports)?;
        return Ok(u8::from(damaged));
    }
    for report in &reports {
        text(report, out)?;
    }
    Ok(u8::from(damaged))
}

fn text(report: &Report, out: &mut Out) -> Result<()> {
    if report.captures.is_empty() {
        return out.line(format!("event {}: nothing was captured", report.event));
    }
    let verdict =
        if report.whole { out.paint(style::GOOD, "whole") } else { out.paint(style::ERROR, "damaged") };
    let objects: u64 = report.captures.iter().map(|c| c.objects).sum();
    out.line(format!("event {}: {verdict}, {} read", report.event, count(objects, "object")))?;
    for capture in &report.captures {
        for damage in &capture.damage {
            out.line(out.paint(
                style::ERROR,
                format!("  {}: {}", safe(capture.resource.as_slice()), safe(damage.as_bytes())),
            ))?;
        }
        for left_out in &capture.left_out {
            out.line(out.paint(style::WARN, format!("  not captured: {}", safe(left_out.as_bytes()))))?;
        }
    }
    Ok(())
}
