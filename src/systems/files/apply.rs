//! Carries out a plan: look again, stage, swap, remove, set times. Every file is at each moment either the old one or
//! the new one. What the world says now is compared with what the plan expects twice: before anything is written, and
//! for every file that is displaced, after it was taken out of its place and before it is let go.

use std::os::fd::{AsFd, BorrowedFd};

use super::build::Builder;
use super::compare::{After, Difference, differences, load_state};
use super::content::Keep;
use super::entry::{Content, Entry, Kind};
use super::forced::{Forced, WithText, forced};
use super::judge::{Verdict, judge, judge_again};
use super::node::{Reading, in_words, is_absent, is_link, read_now};
use super::parents::Parents;
use super::plan::{OWNER, Payload, decode, is_within};
use super::scope::{Above, exact};
use super::stage::{Dirs, Staged, find_link_mates, stage, temp_name, unstage};
use super::tree::{State, decode_tree};
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectSource, Step, StepOutcome, StepVerdict};
use crate::platform::fs::{
    list_dir, move_new, open_beneath, remove_dir, remove_file, set_mtime, split_parent, stat_at, stat_fd,
    swap_in, sync_dir, sync_file_system,
};
use crate::systems::ApplyCx;

/// Up to so many files are made durable one by one; more by one sync of the file system.
const SYNC_EACH: usize = 64;
/// Conflicts that are named in an outcome.
const NAMED: usize = 10;

/// One path that is written.
pub struct Op {
    /// Below the base.
    pub path: Vec<u8>,
    verdict: Verdict,
    before: Option<Entry>,
    now: Option<Entry>,
}

impl Op {
    /// What is made at the path, where something is.
    pub fn makes(&self) -> Option<&Entry> {
        match self.verdict {
            Verdict::Create | Verdict::Replace => self.before.as_ref(),
            _ => None,
        }
    }

    /// Only metadata is set.
    pub fn mends(&self) -> bool {
        self.verdict == Verdict::Metadata
    }

    /// A file takes the place of a directory, which must be empty first.
    fn waits_for_removal(&self) -> bool {
        let dir = |e: &Option<Entry>| e.as_ref().is_some_and(Entry::is_dir);
        self.verdict == Verdict::Replace && dir(&self.now)
    }
}

/// A directory whose names changed: its time comes back when its names are those of before.
struct DirTime {
    path: Vec<u8>,
    before: Entry,
    after_mtime: Option<i64>,
}

/// Applies a step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    match &step.verdict {
        StepVerdict::Restore => {}
        StepVerdict::Already => return Ok(StepOutcome::Done),
        StepVerdict::Conflict { reason } => return Ok(StepOutcome::Conflict { reason: reason.clone() }),
        StepVerdict::NotCaptured { reason } | StepVerdict::OnRequest { reason } => {
            return Ok(StepOutcome::Failed { reason: reason.clone() });
        }
    }
    let payload = decode(step)?;
    let before = load_state(cx.source, &payload.before)?;
    let after = payload.after.map(|id| load_state(cx.source, &id)).transpose()?;
    if after.as_ref().is_some_and(|after| after.path != before.path) {
        return Err(Error::corrupt("the states before and after are of different paths"));
    }
    let tag: String = cx.label.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
    let owner_is_known = step.not_restored.iter().any(|n| n.starts_with(OWNER));
    let stays_are_known = step.not_restored.iter().any(|n| n.contains(STAYS));
    let (before, after, gone, text) = match &payload.only {
        None => (before, after, false, None),
        Some(only) => match forced(only, &before, after.as_ref(), cx)? {
            Forced::Settled(outcome) => return Ok(outcome),
            Forced::Write { before, after, gone, text } => (*before, Some(*after), gone, text),
        },
    };
    let source = WithText { under: cx.source, text };
    let undo = Undo { source: &source, before, after, payload, gone, tag, progress: cx.progress };
    undo.run(owner_is_known, stays_are_known)
}

/// How a directory that cannot go is described.
pub const STAYS: &str = "stays: it holds things made since";

