//! Who runs a command, told from the processes above it. Harder to fake than a variable: the agent itself must be there.

use crate::platform::process::{self, Process};

/// How an agent's process is known.
struct Sign {
    agent: &'static str,
    /// Names of the executable or the script, without extension.
    names: &'static [&'static str],
    /// The package that a script lies in.
    package: &'static str,
}

/// The agents of agents.md, by the names under which their packages install them. Editors that hold an agent (Cursor,
/// Windsurf, VS Code) are no sign: the person's own terminal runs below them too.
const SIGNS: &[Sign] = &[
    Sign { agent: "claude", names: &["claude"], package: "/@anthropic-ai/claude-code/" },
    Sign { agent: "codex", names: &["codex"], package: "/@openai/codex/" },
    Sign { agent: "copilot", names: &["copilot"], package: "/@github/copilot/" },
    Sign { agent: "gemini", names: &["gemini"], package: "/@google/gemini-cli/" },
    Sign { agent: "opencode", names: &["opencode"], package: "/opencode-ai/" },
    Sign { agent: "aider", names: &["aider"], package: "/aider/" },
    Sign { agent: "cursor", names: &["cursor-agent"], package: "/cursor-agent/" },
];

/// What runs an agent that is a script. Node names its main thread.
const INTERPRETERS: &[&str] = &["node", "nodejs", "MainThread", "node-MainThread", "bun", "deno"];

/// Runners of CI systems.
const RUNNERS: &[(&str, &str)] = &[
    ("Runner.Worker", "github-actions"),
    ("gitlab-runner", "gitlab"),
    ("buildkite-agent", "buildkite"),
    ("circleci-agent", "circleci"),
    ("Agent.Worker", "azure-pipelines"),
];

/// The agent that a program name stands for: `claude`, `/usr/bin/codex`, `gemini.js`.
pub fn agent_called(program: &str) -> Option<&'static str> {
    let base = program.rsplit('/').next().unwrap_or(program);
    let base = [".js", ".mjs", ".cjs", ".py"].iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base);
    SIGNS.iter().find(|sign| sign.names.contains(&base)).map(|sign| sign.agent)
}

/// Agents that report nothing themselves (agents.md 3).
const WITHOUT_HOOKS: &[&str] = &["aider"];

/// True for an agent that has no hooks, and for one that is not known.
pub fn is_without_hooks(agent: &str) -> bool {
    WITHOUT_HOOKS.contains(&agent) || agent_called(agent).is_none()
}

/// The agent that a process is.
pub fn agent_of(process: &Process) -> Option<&'static str> {
    agent_at(process.pid, &process.name)
}

/// The agent that a process of this name is.
pub fn agent_at(pid: u32, name: &str) -> Option<&'static str> {
    if let Some(agent) = agent_called(name) {
        return Some(agent);
    }
    if !INTERPRETERS.contains(&name) && !name.starts_with("python") {
        return None;
    }
    let arguments = process::arguments(pid);
    // An agent may have named its process (`process.title`), which overwrites its arguments.
    arguments.first().and_then(|own| agent_called(own)).or_else(|| agent_of_script(&arguments))
}

/// What an interpreter was told to run: the first word that is no option, or the module behind `-m`.
fn agent_of_script(arguments: &[String]) -> Option<&'static str> {
    let mut words = arguments.iter().skip(1);
    let script = loop {
        let word = words.next()?;
        match word.as_str() {
            "-m" => break words.next()?,
            // The program itself stands here, and its words are arguments.
            "-c" | "-e" | "--eval" | "-p" | "--print" => return None,
            "-r" | "--require" | "--import" | "-W" | "-X" => drop(words.next()),
            option if option.starts_with('-') => {}
            _ => break word,
        }
    };
    let by_package = || SIGNS.iter().find(|sign| script.contains(sign.package)).map(|sign| sign.agent);
    agent_called(script).or_else(by_package)
}

/// The nearest agent among the processes above, and its place there.
pub fn nearest_agent(lineage: &[Process]) -> Option<(usize, &'static str)> {
    lineage.iter().enumerate().find_map(|(at, process)| Some((at, agent_of(process)?)))
}

/// The CI system whose runner is among the processes above.
pub fn runner(lineage: &[Process]) -> Option<(&'static str, &Process)> {
    lineage.iter().find_map(|process| {
        let (_, ci) = RUNNERS.iter().find(|(name, _)| process.name == *name)?;
        Some((*ci, process))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(words: &[&str]) -> Option<&'static str> {
        agent_of_script(&words.iter().map(|word| (*word).to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn scripts_tell_the_agent() {
        assert_eq!(script(&["node", "--no-warnings", "/usr/local/bin/gemini", "-p", "x"]), Some("gemini"));
        assert_eq!(script(&["node", "-r", "x.js", "/n/@github/copilot/index.js"]), Some("copilot"));
        assert_eq!(script(&["python3", "-m", "aider", "--yes"]), Some("aider"));
        assert_eq!(script(&["python3", "/v/bin/aider"]), Some("aider"));
        // What an agent's name is an argument of is no agent.
        assert_eq!(script(&["node", "server.js", "claude"]), None);
        assert_eq!(script(&["python3", "-c", "claude"]), None);
        assert_eq!(script(&["node"]), None);
    }

    #[test]
    fn names_are_whole() {
        assert_eq!(agent_called("/opt/codex"), Some("codex"));
        for other in ["claude-desktop", "geminid", "cursor", "code", ""] {
            assert_eq!(agent_called(other), None, "{other}");
        }
    }
}
