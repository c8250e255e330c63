//! Agents write one line: change to a branch, rewrite it, push. When the line is read the branch is not checked out yet, and a dry
//! run of the push would be about another one.

use super::pushes::{comes_back, remote, team};

#[test]
fn the_line_decides_which_branch_is_pushed() {
    for line in [
        "git checkout -q topic && git commit -q --amend -m other && git push -q -f origin HEAD",
        "git checkout -q topic; git reset -q --hard HEAD~1; git -c push.default=current push -q --force",
        "git switch -q -c fix && git commit -q --allow-empty -m fix && git push -q -u origin HEAD",
        "git checkout -q -b fix && git -c push.autoSetupRemote=true push -q",
        "git checkout -q topic && git push -q -f origin +HEAD:main",
        "git checkout -q -b fix; git push -q origin HEAD; git checkout -q main; git branch -q -D fix",
        "echo s >> a; git stash -q; git stash branch fix && git push -q origin HEAD",
        "X='git checkout -q topic'; eval \"$(echo $X)\"; git commit -q --amend -m other; git push -q -f origin HEAD",
        "printf 'git checkout -q topic; git commit -q --amend -m other' > s.sh; sh s.sh; git push -q -f origin HEAD",
    ] {
        comes_back(&team(), line);
    }
}

#[test]
fn the_line_decides_which_branches_and_tags_there_are() {
    for line in [
        "git tag v2 && git push -q --tags",
        "git tag -a -m v2 v2 && git push -q -f --follow-tags origin main",
        "git branch more topic && git push -q --all -f",
        "git branch -q -m topic other && git push -q -f origin 'refs/heads/*:refs/heads/*'",
        "git branch -q -D topic; git push -q -f --prune origin 'refs/heads/*:refs/heads/*'",
        "git tag v2; git push -q --mirror origin",
        "echo '{\"version\": \"1.0.0\"}' > package.json && git add . && git commit -qm p && npm version patch && git push -q --follow-tags -f origin main",
        "git update-ref refs/heads/topic main && git push -q -f origin : ",
    ] {
        comes_back(&team(), line);
    }
}

/// The other branch follows another remote.
#[test]
fn the_line_decides_which_remote_is_pushed_to() {
    let env = team();
    env.sh("git init -q --bare ../fork.git; git remote add fork ../fork.git; git push -q -u fork topic").ok();
    let fork = || env.sh("git ls-remote ../fork.git").ok().stdout;
    let was = (remote(&env), fork());
    env.claude_runs("git checkout -q topic && git commit -q --amend -m other && git push -q -f");
    let pushed = fork();
    assert_ne!(was.1, pushed);
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!((remote(&env), fork()), was);
    env.fr(&["redo", "--yes"]).ok();
    assert_eq!((remote(&env), fork()), (was.0, pushed));
}

/// While the agent pushes its branch a colleague pushes another one: that is none of the agent's doing.
#[test]
fn what_a_colleague_pushes_in_the_same_second_stays() {
    let env = team();
    let line = "git switch -q -c fix && git push -q origin HEAD";
    let call = env.claude_pre(line);
    env.sh(line).ok();
    env.sh("cd ../colleague && git switch -q -c theirs && git commit -q --allow-empty -m t && git push -q origin theirs main:topic -f && git push -q origin --delete release")
        .ok();
    env.claude_post(&call);
    let undo = env.fr(&["undo", "1", "--yes"]).ok();
    let now = remote(&env);
    assert!(!now.contains("refs/heads/fix") && now.contains("refs/heads/theirs"), "{undo:?}\n{now}");
    let theirs = env.sh("git -C ../colleague rev-parse main").ok().stdout;
    assert!(now.contains(&format!("{}\trefs/heads/topic", theirs.trim())), "{undo:?}\n{now}");
    assert!(!now.contains("refs/tags/release"), "{undo:?}\n{now}");
    // And one who has pushed to the agent's branch since is in the way.
    env.claude_runs("git switch -q -c more && git push -q origin HEAD");
    env.sh("cd ../colleague && git push -q -f origin theirs:more").ok();
    let refused = env.fr(&["undo", "--last", "1", "--yes"]);
    assert_eq!(refused.code, 4, "{refused:?}");
}
