//! `fr drill`: a rehearsal that passes where recovery works, notices where it does not, and leaves nothing behind but
//! one event.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fr::drill::{Look, differences};
use serde_json::{Value, json};

use crate::env::{Output, TestEnv, run};
use crate::pty::{Pty, until};

/// A world whose temporary directory is its own, so that what a drill leaves there is seen.
fn world() -> TestEnv {
    let mut env = TestEnv::new();
    let tmp = env.root().join("tmp");
    fs::create_dir(&tmp).unwrap();
    env.vars.push(("TMPDIR".to_string(), tmp.to_str().unwrap().to_string()));
    env
}

/// What lies in the temporary directory.
fn left(env: &TestEnv) -> Vec<PathBuf> {
    fs::read_dir(env.root().join("tmp")).unwrap().map(|e| e.unwrap().path()).collect()
}

/// Puts a program of ours before the real one.
fn stub(env: &mut TestEnv, name: &str, script: &str) {
    let bin = env.root().join("stubs");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join(name), format!("#!/bin/bash\n{script}\n")).unwrap();
    fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    env.vars.push(("PATH".to_string(), format!("{}:{}", bin.display(), env.path())));
}

/// Leaves only these programs on `PATH`.
fn only(env: &mut TestEnv, programs: &[&str]) {
    let bin = env.root().join("only");
    fs::create_dir_all(&bin).unwrap();
    for name in programs {
        let real = ["/usr/bin", "/bin"].iter().map(|d| Path::new(d).join(name)).find(|p| p.exists()).unwrap();
        symlink(real, bin.join(name)).unwrap();
    }
    env.vars.push(("PATH".to_string(), bin.to_str().unwrap().to_string()));
}

const FILE_TOOLS: &[&str] =
    &["bash", "rm", "mv", "cp", "find", "chmod", "ln", "truncate", "touch", "sed", "mkdir", "cat"];

/// The scenario with this name in a report.
fn scenario<'a>(report: &'a Value, system: &str) -> &'a Value {
    let all = report["scenarios"].as_array().unwrap();
    all.iter().find(|s| s["system"] == system).unwrap_or_else(|| panic!("no {system} in {report:#}"))
}

fn drill_event(env: &TestEnv) -> Value {
    let events = env.fr(&["timeline", "--json"]).ok().json();
    let events = events.as_array().unwrap().clone();
    let mut drills = events.into_iter().filter(|e| e["kind"] == "drill");
    drills.next().expect("no drill is on record")
}

#[test]
fn everything_comes_back_and_one_event_says_so() {
    let env = world();
    env.claude_runs("echo mine > a");
    let before = env.fr(&["timeline", "--json"]).ok().json().as_array().unwrap().len();
    let report = env.fr(&["drill", "--json"]).ok().json();
    assert_eq!((&report["passed"], &report["store_created"]), (&json!(true), &json!(false)), "{report:#}");
    for system in ["files", "git", "git-remote"] {
        let one = scenario(&report, system);
        assert_eq!(one["outcome"], "passed", "{one:#}");
        let rounds = one["rounds"].as_array().unwrap();
        assert_eq!(json!(rounds.len()), one["commands"]);
        for round in rounds {
            assert_eq!((&round["undo_exit_code"], &round["failure"]), (&json!(0), &json!(null)), "{round:#}");
            assert!(round["undo_seconds"].as_f64().unwrap() > 0.0, "{round:#}");
        }
    }
    let after = env.fr(&["timeline", "--json"]).ok().json();
    assert_eq!(
        after.as_array().unwrap().len(),
        before + 1,
        "the rehearsal itself is not in the user's store"
    );
    let event = drill_event(&env);
    assert_eq!(event["id"], report["event"]);
    let drilled = event["drilled"].as_array().unwrap();
    let terraform = usize::from(super::terraform::terraform().is_some());
    let sqlite = usize::from(env.sh("command -v sqlite3").code == 0);
    assert_eq!(drilled.len(), 3 + terraform + sqlite);
    assert!(drilled.iter().all(|d| d["outcome"] == "passed" && d["restored"] == d["commands"]), "{event:#}");
    assert!(drilled.iter().all(|d| d["slowest_undo_ms"].is_u64()), "{event:#}");
    assert_eq!(left(&env), Vec::<PathBuf>::new());
    assert_eq!(env.read("a"), "mine\n");
    env.fr(&["store", "verify"]).ok();
}

