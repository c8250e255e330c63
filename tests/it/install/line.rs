//! What is written really is run, by the shells that the agents use: with the binary there, moved, and gone.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::{AGENTS, Agent, copy_program, lines, text, value};
use crate::env::{Output, SESSION, TestEnv, run};
use crate::pty::Pty;

/// A world with a binary in a place that no shell likes, and everything installed from there.
struct Odd {
    env: TestEnv,
    binary: PathBuf,
    log: PathBuf,
}

impl Odd {
    fn new() -> Odd {
        let mut env = TestEnv::new();
        let dir = env.root().join("it's \"odd\" $HOME `x` \u{e9}");
        std::fs::create_dir(&dir).unwrap();
        let binary = dir.join("fr");
        copy_program(TestEnv::binary(), &binary);
        let log = env.root().join("log");
        env.vars.push(("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()));
        env.vars.push(("FR_LOG".into(), log.to_str().unwrap().into()));
        let mut command = env.command(&binary);
        command.args(["install", "--yes"]);
        for agent in &AGENTS {
            command.args(["--agent", agent.name]);
        }
        run(command, b"").ok();
        Odd { env, binary, log }
    }

    /// The line of an agent's tool event.
    fn line(&self, agent: &Agent) -> String {
        let value = value(&text(&self.env.home.join(agent.file)));
        lines(&value["hooks"][agent.event])[0].clone()
    }

    /// Runs it as the agent does, in a directory that holds an `fr` of somebody else.
    fn runs(&self, agent: &Agent, path: &str, stdin: &str) -> Output {
        let trap = fake(&self.env.project.join("fr"), "trap", 2);
        assert!(trap.is_file());
        let (shell, options) = agent.shell.split_first().unwrap();
        let mut command = self.env.command(shell);
        command.args(options).arg(self.line(agent)).env("PATH", path);
        run(command, stdin.as_bytes())
    }

    fn called(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// A program that writes down how it was called, talks, and fails.
fn fake(path: &Path, name: &str, code: u8) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let script = format!("#!/bin/sh\necho \"{name} $*\" >>\"$FR_LOG\"\ncat >>\"$FR_LOG\"\nexit {code}\n");
    let text = path.with_extension("text");
    std::fs::write(&text, script).unwrap();
    std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o755)).unwrap();
    copy_program(&text, path);
    path.to_path_buf()
}

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

#[test]
fn the_line_calls_the_binary_and_never_lets_a_failure_through() {
    let odd = Odd::new();
    for code in [0, 1, 2, 127] {
        fake(&odd.binary, "odd", code);
        for agent in &AGENTS {
            let _ = std::fs::remove_file(&odd.log);
            let out = odd.runs(agent, PATH, "payload\n");
            // Windsurf has no other way to be told "no" (agents.md 5).
            let expected = if agent.name == "windsurf" && code == 2 { 2 } else { 0 };
            assert_eq!(
                (out.code, out.stdout.as_str(), out.stderr.as_str()),
                (expected, "", ""),
                "{}",
                agent.name
            );
            assert_eq!(odd.called(), format!("odd hook {}\npayload\n", agent.name));
        }
    }
}

#[test]
fn the_line_is_silent_where_the_binary_is_gone_and_finds_it_where_it_was_moved() {
    let odd = Odd::new();
    let silent = |agent: &Agent, path: &str| {
        let out = odd.runs(agent, path, "payload\n");
        assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (0, "", ""), "{}", agent.name);
    };
    let elsewhere = odd.env.root().join("else where");
    let with_elsewhere = format!("{PATH}:{}", elsewhere.display());
    std::fs::remove_file(&odd.binary).unwrap();
    for agent in &AGENTS {
        silent(agent, PATH);
        // An agent that was started in the repository must not run the repository's `fr`.
        silent(agent, &format!(".:{PATH}"));
        silent(agent, &format!("{PATH}:"));
        assert_eq!(odd.called(), "", "{}", agent.name);
    }
    std::fs::create_dir(&odd.binary).unwrap();
    for agent in &AGENTS {
        silent(agent, PATH);
    }
    std::fs::remove_dir(&odd.binary).unwrap();
    std::fs::write(&odd.binary, "not executable").unwrap();
    fake(&elsewhere.join("fr"), "moved", 3);
    for agent in &AGENTS {
        let _ = std::fs::remove_file(&odd.log);
        silent(agent, &with_elsewhere);
        assert_eq!(odd.called(), format!("moved hook {}\npayload\n", agent.name));
    }
}

#[test]
fn claudes_line_records_what_it_is_told() {
    let odd = Odd::new();
    odd.env.write("notes.txt", "only copy\n");
    let payload = json!({
        "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "rm notes.txt"},
        "tool_use_id": "t1", "session_id": SESSION, "cwd": odd.env.project.to_str().unwrap(),
    });
    let out = odd.runs(&AGENTS[0], PATH, &payload.to_string());
    assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (0, "", ""));
    odd.env.sh("rm notes.txt").ok();
    odd.env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(odd.env.read("notes.txt"), "only copy\n");
}

