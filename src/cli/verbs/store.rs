//! `fr store stats|verify|gc|pin|rebuild`.

use std::time::Duration;

use serde::Serialize;

use crate::cli::Out;
use crate::cli::args::{StoreAction, StoreArgs};
use crate::cli::render::{bytes, count, progress, safe, style, when};
use crate::error::Result;
use crate::journal::index::Index;
use crate::platform::home::Home;
use crate::store::gc::{self, Action, GcOptions, GcPlan};
use crate::store::verify::{Report, Severity};
use crate::store::{self, Store};
use crate::systems::{self, ForgetCx, Forgotten};

/// Runs the verb.
pub fn run(args: &StoreArgs, out: &mut Out) -> Result<u8> {
    let home = super::existing_home()?;
    match &args.action {
        StoreAction::Stats => stats(&home, out),
        StoreAction::Verify => verify(&home, out),
        StoreAction::Gc { keep_within, grace, dry_run } => {
            let age = |text: &str| when::parse_age(text).map(|ns| Duration::from_nanos(ns.unsigned_abs()));
            gc(&home, &GcOptions { keep_within: age(keep_within)?, grace: age(grace)? }, *dry_run, out)
        }
        StoreAction::Pin { id, remove } => pin(&home, id, *remove, out),
        StoreAction::Rebuild => rebuild(&home, out),
    }
}

fn stats(home: &Home, out: &mut Out) -> Result<u8> {
    let stats = store::stats::stats(&Store::open(home)?)?;
    if out.json {
        out.json(&stats)?;
        return Ok(0);
    }
    out.line(format!("events    {} ({} with captures)", stats.events, stats.captured_events))?;
    out.line(format!("captured  {}", bytes(stats.captured_bytes)))?;
    let objects = count(stats.objects, "object");
    out.line(format!(
        "packs     {} in {}, {objects}",
        bytes(stats.stored_bytes),
        count(stats.packs, "pack")
    ))?;
    out.line(format!("journal   {}", bytes(stats.journal_bytes)))?;
    out.line(format!("index     {}", bytes(stats.index_bytes)))?;
    if stats.condemned_packs > 0 {
        out.line(format!("condemned {}", count(stats.condemned_packs, "pack")))?;
    }
    Ok(0)
}

fn verify(home: &Home, out: &mut Out) -> Result<u8> {
    let bar = progress::bytes("reading");
    let report = store::verify::verify(&Store::open(home)?, &|read| bar.set_position(read))?;
    bar.finish_and_clear();
    let code = u8::from(!report.is_sound());
    if out.json {
        out.json(&report)?;
        return Ok(code);
    }
    findings(&report, out)?;
    let read =
        format!("{} frames and {} objects, {} read", report.frames, report.objects, bytes(report.bytes));
    let verdict = match report.worst() {
        Some(Severity::Damaged) => out.paint(style::ERROR, "damaged"),
        Some(Severity::Repairable) => {
            out.paint(style::WARN, "whole, but the index is wrong: run `fr store rebuild`")
        }
        _ => out.paint(style::GOOD, "whole"),
    };
    out.line(format!("{verdict}: {read}"))?;
    Ok(code)
}

fn findings(report: &Report, out: &mut Out) -> Result<()> {
    for finding in &report.findings {
        let mark = if finding.severity == Severity::Damaged { style::ERROR } else { style::WARN };
        let file = safe(finding.file.as_os_str().as_encoded_bytes());
        let text = format!("{file} at byte {}: {}", finding.offset, safe(finding.what.as_bytes()));
        out.line(out.paint(mark, text))?;
        if !finding.events.is_empty() {
            let ids: Vec<String> = finding.events.iter().map(ToString::to_string).collect();
            out.line(format!("  needed by events {}", ids.join(", ")))?;
        }
    }
    Ok(())
}

