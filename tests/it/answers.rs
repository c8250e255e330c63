//! What agents are answered, through the built binary: whether a command may run of which the recorder could not keep
//! all that it destroys. Each agent is answered in its own form, whoever registered the hook.

use serde_json::{Value, json};

use crate::env::{Output, TestEnv};

/// How an agent announces `rm -r build`, and how it is asked and refused. `{cwd}` is the project.
struct Form {
    name: &'static str,
    /// The word behind `fr hook`.
    registered: &'static str,
    payload: Value,
    /// It can ask its user.
    asks: bool,
    said: Said,
}

/// Where an answer is told.
enum Said {
    /// In JSON on standard output: where the decision and the reason stand.
    Json(&'static str, &'static str),
    /// By exit code 2, the reason on standard error.
    Code,
}

const HOOK: Said =
    Said::Json("/hookSpecificOutput/permissionDecision", "/hookSpecificOutput/permissionDecisionReason");
const COPILOT: Said = Said::Json("/permissionDecision", "/permissionDecisionReason");
const CURSOR: Said = Said::Json("/permission", "/agent_message");
const DECISION: Said = Said::Json("/decision", "/reason");

fn forms() -> Vec<Form> {
    let line = "rm -r build";
    let claude = json!({"hook_event_name": "PreToolUse", "session_id": "s", "cwd": "{cwd}", "tool_use_id": "t",
        "tool_name": "Bash", "tool_input": {"command": line}});
    let with = |name: &str, value: Value| {
        let mut payload = claude.clone();
        payload[name] = value;
        payload
    };
    let copilot = json!({"sessionId": "s", "timestamp": 1, "cwd": "{cwd}", "toolName": "bash",
        "toolArgs": {"command": line}});
    let cursor = json!({"hook_event_name": "beforeShellExecution", "conversation_id": "s", "cursor_version": "2.4.0",
        "cwd": "{cwd}", "command": line});
    let mcp = json!({"hook_event_name": "preToolUse", "conversation_id": "s", "cursor_version": "2.4.0",
        "cwd": "{cwd}", "tool_use_id": "t", "tool_name": "Write", "tool_input": {"file_path": "build/a.bin"}});
    let windsurf = json!({"agent_action_name": "pre_run_command", "trajectory_id": "s",
        "tool_info": {"command_line": line, "cwd": "{cwd}"}});
    let gemini = json!({"hook_event_name": "BeforeTool", "session_id": "s", "cwd": "{cwd}",
        "tool_name": "run_shell_command", "tool_input": {"command": line}});
    let opencode = json!({"hook": "tool.execute.before", "directory": "{cwd}",
        "input": {"tool": "bash", "sessionID": "s", "callID": "t"}, "output": {"args": {"command": line}}});
    let form = |name, registered, payload: &Value, asks, said| Form {
        name,
        registered,
        payload: payload.clone(),
        asks,
        said,
    };
    let mut vscode = with("timestamp", json!("2026-01-01T00:00:00Z"));
    vscode["tool_name"] = json!("runTerminalCommand");
    let mut pascal = with("timestamp", json!("2026-01-01T00:00:00Z"));
    pascal.as_object_mut().unwrap().remove("tool_use_id");
    vec![
        form("claude", "claude", &claude, true, HOOK),
        form("codex", "codex", &with("turn_id", json!("u")), false, HOOK),
        form("copilot", "copilot", &copilot, true, COPILOT),
        form("copilot", "claude", &copilot, true, COPILOT),
        form("copilot", "copilot", &pascal, true, COPILOT),
        form("vscode", "claude", &vscode, true, HOOK),
        form("cursor", "cursor", &cursor, true, CURSOR),
        // What is registered for Claude is borrowed: the one that speaks is answered.
        form("cursor", "claude", &cursor, true, CURSOR),
        // It goes on where it is told to ask before a tool.
        form("cursor", "cursor", &mcp, false, CURSOR),
        form("windsurf", "windsurf", &windsurf, false, Said::Code),
        form("gemini", "gemini", &gemini, false, DECISION),
        form("opencode", "opencode", &opencode, false, DECISION),
    ]
}

/// A store that cannot keep anything any more, and one that cannot even record.
enum Broken {
    Packs,
    Journal,
}

fn world(settings: &str, broken: Option<&Broken>) -> TestEnv {
    let env = TestEnv::new();
    env.write("build/a.bin", vec![b'a'; 5000]);
    env.claude_pre("echo makes the store > made.txt");
    std::fs::write(env.fr_home.join("config.toml"), settings).unwrap();
    let part = match broken {
        Some(Broken::Packs) => "packs",
        Some(Broken::Journal) => "journal",
        None => return env,
    };
    std::fs::rename(env.fr_home.join(part), env.fr_home.join("away")).unwrap();
    std::fs::write(env.fr_home.join(part), "in the way").unwrap();
    env
}

