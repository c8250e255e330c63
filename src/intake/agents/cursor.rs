//! Cursor: what its hooks send, what we make of it, how it is answered. All of it from its documentation
//! (cursor.com/docs/hooks and /docs/reference/third-party-hooks, 2026); it never ran here. `docs/agents/cursor.md`
//! tells it for people.
//!
//! Cursor announces one call up to three times: in general (`preToolUse`), by its kind (`beforeShellExecution`), and
//! to Claude's hooks. Each call must be one event, so each kind of call has one pair of hooks that records it:
//! shell commands the `…ShellExecution` pair, everything else the `…ToolUse` pair.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::payload::{
    Text, WireString, absolute, bounded, directory, has_key, malformed, milliseconds, own_hook, subagent,
};
use super::{AgentSpec, Reply, Verdict};
use crate::intake::{Action, Ending, Env, Happening, Request, SessionSignal, attribution};
use crate::model::{Actor, Answers, Bytes, Outcome, SessionMoment, Source};

/// The table entry.
pub const SPEC: AgentSpec = AgentSpec { name: "cursor", parse, claims, reply };

/// Cursor's tool that runs a line of shell.
const SHELL: &str = "Shell";

/// Tools that change nothing.
const READ_ONLY: &[&str] = &["Read", "Grep", "LS", "Glob", "SemanticSearch", "WebFetch", "WebSearch"];

/// Tools that write or delete the file they name.
const EDITORS: &[&str] = &["Write", "StrReplace", "Edit", "EditNotebook", "Delete"];

/// One payload on standard input. Fields that are not named here are ignored.
#[derive(Deserialize)]
struct Wire<'a> {
    hook_event_name: Event,
    conversation_id: Option<WireString>,
    session_id: Option<WireString>,
    parent_conversation_id: Option<WireString>,
    cursor_version: Option<WireString>,
    workspace_roots: Option<Vec<WireString>>,
    cwd: Option<WireString>,
    // `beforeShellExecution` and `afterShellExecution`.
    command: Option<WireString>,
    // `preToolUse`, `postToolUse`, `postToolUseFailure`.
    tool_name: Option<WireString>,
    #[serde(borrow)]
    tool_input: Option<&'a RawValue>,
    tool_use_id: Option<WireString>,
    error_message: Option<WireString>,
    failure_type: Option<WireString>,
    duration: Option<serde_json::Number>,
    subagent_type: Option<WireString>,
    subagent_id: Option<WireString>,
}

/// The aliases are Claude's names: Cursor maps them for the hooks in Claude's settings.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
enum Event {
    BeforeShellExecution,
    AfterShellExecution,
    #[serde(alias = "PreToolUse")]
    PreToolUse,
    #[serde(alias = "PostToolUse")]
    PostToolUse,
    #[serde(alias = "PostToolUseFailure")]
    PostToolUseFailure,
    #[serde(alias = "SessionStart")]
    SessionStart,
    #[serde(alias = "SessionEnd")]
    SessionEnd,
    #[serde(alias = "Stop")]
    Stop,
    SubagentStart,
    #[serde(alias = "SubagentStop")]
    SubagentStop,
    // `beforeMCPExecution`, `beforeReadFile`, `afterFileEdit` and so on say again what `…ToolUse` says, after the
    // fact or without an id.
    #[serde(other)]
    Other,
}

/// The fields of `tool_input`. The documentation shows those of `Shell` only; the others are the names that Cursor's
/// tools and their likes use for a file.
#[derive(Default, Deserialize)]
struct ToolInput {
    command: Option<WireString>,
    file_path: Option<WireString>,
    path: Option<WireString>,
    target_file: Option<WireString>,
    target_notebook: Option<WireString>,
    pattern: Option<WireString>,
    query: Option<WireString>,
    url: Option<WireString>,
}

/// What every payload says of its sender.
struct Sender {
    session: String,
    actor: Actor,
    cwd: Bytes,
}

/// Cursor also runs the hooks in Claude's settings, by default, and names itself in every payload.
fn claims(payload: &[u8], _env: &Env) -> bool {
    has_key(payload, "\"cursor_version\":")
}

fn parse(payload: &[u8], env: &Env) -> Happening {
    let text = Text::new(payload);
    match text.parse::<Wire<'_>>() {
        Ok(wire) => convert(wire, &text, env),
        Err(cause) => malformed(&cause.to_string(), "cursor", payload),
    }
}

fn convert(mut wire: Wire<'_>, text: &Text<'_>, env: &Env) -> Happening {
    if wire.hook_event_name == Event::Other {
        return Happening::Ignore;
    }
    let Some(sender) = sender(&mut wire, text, env) else {
        return malformed("no conversation_id", "cursor", &[]);
    };
    let moment = match wire.hook_event_name {
        Event::BeforeShellExecution => return before_shell(wire, text, env, sender),
        Event::AfterShellExecution => return after_shell(wire, text, sender),
        Event::PreToolUse => return before_tool(wire, text, env, sender),
        Event::PostToolUse | Event::PostToolUseFailure => return after_tool(wire, text, sender),
        Event::SessionStart => SessionMoment::Start,
        Event::SessionEnd => SessionMoment::End,
        Event::Stop => SessionMoment::Stop,
        Event::SubagentStart => SessionMoment::SubagentStart,
        Event::SubagentStop => SessionMoment::SubagentStop,
        Event::Other => return Happening::Ignore,
    };
    let Sender { session, actor, cwd } = sender;
    Happening::Session(SessionSignal { session, moment, actor, cwd })
}

