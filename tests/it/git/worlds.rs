//! Conflicts, other kinds of repositories, and the vault.

use std::fs;
use std::path::Path;

use fr::model::{Captured, StepOutcome, StepVerdict};
use fr::systems::System;
use fr::systems::git::{Git, difference};

use super::scene::{Scene, pretty};

const ALL: &str = "refs,index,worktree";

fn reset(s: &Scene) -> Captured {
    s.record(ALL, |s| drop(s.git("reset -q --hard HEAD~1")))
}

fn conflict(s: &Scene, captured: &Captured) -> String {
    match s.plan(captured).verdict {
        StepVerdict::Conflict { reason } => reason,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

#[test]
fn a_later_commit_is_a_conflict_and_nothing_changes() {
    let s = Scene::new();
    let c = reset(&s);
    let stale = s.plan(&c);
    s.write("human.txt", "mine\n");
    s.git("add -A");
    s.git("commit -q -m human");
    let shot = s.shot();
    let reason = conflict(&s, &c);
    assert!(reason.contains("refs/heads/main is at"), "{reason}");
    assert!(matches!(s.apply(&stale), StepOutcome::Conflict { .. }), "a plan made earlier is checked again");
    pretty(&s.shot(), &shot);
}

#[test]
fn a_branch_below_the_name_is_a_conflict() {
    let s = Scene::new();
    let c = s.record("refs,config", |s| drop(s.git("branch -q -D topic")));
    s.git("branch topic/below");
    assert!(conflict(&s, &c).contains("refs/heads/topic/below, which was made since"));
    s.git("branch -q -D topic/below");
    s.undo(&c);
}

#[test]
fn a_staged_change_since_is_a_conflict() {
    let s = Scene::new();
    let c = reset(&s);
    s.write("human.txt", "mine\n");
    s.git("add human.txt");
    assert!(conflict(&s, &c).contains("the index was changed since"));
}

#[test]
fn a_stash_pushed_since_is_a_conflict() {
    let s = Scene::new();
    s.write("a.txt", "1\n");
    s.git("stash push -q");
    let c = s.record("refs,stash", |s| drop(s.git("stash drop -q")));
    s.write("a.txt", "2\n");
    s.git("stash push -q");
    assert!(conflict(&s, &c).contains("stash"));
}

#[test]
fn what_others_did_elsewhere_is_not_touched() {
    let s = Scene::new();
    let c = s.record("refs,config", |s| drop(s.git("branch -q -D topic")));
    s.write("human.txt", "mine\n");
    s.git("add -A");
    s.git("commit -q -m human");
    s.git("branch other");
    let head = s.git("rev-parse HEAD");
    let step = s.plan(&c);
    assert_eq!(step.verdict, StepVerdict::Restore);
    assert_eq!(s.apply(&step), StepOutcome::Done);
    assert_eq!(s.git("rev-parse HEAD"), head);
    s.git("rev-parse topic other");
    let now = s.observe(&c.before);
    assert_ne!(now.digest, c.before.state.digest);
    let left = difference(&c.before.state, c.after.as_ref(), &now, &s.store).unwrap();
    assert_eq!(left, Vec::<String>::new(), "all that the command changed is back");
}

#[test]
fn without_a_post_state_only_what_is_gone_comes_back() {
    let s = Scene::new();
    let mut c = s.record("refs,config", |s| drop(s.git("branch -q -D topic")));
    c.after = None;
    let step = s.plan(&c);
    assert_eq!(step.verdict, StepVerdict::Restore);
    assert_eq!(s.apply(&step), StepOutcome::Done);
    s.git("rev-parse topic");
    let mut c = reset(&s);
    c.after = None;
    conflict(&s, &c);
}

#[test]
fn a_push_is_not_called_undone() {
    let s = Scene::new();
    s.git("commit -q --allow-empty -m more");
    let c = s.record_partial("refs,remote", |s| drop(s.git("push -q --force origin main")));
    let step = s.plan(&c);
    assert!(matches!(step.verdict, StepVerdict::NotCaptured { .. }), "{step:?}");
    assert_eq!(step.reversibility, fr::model::Reversibility::Compensating);
    let c = s.record("worktree", |s| s.write("untracked", "1"));
    assert_eq!(s.steps(&c), [], "nothing of the repository changed");
}

#[test]
fn held_locks_are_respected() {
    let s = Scene::new();
    for lock in [".git/index.lock", ".git/refs/heads/main.lock"] {
        let c = reset(&s);
        let step = s.plan(&c);
        s.write(lock, "");
        match s.apply(&step) {
            StepOutcome::Failed { reason } => assert!(reason.contains("lock"), "{reason}"),
            other => panic!("{other:?}"),
        }
        assert!(s.work.join(lock).exists(), "somebody else's lock stays");
        fs::remove_file(s.work.join(lock)).unwrap();
        assert_eq!(s.apply(&step), StepOutcome::Done, "the same step goes on where it stopped");
        assert_eq!(s.observe(&c.before).digest, c.before.state.digest);
    }
}

#[test]
fn an_undo_that_was_cut_short_goes_on() {
    let mut cut = 0;
    loop {
        let s = Scene::new();
        s.git("switch -q topic");
        s.write("a.txt", "stash\n");
        s.git("stash push -q");
        let (files, shot) = (s.files(), s.shot());
        let c = s.record("refs,index,stash,config", |s| {
            s.git("switch -q main");
            s.git("branch -q -D topic");
            s.git("branch -q topic/below");
            s.git("reset -q --hard HEAD~1");
            s.git("stash clear");
            s.git("remote remove origin");
        });
        let step = s.plan(&c);
        let mut short = step.clone();
        let actions = short.payload["actions"].as_array_mut().unwrap();
        let total = actions.len();
        assert!(total >= 8, "{total}");
        actions.truncate(cut);
        assert_eq!(s.apply(&short), StepOutcome::Done);
        assert_eq!(s.apply(&step), StepOutcome::Done, "after {cut} of {total} actions");
        assert_eq!(s.observe(&c.before).digest, c.before.state.digest);
        s.put_files(&files);
        pretty(&s.shot(), &shot);
        cut += 1;
        if cut > total {
            break;
        }
    }
}

#[test]
fn two_captures_at_once_and_a_half_made_vault() {
    let s = Scene::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(s.capture(ALL).missing, []));
        }
    });
    // As a crash leaves it: some objects are there, the marker is not.
    let vault = s.only_vault();
    fs::remove_file(vault.join("whole")).unwrap();
    let tip = s.git("rev-parse HEAD");
    let parent = s.git("rev-parse HEAD~1");
    let (dir, rest) = parent.trim().split_at(2);
    fs::remove_file(vault.join("objects").join(dir).join(rest)).unwrap();
    s.capture(ALL);
    s.git_at(&vault, &format!("rev-list --objects {}", tip.trim()));
}

