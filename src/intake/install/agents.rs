//! What `fr install` knows of each agent, as data: how to see that it is there, which file takes its hooks, which
//! events are worth a hook, and what that channel cannot see. Facts and their sources: agents.md 4, 5 and 7.

use serde_json::{Value, json};

/// One agent with hooks.
pub struct Spec {
    /// The word after `--agent`.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The word after `fr hook`. VS Code runs Copilot CLI's file, so it shares that word and is told apart by payload.
    pub hook: &'static str,
    /// Programs whose presence on `PATH` means that it is installed.
    pub binaries: &'static [&'static str],
    /// Directories whose presence means that it is installed, below HOME.
    pub signs: &'static [&'static str],
    /// The user's directory for its settings.
    pub dir: Dir,
    /// The file below [`Spec::dir`] that takes the hooks.
    pub file: &'static str,
    /// The file below a project that takes them.
    pub project_file: &'static str,
    /// How they stand in it.
    pub shape: Shape,
    /// The shell that runs the line.
    pub runner: Runner,
    /// The hooks' events.
    pub events: &'static [Event],
    /// What this channel does not see, by name.
    pub blind: &'static [&'static str],
    /// What else is worth knowing of it.
    pub remarks: &'static [&'static str],
}

/// Where an agent keeps its settings.
pub struct Dir {
    /// A variable that moves it, and what is appended to its value.
    pub variable: Option<(&'static str, &'static str)>,
    /// Where it is else, below HOME.
    pub below_home: &'static str,
}

/// How hooks stand in a file.
#[derive(Clone, Copy)]
pub enum Shape {
    /// JSON, `{"hooks": {EVENT: [ELEMENT, …]}}`.
    Json(JsonShape),
    /// A plugin of its own: its text, which calls the program by this path, or by `PATH` where it is empty.
    Plugin(fn(&str) -> String),
}

/// What is special in an agent's JSON.
#[derive(Clone, Copy)]
pub struct JsonShape {
    /// The element of an event's array.
    pub element: fn(&Event, &str) -> Value,
    /// The file must say `"version": 1`.
    pub version: bool,
    /// The agent reads strict JSON: with a comment in the file it would load nothing of it.
    pub strict: bool,
    /// A setting in this file, as a JSON pointer and the value, that switches all hooks off.
    pub off: Option<(&'static str, bool)>,
}

/// Who runs the line, which decides how it must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// A POSIX shell or bash. Any exit code but 0 may mean "block": the line ends with 0 whatever happens.
    Shell,
    /// The same, but exit code 2 is the agent's only way to be told "no", so that one is passed on.
    ShellPassingTwo,
    /// Not known: it may be the user's fish. The line brings its own shell.
    Unknown,
}

/// One event that gets a hook.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The agent's name for it.
    pub name: &'static str,
    /// It is about a tool call and takes a matcher, where the agent has matchers.
    pub tool: bool,
    /// The longest that the agent waits, in seconds.
    pub seconds: u32,
}

/// A hook may have to copy gigabytes before a command may run, and where the agent gives up waiting, the command runs
/// with nothing to bring back. `fr` itself ends a capture well before ([`crate::record::LONGEST`]).
pub const PATIENCE: u32 = 300;
/// What only tells of a session.
const MOMENT: u32 = 30;

const fn tool(name: &'static str) -> Event {
    Event { name, tool: true, seconds: PATIENCE }
}

const fn other(name: &'static str) -> Event {
    Event { name, tool: false, seconds: MOMENT }
}

/// An event that the agent gives 3 seconds, whatever the file says (Codex, agents.md 5).
const fn brief(name: &'static str) -> Event {
    Event { name, tool: false, seconds: 3 }
}

// Of Cursor, `beforeMCPExecution` and its like say again what `preToolUse` says, and Cursor blocks the call where such a
// hook dies (docs/agents/cursor.md).

/// Every agent with hooks, in the order that they are shown.
pub const AGENTS: &[Spec] = &[CLAUDE, CODEX, COPILOT, VSCODE, CURSOR, WINDSURF, GEMINI, OPENCODE];

/// The agents' names, and Aider's, which has no hooks.
pub const NAMES: [&str; 9] =
    ["claude", "codex", "copilot", "vscode", "cursor", "windsurf", "gemini", "opencode", AIDER];

/// Aider has no hooks: the shell integration sees its commands.
pub const AIDER: &str = "aider";

/// The agent of that name.
pub fn find(name: &str) -> Option<&'static Spec> {
    AGENTS.iter().find(|spec| spec.name == name)
}

