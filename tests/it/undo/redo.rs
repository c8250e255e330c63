//! An undo is an event: it can be undone itself, and events are taken back one by one.

use super::{assert_same, picture, project};
use crate::env::TestEnv;

#[test]
fn redo_brings_back_what_undo_took_away() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("rm -rf src; echo x > config.yml; mkdir made");
    let destroyed = picture(&env);
    env.fr(&["undo", "--yes"]).ok();
    assert_same(&before, &env);
    env.fr(&["redo", "--yes"]).ok();
    assert_same(&destroyed, &env);
    // And the command can be taken back again, since its undo no longer stands.
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_same(&before, &env);
}

#[test]
fn several_events_are_taken_back_newest_first() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("echo 1 > config.yml");
    env.claude_runs("echo 2 > config.yml");
    env.claude_runs("git reset -q --hard HEAD~1");
    env.claude_runs("rm -rf src config.yml");
    env.fr(&["undo", "1", "2", "3", "4", "--yes"]).ok();
    assert_same(&before, &env);
}

#[test]
fn without_an_id_the_latest_change_that_is_not_undone_is_meant() {
    let env = project();
    let before = picture(&env);
    env.claude_runs("rm -rf docs");
    let middle = picture(&env);
    env.claude_runs("rm -rf old");
    env.claude_runs("ls -la");
    env.fr(&["undo", "--yes"]).ok();
    assert_same(&middle, &env);
    env.fr(&["undo", "--yes"]).ok();
    assert_same(&before, &env);
    let none = env.fr(&["undo", "--yes"]);
    assert_eq!(none.code, 5, "{none:?}");
}

#[test]
fn a_dry_run_writes_nothing_and_shows_numbered_steps() {
    let env = project();
    env.claude_runs("rm -rf docs");
    let destroyed = picture(&env);
    let plan = env.fr(&["undo", "--dry-run"]).ok();
    assert!(plan.stdout.contains("  1. "), "{plan:?}");
    assert_same(&destroyed, &env);
    let json = env.fr(&["undo", "--dry-run", "--json"]).ok().json();
    assert_eq!(json["events"], serde_json::json!([1]));
    assert_eq!(json["steps"][0]["verdict"], "restore");
    assert_eq!(
        env.fr(&["timeline", "--json"]).ok().json().as_array().unwrap().len(),
        1,
        "a dry run is no event"
    );
}

#[test]
fn without_a_terminal_nothing_is_applied_unasked() {
    let env = project();
    env.claude_runs("rm -rf docs");
    let undo = env.fr(&["undo", "1"]);
    assert_eq!(undo.code, 2, "{undo:?}");
    assert!(undo.stderr.contains("--yes"), "{undo:?}");
    assert!(!env.exists("docs"));
}

#[test]
fn a_line_that_wrote_through_its_own_link_goes_back_and_forth() {
    for line in [
        "ln -s docs linked && cd linked && echo x > guide.md",
        "ln -s ../docs old/docs; cp -a old new && echo x > new/docs/guide.md",
    ] {
        let env = project();
        let before = picture(&env);
        env.claude_runs(line);
        let after = picture(&env).without_directory_times();
        assert_eq!(env.fr(&["undo", "1", "--yes"]).code, 0, "{line}");
        assert_same(&before, &env);
        let redo = env.fr(&["redo", "2", "--yes"]);
        assert_eq!(redo.code, 0, "{line}: {redo:?}");
        let now = picture(&env).without_directory_times();
        assert!(now == after, "{line}: {:#?}", after.difference(&now));
    }
}

#[test]
fn a_file_s_time_that_an_undo_gave_back_goes_again_with_redo() {
    let env = project();
    let before = picture(&env);
    // Nothing matches: the file is written anew with the same content, and only its time is another.
    env.claude_runs("sed -i s/nothing-of-this/x/ config.yml");
    let destroyed = picture(&env).without_directory_times();
    env.fr(&["undo", "--yes"]).ok();
    picture(&env).without_directory_times().assert_same(&before.without_directory_times());
    env.fr(&["redo", "--yes"]).ok();
    picture(&env).without_directory_times().assert_same(&destroyed);
}

/// A prompt asks git for its status as soon as a person is in the directory, and git writes its index anew with the times and
/// inodes of the files that it finds.
#[test]
fn a_look_at_a_repository_is_no_change_of_it() {
    let env = TestEnv::with_git();
    let place = env.project.parent().unwrap().join("copy");
    let index = || std::fs::read(place.join(".git/index")).unwrap();
    let day = std::cell::Cell::new(1);
    let look = || {
        let before = index();
        // Another time on each occasion: git writes its index only where it differs from what it sees.
        env.sh(&format!(
            "cd ../copy && touch -d 1990-01-0{} README.md && git status",
            day.replace(day.get() + 1)
        ))
        .ok();
        assert_ne!(before, index(), "git has written its index anew");
    };
    env.claude_runs("git clone -q . ../copy");
    look();
    env.fr(&["undo", "1", "--yes"]).ok();
    assert!(!place.exists());
    env.fr(&["redo", "2", "--yes"]).ok();
    look();
    env.fr(&["undo", "1", "--yes"]).ok();
    assert!(!place.exists());

    env.sh("git clone -q . ../copy").ok();
    env.claude_runs("rm -rf ../copy");
    env.fr(&["undo", "--yes"]).ok();
    look();
    env.fr(&["redo", "--yes"]).ok();
    assert!(!place.exists());
}

