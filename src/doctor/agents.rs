//! Each agent: is it here, are its hooks there, would they be run, has anything of it been recorded, and is it running
//! right now while nothing of it is.

use super::report::{Agent, Protection, Running, ShellState};
use crate::intake::install::agents::{AGENTS, AIDER, Spec};
use crate::intake::install::look::{self, Look, Standing};
use crate::intake::install::{Scope, World};
use crate::intake::shells::Shell;
use crate::journal::index::SessionSummary;
use crate::model::Bytes;
use crate::platform::processes::Process;

const AIDER_BLIND: &[&str] = &[
    "Aider's own file edits: they are no commands; its git commits are the only trace",
    "without a terminal Aider runs commands by /bin/sh, past the shell integration",
];

/// What there is to look at.
pub struct Scene<'a> {
    /// The machine.
    pub world: &'a World,
    /// The sessions of the record.
    pub sessions: &'a [SessionSummary],
    /// The user's processes.
    pub processes: &'a [Process],
}

/// Every agent.
pub fn look(scene: &Scene<'_>) -> Vec<Agent> {
    let mut agents: Vec<Agent> = AGENTS.iter().map(|spec| with_hooks(scene, spec)).collect();
    agents.push(aider(scene));
    agents
}

/// Every shell.
pub fn shells(world: &World) -> Vec<ShellState> {
    let state = |shell: Shell| {
        let Look { file, state, remarks } = look::shell(world, shell);
        let problem = match &state {
            Standing::Good | Standing::Absent => None,
            Standing::Unreadable(why) | Standing::Broken(why) | Standing::Off(why) => Some(why.clone()),
        };
        ShellState {
            name: shell.name(),
            present: world.program(shell.name()).is_some(),
            file: Bytes::from(file),
            integrated: state == Standing::Good,
            problem,
            remarks,
        }
    };
    Shell::ALL.into_iter().map(state).collect()
}

fn with_hooks(scene: &Scene<'_>, spec: &'static Spec) -> Agent {
    let presence = scene.world.presence(spec);
    let found = presence.directory.into_iter().chain(presence.program).map(Bytes::from).collect();
    let names = spec.binaries;
    let mut agent = empty(scene, spec.name, spec.title, names, found, spec.blind);
    let user = look::agent(scene.world, spec, Scope::User);
    let project = look::agent(scene.world, spec, Scope::Project);
    let good = |look: &Look| look.state == Standing::Good;
    let here = if !good(&user) && good(&project) {
        agent.remarks.push("only in this project: elsewhere it is not recorded".to_string());
        project
    } else {
        user
    };
    agent.file = Bytes::from(here.file.clone());
    agent.remarks.extend(here.remarks.clone());
    agent.remarks.extend(spec.remarks.iter().map(|remark| (*remark).to_string()));
    judge(&mut agent, &here.state, spec.name, &format!("fr install --agent {}", spec.name));
    agent
}

fn aider(scene: &Scene<'_>) -> Agent {
    let found = scene.world.program(AIDER).map(Bytes::from).into_iter().collect();
    let mut agent = empty(scene, AIDER, "Aider", &[AIDER], found, AIDER_BLIND);
    let shell = scene.world.login_shell().unwrap_or(Shell::Bash);
    let here = look::shell(scene.world, shell);
    agent.file = Bytes::from(here.file);
    agent.remarks.extend(here.remarks);
    judge(&mut agent, &here.state, AIDER, "fr install --agent aider");
    agent
}

fn empty(
    scene: &Scene<'_>,
    name: &'static str,
    title: &'static str,
    programs: &[&str],
    found: Vec<Bytes>,
    blind: &'static [&'static str],
) -> Agent {
    let last =
        scene.sessions.iter().filter(|s| s.actor == name && s.actor_kind == "agent").map(|s| s.last_ns).max();
    let runs = |process: &&Process| process.names.iter().any(|n| programs.contains(&n.as_str()));
    let running = scene.processes.iter().filter(runs).map(|process| Running {
        pid: process.pid,
        since_ns: process.since_ns,
        silent: last.is_none_or(|last| last < process.since_ns),
    });
    Agent {
        name,
        title,
        protection: Protection::Absent,
        file: Bytes::default(),
        found,
        problem: None,
        next: None,
        remarks: Vec::new(),
        last_event_ns: last,
        running: running.collect(),
        blind,
    }
}

fn judge(agent: &mut Agent, state: &Standing, name: &str, install: &str) {
    let is_here = !agent.found.is_empty() || !agent.running.is_empty();
    let run = || Some(format!("run `{install}`"));
    (agent.problem, agent.next) = match state {
        Standing::Good => (None, None),
        Standing::Absent if !is_here => (None, None),
        Standing::Absent => (Some("its hooks are not installed".to_string()), run()),
        Standing::Broken(why) => (Some(why.clone()), run()),
        Standing::Unreadable(why) => (
            Some(format!("its settings cannot be read: {why}")),
            Some(format!("mend the file, then run `{install}`")),
        ),
        Standing::Off(why) if name == "codex" => (
            Some(format!("Codex does not run its hooks: {why}")),
            Some("start codex, type /hooks, and accept those that call fr".to_string()),
        ),
        Standing::Off(why) => {
            (Some(format!("it does not run its hooks: {why}")), Some("take that setting out".to_string()))
        }
    };
    agent.protection = match (&agent.problem, is_here) {
        (Some(_), true) => Protection::Unprotected,
        (None, true) => Protection::Protected,
        (_, false) => Protection::Absent,
    };
    let silent = agent.running.iter().filter(|running| running.silent).count();
    if silent > 0 && agent.protection == Protection::Unprotected {
        let pids: Vec<String> =
            agent.running.iter().filter(|r| r.silent).map(|r| r.pid.to_string()).collect();
        let why = agent.problem.take().unwrap_or_default();
        agent.problem = Some(format!(
            "{why}; it is running now (process {}) and nothing of it is recorded",
            pids.join(", ")
        ));
    } else if silent > 0 && agent.protection == Protection::Protected {
        agent.remarks.push(
            "running, and nothing recorded since it started: idle, or started before its hooks were there"
                .to_string(),
        );
    }
}