const CLAUDE: Spec = Spec {
    name: "claude",
    title: "Claude Code",
    hook: "claude",
    binaries: &["claude"],
    signs: &[".claude"],
    dir: Dir { variable: Some(("CLAUDE_CONFIG_DIR", "")), below_home: ".claude" },
    file: "settings.json",
    project_file: ".claude/settings.json",
    shape: Shape::Json(JsonShape {
        element: nested_seconds,
        version: false,
        strict: false,
        off: Some(("/disableAllHooks", true)),
    }),
    runner: Runner::Shell,
    events: &[
        tool("PreToolUse"),
        tool("PostToolUse"),
        tool("PostToolUseFailure"),
        tool("PermissionDenied"),
        other("SessionStart"),
        other("SessionEnd"),
        other("Stop"),
        other("SubagentStart"),
        other("SubagentStop"),
    ],
    blind: &[
        "the user's own !command",
        "what a script, make or an MCP server does inside one command, except what changed in the working tree",
        "what a background command does after it was started",
    ],
    remarks: &[],
};

const CODEX: Spec = Spec {
    name: "codex",
    title: "Codex CLI",
    hook: "codex",
    binaries: &["codex"],
    signs: &[".codex"],
    dir: Dir { variable: Some(("CODEX_HOME", "")), below_home: ".codex" },
    file: "hooks.json",
    project_file: ".codex/hooks.json",
    shape: Shape::Json(JsonShape { element: nested_seconds, version: false, strict: true, off: None }),
    runner: Runner::Shell,
    events: &[
        tool("PreToolUse"),
        tool("PostToolUse"),
        other("SessionStart"),
        brief("SessionEnd"),
        other("Stop"),
        other("SubagentStart"),
        other("SubagentStop"),
    ],
    blind: &[
        "what is typed into a running shell with write_stdin: only `fr install --shell bash` sees it",
        "exit codes: Codex does not tell them",
        "commands that Codex's own policy refuses look as if their end had been missed",
    ],
    remarks: &[],
};

const COPILOT: Spec = Spec {
    name: "copilot",
    title: "Copilot CLI",
    hook: "copilot",
    binaries: &["copilot"],
    signs: &[".copilot"],
    dir: Dir { variable: Some(("COPILOT_HOME", "")), below_home: ".copilot" },
    file: "hooks/fr.json",
    project_file: ".github/hooks/fr.json",
    shape: Shape::Json(JsonShape { element: copilot, version: true, strict: false, off: None }),
    runner: Runner::Shell,
    events: COPILOT_EVENTS,
    blind: &[
        "what is typed into a running shell with write_bash",
        "shell integration does not help: commands run with --norc and without BASH_ENV",
        "call ids: parallel calls with the same arguments are paired in order",
    ],
    remarks: &[],
};

const COPILOT_EVENTS: &[Event] = &[
    tool("preToolUse"),
    tool("postToolUse"),
    tool("postToolUseFailure"),
    other("sessionStart"),
    other("sessionEnd"),
    other("agentStop"),
    other("subagentStart"),
    other("subagentStop"),
];

/// VS Code reads `~/.copilot/hooks` and `.github/hooks` too, and understands Copilot CLI's event names and keys
/// (code.visualstudio.com, agent hooks). A second file would make every command be reported twice, in both.
const VSCODE: Spec = Spec {
    name: "vscode",
    title: "Copilot in VS Code",
    hook: "copilot",
    binaries: &["code", "code-insiders"],
    signs: &[".vscode", ".vscode-server", ".config/Code", ".config/Code - Insiders"],
    dir: COPILOT.dir,
    file: COPILOT.file,
    project_file: COPILOT.project_file,
    shape: COPILOT.shape,
    runner: COPILOT.runner,
    events: COPILOT.events,
    blind: &["what is typed into a terminal with send_to_terminal"],
    remarks: &[
        "built from its documentation, not tested against a running VS Code",
        "its hooks are a preview: the setting chat.useHooks, or an organisation's policy, may switch them off unseen",
    ],
};

const CURSOR: Spec = Spec {
    name: "cursor",
    title: "Cursor",
    hook: "cursor",
    binaries: &["cursor", "cursor-agent"],
    signs: &[".cursor"],
    dir: Dir { variable: None, below_home: ".cursor" },
    file: "hooks.json",
    project_file: ".cursor/hooks.json",
    shape: Shape::Json(JsonShape { element: cursor, version: true, strict: false, off: None }),
    runner: Runner::Unknown,
    events: &[
        tool("preToolUse"),
        tool("postToolUse"),
        tool("postToolUseFailure"),
        tool("beforeShellExecution"),
        tool("afterShellExecution"),
        other("sessionStart"),
        other("sessionEnd"),
        other("stop"),
        other("subagentStart"),
        other("subagentStop"),
    ],
    blind: &["exit codes: Cursor's hooks do not tell them", "edits by Tab completion"],
    remarks: &["built from its documentation, not tested against a running Cursor"],
};

