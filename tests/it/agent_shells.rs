//! The shells that agents start, in the forms that were measured (agents.md 3, 3.1, 9), with the integration where they
//! read it and the real `fr` behind it: one record a command, by whom, the command itself, and nothing said.

use std::path::PathBuf;
use std::process::Command;

use fr::intake::shells::{Shell, script};
use serde_json::Value;

use crate::env::{Output, TestEnv, run};
use crate::pty::{Pty, until};
use crate::shell_world::have;

/// The prompt of shells at a terminal.
const PROMPT: &str = "READY> ";

/// A world whose shells read the integration as an agent's would.
struct Agent {
    env: TestEnv,
    bash_env: PathBuf,
}

impl Agent {
    /// `marks` are what the agent puts into the environment of its commands.
    fn new(marks: &[(&str, &str)]) -> Agent {
        let mut env = TestEnv::new();
        let vars = marks.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string()));
        env.vars.extend(vars);
        env.vars.push(("SHLVL".into(), "1".into()));
        let bash_env = env.root().join("init.bash");
        std::fs::write(&bash_env, script(Shell::Bash, TestEnv::binary()).unwrap()).unwrap();
        let zsh = script(Shell::Zsh, TestEnv::binary()).unwrap();
        std::fs::write(env.home.join(".zshenv"), zsh).unwrap();
        let fish = env.home.join(".config/fish");
        std::fs::create_dir_all(&fish).unwrap();
        std::fs::write(fish.join("config.fish"), script(Shell::Fish, TestEnv::binary()).unwrap()).unwrap();
        std::fs::write(env.home.join(".bashrc"), "eval \"$(fr init bash)\"\n").unwrap();
        Agent { env, bash_env }
    }

    /// A process with `BASH_ENV`.
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.env.command(program);
        command.args(args).env("BASH_ENV", &self.bash_env);
        command
    }

    fn runs(&self, program: &str, args: &[&str]) -> Output {
        run(self.command(program, args), b"")
    }

    fn events(&self) -> Vec<Value> {
        match self.env.fr(&["timeline", "--json"]) {
            out if out.code == 0 => {
                let mut events = out.json().as_array().unwrap().clone();
                events.reverse();
                events
            }
            _ => Vec::new(),
        }
    }

    /// The recorded lines, each with its actor.
    fn lines(&self) -> Vec<(String, String)> {
        let events = self.events();
        let line = |event: &Value| {
            let text = |value: &Value| value.as_str().unwrap().to_string();
            (text(&event["actor"]["name"]), text(&event["command"]["line"]))
        };
        let mut lines: Vec<_> = events.iter().map(|event| (event["id"].as_u64(), line(event))).collect();
        lines.sort_by_key(|(id, _)| *id);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// What is expected of [`Agent::lines`].
    fn by(actor: &str, lines: &[&str]) -> Vec<(String, String)> {
        lines.iter().map(|line| (actor.to_string(), (*line).to_string())).collect()
    }
}

fn said(out: &Output) -> (&str, &str, i32) {
    (&out.stdout, &out.stderr, out.code)
}

const CODEX: [(&str, &str); 2] = [("CODEX_THREAD_ID", "01a2-thread"), ("CODEX_TOOL_CALL_ID", "exec-7")];

/// The program text that Codex 0.169.0 puts before a command.
fn codex_preamble(snapshot: &str, shell: &str, command: &str) -> String {
    format!(
        "__CODEX_SNAPSHOT_OVERRIDE_SET_0=\"${{CODEX_THREAD_ID+x}}\"\n\
         __CODEX_SNAPSHOT_OVERRIDE_0=\"${{CODEX_THREAD_ID-}}\"\n\n\
         if . '{snapshot}' >/dev/null 2>&1; then :; fi\n\n\
         if [ -n \"${{__CODEX_SNAPSHOT_OVERRIDE_SET_0}}\" ]; then export CODEX_THREAD_ID=\"${{__CODEX_SNAPSHOT_OVERRIDE_0}}\"; \
         else unset CODEX_THREAD_ID; fi\n\nexec '{shell}' -c '{}'",
        command.replace('\'', "'\"'\"'")
    )
}

