//! Gemini CLI (0.61): what its hooks send, what we make of it, how it is answered. Fields and events as observed,
//! agents.md 1 to 6; what a shell call says of itself as in its source, `packages/core/src/tools/shell.ts`.
//! `docs/agents/gemini.md` tells it for people.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::payload::{Flag, Text, WireString, absolute, bounded, contains, directory, malformed, own_hook};
use super::{AgentSpec, Reply, Verdict};
use crate::intake::{
    Action, Ending, Env, Happening, ReportedEdit, Request, SessionSignal, Texts, text as variable,
};
use crate::model::{Answers, Bytes, Outcome, SessionMoment, Source};

/// The table entry.
pub const SPEC: AgentSpec = AgentSpec { name: "gemini", parse, claims, reply };

/// Tools that change nothing (`packages/core/src/tools/definitions/base-declarations.ts`; `search_file_content` is
/// the older name of `grep_search`).
const READ_ONLY: &[&str] = &[
    "read_file",
    "read_many_files",
    "list_directory",
    "glob",
    "grep_search",
    "search_file_content",
    "google_web_search",
    "web_fetch",
    "get_internal_docs",
    "write_todos",
    "ask_user",
    "enter_plan_mode",
    "exit_plan_mode",
    "update_topic",
    "complete_task",
    "activate_skill",
    "list_mcp_resources",
    "read_mcp_resource",
];

/// Tools that write the file they name.
const EDITORS: &[&str] = &["replace", "write_file"];

/// Errors that mean the tool never began (`packages/core/src/tools/tool-error.ts`).
const NEVER_BEGAN: &[&str] =
    &["path_not_in_workspace", "invalid_tool_params", "policy_violation", "tool_not_registered"];

/// One payload on standard input. Fields that are not named here are ignored.
#[derive(Deserialize)]
struct Wire<'a> {
    hook_event_name: Event,
    session_id: Option<WireString>,
    cwd: Option<WireString>,
    tool_name: Option<WireString>,
    #[serde(borrow)]
    tool_input: Option<&'a RawValue>,
    tool_response: Option<&'a RawValue>,
    mcp_context: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
enum Event {
    BeforeTool,
    AfterTool,
    AfterAgent,
    SessionStart,
    SessionEnd,
    #[serde(other)]
    Other,
}

/// The fields of `tool_input` that the tools we know have.
#[derive(Default, Deserialize)]
struct ToolInput {
    command: Option<WireString>,
    dir_path: Option<WireString>,
    #[serde(default)]
    is_background: Flag,
    file_path: Option<WireString>,
    pattern: Option<WireString>,
    query: Option<WireString>,
    prompt: Option<WireString>,
}

/// How a tool answered. Each part has another shape in another tool.
#[derive(Default, Deserialize)]
struct ToolResponse {
    #[serde(rename = "llmContent")]
    for_the_model: Option<Box<RawValue>>,
    #[serde(rename = "returnDisplay")]
    display: Option<Box<RawValue>>,
    error: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
struct ToolError {
    message: Option<WireString>,
    #[serde(rename = "type")]
    kind: Option<WireString>,
}

/// `returnDisplay` of an edit: what its user is shown.
#[derive(Default, Deserialize)]
struct EditDisplay {
    #[serde(rename = "originalContent")]
    original: Option<WireString>,
    #[serde(rename = "newContent")]
    new: Option<WireString>,
    #[serde(default, rename = "isNewFile")]
    is_new: Flag,
}

/// One tool call.
struct Call {
    action: Action,
    cwd: Bytes,
    background: bool,
}

/// Claude's hooks can be copied to Gemini (`gemini hooks migrate --from-claude`), with their command as it was.
/// Gemini gives its hooks, and nothing else that it starts, the session's id.
fn claims(payload: &[u8], env: &Env) -> bool {
    variable(env, "GEMINI_SESSION_ID").is_some_and(|id| contains(payload, id.as_bytes()))
}

fn parse(payload: &[u8], env: &Env) -> Happening {
    let text = Text::new(payload);
    match text.parse::<Wire<'_>>() {
        Ok(wire) => convert(wire, &text, env),
        Err(cause) => malformed(&cause.to_string(), "gemini", payload),
    }
}

