//! The undo: killed, refused, and taken up again.

use std::path::Path;

use super::fault::{Fault, How, can_trace, count, faults, traced};
use super::world::{COMMAND, World, case};
use crate::fs_compare::{Seen, Tree};
use crate::undo::{Picture, picture};

const UNDO: [&str; 3] = ["undo", "1", "--yes"];

/// A world that was destroyed, and what it looked like before and after.
struct Ruin {
    world: World,
    before: Picture,
    destroyed: Picture,
    files: (Tree, Tree),
    /// Times of directories are compared too.
    times: bool,
}

fn ruin() -> Ruin {
    let world = World::new();
    let (before, old) = (picture(&world.env), world.files());
    world.env.claude_runs(COMMAND).ok();
    let (destroyed, new) = (picture(&world.env).without_directory_times(), world.files());
    world.keep();
    Ruin { world, before, destroyed, files: (old, new), times: true }
}

impl Ruin {
    /// Every file is as it was before the command, or as the command left it: never half, never away.
    #[track_caller]
    fn assert_old_or_new(&self, what: &str) {
        let now = self.world.files();
        let (old, new) = &self.files;
        let same = |a: Option<&Seen>, b: &Seen| {
            a.is_some_and(|a| (a.kind, &a.hash, &a.target) == (b.kind, &b.hash, &b.target))
        };
        let staged =
            |p: &Path| p.components().any(|c| c.as_os_str().as_encoded_bytes().starts_with(b".fr-undo-"));
        for (path, seen) in now.iter().filter(|(path, seen)| seen.kind != "dir" && !staged(path)) {
            let known = same(old.get(path), seen) || same(new.get(path), seen);
            assert!(known, "{what}: {} is neither old nor new: {seen:?}", path.display());
        }
        for path in new.keys().filter(|p| old.contains_key(*p)) {
            assert!(now.contains_key(path), "{what}: {} is away", path.display());
        }
        let git = self.world.env.git(&["status", "--porcelain"]);
        assert_eq!(git.code, 0, "{what}: {git:?}");
    }

    /// What a person does after an interrupted undo brings everything back.
    #[track_caller]
    fn assert_completes(&self, what: &str) {
        let resume = self.world.env.fr(&["undo", "--resume"]);
        assert!(resume.code == 0 || resume.code == 5, "{what}: {resume:?}");
        if !self.is_undone() {
            let again = self.world.env.fr(&UNDO);
            // All back already is an answer too, where an earlier undo had ended in part.
            let all_back = again.code == 5 && again.stderr.contains("every target of event 1 is as it was");
            assert!(again.code == 0 || all_back, "{what}: resume {resume:?}, then {again:?}");
        }
        self.assert_undone(what);
    }

    /// An undo that ended in part says that it did, and that it can be taken back: then the next one does all of it.
    #[track_caller]
    fn assert_retry_completes(&self, code: i32, what: &str) {
        if code == 3 && self.world.events().iter().any(|e| e["undone_in_part"] == true) {
            let again = self.world.env.fr(&UNDO);
            // A file that got its content and not its mode is neither the old nor the new one: undo does not guess.
            if again.code == 4 {
                assert!(again.stderr.contains("fr redo"), "{what}: {again:?}");
                self.world.env.fr(&["redo", "--yes"]);
            }
        }
        self.assert_completes(what);
    }

    fn is_undone(&self) -> bool {
        self.world
            .events()
            .into_iter()
            .any(|e| e["id"] == 1 && !e["undone_by"].is_null() && e["undone_in_part"] == false)
    }

    #[track_caller]
    fn assert_undone(&self, what: &str) {
        let (mut now, mut before) = (picture(&self.world.env), self.before.clone());
        if !self.times {
            (now, before) = (now.without_directory_times(), before.without_directory_times());
        }
        assert!(now == before, "{what}: {:#?}", before.difference(&now));
        self.world.assert_sound(what);
    }

    /// Taking back every undo that stands brings the ruin back. Where a fault had cost the undo its own capture or
    /// post-state, `honest` allows redo to name that, or to be in conflict with nothing written.
    #[track_caller]
    fn assert_redo(&self, honest: bool, what: &str) {
        let (mut redone, mut named_what_is_missing) = (0, false);
        loop {
            let now = picture(&self.world.env);
            let redo = self.world.env.fr(&["redo", "--yes"]);
            match redo.code {
                0 => redone += 1,
                3 if honest && redo.stdout.contains("did not come back: ") => {
                    (redone, named_what_is_missing) = (redone + 1, true);
                }
                4 if honest => {
                    assert!(redo.stderr.contains("nothing was written"), "{what}: {redo:?}");
                    let after = picture(&self.world.env);
                    assert!(now == after, "{what}: {redo:?}: {:#?}", now.difference(&after));
                    return;
                }
                5 if redone > 0 => break,
                _ => panic!("{what}: redo number {redone}: {redo:?}"),
            }
        }
        let now = picture(&self.world.env).without_directory_times();
        assert!(
            named_what_is_missing || now == self.destroyed,
            "{what}: redo: {:#?}",
            self.destroyed.difference(&now)
        );
    }
}

#[test]
fn killed_during_an_undo() {
    if !can_trace() {
        return;
    }
    let ruin = ruin();
    let counted = count(&ruin.world, &UNDO, b"");
    for fault in faults(&counted, How::Kill, 2) {
        ruin.world.reset();
        let ran = traced(&ruin.world, &UNDO, b"", Some(&fault));
        let what = case(&fault, &ran);
        assert!(!ran.hits.is_empty(), "{what}: the fault hit nothing, so the case proves nothing");
        ruin.assert_old_or_new(&what);
        ruin.assert_completes(&what);
        ruin.assert_redo(false, &what);
    }
}

#[test]
fn killed_while_a_killed_undo_is_resumed() {
    if !can_trace() {
        return;
    }
    let ruin = ruin();
    // Just before the files come back, with everything staged.
    let first = Fault { call: "renameat2".to_owned(), how: How::Kill, nth: 1, onwards: false };
    let stopped = traced(&ruin.world, &UNDO, b"", Some(&first));
    assert!(!stopped.hits.is_empty(), "{:?}", stopped.output);
    ruin.world.keep();
    let resume = ["undo", "--resume"];
    let counted = count(&ruin.world, &resume, b"");
    for fault in faults(&counted, How::Kill, 2) {
        ruin.world.reset();
        let ran = traced(&ruin.world, &resume, b"", Some(&fault));
        let what = case(&fault, &ran);
        ruin.assert_old_or_new(&what);
        ruin.assert_completes(&what);
        ruin.assert_redo(false, &what);
    }
}

/// Lets each call of an undo fail once. It either did all of what it says, or says that it did not and can go on.
fn refused(error: &'static str, each: usize) {
    if !can_trace() {
        return;
    }
    // A retry after an error is a new undo, and finds the files back: it has no reason to look at a directory's time.
    let ruin = Ruin { times: false, ..ruin() };
    let counted = count(&ruin.world, &UNDO, b"");
    for fault in faults(&counted, How::Error(error), each) {
        ruin.world.reset();
        let ran = traced(&ruin.world, &UNDO, b"", Some(&fault));
        let what = case(&fault, &ran);
        ruin.assert_old_or_new(&what);
        match ran.output.code {
            0 => ruin.assert_undone(&what),
            code => ruin.assert_retry_completes(code, &what),
        }
        ruin.assert_redo(true, &what);
    }
}

#[test]
fn an_io_error_during_an_undo() {
    refused("EIO", 2);
}

#[test]
fn a_full_disk_during_an_undo() {
    refused("ENOSPC", 1);
}
