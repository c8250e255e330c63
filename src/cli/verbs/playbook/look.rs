//! Looking at playbooks: `list`, `show`, `lint`, `export`.

use serde::Serialize;

use crate::cli::Out;
use crate::cli::args::{
    PlaybookExportArgs, PlaybookFormat, PlaybookLintArgs, PlaybookListArgs, PlaybookShowArgs,
};
use crate::cli::render::{Table, safe, style};
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::{Event, Index};
use crate::model::EventKind;
use crate::platform::home::Home;
use crate::respond::incident;
use crate::respond::playbook::{self, Finding, Found};

/// One playbook in a list.
#[derive(Serialize)]
struct Row {
    name: String,
    title: String,
    origin: String,
    steps: usize,
    /// The event that it fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    fits: Option<u64>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    unusable: Option<String>,
}

/// Which there are; those first that fit.
pub fn list(args: &PlaybookListArgs, home: &Home, out: &mut Out) -> Result<u8> {
    let all = playbook::all(home);
    let events = about(args.event.as_deref(), &all, home)?;
    let mut rows: Vec<Row> = all.into_iter().map(|(name, found)| row(name, found, &events)).collect();
    rows.sort_by_key(|row| (row.fits.is_none(), place(&row.name)));
    if args.event.is_some() {
        rows.retain(|row| row.fits.is_some());
    }
    if out.json {
        out.json(&rows)?;
        return Ok(0);
    }
    if rows.is_empty() {
        out.line("no playbook fits that event; `fr playbook list` lists all")?;
    }
    let mut table = Table::new(&["PLAYBOOK", "FITS", "STEPS", "WHAT"], out.color, out.width);
    for row in &rows {
        let fits = row.fits.map(|event| format!("event {event}")).unwrap_or_default();
        let what = match &row.unusable {
            None if row.origin == "shipped" => safe(row.title.as_bytes()),
            None => safe(format!("{} ({})", row.title, row.origin).as_bytes()),
            Some(why) => safe(format!("not usable: {why}").as_bytes()),
        };
        let alarm = row.unusable.as_ref().map(|_| style::WARN);
        table.row(vec![
            (safe(row.name.as_bytes()), Some(style::BOLD)),
            (fits, Some(style::GOOD)),
            (row.steps.to_string(), Some(style::DIM)),
            (what, alarm),
        ]);
    }
    for line in table.lines() {
        out.line(line)?;
    }
    Ok(0)
}

/// What is done first comes first.
fn place(name: &str) -> (bool, String) {
    (name != "first-five-minutes", name.to_owned())
}

/// The events that playbooks are to fit, the newest first: one, or those of an incident. Without a store there is none, and
/// that is no error here.
fn about(event: Option<&str>, all: &[(String, Result<Found>)], home: &Home) -> Result<Vec<Event>> {
    let wanted = event.filter(|id| !id.is_empty());
    if wanted.is_none() && event.is_none() && !home.exists() {
        return Ok(Vec::new());
    }
    let index = Index::open(home)?;
    if let Some(id) = wanted {
        let event = index.find(id)?;
        if !matches!(event.before.kind, EventKind::Incident { .. }) {
            return Ok(vec![event]);
        }
        // Whoever has the number of an incident at hand means what it is about.
        let mut events = incident::commands(&index, &incident::find(&index, Some(event.id.0))?)?;
        events.reverse();
        return Ok(events);
    }
    let subject = playbook::latest_damage(&index, all)?;
    if subject.event.is_none() && event.is_some() {
        return Err(Error::new(ExitCode::NothingToUndo, "nothing destructive is on record")
            .hint("`fr playbook list` lists all playbooks"));
    }
    Ok(subject.event.into_iter().collect())
}

fn row(name: String, found: Result<Found>, events: &[Event]) -> Row {
    match found {
        Ok(found) => Row {
            name,
            title: found.playbook.title.clone(),
            origin: found.origin.words(),
            steps: found.playbook.steps.len(),
            fits: events.iter().find(|event| playbook::suits(&found.playbook, event)).map(|event| event.id.0),
            unusable: None,
        },
        Err(error) => Row {
            name,
            title: String::new(),
            origin: String::new(),
            steps: 0,
            fits: None,
            unusable: Some(error.what),
        },
    }
}

/// One for people.
pub fn show(args: &PlaybookShowArgs, home: &Home, out: &mut Out) -> Result<u8> {
    let found = playbook::find(&args.name, home)?;
    told_where(&found, out);
    if out.json {
        out.json(&found.playbook)?;
        return Ok(0);
    }
    markdown(&found, out)
}

fn markdown(found: &Found, out: &mut Out) -> Result<u8> {
    for line in playbook::markdown(&found.playbook).lines() {
        out.line(safe(line.as_bytes()))?;
    }
    Ok(0)
}

/// Whose text it is, where it is not the shipped one.
pub fn told_where(found: &Found, out: &mut Out) {
    if found.origin != playbook::Origin::Shipped {
        out.talk(format!("{} from {}", found.playbook.name, safe(found.origin.words().as_bytes())));
    }
}

/// For other tools.
pub fn export(args: &PlaybookExportArgs, home: &Home, out: &mut Out) -> Result<u8> {
    let found = playbook::find(&args.name, home)?;
    told_where(&found, out);
    match args.format {
        PlaybookFormat::Markdown => markdown(&found, out),
        PlaybookFormat::Cacao => out.json(&playbook::cacao(&found.playbook)).map(|()| 0),
    }
}

/// One playbook that was looked through.
#[derive(Serialize)]
struct Linted {
    name: String,
    origin: String,
    findings: Vec<Finding>,
}

/// What is wrong.
pub fn lint(args: &PlaybookLintArgs, home: &Home, out: &mut Out) -> Result<u8> {
    let all = match (&args.file, &args.name) {
        (Some(file), _) => {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            vec![(name, playbook::from_file(file))]
        }
        (None, Some(name)) => vec![(name.clone(), Ok(playbook::find(name, home)?))],
        (None, None) => playbook::all(home),
    };
    let linted: Vec<Linted> = all.into_iter().map(|(name, found)| looked_through(name, found)).collect();
    let wrong = linted.iter().any(|one| !one.findings.is_empty());
    if out.json {
        out.json(&linted)?;
        return Ok(u8::from(wrong));
    }
    for one in &linted {
        let name = safe(one.name.as_bytes());
        if one.findings.is_empty() {
            out.line(format!("{}  {name}", out.paint(style::GOOD, "good ")))?;
        }
        for finding in &one.findings {
            let step = finding.step.as_ref().map(|step| format!("{step}: ")).unwrap_or_default();
            let what = safe(format!("{step}{}", finding.what).as_bytes());
            out.line(format!("{}  {name}: {what}", out.paint(style::ERROR, "wrong")))?;
        }
    }
    Ok(u8::from(wrong))
}

fn looked_through(name: String, found: Result<Found>) -> Linted {
    match found {
        Ok(found) => {
            let mut findings = playbook::lint(&found.playbook);
            if found.playbook.name != name {
                let what = format!("its name is {}, its file's is {name}", found.playbook.name);
                findings.push(Finding { step: None, what });
            }
            Linted { name, origin: found.origin.words(), findings }
        }
        Err(error) => {
            Linted { name, origin: String::new(), findings: vec![Finding { step: None, what: error.what }] }
        }
    }
}
