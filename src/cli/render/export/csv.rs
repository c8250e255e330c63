//! Comma-separated values by RFC 4180: CRLF, quotes doubled, one header. Spreadsheets take a cell for a formula that begins
//! with `=`, `+`, `-`, `@`, a tab or a return (OWASP, "CSV Injection"): such a cell gets an apostrophe in front.

use super::{Format, Item, kind_word};
use crate::cli::render::{class_of, command_cell, safe, when};
use crate::error::Result;
use crate::journal::index::Event;
use crate::model::{EventId, Gap, Outcome};

/// The columns.
const COLUMNS: [&str; 25] = [
    "kind",
    "id",
    "uid",
    "time",
    "actor_kind",
    "actor",
    "subagent",
    "session",
    "cwd",
    "source",
    "tool",
    "command",
    "summary",
    "class",
    "systems",
    "kept",
    "comes_back",
    "outcome",
    "exit_code",
    "duration_ms",
    "answer",
    "reason",
    "part_of",
    "undone_by",
    "undone_in_part",
];

pub struct Csv;

impl Format for Csv {
    fn begin(&mut self) -> Result<String> {
        Ok(record(&COLUMNS.map(str::to_owned)))
    }

    fn item(&mut self, item: Item<'_>) -> Result<String> {
        Ok(match item {
            Item::Event(event) => record(&of_event(event)),
            Item::Gap(gap) => record(&of_gap(gap)),
        })
    }
}

fn of_event(event: &Event) -> [String; 25] {
    let before = &event.before;
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let id = |id: Option<EventId>| id.map(|id| id.to_string()).unwrap_or_default();
    let mut systems: Vec<&str> = before.effects.iter().map(|effect| &*effect.system.0).collect();
    systems.sort_unstable();
    systems.dedup();
    let outcome = serde_json::to_value(event.outcome()).unwrap_or_default();
    let code = match event.outcome() {
        Some(Outcome::Exited { code }) => code.to_string(),
        _ => String::new(),
    };
    let took = event.after.as_ref().and_then(|after| after.duration_ms);
    let verdict = before.verdict.as_ref();
    [
        kind_word(&before.kind),
        event.id.to_string(),
        before.uid.to_string(),
        when::rfc3339(before.at_ns),
        word(serde_json::to_value(before.actor.kind).unwrap_or_default()),
        before.actor.name.clone(),
        before.actor.subagent.clone().unwrap_or_default(),
        before.session.clone(),
        before.cwd.lossy().into_owned(),
        word(serde_json::to_value(before.source).unwrap_or_default()),
        before.command.tool.clone(),
        before.command.line.lossy().into_owned(),
        command_cell(event),
        class_of(event).as_str().to_owned(),
        systems.join(" "),
        event.kept().as_str().to_owned(),
        event.promise().as_str().to_owned(),
        outcome.get("how").and_then(|how| how.as_str()).unwrap_or("open").to_owned(),
        code,
        took.map(|ms| ms.to_string()).unwrap_or_default(),
        verdict.map(|verdict| verdict.as_str().to_owned()).unwrap_or_default(),
        verdict.and_then(|verdict| verdict.reason()).unwrap_or_default().to_owned(),
        id(before.parent),
        id(event.undone_by),
        if event.undone_by.is_some() { event.undone_in_part.to_string() } else { String::new() },
    ]
}

fn of_gap(gap: &Gap) -> [String; 25] {
    let mut cells: [String; 25] = std::array::from_fn(|_| String::new());
    let place = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap_or(0);
    for (name, text) in [
        ("kind", "gap".to_owned()),
        ("time", when::rfc3339(gap.at_ns)),
        ("command", gap.detail.clone().unwrap_or_default()),
        ("summary", format!("gap: {} ({} not recorded as it should have been)", gap.reason, gap.count)),
    ] {
        if let Some(cell) = cells.get_mut(place(name)) {
            *cell = text;
        }
    }
    cells
}

fn record(cells: &[String]) -> String {
    cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// One cell: nothing in it moves a cursor, is a formula or ends the cell.
fn cell(text: &str) -> String {
    let mut text = safe(text.as_bytes());
    if text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        text.insert(0, '\'');
    }
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_is_no_formula_and_ends_where_it_ends() {
        assert_eq!(cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(cell("-rf, \"x\""), "\"'-rf, \"\"x\"\"\"");
        assert_eq!(cell("a\r\nb\x1b[2J"), "a\\r\\nb\\x1b[2J");
        assert_eq!(cell("\t=1"), "\\t=1");
        assert_eq!(cell("plain"), "plain");
    }
}
