//! One test per destructive command: record, run, undo, compare.

use super::scene::Scene;

const ALL: &str = "refs,index,worktree";

fn dirty(s: &Scene) {
    s.write("staged.txt", "staged only\n");
    s.git("add staged.txt");
    std::fs::remove_file(s.work.join("staged.txt")).unwrap();
    s.write("a.txt", "staged\n");
    s.git("add a.txt");
    s.write("a.txt", "unstaged\n");
    s.git("rm -q --cached dir/f1.txt");
    s.git("update-index --chmod=+x dir/f2.txt");
}

fn stashes(s: &Scene) {
    for n in 1..=3 {
        s.write("a.txt", &format!("stash {n}\n"));
        s.write("untracked.txt", &format!("untracked {n}\n"));
        s.git(&format!("stash push -q -u -m s{n}"));
    }
}

fn commit(s: &Scene, text: &str) {
    s.write("a.txt", text);
    s.git("commit -q -a -m change");
}

#[test]
fn reset_hard_with_staged_only_blobs() {
    let s = Scene::new();
    dirty(&s);
    let c = s.round(ALL, |s| drop(s.git("reset -q --hard HEAD~2")));
    assert!(c.before.items > 5);
    let log = s.reflog("main");
    assert!(log[0].ends_with(":fr: undo 7"), "the move back is in the log: {log:?}");
    assert!(log[1].contains("reset: moving to HEAD~2"), "what happened stays in the log");
    assert!(s.reflog("HEAD")[0].ends_with(":fr: undo 7"));
}

#[test]
fn staged_blobs_that_were_pruned_come_back_from_the_vault() {
    let s = Scene::new();
    s.capture(ALL); // the vault exists: what follows is walked, not linked
    dirty(&s);
    s.round(ALL, |s| {
        s.git("reset -q --hard HEAD~2");
        s.git("reflog expire --expire=now --all");
        s.git("gc -q --prune=now");
    });
    assert_eq!(s.git("show :staged.txt"), "staged only\n");
}

#[test]
fn mixed_reset_and_checkout_of_paths() {
    let s = Scene::new();
    dirty(&s);
    s.round(ALL, |s| drop(s.git("reset -q HEAD~1")));
    s.round(ALL, |s| drop(s.git("checkout -q HEAD~2 -- a.txt")));
    s.round(ALL, |s| drop(s.git("rm -q -r -f dir")));
}

#[test]
fn branch_delete_brings_reflog_and_config_back() {
    let s = Scene::new();
    s.git("push -q -u origin topic");
    let (log, config) = (s.reflog("topic"), s.git("config --get-regexp branch.topic"));
    s.round("refs,config", |s| drop(s.git("branch -q -D topic")));
    assert_eq!(s.reflog("topic"), log);
    assert_eq!(s.git("config --get-regexp branch.topic"), config);
}

#[test]
fn branch_delete_in_packed_refs_with_config_edited_since() {
    let s = Scene::new();
    s.git("push -q -u origin topic");
    s.git("pack-refs --all");
    let c = s.record("refs,config", |s| drop(s.git("branch -q -D topic")));
    s.git("config user.nickname later");
    let step = s.plan(&c);
    assert_eq!(s.apply(&step), fr::model::StepOutcome::Done);
    assert_eq!(s.git("config user.nickname").trim(), "later");
    assert_eq!(s.git("config branch.topic.remote").trim(), "origin");
    assert_eq!(s.git("log -1 --format=%s topic").trim(), "topic");
}

#[test]
fn branch_rename_and_force() {
    let s = Scene::new();
    s.git("branch old topic");
    let logs = (s.reflog("old"), s.reflog("topic"), s.reflog("main"));
    s.round("refs,config", |s| drop(s.git("branch -M topic old")));
    s.round("refs,config", |s| drop(s.git("branch -M main trunk")));
    s.round("refs", |s| drop(s.git("branch -q -f topic main")));
    s.round("refs,config", |s| drop(s.git("branch -m topic topic/below")));
    assert_eq!((s.reflog("old"), s.reflog("main")), (logs.0, logs.2));
    assert!(s.reflog("topic").ends_with(&logs.1));
}

#[test]
fn tag_delete_keeps_the_tag_object() {
    let s = Scene::new();
    let tag = s.git("rev-parse refs/tags/v1");
    s.round("refs", |s| {
        s.git("tag -d v1");
        s.git("tag -d light");
        s.git("gc -q --prune=now");
    });
    assert_eq!(s.git("rev-parse refs/tags/v1"), tag);
    assert_eq!(s.git("cat-file -t refs/tags/v1").trim(), "tag");
    s.round("refs", |s| drop(s.git("tag -f v1 HEAD")));
}

#[test]
fn stash_drop_in_the_middle_pop_and_clear_keep_the_order() {
    let s = Scene::new();
    stashes(&s);
    s.round("refs,stash", |s| drop(s.git("stash drop -q stash@{1}")));
    s.round("refs,stash,worktree", |s| drop(s.git("stash pop -q")));
    s.round("refs,stash", |s| {
        s.git("stash clear");
        s.git("gc -q --prune=now");
    });
    assert_eq!(s.git("show stash@{2}^3:untracked.txt"), "untracked 1\n");
    let list = s.git("stash list --format=%gs");
    assert_eq!(list.lines().collect::<Vec<_>>(), ["On main: s3", "On main: s2", "On main: s1"]);
}

#[test]
fn first_stash_push_is_taken_back() {
    let s = Scene::new();
    s.write("a.txt", "work\n");
    s.round("refs,stash,index,worktree", |s| drop(s.git("stash push -q")));
}

#[test]
fn a_commit_that_is_still_the_tip() {
    let s = Scene::new();
    dirty(&s);
    s.round(ALL, |s| drop(s.git("commit -q -m new")));
    s.round(ALL, |s| drop(s.git("commit -q --amend -a -m amended")));
}

