//! Claude Code (2.1): what its hooks send, what we make of it, how it is answered. Fields and events as observed,
//! agents.md 2, 4 and 6; `docs/agents/claude.md` tells it for people.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::payload::{Flag, Text, WireString, absolute, bounded, milliseconds, subagent};
use super::{AgentSpec, Reply, Verdict};
use crate::intake::{Action, Ending, Env, Happening, Malformed, Request, SessionSignal, attribution};
use crate::model::{Actor, ActorKind, Answers, Bytes, Confidence, Outcome, SessionMoment, Source};

/// The table entry.
pub const SPEC: AgentSpec = AgentSpec { name: "claude", parse, claims, reply };

/// Tools that change nothing, and whose input says nothing but what they look at.
const READ_ONLY: &[&str] = &[
    "Read",
    "Glob",
    "Grep",
    "LS",
    "NotebookRead",
    "WebFetch",
    "WebSearch",
    "ToolSearch",
    "LSP",
    "BashOutput",
    "TaskOutput",
    "TaskGet",
    "TaskList",
    "TodoWrite",
    "TaskCreate",
    "TaskUpdate",
    "AskUserQuestion",
    "EnterPlanMode",
    "ExitPlanMode",
    "ListMcpResourcesTool",
    "ReadMcpResourceTool",
];

/// Tools that write the file they name.
const EDITORS: &[&str] = &["Edit", "Write", "MultiEdit", "NotebookEdit"];

/// One payload on standard input. Fields that are not named here are ignored.
#[derive(Deserialize)]
struct Wire<'a> {
    hook_event_name: Event,
    session_id: Option<WireString>,
    cwd: Option<WireString>,
    agent_id: Option<WireString>,
    agent_type: Option<WireString>,
    tool_name: Option<WireString>,
    #[serde(borrow)]
    tool_input: Option<&'a RawValue>,
    tool_response: Option<&'a RawValue>,
    tool_use_id: Option<WireString>,
    error: Option<WireString>,
    #[serde(default)]
    is_interrupt: Flag,
    duration_ms: Option<serde_json::Number>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
enum Event {
    PreToolUse,
    PostToolUse,
    PostToolUseFailure,
    PermissionDenied,
    SessionStart,
    SessionEnd,
    Stop,
    SubagentStart,
    SubagentStop,
    #[serde(other)]
    Other,
}

/// The fields of `tool_input` that the tools we know have.
#[derive(Default, Deserialize)]
struct ToolInput {
    command: Option<WireString>,
    #[serde(default)]
    run_in_background: Flag,
    file_path: Option<WireString>,
    notebook_path: Option<WireString>,
    // Copilot CLI's name for it, where it runs Claude's hooks (agents.md 9).
    path: Option<WireString>,
    pattern: Option<WireString>,
    query: Option<WireString>,
    url: Option<WireString>,
}

/// Claude's own answer fields; its other tools answer with arrays or text, which parse to nothing.
#[derive(Default, Deserialize)]
struct ToolResponse {
    #[serde(rename = "backgroundTaskId")]
    background_task: Option<WireString>,
    #[serde(default)]
    interrupted: Flag,
}

/// The payloads that no other agent claims are Claude's, by its registration.
fn claims(_payload: &[u8], _env: &Env) -> bool {
    false
}

fn parse(payload: &[u8], env: &Env) -> Happening {
    let text = Text::new(payload);
    match text.parse::<Wire<'_>>() {
        Ok(wire) => convert(wire, &text, env),
        Err(cause) => malformed(format!("malformed hook payload: {cause}"), payload),
    }
}

fn malformed(reason: String, payload: &[u8]) -> Happening {
    let hint = "compare the agent's version with `docs/agents/claude.md`; the command was not held up";
    Happening::Malformed(Malformed::new(reason, hint, payload))
}

fn convert(mut wire: Wire<'_>, text: &Text<'_>, env: &Env) -> Happening {
    let Some(session) = wire.session_id.take().map(|id| text.text(id)) else {
        return match wire.hook_event_name {
            Event::Other => Happening::Ignore,
            _ => malformed("malformed hook payload: no session_id".to_string(), &[]),
        };
    };
    // A relative directory says nothing: relative to what?
    let cwd = wire.cwd.take().map(|cwd| text.bytes(cwd)).filter(|cwd| cwd.starts_with(b"/"));
    let cwd = cwd.map(Bytes).unwrap_or_default();
    let moment = match wire.hook_event_name {
        Event::PreToolUse => return before(wire, text, env, session, cwd),
        Event::PostToolUse | Event::PostToolUseFailure | Event::PermissionDenied => {
            return after(wire, text, session, &cwd);
        }
        Event::SessionStart => SessionMoment::Start,
        Event::SessionEnd => SessionMoment::End,
        Event::Stop => SessionMoment::Stop,
        Event::SubagentStart => SessionMoment::SubagentStart,
        Event::SubagentStop => SessionMoment::SubagentStop,
        Event::Other => return Happening::Ignore,
    };
    let actor = actor(&mut wire, text, env);
    Happening::Session(SessionSignal { session, moment, actor, cwd })
}

