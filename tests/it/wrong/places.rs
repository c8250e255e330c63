//! HOME, FR_HOME and the disk below them.

use std::os::unix::fs::PermissionsExt;

use super::{fails, in_namespace, lets_it_run, told_well};
use crate::env::{Output, TestEnv, run};

const ANNOUNCE: &str = r#"{"session_id":"s","cwd":"/","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"rm -f gone"},"tool_use_id":"t"}"#;

/// Runs `fr` with only these of HOME and FR_HOME.
fn with(env: &TestEnv, vars: &[(&str, &str)], args: &[&str], stdin: &str) -> Output {
    let mut command = env.command(TestEnv::binary());
    command.env_remove("HOME").env_remove("FR_HOME").envs(vars.iter().copied()).args(args);
    run(command, stdin.as_bytes())
}

#[test]
fn without_home_the_command_runs_and_the_verbs_say_no_store() {
    let env = TestEnv::new();
    let relative: &[(&str, &str)] = &[("FR_HOME", "state"), ("HOME", "here")];
    for vars in [&[], relative, &[("HOME", "")]] {
        let hook = with(&env, vars, &["hook", "claude"], ANNOUNCE);
        assert!(hook.stderr.contains("set FR_HOME"), "{hook:?}");
        lets_it_run(&hook);
        for verb in [&["timeline"][..], &["undo"], &["show", "1"], &["store", "stats"], &["verify", "--all"]]
        {
            fails(&with(&env, vars, verb, ""), 10);
        }
        let exec = with(&env, vars, &["exec", "-c", "echo ran; exit 3"], "");
        assert_eq!((exec.code, exec.stdout.as_str()), (3, "ran\n"));
        told_well(&exec.stderr);
    }
    assert!(!env.exists("state") && !env.exists("here"), "state does not move with the working directory");
}

#[test]
fn a_relative_fr_home_is_ignored() {
    let env = TestEnv::new();
    let home = env.home.to_str().unwrap();
    let out = with(&env, &[("FR_HOME", "state"), ("HOME", home)], &["hook", "claude"], ANNOUNCE);
    assert_eq!((out.code, out.stderr.as_str()), (0, ""));
    assert!(env.home.join(".local/share/fr/format").is_file() && !env.exists("state"));
}

#[test]
fn a_home_that_is_a_file_is_named() {
    let env = TestEnv::new();
    let file = env.write("file", "mine");
    let path = file.to_str().unwrap();
    for vars in [[("HOME", path)], [("FR_HOME", path)]] {
        let hook = with(&env, &vars, &["hook", "claude"], ANNOUNCE);
        assert!(hook.stderr.contains(path), "{hook:?}");
        lets_it_run(&hook);
        fails(&with(&env, &vars, &["timeline"], ""), 10);
        let exec = with(&env, &vars, &["exec", "--", "true"], "");
        assert_eq!(exec.code, 0);
        told_well(&exec.stderr);
    }
    assert_eq!(env.read("file"), "mine");
}

#[test]
fn no_store_yet_is_exit_code_10() {
    let env = TestEnv::new();
    for verb in [&["timeline"][..], &["undo"], &["redo"], &["sessions"], &["show", "1"], &["diff", "1"]] {
        fails(&env.fr(verb), 10);
    }
    assert!(!env.fr_home.exists(), "looking makes nothing");
}

#[test]
fn a_read_only_store_lets_the_command_run_and_can_be_read() {
    let env = TestEnv::new();
    env.write("a", "kept");
    env.claude_runs("rm a");
    env.write("payload", ANNOUNCE);
    let script = r#"set -e
        mount --bind "$FR_HOME" "$FR_HOME"; mount -o remount,ro,bind "$FR_HOME"
        fr hook claude < payload; echo "hook $?"; fr exec -c 'echo ran'; fr timeline --json | grep -c '"id"'
        fr store verify >/dev/null; echo "verify $?"; set +e; fr undo 1 --yes >/dev/null; echo "undo $?"; ls"#;
    let Some(out) = in_namespace(&env, "a_read_only_store", script) else { return };
    assert_eq!(out.stdout, "hook 0\nran\n1\nverify 0\nundo 1\npayload\n", "{out:?}");
    assert_eq!(out.stderr.matches("fr: not recorded: ").count(), 2, "{out:?}");
    assert!(out.stderr.contains("Read-only") && !out.stderr.contains("panicked"), "{out:?}");
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(env.read("a"), "kept");
}

#[test]
fn a_full_disk_lets_the_command_run_and_says_what_was_not_kept() {
    let env = TestEnv::new();
    env.write("small", "kept");
    env.sh("head -c 300000 /dev/urandom > large").ok();
    let announce = |line: &str, id: &str| {
        let cwd = env.project.to_str().unwrap();
        ANNOUNCE
            .replace("rm -f gone", line)
            .replace("\"/\"", &format!("{cwd:?}"))
            .replace("\"t\"", &format!("{id:?}"))
    };
    env.write("one", announce("rm small", "one"));
    env.write("two", announce("rm large", "two"));
    std::fs::create_dir(&env.fr_home).unwrap();
    let script = r#"mount -t tmpfs -o size=64k none "$FR_HOME" || exit 1
        fr hook claude < one || echo "one $?"; rm small
        fr hook claude < two || echo "two $?"
        head -c 100000 /dev/zero > "$FR_HOME/ballast" 2>/dev/null
        for i in 1 2 3; do sed "s/\"one\"/\"three-$i\"/" one | fr hook claude || echo "three $?"; done
        fr exec -c 'exit 4'; echo "exec $?"
        fr timeline; rm "$FR_HOME/ballast"
        fr store verify; fr undo 1 --yes >&2; echo "undo $?"; cat small"#;
    let Some(out) = in_namespace(&env, "a_full_disk", script) else { return };
    assert!(out.stdout.contains("exec 4\n"), "{out:?}");
    for silent in ["one ", "two ", "three "] {
        assert!(!out.stdout.contains(&format!("\n{silent}")) && !out.stdout.starts_with(silent), "{out:?}");
    }
    assert!(out.stderr.contains("No space left"), "{out:?}");
    assert!(
        out.stdout.contains("\nwhole") && out.stdout.ends_with("undo 0\nkept"),
        "what was stored is whole and comes back: {out:?}"
    );
    assert!(!out.stderr.contains("panicked"), "{out:?}");
    assert!(out.stdout.lines().any(|l| l.contains("rm large") && l.contains("nothing")), "{out:?}");
}

#[test]
fn the_store_is_the_owners_alone() {
    let env = TestEnv::new();
    env.write("a", "x");
    env.sh("umask 0; fr exec -- rm a; fr timeline").ok();
    let mut todo = vec![env.fr_home.clone()];
    while let Some(path) = todo.pop() {
        let meta = path.symlink_metadata().unwrap();
        let mode = meta.permissions().mode() & 0o777;
        assert_eq!(mode, if meta.is_dir() { 0o700 } else { 0o600 }, "{path:?}");
        if meta.is_dir() {
            todo.extend(std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        }
    }
}
