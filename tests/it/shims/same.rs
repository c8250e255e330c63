//! A program must not notice: what it gets is what it would have got, and what it does is what its caller sees.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use super::World;
use crate::env::{Output, run};
use crate::pty::{Pty, until};

/// The same line with shims and without.
fn both(world: &World, line: &str) -> (Output, Output) {
    let shell = |mut bash: Command| {
        bash.args(["--norc", "--noprofile", "-c", line]);
        run(bash, b"typed\n")
    };
    (shell(world.env.command("bash")), shell(world.plain("bash")))
}

#[test]
fn arguments_descriptors_and_signals_are_handed_on() {
    let world = World::new();
    for line in [
        "(exec -a other dd if=/proc/self/cmdline status=none)",
        "(exec -a '' find /proc/self/cmdline -size 0)",
        "dd if=/proc/self/cmdline status=none oflag=append iflag=fullblock",
        "find /proc/self/fd 7< /dev/null 9> /dev/null -mindepth 1 -printf '%f %l\\n' | sed 's,/proc/[0-9]*/,/proc/N/,; s/pipe.*//'",
        "find /proc/self/fd -mindepth 1 -printf '%f ' <&-",
        "trap '' PIPE USR1; dd if=/proc/self/status status=none | grep -E '^Sig(Ign|Blk)'",
        "dd if=/proc/self/status status=none | grep -E '^Sig(Ign|Blk)'",
        "python3 -c 'import signal, os; signal.pthread_sigmask(signal.SIG_BLOCK, [10, 12]); \
         os.execvp(\"dd\", [\"dd\", \"if=/proc/self/status\", \"status=none\"])' | grep SigBlk",
        "tee; echo $?",
        "ulimit -c; dd if=/proc/self/limits status=none | grep core",
        "dd if=/proc/self/environ status=none | tr '\\0' '\\n' | grep -v -e ^FR_SHIM -e ^PATH -e ^_ | sort",
        "umask 027; cd /; find /proc/self/cwd -printf '%l\\n'",
        "git rev-parse --verify nonsense 2>&1; echo $?",
        "find . -name x | head -1; yes | tee /dev/null | head -1; echo ${PIPESTATUS[*]}",
    ] {
        let (shimmed, plain) = both(&world, line);
        assert_eq!(shimmed, plain, "{line}");
        assert!(!plain.stdout.is_empty(), "{line} shows nothing: {plain:?}");
    }
}

#[test]
fn what_is_recorded_is_handed_on_too() {
    let world = World::new();
    world.program("rsync", "#!/bin/sh\nread x; echo \"$0|$*|$x\"; echo err >&2; exit 7\n");
    world.enable();
    let (shimmed, plain) = both(&world, "rsync -a --delete here/ there/");
    assert_eq!(shimmed, plain);
    assert_eq!(shimmed.code, 7);
    let (shimmed, plain) = both(
        &world,
        "trap '' PIPE; cp /proc/self/status copy; grep -E '^SigIgn' copy; \
         (exec -a other cp /proc/self/cmdline copy); cat copy",
    );
    assert_eq!(shimmed, plain);
    let story = world.story();
    assert!(story.len() >= 2 && story[0].starts_with("rsync"), "they were recorded: {story:?}");
    assert_eq!(world.events()[0]["outcome"]["code"], 7);
}

#[test]
fn a_script_without_an_interpreter_is_run_as_shells_do() {
    let world = World::new();
    world.program("mongosh", "echo \"plain $*\"\n");
    world.program("rsync", "echo \"plain $*\"\n");
    world.enable();
    assert_eq!(world.env.sh("mongosh --version").ok().stdout, "plain --version\n");
    assert_eq!(world.env.sh("rsync -a --delete a/ b/").ok().stdout, "plain -a --delete a/ b/\n");
    assert_eq!(world.events().len(), 1);
}

#[test]
fn death_by_a_signal_is_passed_on() {
    let world = World::new();
    world.program("rsync", "#!/bin/sh\nkill -$SIGNAL $$\n");
    world.enable();
    for (name, number) in [("TERM", 15), ("KILL", 9), ("INT", 2)] {
        for line in ["--version", "--delete"] {
            let mut shim = world.env.command(world.shims.join("rsync"));
            shim.args([line, "-a", "a/", "b/"]).env("SIGNAL", name);
            let status = shim.status().unwrap();
            assert_eq!(status.signal(), Some(number), "{name} {line}: {status:?}");
        }
        let last = world.events().pop().unwrap();
        assert_eq!(last["outcome"]["signal"], number, "{last}");
    }
}

#[test]
fn ctrl_c_reaches_the_program_once() {
    let world = World::new();
    let script = "#!/bin/sh\ntrap 'echo \"<int>\"; exit 4' INT\necho up\nwhile :; do sleep 0.05; done\n";
    world.program("rsync", script);
    world.enable();
    for line in ["rsync --version", "rsync -a --delete a/ b/"] {
        let mut bash = world.env.command("bash");
        // What follows keeps bash from becoming the program itself.
        bash.args(["--norc", "--noprofile", "-c", &format!("trap : INT; {line}; echo \"code $?\"")]);
        let mut pty = Pty::start(&bash);
        pty.expect("up");
        pty.send("\x03");
        pty.expect("code 4");
        pty.end();
        assert_eq!(pty.screen().matches("<int>").count(), 1, "{line}: {}", pty.screen());
    }
}

