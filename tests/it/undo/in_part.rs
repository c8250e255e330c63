//! An undo that ended in part is neither the end nor a trap: when what stood in the way is gone, a new undo does the rest,
//! and a redo brings back just what was there before it.

use super::{picture, project};
use crate::env::{Output, TestEnv};

fn undo(env: &TestEnv, args: &[&str]) -> Output {
    env.fr(&[&["undo", "--yes"], args].concat())
}

/// Panics where the project is not as in the picture, but for the times of directories.
#[track_caller]
fn assert_like(expected: &super::Picture, env: &TestEnv, what: &str) {
    let (now, expected) =
        (picture(env).without_directory_times(), expected.clone().without_directory_times());
    assert!(now == expected, "{what}: {:#?}", expected.difference(&now));
}

/// Three commands move the same branch, tag, HEAD and index; one of them also overwrote a note.
fn three_moves_of_one_branch(env: &TestEnv) {
    env.claude_runs("git commit -q -a -m one; git tag -f v1 HEAD >&2; rm -rf docs");
    env.claude_runs("echo agent > 'a note.txt'; git branch -q -f topic HEAD; git commit -q -a -m two");
    env.claude_runs(
        "git checkout -q -b agents; git commit -q --allow-empty -m three; git tag -f v1 HEAD >&2",
    );
}

