//! What shows incidents: list, show, timeline.

use serde::Serialize;

use crate::cli::Out;
use crate::cli::render::{Table, count, safe, style, when};
use crate::error::Result;
use crate::journal::index::Index;
use crate::model::{EventId, Incident, Severity};
use crate::platform::clock;
use crate::platform::home::Home;
use crate::record::Config;
use crate::respond::incident::{Case, Entry, Kind, Words, entries, find, list as all, load, next};
use crate::respond::{Next, Radius, radius_of};

/// One incident, as `fr incident show --json` and `open --json` print it (`schema/incident.schema.json`).
#[derive(Serialize)]
struct View<'a> {
    #[serde(flatten)]
    incident: &'a Incident,
    status: &'static str,
    opened: String,
    commands: u64,
    hit: u64,
    production: u64,
    back: u64,
    next: &'a [Next],
}

/// `fr incident list`.
pub fn list(out: &mut Out) -> Result<u8> {
    let (home, index) = crate::cli::verbs::opened()?;
    let incidents = all(&index)?;
    if out.json {
        out.json(&incidents)?;
        return Ok(0);
    }
    if incidents.is_empty() {
        out.talk("there is no incident; `fr incident open` opens one");
        return Ok(0);
    }
    let words = Words::of(&home);
    let now = clock::now_ns();
    let mut table =
        Table::new(&["ID", "OPENED", "STATE", "SEV", "COMMANDER", "NOTES", "TITLE"], out.color, out.width);
    for one in &incidents {
        table.row(vec![
            (one.id.to_string(), Some(style::BOLD)),
            (when::relative(one.opened_ns, now), Some(style::DIM)),
            (state(one).to_owned(), one.closed.is_none().then_some(style::WARN)),
            (one.severity.as_str().to_owned(), Some(of_severity(one.severity))),
            (words.line(&one.commander), None),
            (one.notes.to_string(), None),
            (words.line(&one.title), None),
        ]);
    }
    for line in table.lines() {
        out.line(line)?;
    }
    Ok(0)
}

fn state(incident: &Incident) -> &'static str {
    match (&incident.closed, incident.locked) {
        (None, _) => "open",
        (Some(_), true) => "closed",
        (Some(_), false) => "closed, unlocked",
    }
}

fn of_severity(severity: Severity) -> anstyle::Style {
    if severity <= Severity::Sev2 { style::ERROR } else { style::WARN }
}

/// `fr incident show`.
pub fn one(id: Option<u64>, out: &mut Out) -> Result<u8> {
    let (home, index) = crate::cli::verbs::opened()?;
    let incident = find(&index, id)?;
    of(&home, &index, incident.id, out)
}

/// How the incident of that number stands.
pub fn of(home: &Home, index: &Index, id: EventId, out: &mut Out) -> Result<u8> {
    let case = load(index, id)?;
    let session = match case.incident.scope.sessions.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let production = Config::load(home)?.production;
    let radius =
        radius_of(index, case.events.clone(), session, case.incident.scope.until_ns, &production).ok();
    let next = next(&case, radius.as_ref());
    let items = radius.as_ref().map(|radius| radius.items.as_slice()).unwrap_or_default();
    let of = |test: fn(&&crate::respond::Item) -> bool| items.iter().filter(test).count() as u64;
    if out.json {
        out.json(&View {
            incident: &case.incident,
            status: if case.incident.closed.is_some() { "closed" } else { "open" },
            opened: when::rfc3339(case.incident.opened_ns),
            commands: case.events.len() as u64,
            hit: items.len() as u64,
            production: of(|item| item.production.is_some()),
            back: of(|item| item.comes_back.is_back()),
            next: &next,
        })?;
        return Ok(0);
    }
    head(&case, radius.as_ref(), &Words::of(home), out)?;
    out.line("next:")?;
    let width = next.iter().map(|next| next.command.chars().count()).max().unwrap_or(0).min(60);
    for next in &next {
        out.line(format!("  {:<width$}  {}", safe(next.command.as_bytes()), next.why))?;
    }
    Ok(0)
}

