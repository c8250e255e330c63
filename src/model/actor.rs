//! Who ran a command, and how we know.

use serde::{Deserialize, Serialize};

/// The kind of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// A person at a shell.
    Human,
    /// An AI coding agent.
    Agent,
    /// A CI job.
    Ci,
    /// `fr` itself (undo, gc, drill).
    Recorder,
}

/// How sure the attribution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A default, or a variable that the processes above it do not confirm.
    Low,
    /// Environment marks, or the processes above it.
    Medium,
    /// The agent's own hook said so, or marks and processes agree.
    High,
}

/// Who ran a command: the kind, the name (`claude`, a login name, a CI system), and the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Person, agent, CI or the recorder.
    pub kind: ActorKind,
    /// `claude`, `codex`, …; the login name for a person.
    pub name: String,
    /// The agent's version where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The sub-agent (id and type) that ran it, where the agent says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subagent: Option<String>,
    /// What the attribution rests on, one short fact.
    pub evidence: String,
    /// How sure it is.
    pub confidence: Confidence,
}

/// The word of a filter that means everybody.
pub const ANYBODY: &str = "any";

impl Actor {
    /// Whether a filter's word means this actor: its name, its kind, or everybody.
    pub fn is_called(&self, word: &str) -> bool {
        let kind = match self.kind {
            ActorKind::Human => "human",
            ActorKind::Agent => "agent",
            ActorKind::Ci => "ci",
            ActorKind::Recorder => "recorder",
        };
        word == self.name || word == kind || word == ANYBODY
    }
}