#[test]
fn a_vault_on_another_file_system_holds_copies_within_the_cap() {
    let s = Scene::new();
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
    let effect = s.effect(&s.work, ALL);
    let small = s.capture_into(&effect, other.path(), 100).unwrap().remove(0);
    assert!(small.missing.iter().any(|m| m.why.contains("over the cap")), "{:?}", small.missing);
    let whole = s.capture_into(&effect, other.path(), 1 << 20).unwrap().remove(0);
    assert_eq!(whole.missing, []);
    let vault = fs::read_dir(other.path()).unwrap().next().unwrap().unwrap().path();
    s.git_at(&vault, &format!("rev-list --objects {}", s.git("rev-parse main").trim()));
}

#[test]
fn linked_worktrees() {
    let s = Scene::new();
    s.git("worktree add -q ../linked topic");
    let linked = s.dir.path().join("linked");
    fs::write(linked.join("topic.txt"), "staged in linked\n").unwrap();
    s.git_at(&linked, "add -A");
    let staged = s.git_at(&linked, "rev-parse :topic.txt");
    s.capture(ALL);
    s.git_at(&s.only_vault(), &format!("cat-file -e {}", staged.trim()));
    let shot = s.shot_at(&linked);
    let before = s.capture_at(&linked, ALL);
    assert!(before.resource.as_slice().ends_with(b"/linked"), "{:?}", before.resource);
    let bytes = fs::read(linked.join("topic.txt")).unwrap();
    s.git_at(&linked, "reset -q --hard HEAD~1");
    let after = s.observe(&before);
    s.git("commit -q --allow-empty -m elsewhere");
    let c = Captured { before, after: Some(after) };
    let main = s.git("rev-parse main");
    let step = s.plan(&c);
    assert_eq!(s.apply(&step), StepOutcome::Done);
    fs::write(linked.join("topic.txt"), bytes).unwrap();
    let mut wanted = shot;
    wanted[0] = s.shot_at(&linked)[0].clone(); // main moved, by somebody else
    wanted[7] = s.shot_at(&linked)[7].clone();
    pretty(&s.shot_at(&linked), &wanted);
    assert_eq!(s.git("rev-parse main"), main, "the other working tree's branch stays");
}

