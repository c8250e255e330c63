//! The git directory of a submodule that git moves out of its work tree: there and back, with work since, and what stands
//! in its way.

use super::{picture, world};
use crate::env::TestEnv;

/// The world with the submodule's repository in its work tree.
fn embedded() -> TestEnv {
    let env = world();
    let embed = "rm sub/.git && mv .git/modules/sub sub/.git && git config -f sub/.git/config --unset core.worktree && rmdir .git/modules";
    env.sh(embed).ok();
    env
}

#[test]
fn an_undo_of_a_move_can_be_taken_back() {
    let env = embedded();
    let before = picture(&env);
    env.fr(&["exec", "-c", "git submodule absorbgitdirs"]).ok();
    let absorbed = picture(&env);
    assert!(env.exists(".git/modules/sub/HEAD"));
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(before.differences(&picture(&env)), Vec::<String>::new());
    let redo = env.fr(&["redo", "--yes"]);
    assert_eq!(absorbed.differences(&picture(&env)), Vec::<String>::new(), "{redo:?}");
    redo.ok();
    env.sh("git -C sub status").ok();
}

#[test]
fn commits_made_since_move_with_it() {
    let env = embedded();
    env.fr(&["exec", "-c", "git submodule absorbgitdirs"]).ok();
    env.sh("cd sub && git commit -qam 'made since' && git branch since").ok();
    env.fr(&["undo", "1", "--yes"]).ok();
    assert!(env.sh("git -C sub log --format=%s since").ok().stdout.starts_with("made since\n"));
    assert!(!env.exists(".git/modules/sub"));
}

#[test]
fn a_place_that_is_taken_since_is_not_written_over() {
    let env = embedded();
    env.fr(&["exec", "-c", "git submodule absorbgitdirs"]).ok();
    env.sh("rm sub/.git && git init -q sub/.git/x && echo mine > sub/.git/mine").ok();
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_ne!(undo.code, 0, "{undo:?}");
    assert_eq!(env.read("sub/.git/mine"), "mine\n");
    assert!(env.exists(".git/modules/sub/HEAD"), "nothing is lost: {undo:?}");
}

#[test]
fn a_first_update_leaves_nothing_and_work_in_it_is_kept() {
    let env = world();
    env.sh("git submodule --quiet deinit -f sub && rm -rf .git/modules").ok();
    env.fr(&["exec", "-c", "git submodule --quiet update --init"]).ok();
    assert!(env.exists(".git/modules/sub/HEAD"));
    env.sh("cd sub && git checkout -qb mine && git commit -q --allow-empty -m 'only here'").ok();
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 4, "somebody worked there: {undo:?}");
    assert!(env.sh("git -C sub log -1 --format=%s mine").ok().stdout.starts_with("only here"));
}
