//! opencode (1.18): what our plugin tells of its hooks, what we make of it, how it is answered. opencode runs no hook
//! programs; [`plugin`] is the file that `fr install` writes, and it calls `fr hook opencode`. Hooks and their fields
//! as observed, agents.md 1 to 6; `docs/agents/opencode.md` tells it for people.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::payload::{
    Flag, Text, WireString, absolute, bounded, directory, malformed, milliseconds, own_hook, subagent,
};
use super::{AgentSpec, Reply, Verdict, tools};
use crate::intake::{Action, Ending, Env, Happening, Request, SessionSignal};
use crate::model::{Actor, Answers, Bytes, Outcome, SessionMoment, Source};

/// The table entry.
pub const SPEC: AgentSpec = AgentSpec { name: "opencode", parse, claims, reply };

/// The plugin, with `"@FR@"` for the program to run.
pub const PLUGIN: &str = include_str!("opencode_plugin.js");

/// The text of the plugin file, which runs `fr` by this name or path.
pub fn plugin(fr: &str) -> String {
    PLUGIN.replace("\"@FR@\"", &serde_json::Value::from(fr).to_string())
}

/// Tools that change nothing (`packages/opencode/src/tool/registry.ts`).
const READ_ONLY: &[&str] = &[
    "read",
    "glob",
    "grep",
    "list",
    "webfetch",
    "websearch",
    "codesearch",
    "todowrite",
    "todoread",
    "question",
    "lsp",
    "skill",
    "invalid",
    "plan_exit",
    "list_mcp_resources",
    "read_mcp_resource",
];

/// Tools that write the files they name.
const EDITORS: &[&str] = &["edit", "write", "multiedit", "apply_patch", "patch"];

/// What the plugin sends: the hook's name, where the session is, and the hook's own `input` and `output`, the latter
/// without what the tool printed.
#[derive(Deserialize)]
struct Wire<'a> {
    hook: Hook,
    directory: Option<WireString>,
    version: Option<WireString>,
    /// The session that a person started, where this one is a sub-agent's.
    parent: Option<WireString>,
    agent: Option<WireString>,
    #[serde(borrow)]
    input: Option<Input<'a>>,
    output: Option<Output<'a>>,
    error: Option<WireString>,
    duration_ms: Option<serde_json::Number>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
enum Hook {
    #[serde(rename = "tool.execute.before")]
    Before,
    #[serde(rename = "tool.execute.after")]
    After,
    #[serde(rename = "tool.failed")]
    Failed,
    #[serde(rename = "session.created")]
    Created,
    #[serde(rename = "session.idle")]
    Idle,
    #[serde(rename = "session.deleted")]
    Deleted,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Input<'a> {
    tool: Option<WireString>,
    #[serde(rename = "sessionID")]
    session: Option<WireString>,
    #[serde(rename = "callID")]
    call: Option<WireString>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    args: Option<&'a RawValue>,
    metadata: Option<&'a RawValue>,
    #[serde(default, rename = "isError")]
    is_error: Flag,
}

/// The arguments that the tools we know have.
#[derive(Default, Deserialize)]
struct Args {
    command: Option<WireString>,
    workdir: Option<WireString>,
    #[serde(rename = "filePath")]
    file_path: Option<WireString>,
    #[serde(rename = "patchText")]
    patch_text: Option<WireString>,
    path: Option<WireString>,
    pattern: Option<WireString>,
    query: Option<WireString>,
    url: Option<WireString>,
}

/// Who called and where, told with every hook.
struct Caller {
    session: String,
    call: Option<String>,
    actor: Actor,
    cwd: Bytes,
    sub: bool,
}

/// Only our plugin speaks this.
fn claims(_payload: &[u8], _env: &Env) -> bool {
    false
}

fn parse(payload: &[u8], env: &Env) -> Happening {
    let text = Text::new(payload);
    match text.parse::<Wire<'_>>() {
        Ok(wire) => convert(wire, &text, env),
        Err(cause) => malformed(&cause.to_string(), "opencode", payload),
    }
}

fn convert(mut wire: Wire<'_>, text: &Text<'_>, env: &Env) -> Happening {
    if wire.hook == Hook::Other {
        return Happening::Ignore;
    }
    let Some(caller) = caller(&mut wire, text) else {
        return malformed("no sessionID", "opencode", &[]);
    };
    let moment = match (wire.hook, caller.sub) {
        (Hook::Before, _) => return before(wire, text, env, caller),
        (Hook::After | Hook::Failed, _) => return after(wire, text, caller),
        (Hook::Created, false) => SessionMoment::Start,
        (Hook::Created, true) => SessionMoment::SubagentStart,
        (Hook::Idle, false) => SessionMoment::Stop,
        (Hook::Deleted, false) => SessionMoment::End,
        (Hook::Idle | Hook::Deleted, true) => SessionMoment::SubagentStop,
        (Hook::Other, _) => return Happening::Ignore,
    };
    let Caller { session, actor, cwd, .. } = caller;
    Happening::Session(SessionSignal { session, moment, actor, cwd })
}