#[test]
fn the_block_records_what_aider_runs_and_is_silent_without_the_binary() {
    let mut env = TestEnv::new();
    let binary = env.root().join("a b").join("fr");
    std::fs::create_dir(binary.parent().unwrap()).unwrap();
    copy_program(TestEnv::binary(), &binary);
    env.vars.push(("SHELL".into(), "/bin/bash".into()));
    env.vars.push(("OR_APP_NAME".into(), "Aider".into()));
    let mut command = env.command(&binary);
    command.args(["install", "--agent", "aider", "--yes"]);
    run(command, b"").ok();
    env.write("x", "1");
    // As Aider does on a terminal: an interactive bash for each command (agents.md 3).
    let aider = || {
        let mut command = env.command("bash");
        command.args(["-i", "-c", "rm -f x; echo done"]);
        let mut pty = Pty::start(&command);
        assert_eq!(pty.end(), 0);
        pty.screen()
    };
    assert_eq!(aider(), "done\r\n");
    let events = env.fr(&["timeline", "--json"]).ok().json();
    assert_eq!(events[0]["actor"]["name"], "aider", "{events:#}");
    std::fs::remove_file(&binary).unwrap();
    assert_eq!(aider(), "done\r\n");
}

#[test]
fn opencodes_plugin_reports_and_stops_nothing_when_fr_is_gone() {
    if !["/usr/bin/node", "/usr/local/bin/node"].iter().any(|node| Path::new(node).exists()) {
        eprintln!("SKIPPED: node is not installed; opencode's plugin is NOT tested on this machine");
        return;
    }
    let mut env = TestEnv::new();
    let log = env.root().join("log");
    let binary = env.root().join("o'\"dd").join("fr");
    std::fs::create_dir(binary.parent().unwrap()).unwrap();
    copy_program(TestEnv::binary(), &binary);
    env.vars.push(("FR_LOG".into(), log.to_str().unwrap().into()));
    env.vars.push(("PATH".into(), PATH.into()));
    let mut command = env.command(&binary);
    command.args(["install", "--agent", "opencode", "--yes"]);
    run(command, b"").ok();
    std::fs::copy(env.home.join(".config/opencode/plugin/fr.js"), env.project.join("fr.mjs")).unwrap();
    env.write(
        "drive.mjs",
        "import * as plugin from './fr.mjs'\nconst make = Object.values(plugin)[0]\n\
         const hooks = await make({ directory: '/d', worktree: '/w' })\nconst input = { tool: 'bash', sessionID: 's', callID: 'c' }\n\
         await hooks['tool.execute.before'](input, { args: { command: 'ls' } })\n\
         await hooks['tool.execute.after'](input, { output: 'x' })\n\
         await hooks.event({ event: { type: 'session.idle', properties: { sessionID: 's' } } })\n\
         await hooks.event({ event: { type: 'other' } })\nconsole.log('went on')\n",
    );
    let drive = || {
        let mut command = env.command("node");
        command.arg("drive.mjs");
        run(command, b"")
    };
    fake(&binary, "plugin", 3);
    assert_eq!(drive().ok().stdout, "went on\n");
    let called = std::fs::read_to_string(&log).unwrap();
    assert_eq!(called.matches("plugin hook opencode").count(), 3, "{called}");
    assert!(called.contains(r#"{"hook":"tool.execute.before","directory":"/d","#), "{called}");
    std::fs::remove_file(&binary).unwrap();
    assert_eq!(drive().ok().stdout, "went on\n");
}

/// An agent that stops waiting runs the command with nothing to bring back: `fr` must have ended its capture before.
#[test]
fn agents_wait_longer_than_a_capture_may_take() {
    let agents = Duration::from_secs(fr::intake::install::agents::PATIENCE.into());
    assert!(fr::record::LONGEST + Duration::from_secs(60) <= agents);
}

/// A Claude Code that knows `onFailure` blocks what could not be recorded in time; an older one is not given the field.
#[test]
fn claude_blocks_what_is_not_recorded_where_it_can() {
    let mut env = TestEnv::new();
    let claude = env.root().join("bin/claude");
    env.vars.push(("PATH".into(), format!("{}:{}", claude.parent().unwrap().display(), env.path())));
    let env = env;
    let is = |version: &str| {
        std::fs::create_dir_all(claude.parent().unwrap()).unwrap();
        std::fs::write(&claude, format!("#!/bin/sh\necho '{version} (Claude Code)'\n")).unwrap();
        std::fs::set_permissions(&claude, std::fs::Permissions::from_mode(0o755)).unwrap();
        env.fr(&["install", "--agent", "claude", "--yes"]).ok();
        let settings = value(&text(&env.home.join(".claude/settings.json")));
        let handler = |event: &str| settings["hooks"][event][0]["hooks"][0]["onFailure"].clone();
        assert_eq!(handler("PostToolUse"), json!(null), "{settings:#}");
        handler("PreToolUse")
    };
    assert_eq!(is("2.1.197"), json!(null));
    assert_eq!(is("2.1.302"), json!("block"), "installing again after an update adds it");
    assert_eq!(is("2.1.302"), json!("block"));
    env.fr(&["uninstall", "--agent", "claude"]).ok();
    assert!(!env.home.join(".claude/settings.json").exists());
}
