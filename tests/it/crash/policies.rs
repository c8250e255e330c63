//! An undo that writes over, or merges into, what a person did since: killed anywhere, the person's version comes back.

use super::fault::{How, can_trace, count, faults, traced};
use super::world::{World, case};
use crate::env::TestEnv;

const OLD: &str = "one\ntwo\nthree\nfour\nfive\n";
const MINE: &str = "one\nTWO\nthree\nfour\nFIVE, by hand\n";
const MERGED: &str = "one\ntwo\nthree\nfour\nFIVE, by hand\n";

fn head(env: &TestEnv) -> String {
    env.git(&["rev-parse", "main"]).ok().stdout
}

fn killed(policy: &str, command: &str, persons: &str) {
    if !can_trace() {
        return;
    }
    let world = World::new();
    world.env.write("list.txt", OLD);
    world.env.claude_runs(command);
    world.env.write("list.txt", MINE);
    world.env.sh(persons).ok();
    let mine = head(&world.env);
    world.keep();
    let undo = ["undo", "1", "--yes", "--on-conflict", policy];
    let counted = count(&world, &undo, b"", 0);
    for fault in faults(&counted, How::Kill, 2) {
        world.reset();
        let ran = traced(&world, &undo, b"", Some(&fault));
        let what = case(&fault, &ran);
        assert!(!ran.hits.is_empty(), "{what}: the fault hit nothing, so the case proves nothing");
        let found = world.env.read("list.txt");
        assert!([OLD, MINE, MERGED].contains(&found.as_str()), "{what}: {found:?}");
        let resume = world.env.fr(&["undo", "--resume"]);
        assert!([0, 3, 5].contains(&resume.code), "{what}: {resume:?}");
        // What the interruption left in conflict is honestly so; asked again, it is done.
        let again = world.env.fr(&undo);
        assert!([0, 3, 5].contains(&again.code), "{what}: {resume:?}, then {again:?}");
        let wanted = if policy == "merge" { MERGED } else { OLD };
        assert_eq!(world.env.read("list.txt"), wanted, "{what}: {resume:?}, then {again:?}");
        assert!(world.env.exists("docs/guide.md"), "{what}");
        while world.env.fr(&["redo", "--yes"]).code == 0 {}
        assert_eq!(world.env.read("list.txt"), MINE, "{what}");
        assert_eq!(head(&world.env), mine, "{what}");
        assert!(!world.env.exists("docs"), "{what}");
        world.assert_sound(&what);
    }
}

#[test]
fn killed_during_a_forced_undo() {
    killed(
        "force",
        "sed -i s/two/TWO/ list.txt; rm -rf docs; git commit -q --amend -m rewritten",
        "git commit -q --allow-empty -m 'a person went on'",
    );
}

#[test]
fn killed_during_a_merging_undo() {
    killed("merge", "sed -i s/two/TWO/ list.txt; rm -rf docs", "true");
}

/// A repository in conflict, half moved back when the undo was killed: the resume goes on with what was decided.
#[test]
fn a_forced_repository_is_finished_by_the_resume_itself() {
    if !can_trace() {
        return;
    }
    let mut resumed = 0;
    for (undo, call) in [("1", "fchmod"), ("1", "renameat"), ("1..2", "renameat"), ("1..2", "fchmod")] {
        let world = World::new();
        let env = &world.env;
        let old = head(env);
        env.claude_runs("git reset -q --hard HEAD~1");
        env.sh("git commit -q --allow-empty -m 'a person went on'").ok();
        env.claude_runs("rm -rf docs");
        let mine = head(env);
        let undo = ["undo", undo, "--yes", "--on-conflict", "force"];
        world.keep();
        let Some(most) = count(&world, &undo, b"", 0).get(call).copied() else { continue };
        for nth in [most.div_ceil(2), most - most / 4, most] {
            world.reset();
            let fault = super::fault::Fault { call: call.to_owned(), how: How::Kill, nth, onwards: false };
            let ran = traced(&world, &undo, b"", Some(&fault));
            let what = case(&fault, &ran);
            let resume = env.fr(&["undo", "--resume"]);
            if resume.code == 5 {
                // It had not begun, or had ended.
                continue;
            }
            assert_eq!(resume.code, 0, "{what}: {resume:?}");
            assert_eq!(head(env), old, "{what}: {resume:?}");
            env.fr(&["redo", "--yes"]).ok();
            assert_eq!(head(env), mine, "{what}");
            resumed += 1;
        }
    }
    assert!(resumed > 2, "only {resumed} undos were interrupted");
}
