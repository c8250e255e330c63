//! `fr undo`: choose events, plan, preview, confirm, apply, prove.

mod again;
mod passed;
mod plan_file;

use crate::cli::args::{UndoArgs, WhichEvents, WhichPart};
use crate::cli::ask::{Choice, chosen, typed};
use crate::cli::render::{plan_text, progress, report_text, safe, when};
use crate::cli::{Out, usage};
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Index};
use crate::model::{Bytes, EventId, Policy, Step, StepVerdict, Way};
use crate::platform::clock;
use crate::platform::home::Home;
use crate::recover::{self, Applied, Later, Scope, Selection, UndoPlan};
use crate::store::Store;
use crate::systems;

/// How the person wants it.
#[derive(Clone, Copy)]
pub(super) struct Wishes {
    pub dry_run: bool,
    pub yes: bool,
    pub policy: Policy,
    /// Real infrastructure may be changed.
    pub infra: bool,
}

/// What an undo works with.
pub(in crate::cli) struct Desk<'a> {
    pub index: &'a Index,
    pub home: &'a Home,
    pub store: &'a Store,
    /// What was asked for and cannot be taken back, because nothing of it was captured.
    pub passed_over: Vec<String>,
}

/// Runs the verb.
pub fn run(args: &UndoArgs, out: &mut Out) -> Result<u8> {
    let (home, index) = super::opened()?;
    let store = Store::open(&home)?;
    let mut desk = Desk { index: &index, home: &home, store: &store, passed_over: Vec::new() };
    let wishes = Wishes {
        dry_run: args.dry_run,
        yes: args.yes,
        policy: args.on_conflict.into(),
        infra: args.apply_infra,
    };
    if args.resume {
        return again::resume(&desk, wishes, out);
    }
    if args.abort {
        return again::abort(&desk, wishes, out);
    }
    refuse_over_an_unfinished_one(&index)?;
    if let Some(file) = &args.plan {
        return plan_file::apply(file, wishes, &desk, out);
    }
    let scope = scope(&args.part)?;
    let selection = selection(&args.ids, &args.which)?;
    let mut events = events(&selection, &index)?;
    desk.passed_over = passed::passed_over(&selection, &events, &scope, &index)?;
    if args.which.with_dependents {
        events = recover::with_dependents(events, &scope, &index, &store, &home)?;
    }
    if let Some(file) = &args.plan_out {
        if !recover::first_round(&events, &store.reader()).1.is_empty() {
            return Err(Error::failure(
                "this cannot be planned in one piece: a repository or a database has to be back first that later steps need",
            )
            .hint("without --plan-out it is taken back in rounds, each with a plan of its own"));
        }
        let plan = planned(&events, &scope, wishes.policy, &desk)?;
        return plan_file::write(file, &plan, &scope, out);
    }
    take_back(&events, &scope, wishes, &desk, out)
}

fn selection(ids: &[String], which: &WhichEvents) -> Result<Selection> {
    let since_ns = which.since.as_ref().map(|text| when::parse_moment(text, clock::now_ns())).transpose()?;
    Ok(Selection {
        ids: ids.to_vec(),
        session: which.session.clone(),
        since_ns,
        last: which.last.map(|n| n as usize),
        actor: which.actor.clone(),
        exclude: which.exclude.clone(),
    })
}

/// The events that are meant, newest first.
fn events(selection: &Selection, index: &Index) -> Result<Vec<Event>> {
    let chosen = match selection.is_empty() {
        true if selection.actor.is_some() => {
            recover::selected(index, &Selection { last: Some(1), ..selection.clone() })?
        }
        true => vec![recover::latest_undoable(index)?],
        false => recover::selected(index, selection)?,
    };
    match <[Event; 1]>::try_from(chosen) {
        Ok([one]) => Ok(vec![recover::standing(index, one)?]),
        Err(several) => Ok(several),
    }
}

/// The part of them that is meant.
fn scope(part: &WhichPart) -> Result<Scope> {
    for name in &part.system {
        if systems::by_id(name).is_none() {
            let known: Vec<String> = systems::all().iter().map(|system| system.id().0.into_owned()).collect();
            return Err(usage(format!("no system is called {}", name.escape_debug()))
                .hint(format!("one of: {}", known.join(", "))));
        }
    }
    let absolute = |path: &std::path::PathBuf| {
        std::path::absolute(path).map(Bytes::from).map_err(|e| usage(format!("not a path: {e}")))
    };
    let paths = part.path.iter().map(absolute).collect::<Result<Vec<_>>>()?;
    Ok(Scope { systems: part.system.clone(), paths })
}

/// The plan, with conflicts that say who changed the target.
pub(in crate::cli) fn planned(
    events: &[Event],
    scope: &Scope,
    policy: Policy,
    desk: &Desk<'_>,
) -> Result<UndoPlan> {
    let mut plan = recover::plan(events, scope, desk.store, desk.home)?;
    if plan.conflicts().next().is_some() {
        Later::than(events, desk.index, desk.store).name_in(&mut plan)?;
    }
    plan.choose(policy);
    if let [one] = events
        && let Some(meant) = recover::meant(one, desk.index)?
    {
        plan.command = meant;
    }
    Ok(plan)
}

