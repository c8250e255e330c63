//! Lines as agents write them, one directory here and another there: what they did comes back from wherever they did it.

use super::{Picture, assert_same, picture, project};
use crate::env::TestEnv;

fn undone(env: &TestEnv, args: &[&str], before: &Picture) {
    let done = env.fr(&[&["undo", "--yes"], args].concat());
    assert_eq!(done.code, 0, "{done:?}");
    assert_same(before, env);
}

/// Taken back, brought about again, taken back.
fn there_and_back(env: &TestEnv, before: &Picture) {
    let worked = picture(env);
    undone(env, &["--session"], before);
    env.fr(&["redo", "--yes"]).ok();
    assert_same(&worked, env);
    undone(env, &["--session"], before);
}

#[test]
fn a_repository_is_one_from_all_of_its_directories() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("cd src && echo x > y && git add . && git commit -qm y");
    env.claude_runs("git reset -q --hard HEAD~1");
    env.claude_runs("cd docs && git add -A && git commit -q --allow-empty -m z");
    there_and_back(&env, &before);
}

#[test]
fn pushes_from_two_directories_move_one_branch() {
    let env = project();
    env.sh("git init -q --bare ../far.git && git remote add far ../far.git && git push -q far HEAD:main")
        .ok();
    let main = |env: &TestEnv| env.sh("git -C ../far.git rev-parse main").ok().stdout;
    let (before, was) = (picture(&env), main(&env));
    env.claude_runs("cd src && git commit -q --allow-empty -m a && git push -q -f far HEAD:main");
    env.claude_runs("git commit -q --allow-empty -m b && git push -q -f far HEAD:main");
    assert_ne!(main(&env), was);
    undone(&env, &["--session"], &before);
    assert_eq!(main(&env), was);
}

#[test]
fn a_push_to_a_remote_that_its_own_line_adds_is_taken_back() {
    let env = project();
    env.sh("git init -q --bare ../new.git && git -C ../new.git symbolic-ref HEAD refs/heads/none").ok();
    let before = picture(&env);
    let refs = |env: &TestEnv| env.sh("git -C ../new.git for-each-ref").ok().stdout;
    env.claude_runs("git remote add new ../new.git && git push -q -u new --all");
    assert_ne!(refs(&env), "");
    there_and_back(&env, &before);
    assert_eq!(refs(&env), "");
}

#[test]
fn a_push_after_the_remotes_address_was_changed_is_taken_back_there() {
    let env = project();
    env.sh(
        "for n in one two; do git init -q --bare ../$n.git; git push -q ../$n.git HEAD:refs/heads/main; done; \
         git remote add up ../one.git && git fetch -q up",
    )
    .ok();
    let refs =
        |env: &TestEnv| env.sh("cat ../one.git/refs/heads/main ../two.git/refs/heads/main").ok().stdout;
    let (before, was) = (picture(&env), refs(&env));
    env.claude_runs(
        "git commit -q --allow-empty -m x && git remote set-url up ../two.git && git push -q -f up HEAD:main",
    );
    assert_ne!(refs(&env), was);
    undone(&env, &["--session"], &before);
    assert_eq!(refs(&env), was);
}

/// The agent is in the directory already that it means to enter, and its line goes on where it is.
#[test]
fn what_comes_after_a_cd_that_fails_is_captured_where_it_runs() {
    for line in [
        "cd frontend && npm install\nrm -rf src",
        "cd frontend && npm install || rm -rf src",
        "cd frontend && rm -f a; cd src && rm -f main.rs",
        "cd nowhere && git add . || git worktree add -q ../beside -b beside",
    ] {
        let env = project();
        let before = picture(&env);
        env.claude_runs(line);
        assert!(env.exists("../beside") || !super::is_same(&before, &env), "{line}");
        undone(&env, &["1"], &before);
        assert!(!env.exists("../beside"), "{line}");
    }
}

#[test]
fn an_archive_that_was_unpacked_and_committed_is_no_part_of_the_repository() {
    let env = project();
    env.sh("tar cf ../src.tar src && echo changed >> src/main.rs").ok();
    let before = picture(&env);
    env.claude_runs("tar xf ../src.tar && git add -A && git commit -qm unpacked");
    there_and_back(&env, &before);
    // Packing the repository is no edit of what was unpacked.
    env.claude_runs("tar xf ../src.tar && git add -A && git commit -qm again");
    env.sh("git repack -q -a -d && git prune").ok();
    undone(&env, &["--last", "1"], &before);
}

/// The reflogs that an undo adds to are no files that `find` had to do with.
#[test]
fn tidying_up_and_committing_is_taken_back_after_what_came_later() {
    let env = project();
    env.write("src/a.pyc", "1");
    let before = picture(&env);
    env.claude_runs("find . -name '*.pyc' -delete && git add -A && git commit -qm tidy");
    env.claude_runs("git reset -q --hard HEAD~1");
    let worked = picture(&env);
    undone(&env, &["--session"], &before);
    env.fr(&["redo", "--yes"]).ok();
    assert_same(&worked, &env);
    env.fr(&["undo", "2", "--yes"]).ok();
    undone(&env, &["1"], &before);
}

/// A snapshot of a work tree leaves out large ignored files and what a build makes again; what a command removes by name is not
/// left out.
#[test]
fn what_git_ignores_is_tidied_up_and_comes_back() {
    let env = project();
    env.write(".git/info/exclude", "*.log\nnode_modules\n");
    env.write("big.log", vec![b'x'; 5 << 20]);
    env.write("node_modules/a/index.log", "1");
    let before = picture(&env);
    env.claude_runs("find . -name '*.log' -delete && git add -A && git commit -qm tidy");
    assert!(!env.exists("big.log") && !env.exists("node_modules/a/index.log"));
    there_and_back(&env, &before);
}

