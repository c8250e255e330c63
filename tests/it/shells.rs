//! The integration scripts in real shells on a real terminal. In place of `fr` stands a script that writes down what
//! it was told, so that these tests are about the shells alone.

use fr::intake::shells::Shell;

use crate::env::{Output, run};
use crate::pty::until;
use crate::shell_world::{PROMPT, World, have};

#[test]
fn bash_reports_lines_directories_codes_and_durations() {
    let world = World::new();
    let mut bash = world.bash("@INIT@");
    bash.line("echo hi | tr a-z A-Z  # note", PROMPT);
    bash.line("cd /; (exit 7)", PROMPT);
    bash.line("sleep 0.2", PROMPT);
    bash.line("", PROMPT);
    bash.send("for i in 1 2; do\n echo \"$i 'x'\"\ndone\n");
    bash.expect(PROMPT);
    bash.send("exit\n");
    assert_eq!(bash.end(), 0);
    let reports = world.reports();
    assert_eq!(
        world.told(),
        [
            "echo hi | tr a-z A-Z  # note",
            "=0",
            "cd /; (exit 7)",
            "=7",
            "sleep 0.2",
            "=0",
            "for i in 1 2; do  echo \"$i 'x'\"; done",
            "=0",
            "exit"
        ]
    );
    assert_eq!(reports[0].cwd, world.env.project.to_str().unwrap());
    assert_eq!(reports[4].cwd, "/");
    assert!(reports[0].words[1].starts_with(&format!("shell-{}-", bash.pid())), "{:?}", reports[0]);
    for pair in reports.chunks(2).filter(|pair| pair.len() == 2) {
        assert_eq!(pair[0].words[1..3], pair[1].words[1..3], "the halves find each other");
    }
    let slept: u64 = reports[5].words[4].parse().unwrap();
    assert!((200..5000).contains(&slept), "{slept} ms");
    assert!(!bash.screen().contains("NOISE"));
}

#[test]
fn bash_looks_the_same_with_and_without() {
    let session = |rc: &str| {
        let world = World::new();
        let mut bash = world.bash(rc);
        for line in [
            "echo a b",
            "echo $_",
            "false",
            "echo $?",
            "set -u",
            "true",
            "set -e",
            "! true",
            "echo $?",
            "trap -p",
            "echo \"$-|$BASH_COMMAND\"",
            "jobs",
            "true | false | true",
            "echo ${PIPESTATUS[@]}",
        ] {
            bash.line(line, PROMPT);
        }
        bash.send("exit 5\n");
        (bash.end(), bash.screen().replace(world.env.root().to_str().unwrap(), ""), world.told().len())
    };
    let (code, screen, reports) = session("@INIT@");
    let (plain_code, plain, none) = session("");
    let trap = "trap -- '[[ ${__fr_hidden-} != 1 ]] || __fr_debug \"$_\"' DEBUG\r\n";
    assert_eq!(screen.replace(trap, ""), plain, "no output of its own, no change to $?, $_, PIPESTATUS");
    assert_eq!((code, plain_code), (5, 5));
    assert_eq!((reports, none), (29, 0));
}

#[test]
fn bash_composes_with_what_is_there() {
    let world = World::new();
    let rc = "trap 'echo \"D:$BASH_COMMAND\"' DEBUG\nPROMPT_COMMAND='echo PC:$?'\nPS0='[ps0]'\n@INIT@\n@INIT@\n\
              PROMPT_COMMAND='echo later:$?'\n";
    let mut bash = world.bash(rc);
    let shown = bash.line("(exit 9)", PROMPT);
    assert!(shown.contains("[ps0]") && shown.contains("later:9"), "{shown}");
    let shown = bash.line("echo one; echo two", PROMPT);
    assert!(shown.contains("D:echo one\r\none") && shown.contains("D:echo two\r\ntwo"), "{shown}");
    assert_eq!(world.told(), ["(exit 9)", "=9", "echo one; echo two", "=0"], "once, although sourced twice");
    // A framework that takes PS0 for itself loses us for one line only.
    bash.line("PS0=", PROMPT);
    bash.line("echo three", PROMPT);
    assert_eq!(world.told()[6..], ["echo three", "=0"]);
}