struct Undo<'a> {
    source: &'a dyn ObjectSource,
    before: State,
    after: Option<State>,
    payload: Payload,
    /// What is not there now is expected not to be.
    gone: bool,
    tag: String,
    progress: &'a (dyn Fn(u64) + Sync),
}

/// What looking again gave.
#[derive(Default)]
struct Decided {
    ops: Vec<Op>,
    times: Vec<DirTime>,
    conflicts: Vec<String>,
}

/// What writing gave.
#[derive(Default)]
struct Written {
    done: u64,
    problems: Vec<String>,
    conflicts: Vec<String>,
    /// Directories that stay because they hold other things.
    stays: Vec<String>,
}

impl Undo<'_> {
    fn run(&self, owner_is_known: bool, stays_are_known: bool) -> Result<StepOutcome> {
        let place = exact(self.before.path.as_slice())?;
        if let Above::Blocked(why) | Above::BehindLink(why) = &place.above {
            return Ok(StepOutcome::Conflict { reason: format!("{}: {why}", self.before.path.lossy()) });
        }
        let mut dirs = match &place.above {
            Above::Open(fd) => Some(Dirs::below(fd.try_clone().map_err(|e| Error::io("open", "/", &e))?)),
            _ => None,
        };
        let decided = self.decide(dirs.as_mut())?;
        if !decided.conflicts.is_empty() {
            return Ok(StepOutcome::Conflict { reason: in_short(&decided.conflicts) });
        }
        let mut parents = Parents::new(&self.before, self.after.as_ref());
        if decided.ops.iter().any(|op| op.makes().is_some()) {
            parents.make()?;
        }
        let mut dirs = match exact(self.before.path.as_slice())?.above {
            Above::Open(fd) => Dirs::below(fd),
            // Nothing is there and nothing is wanted there.
            Above::Absent => return Ok(StepOutcome::Done),
            Above::Blocked(why) | Above::BehindLink(why) => return Ok(StepOutcome::Conflict { reason: why }),
        };
        let makes = decided.ops.iter().filter(|op| op.makes().is_some()).count();
        let mut builder = Builder::new(self.source, makes <= SYNC_EACH);
        let root = self.before.entry.as_ref().map(|entry| (place.name(), entry));
        builder.links = find_link_mates(self.source, root, &decided.ops, &mut dirs)?;
        let staged = match stage(&decided.ops, &mut dirs, &mut builder, &self.tag) {
            Ok(staged) => staged,
            Err(e) => {
                parents.unmake();
                return Ok(StepOutcome::Failed { reason: format!("{e}; nothing was changed") });
            }
        };
        if !builder.sync_each {
            sync_file_system(dirs.base()).map_err(|e| Error::io("sync", self.before.path.as_path(), &e))?;
        }
        let written = self.write(&decided, staged, &mut dirs, &mut builder);
        parents.finish();
        let mut problems = written.problems;
        let shortfalls = std::mem::take(&mut builder.shortfalls).into_iter();
        problems.extend(shortfalls.filter(|s| !(owner_is_known && s.starts_with(OWNER))));
        if !stays_are_known {
            problems.extend(written.stays);
        }
        Ok(outcome(written.done, decided.ops.len() as u64, &written.conflicts, &problems))
    }

    /// Compares every path that the event changed with what is there now.
    fn decide(&self, mut dirs: Option<&mut Dirs>) -> Result<Decided> {
        let mut out = Decided::default();
        differences(self.source, &self.before, self.after.as_ref(), None, |mut at| {
            if self.leaves_alone(&at.path) {
                return Ok(());
            }
            at.now = match dirs.as_deref_mut() {
                Some(dirs) => read_present(dirs, &at)?,
                None => None,
            };
            if self.gone && at.now.is_none() {
                at.after = After::Known(None);
            }
            let judge = if self.payload.again { judge_again } else { judge };
            let verdict = judge(at.before.as_ref(), &at.after, at.now.as_ref());
            if verdict == Verdict::Already
                && let Some(dirs) = dirs.as_deref_mut()
            {
                self.clear_leftover(dirs, &at, &mut out.conflicts);
            }
            out.take(at, verdict);
            Ok(())
        })?;
        Ok(out)
    }

    fn leaves_alone(&self, path: &[u8]) -> bool {
        let Payload { skip, skip_alone, only, .. } = &self.payload;
        match only {
            Some(only) => only.alone && path.contains(&b'/'),
            None => {
                skip.iter().any(|top| is_within(path, top.as_slice()))
                    || skip_alone.iter().any(|p| p.as_slice() == path)
            }
        }
    }

    /// A path that is back already may have, beside it, what an interrupted run took out of its place and did not get
    /// to look at. It is dropped only if it is what was expected there.
    fn clear_leftover(&self, dirs: &mut Dirs, at: &Difference, conflicts: &mut Vec<String>) {
        let (dir, _) = split_parent(&at.path);
        let temp = temp_name(&self.tag, &at.path);
        let Ok(fd) = dirs.open(dir) else { return };
        if stat_at(fd, &temp).is_err() {
            return;
        }
        let expected = [at.before.as_ref(), at.after.entry()];
        let known = expected.into_iter().flatten().any(|entry| {
            read_like(fd, &temp, entry)
                .is_ok_and(|found| found.is_some_and(|found| found.same_but_time(entry) || found.is_dir()))
        });
        if known {
            let _tried_again_next_time = super::clean::remove_staged(fd, &temp);
        } else {
            let (path, temp) = (Bytes::from(at.path.as_slice()), Bytes(temp));
            conflicts.push(format!(
                "{}: a version that an interrupted undo displaced lies beside it as {}",
                path.lossy(),
                temp.lossy()
            ));
        }
    }

    fn write(
        &self,
        decided: &Decided,
        staged: Vec<Staged>,
        dirs: &mut Dirs,
        builder: &mut Builder<'_>,
    ) -> Written {
        let mut written = Written::default();
        let ops = &decided.ops;
        let waits = |s: &Staged| ops.get(s.op).is_some_and(Op::waits_for_removal);
        let (late, soon): (Vec<_>, Vec<_>) = staged.into_iter().partition(waits);
        self.place_all(ops, soon, dirs, &mut written);
        if written.conflicts.is_empty() {
            for op in ops.iter().rev().filter(|op| op.verdict == Verdict::Remove) {
                self.guarded(op, &mut written, |undo, written| undo.remove(op, dirs, written));
            }
        }
        if written.conflicts.is_empty() {
            self.place_all(ops, late, dirs, &mut written);
        } else {
            unstage(&late, dirs);
        }
        if written.conflicts.is_empty() {
            for op in ops.iter().rev().filter(|op| op.verdict == Verdict::Metadata) {
                self.guarded(op, &mut written, |_, written| set_metadata(op, dirs, builder, written));
            }
        }
        dirs.forget();
        for time in decided.times.iter().rev() {
            // A time that cannot be set is not worth a failure of its own: verification compares it.
            let _best_effort = self.set_time(time, dirs);
        }
        if let Err(e) = sync_touched(ops, dirs) {
            written.problems.push(format!("making it durable: {}", in_words(&e)));
        }
        written
    }

    /// Puts what is staged in its place; after a conflict the rest is removed again.
    fn place_all(&self, ops: &[Op], staged: Vec<Staged>, dirs: &mut Dirs, written: &mut Written) {
        let mut rest = staged.into_iter();
        while let Some(item) = rest.next() {
            let Some(op) = ops.get(item.op) else { continue };
            let before = written.conflicts.len() + written.problems.len();
            self.guarded(op, written, |_, written| place(op, &item, dirs, written));
            if written.conflicts.len() + written.problems.len() > before {
                unstage(&[item], dirs);
                unstage(&rest.collect::<Vec<_>>(), dirs);
                return;
            }
            // A tree counts with all that is in it.
            let below = ops.get(item.op + 1..).unwrap_or_default().iter();
            let inside =
                below.take_while(|o| o.path.starts_with(&op.path) && op.makes().is_some_and(Entry::is_dir));
            written.done += inside.filter(|o| o.makes().is_some()).count() as u64;
        }
    }

    /// Runs one operation; an error names its path, a success counts.
    fn guarded(
        &self,
        op: &Op,
        written: &mut Written,
        act: impl FnOnce(&Self, &mut Written) -> std::io::Result<()>,
    ) {
        let known = written.conflicts.len();
        match act(self, written) {
            Ok(()) if written.conflicts.len() == known => {
                written.done += 1;
                (self.progress)(written.done);
            }
            Ok(()) => {}
            Err(e) => {
                let path = Bytes::from(op.path.as_slice());
                written.problems.push(format!("{}: {}", path.lossy(), in_words(&e)));
            }
        }
    }

    fn remove(&self, op: &Op, dirs: &mut Dirs, written: &mut Written) -> std::io::Result<()> {
        let (dir, name) = split_parent(&op.path);
        let shown = Bytes::from(op.path.as_slice());
        let fd = match dirs.open(dir) {
            Err(e) if is_absent(&e) => return Ok(()),
            other => other?,
        };
        let Some(now) = &op.now else { return Ok(()) };
        if now.is_dir() {
            match remove_dir(fd, name) {
                Err(e) if is_absent(&e) => {}
                Err(e) if e.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
                    written.stays.push(format!("{} {STAYS}", shown.lossy()));
                }
                other => other?,
            }
            dirs.forget();
            return Ok(());
        }
        let temp = temp_name(&self.tag, &op.path);
        match move_new(fd, name, &temp) {
            Err(e) if is_absent(&e) => return Ok(()),
            other => other?,
        }
        if still(fd, &temp, now) {
            return remove_file(fd, &temp);
        }
        move_new(fd, &temp, name)?;
        written.conflicts.push(format!("{}: it was changed a moment ago", shown.lossy()));
        Ok(())
    }

    /// Sets a directory's time where its names are those of before.
    fn set_time(&self, time: &DirTime, dirs: &mut Dirs) -> Result<()> {
        let failed = |e: std::io::Error| Error::io("read", Bytes::from(time.path.as_slice()).as_path(), &e);
        let fd = dirs.open(&time.path).map_err(failed)?;
        let stat = stat_fd(fd).map_err(failed)?;
        if stat.mtime_ns == time.before.meta.mtime_ns {
            return Ok(());
        }
        let as_before = match time.before.tree() {
            None => Some(stat.mtime_ns) == time.after_mtime,
            Some(tree) => {
                let mut names = Vec::new();
                list_dir(fd, &mut Vec::new(), |name| names.push(name.to_vec())).map_err(failed)?;
                names.sort_unstable();
                let wanted = decode_tree(&self.source.get(&tree)?)?;
                let hidden =
                    |name: &[u8]| name == b".git" && !wanted.iter().any(|w| w.name.as_slice() == name);
                names.retain(|name| !hidden(name));
                names.iter().map(Vec::as_slice).eq(wanted.iter().map(|w| w.name.as_slice()))
            }
        };
        if as_before {
            set_mtime(fd, time.before.meta.mtime_ns).map_err(failed)?;
        }
        Ok(())
    }
}