#[test]
fn a_directory_that_was_removed_and_became_a_file_comes_back_with_all_in_it() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("git rm -rqf src");
    env.claude_runs("echo 1 > src");
    there_and_back(&env, &before);
}

#[test]
fn what_runs_in_one_of_two_directories_is_captured_in_the_one_that_is_known() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("rm -f staged.txt || cd ../elsewhere && echo w > w.txt && git add . && git commit -qm w");
    assert!(!super::is_same(&before, &env));
    let done = env.fr(&["undo", "1", "--yes"]);
    assert!(matches!(done.code, 0 | 3), "{done:?}");
    assert_same(&before, &env);
}

/// A work tree's snapshot leaves out the repository in it, and could not remove the directory.
#[test]
fn a_clone_in_a_line_that_may_do_anything_goes_whole() {
    let env = project();
    env.sh("git init -q ../lib && cd ../lib && echo 1 > lib.c && git add . && git commit -qm lib").ok();
    let before = picture(&env);
    env.claude_runs(
        "git clone -q --no-hardlinks ../lib lib && sh -c 'echo made > lib/made; echo x >> config.yml'",
    );
    there_and_back(&env, &before);
    let worked =
        "git init -q nest && cd nest && echo 1 > f && git add . && git commit -qm n; git switch -q -c b0";
    env.claude_runs(worked);
    env.claude_runs("sed -i s/1/2/ nest/f");
    undone(&env, &["--last", "2"], &before);
}

#[test]
fn a_stash_whose_list_had_expired_comes_back_without_a_list() {
    let env = project();
    env.sh("echo stashed >> src/main.rs && git stash -q && git reflog expire --expire=now --all").ok();
    let list = |env: &TestEnv| env.sh("git rev-parse refs/stash; git stash list").ok().stdout;
    let (before, was) = (picture(&env), list(&env));
    env.claude_runs("git stash drop -q || git update-ref -d refs/stash");
    assert_ne!(env.sh("git rev-parse -q --verify refs/stash").code, 0);
    undone(&env, &["1"], &before);
    assert_eq!(list(&env), was);
}

/// It fails, and there is nothing that could be missing.
#[test]
fn git_where_no_repository_is_any_more_leaves_no_gap() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("rm -rf .git");
    for line in ["git commit -qam x", "mkdir -p out && git add out", "cd ../none && git commit -qam x"] {
        let call = env.claude_pre(line);
        assert_ne!(env.sh(line).code, 0, "{line}");
        env.claude_fail(&call, 128);
    }
    undone(&env, &["--session"], &before);
}

#[test]
fn an_undo_that_brought_the_repository_back_is_taken_back_after_what_came_later() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("git branch extra && echo 1 > new.txt");
    env.claude_runs("rm -rf .git");
    let worked = picture(&env);
    undone(&env, &["--session"], &before);
    env.fr(&["undo", "4", "3", "--yes"]).ok();
    assert!(!env.exists(".git"));
    assert_same(&worked, &env);
}

#[test]
fn a_work_tree_that_the_agent_made_and_worked_in_goes_with_its_commits() {
    for args in [&["--session"][..], &["--since", "1h"]] {
        let env = project();
        let before = picture(&env);
        env.claude_runs("git worktree add -q ../beside -b beside");
        env.claude_runs(
            "cd ../beside && echo w > w.txt && git add . && git commit -qm w && git commit -q --amend -m x",
        );
        let worked = env.sh("cd ../beside && git log --format=%s && git status -sb && ls").ok().stdout;
        undone(&env, args, &before);
        assert!(!env.exists("../beside") && !env.exists(".git/worktrees/beside"));
        (0..2).for_each(|_| drop(env.fr(&["redo", "--yes"]).ok()));
        assert_eq!(env.sh("cd ../beside && git log --format=%s && git status -sb && ls").ok().stdout, worked);
        undone(&env, &["--session"], &before);
        env.claude_runs("git worktree add -q ../beside -b beside");
        env.claude_runs("cd ../beside && git commit -q --allow-empty -m y");
        let last = env.fr(&["timeline", "--json"]).ok();
        assert!(last.stdout.contains("allow-empty"), "{last:?}");
        undone(&env, &["--session"], &before);
        assert!(!env.exists("../beside"));
    }
}

/// Two undos, one of which brings the further work tree back that the other was about, and both of which are about the project's own.
#[test]
fn the_undos_of_a_work_tree_are_taken_back_together() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("git worktree add -q ../beside -b beside; git clean -fdq");
    env.claude_runs("cd ../beside && echo w > w.txt && git add . && git commit -qm w");
    env.claude_runs("git checkout -q -f topic");
    let worked = picture(&env);
    undone(&env, &["--session"], &before);
    env.fr(&["undo", "5", "4", "--yes"]).ok();
    assert_same(&worked, &env);
    assert_eq!(env.read("../beside/w.txt"), "w\n");
    undone(&env, &["7", "6"], &before);
}

/// What a person has committed there is nobody else's to remove.
#[test]
fn a_work_tree_that_a_person_worked_in_stays() {
    let env = project();
    env.claude_runs("git worktree add -q ../beside -b beside");
    env.sh("cd ../beside && echo mine > mine.txt && git add . && git commit -qm mine").ok();
    let before = picture(&env);
    let refused = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert_same(&before, &env);
    assert_eq!(env.read("../beside/mine.txt"), "mine\n");
}