#[test]
fn bash_sees_lines_that_stay_out_of_the_history() {
    let world = World::new();
    let mut bash = world.bash("HISTCONTROL=ignoreboth\n@INIT@");
    bash.line(" echo hidden; echo more", PROMPT);
    bash.line("echo twice", PROMPT);
    bash.line("echo twice", PROMPT);
    bash.line("set +o history", PROMPT);
    bash.line("echo off", PROMPT);
    let told = world.told();
    assert_eq!(
        told,
        [
            "echo hidden",
            "echo more",
            "=0",
            "echo twice",
            "=0",
            "echo twice",
            "=0",
            "set +o history",
            "=0",
            "echo off",
            "=0"
        ]
    );
    // Where somebody else has the DEBUG trap, something is reported all the same.
    let world = World::new();
    let mut bash = world.bash("HISTCONTROL=ignorespace\ntrap : DEBUG\n@INIT@");
    bash.line(" echo hidden", PROMPT);
    assert_eq!(world.reports()[0].words[3], "hidden");
    assert_eq!(world.told()[1], "=0");
}

#[test]
fn bash_goes_on_without_fr() {
    let world = World::new();
    let mut bash = world.bash("@INIT@");
    bash.line("echo one", PROMPT);
    std::fs::remove_file(&world.fake).unwrap();
    let shown = bash.line("false", PROMPT);
    assert_eq!(shown, format!("false\r\n{PROMPT}"));
    assert_eq!(bash.line("echo $?", PROMPT), format!("echo $?\r\n1\r\n{PROMPT}"));
    assert_eq!(world.told(), ["echo one", "=0"]);
}

#[test]
fn bash_without_prompt_expansion_prints_no_code() {
    let world = World::new();
    let mut bash = world.bash("@INIT@");
    bash.line("shopt -u promptvars", PROMPT);
    let shown = bash.line("echo plain", PROMPT);
    assert_eq!(shown, format!("echo plain\r\nplain\r\n{PROMPT}"));
    assert_eq!(world.told()[2..], ["echo plain", "=0"]);
}

/// Runs bash without a terminal, the integration in `BASH_ENV`.
fn batch(world: &World, args: &[&str], vars: &[(&str, &str)]) -> Output {
    let mut command = world.env.command("bash");
    command.args(args).env("BASH_ENV", world.integration(Shell::Bash)).env("SHLVL", "1");
    command.envs(vars.iter().copied());
    run(command, b"")
}

#[test]
fn bash_without_a_terminal_is_reported_once_by_the_outermost_shell() {
    let world = World::new();
    let line = "set -eu; echo hi; bash -c 'echo inner; bash -c \"echo innermost\"'";
    let out = batch(&world, &["-c", line], &[]);
    assert_eq!((out.stdout.as_str(), out.stderr.as_str(), out.code), ("hi\ninner\ninnermost\n", "", 0));
    assert_eq!(world.told(), [line]);
    world.env.write("a b.sh", "#!/bin/bash\nset -euo pipefail\necho $# $-; false\necho not here\n");
    let out = batch(&world, &["a b.sh", "x y"], &[]);
    assert_eq!((out.stdout.as_str(), out.stderr.as_str(), out.code), ("1 ehuB\n", "", 1));
    assert_eq!(world.told()[1], "bash a\\ b.sh x\\ y");
    // Claude's shells run with -t once ~/.bashrc exists (agents.md 9); and no trap keeps `bash -c` from exec.
    let out = batch(&world, &["-t", "-c", "exec readlink /proc/$$/exe"], &[]);
    assert!(out.stdout.trim().ends_with("readlink"), "{out:?}");
    let out = batch(&world, &["-c", "readlink /proc/$$/exe"], &[]);
    assert!(out.stdout.trim().ends_with("readlink"), "bash -c still replaces itself: {out:?}");
}

