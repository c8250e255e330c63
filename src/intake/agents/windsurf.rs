//! Windsurf, now Devin Desktop: the hooks of its Cascade agent, what we make of them, how they are answered. All of it
//! from its documentation (docs.windsurf.com and docs.devin.ai/desktop, cascade/hooks, 2026); it never ran here.
//! `docs/agents/windsurf.md` tells it for people.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::payload::{Text, WireString, absolute, directory, has_key, malformed, own_hook};
use super::{AgentSpec, Reply, Verdict};
use crate::intake::{Action, Ending, Env, Happening, Request, SessionSignal, text as variable};
use crate::model::{Answers, Bytes, Outcome, SessionMoment, Source};

/// The table entry.
pub const SPEC: AgentSpec = AgentSpec { name: "windsurf", parse, claims, reply };

/// One payload on standard input. Fields that are not named here are ignored.
#[derive(Deserialize)]
struct Wire<'a> {
    agent_action_name: Event,
    trajectory_id: Option<WireString>,
    #[serde(borrow)]
    tool_info: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Event {
    PreRunCommand,
    PostRunCommand,
    PreWriteCode,
    PostWriteCode,
    PreReadCode,
    PostReadCode,
    PreMcpToolUse,
    PostMcpToolUse,
    PostCascadeResponse,
    #[serde(other)]
    Other,
}

/// The fields of `tool_info`, by event.
#[derive(Default, Deserialize)]
struct ToolInfo {
    command_line: Option<WireString>,
    cwd: Option<WireString>,
    file_path: Option<WireString>,
    mcp_server_name: Option<WireString>,
    mcp_tool_name: Option<WireString>,
    mcp_tool_arguments: Option<Box<RawValue>>,
}

/// Its payloads name themselves as no other agent's do.
fn claims(payload: &[u8], _env: &Env) -> bool {
    has_key(payload, "\"agent_action_name\":")
}

fn parse(payload: &[u8], env: &Env) -> Happening {
    let text = Text::new(payload);
    match text.parse::<Wire<'_>>() {
        Ok(wire) => convert(wire, &text, env),
        Err(cause) => malformed(&cause.to_string(), "windsurf", payload),
    }
}

fn convert(wire: Wire<'_>, text: &Text<'_>, env: &Env) -> Happening {
    let event = wire.agent_action_name;
    if event == Event::Other {
        return Happening::Ignore;
    }
    let Some(session) = wire.trajectory_id.map(|id| text.text(id)) else {
        return malformed("no trajectory_id", "windsurf", &[]);
    };
    let mut info: ToolInfo = text.part(wire.tool_info).unwrap_or_default();
    let cwd = info.cwd.take().and_then(|cwd| directory(text.bytes(cwd))).unwrap_or_else(|| workspace(env));
    let actor = own_hook("windsurf", None, None);
    if event == Event::PostCascadeResponse {
        return Happening::Session(SessionSignal { session, moment: SessionMoment::Stop, actor, cwd });
    }
    let action = action(event, info, wire.tool_info, text, &cwd);
    match event {
        Event::PreRunCommand | Event::PreWriteCode | Event::PreReadCode | Event::PreMcpToolUse => {
            let (source, env) = (Source::Hook, env.clone());
            let background = false;
            let call = None;
            Happening::Before(Box::new(Request {
                session,
                call,
                actor,
                source,
                cwd,
                background,
                answers: Answers::Deny,
                action,
                env,
            }))
        }
        _ => Happening::After(ending(event, session, action)),
    }
}

/// Only commands come with a directory. Hooks run in the workspace unless they are registered with another
/// `working_directory`, and the shell that runs them says where it is.
fn workspace(env: &Env) -> Bytes {
    variable(env, "PWD").and_then(|dir| directory(dir.into())).unwrap_or_default()
}

fn ending(event: Event, session: String, action: Action) -> Ending {
    // The exit code of a command and the result of an MCP tool are not told; files are told of once they are written.
    let told = matches!(event, Event::PostWriteCode | Event::PostReadCode);
    let outcome = if told { Outcome::Succeeded } else { Outcome::Unknown };
    Ending {
        session,
        call: None,
        outcome,
        duration_ms: None,
        note: None,
        action: Some(action),
        edit: None,
        task: None,
    }
}

/// What an event is about. The two halves of a call have the same fields, except for an MCP tool's result.
fn action(event: Event, info: ToolInfo, raw: Option<&RawValue>, text: &Text<'_>, cwd: &Bytes) -> Action {
    let opaque = |name: &str| Action::OtherTool { name: name.to_string(), raw: text.raw(raw) };
    match event {
        Event::PreRunCommand | Event::PostRunCommand => match info.command_line {
            Some(line) => Action::Shell(text.bytes(line)),
            None => opaque("run_command"),
        },
        Event::PreWriteCode | Event::PostWriteCode => match info.file_path {
            Some(path) => {
                let paths = vec![absolute(text.bytes(path), cwd)];
                Action::EditFile { tool: "write_code".to_string(), paths }
            }
            None => opaque("write_code"),
        },
        Event::PreReadCode | Event::PostReadCode => {
            let subject = info.file_path.map(|path| Bytes(text.bytes(path))).unwrap_or_default();
            Action::ReadOnly { tool: "read_code".to_string(), subject }
        }
        _ => {
            let part = |part: Option<WireString>| part.map(|part| text.text(part)).unwrap_or_default();
            let name = format!("mcp {} {}", part(info.mcp_server_name), part(info.mcp_tool_name));
            Action::OtherTool { name, raw: text.raw(info.mcp_tool_arguments.as_deref()) }
        }
    }
}

/// There is one answer: exit code 2 stops the action, with the reason on standard error for the agent. It cannot ask.
fn reply(verdict: &Verdict) -> Reply {
    match verdict.reason() {
        None => Reply::silent(),
        Some(reason) => Reply { stdout: String::new(), stderr: format!("{reason}\n"), code: 2 },
    }
}
