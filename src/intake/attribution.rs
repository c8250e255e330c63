//! Who runs a command, told from the marks that agents and CI systems leave in the environment (agents.md 3), and where
//! that can be afforded from the processes above it. A mark is a claim: anyone can set a variable. So the evidence is
//! stored with the actor, and a mark that nothing else speaks for earns no more than low confidence where the processes
//! were looked at. `docs/attribution.md` is the table of what counts how much.

pub mod ancestry;
pub mod ci;

use super::{Env, text};
use crate::model::{Actor, ActorKind, Confidence};
use crate::platform::home;
use crate::platform::process::{self, Process};

/// Set by `fr run`: the agent that it started, and the session.
pub const RUN_ACTOR: &str = "FR_ACTOR";
/// See [`RUN_ACTOR`].
pub const RUN_SESSION: &str = "FR_SESSION";

/// One sign of an actor: a variable that only its commands carry.
struct Mark {
    variable: &'static str,
    name: &'static str,
}

/// Agents' marks, the telling ones first. `CLAUDE_PROJECT_DIR` is no mark: Copilot, Gemini and Cursor set it too.
const AGENTS: &[Mark] = &[
    Mark { variable: "CURSOR_VERSION", name: "cursor" },
    Mark { variable: "COPILOT_CLI", name: "copilot" },
    Mark { variable: "CODEX_THREAD_ID", name: "codex" },
    Mark { variable: "CODEX_SESSION_ID", name: "codex" },
    Mark { variable: "CODEX_SANDBOX", name: "codex" },
    Mark { variable: "GEMINI_CLI", name: "gemini" },
    Mark { variable: "OPENCODE", name: "opencode" },
    Mark { variable: "CLAUDECODE", name: "claude" },
    Mark { variable: "CLAUDE_CODE_SESSION_ID", name: "claude" },
];

/// CI systems' marks; `CI` itself, which most of them set, comes last.
const CI: &[Mark] = &[
    Mark { variable: "GITHUB_ACTIONS", name: "github-actions" },
    Mark { variable: "GITLAB_CI", name: "gitlab" },
    Mark { variable: "BUILDKITE", name: "buildkite" },
    Mark { variable: "CIRCLECI", name: "circleci" },
    Mark { variable: "JENKINS_URL", name: "jenkins" },
    Mark { variable: "TF_BUILD", name: "azure-pipelines" },
    Mark { variable: "TEAMCITY_VERSION", name: "teamcity" },
    Mark { variable: "TRAVIS", name: "travis" },
    Mark { variable: "DRONE", name: "drone" },
    Mark { variable: "CI", name: "ci" },
];

/// The agent whose commands carry this environment, and the variable that says so.
pub fn agent(env: &Env) -> Option<(&'static str, &'static str)> {
    find(AGENTS, env)
        .or_else(|| {
            let aider = text(env, "OR_APP_NAME").is_some_and(|name| name.eq_ignore_ascii_case("aider"));
            aider.then_some(("aider", "OR_APP_NAME"))
        })
        .or_else(|| Some((ancestry::agent_called(text(env, RUN_ACTOR)?)?, RUN_ACTOR)))
}

/// Every variable that tells who runs a command.
pub fn variables() -> impl Iterator<Item = &'static str> {
    let marks = AGENTS.iter().chain(CI).map(|mark| mark.variable);
    marks.chain(["OR_APP_NAME", "AI_AGENT", RUN_ACTOR, RUN_SESSION, "USER", "LOGNAME"])
}

/// True where the marks are those of an agent or a CI job that reports nothing itself.
pub fn is_without_hooks(env: &Env) -> bool {
    match text(env, RUN_ACTOR).or_else(|| agent(env).map(|(name, _)| name)) {
        Some(name) => ancestry::is_without_hooks(name),
        None => find(CI, env).is_some(),
    }
}

/// Who runs a command in this environment. An agent inside a CI job is the agent: it chose the command.
pub fn actor(env: &Env) -> Actor {
    if let Some((name, variable)) = agent(env) {
        return marked(ActorKind::Agent, name, variable, agent_version(name, env));
    }
    if let Some(name) = text(env, RUN_ACTOR) {
        return marked(ActorKind::Agent, name, RUN_ACTOR, None);
    }
    match find(CI, env) {
        Some((name, variable)) => in_job(marked(ActorKind::Ci, name, variable, None), env),
        None => human(env, "no mark of an agent or CI job", Confidence::Low),
    }
}

