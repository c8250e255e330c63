//! Wrong inputs, broken stores and full disks, through the real binary: one line that says what is wrong, the next
//! step, the right exit code (`docs/exit-codes.md`), never a panic; and whatever happens, the agent's command runs.

mod hook;
mod places;
mod stores;
mod verbs;

use crate::env::{Output, TestEnv, run};

/// Checks that it failed with this code and told it well.
#[track_caller]
pub fn fails(out: &Output, code: i32) {
    assert_eq!(out.code, code, "{out:?}");
    assert_eq!(out.stdout, "", "an error is talk, not data");
    told_well(&out.stderr);
}

/// One line that begins with `error:` or `fr:`, then hints; no control bytes, no panic.
#[track_caller]
fn told_well(stderr: &str) {
    let mut lines = stderr.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("error: ") || first.starts_with("fr: "), "{stderr:?}");
    for hint in lines {
        assert!(hint.starts_with("  hint: "), "one line, then hints: {stderr:?}");
    }
    assert!(stderr.lines().count() > 1, "no next step: {stderr:?}");
    clean(stderr);
}

/// Nothing that moves the cursor, nothing that a panic says.
#[track_caller]
fn clean(text: &str) {
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    for word in ["panicked", "RUST_BACKTRACE", "unwrap"] {
        assert!(!text.contains(word), "{text:?}");
    }
}

/// What an agent needs of a hook that failed: exit code 0, nothing on stdout, and the reason told well.
#[track_caller]
fn lets_it_run(out: &Output) {
    fails(out, 0);
}

/// Runs a script with mounts of its own: `mount` as root of a namespace, `"$@"` is `fr`. `None`, said loudly, where the
/// machine does not allow it.
pub fn in_namespace(env: &TestEnv, what: &str, script: &str) -> Option<Output> {
    let mut command = env.command("unshare");
    command.args(["-Urm", "bash", "-c", script]);
    let out = run(command, b"");
    if out.code != 0 && ["unshare:", "mount:"].iter().any(|who| out.stderr.contains(who)) {
        eprintln!("SKIPPED {what}: {}", out.stderr);
        return None;
    }
    Some(out)
}
