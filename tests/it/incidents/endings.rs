//! Commands that end in another way than well, and people who go on working.
//!
//! A tool that takes its snapshot after the command, or only of commands that succeeded, has nothing here. One that puts a
//! whole snapshot back loses what a person wrote since.

use super::look::Picture;
use super::project::project;
use super::{holds, incidents, undo};
use crate::env::TestEnv;

incidents! {
    it_failed_after_destroying: "rm -rf src && false", lost "test -f src/main.rs";
    it_failed_in_the_middle: "rm -r docs no-such-thing web && echo done", lost "test -f docs/crlf.txt";
    it_stopped_in_a_conflict: "git stash -q && git stash apply -q 'stash@{1}' && git commit -qam x && git cherry-pick HEAD~1 feature; git stash pop",
        lost "git ls-files --error-unmatch staged.txt && ! git log -1 --format=%s | grep -qx x";
    it_ran_into_its_time_limit: "timeout 0.3 sh -c 'rm -rf docs; sleep 9; rm -rf src'", lost "test -f docs/faq.md";
}

#[test]
fn it_never_reported_back() {
    let env = project();
    let before = Picture::of(&env, false);
    env.claude_pre("rm -rf src docs ../outside/keep");
    env.sh("rm -rf src docs ../outside/keep").ok();
    assert!(!holds(&env, "test -f src/main.rs"));
    let undo = undo(&env, &[]);
    assert_eq!(undo.code, 0, "{undo:?}");
    // Nobody knows whether the times of the directories above are the command's doing: they stay.
    let times = ["project", "outside"];
    let wrong =
        before.without_times_of(&times).differences(&Picture::of(&env, false).without_times_of(&times));
    assert!(wrong.is_empty(), "{}\n{undo:?}", wrong.join("\n"));
}

/// Somebody kills the shell of the agent half way, and everything that it started.
#[test]
fn it_was_killed() {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    for (signal, number) in [(rustix::process::Signal::KILL, 9), (rustix::process::Signal::TERM, 15)] {
        let env = project();
        let before = Picture::of(&env, false);
        let line = "rm -rf src docs; > config.yml; sleep 60; rm -rf old";
        let call = env.claude_pre(line);
        let mut shell = env.command("bash");
        let mut child = shell.args(["-c", line]).process_group(0).spawn().unwrap();
        while !holds(&env, "! test -e docs && ! test -s config.yml") {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let group = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process_group(group, signal).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(number));
        env.claude_fail(&call, 128 + number);
        let undo = undo(&env, &[]);
        assert_eq!(undo.code, 0, "{undo:?}");
        let wrong = before.differences(&Picture::of(&env, false));
        assert!(wrong.is_empty(), "{}\n{undo:?}", wrong.join("\n"));
    }
}

/// An agent has removed a directory and written over a file; a person has fixed the file by hand since.
fn edited_since() -> (TestEnv, Picture, Picture) {
    let env = project();
    let before = Picture::of(&env, false);
    env.claude_runs("rm -rf docs && printf 'a=1\\nb=9\\nc=3\\n' > config.yml");
    env.write("config.yml", "a=1\nb=9\nc=3\nfixed by a person\n");
    let now = Picture::of(&env, false);
    (env, before, now)
}

#[test]
fn a_person_went_on_working_and_nothing_is_written() {
    let (env, _, now) = edited_since();
    let refused = undo(&env, &[]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused.stderr.contains("config.yml") && refused.stderr.contains("nothing was written"),
        "{refused:?}"
    );
    let wrong = now.differences(&Picture::of(&env, false));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_person_went_on_working_and_the_rest_comes_back() {
    let (env, before, _) = edited_since();
    let skipped = undo(&env, &["--on-conflict", "skip"]);
    assert_eq!(skipped.code, 3, "{skipped:?}");
    assert_eq!(env.read("config.yml"), "a=1\nb=9\nc=3\nfixed by a person\n");
    let only = ["project/config.yml"];
    let (before, now) = (before.without(&only), Picture::of(&env, false).without(&only));
    let wrong = before.files_only().differences(&now.files_only());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_person_went_on_working_and_both_are_merged() {
    let (env, ..) = edited_since();
    let merged = undo(&env, &["--on-conflict", "merge"]);
    assert_eq!(merged.code, 0, "{merged:?}");
    assert_eq!(env.read("config.yml"), "a=1\nb=2\nc=3\nfixed by a person\n");
    assert!(holds(&env, "test -f docs/crlf.txt"));
}

#[test]
fn a_person_went_on_working_and_the_old_version_lies_beside() {
    let (env, _, now) = edited_since();
    let beside = undo(&env, &["--on-conflict", "side-by-side"]);
    assert_eq!(beside.code, 3, "{beside:?}");
    assert_eq!(env.read("config.yml"), "a=1\nb=9\nc=3\nfixed by a person\n");
    assert_eq!(env.sh("cat config.yml.fr-undo-*").ok().stdout, "a=1\nb=2\nc=3\n");
    env.fr(&["redo", "--yes"]).ok();
    let times = ["project"];
    let wrong = now.without_times_of(&times).differences(&Picture::of(&env, false).without_times_of(&times));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_person_went_on_working_and_is_overwritten_on_demand_only() {
    let (env, before, now) = edited_since();
    let forced = undo(&env, &["--on-conflict", "force"]);
    assert_eq!(forced.code, 0, "{forced:?}");
    let wrong = before.differences(&Picture::of(&env, false));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    env.fr(&["redo", "--yes"]).ok();
    let wrong = now.differences(&Picture::of(&env, false));
    assert!(wrong.is_empty(), "what the person wrote: {}", wrong.join("\n"));
}
