//! Codex CLI (0.169), with direct tools and in code mode: what its hooks send, what we make of it, how it is answered.
//! Fields and events as observed, agents.md 2, 4 and 6; `docs/agents/codex.md` tells it for people.

use super::fields::{Fields, mentions};
use super::payload::Text;
use super::tools::{self, Tool};
use super::{AgentSpec, Reply, Verdict};
use crate::intake::{Ending, Env, Happening, Request, SessionSignal, attribution};
use crate::model::{Actor, Answers, Bytes, Outcome, Source};

/// The table entry.
pub const SPEC: AgentSpec = AgentSpec { name: "codex", parse, claims, reply };

/// Tools that change nothing.
const READ_ONLY: &[&str] =
    &["update_plan", "view_image", "web_search", "tool_search", "list_dir", "read_file", "grep_files"];

/// Nobody else has turns of this name. No agent that we know runs hooks that were registered for Codex or lends its own;
/// this only catches a registration under the wrong word.
fn claims(payload: &[u8], _env: &Env) -> bool {
    if !mentions(payload, "turn_id") {
        return false;
    }
    let text = Text::new(payload);
    Fields::of(&text).is_ok_and(|fields| {
        fields.has(&["turn_id"]) && fields.has(&["hook_event_name"]) && fields.has(&["session_id"])
    })
}

fn parse(payload: &[u8], env: &Env) -> Happening {
    let text = Text::new(payload);
    let malformed = |what: String| Happening::Malformed(tools::malformed("codex", what, payload));
    let fields = match Fields::of(&text) {
        Ok(fields) => fields,
        Err(cause) => return malformed(cause.to_string()),
    };
    let Some(event) = fields.string(&["hook_event_name"]) else {
        return malformed("no hook_event_name".to_owned());
    };
    let known = matches!(event.as_str(), "PreToolUse" | "PostToolUse") || tools::moment(&event).is_some();
    if !known {
        return Happening::Ignore;
    }
    let Some(session) = fields.string(&["session_id"]) else {
        return malformed("no session_id".to_owned());
    };
    if let Some(moment) = tools::moment(&event) {
        let (actor, cwd) = (actor(&fields, env), fields.directory(&["cwd"]));
        return Happening::Session(SessionSignal { session, moment, actor, cwd });
    }
    let Some(tool) = fields.string(&["tool_name"]) else {
        return malformed(format!("{event} without tool_name"));
    };
    match event.as_str() {
        "PreToolUse" => before(&fields, &tool, session, env),
        _ => Happening::After(after(&fields, &tool, session)),
    }
}

fn before(fields: &Fields<'_>, tool: &str, session: String, env: &Env) -> Happening {
    let cwd = directory(fields);
    let Tool { action, background } = action(fields, tool, &cwd);
    Happening::Before(Box::new(Request {
        session,
        call: fields.string(&["tool_use_id"]),
        actor: actor(fields, env),
        source: Source::Hook,
        cwd,
        background,
        answers: Answers::Deny,
        action,
        env: env.clone(),
    }))
}

fn after(fields: &Fields<'_>, tool: &str, session: String) -> Ending {
    let Tool { action, .. } = action(fields, tool, &directory(fields));
    Ending {
        session,
        call: fields.string(&["tool_use_id"]),
        outcome: outcome(fields, tool),
        duration_ms: None,
        note: None,
        action: Some(action),
        edit: None,
        task: None,
    }
}

/// Codex says the call's own directory: `cwd` is its `workdir`.
fn directory(fields: &Fields<'_>) -> Bytes {
    let cwd = fields.directory(&["cwd"]);
    if cwd.is_empty() { fields.part(&["tool_input"]).directory(&["workdir"]) } else { cwd }
}

fn action(fields: &Fields<'_>, tool: &str, cwd: &Bytes) -> Tool {
    let input = fields.part(&["tool_input"]);
    let known = match tool {
        // The names of its tools in other versions; hooks call all of them Bash.
        "Bash" | "shell" | "local_shell" | "exec_command" | "container.exec" => {
            tools::command(&input, &["command", "cmd"])
        }
        "apply_patch" => {
            input.bytes(&["command", "input", "patch"]).and_then(|patch| tools::patch(tool, &patch, cwd))
        }
        _ if READ_ONLY.contains(&tool) => {
            Some(tools::read_only(tool, &input, &["path", "file_path", "query", "pattern"]))
        }
        _ => None,
    };
    known.unwrap_or_else(|| tools::other(tool, fields.text(), fields.raw(&["tool_input"]))).into()
}

/// The after-hook of a command carries its output and no exit code: `false` and `true` look alike. What looks like a
/// code in the output is the command's own text. The patch tool's answer is Codex's, and begins with one.
fn outcome(fields: &Fields<'_>, tool: &str) -> Outcome {
    if tool == "apply_patch" {
        let answer = fields.bytes(&["tool_response"]).unwrap_or_default();
        let first = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
        return tools::code_behind(first, b"Exit code: ").unwrap_or(Outcome::Ended);
    }
    // An MCP server's answer (`CallToolResult`) is an object that says when it failed.
    match fields.part(&["tool_response"]) {
        answer if answer.flag(&["isError", "is_error"]) => Outcome::Failed,
        answer if answer.has(&["content", "structuredContent"]) => Outcome::Succeeded,
        _ => Outcome::Ended,
    }
}

/// Hooks have none of the variables that mark Codex's commands, so there is no version. A sub-agent has its parent's
/// session and an id of its own.
fn actor(fields: &Fields<'_>, env: &Env) -> Actor {
    let subagent = match (fields.string(&["agent_type"]), fields.string(&["agent_id"])) {
        (Some(kind), Some(id)) => Some(format!("{kind} {id}")),
        (kind, id) => kind.or(id),
    };
    tools::actor("codex", attribution::agent_version("codex", env), subagent)
}

/// Codex runs a command for which a hook says "ask" (agents.md 1), so it is never told that: [`Answers::Deny`].
fn reply(verdict: &Verdict) -> Reply {
    Reply::hook_specific(verdict)
}
