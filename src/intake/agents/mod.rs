//! The agents whose hooks `fr` understands. One file and one line in [`AGENTS`] per agent; the file holds its wire
//! format, the conversion and the form of its answers, and nothing else knows them.

mod claude;
mod codex;
mod copilot;
mod cursor;
pub mod fields;
mod gemini;
pub mod opencode;
pub mod payload;
mod reply;
pub mod tools;
mod vscode;
mod windsurf;

use std::io::Read;

pub use crate::model::Verdict;
pub use reply::Reply;

use super::{Env, Happening, Malformed};

/// One agent: how its hook speaks and how it is answered.
pub struct AgentSpec {
    /// The word after `fr hook`.
    pub name: &'static str,
    /// Understands one hook payload, given the hook's environment.
    pub parse: fn(&[u8], &Env) -> Happening,
    /// True where a payload is this agent's, whichever agent's settings registered the hook: Copilot CLI, VS Code
    /// and Cursor also run the hooks in `~/.claude/settings.json` (agents.md 4.8).
    pub claims: fn(&[u8], &Env) -> bool,
    /// What to print and exit with for a verdict.
    pub reply: fn(&Verdict) -> Reply,
}

/// Every agent, by the word after `fr hook`.
pub const AGENTS: &[AgentSpec] = &[
    claude::SPEC,
    codex::SPEC,
    copilot::SPEC,
    cursor::SPEC,
    gemini::SPEC,
    opencode::SPEC,
    vscode::SPEC,
    windsurf::SPEC,
];

/// The agent of that name.
pub fn find(name: &str) -> Option<&'static AgentSpec> {
    AGENTS.iter().find(|agent| agent.name == name)
}

/// What a hook reported, and who speaks: the one that is answered.
pub struct Heard {
    /// What was reported.
    pub happening: Happening,
    /// The agent whose payload it is, whichever agent's settings registered the hook.
    pub speaker: Option<&'static AgentSpec>,
}

/// Reads one hook payload and understands it. Never fails: what cannot be understood is [`Happening::Malformed`].
pub fn hook(agent: &str, stdin: impl Read, env: &Env) -> Happening {
    hear(agent, stdin, env).happening
}

/// The same, with the agent that is to be answered.
pub fn hear(agent: &str, stdin: impl Read, env: &Env) -> Heard {
    let silent = |malformed| Heard { happening: Happening::Malformed(malformed), speaker: None };
    let Some(registered) = find(agent) else {
        let known: Vec<&str> = AGENTS.iter().map(|agent| agent.name).collect();
        let hint = format!("the agents that have a hook are: {}", known.join(", "));
        return silent(Malformed::new(format!("no agent is called {agent:?}"), hint, &[]));
    };
    match payload::read(stdin) {
        Ok(bytes) => {
            // Whose payload it is, it says itself; the registration decides only where no agent knows it as its own.
            let claims = |other: &&AgentSpec| (other.claims)(&bytes, env);
            let speaker = if claims(&registered) {
                registered
            } else {
                AGENTS.iter().find(claims).unwrap_or(registered)
            };
            Heard { happening: (speaker.parse)(&bytes, env), speaker: Some(speaker) }
        }
        Err(malformed) => silent(malformed),
    }
}
