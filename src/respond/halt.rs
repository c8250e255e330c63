//! The processes of agents: which they are, and stopping them. An agent's tree is its own process and all that descends
//! from it; what it has left in the background is known by the agent's marks in its environment.
//!
//! Never stopped: the processes above us (who contains from inside an agent would stop itself), multiplexers that an
//! agent may have started and in which people work, and what only claims to be an agent's and has a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::intake::Env;
use crate::intake::attribution::{self, ancestry};
use crate::intake::shims::Call;
use crate::model::{Bytes, Halted, Whose};
use crate::platform::home;
use crate::platform::process::{self, Process};
use crate::platform::processes;
use crate::platform::signal::{self, Signal};

/// Servers in which people's own shells run, whoever started them.
const PEOPLES: &[&str] =
    &["tmux", "tmux: server", "screen", "zellij", "sshd", "ssh-agent", "gpg-agent", "systemd", "dbus-daemon"];

/// How often the table of processes is read again: what forks while we look is seen the next time.
const ROUNDS: usize = 4;

/// What was found of somebody's agents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// To be stopped, parents before children.
    pub trees: Vec<Process>,
    /// Not to be stopped, and why, for people.
    pub left: Vec<String>,
}

/// What a process tells of whose it is.
struct Tag {
    agent: Option<&'static str>,
    /// By its own program, not by its environment alone.
    is_agent: bool,
    sessions: Vec<String>,
    named: Option<String>,
}

/// Looks for the processes that an order is about.
pub fn found(whose: &Whose) -> Found {
    let table: BTreeMap<u32, Process> =
        processes::own_pids().into_iter().filter_map(process::look).map(|p| (p.pid, p)).collect();
    let home = home::user_home();
    let tags: BTreeMap<u32, Tag> =
        table.values().filter_map(|p| Some((p.pid, tag(p, home.as_deref())?))).collect();
    let above: BTreeSet<u32> = process::lineage().iter().map(|p| p.pid).chain([std::process::id()]).collect();
    let mut found = Found::default();
    let mut chosen: BTreeSet<u32> = BTreeSet::new();
    for process in table.values().filter(|p| tags.get(&p.pid).is_some_and(|tag| tag.is_meant(whose))) {
        let Some(tag) = tags.get(&process.pid) else { continue };
        let root = match tag.is_agent {
            true => process.pid,
            // Its agent, where that still runs above it.
            false => agent_above(process, &table, &tags).unwrap_or(process.pid),
        };
        let is_sure = tag.is_agent || root != process.pid || process.terminal == 0;
        if above.contains(&root) {
            found.left.push(format!("{}: this command runs below it", told(&table, root)));
        } else if !is_sure {
            found.left.push(format!(
                "{}: it only carries the agent's marks, and has a terminal",
                told(&table, root)
            ));
        } else {
            chosen.insert(root);
        }
    }
    found.left.sort();
    found.left.dedup();
    found.trees = below(&chosen, &table, &above);
    found
}

impl Tag {
    fn is_meant(&self, whose: &Whose) -> bool {
        match whose {
            Whose::All => self.agent.is_some() || self.named.is_some(),
            Whose::Agent { agent } => {
                self.agent == Some(agent.as_str()) || self.named.as_deref() == Some(agent.as_str())
            }
            Whose::Session { session } => self.sessions.contains(session),
        }
    }
}

/// `None` for one with another home directory: it has other settings, and another store.
fn tag(process: &Process, home: Option<&Path>) -> Option<Tag> {
    let env: Env = process::first_environment(process.pid)?.iter().filter_map(|one| pair(one)).collect();
    if env.get("HOME").map(Bytes::as_path) != home {
        return None;
    }
    let own = ancestry::agent_of(process);
    let (sessions, _) = Call::names(&env);
    let named =
        env.get(attribution::RUN_ACTOR).map(|name| name.lossy().into_owned()).filter(|n| !n.is_empty());
    let agent = own.or_else(|| attribution::agent(&env).map(|(name, _)| name));
    Some(Tag { agent, is_agent: own.is_some(), sessions, named })
}

fn pair(variable: &[u8]) -> Option<(String, Bytes)> {
    let at = variable.iter().position(|b| *b == b'=')?;
    let (name, value) = variable.split_at(at);
    Some((String::from_utf8(name.to_vec()).ok()?, Bytes::from(value.get(1..)?)))
}