fn convert(mut wire: Wire<'_>, text: &Text<'_>, env: &Env) -> Happening {
    if wire.hook_event_name == Event::Other {
        return Happening::Ignore;
    }
    let Some(session) = wire.session_id.take().map(|id| text.text(id)) else {
        return malformed("no session_id", "gemini", &[]);
    };
    let cwd = wire.cwd.take().and_then(|cwd| directory(text.bytes(cwd))).unwrap_or_default();
    let moment = match wire.hook_event_name {
        Event::BeforeTool => return before(wire, text, env, session, cwd),
        Event::AfterTool => return after(wire, text, env, session, cwd),
        Event::SessionStart => SessionMoment::Start,
        Event::SessionEnd => SessionMoment::End,
        Event::AfterAgent => SessionMoment::Stop,
        Event::Other => return Happening::Ignore,
    };
    Happening::Session(SessionSignal { session, moment, actor: own_hook("gemini", None, None), cwd })
}

fn before(wire: Wire<'_>, text: &Text<'_>, env: &Env, session: String, cwd: Bytes) -> Happening {
    let Some(call) = call(wire, text, cwd) else {
        return malformed("BeforeTool without tool_name", "gemini", &[]);
    };
    Happening::Before(Box::new(request(session, call, env)))
}

fn request(session: String, call: Call, env: &Env) -> Request {
    Request {
        session,
        // Gemini gives no id: the ending finds its beginning by what ran.
        call: None,
        actor: own_hook("gemini", None, None),
        source: Source::Hook,
        cwd: call.cwd,
        background: call.background,
        answers: Answers::Deny,
        action: call.action,
        env: env.clone(),
    }
}

fn after(wire: Wire<'_>, text: &Text<'_>, env: &Env, session: String, cwd: Bytes) -> Happening {
    let response: ToolResponse = text.part(wire.tool_response).unwrap_or_default();
    let call = call(wire, text, cwd);
    let shell = call.as_ref().is_some_and(|call| matches!(call.action, Action::Shell(_)));
    let (outcome, note) = outcome(&response, text, shell);
    let action = call.as_ref().map(|call| call.action.clone());
    let edit = call.filter(|_| outcome == Outcome::Succeeded).and_then(|call| {
        let texts = contents(&call.action, &response, text)?;
        Some(Box::new(ReportedEdit { request: request(session.clone(), call, env), texts }))
    });
    Happening::After(Ending { note: note.map(bounded), action, edit, ..Ending::new(session, None, outcome) })
}

/// The file before and after an edit, which `replace` and `write_file` show their user.
fn contents(action: &Action, response: &ToolResponse, text: &Text<'_>) -> Option<Texts> {
    let Action::EditFile { .. } = action else { return None };
    let display: EditDisplay = text.part(response.display.as_deref())?;
    let bytes = |part: Option<WireString>| part.map(|part| text.bytes(part));
    let before = if display.is_new.0 { None } else { Some(bytes(display.original)?) };
    Some(Texts { before, after: bytes(display.new) })
}

/// What a tool call does, and where. `None` where no tool is named.
fn call(wire: Wire<'_>, text: &Text<'_>, cwd: Bytes) -> Option<Call> {
    let tool = text.text(wire.tool_name?);
    // An MCP server's tool is never taken for a built-in one, whatever it is called.
    let shell = tool == "run_shell_command";
    let known = shell || EDITORS.contains(&tool.as_str()) || READ_ONLY.contains(&tool.as_str());
    let built_in = known && wire.mcp_context.is_none();
    let input: Option<ToolInput> = if built_in { text.part(wire.tool_input) } else { None };
    let opaque = |name| Action::OtherTool { name, raw: text.raw(wire.tool_input) };
    let Some(input) = input else { return Some(Call { action: opaque(tool), cwd, background: false }) };
    if shell {
        let background = input.is_background.0;
        let dir = input.dir_path.and_then(|dir| directory(absolute(text.bytes(dir), &cwd).0));
        let action = input.command.map_or_else(|| opaque(tool), |line| Action::Shell(text.bytes(line)));
        return Some(Call { action, cwd: dir.unwrap_or(cwd), background });
    }
    let action = if EDITORS.contains(&tool.as_str()) {
        match input.file_path {
            Some(path) => Action::EditFile { tool, paths: vec![absolute(text.bytes(path), &cwd)] },
            None => opaque(tool),
        }
    } else {
        let subject = input.file_path.or(input.pattern).or(input.dir_path).or(input.query).or(input.prompt);
        let subject = subject.map(|subject| Bytes(text.bytes(subject))).unwrap_or_default();
        Action::ReadOnly { tool, subject }
    };
    Some(Call { action, cwd, background: false })
}

