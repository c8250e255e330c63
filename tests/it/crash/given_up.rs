//! An undo by a policy that was killed, and is given up: `--abort` goes back to exactly what was there before it, whatever
//! the policy had written by then. Or is gone on with: `--resume` comes to where it would have come.

use super::fault::{How, can_trace, count, faults, traced};
use super::world::{World, case};
use crate::undo::picture;

const OLD: &str = "one\ntwo\nthree\nfour\nfive\n";
const MINE: &str = "one\nTWO\nthree\nfour\nFIVE, by hand\n";

/// Kills an undo by a policy anywhere and gives it up; then the undo is as possible as before.
fn given_up(policy: &str, undo: &str, commands: &[&str], persons: &str, code: i32) {
    if !can_trace() {
        return;
    }
    let world = World::new();
    let env = &world.env;
    env.write("list.txt", OLD);
    for command in commands {
        env.claude_runs(command);
    }
    env.write("list.txt", MINE);
    env.sh(persons).ok();
    let before = picture(env).without_directory_times();
    world.keep();
    let args = ["undo", undo, "--yes", "--on-conflict", policy];
    let (mut aborted, counted) = (0, count(&world, &args, b"", code));
    for fault in faults(&counted, How::Kill, 2) {
        world.reset();
        let ran = traced(&world, &args, b"", Some(&fault));
        let what = case(&fault, &ran);
        assert!(!ran.hits.is_empty(), "{what}: the fault hit nothing, so the case proves nothing");
        let abort = env.fr(&["undo", "--abort", "--yes"]);
        // 5: it had not begun, or it was done.
        assert!([0, 5].contains(&abort.code), "{what}: {abort:?}");
        if abort.code == 0 {
            aborted += 1;
            let now = picture(env).without_directory_times();
            assert!(now == before, "{what}: {abort:?}: {:#?}", before.difference(&now));
            let again = env.fr(&args);
            assert_eq!(again.code, code, "{what}: {abort:?}, then {again:?}");
        }
        world.assert_sound(&what);
    }
    assert!(aborted > 5, "only {aborted} undos were given up");
}

const LINE: &str = "sed -i s/two/TWO/ list.txt; rm -rf docs; git commit -q --amend -m rewritten";
const PERSONS: &str = "git commit -q --allow-empty -m 'a person went on'";

#[test]
fn a_forced_undo() {
    given_up("force", "1", &[LINE], PERSONS, 0);
}

#[test]
fn a_forced_undo_of_several_events() {
    given_up("force", "1..2", &[LINE, "rm -rf src; git tag v1"], PERSONS, 0);
}

#[test]
fn a_merging_undo() {
    given_up("merge", "1", &["sh -c 'sed -i s/two/TWO/ list.txt; rm -rf docs'; rm -rf src"], "true", 0);
}

#[test]
fn an_undo_that_puts_old_versions_beside() {
    given_up("side-by-side", "1", &[LINE], PERSONS, 3);
}

/// What lies beside the present already is not put there a second time.
#[test]
fn an_undo_that_puts_old_versions_beside_is_gone_on_with() {
    if !can_trace() {
        return;
    }
    let world = World::new();
    let env = &world.env;
    env.write("list.txt", OLD);
    let old = env.git(&["rev-parse", "main"]).ok().stdout;
    env.claude_runs(LINE);
    env.write("list.txt", MINE);
    env.sh(PERSONS).ok();
    let persons = picture(env).without_directory_times();
    world.keep();
    let args = ["undo", "1", "--yes", "--on-conflict", "side-by-side"];
    let mut resumed = 0;
    for fault in faults(&count(&world, &args, b"", 3), How::Kill, 2) {
        world.reset();
        let ran = traced(&world, &args, b"", Some(&fault));
        let what = case(&fault, &ran);
        let resume = env.fr(&["undo", "--resume"]);
        assert!([3, 5].contains(&resume.code), "{what}: {resume:?}");
        resumed += usize::from(resume.code == 3);
        if resume.code == 5 && !env.exists("list.txt.fr-undo-1") {
            assert_eq!(env.fr(&args).code, 3, "{what}: it had not begun");
        }
        let found =
            env.sh("ls -A | grep fr-undo; git for-each-ref --format='%(refname)' refs/heads/fr").stdout;
        assert_eq!(found, "list.txt.fr-undo-1\nrefs/heads/fr/undo-1/main\n", "{what}: {resume:?}");
        assert_eq!((env.read("list.txt.fr-undo-1"), env.read("list.txt")), (OLD.to_owned(), MINE.to_owned()));
        assert_eq!(env.git(&["rev-parse", "fr/undo-1/main"]).ok().stdout, old, "{what}");
        assert!(env.exists("docs/guide.md"), "{what}");
        let redo = env.fr(&["redo", "--yes"]);
        assert_eq!(redo.code, 0, "{what}: {resume:?}, then {redo:?}");
        let now = picture(env).without_directory_times();
        assert!(now == persons, "{what}: {resume:?}, then {redo:?}: {:#?}", persons.difference(&now));
        world.assert_sound(&what);
    }
    assert!(resumed > 5, "only {resumed} undos were interrupted");
}