const WINDSURF: Spec = Spec {
    name: "windsurf",
    title: "Windsurf",
    hook: "windsurf",
    binaries: &["windsurf"],
    signs: &[".codeium/windsurf"],
    dir: Dir { variable: None, below_home: ".codeium/windsurf" },
    file: "hooks.json",
    project_file: ".windsurf/hooks.json",
    shape: Shape::Json(JsonShape { element: windsurf, version: false, strict: false, off: None }),
    runner: Runner::ShellPassingTwo,
    events: &[
        tool("pre_run_command"),
        tool("post_run_command"),
        tool("pre_write_code"),
        tool("post_write_code"),
        tool("pre_mcp_tool_use"),
        tool("post_mcp_tool_use"),
        other("post_cascade_response"),
    ],
    blind: &[
        "exit codes and results: Windsurf's hooks do not tell them",
        "call ids: parallel calls with the same arguments are paired in order",
    ],
    remarks: &["built from its documentation, not tested against a running Windsurf"],
};

const GEMINI: Spec = Spec {
    name: "gemini",
    title: "Gemini CLI",
    hook: "gemini",
    binaries: &["gemini"],
    signs: &[".gemini"],
    dir: Dir { variable: None, below_home: ".gemini" },
    file: "settings.json",
    project_file: ".gemini/settings.json",
    shape: Shape::Json(JsonShape {
        element: nested_milliseconds,
        version: false,
        strict: false,
        off: Some(("/hooksConfig/enabled", false)),
    }),
    runner: Runner::Shell,
    events: &[
        tool("BeforeTool"),
        tool("AfterTool"),
        other("SessionStart"),
        other("SessionEnd"),
        other("AfterAgent"),
    ],
    blind: &[
        "which sub-agent a command comes from",
        "call ids: parallel calls with the same arguments are paired in order",
        "what a background command does after it was started",
    ],
    remarks: &[],
};

const OPENCODE: Spec = Spec {
    name: "opencode",
    title: "opencode",
    hook: "opencode",
    binaries: &["opencode"],
    signs: &[".config/opencode", ".opencode"],
    dir: Dir { variable: Some(("XDG_CONFIG_HOME", "opencode")), below_home: ".config/opencode" },
    file: "plugin/fr.js",
    project_file: ".opencode/plugin/fr.js",
    shape: Shape::Plugin(crate::intake::agents::opencode::plugin),
    runner: Runner::Unknown,
    events: &[],
    blind: &[
        "what a script, make or an MCP server does inside one command, except what changed in the working tree",
    ],
    remarks: &[
        "on its first start with a plugin opencode fetches @opencode-ai/plugin and waits for it, 90 s without a network",
    ],
};

/// Claude and Codex.
fn nested_seconds(event: &Event, line: &str) -> Value {
    nested(event, line, event.seconds)
}

/// Claude from 2.1.295 on: a command that could not be recorded in time does not run.
pub fn nested_blocking(event: &Event, line: &str) -> Value {
    let mut element = nested(event, line, event.seconds);
    if event.name == "PreToolUse"
        && let Some(handler) = element.pointer_mut("/hooks/0")
    {
        handler[ON_FAILURE] = "block".into();
    }
    element
}

/// The field of a handler that says what its failure means.
pub const ON_FAILURE: &str = "onFailure";

/// Gemini counts in milliseconds.
fn nested_milliseconds(event: &Event, line: &str) -> Value {
    nested(event, line, event.seconds * 1000)
}

fn nested(event: &Event, line: &str, timeout: u32) -> Value {
    let hooks = json!([{"type": "command", "command": line, "timeout": timeout}]);
    if event.tool { json!({"matcher": "*", "hooks": hooks}) } else { json!({"hooks": hooks}) }
}

fn copilot(event: &Event, line: &str) -> Value {
    json!({"type": "command", "bash": line, "timeoutSec": event.seconds})
}

fn cursor(event: &Event, line: &str) -> Value {
    json!({"command": line, "timeout": event.seconds})
}

fn windsurf(_event: &Event, line: &str) -> Value {
    json!({"command": line, "show_output": false})
}