#[test]
fn codex_execs_twice_in_one_process_and_is_recorded_once() {
    let agent = Agent::new(&CODEX);
    agent.env.write("a b", "precious");
    // The snapshot is what a login shell exported, our own variable included.
    let mut login = agent.command("bash", &["-lc", "export -p"]);
    login.env_remove("CODEX_THREAD_ID").env_remove("CODEX_TOOL_CALL_ID").env_remove("BASH_ENV");
    let snapshot = agent.env.root().join("shell_snapshots/1.sh");
    std::fs::create_dir_all(snapshot.parent().unwrap()).unwrap();
    std::fs::write(&snapshot, run(login, b"").ok().stdout).unwrap();
    let before = agent.events().len();
    for shell in ["/bin/bash", "/bin/sh"] {
        let line = codex_preamble(snapshot.to_str().unwrap(), shell, "echo $0; rm -f 'a b'; exit 3");
        let out = agent.runs("/bin/bash", &["-c", &line]);
        assert_eq!(said(&out), (format!("{shell}\n").as_str(), "", 3));
    }
    assert_eq!(agent.lines()[before..], Agent::by("codex", &["echo $0; rm -f 'a b'; exit 3"; 2]));
    for event in agent.events().iter().filter(|event| event["actor"]["name"] == "codex") {
        assert_eq!(event["call"], "exec-7", "the hook's record names the same call");
    }
}

#[test]
fn what_is_typed_into_a_shell_of_codex_is_codex_s() {
    // `exec_command{cmd: "bash", tty: true}`, then `write_stdin`: no hook sees the lines (agents.md 4).
    let agent = Agent::new(&CODEX);
    agent.env.write("precious", "p");
    let rc = format!("PS1='{PROMPT}'\neval \"$(fr init bash)\"\n");
    std::fs::write(agent.env.home.join(".bashrc"), rc).unwrap();
    let mut bash = Pty::start(&agent.command("bash", &[]));
    bash.expect(PROMPT);
    bash.line("echo $-", PROMPT);
    bash.line("rm precious; false", PROMPT);
    bash.send("exit\n");
    assert_eq!(bash.end(), 1);
    assert!(bash.screen().contains("himBHs"), "{}", bash.screen());
    assert_eq!(agent.lines(), Agent::by("codex", &["echo $-", "rm precious; false", "exit"]));
    let removal = agent.events().into_iter().find(|event| event["id"] == 2).unwrap();
    assert_eq!(removal["outcome"]["code"], 1);
    agent.env.fr(&["undo", "2", "--yes"]).ok();
    assert_eq!(agent.env.read("precious"), "p");
}

#[test]
fn what_is_written_into_an_interactive_shell_on_a_pipe_is_recorded() {
    let agent = Agent::new(&CODEX);
    let out = run(agent.command("bash", &["-i"]), b"echo one\n(exit 4)\n");
    assert_eq!(out.stdout, "one\n");
    let lines = agent.lines();
    assert_eq!(lines, Agent::by("codex", &["echo one", "(exit 4)"]));
    let codes: Vec<_> = agent.events().iter().map(|event| event["outcome"]["code"].clone()).collect();
    assert!(codes.contains(&4.into()), "{codes:?}");
}

#[test]
fn a_shell_that_reads_its_commands_from_a_pipe_is_something_that_ran() {
    // `curl … | bash` and `write_stdin` into `bash` without a terminal: nobody sees the lines.
    let agent = Agent::new(&CODEX);
    run(agent.command("bash", &["-s", "x y"]), b"echo one\n").ok();
    run(agent.command("bash", &[]), b"echo one\n").ok();
    run(agent.command("zsh", &["-s", "x y"]), b"echo one\n").ok();
    assert_eq!(agent.lines(), Agent::by("codex", &["bash -s x\\ y", "bash -s", "zsh -s x\\ y"]));
    assert_eq!(agent.events()[0]["effects"][0]["class"], "opaque", "{:#}", agent.events()[0]);
}

