//! What agents' tools do, in the words that several adapters share.

use serde_json::value::RawValue;

use super::fields::Fields;
use super::payload::{Text, absolute};
use crate::intake::{Action, Malformed};
use crate::model::{Actor, ActorKind, Bytes, Confidence, Outcome, SessionMoment, patched_files};

/// The most bytes of an error text that go on to the record.
const NOTE_LIMIT: usize = 4096;

/// A tool call and whether it goes on in the background.
pub struct Tool {
    /// What it does.
    pub action: Action,
    /// Its after-hook comes before its end.
    pub background: bool,
}

impl From<Action> for Tool {
    fn from(action: Action) -> Tool {
        Tool { action, background: false }
    }
}

/// A line of shell: as a string, or as an argv (older tools of Codex).
pub fn command(input: &Fields<'_>, names: &[&str]) -> Option<Action> {
    let line = input.bytes(names).map(Action::Shell);
    line.or_else(|| input.list(names).filter(|argv| !argv.is_empty()).map(Action::Argv))
}

/// An edit of files that are named relative to the call's directory.
pub fn edit(tool: &str, paths: impl IntoIterator<Item = Vec<u8>>, cwd: &Bytes) -> Option<Action> {
    let mut absolutes: Vec<Bytes> = Vec::new();
    for path in paths.into_iter().filter(|path| !path.is_empty()) {
        let path = absolute(path, cwd);
        if !absolutes.contains(&path) {
            absolutes.push(path);
        }
    }
    (!absolutes.is_empty()).then(|| Action::EditFile { tool: tool.to_owned(), paths: absolutes })
}

/// The patch tool of OpenAI's models: every file that the patch names.
pub fn patch(tool: &str, patch: &[u8], cwd: &Bytes) -> Option<Action> {
    edit(tool, patched_files(patch).into_iter().map(|file| file.path().0.clone()), cwd)
}

/// A tool that changes nothing; `names` are the fields that say what it looks at.
pub fn read_only(tool: &str, input: &Fields<'_>, names: &[&str]) -> Action {
    let subject = input.bytes(names).map(Bytes).unwrap_or_default();
    Action::ReadOnly { tool: tool.to_owned(), subject }
}

/// Any other tool, with its input as it came.
pub fn other(tool: &str, text: &Text<'_>, raw: Option<&RawValue>) -> Action {
    Action::OtherTool { name: tool.to_owned(), raw: text.raw(raw) }
}

/// The agent itself, known by its hook.
pub fn actor(name: &str, version: Option<String>, subagent: Option<String>) -> Actor {
    Actor {
        kind: ActorKind::Agent,
        name: name.to_owned(),
        version,
        subagent,
        evidence: "its own hook's payload".to_owned(),
        confidence: Confidence::High,
    }
}

/// The moment that an event in Claude's words marks; the names are shared by Codex, Copilot and VS Code.
pub fn moment(event: &str) -> Option<SessionMoment> {
    Some(match event {
        "SessionStart" => SessionMoment::Start,
        "SessionEnd" => SessionMoment::End,
        "Stop" => SessionMoment::Stop,
        "SubagentStart" => SessionMoment::SubagentStart,
        "SubagentStop" => SessionMoment::SubagentStop,
        _ => return None,
    })
}

/// The code behind `before` in a text, up to what is no digit.
pub fn code_behind(text: &[u8], before: &[u8]) -> Option<Outcome> {
    let at = memchr::memmem::rfind(text, before)? + before.len();
    let digits = text.get(at..)?.split(|byte| !byte.is_ascii_digit()).next()?;
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(Outcome::Exited { code })
}

/// An error text that is kept with the ending.
pub fn note(mut text: Vec<u8>) -> Vec<u8> {
    text.truncate(NOTE_LIMIT);
    text
}

/// A payload that could not be understood.
pub fn malformed(agent: &str, what: impl std::fmt::Display, payload: &[u8]) -> Malformed {
    let hint =
        format!("compare the agent's version with `docs/agents/{agent}.md`; the command was not held up");
    Malformed::new(format!("malformed hook payload: {what}"), hint, payload)
}
