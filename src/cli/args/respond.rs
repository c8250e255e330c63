//! The flags of the verbs that people need when an agent has done damage.

use clap::Args;

/// `fr blast-radius`.
#[derive(Args, Debug)]
pub struct BlastRadiusArgs {
    /// This session (its id or a prefix). The default is the agent's session that changed something last.
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub session: Option<String>,
    /// All since then, whichever session: `2h`, `3d`, `2026-11-22T14:00`.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Until then.
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// The commands of this incident; without a number the one that is open.
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "0", conflicts_with_all = ["session", "since", "until", "actor"])]
    pub incident: Option<u64>,
    /// Only this actor's: a name, or agent, human, ci, any. With --since it is agent where nothing is said.
    #[arg(long, value_name = "WHO")]
    pub actor: Option<String>,
}

/// `fr contain`.
#[derive(Args, Debug)]
pub struct ContainArgs {
    /// Only this session; the beginning of its id is enough.
    #[arg(long, value_name = "ID", conflicts_with = "agent")]
    pub session: Option<String>,
    /// Only this agent, all its sessions: claude, codex, …
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Every agent. The default.
    #[arg(long, conflicts_with_all = ["session", "agent"])]
    pub all: bool,
    /// Why; the agent and everybody who reads the timeline sees it.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
    /// End the processes instead of only stopping them.
    #[arg(long)]
    pub terminate: bool,
    /// List the orders in force, change nothing.
    #[arg(long, conflicts_with_all = ["session", "agent", "all", "terminate"])]
    pub status: bool,
}

/// `fr release`.
#[derive(Args, Debug)]
pub struct ReleaseArgs {
    /// Only the order about this session.
    #[arg(long, value_name = "ID", conflicts_with = "agent")]
    pub session: Option<String>,
    /// Only the order about this agent.
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Every order. The default.
    #[arg(long, conflicts_with_all = ["session", "agent"])]
    pub all: bool,
}