#[test]
fn a_removed_worktree_is_known_again() {
    let s = Scene::new();
    s.git("worktree add -q ../linked topic");
    let linked = s.dir.path().join("linked");
    let (list, gitfile) = (s.git("worktree list"), fs::read(linked.join(".git")).unwrap());
    let c = s.record("refs,worktree", |s| drop(s.git("worktree remove ../linked")));
    s.undo(&c);
    fs::create_dir(&linked).unwrap();
    fs::write(linked.join(".git"), gitfile).unwrap();
    assert_eq!(s.git("worktree list"), list);
    s.git_at(&linked, "reset -q --hard");
    assert_eq!(fs::read_to_string(linked.join("topic.txt")).unwrap(), "topic\n");
    s.git("worktree remove ../linked");
    let c = s.record("refs,worktree", |s| drop(s.git("worktree add -q ../again topic")));
    fs::remove_dir_all(s.dir.path().join("again")).unwrap();
    s.undo(&c);
}

#[test]
fn bare_repositories_subdirectories_and_git_dir() {
    let s = Scene::new();
    let remote = s.dir.path().join("remote.git");
    let before = s.capture_at(&remote, "refs");
    s.git_at(&remote, "branch -q -D main");
    let after = s.observe(&before);
    let step = s.plan(&Captured { before, after: Some(after) });
    assert_eq!(s.apply(&step), StepOutcome::Done);
    s.git_at(&remote, "rev-parse main");
    let (top, below) = (s.capture("refs"), s.capture_at(&s.work.join("dir"), "refs"));
    assert_eq!((&top.resource, top.state), (&below.resource, below.state));
    let mut effect = s.effect(s.dir.path(), "refs");
    let opts = &mut effect.locator.as_mut().unwrap().opts;
    opts.insert("git-dir".to_owned(), s.work.join(".git").into());
    opts.insert("work-tree".to_owned(), s.work.as_path().into());
    assert_eq!(s.capture_effect(&effect).unwrap()[0].state, top.state);
    let nowhere = s.effect(&s.dir.path().join("home"), "refs");
    let error = s.capture_effect(&nowhere).unwrap_err();
    assert!(error.what.contains("no git repository at"), "{error}");
}

#[test]
fn shallow_clones_are_complete_captures() {
    let s = Scene::new();
    let url = format!("clone -q --depth 1 file://{}/remote.git ../shallow", s.dir.path().display());
    s.git(&url);
    let at = s.dir.path().join("shallow");
    let before = s.capture_at(&at, ALL);
    assert_eq!(before.missing, []);
    fs::write(at.join("a.txt"), "more\n").unwrap();
    s.git_at(&at, "commit -q -a -m more");
    let before = s.capture_at(&at, ALL);
    assert_eq!(before.missing, []);
    let tip = s.git_at(&at, "rev-parse main");
    s.git_at(&at, "reset -q --hard HEAD~1");
    s.git_at(&at, "reflog expire --expire=now --all");
    s.git_at(&at, "gc -q --prune=now");
    let after = s.observe(&before);
    let step = s.plan(&Captured { before, after: Some(after) });
    assert_eq!(s.apply(&step), StepOutcome::Done);
    assert_eq!(s.git_at(&at, "rev-parse main"), tip);
    s.git_at(&at, "fsck --connectivity-only");
}

#[test]
fn objects_borrowed_from_another_repository() {
    let s = Scene::new();
    s.git("clone -q --shared ../work ../borrower");
    let at = s.dir.path().join("borrower");
    let before = s.capture_at(&at, ALL);
    assert_eq!(before.missing, []);
    let vault = s.only_vault();
    let tip = s.git_at(&at, "rev-parse main");
    s.git_at(&vault, &format!("cat-file -e {}", tip.trim()));
    s.git_at(&vault, &format!("rev-list --objects {}", tip.trim()));
}

#[test]
fn the_vault_is_private_and_complete_and_grows_by_what_is_new() {
    use std::os::unix::fs::PermissionsExt;
    let s = Scene::new();
    s.capture(ALL);
    let vault = s.only_vault();
    assert_eq!(fs::metadata(&vault).unwrap().permissions().mode() & 0o777, 0o700);
    let packs = |vault: &Path| fs::read_dir(vault.join("objects/pack")).unwrap().count();
    let before = packs(&vault);
    s.capture(ALL);
    assert_eq!(packs(&vault), before, "nothing new, nothing written");
    s.write("new.txt", "new\n");
    s.git("add new.txt");
    s.git("commit -q -m new");
    s.capture(ALL);
    assert_eq!(packs(&vault), before + 2, "one pack with its index");
    let tip = s.git("rev-parse HEAD");
    fs::remove_dir_all(s.work.join(".git/objects")).unwrap();
    let listed = s.git_at(&vault, &format!("rev-list --objects {}", tip.trim()));
    assert!(listed.contains("new.txt") && listed.contains("dir/f1.txt"));
    let listed = s.git_at(&vault, "count-objects -v");
    assert!(listed.contains("in-pack: 3"), "commit, tree and blob only: {listed}");
}

