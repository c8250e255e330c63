//! What any channel asks the recorder to do, free of wire formats.

use std::collections::BTreeMap;

use crate::model::{Actor, Answers, Bytes, Outcome, SessionMoment, Source};

/// An environment: variable name to value.
pub type Env = BTreeMap<String, Bytes>;

/// What a channel reported.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// A command is about to run: record it, capture what it destroys, then answer.
    Before(Box<Request>),
    /// A command has ended, or was put into the background.
    After(Ending),
    /// A session or sub-agent began, paused or ended.
    Session(SessionSignal),
    /// Nothing that is recorded.
    Ignore,
    /// It could not be understood. The command runs all the same; the recorder notes the gap.
    Malformed(Malformed),
}

/// A command that is about to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The agent's session id, or `shell-<pid>-<start>`, or `exec-<pid>-<start>`.
    pub session: String,
    /// The id that pairs it with its ending within the session.
    pub call: Option<String>,
    /// Who runs it.
    pub actor: Actor,
    /// Which channel reported it.
    pub source: Source,
    /// The directory it runs in, absolute. Empty where nobody knows.
    pub cwd: Bytes,
    /// It goes on in the background after its ending was reported.
    pub background: bool,
    /// Which answers the channel can act on.
    pub answers: Answers,
    /// What it does.
    pub action: Action,
    /// The environment it runs with, as far as the channel has it.
    pub env: Env,
}

/// What a command does, as the channel says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A line of shell.
    Shell(Vec<u8>),
    /// A program with its arguments, no shell between.
    Argv(Vec<Bytes>),
    /// A tool of the agent's own that writes these files.
    EditFile {
        /// `Edit`, `Write`, …
        tool: String,
        /// The files, absolute.
        paths: Vec<Bytes>,
    },
    /// A tool of the agent's own that is known to change nothing.
    ReadOnly {
        /// `Read`, `Grep`, …
        tool: String,
        /// What it looks at, for people; may be empty.
        subject: Bytes,
    },
    /// Any other tool (MCP, sub-agents, tools that came later): something ran, and this is all we know.
    OtherTool {
        /// The tool's name.
        name: String,
        /// Its input, raw JSON. May hold secrets: redact before it is written anywhere.
        raw: Vec<u8>,
    },
}

impl Action {
    /// The tool's name as the record shows it: `Bash`, `exec`, `Edit`, an MCP tool's name.
    pub fn tool(&self, source: Source) -> &str {
        match (self, source) {
            (Action::Shell(_), Source::Hook) => "Bash",
            (Action::Shell(_), Source::Shell) => "shell",
            (Action::Shell(_) | Action::Argv(_), _) => "exec",
            (Action::EditFile { tool, .. } | Action::ReadOnly { tool, .. }, _) => tool,
            (Action::OtherTool { name, .. }, _) => name,
        }
    }
}

/// A command has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// The session, as in the request.
    pub session: String,
    /// The call, as in the request.
    pub call: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it ran, milliseconds.
    pub duration_ms: Option<u64>,
    /// The error text that came with a failure, bounded. May hold secrets: redact before it is written anywhere.
    pub note: Option<Vec<u8>>,
    /// What ran, where the channel repeats it: lets an ending without a call id find its beginning.
    pub action: Option<Action>,
    /// The edit, where the channel repeats that too: lets one whose beginning nobody saw be recorded.
    pub edit: Option<Box<ReportedEdit>>,
    /// The task in the background that it tells of.
    pub task: Option<Task>,
}

impl Ending {
    /// An ending of which only that much is known.
    pub fn new(session: String, call: Option<String>, outcome: Outcome) -> Ending {
        Ending { session, call, outcome, duration_ms: None, note: None, action: None, edit: None, task: None }
    }
}

/// An edit as it is told of afterwards, with what the file held.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportedEdit {
    /// What would have been asked before it.
    pub request: Request,
    /// The file.
    pub texts: Texts,
}

/// What a file is told to have held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// Before the edit; `None` where the file was made.
    pub before: Option<Vec<u8>>,
    /// After it, where that is told.
    pub after: Option<Vec<u8>>,
}

/// A command that goes on after its call has ended, by the agent's own name for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its name, in its session.
    pub id: String,
    /// How it has ended; `None` where it has only begun.
    pub ended: Option<Outcome>,
}

/// A session or sub-agent began, paused or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSignal {
    /// The session.
    pub session: String,
    /// Which moment.
    pub moment: SessionMoment,
    /// Whose.
    pub actor: Actor,
    /// Where.
    pub cwd: Bytes,
}

/// Something that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong with it, one line, a lower-case fragment.
    pub reason: String,
    /// What to do about it, one line.
    pub hint: String,
    /// The beginning of what came, at most [`Malformed::DETAIL`] bytes. May hold secrets and hostile bytes.
    pub detail: Vec<u8>,
}

impl Malformed {
    /// The most bytes of an unreadable message that are kept.
    pub const DETAIL: usize = 256;

    /// Keeps the beginning of `came` beside the reason.
    pub fn new(reason: impl Into<String>, hint: impl Into<String>, came: &[u8]) -> Malformed {
        let detail = came.get(..Malformed::DETAIL).unwrap_or(came).to_vec();
        Malformed { reason: reason.into(), hint: hint.into(), detail }
    }
}
