//! The incident that everybody fears: an agent pushes with force over what others have pushed. The remote is a real bare
//! repository, and only a colleague's clone has the commits that the push drops.

use crate::env::TestEnv;

/// The agent's clone as the project, a bare remote, and a colleague's clone beside it whose latest commit on `main` the
/// agent's clone has never fetched.
pub fn team() -> TestEnv {
    let env = TestEnv::new();
    env.sh(
        "set -e; git init -q -b main --bare ../remote.git; git init -q -b main; echo one > a; git add a; git commit -qm one
         git remote add origin ../remote.git; git push -q -u origin main; git tag v1; git push -q origin v1
         git checkout -q -b topic; echo t > t; git add t; git commit -qm topic; git push -q origin topic; git checkout -q main
         git clone -q ../remote.git ../colleague; cd ../colleague; echo two >> a; git commit -qam 'the colleague works'
         git push -q origin main; git tag release; git push -q origin release",
    )
    .ok();
    env.sh("echo mine > mine; git add mine; git commit -qm mine").ok();
    env
}

pub fn remote(env: &TestEnv) -> String {
    env.sh("git ls-remote ../remote.git").ok().stdout
}

/// The agent runs `line`, undo brings the remote back to what it was, and the colleague sees it.
#[track_caller]
pub fn comes_back(env: &TestEnv, line: &str) {
    let before = remote(env);
    env.claude_runs(line);
    let destroyed = remote(env);
    assert_ne!(before, destroyed, "{line}: changed nothing, so this proves nothing");
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 0, "{line}: {undo:?}");
    assert!(undo.stdout.contains("undone and verified"), "{line}: {undo:?}");
    assert_eq!(remote(env), before, "{line}");
    env.sh("cd ../colleague && git fetch -q origin && git fsck --connectivity-only && git log --oneline origin/main").ok();
    env.sh("git -C ../remote.git fsck --connectivity-only").ok();
    // And forth again.
    let redo = env.fr(&["redo", "2", "--yes"]);
    assert_eq!(redo.code, 0, "{line}: {redo:?}");
    assert_eq!(remote(env), destroyed, "{line}");
}

/// The dropped commits are nowhere but in the vault: the remote has pruned them, the colleague is on holiday.
fn prune(env: &TestEnv) {
    env.sh("rm -rf ../colleague; git -C ../remote.git reflog expire --expire=now --all; git -C ../remote.git gc -q --prune=now")
        .ok();
}

#[test]
fn a_forced_push_over_commits_that_only_the_remote_had() {
    for line in [
        "git push --force origin main",
        "git push -f",
        "git push origin +main",
        "git push origin +HEAD:refs/heads/main",
        "git fetch -q && git push --force-with-lease origin main",
        "git -c push.default=current push -qf --set-upstream origin",
        "git push --force ../remote.git main:main topic",
        "git push -f --all origin",
        "cd .. && git -C project push -f origin main",
        "B=main; git push origin --force $B",
    ] {
        comes_back(&team(), line);
    }
}

/// Before the line there is nothing to push: what comes before the push in it gives it something. Nobody sees the push itself
/// but the hook, and it looks before the line runs.
#[test]
fn what_a_line_commits_resets_or_makes_and_pushes_at_once() {
    for line in [
        "git reset -q --hard HEAD~1 && git push -q --force origin main",
        "git commit -q --amend -m other && git push -q --force-with-lease",
        "echo x > new; git add new; git commit -qm new && git push -q",
        "git tag -d v1 && git push -q --prune origin 'refs/tags/*:refs/tags/*'",
        "git checkout -q -b fix && git commit -q --allow-empty -m fix && git push -q -u origin fix",
        "git branch -q -D topic; git branch topic HEAD && git push -q -f origin topic",
    ] {
        let env = team();
        env.sh("git pull -q --rebase && git push -q origin main && git fetch -q && git branch -q -f topic origin/topic").ok();
        comes_back(&env, line);
    }
}

