//! The undo: killed, refused, and taken up again.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::fault::{Fault, How, can_trace, count, faults, traced};
use super::world::{COMMAND, World, case};
use crate::fs_compare::{Seen, Tree};
use crate::undo::{Picture, picture};

/// A world that was destroyed, and what it looked like before and after.
struct Ruin {
    world: World,
    /// What takes it back.
    undo: &'static [&'static str],
    /// How many events that takes back: those from 1 on.
    events: u64,
    /// How an undo that nobody interrupts ends.
    code: i32,
    before: Picture,
    destroyed: Picture,
    files: (Tree, Tree),
    times: Times,
}

/// Which times of directories are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    All,
    /// But the project directory's own: after a crash in an undo of several events nobody can tell whose it is.
    Below,
    None,
}

/// One event.
fn ruin() -> Ruin {
    let world = World::new();
    let (before, old) = (picture(&world.env), world.files());
    world.env.claude_runs(COMMAND).ok();
    let (destroyed, new) = (picture(&world.env).without_directory_times(), world.files());
    world.keep();
    let undo = &["undo", "1", "--yes"];
    Ruin { world, undo, events: 1, code: 0, before, destroyed, files: (old, new), times: Times::All }
}

/// Several events on files and git, with a person at work between them. What an undo that nobody interrupts gives is what
/// an interrupted one must give in the end.
fn ruin_of_a_session(code: i32) -> Ruin {
    let world = World::new();
    let env = &world.env;
    env.sh("git branch topic; git tag v1; mkdir old; echo x > old/x; ln old/x old/hard").ok();
    env.claude_runs("rm -rf src old; git branch -q -D topic; echo 1 > config.yml; echo new > agent.txt").ok();
    env.write("docs/mine.md", PERSONS[0]);
    env.write("mine.txt", PERSONS[1]);
    env.claude_runs("git reset -q --hard HEAD~1; mkdir -p made/deep; echo agent > made/deep/x").ok();
    // A directory that the agent made stays where it holds a file of the person's: that is done in part.
    if code == 3 {
        env.write("made/deep/mine.txt", PERSONS[2]);
    }
    env.claude_runs(
        "rm -rf docs; echo 2 > config.yml; chmod 600 run.sh; git tag -d v1 >&2; git add config.yml",
    )
    .ok();
    let (destroyed, new) = (picture(env).without_directory_times(), world.files());
    world.keep();
    let undo = &["undo", "--session", "--yes"];
    let whole = env.fr(undo);
    assert_eq!(whole.code, code, "{whole:?}");
    let (before, old) = (picture(env), world.files());
    let persons = ["docs/mine.md", "mine.txt", "made/deep/mine.txt"].into_iter().zip(PERSONS);
    for (path, text) in persons.take(if code == 3 { 3 } else { 2 }) {
        assert_eq!(env.read(path), text);
    }
    world.reset();
    // A directory that stays has the time of what was removed from it last, by whichever run.
    let times = if code == 3 { Times::None } else { Times::Below };
    Ruin { world, undo, events: 3, code, before, destroyed, files: (old, new), times }
}

/// One event on a repository that keeps its refs in tables: all refs of a step are one transaction.
fn ruin_of_tables() -> Ruin {
    let world = World::new();
    let env = &world.env;
    let tables = "set -e; rm -rf .git; git init -q --ref-format=reftable; git add .; git commit -qm one; echo two >> src/main.rs; \
                  git commit -qam two; git branch topic; git tag v1; echo three >> src/main.rs; git stash -q; \
                  echo dirty >> src/main.rs; git add src/main.rs; git pack-refs --all; git tag v2";
    env.sh(tables).ok();
    let (before, old) = (picture(env), world.files());
    env.claude_runs(
        "git reset -q --hard HEAD~1; git branch -q -D topic; git tag -d v1 v2 >&2; git stash drop -q; git checkout -q -b agents",
    )
    .ok();
    let (destroyed, new) = (picture(env).without_directory_times(), world.files());
    world.keep();
    let undo = &["undo", "1", "--yes"];
    Ruin { world, undo, events: 1, code: 0, before, destroyed, files: (old, new), times: Times::All }
}