#[test]
fn the_hook_s_own_shell_is_no_command() {
    // Codex and Gemini start hooks by `bash -c`, which reads BASH_ENV; Codex's carry no mark.
    let agent = Agent::new(&[]);
    let payload = serde_json::json!({
        "hook_event_name": "PreToolUse", "session_id": "s", "tool_name": "Bash", "tool_use_id": "c1",
        "cwd": agent.env.project, "tool_input": {"command": "ls"},
    });
    let hook = agent.command("bash", &["-c", "command -v fr >/dev/null || exit 0; exec fr hook claude"]);
    let out = run(hook, payload.to_string().as_bytes());
    assert_eq!(said(&out), ("", "", 0));
    assert_eq!(agent.lines(), Agent::by("claude", &["ls"]));
}

/// The line that `fr install` writes is a hook as well, and nothing that only begins like it is.
#[test]
fn the_installed_hook_s_own_shell_is_no_command() {
    let agent = Agent::new(&[("GEMINI_CLI", "1")]);
    agent.env.fr(&["install", "--yes", "--agent", "gemini"]).ok();
    let settings = std::fs::read_to_string(agent.env.home.join(".gemini/settings.json")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    let line = settings["hooks"]["BeforeTool"][0]["hooks"][0]["command"].as_str().unwrap();
    let payload = serde_json::json!({"hook_event_name": "BeforeTool", "session_id": "s", "cwd": agent.env.project,
        "tool_name": "run_shell_command", "tool_input": {"command": "ls"}});
    let out = run(agent.command("bash", &["-c", line]), payload.to_string().as_bytes());
    assert_eq!(said(&out), ("", "", 0));
    assert_eq!(agent.lines(), Agent::by("gemini", &["ls"]));
    let hidden = format!("{line}; rm x");
    agent.runs("bash", &["-c", &hidden]);
    assert_eq!(agent.lines(), Agent::by("gemini", &["ls", &hidden]));
}

/// Claude asks a shell for its environment before its first command. It names such shells.
#[test]
fn what_claude_s_shells_do_for_claude_is_no_command() {
    for shell in ["bash", "zsh"] {
        let own = Agent::new(&[("CLAUDECODE", "1"), ("AI_AGENT", "claude-code_2-1-197_harness")]);
        own.runs(shell, &["-c", "env"]).ok();
        assert_eq!(own.env.fr(&["timeline"]).code, 10, "{shell}: nothing is recorded");
    }
}

/// The program text of Claude 2.1.197.
fn claude_line(agent: &Agent, command: &str) -> String {
    let snapshot = agent.env.home.join(".claude/shell-snapshots/snapshot-bash-1795-vjj31m.sh");
    std::fs::create_dir_all(snapshot.parent().unwrap()).unwrap();
    std::fs::write(&snapshot, "set -o monitor\nset -o onecmd\ntrap 'echo D >>\"$HOME/debug\"' DEBUG\n")
        .unwrap();
    format!(
        "source {} 2>/dev/null || true && shopt -u extglob 2>/dev/null || true && eval '{}' < /dev/null && pwd -P >| {}",
        snapshot.display(),
        command.replace('\'', "'\"'\"'"),
        agent.env.root().join("claude-cwd").display()
    )
}

#[test]
fn beside_claude_s_hook_its_shells_keep_silent() {
    let agent = Agent::new(&[("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", "090923af")]);
    let line = claude_line(&agent, "echo $-; cd /; false || true");
    let out = agent.runs("bash", &["-c", &line]);
    assert_eq!(said(&out), ("hmtBc\n", "", 0), "its snapshot turns on monitor and onecmd");
    assert_eq!(std::fs::read_to_string(agent.env.root().join("claude-cwd")).unwrap(), "/\n");
    assert!(agent.env.home.join("debug").exists(), "somebody's DEBUG trap survives");
    assert_eq!(agent.lines(), []);
    // A version that does not name its session: the command itself is recorded.
    let agent = Agent::new(&[("CLAUDECODE", "1")]);
    let line = claude_line(&agent, "rm -f 'a b'; echo $-");
    assert_eq!(agent.runs("bash", &["-c", &line]).ok().stdout, "hmtBc\n");
    assert_eq!(agent.lines(), Agent::by("claude", &["rm -f 'a b'; echo $-"]));
}

#[test]
fn the_hook_and_the_shell_of_one_call_are_one_event() {
    // Without the session's id the shell reports too; what is left of the wrapper is what the hook announced.
    let agent = Agent::new(&[("CLAUDECODE", "1")]);
    agent.env.write("it's precious", "p");
    let command = "rm \"it's precious\"; echo done";
    let call = agent.env.claude_pre(command);
    assert_eq!(agent.runs("bash", &["-c", &claude_line(&agent, command)]).ok().stdout, "done\n");
    agent.env.claude_post(&call);
    assert_eq!(agent.lines(), Agent::by("claude", &[command]));
    assert_eq!(agent.events()[0]["source"], "hook");
    agent.env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(agent.env.read("it's precious"), "p");
}

#[test]
fn a_terminal_that_claude_types_into_is_recorded() {
    // `tmux send-keys`: the hook sees tmux, nobody sees the keys.
    let agent = Agent::new(&[("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", "090923af")]);
    std::fs::write(agent.env.home.join(".bashrc"), format!("PS1='{PROMPT}'\neval \"$(fr init bash)\"\n"))
        .unwrap();
    let mut bash = Pty::start(&agent.command("bash", &["-i"]));
    bash.expect(PROMPT);
    bash.line("echo typed", PROMPT);
    assert_eq!(agent.lines(), Agent::by("claude", &["echo typed"]));
}

#[test]
fn gemini_s_wrapper_is_taken_off() {
    let agent = Agent::new(&[("GEMINI_CLI", "1")]);
    let line = "shopt -u promptvars nullglob extglob nocaseglob dotglob; _bgpids_file=/dev/null\n(\n  \
                trap 'jobs -p > \"$_bgpids_file\"' EXIT\nmkdir d; rm -r d; bash -c 'exit 5'\n)\n__code=$?\nexit $__code";
    assert_eq!(said(&agent.runs("bash", &["-c", line])), ("", "", 5));
    assert_eq!(agent.lines(), Agent::by("gemini", &["mkdir d; rm -r d; bash -c 'exit 5'"]));
}

#[test]
fn copilot_s_shells_read_nothing_and_are_left_to_its_hook() {
    let agent = Agent::new(&[("COPILOT_CLI", "1")]);
    let mut bash = agent.command("/bin/bash", &["--norc", "--noprofile", "-c", "echo hi"]);
    bash.env_remove("BASH_ENV");
    assert_eq!(run(bash, b"").ok().stdout, "hi\n");
    assert_eq!(agent.lines(), []);
}

#[test]
fn opencode_s_shells_are_recorded_whatever_shell_it_is() {
    for shell in ["bash", "zsh", "fish"] {
        if !have(shell) {
            continue;
        }
        let agent = Agent::new(&[("OPENCODE", "1"), ("OPENCODE_PID", "77")]);
        let line = "echo one; sh -c 'echo two'; exit 3";
        assert_eq!(said(&agent.runs(shell, &["-c", line])), ("one\ntwo\n", "", 3), "{shell}");
        assert_eq!(agent.lines(), Agent::by("opencode", &[line]), "{shell}");
    }
}

#[test]
fn an_agent_started_at_a_prompt_is_not_hidden_by_its_own_start() {
    // The line `opencode` is on record; what it runs is not in that line.
    for shell in ["bash", "zsh", "fish"] {
        if !have(shell) {
            continue;
        }
        let agent = Agent::new(&[("OPENCODE", "1"), ("OPENCODE_PID", "77")]);
        let mut command = agent.command(shell, &["-c", "rm -f x; bash -c 'echo inner'"]);
        command.env("FR_SHELL_TOP", "1234 ///////");
        assert_eq!(run(command, b"").ok().stdout, "inner\n");
        assert_eq!(agent.lines(), Agent::by("opencode", &["rm -f x; bash -c 'echo inner'"]), "{shell}");
        // The same in a person's shell is one line, reported by the prompt.
        let person = Agent::new(&[]);
        let mut command = person.command(shell, &["-c", "echo inner"]);
        command.env("FR_SHELL_TOP", "1234 ///////");
        run(command, b"").ok();
        assert_eq!(person.lines(), [], "{shell}");
    }
}

#[test]
fn aider_s_interactive_one_liners_are_recorded_with_their_end() {
    // `$SHELL -i -c CMD` on a terminal: no prompt, no PS0, no preexec; the rc file is read each time.
    for shell in ["bash", "zsh", "fish"] {
        if !have(shell) {
            continue;
        }
        let agent = Agent::new(&[("OR_APP_NAME", "Aider")]);
        agent.env.write("precious", "p");
        std::fs::write(agent.env.home.join(".zshrc"), "eval \"$(fr init zsh)\"\n").unwrap();
        for (line, code) in [("echo one; rm precious; sh -c 'exit 3'", 3), ("ls /", 0), ("exit 6", 6)] {
            let mut pty = Pty::start(&agent.command(shell, &["-i", "-c", line]));
            assert_eq!(pty.end(), code, "{shell}: {}", pty.screen());
        }
        let lines = ["echo one; rm precious; sh -c 'exit 3'", "ls /", "exit 6"];
        assert_eq!(agent.lines(), Agent::by("Aider".to_lowercase().as_str(), &lines), "{shell}");
        let mut ends: Vec<_> =
            agent.events().iter().map(|e| (e["id"].as_u64(), e["outcome"]["code"].as_i64())).collect();
        ends.sort();
        assert_eq!(ends, [(Some(1), Some(3)), (Some(2), Some(0)), (Some(3), Some(6))], "{shell}");
        agent.env.fr(&["undo", "1", "--yes"]).ok();
        assert_eq!(agent.env.read("precious"), "p", "{shell}");
    }
}

#[test]
fn aider_s_shell_keeps_somebody_s_exit_trap() {
    for (shell, rc) in [("bash", ".bashrc"), ("zsh", ".zshrc")] {
        if !have(shell) {
            continue;
        }
        let agent = Agent::new(&[("OR_APP_NAME", "Aider")]);
        let text = format!("trap 'echo BYE' EXIT\neval \"$(fr init {shell})\"\n");
        std::fs::write(agent.env.home.join(rc), text).unwrap();
        let mut pty = Pty::start(&agent.command(shell, &["-i", "-c", "echo hi; (exit 3)"]));
        assert_eq!(pty.end(), 3);
        assert_eq!(pty.screen(), "hi\r\nBYE\r\n", "{shell}");
        assert_eq!(agent.lines(), Agent::by("aider", &["echo hi; (exit 3)"]));
    }
}

#[test]
fn bash_that_thinks_rshd_started_it_reads_bashrc_and_is_recorded_once() {
    // SHLVL unset and a socketpair as stdin: Claude started from a desktop or a service (agents.md 3.1).
    let agent = Agent::new(&[("OPENCODE", "1")]);
    let rc = agent.env.home.join(".bashrc");
    std::fs::write(&rc, "echo BASHRC\neval \"$(fr init bash)\"\n").unwrap();
    std::fs::write(&agent.bash_env, "echo BASH_ENV\neval \"$(fr init bash)\"\n").unwrap();
    let spawn = "import os, socket, subprocess, sys\n\
                 a, b = socket.socketpair()\n\
                 os.environ.pop('SHLVL', None)\n\
                 sys.exit(subprocess.run(['bash', '-c', sys.argv[1]], stdin=b).returncode)\n";
    let out = agent.runs("python3", &["-c", spawn, "echo hi; exit 3"]);
    assert_eq!(said(&out), ("BASHRC\nhi\n", "", 3), "bash read ~/.bashrc and not BASH_ENV");
    assert_eq!(agent.lines(), Agent::by("opencode", &["echo hi; exit 3"]));
    // Where both are read by one shell, as with `BASH_ENV=~/.bashrc` and a file that sources the other: once.
    std::fs::write(&agent.bash_env, ". ~/.bashrc\neval \"$(fr init bash)\"\n").unwrap();
    assert_eq!(agent.runs("bash", &["-c", "echo both"]).ok().stdout, "BASHRC\nboth\n");
    assert_eq!(agent.lines()[1..], Agent::by("opencode", &["echo both"]));
}

#[test]
fn zsh_scripts_are_seen_through_zdotdir() {
    if !have("zsh") {
        return;
    }
    let agent = Agent::new(&[("GEMINI_CLI", "1")]);
    let dot = agent.env.root().join("zdot");
    std::fs::create_dir(&dot).unwrap();
    std::fs::rename(agent.env.home.join(".zshenv"), dot.join(".zshenv")).unwrap();
    agent.env.write("a b.zsh", "echo script $1\nexit 4\n");
    let mut zsh = agent.command("zsh", &["a b.zsh", "x y"]);
    zsh.env("ZDOTDIR", &dot);
    assert_eq!(said(&run(zsh, b"")), ("script x y\n", "", 4));
    assert_eq!(agent.lines(), Agent::by("gemini", &["zsh a\\ b.zsh x\\ y"]));
}

#[test]
fn fish_scripts_are_recorded_with_their_end() {
    if !have("fish") {
        return;
    }
    let agent = Agent::new(&[("GEMINI_CLI", "1")]);
    agent.env.write("a b.fish", "echo script $argv\nexit 4\n");
    assert_eq!(said(&agent.runs("fish", &["a b.fish", "x y"])), ("script x y\n", "", 4));
    assert_eq!(agent.lines(), Agent::by("gemini", &["fish 'a b.fish' 'x y'"]));
    assert_eq!(agent.events()[0]["outcome"]["code"], 4);
}

#[test]
fn where_the_store_cannot_be_written_the_shells_go_on_in_silence() {
    // Codex's sandbox (agents.md 4.10), a full disk, a read-only one: /proc takes no files, not even from root.
    let agent = Agent::new(&[("CODEX_THREAD_ID", "t"), ("FR_HOME", "/proc/fr")]);
    for shell in ["bash", "zsh", "fish"] {
        if !have(shell) {
            continue;
        }
        let out = agent.runs(shell, &["-c", "echo hi; rm -f x; exit 3"]);
        assert_eq!(said(&out), ("hi\n", "", 3), "{shell}");
    }
    let rc = format!("PS1='{PROMPT}'\neval \"$(fr init bash)\"\n");
    std::fs::write(agent.env.home.join(".bashrc"), rc).unwrap();
    let mut bash = Pty::start(&agent.command("bash", &["-i"]));
    bash.expect(PROMPT);
    assert_eq!(bash.line("rm -f x; (exit 3)", PROMPT), format!("rm -f x; (exit 3)\r\n{PROMPT}"));
    assert_eq!(bash.line("echo $?", PROMPT), format!("echo $?\r\n3\r\n{PROMPT}"));
    until("the shell ends", || {
        bash.send("exit\n");
        bash.end() == 0
    });
}
