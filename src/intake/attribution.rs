//! Who runs a command, told from the marks that agents and CI systems leave in the environment (agents.md 3).
//! A mark is a claim: anyone can set a variable. So the evidence is stored with the actor, and only an agent's own
//! hook earns high confidence.

use super::{Env, text};
use crate::model::{Actor, ActorKind, Confidence};
use crate::platform::home;

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
    find(AGENTS, env).or_else(|| {
        let aider = text(env, "OR_APP_NAME").is_some_and(|name| name.eq_ignore_ascii_case("aider"));
        aider.then_some(("aider", "OR_APP_NAME"))
    })
}

/// Who runs a command in this environment. An agent inside a CI job is the agent: it chose the command.
pub fn actor(env: &Env) -> Actor {
    if let Some((name, variable)) = agent(env) {
        return marked(ActorKind::Agent, name, variable, agent_version(name, env));
    }
    match find(CI, env) {
        Some((name, variable)) => marked(ActorKind::Ci, name, variable, None),
        None => Actor {
            kind: ActorKind::Human,
            name: login_name(env),
            version: None,
            subagent: None,
            evidence: "no mark of an agent or CI job".to_string(),
            confidence: Confidence::Low,
        },
    }
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
    Actor {
        kind,
        name: name.to_string(),
        version,
        subagent: None,
        evidence: format!("environment: {variable}"),
        confidence: Confidence::Medium,
    }
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

    #[test]
    fn an_agent_in_ci_is_the_agent() {
        let both = actor(&env(&[("CI", "true"), ("GITHUB_ACTIONS", "true"), ("CODEX_THREAD_ID", "t")]));
        assert_eq!(both.name, "codex");
        let job = actor(&env(&[("CI", "true"), ("GITHUB_ACTIONS", "true")]));
        assert_eq!((job.kind, job.name.as_str()), (ActorKind::Ci, "github-actions"));
        assert_eq!(actor(&env(&[("CI", "false"), ("USER", "ann")])).name, "ann");
    }
}