/// Work that somebody staged since then is a change.
#[test]
fn what_was_staged_since_stays() {
    let env = TestEnv::with_git();
    env.claude_runs("git clone -q . ../copy");
    env.sh("cd ../copy && echo mine > mine && git add mine && rm mine").ok();
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    assert!(undo.stderr.contains("copy/.git/index"), "{undo:?}");
    env.sh("git -C ../copy cat-file -p :mine").ok();
}

/// The repository of a submodule is among the files that its removal took, and among the repositories.
#[test]
fn a_submodule_that_came_back_goes_again() {
    let env = project();
    env.sh("git -c protocol.file.allow=always submodule --quiet add ../remote.git sub && git commit -qm sub")
        .ok();
    let before = picture(&env);
    env.claude_runs("git submodule deinit -qf sub; rm -rf .git/modules/sub");
    let destroyed = picture(&env);
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_same(&before, &env);
    env.sh("git status && git -C sub status").ok();
    env.fr(&["redo", "2", "--yes"]).ok();
    assert!(!env.exists(".git/modules/sub"));
    assert_same(&destroyed, &env);
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_same(&before, &env);
}

/// The words of the line do not say that the repository goes, so the undo makes it anew, and the redo takes it away again: but
/// not what somebody has committed in it since.
#[test]
fn a_repository_that_a_script_removed_goes_again() {
    let env = project();
    env.sh("git -c protocol.file.allow=always submodule --quiet add ../remote.git sub && git commit -qm sub")
        .ok();
    env.write("clean.py", "import shutil, os\nshutil.rmtree('.git')\nos.remove('config.yml')\n");
    let before = picture(&env);
    env.claude_runs("python3 clean.py");
    assert!(!env.exists(".git") && !env.exists("config.yml"));
    // The project's directory has the time at which the repository came into it: files come first.
    let assert_back = || {
        let mut now = picture(&env);
        now.set_root_time_of(&before);
        assert!(now == before, "{:#?}", before.difference(&now));
    };
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_back();
    env.sh("git status && git -C sub status").ok();
    env.fr(&["redo", "2", "--yes"]).ok();
    assert!(!env.exists(".git") && !env.exists("config.yml"));
    env.fr(&["undo", "1", "--yes"]).ok();
    assert_back();

    env.sh("git commit -q --allow-empty -m mine").ok();
    let mine = picture(&env);
    let redo = env.fr(&["redo", "--yes"]);
    assert_eq!(redo.code, 4, "{redo:?}");
    assert_same(&mine, &env);
}

/// What a line destroys in a clone that it has made itself was nobody's, and goes with the clone.
#[test]
fn what_a_line_made_and_destroyed_leaves_no_rest() {
    let env = project();
    let before = picture(&env);
    for line in [
        "git clone -q . ../copy && cd ../copy && git rm -qf config.yml && rm README.md; git commit -qm gone",
        "git worktree add -q ../tree -b agents && cd ../tree && git rm -qf config.yml && git commit -qm gone && git -C ../project merge -q agents",
    ] {
        env.claude_runs(line);
        let destroyed = picture(&env);
        env.fr(&["undo", "--yes"]).ok();
        assert_same(&before, &env);
        let there = |name: &str| env.project.parent().unwrap().join(name).exists();
        assert!(!there("copy") && !there("tree"), "{line}");
        env.fr(&["redo", "--yes"]).ok();
        assert_same(&destroyed, &env);
        env.fr(&["undo", "--yes"]).ok();
        assert_same(&before, &env);
    }
}

/// `fr undo 2` is nothing that anybody at three in the morning ran: what it is about is the command.
#[test]
fn what_an_undo_or_a_redo_of_one_takes_back_is_called_by_the_command() {
    let env = project();
    env.claude_runs("mkdir made; rm -rf src");
    env.fr(&["undo", "--yes"]).ok();
    let redo = env.fr(&["redo", "--dry-run"]).ok().stdout;
    assert!(redo.starts_with("redo: take back undo 2: mkdir made; rm -rf src (event 1)\n"), "{redo}");
    env.fr(&["redo", "--yes"]).ok();
    let by_number = env.fr(&["undo", "3", "--dry-run"]).ok().stdout;
    let wanted = "undo 3: mkdir made; rm -rf src (event 1, which redo 3 brought about again)\n";
    assert!(by_number.starts_with(wanted), "{by_number}");
    let plan = env.fr(&["undo", "3", "--dry-run", "--json"]).ok().json();
    assert!(plan["command"].as_str().unwrap().starts_with("mkdir made; rm -rf src (event 1"), "{plan:#}");
    // Of several, the newest is named.
    let env = project();
    env.claude_runs("rm -rf docs");
    env.claude_runs("rm -rf old");
    env.fr(&["undo", "1", "2", "--yes"]).ok();
    let redo = env.fr(&["redo", "--dry-run"]).ok().stdout;
    assert!(redo.starts_with("redo: take back undo 3: rm -rf old (event 2 and others)\n"), "{redo}");
}