/// The same, with the processes above looked at too. Where they and the marks disagree, the processes win.
pub fn actor_among(env: &Env, lineage: &[Process]) -> Actor {
    if let Some((at, name)) = ancestry::nearest_agent(lineage) {
        return agent_above(name, lineage.get(at), env);
    }
    if let Some((name, run)) = started_by_run(env, lineage) {
        let evidence = format!("started by `fr run`, process {}", run.pid);
        let version = agent_version(&name, env);
        return plain(ActorKind::Agent, name, version, evidence, Confidence::High);
    }
    if let Some((name, variable)) = agent(env) {
        let mut actor = marked(ActorKind::Agent, name, variable, agent_version(name, env));
        actor.evidence.push_str(", but no such process above it");
        actor.confidence = Confidence::Low;
        return actor;
    }
    let runner = ancestry::runner(lineage);
    match (find(CI, env), runner) {
        (Some((name, variable)), runner) => {
            let mut actor = in_job(marked(ActorKind::Ci, name, variable, None), env);
            if runner.is_some_and(|(above, _)| above == name) {
                actor.confidence = Confidence::High;
            }
            actor
        }
        (None, Some((name, process))) => {
            let evidence = format!("process {} ({}) above it", process.pid, process.name);
            plain(ActorKind::Ci, name.to_string(), None, evidence, Confidence::Medium)
        }
        (None, None) => match lineage.first().filter(|parent| parent.terminal != 0) {
            Some(_) => human(env, "on a terminal, no agent or CI job above it", Confidence::Medium),
            None => human(env, "no agent or CI job above it, no terminal", Confidence::Low),
        },
    }
}

/// Who runs this process.
pub fn actor_here(env: &Env) -> Actor {
    actor_among(env, &process::lineage())
}

/// An agent was found above. Its own marks make it sure; another's are told.
fn agent_above(name: &'static str, process: Option<&Process>, env: &Env) -> Actor {
    let pid = process.map_or(0, |process| process.pid);
    let above = format!("process {pid} ({name}) above it");
    let (evidence, confidence) = match agent(env) {
        Some((marked, variable)) if marked == name => {
            (format!("{above}; environment: {variable}"), Confidence::High)
        }
        Some((marked, variable)) => (
            format!("{above}, although {variable} in the environment speaks for {marked}"),
            Confidence::Medium,
        ),
        None => (above, Confidence::Medium),
    };
    plain(ActorKind::Agent, name.to_string(), agent_version(name, env), evidence, confidence)
}

/// The agent's name where this runs below the `fr run` that the environment names.
fn started_by_run<'a>(env: &Env, lineage: &'a [Process]) -> Option<(String, &'a Process)> {
    let (name, session) = (text(env, RUN_ACTOR)?, text(env, RUN_SESSION)?);
    let pid: u32 = session.strip_prefix("run-")?.split('-').next()?.parse().ok()?;
    let run = lineage.iter().find(|process| process.pid == pid && process.name == "fr")?;
    Some((name.to_string(), run))
}

fn plain(
    kind: ActorKind,
    name: String,
    version: Option<String>,
    evidence: String,
    confidence: Confidence,
) -> Actor {
    Actor { kind, name, version, subagent: None, evidence, confidence }
}

fn human(env: &Env, evidence: &str, confidence: Confidence) -> Actor {
    plain(ActorKind::Human, login_name(env), None, evidence.to_string(), confidence)
}

/// Adds where the job can be seen.
fn in_job(mut actor: Actor, env: &Env) -> Actor {
    if let Some(job) = ci::job(&actor.name, env) {
        actor.evidence = format!("{}; {job}", actor.evidence);
    }
    actor
}

/// The agent's version, where its environment says.
/// Claude Code sets `AI_AGENT=claude-code_2-1-197_harness` (in hooks) or `…_agent` (in commands).
pub fn agent_version(name: &str, env: &Env) -> Option<String> {
    match name {
        "claude" => {
            let version = text(env, "AI_AGENT")?.strip_prefix("claude-code_")?.split('_').next()?;
            Some(version.replace('-', ".")).filter(|version| !version.is_empty())
        }
        "codex" => text(env, "CODEX_VERSION").map(str::to_string),
        "copilot" => text(env, "COPILOT_CLI_BINARY_VERSION").map(str::to_string),
        "cursor" => text(env, "CURSOR_VERSION").map(str::to_string),
        _ => None,
    }
}