#[test]
fn timeline_and_show_tell_it_and_nobody_can_undo_it() {
    let env = world();
    env.claude_runs("echo mine > a");
    env.fr(&["drill", "--system", "files"]).ok();
    let timeline = env.fr(&["timeline"]).ok().stdout;
    assert!(timeline.lines().nth(1).unwrap().ends_with("drill: files passed"), "{timeline}");
    let shown = env.fr(&["show", "2"]).ok().stdout;
    assert!(
        shown.contains("rehearsed on scratch targets\n    files      passed  10 of 10 commands"),
        "{shown}"
    );
    let undo = env.fr(&["undo", "2", "--yes"]);
    assert_eq!((undo.code, undo.stdout.as_str()), (5, ""));
    assert!(undo.stderr.contains("event 2 is a drill: it touched scratch targets only"), "{undo:?}");
    assert_eq!(env.fr(&["redo", "2", "--yes"]).code, 2);
    // It does not stand in the way of what can be undone.
    env.fr(&["undo", "--yes"]).ok();
    assert!(!env.exists("a"));
    env.fr(&["store", "rebuild"]).ok();
    assert_eq!(drill_event(&env)["drilled"][0]["outcome"], "passed");
    env.fr(&["store", "gc", "--keep-within", "0s", "--grace", "0s"]).ok();
    assert_eq!(drill_event(&env)["id"], 2, "gc takes captures, never the record");
}

#[test]
fn without_a_store_it_makes_one_and_says_so() {
    let env = world();
    let out = env.fr(&["drill", "--system", "files", "--json"]).ok();
    assert_eq!(out.stderr, format!("made a store at {}\n", env.fr_home.display()));
    assert_eq!((&out.json()["store_created"], &out.json()["event"]), (&json!(true), &json!(1)));
    assert_eq!(drill_event(&env)["id"], 1);
}

#[test]
fn with_stdin_closed_it_works() {
    let env = world();
    let mut command = env.command("bash");
    command.args(["-c", "exec fr drill --system files,git <&-"]);
    let out = run(command, b"").ok();
    assert!(out.stdout.contains("2 of 2 scenarios passed"), "{out:?}");
}

#[test]
fn a_store_that_cannot_be_written_is_told_before_anything_is_made() {
    let env = world();
    env.claude_runs("echo mine > a");
    let script =
        r#"mount --bind "$FR_HOME" "$FR_HOME" && mount -o remount,ro,bind "$FR_HOME" && exec fr drill"#;
    if let Some(out) = crate::wrong::in_namespace(&env, "a read-only store", script) {
        crate::wrong::fails(&out, 1);
        assert!(out.stderr.contains("Read-only") && out.stderr.contains("set FR_HOME"), "{out:?}");
    }
    let mut env = world();
    let file = env.write("file", "mine");
    env.vars.push(("FR_HOME".to_string(), file.to_str().unwrap().to_string()));
    let out = env.fr(&["drill"]);
    crate::wrong::fails(&out, 1);
    assert_eq!((env.read("file"), left(&env)), ("mine".to_string(), Vec::new()));
}

