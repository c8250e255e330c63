//! Wrong arguments, and outputs that nobody reads.

use std::os::unix::ffi::OsStringExt;

use super::{clean, fails};
use crate::env::{TestEnv, run};

fn one_event() -> TestEnv {
    let env = TestEnv::new();
    env.write("a", "x");
    env.claude_runs("rm a");
    env
}

#[test]
fn ids_of_nothing_are_usage_errors() {
    let env = one_event();
    let huge = "9".repeat(400);
    for id in [
        "999",
        "",
        " ",
        "18446744073709551616",
        &huge,
        "0",
        "1\x1b[2J",
        "zzzz",
        "%",
        "' OR 1=1 --",
        "0x1",
        "1.0",
    ] {
        for verb in
            [&["show"][..], &["undo", "--yes"], &["diff"], &["verify"], &["store", "pin"], &["redo", "--yes"]]
        {
            let args: Vec<&str> = verb.iter().copied().chain([id]).collect();
            let out = env.fr(&args);
            assert!(out.stderr.contains("there is no event"), "{args:?}: {out:?}");
            fails(&out, 2);
        }
    }
    for id in ["-1", "--", "-x"] {
        let out = env.fr(&["show", id]);
        assert_eq!((out.code, out.stdout.as_str()), (2, ""), "{out:?}");
        clean(&out.stderr);
    }
    assert!(!env.exists("a"));
}

#[test]
fn filters_of_nothing_are_usage_errors() {
    let env = one_event();
    for args in [
        ["--since", "nonsense"],
        ["--until", "2026-13-99"],
        ["--since", "99999999999999999999d"],
        ["--since", ""],
        ["--effect", "explode"],
    ] {
        fails(&env.fr(&["timeline", args[0], args[1]]), 2);
    }
    fails(&env.fr(&["store", "gc", "--keep-within", "soon"]), 2);
    for args in [
        &["timeline", "-n", "many"][..],
        &["timeline", "--color", "blue"],
        &["nosuchverb"],
        &["init", "tcsh"],
        &[],
    ] {
        let out = env.fr(args);
        assert_eq!((out.code, out.stdout.as_str()), (2, ""), "{args:?}: {out:?}");
        clean(&out.stderr);
    }
    for harmless in [
        ["--session", "%"],
        ["--grep", "\0"],
        ["--path", "no/such"],
        ["--actor", "' OR 1=1"],
        ["--system", "zz"],
        ["-n", "0"],
    ] {
        if harmless[1].contains('\0') {
            continue;
        }
        let out = env.fr(&["timeline", harmless[0], harmless[1]]).ok();
        assert_eq!(out.stdout, "", "{harmless:?}");
    }
}

#[test]
fn arguments_that_are_no_text() {
    let env = one_event();
    let odd = std::ffi::OsString::from_vec(b"\xff\xfe".to_vec());
    for verb in [&["show"][..], &["undo"], &["timeline", "--session"], &["timeline", "--since"], &[]] {
        let mut command = env.command(TestEnv::binary());
        command.args(verb).arg(&odd);
        let out = run(command, b"");
        assert_eq!((out.code, out.stdout.as_str()), (2, ""), "{verb:?}: {out:?}");
        clean(&out.stderr);
    }
    for verb in [&["explain", "-c"][..], &["timeline", "--path"]] {
        let mut command = env.command(TestEnv::binary());
        command.args(verb).arg(&odd);
        let out = run(command, b"").ok();
        clean(&out.stdout);
    }
    let mut command = env.command(TestEnv::binary());
    command.args(["exec", "--", "printf", "%s"]).arg(&odd);
    assert_eq!(run(command, b"").ok().stdout, "\u{fffd}\u{fffd}");
}

#[test]
fn exec_says_what_a_shell_would_say() {
    let env = TestEnv::new();
    for args in
        [&["exec"][..], &["exec", "--"], &["exec", "-c"], &["exec", "-c", "a", "b"], &["exec", "--frob"]]
    {
        fails(&env.fr(args), 2);
    }
    fails(&env.fr(&["exec", "--", "no-such-program-anywhere"]), 127);
    env.write("plain", "not executable");
    for program in ["./plain", "./", "/etc"] {
        fails(&env.fr(&["exec", "--", program]), 126);
    }
    let events = env.fr(&["timeline", "--json"]).ok().json();
    assert_eq!(events[0]["outcome"]["code"], 126, "what could not be started is on record");
}

#[test]
fn a_reader_that_has_gone_is_nobodys_failure() {
    let env = TestEnv::new();
    for n in 0..40 {
        env.claude_runs(&format!("true {n}"));
    }
    let out = env.sh("set -o pipefail; fr timeline -n 40 --json | head -n 1").ok();
    assert_eq!((out.stdout.as_str(), out.stderr.as_str()), ("[\n", ""));
    let out = env.sh("fr timeline | head -n 1").ok();
    assert!(out.stdout.starts_with("ID") && !out.stderr.contains("error"), "{out:?}");
    for verb in ["timeline", "show 1", "sessions", "store stats", "store verify"] {
        let out = env.sh(&format!("fr {verb} >&-"));
        clean(&out.stderr);
    }
    let full = env.sh("fr timeline > /dev/full");
    assert_eq!(full.code, 1, "{full:?}");
    assert!(full.stderr.contains("error: cannot write to standard output"), "{full:?}");
    clean(&full.stderr);
}

#[test]
fn undo_without_a_terminal_asks_for_yes() {
    let env = one_event();
    let out = env.fr(&["undo", "1"]);
    assert_eq!(out.code, 2, "{out:?}");
    assert!(out.stderr.contains("--yes"), "{out:?}");
    assert!(!env.exists("a"));
}