fn marked(kind: ActorKind, name: &str, variable: &str, version: Option<String>) -> Actor {
    plain(kind, name.to_string(), version, format!("environment: {variable}"), Confidence::Medium)
}

/// The first mark that is set. `CI=false` and `CI=0` are how people switch it off.
fn find(marks: &[Mark], env: &Env) -> Option<(&'static str, &'static str)> {
    let set = |mark: &&Mark| text(env, mark.variable).is_some_and(|v| v != "0" && v != "false");
    marks.iter().find(set).map(|mark| (mark.name, mark.variable))
}

fn login_name(env: &Env) -> String {
    let named = text(env, "USER").or_else(|| text(env, "LOGNAME"));
    named.map_or_else(home::user_name, str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        pairs.iter().map(|(name, value)| ((*name).to_string(), (*value).into())).collect()
    }

    #[test]
    fn marks_name_the_agent_and_the_evidence() {
        let claude = actor(&env(&[("CLAUDECODE", "1"), ("AI_AGENT", "claude-code_2-1-197_agent")]));
        assert_eq!((claude.kind, claude.name.as_str()), (ActorKind::Agent, "claude"));
        assert_eq!(claude.version.as_deref(), Some("2.1.197"));
        assert_eq!(claude.evidence, "environment: CLAUDECODE");
        assert_eq!(claude.confidence, Confidence::Medium);
        assert_eq!(actor(&env(&[("OR_APP_NAME", "Aider")])).name, "aider");
        // Copilot, Gemini and Cursor set this for their hooks as well (agents.md 5).
        assert_eq!(actor(&env(&[("CLAUDE_PROJECT_DIR", "/x"), ("USER", "ann")])).kind, ActorKind::Human);
    }

    fn process(pid: u32, name: &str, terminal: i32) -> Process {
        Process { pid, parent: 1, leader: 1, terminal, start: 1, name: name.to_string() }
    }

    #[test]
    fn processes_win_over_marks() {
        let above = [process(30, "bash", 0), process(20, "codex", 0), process(10, "claude", 0)];
        let both = actor_among(&env(&[("CODEX_SESSION_ID", "s")]), &above);
        assert_eq!((both.name.as_str(), both.confidence), ("codex", Confidence::High));
        let other = actor_among(&env(&[("GEMINI_CLI", "1")]), &above);
        assert_eq!((other.name.as_str(), other.confidence), ("codex", Confidence::Medium));
        assert!(other.evidence.contains("GEMINI_CLI"), "{}", other.evidence);
        let forged = actor_among(&env(&[("CLAUDECODE", "1")]), &[process(30, "bash", 34816)]);
        assert_eq!((forged.name.as_str(), forged.confidence), ("claude", Confidence::Low));
        let person = actor_among(&env(&[("USER", "ann")]), &[process(30, "bash", 34816)]);
        assert_eq!((person.kind, person.confidence), (ActorKind::Human, Confidence::Medium));
        let run = env(&[(RUN_ACTOR, "robot"), (RUN_SESSION, "run-40-1f")]);
        let started = actor_among(&run, &[process(41, "sh", 0), process(40, "fr", 0)]);
        assert_eq!((started.name.as_str(), started.kind), ("robot", ActorKind::Agent));
        assert_eq!(actor_among(&run, &[process(41, "sh", 0)]).kind, ActorKind::Human);
        let ci = env(&[("GITLAB_CI", "true"), ("CI_JOB_URL", "https://gitlab.example/-/jobs/5")]);
        let job = actor_among(&ci, &[process(30, "bash", 0)]);
        assert_eq!((job.name.as_str(), job.confidence), ("gitlab", Confidence::Medium));
        assert!(job.evidence.ends_with("https://gitlab.example/-/jobs/5"), "{}", job.evidence);
        assert_eq!(actor_among(&ci, &[process(9, "gitlab-runner", 0)]).confidence, Confidence::High);
    }

    #[test]
    fn an_agent_in_ci_is_the_agent() {
        let both = actor(&env(&[("CI", "true"), ("GITHUB_ACTIONS", "true"), ("CODEX_THREAD_ID", "t")]));
        assert_eq!(both.name, "codex");
        let job = actor(&env(&[("CI", "true"), ("GITHUB_ACTIONS", "true")]));
        assert_eq!((job.kind, job.name.as_str()), (ActorKind::Ci, "github-actions"));
        assert_eq!(actor(&env(&[("CI", "false"), ("USER", "ann")])).name, "ann");
    }
}