fn gc(home: &Home, options: &GcOptions, dry_run: bool, out: &mut Out) -> Result<u8> {
    let store = Store::open(home)?;
    let references = |kind, content: &[u8]| systems::references(kind, content).ok();
    if dry_run {
        let plan = gc::plan(&store, options, &references)?;
        let beside = forget(home, &plan, options, true)?;
        if out.json {
            out.json(&WithBeside { gc: plan, beside })?;
        } else {
            plan_text(&plan, out)?;
            beside_text("would remove", &beside, out)?;
            out.talk("dry run: nothing was written");
        }
        return Ok(0);
    }
    let report = gc::run(&store, options, &references)?;
    // What needed objects name is not known while some cannot be read.
    let whole = report.plan.unreadable_objects == 0;
    let beside = if whole { forget(home, &report.plan, options, false)? } else { Vec::new() };
    if out.json {
        out.json(&WithBeside { gc: report, beside })?;
        return Ok(0);
    }
    plan_text(&report.plan, out)?;
    beside_text("removed", &beside, out)?;
    let removed = count(report.removed, "pack");
    out.line(format!(
        "removed {removed}, freed {}; condemned {}",
        bytes(report.freed_bytes),
        count(report.condemned, "pack")
    ))?;
    for left in &report.left {
        out.line(out.paint(style::WARN, format!("left alone: {}", safe(left.as_bytes()))))?;
    }
    Ok(0)
}

/// What gc did or would do, and the same of what lies beside the packs.
#[derive(Serialize)]
struct WithBeside<T> {
    #[serde(flatten)]
    gc: T,
    beside: Vec<Forgotten>,
}

fn forget(home: &Home, plan: &GcPlan, options: &GcOptions, dry_run: bool) -> Result<Vec<Forgotten>> {
    systems::forget(&ForgetCx { kept: &plan.places, vault: home.vault(), grace: options.grace, dry_run })
}

fn beside_text(verb: &str, beside: &[Forgotten], out: &mut Out) -> Result<()> {
    for gone in beside {
        out.line(format!("{verb} the {}, {}", safe(gone.what.as_slice()), bytes(gone.bytes)))?;
    }
    Ok(())
}

fn plan_text(plan: &GcPlan, out: &mut Out) -> Result<()> {
    let since = when::absolute(plan.keep_since_ns);
    out.line(format!(
        "keeps the captures of {} since {since} and of pinned ones",
        count(plan.kept_events, "event")
    ))?;
    out.line(format!(
        "lets go those of {}, about {}",
        count(plan.expired_events, "event"),
        bytes(plan.reclaim_bytes)
    ))?;
    for pack in plan.packs.iter().filter(|p| p.action != Action::Keep) {
        let word = format!("{:?}", pack.action).to_lowercase();
        let dead = format!("{} of {} dead", bytes(pack.dead_bytes), bytes(pack.bytes));
        out.line(format!("  {word:<8} {}  {dead}", safe(pack.pack.as_bytes())))?;
    }
    Ok(())
}

fn pin(home: &Home, id: &str, remove: bool, out: &mut Out) -> Result<u8> {
    let event = Index::open(home)?.find(id)?.id;
    let text = if remove {
        let was = store::pin::unpin(home, event)?;
        if was {
            format!("event {event} is no longer pinned")
        } else {
            format!("event {event} was not pinned")
        }
    } else {
        store::pin::pin(home, event)?;
        format!("event {event} is pinned: gc keeps its captures for ever")
    };
    if out.json {
        out.json(&serde_json::json!({ "event": event, "pinned": !remove }))?;
    } else {
        out.line(text)?;
    }
    Ok(0)
}

fn rebuild(home: &Home, out: &mut Out) -> Result<u8> {
    Store::open(home)?;
    Index::rebuild(home)?;
    if out.json {
        out.json(&serde_json::json!({ "rebuilt": true }))?
    } else {
        out.line("the index was made anew")?
    }
    Ok(0)
}