fn before(mut wire: Wire<'_>, text: &Text<'_>, env: &Env, session: String, cwd: Bytes) -> Happening {
    let Some(tool) = wire.tool_name.take().map(|name| text.text(name)) else {
        return malformed("malformed hook payload: PreToolUse without tool_name".to_string(), &[]);
    };
    let (action, background) = action(tool, wire.tool_input, text, &cwd);
    Happening::Before(Box::new(Request {
        session,
        call: wire.tool_use_id.take().map(|id| text.text(id)),
        actor: actor(&mut wire, text, env),
        source: Source::Hook,
        cwd,
        background,
        answers: Answers::AskOrDeny,
        action,
        env: env.clone(),
    }))
}

fn after(wire: Wire<'_>, text: &Text<'_>, session: String, cwd: &Bytes) -> Happening {
    let response: ToolResponse = text.part(wire.tool_response).unwrap_or_default();
    let error = wire.error.map(|error| text.bytes(error));
    let outcome = match wire.hook_event_name {
        Event::PermissionDenied => Outcome::Refused,
        Event::PostToolUseFailure => exit_code(error.as_deref().unwrap_or_default())
            .map_or(Outcome::Failed, |code| Outcome::Exited { code }),
        _ if response.background_task.is_some() => Outcome::Background,
        _ if response.interrupted.0 => Outcome::Failed,
        // No code: Claude also counts `grep` without a match as a success.
        _ => Outcome::Succeeded,
    };
    let tool = wire.tool_name.map(|name| text.text(name));
    let interrupted = wire.is_interrupt.0 || response.interrupted.0;
    Happening::After(Ending {
        session,
        call: wire.tool_use_id.map(|id| text.text(id)),
        outcome,
        duration_ms: wire.duration_ms.and_then(|ms| milliseconds(&ms)),
        note: error.map(bounded).or_else(|| interrupted.then(|| b"interrupted".to_vec())),
        action: tool.map(|tool| action(tool, wire.tool_input, text, cwd).0),
    })
}

/// What a tool call does, and whether it goes on in the background.
fn action(tool: String, raw: Option<&RawValue>, text: &Text<'_>, cwd: &Bytes) -> (Action, bool) {
    let known = tool == "Bash" || EDITORS.contains(&tool.as_str()) || READ_ONLY.contains(&tool.as_str());
    let input: Option<ToolInput> = if known { text.part(raw) } else { None };
    let action = match (input, tool.as_str()) {
        (Some(ToolInput { command: Some(line), run_in_background, .. }), "Bash") => {
            return (Action::Shell(text.bytes(line)), run_in_background.0);
        }
        (Some(input), name) if EDITORS.contains(&name) => {
            match input.file_path.or(input.notebook_path).or(input.path) {
                Some(path) => {
                    let paths = vec![absolute(text.bytes(path), cwd)];
                    return (Action::EditFile { tool, paths }, false);
                }
                None => None,
            }
        }
        (input, name) if READ_ONLY.contains(&name) => {
            let input = input.unwrap_or_default();
            let looks_at = input.file_path.or(input.notebook_path).or(input.path);
            let subject = looks_at.or(input.pattern).or(input.query).or(input.url);
            Some(subject.map(|subject| Bytes(text.bytes(subject))).unwrap_or_default())
        }
        _ => None,
    };
    match action {
        Some(subject) => (Action::ReadOnly { tool, subject }, false),
        None => (Action::OtherTool { name: tool, raw: text.raw(raw) }, false),
    }
}

/// Whose call it is. The hook ran under Claude's registration, but the environment may say that another agent
/// borrowed it (agents.md 4.8).
fn actor(wire: &mut Wire<'_>, text: &Text<'_>, env: &Env) -> Actor {
    let name = match attribution::agent(env) {
        Some((other, _)) if other != "claude" => other,
        _ => "claude",
    };
    let part = |part: Option<WireString>| part.map(|part| text.text(part));
    let subagent = subagent(part(wire.agent_type.take()), part(wire.agent_id.take()));
    let evidence =
        if name == "claude" { "its own hook" } else { "environment of a hook registered for claude" };
    Actor {
        kind: ActorKind::Agent,
        name: name.to_string(),
        version: attribution::agent_version(name, env),
        subagent,
        evidence: evidence.to_string(),
        confidence: Confidence::High,
    }
}

/// The code in "Exit code 3\nls: cannot access …", the only place where Claude says it.
fn exit_code(error: &[u8]) -> Option<i32> {
    let digits = error.strip_prefix(b"Exit code ")?.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Exit 0 with JSON on standard output is the documented form; nothing at all is "go on".
fn reply(verdict: &Verdict) -> Reply {
    Reply::hook_specific(verdict)
}
