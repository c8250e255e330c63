//! `fr undo`: plan, preview, confirm, apply, prove.

use crate::cli::Out;
use crate::cli::args::UndoArgs;
use crate::cli::ask::{confirmed, typed};
use crate::cli::render::{plan_text, progress, report_text, safe};
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Index};
use crate::model::{EventKind, Policy, Step, StepVerdict, Way};
use crate::platform::home::Home;
use crate::recover::{self, Applied, UndoPlan};
use crate::store::Store;

/// How the person wants it.
#[derive(Clone, Copy)]
pub(super) struct Wishes {
    pub dry_run: bool,
    pub yes: bool,
    pub policy: Policy,
}

/// Runs the verb.
pub fn run(args: &UndoArgs, out: &mut Out) -> Result<u8> {
    let (home, index) = super::opened()?;
    if args.resume {
        return resume(&index, &home, out);
    }
    refuse_over_an_unfinished_one(&index)?;
    let wishes = Wishes { dry_run: args.dry_run, yes: args.yes, policy: args.on_conflict.into() };
    if args.ids.is_empty() {
        let event = recover::latest_undoable(&index)?;
        return take_back(&event, wishes, &home, out);
    }
    let mut events = args.ids.iter().map(|id| index.find(id)).collect::<Result<Vec<Event>>>()?;
    events.sort_by_key(|e| std::cmp::Reverse(e.id));
    events.dedup_by_key(|e| e.id);
    let mut worst = 0;
    let mut done = Vec::new();
    for event in &events {
        let code = take_back(event, wishes, &home, out).map_err(|error| after_others(error, &done))?;
        worst = worst.max(code);
        done.push(event.id.to_string());
    }
    Ok(worst)
}

/// Several events are taken back one by one. Where one of them is refused, those before it are undone, and it is said.
fn after_others(mut error: Error, done: &[String]) -> Error {
    if done.is_empty() {
        return error;
    }
    error.code = ExitCode::Partial;
    error.context(format!("undone: {}; then", done.join(", ")))
}

/// Plans, shows, asks, applies and reports the undo of one event.
pub(super) fn take_back(event: &Event, wishes: Wishes, home: &Home, out: &mut Out) -> Result<u8> {
    let store = Store::open(home)?;
    let mut plan = recover::plan(event, &store, home)?;
    plan.choose(wishes.policy);
    if wishes.dry_run && out.json {
        out.json(&plan)?;
        return Ok(plan_code(&plan));
    }
    if !out.json {
        plan_text(&plan, out)?;
    }
    if plan.is_done() {
        let is_so = match plan.steps.iter().any(|step| step.policy.is_some()) {
            true => format!("is as it was before it or as --on-conflict {} leaves it", plan.policy.word()),
            false => "is as it was before it".to_owned(),
        };
        let what = format!("nothing to do: every target of event {} {is_so}", event.id);
        return Err(Error::new(ExitCode::NothingToUndo, what));
    }
    if wishes.dry_run {
        out.talk("dry run: nothing was written");
        return Ok(plan_code(&plan));
    }
    if plan.conflicts().next().is_some() && !plan.leaves_conflicts_alone() {
        let error = conflict(&plan);
        return Err(match event.undone_by {
            Some(part) => error.hint(format!("`fr redo {part}` takes back the undo in part first")),
            None => error,
        });
    }
    if plan.restoring().next().is_none() {
        return Err(Error::new(
            ExitCode::NothingToUndo,
            format!("nothing of event {} can be brought back", event.id),
        ));
    }
    if !wishes.yes && !agreed(&plan, out)? {
        return Err(Error::new(ExitCode::Failure, "not applied")
            .hint("`--yes` applies without asking, `--dry-run` only shows"));
    }
    let progress = progress::items("restoring");
    let applied = recover::apply(
        &plan,
        event,
        crate::intake::attribution::actor_here(&crate::intake::current_env()),
        home,
        &|n| progress.set_position(n),
    )?;
    progress.finish_and_clear();
    report(&applied, out)
}

