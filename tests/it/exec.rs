//! `fr exec` on a terminal and off it: signals, stops, exit codes.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::env::{TestEnv, run};
use crate::pty::{Pty, until};

/// `fr exec -c line`.
fn exec(env: &TestEnv, line: &str) -> Command {
    let mut command = env.command(TestEnv::binary());
    command.args(["exec", "-c", line]);
    command
}

/// How the latest command ended, as the record has it.
fn ending(env: &TestEnv) -> String {
    let outcome = &env.fr(&["timeline", "--limit", "1", "--json"]).ok().json()[0]["outcome"];
    let number = if outcome["how"] == "exited" { &outcome["code"] } else { &outcome["signal"] };
    format!("{} {number}", outcome["how"].as_str().unwrap())
}

#[test]
fn exit_codes_and_output_pass_through() {
    let env = TestEnv::new();
    let out = run(exec(&env, "echo out; echo err >&2; exit 7"), b"");
    assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (7, "out\n", "err\n"));
    assert_eq!(ending(&env), "exited 7");
    let out = run(exec(&env, "cat; echo \"$0|$FR_SHELL_TOP\" | tr 0-9 9"), b"typed\n");
    assert!(out.stdout.starts_with("typed\nbash|9"), "{out:?}");
}

#[test]
fn death_by_a_signal_is_passed_on() {
    let env = TestEnv::new();
    for (name, number) in [("TERM", 15), ("KILL", 9), ("ABRT", 6), ("INT", 2), ("PIPE", 13)] {
        let mut child = exec(&env, &format!("kill -{name} $$")).stdout(Stdio::null()).spawn().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(number), "{name}: {status:?}");
        assert_eq!(ending(&env), format!("signalled {number}"));
    }
}

#[test]
fn a_signal_sent_to_us_alone_reaches_the_command_once() {
    let env = TestEnv::new();
    for name in ["TERM", "HUP", "INT", "QUIT", "USR1"] {
        // Not bash: it takes a SIGINT back when the program it waits for did not die of one.
        let line = format!(
            "exec sh -c 'trap \"echo got\" {name}; echo up; for i in $(seq 20); do sleep 0.05; done; exit 5'"
        );
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
        assert_eq!(ending(&env), "exited 5", "{name}");
    }
}

#[test]
fn signals_that_were_ignored_stay_ignored() {
    let env = TestEnv::new();
    let mut shell = env.command("bash");
    let line = "grep SigIgn /proc/self/status";
    shell.args(["-c", "trap '' HUP INT; exec fr exec -c \"$0\"", line]);
    let out = run(shell, b"");
    let mask = u64::from_str_radix(out.stdout.split_whitespace().last().unwrap(), 16).unwrap();
    assert_eq!(mask & 0b11, 0b11, "HUP and INT: {out:?}");
    let plain = run(exec(&env, line), b"");
    let mask = u64::from_str_radix(plain.stdout.split_whitespace().last().unwrap(), 16).unwrap();
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
    assert_eq!(ending(&env), "exited 4");
    let mut pty = Pty::start(&exec(&env, "exec sh -c 'echo up; sleep 30; :'"));
    pty.expect("up");
    pty.send("\x1c");
    assert_eq!(pty.end(), 128 + 3, "Ctrl-\\");
    assert_eq!(ending(&env), "signalled 3");
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

/// A bash with job control, and `./run`, which is `fr exec -c line`.
fn job(env: &TestEnv, line: &str) -> Pty {
    let mut bash = env.command("bash");
    bash.args(["--norc", "--noprofile", "-i"]).env("PS1", "READY> ").env("LINE", line);
    env.write("run", "exec fr exec -c \"$LINE\"\n");
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
    // bash sets the terminal up after it printed the prompt; keys that come in between can be lost (1 of 30 runs).
    std::thread::sleep(std::time::Duration::from_millis(150));
    pty.send("fg\n");
    pty.expect("sh ./run");
    pty.send("word\n");
    pty.expect("got word");
    pty.expect("READY> ");
    pty.send("echo code $?\n");
    pty.expect("code 0");
    assert_eq!(ending(&env), "exited 0");
}

#[test]
fn a_command_that_stops_itself_stops_us_too() {
    let env = TestEnv::new();
    let mut pty = job(&env, "echo up; kill -STOP $$; echo again");
    pty.send("sh ./run\n");
    pty.expect("up");
    pty.expect("Stopped");
    pty.expect("READY> ");
    // bash sets the terminal up after it printed the prompt; keys that come in between can be lost (1 of 30 runs).
    std::thread::sleep(std::time::Duration::from_millis(150));
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