#[test]
fn branches_and_tags_deleted_on_the_remote() {
    for line in [
        "git push origin --delete topic",
        "git push -d origin topic release",
        "git push origin :topic :refs/tags/release",
        "git push --prune origin 'refs/tags/*:refs/tags/*' && git push origin --delete topic",
        "git push -f origin main topic :release",
    ] {
        comes_back(&team(), line);
    }
}

#[test]
fn a_mirror_push_from_a_clone_that_lacks_most_of_it() {
    let env = team();
    env.sh("git branch -qD topic; git tag -d v1").ok();
    comes_back(&env, "git push --mirror origin");
}

#[test]
fn the_objects_come_from_the_vault_when_nobody_else_has_them() {
    let env = team();
    let before = remote(&env);
    env.claude_runs("git push --force origin main");
    prune(&env);
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(remote(&env), before);
    env.sh("git -C ../remote.git fsck --strict").ok();
    assert!(env.sh("git -C ../remote.git log --format=%s main").ok().stdout.contains("the colleague works"));
}

#[test]
fn a_push_made_since_is_never_dropped() {
    let env = team();
    env.claude_runs("git push --force origin main");
    env.sh("cd ../colleague; git fetch -q; git reset -q --hard origin/main; echo new > new; git add new; git commit -qm new; git push -q origin main")
        .ok();
    let now = remote(&env);
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    assert!(undo.stderr.contains("somebody pushed since"), "{undo:?}");
    assert!(undo.stderr.contains("revert or merge"), "{undo:?}");
    assert_eq!(remote(&env), now);
    env.fr(&["restore", "1", "--to", "../aside"]).ok();
    let log = env.sh("git -C ../aside/2-git log --format=%s main").ok();
    assert!(log.stdout.contains("the colleague works"), "{log:?}");
}

#[test]
fn what_the_local_side_knew_of_the_remote_comes_back_too() {
    let env = team();
    let refs = "git for-each-ref refs/remotes";
    let before = env.sh(refs).ok();
    env.claude_runs("git push --force origin main; git push origin --delete topic");
    assert_ne!(env.sh(refs).ok(), before);
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(env.sh(refs).ok(), before);
}

#[test]
fn a_remote_that_refuses_deletion_or_cannot_be_reached_is_said() {
    let env = team();
    env.claude_runs("git push origin --delete topic");
    env.sh("git -C ../remote.git config receive.denyNonFastForwards true; mv ../remote.git ../away.git").ok();
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_ne!(undo.code, 0, "{undo:?}");
    assert!(undo.stderr.contains("cannot read") || undo.stdout.contains("failed"), "{undo:?}");
    env.sh("mv ../away.git ../remote.git").ok();
    env.fr(&["undo", "1", "--yes"]).ok();
    // Unreachable before the push: the push fails as well, and the record says what it does not have.
    env.sh("git remote set-url origin ../nowhere.git").ok();
    env.claude_runs("git push --force origin main");
    let show = env.fr(&["show", "3"]).ok();
    assert!(show.stdout.contains("the remote side is not captured"), "{show:?}");
}

#[test]
fn explain_says_which_pushes_are_captured() {
    let env = team();
    let forced = env.fr(&["explain", "-c", "git push -f origin main"]).ok();
    assert!(forced.stdout.contains("captured first"), "{forced:?}");
    let plain = env.fr(&["explain", "-c", "git push origin main"]).ok();
    assert!(plain.stdout.contains("captured first"), "{plain:?}");
    let unknown = env.fr(&["explain", "-c", "git push $(pick-a-remote) main"]).ok();
    assert!(unknown.stdout.contains("not on the remote side"), "{unknown:?}");
}