#[test]
fn a_program_that_is_only_passed_on_keeps_its_process() {
    let world = World::new();
    let out = world
        .env
        .sh("git --version >/dev/null & pid=$!; wait $pid; dd if=/proc/self/stat status=none & echo $!; wait")
        .ok();
    let (first, stat) = out.stdout.split_once('\n').map(|(a, b)| (a.to_string(), b.to_string())).unwrap();
    let pids: Vec<&str> = [first.as_str(), stat.as_str()]
        .into_iter()
        .filter_map(|text| text.split_whitespace().next())
        .collect();
    assert_eq!(pids[0], pids[1], "{out:?}");
}

#[test]
fn what_fails_in_the_recorder_does_not_fail_the_program() {
    let world = World::new();
    world.env.write("f", "x");
    std::fs::write(world.env.fr_home.join("format"), "fr store 99.0 ids=none\n").unwrap();
    let out = world.env.sh("rm $(echo f); echo $?").ok();
    assert_eq!(out.stdout, "0\n");
    assert!(!world.env.exists("f"));
    assert!(out.stderr.contains("not recorded"), "a newer store is worth a word: {out:?}");
    std::fs::remove_dir_all(world.env.fr_home.join("journal")).unwrap();
    std::fs::remove_file(world.env.fr_home.join("format")).unwrap();
    world.env.write("f", "x");
    let out = world.env.sh("rm $(echo f)").ok();
    assert_eq!(
        (out.stderr.as_str(), world.env.exists("f")),
        ("", false),
        "without a store there is nothing to say"
    );
}

/// Who may not write to the store is silent: another user here, as in Codex's sandbox a read-only home.
#[test]
fn a_sandbox_hears_nothing_and_runs_everything() {
    let world = World::new();
    let (root, binary) = (world.env.root().to_path_buf(), world.env.root().join("fr-copy/fr"));
    std::fs::create_dir(binary.parent().unwrap()).unwrap();
    std::fs::copy(crate::env::TestEnv::binary(), &binary).unwrap();
    let shims = root.join("shims");
    let enable = || {
        let mut fr = Command::new(&binary);
        fr.args(["shims", "enable", "--dir", shims.to_str().unwrap()]);
        fr.env_clear().envs(world.env.environment()).output()
    };
    // A child that another test is starting may hold the copy open for a moment: ETXTBSY.
    let mut tries = std::iter::repeat_with(enable).take(100).inspect(|tried| {
        if tried.is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    let enabled = tries.find_map(Result::ok).unwrap();
    assert!(enabled.status.success(), "{enabled:?}");
    let path = format!("{}:{}", shims.display(), world.env.path());
    let journal = || std::fs::read(world.env.fr_home.join("journal/000001.frj")).unwrap_or_default();
    let before = journal();
    let line = "echo x > f; rm $(echo f); echo $?; test -e f";
    let mut bash = if rustix::process::geteuid().is_root() {
        for open in [root.as_path(), &shims, &world.env.project] {
            run(plain_command("chmod", &["a+rwx", open.to_str().unwrap()]), b"").ok();
        }
        let mut other = world.env.command("setpriv");
        other.args(["--reuid=65534", "--regid=65534", "--clear-groups", "bash"]);
        other
    } else {
        run(plain_command("chmod", &["-R", "a-w", world.env.fr_home.to_str().unwrap()]), b"").ok();
        world.env.command("bash")
    };
    bash.args(["--norc", "--noprofile", "-c", line]).env("PATH", path);
    let out = run(bash, b"");
    assert_eq!((out.stdout.as_str(), out.stderr.as_str(), out.code), ("0\n", "", 1));
    assert_eq!(journal(), before);
    run(plain_command("chmod", &["-R", "u+w", world.env.fr_home.to_str().unwrap()]), b"").ok();
    assert_eq!(world.events().len(), 0);
}

fn plain_command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

#[test]
fn a_terminal_and_its_keys_belong_to_the_program() {
    let world = World::new();
    world.program("rsync", "#!/bin/sh\ntest -t 0 && tty && echo up && read -r x && echo \"got $x\"\n");
    world.enable();
    let mut bash = world.env.command("bash");
    bash.args(["--norc", "--noprofile", "-i"]).env("PS1", "READY> ");
    let mut pty = Pty::start(&bash);
    pty.expect("READY> ");
    pty.send("rsync -a --delete a/ b/\n");
    pty.expect("/dev/pts/");
    pty.expect("up");
    pty.send("\x1a");
    pty.expect("Stopped");
    pty.expect("READY> ");
    // bash sets the terminal up after it printed the prompt; keys that come in between can be lost.
    std::thread::sleep(std::time::Duration::from_millis(150));
    pty.send("fg\n");
    pty.expect("rsync");
    pty.send("word\n");
    pty.expect("got word");
    pty.expect("READY> ");
    until("it is over", || world.events()[0]["outcome"]["code"] == 0);
}
