//! Repositories that keep their refs in tables (`--ref-format=reftable`): each ref on its own, logs and all, as where they
//! are files, and git goes on with what was written.

use super::{Row, come_back_in, picture, world_of_tables};
use crate::env::TestEnv;

const fn row(before: &'static str, line: &'static str) -> Row {
    Row { before, line }
}

#[test]
fn refs_logs_and_the_stash() {
    come_back_in(
        world_of_tables,
        &[
            row("", "git branch -D topic dev"),
            row("", "git branch -m main trunk"),
            row("", "git branch -M main topic"),
            row("", "git branch new"),
            row("", "git update-ref -d refs/heads/main"),
            row("", "git symbolic-ref HEAD refs/heads/dev"),
            row("git symbolic-ref refs/heads/alias refs/heads/topic", "git symbolic-ref -d refs/heads/alias"),
            row("", "git for-each-ref --format='delete %(refname)' refs/tags | git update-ref --stdin"),
            row("", "git tag -d v1 light"),
            row("", "git tag -fa v1 -m again HEAD~1"),
            row("", "git notes remove HEAD"),
            row("", "git remote remove origin"),
            row("", "git fetch -q --prune origin"),
            row("", "git stash drop stash@{1}"),
            row("", "git stash clear"),
            row("", "git stash push -u -m wip"),
            row("git checkout -qf", "git stash pop --index stash@{1}"),
            row("", "git reflog expire --expire=now main topic HEAD"),
            row("", "git reflog delete HEAD@{1}"),
            row("git pack-refs --all", "git branch -D topic; git pack-refs --all"),
            row("", "git push -qf origin HEAD~2:main :topic"),
        ],
    );
}

#[test]
fn work_and_operations_in_progress() {
    come_back_in(
        world_of_tables,
        &[
            row("", "git reset --hard HEAD~2"),
            row("", "git checkout -f -B dev HEAD~1"),
            row("", "git checkout --detach HEAD"),
            row("", "git checkout --orphan empty"),
            row("", "git switch -f -C topic main"),
            row("", "git commit -q --amend -m other"),
            row("git checkout -qf", "git cherry-pick topic~1"),
            row("git checkout -qf; git cherry-pick topic~1", "git cherry-pick --abort"),
            row("git checkout -qf; git cherry-pick topic~1 feature", "git cherry-pick --quit"),
            row("git checkout -qf", "git merge topic"),
            row("git checkout -qf; git merge topic", "git merge --abort"),
            row("git checkout -qf", "git rebase topic"),
            row("git checkout -qf; git rebase topic", "git rebase --abort"),
            row("git rebase --autostash topic", "git rebase --quit"),
            row("git checkout -qf; git checkout -q topic", "git rebase --update-refs main"),
            row("git checkout -qf", "git bisect start HEAD HEAD~4"),
            row("git checkout -qf; git bisect start HEAD HEAD~4", "git bisect reset"),
            row(
                "git checkout -qf",
                "FILTER_BRANCH_SQUELCH_WARNING=1 git filter-branch -f --tree-filter 'rm -f secret' -- --all",
            ),
        ],
    );
}

#[test]
fn working_trees_submodules_and_scripts() {
    come_back_in(
        world_of_tables,
        &[
            row("", "git worktree remove --force ../wt"),
            row("", "git worktree add -q -B topic ../clone main"),
            row("", "git -C ../wt reset -q --hard HEAD~1"),
            row("", "git -C ../wt checkout -q -f --detach main"),
            row(
                "git -C ../wt checkout -qf; echo z > ../wt/a.txt; git -C ../wt commit -qam z; git -C ../wt cherry-pick topic~1",
                "git -C ../wt cherry-pick --abort",
            ),
            row("git -C ../wt stash -q", "git -C ../wt stash drop"),
            row(
                "git -C ../wt checkout -qf",
                "git -C ../wt bisect start HEAD HEAD~1; git -C ../wt branch -D topic",
            ),
            row("", "git submodule update --force"),
            row("", "git -C sub reset --hard HEAD~1"),
            row("", "cd sub && git branch -D work && git checkout -f ."),
            row("printf 'git reset -q --hard HEAD~1; git branch -D topic' > ../s.sh", "sh ../s.sh"),
            row("", "rm -rf .git"),
            row("printf 'rm -rf .git sub' > ../s.sh", "sh ../s.sh"),
            row(
                "printf 'rm -rf .git; git init -q --ref-format=reftable' > ../s.sh; git gc -q --prune=now",
                "sh ../s.sh",
            ),
        ],
    );
}

/// What others did to other refs since neither stands in the way nor is touched, in a stack that git has put together anew.
#[test]
fn an_unrelated_ref_that_moved_since_is_no_conflict_and_stays() {
    for line in [
        "git branch -D topic",
        "git reset -q --hard HEAD~2",
        "git tag -d v1",
        "git stash drop stash@{1}",
        "git stash clear",
        "git commit -q --amend -m other",
        "git checkout -qf; git rebase -q topic~1; git rebase --abort; git rebase -q feature",
    ] {
        let env = world_of_tables();
        let before = picture(&env);
        env.fr(&["exec", "-c", line]).ok();
        env.sh("git update-ref -m theirs refs/heads/dev dev~1; git branch theirs HEAD; git pack-refs --all")
            .ok();
        let look = "git rev-parse dev theirs; git reflog dev; git reflog theirs";
        let theirs = env.sh(look).stdout;
        let undo = env.fr(&["undo", "1", "--yes"]);
        assert!(undo.code == 0 && undo.stdout.contains("undone and verified"), "{line}: {undo:?}");
        assert_eq!(env.sh(look).stdout, theirs, "{line}");
        env.sh("git update-ref -d refs/heads/theirs; git update-ref refs/heads/dev dev@{1}").ok();
        let mut left = before.differences(&picture(&env));
        left.retain(|part| !part.contains("logs/refs/heads/dev"));
        assert_eq!(left, Vec::<String>::new(), "{line}");
    }
}