impl Decided {
    fn take(&mut self, at: Difference, verdict: Verdict) {
        let Difference { path, before, after, now, .. } = at;
        let is_dir = |e: &Option<Entry>| e.as_ref().is_some_and(Entry::is_dir);
        if let (true, true, Some(before)) = (is_dir(&before), is_dir(&now), &before) {
            let after_mtime = after.entry().map(|a| a.meta.mtime_ns);
            self.times.push(DirTime { path: path.clone(), before: before.clone(), after_mtime });
        }
        match verdict {
            Verdict::Conflict(why) => {
                self.conflicts.push(format!("{}: {why}", Bytes::from(path.as_slice()).lossy()));
            }
            verdict if verdict.acts() => self.ops.push(Op { path, verdict, before, now }),
            // Named in the plan already.
            _ => {}
        }
    }
}

/// Puts one staged thing in its place.
fn place(op: &Op, item: &Staged, dirs: &mut Dirs, written: &mut Written) -> std::io::Result<()> {
    let name = split_parent(&op.path).1;
    let shown = Bytes::from(op.path.as_slice());
    let fd = dirs.open(&item.dir)?;
    let Some(now) = &op.now else {
        match move_new(fd, &item.temp, name) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                written.conflicts.push(format!("{}: something was put there a moment ago", shown.lossy()));
            }
            other => other?,
        }
        dirs.forget();
        return Ok(());
    };
    match swap_in(fd, &item.temp, name) {
        Err(e) if is_absent(&e) => {
            written.conflicts.push(format!("{}: it was removed a moment ago", shown.lossy()));
            return Ok(());
        }
        other => other?,
    }
    let gone = match now.is_dir() {
        true => remove_dir(fd, &item.temp).is_ok(),
        false => still(fd, &item.temp, now) && remove_file(fd, &item.temp).is_ok(),
    };
    if !gone {
        swap_in(fd, &item.temp, name)?;
        written.conflicts.push(format!("{}: it was changed a moment ago", shown.lossy()));
    }
    dirs.forget();
    Ok(())
}