#[test]
fn shims_on_path_take_no_part_in_it() {
    let mut env = world();
    env.fr(&["shims", "enable"]).ok();
    let shims = env.fr_home.join("shims").display().to_string();
    env.vars.push(("PATH".to_string(), format!("{shims}:{}", env.path())));
    let report = env.fr(&["drill", "--system", "files,git", "--json"]).ok().json();
    for system in ["files", "git"] {
        let rounds = scenario(&report, system)["rounds"].as_array().unwrap();
        let events: Vec<u64> = rounds.iter().map(|r| r["event"].as_u64().unwrap()).collect();
        let wanted: Vec<u64> = (0..rounds.len() as u64).map(|n| 2 * n + 1).collect();
        assert_eq!(events, wanted, "one event for each command, one for its undo");
    }
    // A shim alone is no git.
    only(&mut env, FILE_TOOLS);
    let tools = env.root().join("only").display().to_string();
    env.vars.push(("PATH".to_string(), format!("{shims}:{tools}")));
    assert!(env.sh("command -v git").stdout.ends_with("/shims/git\n"));
    let report = env.fr(&["drill", "--system", "git", "--json"]);
    assert_eq!((report.code, &scenario(&report.json(), "git")["reason"]), (3, &json!("git is not on PATH")));
}

