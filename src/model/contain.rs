//! Containment: from now on an agent's commands are not run.

use serde::{Deserialize, Serialize};

use super::{Actor, ActorKind, Uid};

/// Whose commands are held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "whose", rename_all = "kebab-case")]
pub enum Whose {
    /// Every agent's.
    All,
    /// Those of one session.
    Session {
        /// Its id, whole.
        session: String,
    },
    /// Those of every session of one agent.
    Agent {
        /// `claude`, `codex`, …
        agent: String,
    },
}

impl Whose {
    /// True where a command of this actor and session is meant. People are never held.
    pub fn covers(&self, actor: &Actor, session: &str) -> bool {
        actor.kind == ActorKind::Agent
            && match self {
                Whose::All => true,
                Whose::Session { session: held } => held == session,
                Whose::Agent { agent } => *agent == actor.name,
            }
    }

    /// For people: `every agent`, `session 4f2c`, `claude`.
    pub fn words(&self) -> String {
        match self {
            Whose::All => "every agent".to_owned(),
            Whose::Session { session } => format!("session {session}"),
            Whose::Agent { agent } => agent.clone(),
        }
    }
}

impl Whose {
    /// The same in "no command of …": `any agent`.
    pub fn denied(&self) -> String {
        if *self == Whose::All { "any agent".to_owned() } else { self.words() }
    }
}

/// An order that is in force until somebody releases it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its own id, by which the journal's event and the file of orders know each other.
    pub order: Uid,
    /// Since when, nanoseconds since 1970.
    pub since_ns: i64,
    /// Whose commands are held.
    #[serde(flatten)]
    pub whose: Whose,
    /// Why, for people; shown to the agent too.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who gave it: a login name, or `fr` where the detector did.
    pub by: String,
}

/// A process that containment or its release was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halted {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did: tells reused numbers apart.
    pub start: u64,
    /// Its name.
    pub name: String,
}

/// What was done to contain, as the event keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contained {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// The processes that were stopped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<Halted>,
    /// They were ended, not only stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub terminated: bool,
    /// What could not be stopped, and why, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// What a release ended, as the event keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The orders.
    pub orders: Vec<Uid>,
    /// Whose commands run again, for people.
    pub whose: Vec<String>,
    /// The processes that go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Halted>,
}

/// An agent that destroys faster than anybody can look, or that destroys production, as the event keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// The session.
    pub of: String,
    /// The agent.
    pub agent: String,
    /// How many destructive commands were counted.
    pub commands: u64,
    /// In how many seconds.
    pub seconds: u64,
    /// What the recorder did about it: `alert`, `ask`, `contain`.
    pub reaction: String,
    /// What is marked as production and was about to be destroyed, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production: Option<String>,
}