fn set_metadata(
    op: &Op,
    dirs: &mut Dirs,
    builder: &mut Builder<'_>,
    written: &mut Written,
) -> std::io::Result<()> {
    let (dir, name) = split_parent(&op.path);
    let fd = dirs.open(dir)?;
    let (Some(before), Some(now)) = (&op.before, &op.now) else { return Ok(()) };
    let mut wanted = before.clone();
    if wanted.is_dir() {
        // A directory's time follows its names and is set at the very end.
        wanted.meta.mtime_ns = now.meta.mtime_ns;
    }
    if let Err(e) = builder.set_in_place(fd, name, &wanted, &op.path) {
        written.conflicts.push(e.to_string());
    }
    Ok(())
}

/// What was taken out of its place is what was expected there.
fn still(dir: BorrowedFd<'_>, temp: &[u8], expected: &Entry) -> bool {
    read_like(dir, temp, expected).is_ok_and(|found| found.is_some_and(|found| found.same_but_time(expected)))
}

/// Reads a name as deeply as `like` was read.
pub fn read_like(dir: BorrowedFd<'_>, name: &[u8], like: &Entry) -> Result<Option<Entry>> {
    let contents = !matches!(like.kind, Kind::File { content: Content::Unread });
    read_now(dir, name, Reading { keep: Keep::Identity, contents }, &mut Vec::new())
}