#[test]
fn a_missing_git_is_skipped_and_said() {
    let mut env = world();
    only(&mut env, FILE_TOOLS);
    let out = env.fr(&["drill"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(out.stdout.contains("1 of 3 scenarios passed"), "{}", out.stdout);
    assert!(
        out.stdout.contains("skipped: git: git is not on PATH\nskipped: git-remote: git is not on PATH\n")
    );
    let drilled = drill_event(&env)["drilled"].clone();
    assert_eq!((&drilled[0]["outcome"], &drilled[1]["outcome"]), (&json!("passed"), &json!("skipped")));
    assert_eq!((&drilled[1]["reason"], &drilled[1]["restored"]), (&json!("git is not on PATH"), &json!(0)));
}

#[test]
fn a_broken_git_is_a_failure_with_its_own_words() {
    let mut env = world();
    stub(&mut env, "git", "echo 'git: cannot load libpcre' >&2; exit 127");
    let out = env.fr(&["drill", "--json"]);
    assert_eq!(out.code, 1, "{out:?}");
    let report = out.json();
    assert_eq!(scenario(&report, "files")["outcome"], "passed");
    let git = scenario(&report, "git");
    assert_eq!((&git["outcome"], &git["rounds"]), (&json!("failed"), &json!([])));
    assert!(git["reason"].as_str().unwrap().ends_with("exit code 127: git: cannot load libpcre"), "{git:#}");
    assert_eq!(left(&env), Vec::<PathBuf>::new());
}

#[test]
fn a_git_that_does_nothing_does_not_pass() {
    let mut env = world();
    stub(&mut env, "git", "exit 0");
    let out = env.fr(&["drill", "--system", "git", "--json"]);
    assert_eq!(out.code, 1);
    let report = out.json();
    assert_eq!(scenario(&report, "git")["outcome"], "failed", "{report:#}");
}

#[test]
fn a_remote_that_refuses_the_way_back_is_noticed() {
    let mut env = world();
    // The force-push goes through; what undo pushes (with a lease) does not.
    let script = r#"for arg; do case $arg in --force-with-lease*) echo 'remote: no' >&2; exit 1;; esac; done
exec /usr/bin/git "$@""#;
    stub(&mut env, "git", script);
    let out = env.fr(&["drill", "--system", "git-remote", "--json"]);
    assert_eq!(out.code, 1, "{out:?}");
    let report = out.json();
    let first = &scenario(&report, "git-remote")["rounds"][0];
    assert_ne!(first["undo_exit_code"], 0);
    let named = first["differences"].to_string();
    assert!(named.contains("git ls-remote origin") && named.contains("refs/heads/main"), "{named}");
}

#[test]
fn damage_between_capture_and_undo_is_noticed_and_named() {
    let mut env = world();
    // Whoever deletes the files also empties the packs in which they were kept.
    stub(&mut env, "rm", r#"/bin/rm "$@"; for pack in "$FR_HOME"/packs/*.frp; do : > "$pack"; done"#);
    let out = env.fr(&["drill", "--system", "files"]);
    assert_eq!(out.code, 1, "{out:?}");
    let text = &out.stdout;
    assert!(text.starts_with("files      failed"), "{text}");
    assert!(
        text.contains("  FAILED") && text.contains("rm -rf data\n    undo ended with exit code"),
        "{text}"
    );
    assert!(text.contains("\n    data: gone (was directory, mode 755"), "{text}");
    assert!(text.contains("\nfailed: files: rm -rf data: undo ended with"), "{text}");
    assert!(text.contains("9 commands not rehearsed"), "one failure, not ten: {text}");
    let event = drill_event(&env);
    assert_eq!((&event["drilled"][0]["outcome"], &event["outcome"]["code"]), (&json!("failed"), &json!(1)));
    assert!(event["drilled"][0]["reason"].as_str().unwrap().starts_with("rm -rf data: undo ended"));
    assert!(env.fr(&["show", "1"]).ok().stdout.contains("rm -rf data: undo ended"));
    assert_eq!(left(&env), Vec::<PathBuf>::new());
}

#[test]
fn a_command_that_changes_nothing_is_no_rehearsal() {
    let mut env = world();
    stub(&mut env, "chmod", "exit 0");
    let report = env.fr(&["drill", "--system", "files", "--json"]).json();
    let files = scenario(&report, "files");
    assert_eq!(files["outcome"], "failed");
    assert!(files["reason"].as_str().unwrap().contains("changed nothing"), "{files:#}");
    let failed = files["rounds"].as_array().unwrap().iter().filter(|r| !r["failure"].is_null());
    assert_eq!(failed.count(), 1, "the others are rehearsed all the same: {files:#}");
}

#[test]
fn an_interrupted_drill_clears_away_and_records_nothing() {
    let env = world();
    let mut child = env
        .command(TestEnv::binary())
        .arg("drill")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("the first target", || left(&env).iter().any(|d| d.join("files/store/format").exists()));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(left(&env), Vec::<PathBuf>::new());
    assert_eq!(env.fr(&["timeline", "--json"]).ok().json(), json!([]));
}

#[test]
fn kept_targets_are_where_it_says_and_private() {
    let env = world();
    let out = env.fr(&["drill", "--keep", "--system", "files", "--json"]).ok();
    let kept = PathBuf::from(out.json()["kept"].as_str().unwrap());
    assert_eq!(left(&env), std::slice::from_ref(&kept));
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
    assert!(out.stderr.contains(kept.to_str().unwrap()));
    let mut command = env.command(TestEnv::binary());
    command.env("FR_HOME", kept.join("files/store")).args(["timeline", "--grep", "rm -rf data"]);
    assert!(run(command, b"").ok().stdout.contains("[undone by 2] rm -rf data"));
}

#[test]
fn a_closed_pipe_leaves_nothing_behind() {
    let env = world();
    env.sh("fr drill --system files | head -n 1").ok();
    assert_eq!(left(&env), Vec::<PathBuf>::new());
}

#[test]
fn on_a_terminal_it_shows_what_it_is_at() {
    let env = world();
    let mut command = env.command(TestEnv::binary());
    command.env("TERM", "xterm-256color").args(["drill", "--system", "git-remote"]);
    let mut pty = Pty::start(&command);
    assert_eq!(pty.end(), 0);
    let screen = pty.screen();
    assert!(screen.contains("rehearsing git-remote: "), "{screen:?}");
    assert!(screen.contains("1 of 1 scenario"), "{screen:?}");
}

#[test]
fn names_that_are_no_system_are_refused() {
    let out: Output = world().fr(&["drill", "--system", "tape"]);
    assert_eq!(out.code, 2);
    assert!(out.stderr.contains("files, git, git-remote"), "{out:?}");
    let help = world().fr(&["drill", "--help"]).ok().stdout;
    assert!(help.contains("Examples:\n  fr drill"), "{help}");
}

#[test]
fn the_demo_takes_its_incidents_back_and_leaves_nothing() {
    let env = world();
    let proofs = env.fr(&["demo", "--json"]).ok().json();
    let proofs = proofs.as_array().unwrap();
    assert_eq!(proofs.len(), 6);
    assert!(proofs.iter().all(|p| p["changed"] == true && p["identical"] == true), "{proofs:#?}");
    let text = env.fr(&["demo"]).ok().stdout;
    assert!(text.contains("# rm -rf src notes.txt  identical\n\n6 of 6 commands taken back"), "{text}");
    assert_eq!(left(&env), Vec::<PathBuf>::new());
    assert!(!env.fr_home.exists(), "the user's store has nothing to do with it");
}

/// A tree with one thing of each kind, for the comparison itself.
fn tree() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("tree");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("file"), "content").unwrap();
    fs::write(root.join("one"), "linked").unwrap();
    fs::hard_link(root.join("one"), root.join("two")).unwrap();
    symlink("file", root.join("link")).unwrap();
    fs::File::create(root.join("hole")).unwrap().set_len(1 << 20).unwrap();
    fs::write(root.join(std::ffi::OsStr::from_bytes(b"caf\xe9\n")), "name").unwrap();
    (dir, root)
}

fn look(root: &Path) -> Look {
    let mut look = Look::default();
    look.add_files(root, None).unwrap();
    look
}

/// What the comparison says when this is done to a tree, with the times of all directories put back.
fn said(change: impl FnOnce(&Path)) -> Vec<String> {
    let (_dir, root) = tree();
    let before = look(&root);
    assert_eq!(differences(&before, &look(&root)), Vec::<String>::new());
    let times = [&root, &root.join("sub")].map(|d| (d.clone(), d.metadata().unwrap().modified().unwrap()));
    change(&root);
    for (dir, time) in times.into_iter().filter(|(dir, _)| dir.is_dir()) {
        fs::File::open(dir).unwrap().set_modified(time).unwrap();
    }
    differences(&before, &look(&root))
}

/// Does something to a file and gives it back its time.
fn unseen(path: PathBuf, change: impl FnOnce(&Path)) {
    let time = path.metadata().unwrap().modified().unwrap();
    change(&path);
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
}

#[test]
fn the_comparison_sees_each_kind_of_difference_alone() {
    #[track_caller]
    fn one(differences: Vec<String>, start: &str, part: &str) {
        assert_eq!(differences.len(), 1, "{differences:?}");
        assert!(differences[0].starts_with(start) && differences[0].contains(part), "{differences:?}");
    }
    one(said(|t| unseen(t.join("file"), |f| fs::write(f, "CONTENT").unwrap())), "file: was file", "content");
    let mode = |t: &Path| fs::set_permissions(t.join("file"), fs::Permissions::from_mode(0o600)).unwrap();
    one(said(mode), "file: was file, mode 644", "is file, mode 600");
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    let time = |t: &Path| fs::File::open(t.join("file")).unwrap().set_modified(epoch).unwrap();
    one(said(time), "file: was", "modified 0.000000000");
    one(said(|t| fs::remove_file(t.join("file")).unwrap()), "file: gone (was file", "");
    one(said(|t| fs::remove_dir(t.join("sub")).unwrap()), "sub: gone (was directory", "");
    one(said(|t| fs::create_dir(t.join("more")).unwrap()), "more: new (directory", "");
    let name = |t: &Path| fs::remove_file(t.join(std::ffi::OsStr::from_bytes(b"caf\xe9\n"))).unwrap();
    one(said(name), "caf\\xe9\\n: gone", "");
    let filled = |t: &Path| unseen(t.join("hole"), |f| fs::write(f, vec![0u8; 1 << 20]).unwrap());
    one(said(filled), "hole: was file", "data 0-1048576");
    let unlinked = |t: &Path| {
        fs::remove_file(t.join("two")).unwrap();
        fs::copy(t.join("one"), t.join("two")).unwrap();
        let time = t.join("one").metadata().unwrap().modified().unwrap();
        fs::File::open(t.join("two")).unwrap().set_modified(time).unwrap();
    };
    assert_eq!(said(unlinked).len(), 2, "both names are no longer the same file");
    let bent = |t: &Path| {
        fs::remove_file(t.join("link")).unwrap();
        symlink("elsewhere", t.join("link")).unwrap();
    };
    one(said(bent), "link: was link", "to elsewhere");
}