fn tell(env: &TestEnv, form: &Form) -> Output {
    let payload = form.payload.to_string().replace("{cwd}", env.project.to_str().unwrap());
    env.fr_with(&["hook", form.registered], payload.as_bytes())
}

/// The answer: its word and its reason.
#[track_caller]
fn answer(form: &Form, output: &Output) -> (String, String) {
    let text = |value: &Value, at: &str| value.pointer(at).unwrap().as_str().unwrap().to_owned();
    match form.said {
        Said::Code => {
            assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{}: {output:?}", form.name);
            ("deny".to_owned(), output.stderr.clone())
        }
        Said::Json(decision, reason) => {
            assert_eq!(output.code, 0, "{}: any other code means something: {output:?}", form.name);
            assert_ne!(output.stdout, "", "{}: no answer: {output:?} {}", form.name, form.payload);
            let said = output.json();
            (text(&said, decision), text(&said, reason))
        }
    }
}

#[test]
fn by_default_everything_runs_and_nothing_is_said() {
    for form in forms() {
        let env = world("", Some(&Broken::Packs));
        let output = tell(&env, &form);
        assert_eq!(
            (output.code, output.stdout.as_str(), output.stderr.as_str()),
            (0, "", ""),
            "{}",
            form.name
        );
    }
}

#[test]
fn each_agent_that_speaks_is_asked_in_its_own_form() {
    for form in forms() {
        let env = world("on-incomplete-capture = \"ask\"\n", Some(&Broken::Packs));
        let (word, reason) = answer(&form, &tell(&env, &form));
        assert_eq!(word, if form.asks { "ask" } else { "deny" }, "{} by {}", form.name, form.registered);
        assert!(reason.contains("could not keep"), "{}: {reason}", form.name);
        // Where nobody can be asked, it says how a person goes on.
        assert_eq!(
            reason.contains("ask the user to run it in a terminal"),
            !form.asks,
            "{}: {reason}",
            form.name
        );
        assert_eq!(reason.trim_end().lines().count(), 1, "{reason}");
    }
}

#[test]
fn each_agent_that_speaks_is_refused_in_its_own_form() {
    for form in forms() {
        for (settings, broken) in [
            ("on-incomplete-capture = \"deny\"\n", Broken::Packs),
            ("on-failure = \"deny\"\n", Broken::Journal),
        ] {
            let env = world(settings, Some(&broken));
            let (word, reason) = answer(&form, &tell(&env, &form));
            assert_eq!(word, "deny", "{}", form.name);
            assert!(reason.contains("ask the user to run it in a terminal"), "{}: {reason}", form.name);
        }
    }
}

#[test]
fn what_destroys_nothing_is_never_held_up() {
    let settings = "on-incomplete-capture = \"deny\"\non-failure = \"deny\"\n";
    for broken in [Broken::Packs, Broken::Journal] {
        let env = world(settings, Some(&broken));
        for line in ["ls -l", "git status", "cat build/a.bin | wc -c", "make", "mkdir new"] {
            let said = env.claude_pre(line).answer;
            assert_eq!((said.code, said.stdout.as_str()), (0, ""), "{line}: {said:?}");
        }
        let read = env.claude_tool("Read", json!({"file_path": "build/a.bin"})).answer;
        assert_eq!((read.code, read.stdout.as_str()), (0, ""));
        // A person's own commands are theirs.
        let own = env.fr(&["exec", "--", "rm", "-r", "build"]);
        assert_eq!(own.code, 0, "{own:?}");
        assert!(!env.exists("build"));
    }
}

/// What is in the store in full is not held up, and of what is not the reason names the file and why.
#[test]
fn a_capture_that_is_cut_short_counts_as_none() {
    let env = world("on-incomplete-capture = \"deny\"\n[caps]\nnamed_bytes = 4096\n", None);
    env.write("small/b.txt", "b\n");
    assert_eq!(env.claude_pre("rm -r small").answer.stdout, "");
    let denied = env.claude_pre("rm -r build").answer.json();
    let reason = denied["hookSpecificOutput"]["permissionDecisionReason"].as_str().unwrap().to_owned();
    assert!(reason.contains("build") && reason.contains("on-incomplete-capture"), "{reason}");
}

