//! Is it the agent that runs the program for itself, rather than a command that it was told to run? Agents call git
//! dozens of times for each command (agents.md 4.9), and that is nobody's news.

use crate::intake::Env;
use crate::intake::attribution::ancestry;
use crate::platform::process;

/// Variables that a shell changes for what it runs: bash and zsh put the program's path into `_`, and bash, zsh and
/// fish count `SHLVL`.
const LEFT_BY_SHELLS: &[&str] = &["_", "SHLVL"];

/// True where the parent is an agent, and no shell stood between. A shell may have: `bash -c 'git push'` becomes git
/// without a process of its own, but leaves its traces in the environment.
pub fn is_own(env: &Env) -> bool {
    let parent = process::parent();
    let agent = process::name(parent).and_then(|name| ancestry::agent_at(parent, &name));
    let Some(agent) = agent else { return false };
    // What it runs itself (Aider's commits and `/undo`) nobody else reports.
    if ancestry::is_without_hooks(agent) {
        return false;
    }
    // What cannot be told is taken for a command: one event too many is better than one too few.
    let Some(theirs) = process::first_environment(parent) else { return false };
    LEFT_BY_SHELLS.iter().all(|name| {
        let start = [name.as_bytes(), b"="].concat();
        let before = theirs.iter().find_map(|word| word.strip_prefix(start.as_slice()));
        before == env.get(*name).map(|value| value.as_slice())
    })
}
