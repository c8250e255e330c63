//! Agents that run and report nothing are holes in the record: they are written down as gaps, so that a timeline read
//! later does not look as if nothing had happened.

use chrono::{DateTime, Utc};

use super::report::{Agent, Protection, Report};
use crate::error::Result;
use crate::journal::index::Index;
use crate::platform::home::Home;
use crate::record;

/// How many gaps are looked through for one that says the same already.
const LOOK_BACK: usize = 1000;

/// Writes a gap for each process of an unprotected agent that has reported nothing since it started, once. Where there is
/// no store nothing is written: looking must not make one.
pub fn write_down(report: &Report, home: &Home) -> Result<()> {
    let reasons: Vec<String> = report.agents.iter().flat_map(reasons).collect();
    if reasons.is_empty() || !home.exists() {
        return Ok(());
    }
    let known = Index::open(home)?.gaps(LOOK_BACK)?;
    for reason in reasons.iter().filter(|reason| known.iter().all(|gap| gap.reason != **reason)) {
        record::gap(home, reason, None)?;
    }
    Ok(())
}

fn reasons(agent: &Agent) -> Vec<String> {
    if agent.protection != Protection::Unprotected {
        return Vec::new();
    }
    let silent = agent.running.iter().filter(|running| running.silent);
    let reason = |pid: u32, since: String| {
        format!(
            "{} (process {pid}) runs since {since} and reports nothing: its hooks are not in force",
            agent.name
        )
    };
    // To the minute: the start of a process is told to the hundredth of a second, by a clock that is set now and then.
    let minute = |ns| DateTime::<Utc>::from_timestamp_nanos(ns).format("%Y-%m-%d %H:%M UTC").to_string();
    silent.map(|running| reason(running.pid, minute(running.since_ns))).collect()
}