/// Takes events back: at once, where all of them can be planned at once.
pub(super) fn take_back(
    events: &[Event],
    scope: &Scope,
    wishes: Wishes,
    desk: &Desk<'_>,
    out: &mut Out,
) -> Result<u8> {
    let (now, later) = recover::first_round(events, &desk.store.reader());
    if later.is_empty() {
        return take_back_now(now, scope, wishes, desk, out).map(|(code, _)| code);
    }
    let ahead = match conflict_ahead(events, scope, wishes.policy, desk)? {
        Some(error) if !wishes.dry_run => return Err(error),
        ahead => ahead,
    };
    let (code, undo) = match take_back_now(now, scope, wishes, desk, out) {
        // It is back already, or was nothing: what is older is still to be taken back.
        Err(error) if error.code == ExitCode::NothingToUndo => {
            return take_back(later, scope, wishes, desk, out);
        }
        taken => taken?,
    };
    let ids = numbers(later);
    if wishes.dry_run {
        out.talk(format!("then {ids}: planned when {} has been taken back", numbers(now)));
        let Some(error) = ahead else { return Ok(code) };
        out.talk(format!("but that is known already: {error}"));
        return Ok(ExitCode::Conflict as u8);
    }
    let rest = match take_back(later, scope, wishes, desk, out) {
        // Somebody, or an earlier undo, has brought it back already: that is no failure of this one.
        Err(error) if error.code == ExitCode::NothingToUndo && is_back(later, scope, wishes, desk) => {
            out.talk(format!("{ids}: {error}"));
            Ok(0)
        }
        rest => rest,
    };
    let done = match undo {
        Some(undo) => format!("{} undone by event {undo} (`fr redo {undo}` takes that back)", numbers(now)),
        None => format!("{} undone", numbers(now)),
    };
    let rest = rest.map_err(|error| {
        Error { code: ExitCode::Partial, ..error }.context(format!("{done}, but not {ids}"))
    });
    Ok(code.max(rest?))
}

/// There is nothing left to do for these, which is more than that nothing can be done.
fn is_back(events: &[Event], scope: &Scope, wishes: Wishes, desk: &Desk<'_>) -> bool {
    let is_last = recover::first_round(events, &desk.store.reader()).1.is_empty();
    is_last && planned(events, scope, wishes.policy, desk).is_ok_and(|plan| plan.is_done())
}

fn numbers(events: &[Event]) -> String {
    events.iter().map(|event| event.id.to_string()).collect::<Vec<_>>().join(" ")
}

/// A conflict of a later round that is known before the first one writes.
fn conflict_ahead(events: &[Event], scope: &Scope, policy: Policy, desk: &Desk<'_>) -> Result<Option<Error>> {
    let Some(mut plan) = recover::foreseen(events, scope, desk.store, desk.home)? else { return Ok(None) };
    if plan.conflicts().next().is_some() {
        Later::than(events, desk.index, desk.store).name_in(&mut plan)?;
    }
    plan.choose(policy);
    let stops = plan.conflicts().next().is_some() && !plan.leaves_conflicts_alone();
    Ok(stops.then(|| conflict(&plan)))
}

/// Plans, shows, asks, applies and reports the undo of events.
fn take_back_now(
    events: &[Event],
    scope: &Scope,
    wishes: Wishes,
    desk: &Desk<'_>,
    out: &mut Out,
) -> Result<(u8, Option<EventId>)> {
    let mut plan = planned(events, scope, wishes.policy, desk)?;
    plan.passed_over.clone_from(&desk.passed_over);
    if wishes.infra {
        plan.ask_for_infra();
    }
    if let Some(code) = previewed(&plan, wishes, out)? {
        return Ok((code, None));
    }
    if plan.conflicts().next().is_some() && !plan.leaves_conflicts_alone() {
        let error = conflict(&plan);
        // What an undo in part has restored may look like somebody's change.
        return Err(match events.iter().filter_map(|event| event.undone_by).max() {
            Some(part) => error.hint(format!("`fr redo {part}` takes back the undo in part first")),
            None => error,
        });
    }
    if plan.restoring().next().is_none() && plan.waits_for_request() {
        let what = format!("nothing was written: what is left of {} changes real infrastructure", of(&plan));
        return Err(Error::new(ExitCode::Partial, what).hint("`--apply-infra` does it"));
    }
    if plan.restoring().next().is_none() {
        return Err(Error::new(
            ExitCode::NothingToUndo,
            format!("nothing of {} can be brought back", of(&plan)),
        ));
    }
    if !wishes.yes {
        agreed(&mut plan, out)?;
    }
    let progress = progress::items("restoring");
    let applied = recover::apply(&plan, events, actor(), desk.home, &|n| progress.set_position(n))?;
    progress.finish_and_clear();
    Ok((report(&applied, out)?, Some(applied.event)))
}