fn head(case: &Case, radius: Option<&Radius>, words: &Words, out: &mut Out) -> Result<()> {
    let Incident { id, title, severity, commander, opened_ns, opened_by, closed, locked, notes, .. } =
        &case.incident;
    let name = out.paint(style::BOLD, format!("incident {id}"));
    out.line(format!("{name}  {}", words.line(title)))?;
    let field = |name: &str, value: String, out: &mut Out| {
        let name = out.paint(style::DIM, format!("{name:<10}"));
        out.line(format!("  {name} {value}"))
    };
    let rank = out.paint(of_severity(*severity), severity.as_str());
    let state = state(&case.incident);
    field("state", format!("{state}, {rank}, commander {}", words.line(commander)), out)?;
    field("opened", format!("{} by {}", when::absolute(*opened_ns), words.line(opened_by)), out)?;
    if let Some(closed) = closed {
        let outcome = words.lines(&closed.outcome).join(" ");
        let outcome = if outcome.is_empty() { outcome } else { format!(": {outcome}") };
        field("closed", format!("{}{outcome}", when::absolute(closed.at_ns)), out)?;
    }
    field("about", about(case, words), out)?;
    if let Some(radius) = radius {
        let parts: Vec<String> =
            radius.totals.iter().map(|(outlook, n)| format!("{n} {}", outlook.words())).collect();
        let marked = radius.items.iter().filter(|item| item.production.is_some()).count();
        let marked = if marked > 0 { format!("; {marked} of them production") } else { String::new() };
        let hit = count(radius.items.len() as u64, "thing");
        field("hit", format!("{hit}: {}{marked}", parts.join(", ")), out)?;
    } else {
        field("hit", "nothing that is on record was changed".to_owned(), out)?;
    }
    field("notes", notes.to_string(), out)?;
    let gc = if *locked { "gc keeps what its events need" } else { "gc may take what its events need" };
    field("gc", gc.to_owned(), out)
}

fn about(case: &Case, words: &Words) -> String {
    let (Some(first), Some(last)) = (case.events.first(), case.events.last()) else {
        return "no command on record".to_owned();
    };
    let mut who: Vec<String> = case.events.iter().map(|event| words.line(&event.before.actor.name)).collect();
    who.sort();
    who.dedup();
    let sessions: Vec<String> =
        case.incident.scope.sessions.iter().map(|session| words.line(session)).collect();
    let sessions =
        if sessions.is_empty() { String::new() } else { format!(", session {}", sessions.join(", ")) };
    format!(
        "{} of {}{sessions}, {} to {}",
        count(case.events.len() as u64, "command"),
        who.join(", "),
        when::absolute(first.before.at_ns),
        when::absolute(last.before.at_ns)
    )
}

/// `fr incident timeline`.
pub fn timeline(id: Option<u64>, whole: bool, out: &mut Out) -> Result<u8> {
    let (home, index) = crate::cli::verbs::opened()?;
    let incident = find(&index, id)?;
    let case = load(&index, incident.id)?;
    let words = Words::of(&home);
    let (entries, left_out) = entries(&case, &words, &Config::load(&home)?.production, whole);
    if out.json {
        out.json(&entries)?;
        return Ok(0);
    }
    let mut table = Table::new(&["TIME", "EVENT", "WHAT", "WHO", "OUTCOME", "ENTRY"], out.color, out.width);
    for entry in &entries {
        let mut lines = entry.text.iter();
        table.row(row(entry, lines.next().map(String::as_str).unwrap_or_default()));
        // A note has many lines; each is a row, so that none is cut away with the first.
        for line in lines.chain(&entry.remarks) {
            let blank = || (String::new(), None);
            table.row(vec![blank(), blank(), blank(), blank(), blank(), (line.clone(), Some(style::DIM))]);
        }
    }
    for line in table.lines() {
        out.line(line)?;
    }
    if left_out > 0 {
        let left_out = count(left_out, "command");
        out.line(out.paint(style::DIM, format!("{left_out} more changed nothing: --all shows them")))?;
    }
    Ok(0)
}

fn row(entry: &Entry, text: &str) -> Vec<(String, Option<anstyle::Style>)> {
    let (what, mark) = match (entry.kind, entry.class) {
        (Kind::Command, Some(class)) => (class.as_str().to_owned(), style::of_class(class)),
        (Kind::Alarm, _) => ("alarm".to_owned(), style::ERROR),
        (Kind::Gap, _) => ("gap".to_owned(), style::WARN),
        (Kind::Undo, _) => ("undo".to_owned(), style::GOOD),
        (kind, _) => (kind.words().to_owned(), style::BOLD),
    };
    vec![
        (when::absolute(entry.at_ns), Some(style::DIM)),
        (entry.event.map(|id| id.to_string()).unwrap_or_default(), Some(style::BOLD)),
        (what, Some(mark)),
        (entry.who.clone(), None),
        (entry.outcome.clone(), None),
        (if entry.production { format!("[production] {text}") } else { text.to_owned() }, None),
    ]
}