#[test]
fn an_agent_that_reports_its_commands_is_not_reported_twice() {
    let world = World::new();
    let out = batch(&world, &["-c", "echo hi"], &[("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", "x")]);
    assert_eq!(out.stdout, "hi\n");
    assert_eq!(world.told(), [""; 0]);
}

#[test]
fn zsh_reports_lines_and_codes() {
    if !have("zsh") {
        return;
    }
    let world = World::new();
    let rc = "precmd() { echo \"PC:$?\" }\nsetopt nounset hist_ignore_space ksh_arrays\nHISTSIZE=100\n@INIT@\n@INIT@";
    let mut zsh = world.zsh(rc);
    assert!(zsh.line("(exit 7)", PROMPT).contains("PC:7"));
    zsh.line(" echo 'a  b' | tr a-z A-Z", PROMPT);
    zsh.line("sleep 0.2", PROMPT);
    let shown = zsh.line("false", PROMPT);
    assert!(shown.contains("PC:1"), "{shown}");
    assert!(zsh.line("echo st=$?", PROMPT).contains("st=1"));
    assert_eq!(zsh.line("jobs", PROMPT), format!("jobs\r\nPC:0\r\n{PROMPT}"));
    zsh.send("setopt err_exit\n");
    zsh.expect(PROMPT);
    zsh.line("true", PROMPT);
    let told = world.told();
    assert_eq!(
        told,
        [
            "(exit 7)",
            "=7",
            " echo 'a  b' | tr a-z A-Z",
            "=0",
            "sleep 0.2",
            "=0",
            "false",
            "=1",
            "echo st=$?",
            "=0",
            "jobs",
            "=0",
            "setopt err_exit",
            "=0",
            "true",
            "=0"
        ]
    );
    let slept: u64 = world.reports()[5].words[4].parse().unwrap();
    assert!((190..5000).contains(&slept), "{slept} ms");
    assert!(!zsh.screen().contains("NOISE"));
    std::fs::remove_file(&world.fake).unwrap();
    assert_eq!(zsh.line("echo on", PROMPT), format!("echo on\r\non\r\nPC:0\r\n{PROMPT}"));
}

#[test]
fn zsh_without_a_terminal_is_reported_once() {
    if !have("zsh") {
        return;
    }
    let world = World::new();
    std::fs::copy(world.integration(Shell::Zsh), world.env.home.join(".zshenv")).unwrap();
    let mut command = world.env.command("zsh");
    command.args(["-c", "echo hi; zsh -c 'echo inner'"]);
    assert_eq!(run(command, b"").ok().stdout, "hi\ninner\n");
    assert_eq!(world.told(), ["echo hi; zsh -c 'echo inner'"]);
}

#[test]
fn fish_reports_lines_and_codes() {
    if !have("fish") {
        return;
    }
    let world = World::new();
    let mut fish = world.fish("@INIT@\n@INIT@");
    // fish draws its prompt again at every key, so the reports say when a line is through.
    let mut reports = 0;
    for line in ["echo 'a  b' | tr a-z A-Z", "sh -c 'exit 7'", "echo st=$status", "sleep 0.2"] {
        fish.send(&format!("{line}\n"));
        reports += 2;
        until(line, || world.reports().len() == reports);
    }
    fish.expect("st=7");
    fish.send("exit\n");
    assert_eq!(fish.end(), 0);
    let told = world.told();
    assert_eq!(
        told[..8],
        [
            "echo 'a  b' | tr a-z A-Z",
            "=0",
            "sh -c 'exit 7'",
            "=7",
            "echo st=$status",
            "=0",
            "sleep 0.2",
            "=0"
        ]
    );
    let slept: u64 = world.reports()[7].words[4].parse().unwrap();
    assert!((190..5000).contains(&slept), "{slept} ms");
    assert!(!fish.screen().contains("NOISE"));
}
