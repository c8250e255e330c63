//! A person's later work is never lost: undo refuses, writes nothing, and says what stands in the way.

use super::{assert_same, picture, project};

#[test]
fn a_later_human_edit_stops_the_undo_before_anything_is_written() {
    let env = project();
    env.claude_runs("rm -rf src && echo x > config.yml");
    env.write("config.yml", "a person fixed this by hand\n");
    let before_undo = picture(&env);
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    assert!(undo.stderr.contains("config.yml"), "{undo:?}");
    assert!(undo.stderr.contains("nothing was written"), "{undo:?}");
    assert_same(&before_undo, &env);
    assert!(!env.exists("src"));
}

#[test]
fn skipping_the_conflict_restores_the_rest_and_says_that_it_is_not_all() {
    let env = project();
    env.claude_runs("rm -rf src && echo x > config.yml");
    env.write("config.yml", "a person fixed this by hand\n");
    let undo = env.fr(&["undo", "1", "--yes", "--on-conflict", "skip"]);
    assert_eq!(undo.code, 3, "{undo:?}");
    assert!(undo.stdout.contains("undone in part"), "{undo:?}");
    assert_eq!(env.read("config.yml"), "a person fixed this by hand\n");
    assert!(env.read("src/main.rs").ends_with("dirty\n"));
}

#[test]
fn what_an_undo_in_part_left_can_be_taken_back_later() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("rm -rf src && echo x > config.yml");
    env.write("config.yml", "a person fixed this by hand\n");
    assert_eq!(env.fr(&["undo", "1", "--yes", "--on-conflict", "skip"]).code, 3);
    assert!(env.fr(&["timeline"]).ok().stdout.contains("[undone in part by 2]"));
    // The person puts the agent's version back: nothing stands in the way any more.
    env.write("config.yml", "x\n");
    let again = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.stdout.contains("undone and verified"), "{again:?}");
    picture(&env).without_directory_times().assert_same(&before.without_directory_times());
    assert!(env.fr(&["timeline"]).ok().stdout.contains("[undone by 3]"));
    assert_eq!(env.fr(&["undo", "1", "--yes"]).code, 5);
}

#[test]
fn a_commit_made_since_is_a_conflict_of_the_branch() {
    let env = project();
    env.claude_runs("git commit -q --amend -m rewritten");
    env.sh("git commit -q --allow-empty -m 'a person went on'").ok();
    let before_undo = picture(&env);
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    assert!(undo.stderr.contains("refs/heads/main"), "{undo:?}");
    assert_same(&before_undo, &env);
}

#[test]
fn files_made_in_the_place_of_the_deleted_ones_are_kept() {
    let env = project();
    env.claude_runs("rm -rf docs");
    env.write("docs/guide.md", "written anew by a person\n");
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    assert_eq!(env.read("docs/guide.md"), "written anew by a person\n");
    // The safe way out that the message names.
    env.fr(&["restore", "1", "--to", "../aside"]).ok();
    let aside = env.sh("cat $(find ../aside -name guide.md)").ok();
    assert_eq!(aside.stdout, "guide\n");
}

#[test]
fn undo_of_an_opaque_command_leaves_alone_what_it_did_not_touch() {
    let env = project();
    env.claude_runs("sh ./destroy.sh");
    env.write("elsewhere/later.txt", "a person's later work\n");
    env.write("src/deep/lib.rs", "a person's later edit\n");
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(env.read("docs/guide.md"), "guide\n");
    assert!(!env.exists("made.txt"));
    assert_eq!(env.read("elsewhere/later.txt"), "a person's later work\n");
    assert_eq!(env.read("src/deep/lib.rs"), "a person's later edit\n");
}

#[test]
fn a_file_that_two_captures_hold_is_shown_once() {
    let env = project();
    env.claude_runs("git clean -fdq; rm config.yml");
    let diff = env.fr(&["diff", "1"]).ok();
    assert_eq!(diff.stdout.matches("/config.yml\n").count(), 1, "{diff:?}");
}