/// What git ignores and a command of git's does not touch is no reason to hold the command up.
#[test]
fn a_git_command_is_not_held_up_for_what_it_does_not_touch() {
    let env = TestEnv::with_git();
    env.write(".gitignore", "node_modules/\n");
    env.write("node_modules/a/index.js", "x\n");
    env.write("README.md", "changed\n");
    std::fs::create_dir_all(&env.fr_home).unwrap();
    std::fs::write(env.fr_home.join("config.toml"), "on-incomplete-capture = \"deny\"\n").unwrap();
    let reset = env.claude_pre("git reset --hard").answer;
    assert_eq!((reset.code, reset.stdout.as_str()), (0, ""), "{reset:?}");
}

/// A denied command is on record with the answer, and is no run: nothing is proposed for undo, and a model that tries
/// again gets an event of its own.
#[test]
fn a_denied_command_is_on_record_as_refused() {
    let env = world("on-incomplete-capture = \"deny\"\n[caps]\nnamed_bytes = 4096\n", None);
    let first = env.claude_pre("rm -r build");
    env.claude_pre("rm -r build");
    let events = env.fr(&["timeline", "--json"]).ok().json();
    let denied: Vec<&Value> =
        events.as_array().unwrap().iter().filter(|e| e["command"]["line"] == "rm -r build").collect();
    assert_eq!(denied.len(), 2);
    for event in &denied {
        assert_eq!(
            (&event["outcome"]["how"], &event["verdict"]["answer"]),
            (&json!("refused"), &json!("deny"))
        );
    }
    let id = denied[1]["id"].to_string();
    let shown = env.fr(&["show", &id]).ok().stdout;
    assert!(
        shown.contains("refused: it never ran") && shown.contains("deny: the flight recorder"),
        "{shown}"
    );
    let listed = env.fr(&["timeline"]).ok().stdout;
    assert!(listed.contains("[denied] rm -r build") && listed.contains("refused"), "{listed}");
    assert_eq!(env.fr(&["undo", &id, "--yes"]).code, 5, "it never ran");

    // The agent reports the tool as failed, as some do, and its turn ends: still no run.
    env.claude_hook(
        json!({"hook_event_name": "PostToolUseFailure", "tool_name": "Bash", "tool_use_id": first.id,
        "tool_input": first.input, "error": "denied by a hook"}),
    );
    env.claude_hook(json!({"hook_event_name": "Stop"}));
    assert_eq!(env.fr(&["show", &id, "--json"]).ok().json()["outcome"]["how"], "refused");
    assert_eq!(env.fr(&["store", "verify"]).code, 0);
}

/// An agent that runs it all the same says so, and then it counts as what it was.
#[test]
fn a_denied_command_that_ran_all_the_same_can_be_undone() {
    let env = world("on-incomplete-capture = \"deny\"\n[caps]\nnamed_bytes = 8192\nnamed_files = 2\n", None);
    for n in 0..4 {
        env.write(&format!("build/{n}.o"), "o\n");
    }
    let call = env.claude_pre("rm -r build");
    assert!(call.answer.stdout.contains("deny"), "{call:?}");
    env.sh("rm -r build").ok();
    env.claude_post(&call);
    let event = &env.fr(&["timeline", "-n", "1", "--json"]).ok().json()[0];
    assert_eq!(event["outcome"]["how"], "succeeded", "{event:#}");
    let undone = env.fr(&["undo", &event["id"].to_string(), "--yes"]);
    assert_eq!(undone.code, 3, "a part of it is back: {undone:?}");
    assert!(env.exists("build"));
}

/// Two registrations report one call: it is on record once, and refused once.
#[test]
fn a_second_report_of_a_denied_call_is_no_second_event() {
    let env = world("on-incomplete-capture = \"deny\"\n", Some(&Broken::Packs));
    let forms = forms();
    let copilot = forms.iter().find(|form| form.name == "copilot" && form.registered == "claude").unwrap();
    let other = forms.iter().find(|form| form.name == "copilot" && form.registered == "copilot").unwrap();
    assert!(tell(&env, copilot).stdout.contains("deny"));
    assert_eq!(tell(&env, other).stdout, "");
    let events = env.fr(&["timeline", "--json"]).ok().json();
    let same = events.as_array().unwrap().iter().filter(|e| e["command"]["line"] == "rm -r build");
    assert_eq!(same.count(), 1, "{events:#}");
}

/// What could not be recorded leaves a gap that says what the agent was told.
#[test]
fn a_refusal_that_cannot_be_recorded_is_a_gap() {
    let env = world("on-failure = \"deny\"\n", Some(&Broken::Journal));
    let said = env.claude_pre("rm -r build").answer;
    assert!(said.stdout.contains("could not record this"), "{said:?}");
    assert!(said.stderr.starts_with("fr: not recorded: "), "{said:?}");
}