#[test]
fn what_an_undo_of_several_events_had_done_is_no_conflict_for_the_next_one() {
    let env = project();
    let before = picture(&env);
    three_moves_of_one_branch(&env);
    env.write("a note.txt", "a person's\n");
    let skipped = undo(&env, &["--session", "--on-conflict", "skip"]);
    assert_eq!(skipped.code, 3, "{skipped:?}");
    // The person gives the note up.
    env.write("a note.txt", "agent\n");
    let again = undo(&env, &["--session"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_like(&before, &env, "undone in two turns");
    assert_eq!(undo(&env, &["--session"]).code, 5);
}

#[test]
fn what_is_back_on_a_remote_is_no_conflict_for_the_next_undo() {
    let env = project();
    let remote = |env: &TestEnv| env.sh("git -C ../remote.git for-each-ref").stdout;
    let before = (picture(&env), remote(&env));
    env.claude_runs("git push -q -f origin HEAD~1:main; rm -rf docs");
    env.claude_runs("echo agent > 'a note.txt'; git push -q origin :main");
    env.claude_runs("git push -q -f origin feature:main");
    env.write("a note.txt", "a person's\n");
    let skipped = undo(&env, &["--session", "--on-conflict", "skip"]);
    assert_eq!(skipped.code, 3, "{skipped:?}");
    assert_eq!(remote(&env), before.1);
    env.write("a note.txt", "agent\n");
    let again = undo(&env, &["--session"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_like(&before.0, &env, "undone in two turns");
    assert_eq!(remote(&env), before.1);
}

/// A ref that somebody moved to a third place is still a conflict, however much of the set is back.
#[test]
fn what_a_person_moved_after_an_undo_in_part_is_a_conflict() {
    let env = project();
    three_moves_of_one_branch(&env);
    env.write("a note.txt", "a person's\n");
    undo(&env, &["--session", "--on-conflict", "skip"]);
    env.write("a note.txt", "agent\n");
    env.git(&["tag", "-f", "v1", "feature"]).ok();
    let now = picture(&env);
    let again = undo(&env, &["--session"]);
    assert_eq!(again.code, 4, "{again:?}");
    assert!(again.stderr.contains("refs/tags/v1"), "{again:?}");
    assert!(!again.stderr.contains("refs/heads/topic"), "{again:?}");
    assert_like(&now, &env, "refused");
}

/// A process that holds a lock in the repository keeps a part of the step from being done.
#[test]
fn a_repository_that_was_locked_is_done_by_the_next_undo() {
    let env = project();
    let before = picture(&env);
    three_moves_of_one_branch(&env);
    let destroyed = picture(&env);
    for then in ["undo", "redo"] {
        let lock = env.write(".git/refs/tags/v1.lock", "");
        let failed = undo(&env, &["--session"]);
        assert_eq!(failed.code, 3, "{failed:?}");
        assert!(failed.stdout.contains("v1.lock"), "{failed:?}");
        std::fs::remove_file(lock).unwrap();
        let again = env.fr(&[then, "--yes"]
            .iter()
            .chain(&["--session"][..usize::from(then == "undo")])
            .copied()
            .collect::<Vec<_>>());
        assert_eq!(again.code, 0, "{then}: {again:?}");
        if then == "undo" {
            assert_like(&before, &env, "undone in two turns");
            while env.fr(&["redo", "--yes"]).code == 0 {}
        }
        assert_like(&destroyed, &env, "as the agent left it");
    }
}

/// A tool that copies brings the bytes back and not the link: each name is as it was, the two together are not.
#[test]
fn names_of_one_file_that_came_back_as_two_are_linked_again() {
    for set in [false, true] {
        let env = project();
        let before = picture(&env);
        env.sh("cp -a old ../copy").ok();
        env.claude_runs("rm -rf old");
        if set {
            env.claude_runs("rm -rf docs");
        }
        env.sh("mkdir old; cp -p ../copy/x old/x; cp -p ../copy/hard old/hard").ok();
        let copied = picture(&env);
        let done = undo(&env, &[if set { "--session" } else { "1" }]);
        assert_eq!(done.code, 0, "{done:?}");
        assert_like(&before, &env, "linked again");
        assert_eq!(undo(&env, &["1"]).code, 5);
        env.fr(&["redo", "--yes"]).ok();
        assert_like(&copied, &env, "two files again");
    }
}

/// How an undo comes to end in part.
struct Part {
    name: &'static str,
    commands: &'static [&'static str],
    then: &'static str,
    policy: &'static str,
}

const PARTS: [Part; 8] = [
    Part {
        name: "a file skipped",
        commands: &["rm -rf docs; echo x > config.yml", "echo y > config.yml; rm -rf old"],
        then: "echo mine > config.yml",
        policy: "skip",
    },
    Part {
        name: "a repository skipped",
        commands: &["git commit -q -a -m one; rm -rf docs", "git commit -q --allow-empty -m two; rm -rf old"],
        then: "git commit -q --allow-empty -m mine",
        policy: "skip",
    },
    Part {
        name: "a file put beside",
        commands: &["rm -rf docs; echo x > config.yml", "echo y > config.yml; rm -rf old"],
        then: "echo mine > config.yml",
        policy: "side-by-side",
    },
    Part {
        name: "a branch put beside",
        commands: &["git commit -q -a -m one; rm -rf docs", "git tag -d v1; rm -rf old"],
        then: "git commit -q --allow-empty -m mine",
        policy: "side-by-side",
    },
    Part {
        name: "a directory that stays",
        commands: &["mkdir -p made/deep; echo agent > made/deep/x; rm -rf docs", "rm -rf old"],
        then: "echo mine > made/deep/mine",
        policy: "abort",
    },
    Part {
        name: "a directory that stays in a captured work tree",
        commands: &[
            "git reset -q --hard HEAD~1; mkdir -p made/deep; echo agent > made/deep/x",
            "rm -rf docs",
        ],
        then: "echo mine > made/deep/mine",
        policy: "abort",
    },
    Part {
        name: "files that were not captured",
        commands: &["sh ./destroy.sh; rm -rf old", "sh -c 'rm -rf src'"],
        then: "true",
        policy: "abort",
    },
    Part {
        name: BROKEN_LINK,
        commands: &["echo y > old/x; rm -rf docs", "rm -rf src"],
        then: "true",
        policy: "abort",
    },
];

/// What no redo can bring back is named: a link to a name that nobody captured.
const BROKEN_LINK: &str = "a hard link that was not captured";

#[test]
fn a_redo_of_an_undo_in_part_brings_back_what_was_there_before_it() {
    for part in PARTS {
        for together in [false, true] {
            let env = project();
            env.sh("mkdir build/big; head -c 20000 /dev/zero > build/big/x").ok();
            std::fs::create_dir_all(&env.fr_home).unwrap();
            std::fs::write(env.fr_home.join("config.toml"), "[caps]\nignored_file_bytes = 10000\n").unwrap();
            let commands = if together { part.commands } else { &part.commands[..1] };
            for command in commands {
                env.claude_runs(command);
            }
            env.sh(part.then).ok();
            let present = picture(&env);
            let which = if together { "--session" } else { "1" };
            let done = undo(&env, &[which, "--on-conflict", part.policy]);
            let what = format!("{}, together: {together}: {done:?}", part.name);
            assert_eq!(done.code, 3, "{what}");
            let redo = env.fr(&["redo", "--yes"]);
            if part.name == BROKEN_LINK {
                assert_eq!(redo.code, 3, "{what}, then {redo:?}");
                assert!(redo.stdout.contains("not restored: hard links to 1 names"), "{what}, then {redo:?}");
                assert_eq!(env.read("old/x"), "y\n");
            } else {
                assert_eq!(redo.code, 0, "{what}, then {redo:?}");
                assert_like(&present, &env, &what);
            }
            // The one is the other's opposite, as often as one likes.
            let again = undo(&env, &[which, "--on-conflict", part.policy]);
            assert_eq!(again.code, 3, "{what}, then {again:?}");
        }
    }
}

/// What was forced in a repository and what was only taken back in it are two steps on one place.
#[test]
fn a_redo_also_takes_back_what_was_forced_in_the_same_repository() {
    for policy in ["force", "side-by-side"] {
        let env = project();
        let before = picture(&env);
        env.claude_runs("git tag agents; git branch -D topic");
        env.claude_runs("git commit -q --amend -m rewritten; rm -rf docs");
        env.claude_runs("git branch agents-too");
        env.git(&["commit", "-q", "--allow-empty", "-m", "a person went on"]).ok();
        let persons = picture(&env);
        let done = undo(&env, &["--session", "--on-conflict", policy]);
        assert_eq!(done.code, if policy == "force" { 0 } else { 3 }, "{done:?}");
        if policy == "force" {
            assert_like(&before, &env, "forced");
        }
        let redo = env.fr(&["redo", "--yes"]);
        assert_eq!(redo.code, 0, "{policy}: {done:?}, then {redo:?}");
        assert_like(&persons, &env, policy);
    }
}
