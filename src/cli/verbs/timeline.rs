//! `fr timeline`: what happened, newest first.

use std::collections::HashSet;

use crate::cli::args::TimelineArgs;
use crate::cli::render::{EventView, Table, command_cell, outcome_word, safe, style, when};
use crate::cli::{Out, usage};
use crate::error::Result;
use crate::journal::index::{Event, Filter};
use crate::model::{EffectClass, EventId};
use crate::platform::clock;

/// Runs the verb.
pub fn run(args: &TimelineArgs, out: &mut Out) -> Result<u8> {
    let (_, index) = super::opened()?;
    let events = index.legible(&filter(args)?, |event, damage| {
        let what = safe(damage.what.as_bytes());
        out.talk(format!(
            "warning: event {event} cannot be read: {what}; `fr store verify` shows what is damaged"
        ));
        Ok(())
    })?;
    if out.json {
        out.json(&events.iter().map(EventView::of).collect::<Vec<_>>())?;
        return Ok(0);
    }
    if events.is_empty() {
        out.talk("no events match");
    } else {
        for line in table(&events, args.absolute, out).lines() {
            out.line(line)?;
        }
    }
    let gaps = index.gaps(5)?;
    for gap in gaps {
        let text =
            format!("gap {}: {}", when::relative(gap.at_ns, clock::now_ns()), safe(gap.reason.as_bytes()));
        out.line(out.paint(style::WARN, text))?;
    }
    Ok(0)
}

fn table(events: &[Event], absolute: bool, out: &Out) -> Table {
    let mut table =
        Table::new(&["ID", "WHEN", "WHO", "EFFECT", "EXIT", "KEPT", "COMMAND"], out.color, out.width);
    let now = clock::now_ns();
    for (event, is_part) in nested(events) {
        let at = event.before.at_ns;
        let class = super::super::render::class_of(event);
        let class_word = if class == EffectClass::None { "-" } else { class.as_str() };
        table.row(vec![
            (event.id.to_string(), Some(style::BOLD)),
            (if absolute { when::absolute(at) } else { when::relative(at, now) }, Some(style::DIM)),
            (safe(who(event).as_bytes()), None),
            (class_word.to_owned(), Some(style::of_class(class))),
            (outcome_word(event), None),
            kept(event),
            (format!("{}{}", if is_part { "└ " } else { "" }, command_cell(event)), None),
        ]);
    }
    table
}

/// Parts stand below their line, in the order in which they ran; one whose line is not in the list stands alone.
fn nested(events: &[Event]) -> Vec<(&Event, bool)> {
    let listed: HashSet<EventId> = events.iter().map(|event| event.id).collect();
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        if event.before.parent.is_some_and(|line| listed.contains(&line)) {
            continue;
        }
        rows.push((event, false));
        rows.extend(event.parts.iter().filter(|part| listed.contains(&part.id)).map(|part| (part, true)));
    }
    rows
}

fn who(event: &Event) -> String {
    let actor = &event.before.actor;
    match &actor.subagent {
        Some(_) => format!("{}/sub", actor.name),
        None => actor.name.clone(),
    }
}

/// Whether the state before the command is in the store: all, part, or nothing of it.
fn kept(event: &Event) -> (String, Option<anstyle::Style>) {
    let changes = event.before.effects.iter().any(|e| e.class.changes_state());
    let partial = !event.before.warnings.is_empty() || event.before.captures.iter().any(|c| !c.is_complete());
    match (changes, event.before.captures.is_empty(), partial) {
        (false, _, _) => (String::new(), None),
        (true, true, _) => ("nothing".to_owned(), Some(style::ERROR)),
        (true, false, true) => ("part".to_owned(), Some(style::WARN)),
        (true, false, false) => ("all".to_owned(), Some(style::GOOD)),
    }
}

fn filter(args: &TimelineArgs) -> Result<Filter> {
    let now = clock::now_ns();
    let moment = |text: &Option<String>| text.as_ref().map(|t| when::parse_moment(t, now)).transpose();
    let effect = args.effect.as_ref().map(|word| {
        serde_json::from_value::<EffectClass>(serde_json::Value::String(word.clone())).map_err(|_| {
            usage(format!("no effect class is called {word}"))
                .hint("one of: none create mutate access disrupt overwrite destroy weaken state-only publish opaque")
        })
    });
    let path = match &args.path {
        Some(path) => Some(std::path::absolute(path).map_err(|e| usage(format!("not a path: {e}")))?),
        None => None,
    };
    Ok(Filter {
        since_ns: moment(&args.since)?,
        until_ns: moment(&args.until)?,
        session: args.session.clone(),
        actor: args.actor.clone(),
        system: args.system.clone(),
        effect: effect.transpose()?,
        path: path.map(|p| crate::model::Bytes::from(p).0),
        grep: args.grep.as_ref().map(|g| g.as_bytes().to_vec()),
        failed: args.failed,
        changes: args.changes,
        limit: args.limit,
        ..Filter::default()
    })
}
