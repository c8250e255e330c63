//! Carries out a plan: look again, stage, swap, remove, set times. Every file is at each moment either the old one or
//! the new one. What the world says now is compared with what the plan expects twice: before anything is written, and
//! for every file that is displaced, after it was taken out of its place and before it is let go.

use std::os::fd::AsFd;

use super::build::Builder;
use super::compare::{After, Difference, differences, load_state};
use super::entry::Entry;
use super::forced::{Forced, WithText, forced};
use super::judge::{Verdict, judge, judge_again};
use super::leftover;
use super::links::Groups;
use super::node::{in_words, is_absent};
use super::parents::Parents;
use super::plan::{OWNER, Payload, decode, is_within};
use super::scope::{Above, exact};
use super::stage::{Dirs, Staged, find_link_mates, stage, unstage};
use super::swap::{Op, STAYS, Written, place, read_present, remove, set_metadata};
use super::times::{DirTime, set_time};
use super::tree::State;
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectSource, Step, StepOutcome, StepVerdict};
use crate::platform::fs::{open_beneath, split_parent, sync_dir, sync_file_system};
use crate::systems::ApplyCx;

/// Up to so many files are made durable one by one; more by one sync of the file system.
const SYNC_EACH: usize = 64;
/// Conflicts that are named in an outcome.
const NAMED: usize = 10;

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
        builder.links = find_link_mates(self.source, root, &decided.ops, &mut dirs, self.payload.again)?;
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
        let groups = Groups::of(self.source, &self.before, self.after.as_ref());
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
            let verdict = groups.with_links(verdict, &at)?;
            if verdict == Verdict::Already
                && let Some(dirs) = dirs.as_deref_mut()
            {
                out.conflicts.extend(leftover::clear(dirs, &at, &self.tag, self.source));
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
                self.guarded(op, &mut written, |_, written| remove(op, &self.tag, dirs, written));
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
            let _best_effort = set_time(time, self.source, dirs);
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
