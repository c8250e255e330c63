//! A repository that wants to run programs when it is looked at.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use fr::model::{StepOutcome, StepVerdict};
use fr::systems::System;
use fr::systems::git::Git;

use super::scene::Scene;

/// Every way this configuration can start a program leaves the file `ran`.
fn arm(s: &Scene) -> std::path::PathBuf {
    let ran = s.dir.path().join("ran");
    let script = s.dir.path().join("evil");
    fs::write(&script, format!("#!/bin/sh\ntouch {}\ncat\n", ran.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let evil = script.display().to_string();
    let included = s.dir.path().join("included");
    fs::write(&included, format!("[core]\n\tfsmonitor = {evil}\n\thooksPath = {}\n", s.dir.path().display()))
        .unwrap();
    let config = format!(
        "[core]\n\tfsmonitor = {evil}\n\tsshCommand = {evil}\n\tpager = {evil}\n\teditor = {evil}\n\
         \talternateRefsCommand = {evil}\n\tgitProxy = {evil}\n\taskPass = {evil}\n\
         [filter \"x\"]\n\tclean = {evil}\n\tsmudge = {evil}\n\tprocess = {evil}\n\trequired = true\n\
         [diff \"x\"]\n\ttextconv = {evil}\n\tcommand = {evil}\n[diff]\n\texternal = {evil}\n\
         [merge \"x\"]\n\tdriver = {evil}\n[credential]\n\thelper = {evil}\n[gpg]\n\tprogram = {evil}\n\
         [alias]\n\tstatus = !{evil}\n[include]\n\tpath = {}\n[uploadpack]\n\tpackObjectsHook = {evil}\n",
        included.display()
    );
    let path = s.work.join(".git/config");
    let old = fs::read_to_string(&path).unwrap();
    fs::write(&path, old + &config).unwrap();
    fs::write(s.work.join(".git/info/attributes"), "* filter=x diff=x merge=x\n").unwrap();
    for hook in ["reference-transaction", "post-checkout", "post-index-change", "pre-auto-gc", "post-rewrite"]
    {
        fs::copy(&script, s.work.join(".git/hooks").join(hook)).unwrap();
    }
    ran
}

#[test]
fn nothing_of_it_runs_through_capture_plan_apply_and_restore() {
    let s = Scene::new();
    s.write("a.txt", "staged\n");
    s.git("add a.txt");
    let main = s.git("rev-parse main");
    let ran = arm(&s);
    let before = s.capture("refs,index,objects");
    // By hand: git itself would run what was planted.
    fs::write(s.work.join(".git/refs/heads/main"), s.git_dir_value("refs/heads/topic")).unwrap();
    fs::remove_file(s.work.join(".git/refs/heads/topic")).unwrap();
    fs::remove_file(s.work.join(".git/index")).unwrap();
    let after = s.observe(&before);
    let captured = fr::model::Captured { before, after: Some(after) };
    let step = s.plan(&captured);
    assert_eq!(step.verdict, StepVerdict::Restore);
    assert_eq!(s.apply(&step), StepOutcome::Done);
    let to = s.dir.path().join("beside");
    assert_eq!(Git.restore_to(&captured.before, &to, &s.apply_cx()).unwrap(), StepOutcome::Done);
    assert_eq!(s.observe(&captured.before).digest, captured.before.state.digest);
    assert!(!ran.exists(), "a program of the repository ran");
    assert_eq!(s.git_at(&to, "rev-parse main"), main);
    // The trap itself works: without this the test could not fail.
    s.try_git_at(&s.work, "-c safe.directory=* status");
    assert!(ran.exists(), "the trap is armed");
}

#[test]
fn links_do_not_lead_out() {
    let s = Scene::new();
    let outside = s.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret\n").unwrap();
    symlink(outside.join("secret"), s.work.join(".git/MERGE_MSG")).unwrap();
    symlink(&outside, s.work.join(".git/refs/heads/out")).unwrap();
    let before = s.capture("refs");
    let names: Vec<String> = before.missing.iter().map(|m| m.what.lossy().into_owned()).collect();
    assert!(names.iter().any(|n| n.ends_with("MERGE_MSG")), "{names:?}");
    assert!(names.iter().any(|n| n.ends_with("refs/heads/out")), "{names:?}");
    assert!(!s.store.holds(b"secret\n"), "a file outside was not read");
    fs::rename(s.work.join(".git/logs"), s.dir.path().join("logs")).unwrap();
    symlink(s.dir.path().join("logs"), s.work.join(".git/logs")).unwrap();
    assert!(s.capture("refs").missing.iter().any(|m| m.why.contains("symbolic link")), "not silently empty");
    // A directory that becomes a link between plan and apply.
    let c = s.record_partial("refs", |s| drop(s.git("update-ref -d refs/heads/topic")));
    let step = s.plan(&c);
    fs::rename(s.work.join(".git/refs/heads"), s.work.join(".git/refs/moved")).unwrap();
    symlink(&outside, s.work.join(".git/refs/heads")).unwrap();
    assert!(!matches!(s.apply(&step), StepOutcome::Done));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1, "nothing was written outside");
}

#[test]
fn what_could_not_be_read_is_not_taken_for_new() {
    let s = Scene::new();
    let heads = s.work.join(".git/refs/heads");
    let aside = s.dir.path().join("heads");
    fs::rename(&heads, &aside).unwrap();
    symlink(&aside, &heads).unwrap();
    let c = s.record_partial("refs", |_| {
        fs::remove_file(&heads).unwrap();
        fs::rename(&aside, &heads).unwrap();
    });
    let step = s.plan(&c);
    assert_eq!(step.verdict, StepVerdict::Already, "no branch is removed: {}", step.action);
    assert!(!step.not_restored.is_empty());
}

#[test]
fn pipes_do_not_make_it_wait() {
    let s = Scene::new();
    let pipe = |name: &str| {
        let path = s.work.join(".git").join(name);
        let _ = fs::remove_file(&path);
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    for name in [
        "objects/info/alternates",
        "MERGE_HEAD",
        "refs/heads/pipe",
        "logs/refs/heads/topic",
        "index",
        "packed-refs",
    ] {
        pipe(name);
        assert!(!s.capture("refs,objects").is_complete(), "{name} is named");
    }
    pipe("commondir");
    s.capture("refs");
}

#[test]
fn damage_is_no_panic() {
    let s = Scene::new();
    let index = fs::read(s.work.join(".git/index")).unwrap();
    for cut in [0, 3, 11, 12, 40, 75, index.len() - 1] {
        fs::write(s.work.join(".git/index"), &index[..cut]).unwrap();
        let c = s.capture("refs,index");
        assert!(!c.is_complete(), "a damaged index is named");
    }
    for at in (0..index.len()).step_by(7) {
        let mut bent = index.clone();
        bent[at] ^= 0xff;
        fs::write(s.work.join(".git/index"), &bent).unwrap();
        s.capture("refs,index");
    }
    fs::write(s.work.join(".git/packed-refs"), b"\xff\xfe \n^^^\n0123 x\n").unwrap();
    fs::write(s.work.join(".git/refs/heads/bad"), b"not a value\n").unwrap();
    fs::write(s.work.join(".git/HEAD"), b"ref: refs/heads/\xff\n").unwrap();
    assert!(!s.capture("refs").is_complete());
}