/// How a call ended, and its error text.
fn outcome(response: &ToolResponse, text: &Text<'_>, shell: bool) -> (Outcome, Option<Vec<u8>>) {
    if let Some(error) = response.error.as_deref() {
        let error: ToolError = text.part(Some(error)).unwrap_or_default();
        let kind = error.kind.map(|kind| text.text(kind)).unwrap_or_default();
        let outcome = if NEVER_BEGAN.contains(&kind.as_str()) { Outcome::Refused } else { Outcome::Failed };
        return (outcome, error.message.map(|message| text.bytes(message)));
    }
    if !shell {
        return (Outcome::Succeeded, None);
    }
    let string = |raw: &Option<Box<RawValue>>| {
        text.part::<WireString>(raw.as_deref()).map(|string| text.bytes(string))
    };
    let Some(said) = string(&response.for_the_model) else { return (Outcome::Unknown, None) };
    let display = string(&response.display).unwrap_or_default();
    let outcome = shell_outcome(&said, &display);
    let failed = !matches!(outcome, Outcome::Succeeded | Outcome::Background | Outcome::Unknown);
    (outcome, Some(display).filter(|display| failed && !display.is_empty()))
}

/// What `run_shell_command` says instead of output, and what that means.
const SAID: &[(&[u8], Outcome)] = &[
    // It refuses `$(…)`, back quotes and `<(…)` itself, in every approval mode (agents.md 4.3).
    (b"Command injection detected", Outcome::Refused),
    (b"Command was cancelled by user before it could start", Outcome::Refused),
    (b"Command was cancelled by user", Outcome::Failed),
    (b"Command was automatically cancelled", Outcome::Failed),
    (b"Command moved to background", Outcome::Background),
    (b"Command is running in background", Outcome::Background),
];

/// How a command ended, from "Output: …" and the facts that follow it, one a line.
/// Those stand where the command's own output ends, and output may look like them: where the display holds the
/// output as it was, it is taken off first.
fn shell_outcome(said: &[u8], display: &[u8]) -> Outcome {
    let body = unwrapped(said);
    if let Some((_, outcome)) = SAID.iter().find(|(start, _)| body.starts_with(start)) {
        return *outcome;
    }
    // A summary, where the user has switched that on: no facts.
    let Some(rest) = body.strip_prefix(b"Output: ") else { return Outcome::Unknown };
    let facts = if display.is_empty() { rest.strip_prefix(b"(empty)") } else { rest.strip_prefix(display) };
    let facts = facts.unwrap_or(rest);
    for line in facts.rsplit(|byte| *byte == b'\n') {
        if let Some(signal) = number(line, b"Signal: ") {
            return Outcome::Signalled { signal };
        }
        if let Some(code) = number(line, b"Exit Code: ") {
            return Outcome::Exited { code };
        }
        if line.starts_with(b"Error: ") || line.starts_with(b"Signal: ") {
            return Outcome::Failed;
        }
        if !line.starts_with(b"Process Group PGID: ") && !line.starts_with(b"Background PIDs: ") {
            break;
        }
    }
    // The code is told only where it is not 0.
    Outcome::Succeeded
}

/// The text inside `<untrusted_context>`; what stands between the tags cannot hold the closing one.
fn unwrapped(said: &[u8]) -> &[u8] {
    let Some(inner) = said.strip_prefix(b"<untrusted_context>\n") else { return said };
    match memchr::memmem::rfind(inner, b"\n</untrusted_context>") {
        Some(end) => &inner[..end],
        None => inner,
    }
}

fn number(line: &[u8], label: &[u8]) -> Option<i32> {
    std::str::from_utf8(line.strip_prefix(label)?).ok()?.trim().parse().ok()
}

/// Exit 0 with JSON on standard output; nothing at all is "go on". There is no "ask" to give: headless, Gemini waits
/// for an answer that nobody can type (agents.md 1).
fn reply(verdict: &Verdict) -> Reply {
    Reply::denial(verdict)
}