/// What a hostile repository would start if git were run in it: each of these leaves a file behind.
#[test]
fn a_hostile_repository_starts_nothing_when_its_remote_is_asked() {
    let env = team();
    let trap = "touch $PWD/../TRAP; exit 1";
    env.sh(&format!(
        "set -e; printf '#!/bin/sh\\n{trap}\\n' > ../trap; chmod +x ../trap; T=$(realpath ../trap)
         for h in pre-push reference-transaction post-checkout; do cp ../trap .git/hooks/$h; done
         git config core.sshCommand $T; git config core.fsmonitor $T; git config credential.helper $T
         git config remote.origin.receivepack $T; git config remote.origin.uploadpack $T
         git config core.gitProxy $T; git config core.askPass $T; git config core.alternateRefsCommand $T
         git config alias.push '!'$T; git config gpg.program $T; git config push.gpgSign true
         git config url.ext::$T.insteadOf evil:; git config core.pager $T"
    ))
    .ok();
    let call = env.claude_pre("git push --force origin main");
    assert_eq!(call.answer.code, 0, "{:?}", call.answer);
    assert!(!env.exists("../TRAP"), "looking at the remote started a program of the repository");
    let show = env.fr(&["show", "1"]).ok();
    assert!(show.stdout.contains("git:origin"), "it was captured all the same: {show:?}");
    // A remote that is a program.
    env.sh("git config remote.origin.url ext::$(realpath ../trap)").ok();
    env.claude_pre("git push --force origin main");
    env.claude_pre("git push --force evil:x main");
    assert!(!env.exists("../TRAP"));
}

/// Whoever reads the record, the index or the output learns no password and no token of a push: neither of the URL nor of a
/// header that `-c` sets. Undo knows them from the store.
#[test]
fn a_push_leaves_no_secret_in_the_record() {
    let env = TestEnv::with_git();
    env.sh("git init -q --bare ../there.git && git push -q ../there.git HEAD:main").ok();
    let hidden = ["hunter2secret", "Zm9vOnNlY3JldA"];
    for to in ["https://u:hunter2secret@127.0.0.1:9/x.git", "../there.git"] {
        env.git(&["commit", "-q", "--amend", "--allow-empty", "-m", to]).ok();
        env.git(&["commit", "-q", "--amend", "--allow-empty", "-m", to]).ok();
        env.claude_runs(&format!(
            "git -c http.extraheader='Authorization: Basic Zm9vOnNlY3JldA==' push -f {to} HEAD:main"
        ));
    }
    env.fr(&["undo", "--yes", "2"]).ok();
    let told = [
        "timeline",
        "show 1",
        "show 2",
        "show 1 --json",
        "show 3 --json",
        "undo 1 --dry-run",
        "undo 2 --dry-run",
    ]
    .map(|args| env.fr(&args.split(' ').collect::<Vec<_>>()));
    let kept = env.sh("cat $FR_HOME/journal/* $FR_HOME/open.log $FR_HOME/index.sqlite* | strings");
    for secret in hidden {
        assert!(!format!("{told:?}").contains(secret), "{told:?}");
        assert!(!kept.stdout.contains(secret));
    }
}

/// Agents push out of habit. Where there is no remote, nothing left the machine.
#[test]
fn a_push_without_a_remote_leaves_no_rest() {
    let env = TestEnv::with_git();
    let head = env.git(&["rev-parse", "HEAD"]).ok().stdout;
    env.claude_runs("echo agent > README.md; git commit -qam agent; git push -q; true");
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!((undo.code, env.read("README.md").as_str()), (0, "hello\n"), "{undo:?}");
    assert_eq!(env.git(&["rev-parse", "HEAD"]).ok().stdout, head);
    // With one that the line itself brings, what was pushed is not known.
    env.claude_runs(
        "git init -q --bare ../new.git; git remote add origin ../new.git; git config push.default current; git config push.autoSetupRemote true; git push -q",
    );
    let undo = env.fr(&["undo", "3", "--yes"]);
    assert_ne!(undo.code, 0, "{undo:?}");
    assert!(!undo.stdout.contains("still to do"), "{undo:?}");
}
