//! Prompts while the recorder is gone, killed, hanging, or cannot write: the shell goes on, and says nothing.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use fr::intake::shells::{Shell, script};

use crate::env::TestEnv;
use crate::pty::{Pty, until};
use crate::shell_world::{PROMPT, World, have};

/// A world whose `fr` runs this line of sh in place of recording.
fn world(line: &str) -> World {
    let world = World::new();
    let text = format!("#!/bin/sh\necho \"$3\" >>\"$FR_LOG\"\n{line}\n");
    std::fs::write(&world.fake, text).unwrap();
    std::fs::set_permissions(&world.fake, std::fs::Permissions::from_mode(0o755)).unwrap();
    world
}

/// How often the recorder was called.
fn calls(world: &World) -> usize {
    std::fs::read_to_string(&world.log).unwrap_or_default().lines().count()
}

#[test]
fn a_recorder_that_is_killed_is_not_the_talk_of_the_shell() {
    // "Killed", "Segmentation fault": shells say so of their own children.
    let world = world("kill -KILL $$");
    let mut bash = world.bash("@INIT@");
    assert_eq!(bash.line("echo on", PROMPT), format!("echo on\r\non\r\n{PROMPT}"));
    assert_eq!(bash.line("jobs; echo $?", PROMPT), format!("jobs; echo $?\r\n0\r\n{PROMPT}"));
    assert_eq!(calls(&world), 4);
    if have("zsh") {
        let mut zsh = world.zsh("@INIT@");
        assert_eq!(zsh.line("echo on", PROMPT), format!("echo on\r\non\r\n{PROMPT}"));
        assert_eq!(zsh.line("jobs; echo $?", PROMPT), format!("jobs; echo $?\r\n0\r\n{PROMPT}"));
        assert_eq!(calls(&world), 8);
    }
    if have("fish") {
        let mut fish = world.fish("@INIT@");
        fish.send("echo on\n");
        until("both reports", || calls(&world) == 10);
        fish.send("exit\n");
        fish.end();
        assert!(!fish.screen().contains("SIGKILL"), "{}", fish.screen());
    }
}

#[test]
fn ctrl_c_while_the_recorder_hangs_gives_the_prompt_back_and_runs_nothing() {
    for shell in ["bash", "zsh"] {
        if !have(shell) {
            continue;
        }
        let world = world("[ \"$3\" = after ] || exec sleep 100");
        let mut pty = if shell == "bash" { world.bash("@INIT@") } else { world.zsh("@INIT@") };
        pty.send("touch ran\n");
        until("the recorder hangs", || calls(&world) == 1);
        // The shell may still be on its way into the wait.
        std::thread::sleep(Duration::from_millis(200));
        pty.send("\x03");
        pty.expect(PROMPT);
        assert!(!world.env.exists("ran"), "{shell}: not recorded, not run");
    }
}

#[test]
fn a_hanging_store_gives_the_prompt_back_by_itself() {
    // A store on a dead network file system: opening a file never returns. A FIFO that nobody writes does the same.
    for (shell, name) in [(Shell::Bash, "bash"), (Shell::Zsh, "zsh"), (Shell::Fish, "fish")] {
        if !have(name) {
            continue;
        }
        let mut env = TestEnv::new();
        env.vars.push(("FR_HOOK_PATIENCE".into(), "1".into()));
        env.write("precious", "p");
        env.claude_pre("ls");
        let fifo = env.fr_home.join("config.toml");
        run_ok(&env, &["mkfifo", fifo.to_str().unwrap()]);
        let init = script(shell, TestEnv::binary()).unwrap();
        let mut command = env.command(name);
        match shell {
            Shell::Bash => {
                std::fs::write(env.home.join(".bashrc"), format!("PS1='{PROMPT}'\n{init}")).unwrap()
            }
            Shell::Zsh => {
                let rc = format!("PS1='{PROMPT}'\nunsetopt zle prompt_sp\n{init}");
                std::fs::write(env.home.join(".zshrc"), rc).unwrap();
            }
            Shell::Fish => {
                let dir = env.home.join(".config/fish");
                std::fs::create_dir_all(&dir).unwrap();
                let prompt = format!("function fish_prompt; printf '{PROMPT}'; end\nset -g fish_greeting\n");
                std::fs::write(dir.join("config.fish"), format!("{prompt}{init}")).unwrap();
            }
        }
        command.arg("-i");
        let mut pty = Pty::start(&command);
        pty.expect(PROMPT);
        let start = Instant::now();
        pty.send("rm precious\n");
        until("the line runs", || !env.exists("precious"));
        let waited = start.elapsed();
        assert!(waited > Duration::from_millis(900), "{name}: the store did hang, {waited:?}");
        pty.send("exit\n");
        pty.end();
        assert!(!pty.screen().contains("fr:"), "{}", pty.screen());
    }
}

fn run_ok(env: &TestEnv, argv: &[&str]) {
    let mut command = env.command(argv[0]);
    command.args(&argv[1..]);
    crate::env::run(command, b"").ok();
}

#[test]
fn files_that_cannot_grow_are_no_matter_of_the_prompt() {
    // The limit stands for a full disk: the first write to the journal ends the recorder by SIGXFSZ.
    let env = TestEnv::new();
    let init = script(Shell::Bash, TestEnv::binary()).unwrap();
    std::fs::write(
        env.home.join(".bashrc"),
        format!("PS1='{PROMPT}'\nbind 'set enable-bracketed-paste off'\n{init}"),
    )
    .unwrap();
    let mut command = env.command("bash");
    command.arg("-i");
    let mut bash = Pty::start(&command);
    bash.expect(PROMPT);
    bash.line("ulimit -f 0", PROMPT);
    assert_eq!(bash.line("rm -f x; (exit 3)", PROMPT), format!("rm -f x; (exit 3)\r\n{PROMPT}"));
    assert_eq!(bash.line("echo $?", PROMPT), format!("echo $?\r\n3\r\n{PROMPT}"));
    let lines = env.fr(&["timeline", "--json"]).ok().json();
    assert_eq!(lines.as_array().unwrap().len(), 1, "only the line before the limit: {lines:#}");
}
