//! An agent makes a repository, by a clone, an `init` or a copy, and works in it: all of it is the agent's own and goes as a
//! whole, and comes back as a whole. What a person has done in it meanwhile is never part of that.

use crate::env::TestEnv;

/// A repository to clone or to copy from, with a remote of its own; committed by a person, before anything is recorded.
fn template() -> TestEnv {
    let env = TestEnv::new();
    env.sh(
        "git init -q --bare -b main up.git && git init -q -b main src && cd src && echo one > a && git add a \
         && git commit -qm one && git remote add origin ../up.git && git push -q -u origin main",
    )
    .ok();
    env
}

/// What a person can see of a repository: history, reflogs, what is checked out.
fn story(env: &TestEnv, dir: &str) -> String {
    let line = format!(
        "cd {dir} && git log --all --format='%H %D' && git reflog --all && git status -sb && git fsck && ls -A"
    );
    env.sh(&line).ok().stdout
}

fn undone_whole(env: &TestEnv, args: &[&str]) {
    let done = env.fr(&[&["undo", "--yes"], args].concat());
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("undone and verified"), "{done:?}");
}

fn refused(env: &TestEnv) {
    let before = story(env, "c");
    let refused = env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert_eq!(story(env, "c"), before, "nothing was written");
}

#[test]
fn a_clone_goes_with_all_the_work_in_it_and_comes_back() {
    let env = template();
    env.claude_runs("git clone -q src c");
    env.claude_runs("cd c && echo two > b && git add b && git commit -qm two");
    env.sh("cd c && git status && git log").ok();
    env.claude_runs(
        "cd c && git checkout -q -b topic && echo 3 > d && git add d && git commit -qm three && git tag v1",
    );
    env.claude_runs("cd c && git config user.name bot && git gc -q && echo 4 > b && git stash -q");
    let worked = story(&env, "c");
    undone_whole(&env, &["--session"]);
    assert!(!env.exists("c"));
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!(story(&env, "c"), worked);
    undone_whole(&env, &["--session"]);
    assert!(!env.exists("c"));
}

#[test]
fn a_clone_goes_newest_first_too() {
    let env = template();
    env.claude_runs("git clone -q src c");
    env.claude_runs("cd c && echo two > b && git add b && git commit -qm two");
    env.claude_runs("cd c && git checkout -q -b topic && git tag v1");
    let worked = story(&env, "c");
    // Each undo of the git system leaves a line in the reflogs: it is known whose that is.
    ["3", "2", "1"].iter().for_each(|id| undone_whole(&env, &[id]));
    assert!(!env.exists("c"));
    for _ in 0..3 {
        env.fr(&["redo", "--yes"]).ok();
    }
    let heads = |story: &str| story.lines().next().map(str::to_owned);
    assert_eq!(heads(&story(&env, "c")), heads(&worked));
    undone_whole(&env, &["--session"]);
    assert!(!env.exists("c"));
}

#[test]
fn a_repository_that_was_made_in_steps_leaves_only_what_a_person_put_there() {
    let env = TestEnv::new();
    env.claude_runs("mkdir proj");
    env.claude_runs("cd proj && git init -q -b main");
    env.claude_runs("cd proj && echo 1 > a && git add . && git commit -qm one");
    env.claude_runs("cd proj && git remote add origin /nowhere && mkdir src && echo 2 > src/x && git add -A");
    env.claude_runs("cd proj && git commit -qm two --amend");
    env.write("proj/notes.txt", "a person's\n");
    let worked = story(&env, "proj");
    let done = env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(done.code, 3, "the directory stays, and that is said: {done:?}");
    assert!(done.stdout.contains("proj stays: it holds things made since"), "{done:?}");
    assert_eq!(env.sh("find proj -type f").ok().stdout, "proj/notes.txt\n");
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!(story(&env, "proj"), worked);
    std::fs::remove_file(env.project.join("proj/notes.txt")).unwrap();
    undone_whole(&env, &["--session"]);
    assert!(!env.exists("proj"));
}

#[test]
fn a_push_from_a_copy_is_taken_back_although_the_copy_goes() {
    let env = template();
    let main = |env: &TestEnv| env.sh("git -C up.git rev-parse main").ok().stdout;
    let before = main(&env);
    env.claude_runs("cp -r src c");
    env.claude_runs("cd c && echo two > b && git add b && git commit -qm two && git push -q");
    let (worked, pushed) = (story(&env, "c"), main(&env));
    assert_ne!(before, pushed);
    undone_whole(&env, &["--session"]);
    assert!(!env.exists("c"));
    assert_eq!(main(&env), before);
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!((story(&env, "c"), main(&env)), (worked, pushed));
    undone_whole(&env, &["--session"]);
    assert_eq!((env.exists("c"), main(&env)), (false, before));
}

#[test]
fn only_gits_part_of_a_session_leaves_the_clone_where_it_is() {
    let env = template();
    env.claude_runs("git clone -q src c");
    let cloned = env.sh("git -C c rev-parse HEAD").ok().stdout;
    env.claude_runs("cd c && echo two > b && git add b && git commit -qm two");
    env.fr(&["undo", "--session", "--system", "git", "--yes"]).ok();
    assert_eq!(env.sh("git -C c rev-parse HEAD").ok().stdout, cloned);
    assert_eq!(env.read("c/b"), "two\n", "the files are another system's");
}