/// What the person writes between the events of a session.
const PERSONS: [&str; 3] = ["what I wrote\n", "a thought of mine\n", "put with the agent's\n"];

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
        assert!(resume.code == self.code || resume.code == 5, "{what}: {resume:?}");
        if !self.is_undone() {
            let again = self.world.env.fr(self.undo);
            // All back already is an answer too, where an earlier undo had ended in part.
            let all_back = again.code == 5 && again.stderr.contains("is as it was before it");
            assert!(again.code == self.code || all_back, "{what}: resume {resume:?}, then {again:?}");
        }
        self.assert_undone(what);
    }

    /// An undo that ended in part says that it did, and that it can be taken back: then the next one does all of it.
    #[track_caller]
    fn assert_retry_completes(&self, code: i32, what: &str) {
        if code == 3 && self.world.events().iter().any(|e| e["undone_in_part"] == true) {
            let again = self.world.env.fr(self.undo);
            // A file that got its content and not its mode is neither the old nor the new one: undo does not guess.
            if again.code == 4 {
                assert!(again.stderr.contains("fr redo"), "{what}: {again:?}");
                self.world.env.fr(&["redo", "--yes"]);
            }
        }
        self.assert_completes(what);
    }

    fn is_undone(&self) -> bool {
        let events = self.world.events();
        let undone = |e: &&Value| {
            let whole = e["undone_in_part"] == false || self.code == 3;
            e["id"].as_u64() <= Some(self.events) && !e["undone_by"].is_null() && whole
        };
        events.iter().filter(undone).count() as u64 == self.events
    }

    #[track_caller]
    fn assert_undone(&self, what: &str) {
        let (mut now, mut before) = (picture(&self.world.env), self.before.clone());
        match self.times {
            Times::All => {}
            Times::Below => now.set_root_time_of(&before),
            Times::None => {
                (now, before) = (now.without_directory_times(), before.without_directory_times());
            }
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

/// By how many calls two runs of one undo may differ.
const SPREAD: usize = 8;

/// Kills the undo at each call.
fn killed(ruin: &Ruin, each: usize) {
    let counted = count_of(ruin, ruin.undo);
    for fault in faults(&counted, How::Kill, each) {
        ruin.world.reset();
        let ran = traced(&ruin.world, ruin.undo, b"", Some(&fault));
        let what = case(&fault, &ran);
        // How often it waits for a lock differs from run to run: the last call counted may have none that is like it.
        if ran.hits.is_empty() && counted.get(&fault.call).is_some_and(|last| fault.nth + SPREAD > *last) {
            continue;
        }
        assert!(!ran.hits.is_empty(), "{what}: the fault hit nothing, so the case proves nothing");
        ruin.assert_old_or_new(&what);
        ruin.assert_completes(&what);
        ruin.assert_redo(false, &what);
    }
}

fn count_of(ruin: &Ruin, args: &[&str]) -> BTreeMap<String, usize> {
    count(&ruin.world, args, b"", ruin.code)
}

/// Stops an undo just before the first file comes back, with everything staged, and kills the resume at each call.
fn killed_again(ruin: &Ruin, each: usize) {
    let first = Fault { call: "renameat2".to_owned(), how: How::Kill, nth: 1, onwards: false };
    let stopped = traced(&ruin.world, ruin.undo, b"", Some(&first));
    assert!(!stopped.hits.is_empty(), "{:?}", stopped.output);
    ruin.world.keep();
    let resume = ["undo", "--resume"];
    let counted = count_of(ruin, &resume);
    for fault in faults(&counted, How::Kill, each) {
        ruin.world.reset();
        let ran = traced(&ruin.world, &resume, b"", Some(&fault));
        let what = case(&fault, &ran);
        ruin.assert_old_or_new(&what);
        ruin.assert_completes(&what);
        ruin.assert_redo(false, &what);
    }
}

/// Lets each call of an undo fail once. It either did all of what it says, or says that it did not and can go on.
fn refused(ruin: &Ruin, error: &'static str, each: usize) {
    let counted = count_of(ruin, ruin.undo);
    for fault in faults(&counted, How::Error(error), each) {
        ruin.world.reset();
        let ran = traced(&ruin.world, ruin.undo, b"", Some(&fault));
        let what = case(&fault, &ran);
        ruin.assert_old_or_new(&what);
        match ran.output.code {
            0 => ruin.assert_undone(&what),
            code => ruin.assert_retry_completes(code, &what),
        }
        ruin.assert_redo(true, &what);
    }
}

/// A retry after an error is a new undo, and finds the files back: it has no reason to look at a directory's time.
fn without_times(ruin: Ruin) -> Ruin {
    Ruin { times: Times::None, ..ruin }
}

#[test]
fn killed_during_an_undo() {
    if can_trace() {
        killed(&ruin(), 2);
    }
}

#[test]
fn killed_during_an_undo_of_refs_in_tables() {
    if can_trace() {
        killed(&ruin_of_tables(), 2);
    }
}

#[test]
fn an_io_error_during_an_undo_of_refs_in_tables() {
    if can_trace() {
        refused(&without_times(ruin_of_tables()), "EIO", 1);
    }
}

#[test]
fn killed_while_a_killed_undo_is_resumed() {
    if can_trace() {
        killed_again(&ruin(), 2);
    }
}

#[test]
fn an_io_error_during_an_undo() {
    if can_trace() {
        refused(&without_times(ruin()), "EIO", 2);
    }
}

#[test]
fn a_full_disk_during_an_undo() {
    if can_trace() {
        refused(&without_times(ruin()), "ENOSPC", 1);
    }
}

#[test]
fn killed_during_an_undo_of_a_session() {
    if can_trace() {
        killed(&ruin_of_a_session(0), 2);
    }
}

/// What the resume cannot find out again, the undo had written down: what does not come back is named, now as then.
#[test]
fn killed_during_an_undo_of_a_session_of_which_something_stays() {
    if can_trace() {
        killed(&ruin_of_a_session(3), 1);
    }
}

#[test]
fn killed_while_a_killed_undo_of_a_session_is_resumed() {
    if can_trace() {
        killed_again(&ruin_of_a_session(3), 1);
    }
}

#[test]
fn an_io_error_during_an_undo_of_a_session() {
    if can_trace() {
        refused(&without_times(ruin_of_a_session(0)), "EIO", 2);
    }
}

#[test]
fn a_full_disk_during_an_undo_of_a_session() {
    if can_trace() {
        refused(&without_times(ruin_of_a_session(0)), "ENOSPC", 1);
    }
}

/// The mode of a file or of a directory could not be set: whichever it was, the next undo sets it, and none says that all is as
/// it was while a directory is closed to everybody else.
#[test]
fn a_mode_that_could_not_be_set_is_set_by_the_next_undo() {
    if !can_trace() {
        return;
    }
    for ruin in [without_times(ruin()), without_times(ruin_of_a_session(0))] {
        let counted = count_of(&ruin, ruin.undo);
        let modes = counted.get("fchmod").copied().unwrap_or_default();
        assert!(modes > 3, "{counted:?}");
        for nth in 1..=modes {
            ruin.world.reset();
            let fault = Fault { call: "fchmod".to_owned(), how: How::Error("ENOSPC"), nth, onwards: false };
            let ran = traced(&ruin.world, ruin.undo, b"", Some(&fault));
            let what = case(&fault, &ran);
            assert!(!ran.output.stdout.contains(".fr-undo-"), "it has a name of its own: {what}");
            match ran.output.code {
                0 => ruin.assert_undone(&what),
                code => ruin.assert_retry_completes(code, &what),
            }
        }
    }
}

/// A file that could not be read once is not taken for one that is back: nothing is written, and the next undo does all of it.
#[test]
fn a_file_that_could_not_be_read_once_is_a_conflict_and_no_guess() {
    if !can_trace() {
        return;
    }
    let ruin = without_times(ruin_of_a_session(0));
    let counted = count_of(&ruin, ruin.undo);
    for nth in 50..80.min(counted.get("openat").copied().unwrap_or_default()) {
        ruin.world.reset();
        let fault = Fault { call: "openat".to_owned(), how: How::Error("EIO"), nth, onwards: false };
        let ran = traced(&ruin.world, ruin.undo, b"", Some(&fault));
        let what = case(&fault, &ran);
        match ran.output.code {
            0 => ruin.assert_undone(&what),
            code => ruin.assert_retry_completes(code, &what),
        }
    }
}

/// Nor is a directory that could not be opened once taken for one in which there is nothing to do.
#[test]
fn a_directory_that_could_not_be_opened_once_is_a_conflict_and_no_guess() {
    if !can_trace() {
        return;
    }
    let ruin = without_times(ruin_of_a_session(0));
    let opened = numbers(&ruin, " openat2(", |line| line.contains("\"src/deep\""));
    assert!(!opened.is_empty());
    for nth in opened {
        ruin.world.reset();
        let fault = Fault { call: "openat2".to_owned(), how: How::Error("EIO"), nth, onwards: false };
        let ran = traced(&ruin.world, ruin.undo, b"", Some(&fault));
        let what = case(&fault, &ran);
        match ran.output.code {
            0 => ruin.assert_undone(&what),
            code => ruin.assert_retry_completes(code, &what),
        }
    }
}

/// The numbers, among the calls of one kind, of those whose line in the log is one of these.
fn numbers(ruin: &Ruin, call: &str, is_one: impl Fn(&str) -> bool) -> Vec<usize> {
    let ran = traced(&ruin.world, ruin.undo, b"", None);
    assert_eq!(ran.output.code, ruin.code, "{:?}", ran.output);
    let log = std::fs::read(ruin.world.env.root().join("strace.log")).unwrap();
    let log = String::from_utf8_lossy(&log).into_owned();
    let calls = log.lines().filter(|line| line.contains(call));
    calls.enumerate().filter(|(_, line)| is_one(line)).map(|(n, _)| n + 1).collect()
}

/// A repository that could not be read once is not taken for none: what the undo keeps of the present is all of it, or nothing
/// is written.
#[test]
fn a_repository_that_could_not_be_read_once_is_not_taken_for_none() {
    if !can_trace() {
        return;
    }
    let ruin = without_times(ruin_of_a_session(0));
    let is_read = |line: &str| line.contains("/.git/HEAD\"") || line.contains(", \"index\", O_RDONLY");
    let reads = numbers(&ruin, " openat(", is_read);
    assert!(reads.len() > 6, "{reads:?}");
    for nth in reads {
        ruin.world.reset();
        let fault = Fault { call: "openat".to_owned(), how: How::Error("EIO"), nth, onwards: false };
        let ran = traced(&ruin.world, ruin.undo, b"", Some(&fault));
        let what = case(&fault, &ran);
        match ran.output.code {
            0 => ruin.assert_undone(&what),
            code => ruin.assert_retry_completes(code, &what),
        }
        ruin.assert_redo(true, &what);
    }
}