/// The nearest process above that is an agent itself.
fn agent_above(process: &Process, table: &BTreeMap<u32, Process>, tags: &BTreeMap<u32, Tag>) -> Option<u32> {
    let mut at = process.parent;
    for _ in 0..64 {
        let above = table.get(&at)?;
        if tags.get(&at).is_some_and(|tag| tag.is_agent) {
            return Some(at);
        }
        at = above.parent;
    }
    None
}

/// The roots and all that descends from them, parents first, without what is never stopped and what runs below that.
fn below(roots: &BTreeSet<u32>, table: &BTreeMap<u32, Process>, above: &BTreeSet<u32>) -> Vec<Process> {
    let mut wanted: Vec<u32> = roots.iter().copied().collect();
    let mut seen = BTreeSet::new();
    let mut trees = Vec::new();
    while let Some(pid) = wanted.pop() {
        let Some(process) = table.get(&pid).filter(|p| !is_never_stopped(p, above)) else { continue };
        if !seen.insert(pid) {
            continue;
        }
        trees.push(process.clone());
        wanted.extend(table.values().filter(|child| child.parent == pid).map(|child| child.pid));
    }
    trees
}

fn is_never_stopped(process: &Process, above: &BTreeSet<u32>) -> bool {
    above.contains(&process.pid) || PEOPLES.contains(&process.name.as_str()) || process.pid <= 1
}

fn told(table: &BTreeMap<u32, Process>, pid: u32) -> String {
    let name = table.get(&pid).map_or("", |process| process.name.as_str());
    format!("process {pid} ({name})")
}

/// Stops them (SIGSTOP): nothing of theirs goes on, nothing is lost. Those that were stopped, and what is left running.
pub(super) fn stop(whose: &Whose) -> (Vec<Halted>, Vec<String>) {
    let mut stopped: Vec<Halted> = Vec::new();
    let mut left = BTreeSet::new();
    for _ in 0..ROUNDS {
        let found = found(whose);
        left.extend(found.left);
        let is_new = |p: &&Process| !stopped.iter().any(|s| (s.pid, s.start) == (p.pid, p.start));
        let new: Vec<Process> = found.trees.iter().filter(is_new).cloned().collect();
        if new.is_empty() {
            break;
        }
        for process in new {
            match signal::send(&process, Signal::Stop) {
                Ok(()) => stopped.push(halted(&process)),
                Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => {}
                Err(why) => drop(left.insert(format!("process {} ({}): {why}", process.pid, process.name))),
            }
        }
    }
    // One that ended by itself just then took the signal all the same.
    stopped.retain(is_running);
    (stopped, left.into_iter().collect())
}

/// The same process, not another by its number, and not one that only waits to be reaped.
fn is_running(halted: &Halted) -> bool {
    alive(halted).is_some_and(|process| !process::is_zombie(process.pid))
}

fn alive(halted: &Halted) -> Option<Process> {
    process::look(halted.pid).filter(|process| process.start == halted.start)
}

/// Ends those that were stopped: first so that they can put their things in order, after `patience` at once.
pub(super) fn terminate(stopped: &[Halted], patience: std::time::Duration) {
    for process in stopped.iter().filter_map(alive) {
        let _ = signal::send(&process, Signal::Terminate);
        let _ = signal::send(&process, Signal::Continue);
    }
    let until = std::time::Instant::now() + patience;
    while std::time::Instant::now() < until && stopped.iter().any(is_running) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for process in stopped.iter().filter_map(alive) {
        let _ = signal::send(&process, Signal::Kill);
    }
}

/// Lets those go on that are still there. They are the same processes, not others by their numbers.
pub(super) fn resume(stopped: &[Halted]) -> Vec<Halted> {
    let goes_on = |halted: &&Halted| {
        is_running(halted)
            && alive(halted).is_some_and(|process| signal::send(&process, Signal::Continue).is_ok())
    };
    // Children first: a parent that goes on waits for them.
    stopped.iter().rev().filter(goes_on).cloned().collect()
}

fn halted(process: &Process) -> Halted {
    Halted { pid: process.pid, start: process.start, name: process.name.clone() }
}