/// What is at a path now. A directory above it that is gone means that it is, too.
fn read_present(dirs: &mut Dirs, at: &Difference) -> Result<Option<Entry>> {
    let (dir, name) = split_parent(&at.path);
    let unread =
        |e: Option<&Entry>| e.is_some_and(|e| matches!(e.kind, Kind::File { content: Content::Unread }));
    let contents = !(unread(at.before.as_ref()) || unread(at.after.entry()));
    if name.is_empty() {
        return Ok(at.before.clone());
    }
    match dirs.open(dir) {
        Ok(fd) => read_now(fd, name, Reading { keep: Keep::Identity, contents }, &mut Vec::new()),
        // Behind a link there is nothing of ours. Whether the link itself may go is judged at its own path.
        Err(e) if is_absent(&e) || is_link(&e) => Ok(None),
        Err(e) => Ok(Some(Entry::skipped(in_words(&e)))),
    }
}

/// Makes the directories durable in which names changed.
fn sync_touched(ops: &[Op], dirs: &mut Dirs) -> std::io::Result<()> {
    let mut touched: Vec<&[u8]> = ops.iter().map(|op| split_parent(&op.path).0).collect();
    touched.sort_unstable();
    touched.dedup();
    if touched.len() > SYNC_EACH {
        return sync_file_system(dirs.base());
    }
    for dir in touched {
        match open_beneath(dirs.base(), dir) {
            Ok(fd) => sync_dir(fd.as_fd())?,
            Err(e) if is_absent(&e) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn outcome(done: u64, of: u64, conflicts: &[String], problems: &[String]) -> StepOutcome {
    if !conflicts.is_empty() {
        let reason = format!("{} ({done} of {of} were written before)", in_short(conflicts));
        return StepOutcome::Conflict { reason };
    }
    if !problems.is_empty() {
        return StepOutcome::Failed { reason: format!("did not come back: {}", in_short(problems)) };
    }
    StepOutcome::Done
}

fn in_short(all: &[String]) -> String {
    let mut text = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    if all.len() > NAMED {
        text.push_str(&format!("; and {} more", all.len() - NAMED));
    }
    text
}
