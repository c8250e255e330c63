//! `fr doctor`: what is protected, what is not, and what to do about it.

use crate::cli::Out;
use crate::cli::render::{bytes, safe, style, when};
use crate::doctor::report::{Agent, Report};
use crate::doctor::{self, Protection};
use crate::error::{ExitCode, Result};
use crate::intake::install::World;
use crate::model::Bytes;
use crate::platform::{clock, home, home::Home};

/// Runs the verb.
pub fn run(out: &mut Out) -> Result<u8> {
    let world = World::here(crate::intake::current_env(), home::state_dir()?)?;
    let report = doctor::examine(&world);
    if let Err(error) = doctor::write_down(&report, &Home::at(&world.state)) {
        out.talk(format!("what is not recorded could not be written down: {}", error.what));
    }
    if out.json {
        out.json(&report)?;
    } else {
        text(&report, out)?;
    }
    Ok(if report.protected { 0 } else { ExitCode::Partial as u8 })
}

fn text(report: &Report, out: &mut Out) -> Result<()> {
    for agent in report.agents.iter().filter(|agent| agent.protection != Protection::Absent) {
        one(agent, out)?;
    }
    let absent: Vec<&str> =
        report.agents.iter().filter(|a| a.protection == Protection::Absent).map(|a| a.name).collect();
    if !absent.is_empty() {
        row("not here", &absent.join(", "), out)?;
    }
    shells(report, out)?;
    store(report, out)?;
    machine(report, out)?;
    for gap in &report.gaps {
        let age = when::relative(gap.at_ns, clock::now_ns());
        row("gap", &format!("{age}: {}", safe(gap.reason.as_bytes())), out)?;
    }
    let (verdict, mark) = if report.protected {
        ("everything here is recorded", style::GOOD)
    } else {
        ("not everything here is recorded, or the store is not sound", style::ERROR)
    };
    out.line(out.paint(mark, verdict))
}

fn one(agent: &Agent, out: &mut Out) -> Result<()> {
    let (word, mark) = match agent.protection {
        Protection::Protected => ("protected", style::GOOD),
        _ => ("UNPROTECTED", style::ERROR),
    };
    let last = match agent.last_event_ns {
        Some(at) => format!("last event {}", when::relative(at, clock::now_ns())),
        None => "no event of it yet".to_string(),
    };
    row(agent.name, &format!("{}  {last}  {}", out.paint(mark, word), shown(&agent.file)), out)?;
    if let Some(problem) = &agent.problem {
        row("", &out.paint(style::ERROR, safe(problem.as_bytes())), out)?;
    }
    if let Some(next) = &agent.next {
        row("", &format!("next: {}", safe(next.as_bytes())), out)?;
    }
    for remark in &agent.remarks {
        row("", &format!("note: {}", safe(remark.as_bytes())), out)?;
    }
    for blind in agent.blind {
        row("", &out.paint(style::DIM, format!("not seen: {blind}")), out)?;
    }
    Ok(())
}

fn shells(report: &Report, out: &mut Out) -> Result<()> {
    for shell in report.shells.iter().filter(|shell| shell.present || shell.problem.is_some()) {
        let state = match (&shell.problem, shell.integrated) {
            (Some(problem), _) => out.paint(style::WARN, safe(problem.as_bytes())),
            (None, true) => out.paint(style::GOOD, "integrated"),
            (None, false) => format!("not integrated (`fr install --shell {}`)", shell.name),
        };
        row(shell.name, &format!("{state}  {}", shown(&shell.file)), out)?;
        for remark in &shell.remarks {
            row("", &format!("note: {}", safe(remark.as_bytes())), out)?;
        }
    }
    Ok(())
}

fn store(report: &Report, out: &mut Out) -> Result<()> {
    let store = &report.store;
    let root = shown(&store.root);
    if !store.exists && store.problems.is_empty() {
        return row("store", &format!("none yet at {root}: the first event makes it"), out);
    }
    let format = store.format.as_deref().unwrap_or("unknown");
    row("store", &format!("{root}  format {}  {}", safe(format.as_bytes()), bytes(store.bytes)), out)?;
    for problem in &store.problems {
        row("", &out.paint(style::ERROR, safe(problem.as_bytes())), out)?;
    }
    Ok(())
}

fn machine(report: &Report, out: &mut Out) -> Result<()> {
    let cost = match (report.fr.hook_ms, &report.fr.hook_error) {
        (Some(ms), _) => format!("one hook takes {ms} ms"),
        (None, Some(error)) => out.paint(style::ERROR, safe(error.as_bytes())),
        (None, None) => String::new(),
    };
    row("fr", &format!("{} {}  {cost}", report.fr.version, shown(&report.fr.path)), out)?;
    let missing: Vec<&str> =
        report.tools.iter().filter(|tool| tool.path.is_none()).map(|tool| tool.name).collect();
    let found: Vec<&str> =
        report.tools.iter().filter(|tool| tool.path.is_some()).map(|tool| tool.name).collect();
    let missing =
        if missing.is_empty() { String::new() } else { format!("; not found: {}", missing.join(", ")) };
    row("tools", &format!("{}{missing}", found.join(", ")), out)
}

fn row(name: &str, text: &str, out: &mut Out) -> Result<()> {
    out.line(format!("{name:<10}{text}"))
}

fn shown(path: &Bytes) -> String {
    safe(path.as_slice())
}
