//! GitHub Copilot CLI (1.0.102). It has two forms of payload, chosen by how the event is spelled in the settings: camelCase
//! without the event's name, and PascalCase in the words of VS Code. Both are understood, also where Copilot runs the
//! hooks that were registered for Claude. agents.md 2, 4 and 6; `docs/agents/copilot.md` tells it for people.

use super::fields::{Fields, mentions};
use super::payload::Text;
use super::tools::{self, Tool};
use super::{AgentSpec, Reply, Verdict};
use crate::intake::{Ending, Env, Happening, Request, SessionSignal, attribution, text};
use crate::model::{Actor, Answers, Bytes, Outcome, Source};

/// The table entry.
pub const SPEC: AgentSpec = AgentSpec { name: "copilot", parse, claims, reply };

/// Tools by their own name and by the one of the PascalCase form, and what each is.
const TOOLS: &[(&str, &str, Kind)] = &[
    ("bash", "Bash", Kind::Shell),
    ("edit", "Edit", Kind::Edit),
    ("create", "Write", Kind::Edit),
    ("str_replace", "StrReplace", Kind::Edit),
    ("insert", "Insert", Kind::Edit),
    ("apply_patch", "ApplyPatch", Kind::Patch),
    ("view", "Read", Kind::Read),
    ("glob", "Glob", Kind::Read),
    ("grep", "Grep", Kind::Read),
    ("web_fetch", "WebFetch", Kind::Read),
    ("web_search", "WebSearch", Kind::Read),
    ("read_bash", "ReadBash", Kind::Read),
    ("list_bash", "ListBash", Kind::Read),
    ("ask_user", "AskUserQuestion", Kind::Read),
    ("report_intent", "ReportIntent", Kind::Read),
    ("update_todo", "TodoWrite", Kind::Read),
    ("task", "Agent", Kind::Other),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shell,
    Edit,
    Patch,
    Read,
    Other,
}