fn agreed(plan: &UndoPlan, out: &mut Out) -> Result<bool> {
    match plan.forced().count() {
        0 => confirmed("Apply these steps?", out),
        1 => typed("force", "1 target that somebody changed since will be overwritten.", out),
        n => typed("force", &format!("{n} targets that somebody changed since will be overwritten."), out),
    }
}

fn report(applied: &Applied, out: &mut Out) -> Result<u8> {
    if out.json {
        out.json(applied)?;
    } else {
        report_text(applied, out)?;
    }
    Ok(if applied.is_complete() { 0 } else { ExitCode::Partial as u8 })
}

fn plan_code(plan: &UndoPlan) -> u8 {
    if plan.conflicts().next().is_some() { ExitCode::Conflict as u8 } else { 0 }
}

fn conflict(plan: &UndoPlan) -> Error {
    let name = |step: &Step| match &step.verdict {
        StepVerdict::Conflict { reason } => safe(format!("{}: {reason}", step.resource.lossy()).as_bytes()),
        _ => safe(step.resource.as_slice()),
    };
    let names: Vec<String> = plan.conflicts().take(5).map(name).collect();
    let more = plan.conflicts().count().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Error::new(
        ExitCode::Conflict,
        format!("changed since event {}, nothing was written: {}{more}", plan.event, names.join("; ")),
    )
    .hint(ways_out(plan))
    .hint(format!(
        "`fr restore {} --to DIR` puts the whole old state into a directory of its own",
        plan.event
    ))
}

/// The policies that would help here, the gentlest first.
fn ways_out(plan: &UndoPlan) -> String {
    let open = |way: &Way| !matches!(way.verdict, StepVerdict::Conflict { .. });
    let has = |step: &Step, policy| step.ways.iter().any(|way| way.policy == policy && open(way));
    let all = |policy| plan.conflicts().all(|step| has(step, policy));
    let mut useful = Vec::new();
    if plan.policy != Policy::Merge && all(Policy::Merge) {
        useful.push("`--on-conflict merge` keeps what was changed since and takes the command's change out");
    }
    if plan.conflicts().any(|step| has(step, Policy::SideBySide)) {
        useful.push("`--on-conflict side-by-side` puts the old versions beside the present");
    }
    useful.push("`--on-conflict skip` restores the other targets");
    if plan.policy != Policy::Force && all(Policy::Force) {
        useful.push("`--on-conflict force` overwrites what was changed since");
    }
    useful.join("; ")
}

fn refuse_over_an_unfinished_one(index: &Index) -> Result<()> {
    match recover::unfinished(index)? {
        None => Ok(()),
        Some(event) => Err(Error::new(
            ExitCode::Failure,
            format!("undo event {} was interrupted and is not finished", event.id),
        )
        .hint("`fr undo --resume` goes on with it")),
    }
}

fn resume(index: &Index, home: &Home, out: &mut Out) -> Result<u8> {
    let Some(undo) = recover::unfinished(index)? else {
        return Err(Error::new(ExitCode::NothingToUndo, "no interrupted undo is there to go on with"));
    };
    let (EventKind::Undo { of, .. } | EventKind::Redo { of, .. }) = &undo.before.kind else {
        return Err(Error::failure(format!("event {} is no undo", undo.id)));
    };
    let mut worst = 0;
    let events = of.iter().map(|id| index.find(&id.to_string())).collect::<Result<Vec<Event>>>()?;
    // Parts are taken back by the plan of their line.
    let is_part = |event: &Event| event.before.parent.is_some_and(|parent| of.contains(&parent));
    for event in events.iter().filter(|event| !is_part(event)) {
        let applied = recover::resume(&undo, event, home, &|_| {})?;
        worst = worst.max(report(&applied, out)?);
    }
    Ok(worst)
}