/// Who asks for it.
pub(in crate::cli) fn actor() -> crate::model::Actor {
    crate::intake::attribution::actor_here(&crate::intake::current_env())
}

/// Shows the plan. An exit code where there is nothing more to do than to show it.
fn previewed(plan: &UndoPlan, wishes: Wishes, out: &mut Out) -> Result<Option<u8>> {
    if wishes.dry_run && out.json {
        out.json(plan)?;
        return Ok(Some(plan_code(plan)));
    }
    if !out.json {
        plan_text(plan, out)?;
    }
    if plan.steps.is_empty() && !plan.left_out.is_empty() {
        let what = format!("nothing to do: {} changed nothing of the part that is asked for", of(plan));
        return Err(Error::new(ExitCode::NothingToUndo, what));
    }
    if plan.is_done() {
        let lacks = plan.steps.iter().any(|step| !step.not_restored.is_empty());
        let is_so = match plan.steps.iter().any(|step| step.policy.is_some()) {
            false if lacks => "is back as far as it can be".to_owned(),
            true => format!("is as it was before it or as --on-conflict {} leaves it", plan.policy.word()),
            false => "is as it was before it".to_owned(),
        };
        let is_all = plan.uncaptured.is_empty() && plan.residue.is_empty() && plan.passed_over.is_empty();
        let captured = if is_all { "" } else { "captured " };
        let what = format!("nothing to do: every {captured}target of {} {is_so}", of(plan));
        return Err(Error::new(ExitCode::NothingToUndo, what));
    }
    if wishes.dry_run {
        out.talk("dry run: nothing was written");
        return Ok(Some(plan_code(plan)));
    }
    Ok(None)
}

/// Asks. Of several steps some can be chosen by their numbers.
fn agreed(plan: &mut UndoPlan, out: &mut Out) -> Result<()> {
    let no = || {
        Error::new(ExitCode::Failure, "not applied")
            .hint("`--yes` applies without asking, `--dry-run` only shows")
    };
    let forced = match plan.forced().count() {
        0 => {
            return match chosen("Apply these steps?", plan.steps.len(), out)? {
                Choice::All => Ok(()),
                Choice::None => Err(no()),
                Choice::Some(numbers) => {
                    plan.keep_steps(&numbers);
                    plan.restoring().next().map(|_| ()).ok_or_else(no)
                }
            };
        }
        1 => typed("force", "1 target that somebody changed since will be overwritten.", out)?,
        n => typed("force", &format!("{n} targets that somebody changed since will be overwritten."), out)?,
    };
    if forced { Ok(()) } else { Err(no()) }
}

fn report(applied: &Applied, out: &mut Out) -> Result<u8> {
    if out.json {
        out.json(applied)?;
    } else {
        report_text(applied, out)?;
    }
    Ok(if applied.is_complete() && applied.passed_over.is_empty() { 0 } else { ExitCode::Partial as u8 })
}

/// `event 42`, `5 events`.
fn of(plan: &UndoPlan) -> String {
    match plan.events.as_slice() {
        [one] => format!("event {one}"),
        several => format!("{} events", several.len()),
    }
}

fn plan_code(plan: &UndoPlan) -> u8 {
    if plan.conflicts().next().is_some() { ExitCode::Conflict as u8 } else { 0 }
}

/// What stands in the way, and the ways out.
pub(in crate::cli) fn conflict(plan: &UndoPlan) -> Error {
    let name = |step: &Step| match &step.verdict {
        StepVerdict::Conflict { reason } => safe(format!("{}: {reason}", step.resource.lossy()).as_bytes()),
        _ => safe(step.resource.as_slice()),
    };
    let names: Vec<String> = plan.conflicts().take(5).map(name).collect();
    let more = plan.conflicts().count().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Error::new(
        ExitCode::Conflict,
        format!("changed since {}, nothing was written: {}{more}", of(plan), names.join("; ")),
    )
    .hint(ways_out(plan))
    .hint(match plan.events.as_slice() {
        [one] => {
            format!("`fr restore {one} --to DIR` puts the whole old state into a directory of its own")
        }
        _ => "`fr restore ID --to DIR` puts the old state of one of the events into a directory of its own"
            .to_owned(),
    })
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

/// Another undo first has to be gone on with, or gone back from.
pub(in crate::cli) fn refuse_over_an_unfinished_one(index: &Index) -> Result<()> {
    match recover::unfinished(index)? {
        None => Ok(()),
        Some(event) => Err(Error::new(
            ExitCode::Failure,
            format!("undo event {} was interrupted and is not finished", event.id),
        )
        .hint("`fr undo --resume` goes on with it, `fr undo --abort` goes back")),
    }
}