/// The event of a payload in Claude's words, whichever form it has. The camelCase form does not name it: each has fields
/// that no other has.
fn event_of(fields: &Fields<'_>) -> Option<&'static str> {
    const NAMES: &[&str] = &[
        "PreToolUse",
        "PostToolUse",
        "PostToolUseFailure",
        "SessionStart",
        "SessionEnd",
        "Stop",
        "SubagentStart",
        "SubagentStop",
    ];
    if let Some(name) = fields.string(&["hook_event_name"]) {
        return NAMES.iter().copied().find(|known| *known == name);
    }
    let has = |name: &str| fields.has(&[name]);
    let tool = has("toolName") && !has("hookName");
    Some(match () {
        () if tool && has("toolResult") => "PostToolUse",
        () if tool && has("error") => "PostToolUseFailure",
        () if tool => "PreToolUse",
        () if has("hookName") || has("error") || has("prompt") || has("trigger") => return None,
        () if has("agentName") && has("stopReason") => "SubagentStop",
        () if has("agentName") => "SubagentStart",
        () if has("stopReason") => "Stop",
        () if has("reason") => "SessionEnd",
        () if has("source") => "SessionStart",
        () => return None,
    })
}

/// `sessionId` without `hookEventName` is Copilot's alone. The PascalCase form is told from Claude's by its timestamp,
/// from VS Code's by the missing call id, and from Gemini's by what Copilot sets in its hooks' environment or by the
/// missing transcript.
fn claims(payload: &[u8], env: &Env) -> bool {
    if !mentions(payload, "timestamp") {
        return false;
    }
    let payload = Text::new(payload);
    let Ok(fields) = Fields::of(&payload) else { return false };
    if !fields.has(&["timestamp"]) || fields.has(&["hookEventName", "tool_use_id"]) {
        return false;
    }
    if fields.has(&["sessionId"]) {
        return true;
    }
    let ours = ["COPILOT_CLI", "COPILOT_PROJECT_DIR", "COPILOT_HOOK_DIR"];
    let marked =
        ours.iter().any(|name| text(env, name).is_some()) && text(env, "GEMINI_SESSION_ID").is_none();
    fields.has(&["hook_event_name"]) && (marked || !fields.has(&["transcript_path"]))
}

fn parse(payload: &[u8], env: &Env) -> Happening {
    let text = Text::new(payload);
    let malformed = |what: String| Happening::Malformed(tools::malformed("copilot", what, payload));
    let fields = match Fields::of(&text) {
        Ok(fields) => fields,
        Err(cause) => return malformed(cause.to_string()),
    };
    let session = fields.string(&["sessionId", "session_id"]);
    let Some(event) = event_of(&fields) else {
        let named = session.is_some() || fields.has(&["hook_event_name"]);
        return if named { Happening::Ignore } else { malformed("no session, no event".to_owned()) };
    };
    let Some(session) = session else {
        return malformed("no session".to_owned());
    };
    let cwd = fields.directory(&["cwd"]);
    if let Some(moment) = tools::moment(event) {
        let actor = actor(&fields, &session, env);
        return Happening::Session(SessionSignal { session, moment, actor, cwd });
    }
    let Some(tool) = fields.string(&["toolName", "tool_name"]) else {
        return malformed(format!("{event} without a tool's name"));
    };
    let (name, kind) = known(&tool);
    let Tool { action, background } = action(&fields, name, kind, &cwd);
    if event != "PreToolUse" {
        let (outcome, note) = outcome(&fields, event, kind);
        return Happening::After(Ending {
            session,
            call: fields.string(&["tool_use_id", "toolUseId", "toolCallId"]),
            outcome,
            duration_ms: None,
            note,
            action: Some(action),
            edit: None,
            task: None,
        });
    }
    Happening::Before(Box::new(Request {
        call: fields.string(&["tool_use_id", "toolUseId", "toolCallId"]),
        actor: actor(&fields, &session, env),
        session,
        source: Source::Hook,
        cwd,
        background,
        answers: Answers::AskOrDeny,
        action,
        env: env.clone(),
    }))
}

/// The tool's own name, so that both forms of one call are recorded alike, and its kind.
fn known(tool: &str) -> (&str, Kind) {
    let found = TOOLS.iter().find(|(own, pascal, _)| *own == tool || *pascal == tool);
    found.map_or((tool, Kind::Other), |(own, _, kind)| (*own, *kind))
}

fn action(fields: &Fields<'_>, tool: &str, kind: Kind, cwd: &Bytes) -> Tool {
    const ARGS: &[&str] = &["toolArgs", "tool_input"];
    // Older versions send the arguments as a JSON text; the patch tool's may be the patch itself.
    let text = fields.bytes(ARGS);
    let (inner, patch) = match text {
        Some(text) if kind == Kind::Patch && !text.trim_ascii_start().starts_with(b"{") => (None, Some(text)),
        text => (text, None),
    };
    if let Some(action) = patch.and_then(|patch| tools::patch(tool, &patch, cwd)) {
        return action.into();
    }
    let Some(inner) = inner else {
        let known = known_action(&fields.part(ARGS), tool, kind, cwd);
        return known.unwrap_or_else(|| tools::other(tool, fields.text(), fields.raw(ARGS)).into());
    };
    let text = Text::new(&inner);
    let known = Fields::of(&text).ok().and_then(|input| known_action(&input, tool, kind, cwd));
    known.unwrap_or_else(|| {
        crate::intake::Action::OtherTool { name: tool.to_owned(), raw: inner.clone() }.into()
    })
}

fn known_action(input: &Fields<'_>, tool: &str, kind: Kind, cwd: &Bytes) -> Option<Tool> {
    const PATHS: &[&str] = &["path", "file_path", "filePath"];
    let action = match kind {
        Kind::Shell => {
            let background = input.string(&["mode"]).as_deref() == Some("async") || input.flag(&["async"]);
            return tools::command(input, &["command"]).map(|action| Tool { action, background });
        }
        Kind::Edit => tools::edit(tool, input.bytes(PATHS), cwd)?,
        Kind::Patch => tools::patch(tool, &input.bytes(&["input", "patch", "command"])?, cwd)?,
        Kind::Read => tools::read_only(tool, input, &["path", "file_path", "pattern", "query", "url"]),
        Kind::Other => return None,
    };
    Some(action.into())
}

/// The exit code stands at the end of the text that goes to the model, in a mark of Copilot's own.
fn outcome(fields: &Fields<'_>, event: &str, kind: Kind) -> (Outcome, Option<Vec<u8>>) {
    if event == "PostToolUseFailure" {
        let error = fields.bytes(&["error"]).unwrap_or_default();
        return (told(&error).unwrap_or(Outcome::Failed), Some(tools::note(error)));
    }
    let result = fields.part(&["toolResult", "tool_result"]);
    let said = result.bytes(&["textResultForLlm", "text_result_for_llm"]).unwrap_or_default();
    match result.string(&["resultType", "result_type"]).as_deref() {
        Some("denied" | "rejected") => (Outcome::Refused, Some(tools::note(said))),
        Some("success") if kind == Kind::Shell => (told(&said).unwrap_or(Outcome::Ended), None),
        Some("success") => (Outcome::Succeeded, None),
        Some(_) => (told(&said).unwrap_or(Outcome::Failed), Some(tools::note(said))),
        None => (Outcome::Ended, None),
    }
}

/// What `<shellId: 6 completed with exit code 3>` or `<command started in background with shellId: 7>` says, as the last
/// line. Anywhere else it is the command's own output.
fn told(said: &[u8]) -> Option<Outcome> {
    let last = said.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
    let mark = last.strip_prefix(b"<")?.strip_suffix(b">")?;
    if mark.starts_with(b"shellId: ") && memchr::memmem::find(mark, b" completed with exit code ").is_some() {
        return tools::code_behind(mark, b" completed with exit code ");
    }
    memchr::memmem::find(mark, b"shellId").map(|_| Outcome::Background)
}

/// A sub-agent has a session of its own, and names the one that started it.
fn actor(fields: &Fields<'_>, session: &str, env: &Env) -> Actor {
    let id = fields.string(&["agentId", "agent_id"]);
    let kind = fields.string(&["agentType", "agent_type"]);
    let parent = fields.string(&["parentAgentId", "parent_agent_id"]).filter(|parent| parent != session);
    let subagent = match (kind, id, parent) {
        (Some(kind), _, Some(parent)) => Some(format!("{kind} of {parent}")),
        (Some(kind), Some(id), None) => Some(format!("{kind} {id}")),
        (kind, id, _) => kind.or(id),
    };
    tools::actor("copilot", attribution::agent_version("copilot", env), subagent)
}

/// Exit code 0 always: Copilot blocks the command on any other (agents.md 1).
fn reply(verdict: &Verdict) -> Reply {
    let Some(reason) = verdict.reason() else { return Reply::silent() };
    Reply::json(
        &serde_json::json!({"permissionDecision": verdict.as_str(), "permissionDecisionReason": reason}),
    )
}
