//! Undo plans and their outcome for people: numbered steps, and what does not come back.

use super::{safe, style};
use crate::cli::Out;
use crate::error::Result;
use crate::model::{EventId, Policy, StepOutcome, StepVerdict, Verification, Way, spoken};
use crate::recover::{Applied, UndoPlan};

/// The plan as numbered steps.
pub fn plan_text(plan: &UndoPlan, out: &mut Out) -> Result<()> {
    let verb = if plan.redo { "redo: take back undo" } else { "undo" };
    out.line(
        out.paint(style::BOLD, format!("{verb} {}: {}", ids(&plan.events), safe(plan.command.as_bytes()))),
    )?;
    for (number, step) in plan.steps.iter().enumerate() {
        let action = safe(step.action.as_bytes());
        let (mark, text) = match &step.verdict {
            StepVerdict::Restore => (style::BOLD, format!("{action}  ({})", step.reversibility)),
            StepVerdict::Already => (style::DIM, format!("{action}: is back already")),
            StepVerdict::Conflict { reason } => {
                (style::ERROR, format!("conflict: {}", safe(reason.as_bytes())))
            }
            StepVerdict::OnRequest { reason } => {
                (style::WARN, format!("{action}  (not done: {})", safe(reason.as_bytes())))
            }
            StepVerdict::NotCaptured { reason } => {
                (style::WARN, format!("cannot come back: {}", safe(reason.as_bytes())))
            }
        };
        let number = out.paint(mark, format!("{:>3}.", number + 1));
        out.line(format!("{number} {}  {text}", safe(spoken(&step.resource).as_slice())))?;
        if matches!(step.verdict, StepVerdict::Conflict { .. }) {
            for way in &step.ways {
                out.line(out.paint(style::DIM, format!("       {}", way_text(way))))?;
            }
        }
        for gone in &step.not_restored {
            out.line(format!(
                "       {}",
                out.paint(style::WARN, format!("not restored: {}", safe(gone.as_bytes())))
            ))?;
        }
    }
    if plan.conflicts().next().is_some() {
        let rest =
            "--on-conflict skip leaves what is in conflict as it is; abort, the default, writes nothing";
        out.line(out.paint(style::DIM, format!("     {rest}")))?;
    }
    for gone in &plan.residue {
        out.line(out.paint(style::WARN, format!("does not come back: {}", safe(gone.as_bytes()))))?;
    }
    for passed in &plan.passed_over {
        out.line(out.paint(style::WARN, format!("does not come back: {}", safe(passed.as_bytes()))))?;
    }
    for left in &plan.uncaptured {
        let text =
            format!("was not captured, whether it was changed is not known: {}", safe(left.as_bytes()));
        out.line(out.paint(style::WARN, text))?;
    }
    for unseen in &plan.unseen {
        out.line(out.paint(style::WARN, format!("was not seen: {}", safe(unseen.as_bytes()))))?;
    }
    for left in &plan.left_out {
        out.line(out.paint(style::DIM, format!("left out: {}", safe(left.as_bytes()))))?;
    }
    Ok(())
}

/// Event numbers, some of many.
fn ids(events: &[EventId]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = events.iter().take(SHOWN).map(ToString::to_string).collect();
    match events.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more events", shown.join(" ")),
        None => shown.join(" "),
    }
}

fn way_text(way: &Way) -> String {
    let text = match &way.verdict {
        StepVerdict::Conflict { reason } => format!("not possible: {reason}"),
        StepVerdict::Already => format!("{}: is so already", way.action),
        _ => way.action.clone(),
    };
    let shown = text.strip_prefix("merge: ").unwrap_or(&text);
    format!("--on-conflict {}: {}", way.policy.word(), safe(shown.as_bytes()))
}

/// How an undo went: "verified" only for what was read again and found equal.
pub fn report_text(applied: &Applied, out: &mut Out) -> Result<()> {
    for step in &applied.steps {
        let (mark, word) = match (&step.outcome, &step.verification) {
            (StepOutcome::Done, Verification::Verified) => (style::GOOD, "verified".to_owned()),
            (StepOutcome::Done, Verification::NotVerified { reason }) => {
                (style::WARN, format!("restored, not verified: {reason}"))
            }
            (StepOutcome::Waiting { operation }, _) => (style::WARN, format!("waiting for {operation}")),
            (_, Verification::Failed { reason }) => (style::ERROR, format!("failed: {reason}")),
            (StepOutcome::Conflict { reason } | StepOutcome::Failed { reason }, _) => {
                (style::ERROR, format!("failed: {reason}"))
            }
        };
        let word = match step.policy {
            Some(Policy::SideBySide) => format!("{word}; the present stays as it is"),
            Some(Policy::Force) => format!("{word}; what was there is in this undo's capture"),
            _ => word,
        };
        let word = out.paint(mark, safe(word.as_bytes()));
        let target = safe(spoken(&step.resource).as_slice());
        out.line(format!("  {target}  {}: {word}", safe(step.action.as_bytes())))?;
        for gone in &step.not_restored {
            out.line(format!(
                "    {}",
                out.paint(style::WARN, format!("not restored: {}", safe(gone.as_bytes())))
            ))?;
        }
    }
    for skipped in &applied.skipped {
        out.line(out.paint(style::WARN, format!("  skipped: {}", safe(skipped.as_bytes()))))?;
    }
    for gone in &applied.residue {
        out.line(out.paint(style::WARN, format!("  did not come back: {}", safe(gone.as_bytes()))))?;
    }
    for passed in &applied.passed_over {
        out.line(out.paint(style::WARN, format!("  not taken back: {}", safe(passed.as_bytes()))))?;
    }
    for left in &applied.uncaptured {
        let text =
            format!("  was not captured, whether it was changed is not known: {}", safe(left.as_bytes()));
        out.line(out.paint(style::WARN, text))?;
    }
    for left in &applied.left_out {
        out.line(out.paint(style::DIM, format!("  left out: {}", safe(left.as_bytes()))))?;
    }
    let (what, is) = match applied.of.as_slice() {
        [one] => (format!("event {one}"), "is"),
        several => (format!("events {}", ids(several)), "are"),
    };
    let verdict = match (applied.is_complete(), applied.left_out.is_empty()) {
        (true, true) if !applied.passed_over.is_empty() => out.paint(
            style::WARN,
            format!("{what} {is} back and verified; what cannot be taken back is named above"),
        ),
        (true, true) if applied.unseen.is_empty() => {
            out.paint(style::GOOD, format!("{what} {is} undone and verified"))
        }
        (true, true) => {
            out.paint(style::GOOD, format!("{what} {is} undone and verified, as far as it was seen"))
        }
        (true, false) => out.paint(
            style::GOOD,
            format!("{what}: what was asked for is undone and verified, the rest stands"),
        ),
        _ if applied.is_all_back() => out.paint(
            style::WARN,
            format!("{what}: what was captured is undone and verified, what was not captured is named above"),
        ),
        _ => out.paint(style::WARN, format!("{what} {is} undone in part: see above")),
    };
    out.line(format!(
        "{verdict}; this undo is event {}, `fr redo {}` takes it back",
        applied.event, applied.event
    ))
}