fn sender(wire: &mut Wire<'_>, text: &Text<'_>, env: &Env) -> Option<Sender> {
    let about = [wire.parent_conversation_id.take(), wire.conversation_id.take(), wire.session_id.take()];
    let mut ids = about.into_iter().flatten().map(|id| text.text(id)).filter(|id| !id.is_empty());
    let session = ids.next()?;
    let version = wire.cursor_version.take().map(|version| text.text(version));
    let version = version.or_else(|| attribution::agent_version("cursor", env));
    let part = |part: Option<WireString>| part.map(|part| text.text(part));
    let subagent = subagent(part(wire.subagent_type.take()), part(wire.subagent_id.take()));
    let named = wire.cwd.take().and_then(|cwd| directory(text.bytes(cwd)));
    let mut roots = wire.workspace_roots.take().unwrap_or_default();
    // Not every hook has a directory. With one folder open, that is where Cursor's commands begin.
    let only = if roots.len() == 1 { roots.pop() } else { None };
    let root = only.and_then(|root| directory(text.bytes(root)));
    let cwd = named.or(root).unwrap_or_default();
    Some(Sender { session, actor: own_hook("cursor", version, subagent), cwd })
}

fn request(sender: Sender, call: Option<String>, action: Action, answers: Answers, env: &Env) -> Happening {
    let Sender { session, actor, cwd } = sender;
    let (source, env) = (Source::Hook, env.clone());
    Happening::Before(Box::new(Request {
        session,
        call,
        actor,
        source,
        cwd,
        background: false,
        answers,
        action,
        env,
    }))
}

fn before_shell(wire: Wire<'_>, text: &Text<'_>, env: &Env, sender: Sender) -> Happening {
    match wire.command {
        Some(line) => {
            let action = Action::Shell(text.bytes(line));
            request(sender, None, action, Answers::AskOrDeny, env)
        }
        None => malformed("beforeShellExecution without a command", "cursor", &[]),
    }
}

fn after_shell(wire: Wire<'_>, text: &Text<'_>, sender: Sender) -> Happening {
    Happening::After(Ending {
        session: sender.session,
        call: None,
        // It comes when a command has run; how it went is not told.
        outcome: Outcome::Unknown,
        duration_ms: wire.duration.and_then(|ms| milliseconds(&ms)),
        note: None,
        action: wire.command.map(|line| Action::Shell(text.bytes(line))),
        edit: None,
        task: None,
    })
}

fn before_tool(wire: Wire<'_>, text: &Text<'_>, env: &Env, sender: Sender) -> Happening {
    let Some(tool) = wire.tool_name.map(|name| text.text(name)) else {
        return malformed("preToolUse without tool_name", "cursor", &[]);
    };
    if tool == SHELL {
        return Happening::Ignore;
    }
    let action = action(tool, wire.tool_input, text, &sender.cwd);
    // It accepts "ask", and goes on without asking.
    request(sender, wire.tool_use_id.map(|id| text.text(id)), action, Answers::Deny, env)
}

fn after_tool(wire: Wire<'_>, text: &Text<'_>, sender: Sender) -> Happening {
    let failed = wire.hook_event_name == Event::PostToolUseFailure;
    let tool = wire.tool_name.map(|name| text.text(name));
    let shell = tool.as_deref() == Some(SHELL);
    // Of a shell command, only what `afterShellExecution` does not say: that it was refused, or cut off.
    if shell && !failed {
        return Happening::Ignore;
    }
    let kind = wire.failure_type.map(|kind| text.text(kind));
    Happening::After(Ending {
        session: sender.session,
        call: if shell { None } else { wire.tool_use_id.map(|id| text.text(id)) },
        outcome: match (failed, kind.as_deref()) {
            (false, _) => Outcome::Succeeded,
            (true, Some("permission_denied")) => Outcome::Refused,
            (true, _) => Outcome::Failed,
        },
        duration_ms: wire.duration.and_then(|ms| milliseconds(&ms)),
        note: wire.error_message.map(|message| bounded(text.bytes(message))),
        action: tool.map(|tool| action(tool, wire.tool_input, text, &sender.cwd)),
        edit: None,
        task: None,
    })
}

/// What a tool call does. An MCP tool is called `MCP:<name>`, so it is never taken for one of Cursor's own.
fn action(tool: String, raw: Option<&RawValue>, text: &Text<'_>, cwd: &Bytes) -> Action {
    let name = tool.as_str();
    let known = name == SHELL || EDITORS.contains(&name) || READ_ONLY.contains(&name);
    let input: Option<ToolInput> = if known { text.part(raw) } else { None };
    let opaque = |name| Action::OtherTool { name, raw: text.raw(raw) };
    let Some(input) = input else { return opaque(tool) };
    if name == SHELL {
        return input.command.map_or_else(|| opaque(tool), |line| Action::Shell(text.bytes(line)));
    }
    let file = input.file_path.or(input.path).or(input.target_file).or(input.target_notebook);
    if READ_ONLY.contains(&name) {
        let subject = file.or(input.pattern).or(input.query).or(input.url);
        let subject = subject.map(|subject| Bytes(text.bytes(subject))).unwrap_or_default();
        return Action::ReadOnly { tool, subject };
    }
    match file {
        Some(path) => Action::EditFile { tool, paths: vec![absolute(text.bytes(path), cwd)] },
        None => opaque(tool),
    }
}

/// Exit 0 with JSON on standard output; nothing at all is "go on". `ask` is honoured for shell commands, and taken
/// for "go on" by `preToolUse`, which is therefore never told it: [`Answers::Deny`].
fn reply(verdict: &Verdict) -> Reply {
    let Some(reason) = verdict.reason() else { return Reply::silent() };
    Reply::json(&serde_json::json!({
        "permission": verdict.as_str(),
        "user_message": reason,
        "agent_message": reason,
    }))
}
