//! What the examination found, as values.

use serde::Serialize;

use crate::model::{Bytes, Gap};

/// The whole examination.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// True where every agent here is recorded and the store is sound.
    pub protected: bool,
    /// This binary and its hook.
    pub fr: Binary,
    /// The agents, those that are not here too.
    pub agents: Vec<Agent>,
    /// The shells.
    pub shells: Vec<ShellState>,
    /// The store.
    pub store: StoreState,
    /// Programs that `fr` and its users lean on.
    pub tools: Vec<Tool>,
    /// The latest gaps of the record, newest first.
    pub gaps: Vec<Gap>,
}

/// This binary.
#[derive(Clone, Debug, Serialize)]
pub struct Binary {
    /// Its version.
    pub version: &'static str,
    /// The path that hooks are given.
    pub path: Bytes,
    /// What one hook costs here and now, in milliseconds: the median of several, each a process of its own.
    pub hook_ms: Option<f64>,
    /// Why that could not be measured.
    pub hook_error: Option<String>,
}

/// Whether something is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Its hooks are there and would be run.
    Protected,
    /// It is here, and what it does is not recorded.
    Unprotected,
    /// It is not on this machine.
    Absent,
}

/// One agent.
#[derive(Clone, Debug, Serialize)]
pub struct Agent {
    /// The word after `--agent`.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Whether it is recorded.
    pub protection: Protection,
    /// The file that has, or would have, its hooks.
    pub file: Bytes,
    /// What shows that it is here.
    pub found: Vec<Bytes>,
    /// Why it is not protected.
    pub problem: Option<String>,
    /// What to do about that.
    pub next: Option<String>,
    /// What is worth knowing besides.
    pub remarks: Vec<String>,
    /// When an event of it was recorded last, nanoseconds since 1970.
    pub last_event_ns: Option<i64>,
    /// Its processes.
    pub running: Vec<Running>,
    /// What this channel does not see.
    pub blind: &'static [&'static str],
}

/// A process of an agent.
#[derive(Clone, Debug, Serialize)]
pub struct Running {
    /// Its id.
    pub pid: u32,
    /// When it started, nanoseconds since 1970.
    pub since_ns: i64,
    /// No event of its agent was recorded since.
    pub silent: bool,
}

/// One shell.
#[derive(Clone, Debug, Serialize)]
pub struct ShellState {
    /// Its name.
    pub name: &'static str,
    /// Its start-up file.
    pub file: Bytes,
    /// It is on this machine.
    pub present: bool,
    /// Its integration is there and calls an `fr`.
    pub integrated: bool,
    /// Why not, where it was meant to be.
    pub problem: Option<String>,
    /// What is worth knowing besides.
    pub remarks: Vec<String>,
}

/// The store, as far as a glance tells.
#[derive(Clone, Debug, Serialize)]
pub struct StoreState {
    /// Where it is.
    pub root: Bytes,
    /// There is one.
    pub exists: bool,
    /// Its format, as its first file says.
    pub format: Option<String>,
    /// Bytes of all its files.
    pub bytes: u64,
    /// When an event was recorded last, nanoseconds since 1970.
    pub last_event_ns: Option<i64>,
    /// When a shell reported last, nanoseconds since 1970.
    pub last_shell_event_ns: Option<i64>,
    /// What is wrong with it.
    pub problems: Vec<String>,
}

/// A program.
#[derive(Clone, Debug, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub path: Option<Bytes>,
}