#[test]
fn a_ref_that_moved_itself_is_a_conflict_of_its_own() {
    let env = world_of_tables();
    env.fr(&["exec", "-c", "git branch -D topic dev"]).ok();
    env.sh("git branch topic main").ok();
    let before = picture(&env);
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    let said = format!("{}{}", undo.stdout, undo.stderr);
    assert!(said.contains("refs/heads/topic") && !said.contains("refs/heads/dev is at"), "{said}");
    assert!(!before.is_other(&picture(&env)), "a conflict writes nothing");
    let beside = env.fr(&["undo", "1", "--yes", "--on-conflict", "side-by-side"]);
    assert_eq!(beside.code, 3, "{beside:?}");
    let there =
        env.sh("git rev-parse main topic; git for-each-ref --format='%(refname)' refs/heads").ok().stdout;
    assert!(there.contains("refs/heads/fr/undo-1/topic") && there.contains("refs/heads/dev"), "{there}");
}

/// A branch below the name of the one that went.
#[test]
fn names_that_exclude_each_other() {
    let env = world_of_tables();
    env.fr(&["exec", "-c", "git branch -D topic"]).ok();
    env.sh("git branch topic/below main").ok();
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    assert!(undo.stdout.contains("topic/below") || undo.stderr.contains("topic/below"), "{undo:?}");
}

/// Undo, redo, and undo of several at once, with git's own look at the tables after each.
#[test]
fn there_and_back_again() {
    let env = world_of_tables();
    let healthy = |env: &TestEnv| {
        env.sh("git pack-refs --all && git refs verify && git fsck --connectivity-only").ok();
        env.sh("git commit -q --allow-empty -m after && git reset -q --soft HEAD~1 && git branch x && git branch -D x").ok();
    };
    let before = picture(&env);
    let lines =
        ["git branch -D topic", "git stash drop", "git reset -q --hard HEAD~1", "git tag -d v1 light"];
    for line in lines {
        env.fr(&["exec", "-c", line]).ok();
    }
    let destroyed = picture(&env);
    env.fr(&["undo", "1..4", "--yes"]).ok();
    let left = before.differences(&picture(&env));
    assert_eq!(left, Vec::<String>::new());
    env.fr(&["redo", "5", "--yes"]).ok();
    let left = destroyed.differences(&picture(&env));
    assert_eq!(left, Vec::<String>::new());
    healthy(&env);
}

/// What a second working tree has in tables of its own is its own affair: where a command of the first one changes it, that
/// is said, and never called undone.
#[test]
fn logs_of_another_working_tree_are_named() {
    let env = world_of_tables();
    env.fr(&["exec", "-c", "git reflog expire --expire=now --all"]).ok();
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 3, "{undo:?}");
    assert!(undo.stdout.contains("the working tree wt"), "{undo:?}");
    assert!(env.sh("git reflog topic").stdout.contains("topic2"), "those of the first one are back");
}

/// The refs are kept in another way since: what was captured does not fit any more, and nothing is written.
#[test]
fn a_repository_that_keeps_its_refs_otherwise_now_is_a_conflict() {
    let env = world_of_tables();
    env.sh("printf 'rm -rf .git; git init -q --ref-format=files' > ../s.sh").ok();
    env.fr(&["exec", "-c", "sh ../s.sh"]).ok();
    let before = picture(&env);
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    assert!(
        undo.stdout.contains("kept as files now") || undo.stderr.contains("kept as files now"),
        "{undo:?}"
    );
    assert!(!before.is_other(&picture(&env)));
    env.fr(&["restore", "1", "--to", "../aside"]).ok();
    let found = env.sh("for d in ../aside/* ../aside; do git -C $d rev-parse topic; done").stdout;
    assert!(found.contains("99fe9936bb12cb88ab42aa78767d6443fb3368a9"), "{found}");
}

/// A killed undo leaves the lock of the tables; the next one takes it away.
#[test]
fn the_lock_of_a_dead_undo_is_cleared_and_one_of_git_is_not() {
    let env = world_of_tables();
    env.fr(&["exec", "-c", "git branch -D topic"]).ok();
    env.sh("cd .git/reftable && echo half > tables.list.fr.lock && ln tables.list.fr.lock tables.list.lock")
        .ok();
    env.fr(&["undo", "1", "--yes"]).ok();
    env.sh("git rev-parse topic && test ! -e .git/reftable/tables.list.lock").ok();
    env.fr(&["exec", "-c", "git branch -D topic"]).ok();
    env.sh("touch .git/reftable/tables.list.lock").ok();
    let undo = env.fr(&["undo", "3", "--yes"]);
    assert_ne!(undo.code, 0, "{undo:?}");
    assert!(env.exists(".git/reftable/tables.list.lock"));
    assert_ne!(env.sh("git rev-parse --verify -q topic").code, 0);
}
