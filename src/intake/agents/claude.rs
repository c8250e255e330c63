//! Claude Code (2.1): what its hooks send, what we make of it, how it is answered. Fields and events as observed,
//! agents.md 2, 4 and 6; `docs/agents/claude.md` tells it for people.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::payload::{Flag, Text, WireString, absolute, bounded, milliseconds, subagent};
use super::{AgentSpec, Reply, Verdict};
use crate::intake::{
    Action, Ending, Env, Happening, Malformed, ReportedEdit, Request, SessionSignal, Task, Texts, attribution,
};
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
    /// `TaskOutput`: a task that was put into the background.
    task: Option<TaskState>,
}

#[derive(Deserialize)]
struct TaskState {
    task_id: WireString,
    status: WireString,
    #[serde(rename = "exitCode")]
    exit_code: Option<i32>,
}

/// What `Edit`, `Write` and `NotebookEdit` tell of the file.
#[derive(Default, Deserialize)]
struct EditResponse {
    #[serde(rename = "type")]
    kind: Option<WireString>,
    #[serde(rename = "originalFile")]
    original: Option<WireString>,
    #[serde(rename = "oldString")]
    old: Option<WireString>,
    #[serde(rename = "newString")]
    new: Option<WireString>,
    #[serde(default, rename = "replaceAll")]
    replace_all: Flag,
    content: Option<WireString>,
    original_file: Option<WireString>,
    updated_file: Option<WireString>,
    #[serde(default, rename = "userModified")]
    user_modified: Flag,
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
            return after(wire, text, env, session, cwd);
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
    let call = wire.tool_use_id.take().map(|id| text.text(id));
    let actor = actor(&mut wire, text, env);
    Happening::Before(Box::new(request(session, call, actor, cwd, action, background, env)))
}

fn after(mut wire: Wire<'_>, text: &Text<'_>, env: &Env, session: String, cwd: Bytes) -> Happening {
    let response: ToolResponse = text.part(wire.tool_response).unwrap_or_default();
    let error = wire.error.take().map(|error| text.bytes(error));
    let outcome = match wire.hook_event_name {
        Event::PermissionDenied => Outcome::Refused,
        Event::PostToolUseFailure => exit_code(error.as_deref().unwrap_or_default())
            .map_or(Outcome::Failed, |code| Outcome::Exited { code }),
        _ if response.background_task.is_some() => Outcome::Background,
        _ if response.interrupted.0 => Outcome::Failed,
        // No code: Claude also counts `grep` without a match as a success.
        _ => Outcome::Succeeded,
    };
    let tool = wire.tool_name.take().map(|name| text.text(name));
    let interrupted = wire.is_interrupt.0 || response.interrupted.0;
    let action = tool.map(|tool| action(tool, wire.tool_input, text, &cwd).0);
    let call = wire.tool_use_id.take().map(|id| text.text(id));
    let edit = action.clone().filter(|_| outcome == Outcome::Succeeded).and_then(|action| {
        let texts = contents(&action, wire.tool_response, text)?;
        let actor = actor(&mut wire, text, env);
        let (session, call) = (session.clone(), call.clone());
        let request = request(session, call, actor, cwd, action, false, env);
        Some(Box::new(ReportedEdit { request, texts }))
    });
    Happening::After(Ending {
        duration_ms: wire.duration_ms.and_then(|ms| milliseconds(&ms)),
        note: error.map(bounded).or_else(|| interrupted.then(|| b"interrupted".to_vec())),
        action,
        edit,
        task: task(response, text),
        ..Ending::new(session, call, outcome)
    })
}

fn request(
    session: String,
    call: Option<String>,
    actor: Actor,
    cwd: Bytes,
    action: Action,
    background: bool,
    env: &Env,
) -> Request {
    let (source, answers, env) = (Source::Hook, Answers::AskOrDeny, env.clone());
    Request { session, call, actor, source, cwd, background, answers, action, env }
}

/// The file before and after an edit, where Claude tells it. What it calls "create" was not there, or was empty.
fn contents(action: &Action, raw: Option<&RawValue>, text: &Text<'_>) -> Option<Texts> {
    let Action::EditFile { .. } = action else { return None };
    let told: EditResponse = text.part(raw)?;
    let bytes = |part: Option<WireString>| part.map(|part| text.bytes(part));
    let before = bytes(told.original.or(told.original_file));
    if bytes(told.kind).as_deref() == Some(b"create") {
        return Some(Texts { before: None, after: bytes(told.content) });
    }
    let before = before?;
    let written = bytes(told.content).or_else(|| bytes(told.updated_file));
    let after = match (written, bytes(told.old), bytes(told.new)) {
        (None, Some(old), Some(new)) if !told.user_modified.0 => {
            replaced(&before, &old, &new, told.replace_all.0)
        }
        (written, _, _) => written,
    };
    Some(Texts { before: Some(before), after })
}

/// The text with `new` in place of `old`; `None` where `old` is not in it as it stands.
fn replaced(text: &[u8], old: &[u8], new: &[u8], all: bool) -> Option<Vec<u8>> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len() + new.len()), text);
    let mut found = false;
    while let Some(at) = memchr::memmem::find(rest, old).filter(|_| !old.is_empty() && (all || !found)) {
        found = true;
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    out.extend_from_slice(rest);
    found.then_some(out)
}

/// The task in the background that an answer begins, or tells the end of (`TaskOutput`).
fn task(response: ToolResponse, text: &Text<'_>) -> Option<Task> {
    if let Some(id) = response.background_task {
        return Some(Task { id: text.text(id), ended: None });
    }
    let task = response.task?;
    let ended = match (text.text(task.status).as_str(), task.exit_code) {
        ("completed" | "failed", Some(code)) => Outcome::Exited { code },
        ("completed", None) => Outcome::Succeeded,
        ("failed" | "killed", _) => Outcome::Failed,
        // It still runs, or is in a state that came later.
        _ => return None,
    };
    Some(Task { id: text.text(task.task_id), ended: Some(ended) })
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