#[test]
fn the_old_state_beside_the_present() {
    let s = Scene::new();
    s.write("a.txt", "stashed\n");
    s.git("stash push -q");
    let (tip, stash) = (s.git("rev-parse main"), s.git("stash list --format=%H"));
    let c = s.record("refs,stash,objects", |s| {
        s.git("stash clear");
        s.git("reset -q --hard HEAD~2");
        s.git("update-ref -d refs/remotes/origin/main");
        s.git("reflog expire --expire=now --all");
        s.git("gc -q --prune=now");
    });
    let to = s.dir.path().join("beside");
    assert_eq!(Git.restore_to(&c.before, &to, &s.apply_cx()).unwrap(), StepOutcome::Done);
    assert_eq!(s.git_at(&to, "rev-parse main"), tip);
    assert_eq!(s.git_at(&to, "reflog show --format=%H refs/stash"), stash);
    s.git_at(&to, "fsck");
    assert!(
        Git.restore_to(&c.before, &to, &s.apply_cx()).is_err(),
        "never into a directory that holds something"
    );
}

#[test]
fn reftable_repositories() {
    let s = Scene::empty();
    fs::remove_dir_all(s.work.join(".git")).unwrap();
    s.git("init -q --ref-format=reftable");
    s.write("a.txt", "1\n");
    s.git("add -A");
    s.git("commit -q -m one");
    s.git("branch topic");
    s.git("tag -a -m v v1");
    let peeled = s.git("show-ref -d --tags");
    s.round(ALL, |s| {
        s.git("branch -D topic");
        s.git("tag -d v1");
        s.git("checkout -q --orphan other");
    });
    // Servers tell clients what a tag leads to; a table that does not say it would hide that.
    assert_eq!(s.git("show-ref -d --tags"), peeled);
}

#[test]
fn sha256_repositories() {
    let s = Scene::empty();
    fs::remove_dir_all(s.work.join(".git")).unwrap();
    s.git("init -q --object-format=sha256");
    for n in 1..=2 {
        s.write("a.txt", &format!("{n}\n"));
        s.git("add -A");
        s.git("commit -q -m c");
    }
    s.write("a.txt", "staged\n");
    s.git("add -A");
    s.round(ALL, |s| {
        s.git("reset -q --hard HEAD~1");
        s.git("reflog expire --expire=now --all");
        s.git("gc -q --prune=now");
    });
}

#[test]
fn index_version_4_and_sparse_flags() {
    let s = Scene::new();
    s.git("update-index --index-version 4");
    s.git("update-index --skip-worktree dir/f1.txt");
    s.git("update-index --assume-unchanged dir/f2.txt");
    s.write("later.txt", "x\n");
    s.git("add -N later.txt");
    let flags = s.git("ls-files -v");
    s.round(ALL, |s| drop(s.git("update-index --no-skip-worktree dir/f1.txt")));
    s.round(ALL, |s| drop(s.git("read-tree HEAD")));
    assert_eq!(s.git("ls-files -v"), flags);
}

#[test]
fn names_that_are_not_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let s = Scene::new();
    let tip = s.git("rev-parse topic");
    let branch = OsStr::from_bytes(b"refs/heads/caf\xe9");
    let run = |args: &[&OsStr]| assert!(s.command(&s.work).args(args).status().unwrap().success());
    run(&["update-ref".as_ref(), branch, tip.trim().as_ref()]);
    s.round("refs", |_| run(&["update-ref".as_ref(), "-d".as_ref(), branch]));
    let odd = s.dir.path().join(OsStr::from_bytes(b"caf\xe9"));
    fs::rename(&s.work, &odd).unwrap();
    let before = s.capture_at(&odd, "refs,objects");
    assert_eq!(before.missing, []);
    s.git_at(&odd, "branch -q -D topic");
    let after = s.observe(&before);
    let step = s.plan(&Captured { before, after: Some(after) });
    assert_eq!(s.apply(&step), StepOutcome::Done);
    assert_eq!(s.git_at(&odd, "rev-parse topic"), tip);
}
