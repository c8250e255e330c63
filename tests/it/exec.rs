//! `fr exec` on a terminal and off it: signals, stops, exit codes. The library's own `Exec` runs in a process of its
//! own (this test binary, started again), so that these tests are about running alone and not about the store.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use fr::intake::exec::Exec;
use fr::intake::{Env, current_env};

use crate::env::{Output, TestEnv, run};
use crate::pty::{Pty, until};

/// Not a test: the process that the tests below start. It runs the line in `FR_IT_LINE` and writes the ending to
/// `FR_IT_ENDING`.
#[test]
#[ignore = "started by the other tests"]
fn as_fr() {
    let Some(line) = std::env::var_os("FR_IT_LINE") else { return };
    let env: Env = current_env();
    let (begun, ended) = (std::env::var_os("FR_IT_BEGUN"), std::env::var_os("FR_IT_ENDING"));
    let before = |_: &fr::intake::Request| begun.iter().for_each(|path| std::fs::write(path, "").unwrap());
    let after = |ending: &fr::intake::Ending| {
        ended.iter().for_each(|path| std::fs::write(path, format!("{:?}", ending.outcome)).unwrap());
    };
    let code = Exec::Line(line).run(&env, before, after).unwrap_or_else(|(code, _)| code);
    std::process::exit(code.into());
}

/// `fr exec -c line`.
fn exec(env: &TestEnv, line: &str) -> Command {
    let mut command = env.command(std::env::current_exe().unwrap());
    command.args(["exec::as_fr", "--exact", "--ignored", "--nocapture", "--test-threads=1", "-q"]);
    command.env("FR_IT_LINE", line).env("FR_IT_ENDING", env.root().join("ending"));
    command
}

fn ending(env: &TestEnv) -> String {
    std::fs::read_to_string(env.root().join("ending")).unwrap_or_default()
}

/// What the line itself printed, without the words of the test harness.
fn printed(output: &Output) -> String {
    output
        .stdout
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("running "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn exit_codes_and_output_pass_through() {
    let env = TestEnv::new();
    let out = run(exec(&env, "echo out; echo err >&2; exit 7"), b"");
    assert_eq!((out.code, printed(&out).as_str(), out.stderr.as_str()), (7, "out", "err\n"));
    assert_eq!(ending(&env), "Exited { code: 7 }");
    let out = run(exec(&env, "cat; echo \"$0|$FR_SHELL_TOP\" | tr 0-9 9"), b"typed\n");
    assert!(printed(&out).starts_with("typed\nbash|9"), "{out:?}");
}

#[test]
fn death_by_a_signal_is_passed_on() {
    let env = TestEnv::new();
    for (name, number) in [("TERM", 15), ("KILL", 9), ("ABRT", 6), ("INT", 2), ("PIPE", 13)] {
        let mut child = exec(&env, &format!("kill -{name} $$")).stdout(Stdio::null()).spawn().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(number), "{name}: {status:?}");
        assert_eq!(ending(&env), format!("Signalled {{ signal: {number} }}"));
    }
}

#[test]
fn a_signal_sent_to_us_alone_reaches_the_command_once() {
    let env = TestEnv::new();
    for name in ["TERM", "HUP", "INT", "QUIT", "USR1"] {
        let line =
            format!("trap 'echo got' {name}; echo up; for i in $(seq 20); do sleep 0.05; done; exit 5");
        let mut child = exec(&env, &line).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let mut shown = Vec::new();
        until("up", || {
            let mut buffer = [0; 512];
            let got = out.read(&mut buffer).unwrap();
            shown.extend_from_slice(&buffer[..got]);
            String::from_utf8_lossy(&shown).contains("up")
        });
        kill(name, &child.id().to_string());
        out.read_to_end(&mut shown).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(5), "{name}: the command survived it, so do we");
        assert_eq!(String::from_utf8_lossy(&shown).matches("got").count(), 1, "{name}");
        assert_eq!(ending(&env), "Exited { code: 5 }", "{name}");
    }
}