#[test]
fn rebase_finished() {
    let s = Scene::new();
    s.git("switch -q topic");
    s.round(ALL, |s| drop(s.git("rebase -q main")));
    assert!(s.read("topic.txt").contains("topic"));
}

fn conflicting(s: &Scene) {
    s.git("switch -q topic");
    commit(s, "topic's line\n");
    s.git("switch -q main");
}

#[test]
fn a_stopped_rebase_comes_and_goes() {
    let s = Scene::new();
    conflicting(&s);
    let stop = |s: &Scene| assert!(!s.try_git_at(&s.work, "rebase main topic").status.success());
    s.round(ALL, stop);
    assert!(!s.work.join(".git/rebase-merge").exists(), "no rebase is in progress");
    stop(&s);
    s.round(ALL, |s| drop(s.git("rebase --abort")));
    assert!(s.git("status").contains("rebase in progress"));
    s.write("a.txt", "solved\n");
    s.git("add a.txt");
    s.git("rebase --continue");
}

#[test]
fn merges_cherry_picks_and_reverts() {
    let s = Scene::new();
    s.round(ALL, |s| drop(s.git("merge -q topic -m merged")));
    conflicting(&s);
    let stop = |s: &Scene| assert!(!s.try_git_at(&s.work, "merge topic").status.success());
    s.round(ALL, stop);
    stop(&s);
    s.round(ALL, |s| drop(s.git("merge --abort")));
    s.git("merge --abort");
    s.round(ALL, |s| assert!(!s.try_git_at(&s.work, "cherry-pick topic").status.success()));
    s.round(ALL, |s| drop(s.git("revert --no-edit HEAD")));
}

#[test]
fn checkout_b_update_ref_and_symbolic_ref() {
    let s = Scene::new();
    s.round(ALL, |s| drop(s.git("checkout -q -B topic main")));
    s.round("refs", |s| drop(s.git("update-ref -d refs/heads/topic")));
    s.round("refs", |s| drop(s.git("symbolic-ref HEAD refs/heads/topic")));
    s.round("refs", |s| drop(s.git("update-ref refs/notes/x HEAD")));
}

#[test]
fn switch_and_detached_head() {
    let s = Scene::new();
    s.round(ALL, |s| drop(s.git("switch -q topic")));
    s.round(ALL, |s| drop(s.git("switch -q --detach HEAD~1")));
    s.git("switch -q --detach HEAD~1");
    s.round(ALL, |s| drop(s.git("switch -q main")));
    s.round(ALL, |s| commit(s, "detached\n"));
}

#[test]
fn unborn_branch() {
    let s = Scene::empty();
    s.write("first.txt", "1\n");
    s.git("add -A");
    s.round(ALL, |s| drop(s.git("commit -q -m first")));
    assert_eq!(s.git("ls-files"), "first.txt\n");
}

#[test]
fn expired_and_pruned_history_comes_back() {
    let s = Scene::new();
    commit(&s, "lost\n");
    let lost = s.git("rev-parse HEAD");
    s.git("reset -q --hard HEAD~1");
    let (log, of_branch) = (s.reflog("HEAD"), s.reflog("main"));
    let c = s.record("refs,objects", |s| {
        s.git("reflog expire --expire=now --expire-unreachable=now --all");
        s.git("gc -q --prune=now");
    });
    let gone = s.try_git_at(&s.work, &format!("cat-file -e {}", lost.trim()));
    assert!(!gone.status.success(), "the object is really gone");
    let step = s.plan(&c);
    assert_eq!(s.apply(&step), fr::model::StepOutcome::Done);
    assert_eq!((s.reflog("HEAD"), s.reflog("main")), (log, of_branch));
    assert_eq!(s.git(&format!("show {}:a.txt", lost.trim())), "lost\n");
}

#[test]
fn pruned_objects_that_nothing_names_come_back() {
    let s = Scene::new();
    s.write("loose.txt", "never committed\n");
    let id = s.git("hash-object -w loose.txt");
    let c = s.record("objects", |s| drop(s.git("prune --expire=now")));
    assert!(!s.try_git_at(&s.work, &format!("cat-file -e {}", id.trim())).status.success());
    let step = s.plan(&c);
    assert_eq!(step.action, "bring back 1 objects");
    assert_eq!(s.apply(&step), fr::model::StepOutcome::Done);
    assert_eq!(s.git(&format!("cat-file blob {}", id.trim())), "never committed\n");
    assert_eq!(s.plan(&c).verdict, fr::model::StepVerdict::Already);
}

#[test]
fn remotes_and_fetch_prune() {
    let s = Scene::new();
    s.git("push -q origin topic");
    s.git("remote set-head origin main");
    s.git_at(&s.dir.path().join("remote.git"), "branch -q -D topic");
    s.round("refs,config", |s| drop(s.git("fetch -q --prune")));
    s.round("refs,config", |s| drop(s.git("remote remove origin")));
    s.round("config", |s| drop(s.git("remote set-url origin /elsewhere")));
    s.round("refs,config", |s| drop(s.git("remote rename origin up")));
}

#[test]
fn hooks_and_notes() {
    let s = Scene::new();
    s.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 0\n");
    let hook = s.work.join(".git/hooks/pre-commit");
    let c = s.record("config", |_| std::fs::remove_file(&hook).unwrap());
    s.undo(&c);
    assert_eq!(s.read(".git/hooks/pre-commit"), "#!/bin/sh\nexit 0\n");
    s.git("notes add -m kept HEAD");
    s.round("refs", |s| drop(s.git("notes remove HEAD")));
    assert_eq!(s.git("notes show HEAD").trim(), "kept");
}
