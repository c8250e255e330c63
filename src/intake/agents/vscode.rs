//! Copilot's agent mode in VS Code. From its documentation (docs/copilot/customization/hooks.md of microsoft/vscode-docs,
//! February 2026), not observed: field and tool names differ between releases and between the documentation and the
//! product, so both are accepted. `docs/agents/vscode.md` tells it for people.

use super::fields::{Fields, mentions};
use super::payload::Text;
use super::tools::{self, Tool};
use super::{AgentSpec, Reply, Verdict};
use crate::intake::{Ending, Env, Happening, Request, SessionSignal};
use crate::model::{Answers, Bytes, Outcome, Source};

/// The table entry.
pub const SPEC: AgentSpec = AgentSpec { name: "vscode", parse, claims, reply };

const SHELLS: &[&str] = &["runTerminalCommand", "run_in_terminal", "runInTerminal"];

const EDITORS: &[&str] = &[
    "editFiles",
    "createFile",
    "create_file",
    "insert_edit_into_file",
    "replace_string_in_file",
    "multi_replace_string_in_file",
    "edit_notebook_file",
    "editNotebook",
    "create_new_jupyter_notebook",
];

const READERS: &[&str] = &[
    "readFile",
    "read_file",
    "listDirectory",
    "list_dir",
    "fileSearch",
    "file_search",
    "textSearch",
    "grep_search",
    "codebase",
    "semantic_search",
    "search",
    "usages",
    "list_code_usages",
    "problems",
    "get_errors",
    "changes",
    "get_changed_files",
    "fetch",
    "fetch_webpage",
    "get_terminal_output",
    "getTerminalOutput",
    "terminal_last_command",
    "terminal_selection",
    "todos",
    "manage_todo_list",
];

/// VS Code's payloads have a timestamp beside a call id, or the event's name in camelCase.
fn claims(payload: &[u8], _env: &Env) -> bool {
    if !mentions(payload, "timestamp") {
        return false;
    }
    let text = Text::new(payload);
    let Ok(fields) = Fields::of(&text) else { return false };
    let named = fields.has(&["hookEventName"]);
    let called = fields.has(&["hook_event_name"]) && fields.has(&["tool_use_id"]);
    fields.has(&["timestamp"]) && (named || called) && !fields.has(&["cursor_version", "turn_id"])
}

fn parse(payload: &[u8], env: &Env) -> Happening {
    let text = Text::new(payload);
    let malformed = |what: String| Happening::Malformed(tools::malformed("vscode", what, payload));
    let fields = match Fields::of(&text) {
        Ok(fields) => fields,
        Err(cause) => return malformed(cause.to_string()),
    };
    let Some(event) = fields.string(&["hookEventName", "hook_event_name"]) else {
        return malformed("no event".to_owned());
    };
    let is_tool = matches!(event.as_str(), "PreToolUse" | "PostToolUse");
    if !is_tool && tools::moment(&event).is_none() {
        return Happening::Ignore;
    }
    let Some(session) = fields.string(&["sessionId", "session_id"]) else {
        return malformed("no session".to_owned());
    };
    let cwd = fields.directory(&["cwd"]);
    let subagent = fields.string(&["agent_type", "agentType"]);
    let actor = tools::actor("vscode", None, subagent);
    if let Some(moment) = tools::moment(&event) {
        return Happening::Session(SessionSignal { session, moment, actor, cwd });
    }
    let Some(tool) = fields.string(&["tool_name", "toolName"]) else {
        return malformed(format!("{event} without tool_name"));
    };
    let call = fields.string(&["tool_use_id", "toolUseId"]);
    let Tool { action, background } = action(&fields, &tool, &cwd);
    if event == "PostToolUse" {
        let outcome = match (background, SHELLS.contains(&tool.as_str())) {
            (true, _) => Outcome::Background,
            // Documented as "after a tool completes successfully"; a terminal command completes with any code.
            (false, true) => Outcome::Ended,
            (false, false) => Outcome::Succeeded,
        };
        let action = Some(action);
        return Happening::After(Ending {
            session,
            call,
            outcome,
            duration_ms: None,
            note: None,
            action,
            edit: None,
            task: None,
        });
    }
    let (source, answers, env) = (Source::Hook, Answers::AskOrDeny, env.clone());
    Happening::Before(Box::new(Request {
        session,
        call,
        actor,
        source,
        cwd,
        background,
        answers,
        action,
        env,
    }))
}

fn action(fields: &Fields<'_>, tool: &str, cwd: &Bytes) -> Tool {
    const INPUT: &[&str] = &["tool_input", "toolInput"];
    let input = fields.part(INPUT);
    let known = match tool {
        _ if SHELLS.contains(&tool) => {
            let background = input.flag(&["isBackground", "is_background"]);
            tools::command(&input, &["command"]).map(|action| Tool { action, background })
        }
        "apply_patch" | "applyPatch" => {
            input.bytes(&["input", "patch"]).and_then(|patch| tools::patch(tool, &patch, cwd)).map(Tool::from)
        }
        _ if EDITORS.contains(&tool) => tools::edit(tool, files(&input), cwd).map(Tool::from),
        _ if READERS.contains(&tool) => {
            Some(tools::read_only(tool, &input, &["filePath", "path", "query", "url"]).into())
        }
        _ => None,
    };
    known.unwrap_or_else(|| tools::other(tool, fields.text(), fields.raw(INPUT)).into())
}

/// Every file that an editing tool names: one, a list, or one in each of a list of replacements.
fn files(input: &Fields<'_>) -> Vec<Vec<u8>> {
    const PATHS: &[&str] = &["filePath", "path", "file_path"];
    let listed = input.list(&["files", "filePaths"]).unwrap_or_default().into_iter().map(|path| path.0);
    let each = input.each(&["replacements", "edits"]).into_iter().filter_map(|one| one.bytes(PATHS));
    input.bytes(PATHS).into_iter().chain(listed).chain(each).map(from_uri).collect()
}

/// VS Code may name a file by its URI. A percent sign is left alone where the rest is no such escape.
fn from_uri(path: Vec<u8>) -> Vec<u8> {
    let Some(rest) = path.strip_prefix(b"file://").filter(|rest| rest.starts_with(b"/")) else { return path };
    let mut out = Vec::with_capacity(rest.len());
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        let escaped = rest.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| byte == b'%') {
            Some(meant) => {
                out.push(meant);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// The form that it shares with Claude Code. Of several hooks' answers the strictest counts.
fn reply(verdict: &Verdict) -> Reply {
    Reply::hook_specific(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_paths() {
        assert_eq!(from_uri(b"file:///a%20b/%e9%2".to_vec()), b"/a b/\xe9%2");
        assert_eq!(from_uri(b"/a%20b".to_vec()), b"/a%20b");
        assert_eq!(from_uri(b"file://host/a".to_vec()), b"file://host/a");
    }
}