#[test]
fn signals_that_were_ignored_stay_ignored() {
    let env = TestEnv::new();
    let mut shell = env.command("bash");
    let line = "grep SigIgn /proc/self/status";
    let inner = exec(&env, line);
    shell
        .arg("-c")
        .arg("trap '' HUP INT; exec \"$@\"")
        .arg("sh")
        .arg(inner.get_program())
        .args(inner.get_args());
    shell.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let out = run(shell, b"");
    let mask = u64::from_str_radix(printed(&out).split_whitespace().last().unwrap(), 16).unwrap();
    assert_eq!(mask & 0b11, 0b11, "HUP and INT: {out:?}");
    let plain = run(exec(&env, line), b"");
    let mask = u64::from_str_radix(printed(&plain).split_whitespace().last().unwrap(), 16).unwrap();
    // Bits 31 and up are glibc's and the runner's of these tests.
    assert_eq!(mask & 0x7fff_ffff, 0, "the command starts with nothing ignored, SIGPIPE neither: {plain:?}");
}

#[test]
fn ctrl_c_reaches_the_command_once_and_we_live_to_tell() {
    let env = TestEnv::new();
    let mut pty = Pty::start(&exec(
        &env,
        "n=0; trap 'echo \"<int>\"; n=1' INT; echo up; while [ $n = 0 ]; do sleep 0.05; done; echo down; exit 4",
    ));
    pty.expect("up");
    pty.send("\x03");
    pty.expect("down");
    assert_eq!(pty.end(), 4);
    assert_eq!(pty.screen().matches("<int>").count(), 1, "{}", pty.screen());
    assert_eq!(ending(&env), "Exited { code: 4 }");
    let mut pty = Pty::start(&exec(&env, "exec sh -c 'echo up; sleep 30; :'"));
    pty.expect("up");
    pty.send("\x1c");
    assert_eq!(pty.end(), 128 + 3, "Ctrl-\\");
    assert_eq!(ending(&env), "Signalled { signal: 3 }");
}

#[test]
fn the_terminal_is_the_commands() {
    let env = TestEnv::new();
    let mut pty =
        Pty::start(&exec(&env, "test -t 0 && test -t 1 && tty && read -r answer && echo \"got $answer\""));
    pty.expect("/dev/pts/");
    pty.send("hello\n");
    pty.expect("got hello");
    assert_eq!(pty.end(), 0);
}

/// A bash with job control, and `fr exec` in it.
fn job(env: &TestEnv, line: &str) -> Pty {
    let inner = exec(env, line);
    let mut bash = env.command("bash");
    bash.args(["--norc", "--noprofile", "-i"]).env("PS1", "READY> ");
    bash.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let words: Vec<_> = inner.get_args().map(|arg| arg.to_str().unwrap()).collect();
    let script = format!("#!/bin/sh\nexec '{}' {}\n", inner.get_program().to_str().unwrap(), words.join(" "));
    env.write("run", script);
    let mut pty = Pty::start(&bash);
    pty.expect("READY> ");
    pty
}

#[test]
fn ctrl_z_and_fg_work_as_without_us() {
    let env = TestEnv::new();
    let mut pty = job(&env, "echo up; read -r x; echo got $x");
    pty.send("sh ./run\n");
    pty.expect("up");
    pty.send("\x1a");
    pty.expect("Stopped");
    pty.expect("READY> ");
    pty.send("fg\n");
    pty.expect("sh ./run");
    pty.send("word\n");
    pty.expect("got word");
    pty.expect("READY> ");
    pty.send("echo code $?\n");
    pty.expect("code 0");
    assert_eq!(ending(&env), "Exited { code: 0 }");
}

#[test]
fn a_command_that_stops_itself_stops_us_too() {
    let env = TestEnv::new();
    let mut pty = job(&env, "echo up; kill -STOP $$; echo again");
    pty.send("sh ./run\n");
    pty.expect("up");
    pty.expect("Stopped");
    pty.expect("READY> ");
    pty.send("fg\n");
    pty.expect("again");
    pty.expect("READY> ");
}

#[test]
fn killing_our_group_kills_the_command() {
    let env = TestEnv::new();
    let pid = env.root().join("pid");
    let mut pty = job(&env, &format!("echo $$ > '{}'; sleep 60", pid.display()));
    pty.send("sh ./run &\n");
    until("the command runs", || std::fs::read_to_string(&pid).is_ok_and(|pid| pid.ends_with('\n')));
    let command = std::fs::read_to_string(&pid).unwrap().trim().to_string();
    pty.send("kill -KILL %1\n");
    until("the command is gone", || !std::path::Path::new("/proc").join(&command).exists());
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([&format!("-{signal}"), pid]).status().unwrap().success());
}