/// A sub-agent's calls belong to the session that a person started, as Claude's and Codex's do; its own session's id
/// goes to the actor.
fn caller(wire: &mut Wire<'_>, text: &Text<'_>) -> Option<Caller> {
    let input = wire.input.as_mut()?;
    let own = text.text(input.session.take()?);
    let call = input.call.take().map(|id| text.text(id));
    let parent = wire.parent.take().map(|id| text.text(id)).filter(|id| *id != own);
    let agent = wire.agent.take().map(|name| text.text(name));
    let version = wire.version.take().map(|version| text.text(version));
    let cwd = wire.directory.take().and_then(|dir| directory(text.bytes(dir))).unwrap_or_default();
    let sub = parent.is_some();
    let (session, name) = match parent {
        Some(parent) => (parent, subagent(agent, Some(own))),
        None => (own, None),
    };
    Some(Caller { session, call, actor: own_hook("opencode", version, name), cwd, sub })
}

fn before(wire: Wire<'_>, text: &Text<'_>, env: &Env, caller: Caller) -> Happening {
    let args = wire.output.and_then(|output| output.args);
    let Some(tool) = wire.input.and_then(|input| input.tool) else {
        return malformed("tool.execute.before without a tool", "opencode", &[]);
    };
    let (action, cwd) = action(text.text(tool), args, text, caller.cwd);
    Happening::Before(Box::new(Request {
        session: caller.session,
        call: caller.call,
        actor: caller.actor,
        source: Source::Hook,
        cwd,
        background: false,
        answers: Answers::Deny,
        action,
        env: env.clone(),
    }))
}

fn after(wire: Wire<'_>, text: &Text<'_>, caller: Caller) -> Happening {
    let error = wire.error.map(|error| text.bytes(error));
    let outcome = match wire.hook {
        Hook::Failed => failure(error.as_deref().unwrap_or_default()),
        _ => wire.output.map_or(Outcome::Succeeded, |output| outcome(&output, text)),
    };
    let (tool, args) = wire.input.map_or((None, None), |input| (input.tool, input.args));
    Happening::After(Ending {
        session: caller.session,
        call: caller.call,
        outcome,
        duration_ms: wire.duration_ms.and_then(|ms| milliseconds(&ms)),
        note: error.map(bounded),
        action: tool.map(|tool| action(text.text(tool), args, text, caller.cwd).0),
        edit: None,
        task: None,
    })
}

/// What a tool call does, and where.
fn action(tool: String, raw: Option<&RawValue>, text: &Text<'_>, cwd: Bytes) -> (Action, Bytes) {
    let name = tool.as_str();
    let known = name == "bash" || EDITORS.contains(&name) || READ_ONLY.contains(&name);
    // Arguments that a tool never had make it opaque, be it a reader.
    let args: Option<Args> = if known { text.part(raw) } else { None };
    let action = match (args, name) {
        (Some(Args { command: Some(line), workdir, .. }), "bash") => {
            let dir = workdir.and_then(|dir| directory(absolute(text.bytes(dir), &cwd).0));
            return (Action::Shell(text.bytes(line)), dir.unwrap_or(cwd));
        }
        (Some(args), name) if EDITORS.contains(&name) => edited(&tool, args, text, &cwd),
        (Some(args), name) if READ_ONLY.contains(&name) => {
            let subject = args.file_path.or(args.path).or(args.pattern).or(args.query).or(args.url);
            let subject = subject.map(|subject| Bytes(text.bytes(subject))).unwrap_or_default();
            Some(Action::ReadOnly { tool: tool.clone(), subject })
        }
        _ => None,
    };
    (action.unwrap_or_else(|| Action::OtherTool { name: tool, raw: text.raw(raw) }), cwd)
}

fn edited(tool: &str, args: Args, text: &Text<'_>, cwd: &Bytes) -> Option<Action> {
    match (args.patch_text, args.file_path) {
        (Some(patch), _) => tools::patch(tool, &text.bytes(patch), cwd),
        (None, path) => tools::edit(tool, path.map(|path| text.bytes(path)), cwd),
    }
}

/// `exit` is a number, or `null` where opencode killed the command: its time-out, or its user.
fn outcome(output: &Output<'_>, text: &Text<'_>) -> Outcome {
    let metadata: serde_json::Map<String, serde_json::Value> = text.part(output.metadata).unwrap_or_default();
    match metadata.get("exit") {
        _ if output.is_error.0 => Outcome::Failed,
        Some(serde_json::Value::Null) => Outcome::Failed,
        Some(exit) => exit
            .as_i64()
            .and_then(|code| i32::try_from(code).ok())
            .map_or(Outcome::Unknown, |code| Outcome::Exited { code }),
        None => Outcome::Succeeded,
    }
}

/// A tool that threw. The user or a rule of theirs may have refused it (`packages/opencode/src/permission`), or we.
fn failure(error: &[u8]) -> Outcome {
    let refusals: [&[u8]; 3] =
        [b"The user rejected permission", b"The user has specified a rule which prevents", b"fr: "];
    let error = error.strip_prefix(b"Error: ").unwrap_or(error);
    let refused = refusals.iter().any(|refusal| error.starts_with(refusal));
    if refused { Outcome::Refused } else { Outcome::Failed }
}

/// The plugin makes an error of a "deny" and of nothing else. It cannot ask anyone.
fn reply(verdict: &Verdict) -> Reply {
    Reply::denial(verdict)
}
