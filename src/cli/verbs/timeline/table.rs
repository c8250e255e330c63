//! The timeline as a table.

use anstyle::Style;

use super::moment;
use crate::cli::Out;
use crate::cli::render::{
    Table, class_of, command_cell, count, outcome_word, run_exit, run_words, safe, style,
};
use crate::error::Result;
use crate::journal::index::{Event, Index, SessionSummary};
use crate::model::{EffectClass, EventId, EventKind, Gap, Kept, Promise, Verdict};
use crate::respond::playbook::RunState;
use crate::respond::story::Line;

/// The column that is there only where somebody else than the session's own actor did something.
const WHO: usize = 2;

/// The lines of the story, and the event that each row below the heading is of.
pub fn of(
    lines: &[Line<'_>],
    absolute: bool,
    index: &Index,
    out: &Out,
) -> Result<(Table, Vec<Option<EventId>>)> {
    let headings = ["ID", "WHEN", "WHO", "EFFECT", "BACK", "KEPT", "EXIT", "COMMAND"];
    let mut table = Table::new(&headings, out.color, out.width);
    let (mut owner, mut ids) = (None, Vec::new());
    for line in lines {
        match line {
            Line::Session(session) => {
                table.text(session_line(session, absolute, index)?, Some(style::BOLD));
                owner = Some(session.actor.clone());
                ids.push(None);
            }
            Line::Event { event, is_part } => {
                let is_owners = owner.as_ref().is_some_and(|owner| *owner == event.before.actor.name);
                table.row(row(event, *is_part, is_owners, absolute));
                ids.push(Some(event.id));
                if let Some(text) = reason(event) {
                    table.text(text, Some(style::WARN));
                    ids.push(None);
                }
            }
            Line::Run { event, state } => {
                let is_owners = owner.as_ref().is_some_and(|owner| *owner == event.before.actor.name);
                table.row(run_row(event, state, is_owners, absolute));
                ids.push(Some(event.id));
            }
            Line::Gap { gap, times } => {
                table.text(gap_line(gap, *times, absolute), Some(style::WARN));
                ids.push(None);
            }
        }
    }
    Ok((table.without_empty(WHO), ids))
}

/// Whose session it is, where, since when, and what is in it.
pub fn session_line(session: &SessionSummary, absolute: bool, index: &Index) -> Result<String> {
    let SessionSummary { actor, actor_kind, events, destructive, unkept, failed, .. } = session;
    let who = if actor_kind == "human" { format!("human {actor}") } else { actor.clone() };
    let id = index.short_session(&session.session)?;
    let (who, id) = (safe(who.as_bytes()), safe(id.as_bytes()));
    let place = safe(session.cwd.as_slice());
    let mut text = format!("{who}, session {id}, in {place}: {}", count(*events, "event"));
    for (n, word) in [(destructive, "destructive"), (unkept, "not kept"), (failed, "failed")] {
        if *n > 0 {
            text.push_str(&format!(", {n} {word}"));
        }
    }
    let (first, last) = (moment(session.first_ns, absolute), moment(session.last_ns, absolute));
    let time = if first == last { first } else { format!("{first} to {last}") };
    Ok(format!("{text}; {time}"))
}

fn gap_line(gap: &Gap, times: u64, absolute: bool) -> String {
    let times = if times > 1 { format!(" ({times} times)") } else { String::new() };
    format!("gap {}: {}{times}", moment(gap.at_ns, absolute), safe(gap.reason.as_bytes()))
}

type CellOf = (String, Option<Style>);

fn row(event: &Event, is_part: bool, is_owners: bool, absolute: bool) -> Vec<CellOf> {
    let class = class_of(event);
    let class_word = if class == EffectClass::None { "-" } else { class.as_str() };
    vec![
        (event.id.to_string(), Some(style::BOLD)),
        (moment(event.before.at_ns, absolute), Some(style::DIM)),
        (who(event, is_owners), None),
        (class_word.to_owned(), Some(style::of_class(class))),
        back(event.promise()),
        kept(event.kept()),
        (outcome_word(event), None),
        (format!("{}{}", if is_part { "└ " } else { "" }, command_cell(event)), command_style(event)),
    ]
}

/// A whole run of a playbook: what is below it is what went wrong.
fn run_row(event: &Event, state: &RunState, is_owners: bool, absolute: bool) -> Vec<CellOf> {
    let (words, style) = run_words(state);
    let mut cells = row(event, false, is_owners, absolute);
    cells.truncate(cells.len().saturating_sub(2));
    cells.extend([(run_exit(state).to_owned(), None), (words, Some(style))]);
    cells
}

/// Below the line of a session that is its actor's own: only the sub-agent.
fn who(event: &Event, is_owners: bool) -> String {
    let actor = &event.before.actor;
    let name = safe(actor.name.as_bytes());
    match (&actor.subagent, is_owners) {
        (None, true) => String::new(),
        (None, false) => name,
        (Some(_), true) => "sub".to_owned(),
        (Some(_), false) => format!("{name}/sub"),
    }
}

fn back(promise: Promise) -> CellOf {
    let word = if promise == Promise::NotApplicable { "-" } else { promise.as_str() };
    (word.to_owned(), Some(style::of_promise(promise)))
}

fn kept(kept: Kept) -> CellOf {
    let word = if kept == Kept::NotApplicable { "-" } else { kept.as_str() };
    (word.to_owned(), Some(style::of_kept(kept)))
}

/// What is no command stands out, and what was taken back steps back.
fn command_style(event: &Event) -> Option<Style> {
    match (&event.before.kind, &event.before.verdict) {
        (EventKind::Alarm { .. }, _) => Some(style::ERROR),
        (EventKind::Contain { .. }, _) | (_, Some(Verdict::Deny { .. } | Verdict::Ask { .. })) => {
            Some(style::WARN)
        }
        (EventKind::Command, None) if event.undone_by.is_some() && !event.undone_in_part => Some(style::DIM),
        (EventKind::Command, None) => None,
        _ => Some(style::GOOD),
    }
}

/// Why the recorder did not just let it run.
fn reason(event: &Event) -> Option<String> {
    let verdict = event.before.verdict.as_ref()?;
    let word = if matches!(verdict, Verdict::Deny { .. }) { "denied" } else { "asked" };
    Some(format!("    {word}: {}", safe(verdict.reason()?.as_bytes())))
}