#[test]
fn what_a_person_committed_in_between_is_in_the_way() {
    let env = template();
    env.claude_runs("git clone -q src c");
    env.sh("cd c && echo mine > mine && git add mine && git commit -qm mine").ok();
    env.claude_runs("cd c && echo two > b && git add b && git commit -qm two");
    refused(&env);
}

#[test]
fn a_tag_of_a_person_is_in_the_way() {
    let env = template();
    env.claude_runs("git clone -q src c");
    env.sh("cd c && git tag reviewed").ok();
    env.claude_runs("cd c && echo two > b && git add b && git commit -qm two");
    refused(&env);
}

#[test]
fn what_a_person_staged_or_took_back_since_is_in_the_way() {
    for line in
        ["echo mine > mine && git add mine", "git commit -q --amend -m better", "git reset -q --hard HEAD~1"]
    {
        let env = template();
        env.claude_runs("git clone -q src c");
        env.claude_runs("cd c && echo two > b && git add b && git commit -qm two");
        env.claude_runs("cd c && echo three > d && git add d && git commit -qm three");
        env.sh(&format!("cd c && {line}")).ok();
        refused(&env);
    }
}

#[test]
fn a_person_who_committed_and_went_back_is_still_seen() {
    let env = template();
    env.claude_runs("git clone -q src c");
    env.claude_runs("cd c && echo two > b && git add b && git commit -qm two");
    // The branch is where the agent left it; what the person did is only in the reflog.
    env.sh("cd c && echo mine > mine && git add mine && git commit -qm mine && git reset -q --hard HEAD~1")
        .ok();
    refused(&env);
}

#[test]
fn a_clone_that_the_session_threw_away_for_another_one_leaves_nothing() {
    let env = template();
    env.claude_runs("git clone -q src c");
    env.claude_runs("cd c && echo two > b && git add b && git commit -qm two && git gc -q");
    env.claude_runs("rm -rf c");
    env.claude_runs("git clone -q src c");
    env.claude_runs("cd c && echo 3 > b && git add b && git commit -qm other && git branch more");
    let worked = story(&env, "c");
    undone_whole(&env, &["--session"]);
    assert!(!env.exists("c"));
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!(story(&env, "c"), worked);
}

#[test]
fn a_persons_repository_comes_back_in_the_place_of_the_clone_that_replaced_it() {
    let env = template();
    env.sh("git clone -q src c && cd c && echo mine > mine && git add mine && git commit -qm mine && echo 1 >> a").ok();
    let before = story(&env, "c");
    env.claude_runs("rm -rf c");
    env.claude_runs("git clone -q src c");
    env.claude_runs("cd c && echo 3 > b && git add b && git commit -qm other && git gc -q && git tag v9");
    let worked = story(&env, "c");
    undone_whole(&env, &["--session"]);
    assert_eq!(story(&env, "c"), before);
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!(story(&env, "c"), worked);
    undone_whole(&env, &["--session"]);
    assert_eq!(story(&env, "c"), before);
}

#[test]
fn a_clone_that_somebody_has_removed_is_as_before_it() {
    let env = template();
    env.claude_runs("git clone -q src c");
    env.claude_runs("cd c && echo two > b && git add b && git commit -qm two");
    std::fs::remove_dir_all(env.project.join("c")).unwrap();
    let done = env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(done.code, 5, "nothing is to be done: {done:?}");
    assert!(!env.exists("c"));
}

#[test]
fn a_new_repository_says_of_nothing_that_it_was_not_captured() {
    let env = TestEnv::new();
    env.claude_runs("git init -q");
    let shown = env.fr(&["show", "1"]).ok().stdout;
    assert!(!shown.contains("not captured") && !shown.contains("partial"), "{shown}");
    undone_whole(&env, &["1"]);
    assert!(!env.exists(".git"));
    // One that is there keeps what it has.
    env.sh("git init -q && git config user.name me").ok();
    env.claude_runs("git init -q --shared=group");
    undone_whole(&env, &["--last", "1"]);
    assert_eq!(env.git(&["config", "user.name"]).stdout.trim(), "me");
    assert_eq!(env.git(&["config", "core.sharedRepository"]).code, 1);
}

#[test]
fn a_clone_that_came_with_its_submodules_goes_with_them() {
    let env = template();
    env.sh("cd src && git submodule -q add ../up.git sub && git commit -qm sub").ok();
    env.claude_runs("git clone -q --recurse-submodules src c");
    env.claude_runs("cd c && echo two > b && git add b && git commit -qm two");
    let worked = story(&env, "c");
    undone_whole(&env, &["--session"]);
    assert!(!env.exists("c"));
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!(story(&env, "c"), worked);
    // Work in the submodule is somebody's, as long as it is not on record.
    env.sh("cd c/sub && git commit -q --allow-empty -m mine").ok();
    refused(&env);
}
