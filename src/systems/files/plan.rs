//! How a captured path comes back: one step for all that can be written, and one for each path that stands in the way.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::compare::{Difference, differences, load_state};
use super::entry::Entry;
use super::judge::{Verdict, judge, judge_again};
use super::links::Groups;
use super::scope::Scope;
use super::tree::{State, decode_tree};
use super::ways::{Ways, only};
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Captured, Locator, ObjectId, ObjectSource, Reversibility, StateRef, Step, StepVerdict, Way,
};
use crate::platform::fs::split_parent;
use crate::systems::{PlanCx, Run};

/// Paths that get a step of their own; the rest of a kind is one step with their number.
const NAMED: usize = 100;

/// What a step carries: the states to compare again when it is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The state object before the command.
    pub before: ObjectId,
    /// After it, where it was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ObjectId>,
    /// Paths (below the captured path's parent) that are left alone with all below them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<Bytes>,
    /// Directories that are left alone themselves; what is in them is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip_alone: Vec<Bytes>,
    /// An undo that ended in part is gone on with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Only this path, which is in conflict, and what a policy does about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
}

impl Payload {
    /// Everything that differs from this state.
    pub fn of(before: ObjectId) -> Payload {
        Payload { before, after: None, skip: Vec::new(), skip_alone: Vec::new(), again: false, only: None }
    }
}

/// One path that is in conflict, and what was found there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Only {
    /// Below the captured path's parent.
    pub path: Bytes,
    /// [`super::ways::fingerprint`] of what was there when the plan was made: only that is overwritten.
    pub now: ObjectId,
    /// The directory itself, without what is in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// What is done.
    #[serde(default)]
    pub how: How,
}

/// What a policy does about a path in conflict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum How {
    /// The present is overwritten.
    #[default]
    Overwrite,
    /// The command's change is taken out of the present.
    Merge {
        /// The fingerprint of what that gives.
        result: ObjectId,
    },
    /// The old version is put beside it.
    Beside {
        /// Its new name in the same directory.
        name: Bytes,
    },
}

/// Plans.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let before_id = object_of(&captured.before.state, "before")?;
    let after_id = captured.after.as_ref().map(|a| object_of(a, "after")).transpose()?;
    let before = load_state(cx.source, &before_id)?;
    let after = after_id.map(|id| load_state(cx.source, &id)).transpose()?;
    let now = load_state(cx.source, &object_of(now, "present")?)?;
    let parent = split_parent(before.path.as_slice()).0;
    let mut sums = Sums { run: cx.run, ..Sums::default() };
    let groups = Groups::of(cx.source, &before, after.as_ref());
    differences(cx.source, &before, after.as_ref(), Some(&now), |at| {
        let full = || Bytes::from(parent).join(&at.path);
        // Left to the system that it belongs to, here and when the step is applied.
        match cx.except.iter().any(|own| *own == full()) {
            true => sums.skip.push(at.path.as_slice().into()),
            false => sums.add(at, &groups)?,
        }
        Ok(())
    })?;
    let payload = Payload { after: after_id, again: cx.run != Run::First, ..Payload::of(before_id) };
    sums.note_links_outside(cx.source, &before)?;
    let ways = Ways { source: cx.source, event: cx.event, parent, merged: 0 };
    sums.into_steps(captured, &before, payload, ways)
}

fn object_of(state: &StateRef, which: &str) -> Result<ObjectId> {
    state.object.ok_or_else(|| Error::corrupt(format!("the state {which} the command has no object")))
}

#[derive(Default)]
struct Sums {
    create: u64,
    replace: u64,
    metadata: u64,
    remove: u64,
    skip: Vec<Bytes>,
    skip_alone: Vec<Bytes>,
    conflicts: Vec<(Difference, String)>,
    not_captured: Vec<(Vec<u8>, String)>,
    not_restored: Vec<String>,
    /// Hard-link groups of which a name is made again: device, inode, and the number of names it had.
    linked: HashMap<(u64, u64), u64>,
    foreign: u64,
    already: u64,
    /// After a crash what is back already is gone through once more, for the times of directories.
    run: Run,
}

impl Sums {
    fn add(&mut self, at: Difference, groups: &Groups<'_>) -> Result<()> {
        // What is below a path in conflict is part of that conflict.
        if self.skip.last().is_some_and(|top| is_within(&at.path, top.as_slice())) {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(&at.path).into_owned();
        let judge = if self.run != Run::First { judge_again } else { judge };
        let verdict = judge(at.before.as_ref(), &at.after, at.now.as_ref());
        let verdict = groups.with_links(verdict, &at)?;
        if matches!(verdict, Verdict::Create | Verdict::Replace) {
            self.note_losses(&at.path, at.before.as_ref());
        }
        match verdict {
            Verdict::Nothing => {}
            Verdict::Already => self.already += 1,
            Verdict::Create => self.create += 1,
            Verdict::Replace if at.has_grown() => {
                self.conflict(at, "the directory holds things made since".to_owned());
            }
            Verdict::Replace => self.replace += 1,
            Verdict::Metadata => {
                self.note_owner(at.before.as_ref());
                self.metadata += 1;
            }
            Verdict::Remove if at.has_grown() => {
                self.not_restored.push(format!("{shown} {}", super::swap::STAYS));
            }
            Verdict::Remove => self.remove += 1,
            Verdict::Conflict(why) => self.conflict(at, why),
            Verdict::NotCaptured(why) => self.not_captured.push((at.path, why)),
            Verdict::Unable(why) => self.not_restored.push(format!("{shown}: {why}")),
        }
        Ok(())
    }

    fn conflict(&mut self, at: Difference, why: String) {
        let is_dir = |e: &Option<Entry>| e.as_ref().is_some_and(Entry::is_dir);
        let list = if is_dir(&at.before) && is_dir(&at.now) { &mut self.skip_alone } else { &mut self.skip };
        list.push(at.path.as_slice().into());
        self.conflicts.push((at, why));
    }

    fn note_losses(&mut self, path: &[u8], before: Option<&Entry>) {
        self.note_owner(before);
        if let Some(links) = before.and_then(|b| b.links).filter(|_| !is_git_object(path)) {
            self.linked.insert((links.dev, links.ino), links.count);
        }
    }

    /// Names outside of the captured path keep the inode that the restored names had: they are not linked again.
    fn note_links_outside(&mut self, source: &dyn ObjectSource, before: &State) -> Result<()> {
        let mut stack: Vec<Entry> = Vec::new();
        if !self.linked.is_empty() {
            stack.extend(before.entry.clone());
        }
        while let Some(entry) = stack.pop() {
            if let Some(count) = entry.links.and_then(|l| self.linked.get_mut(&(l.dev, l.ino))) {
                *count = count.saturating_sub(1);
            }
            if let Some(tree) = entry.tree() {
                stack.extend(decode_tree(&source.get(&tree)?)?.into_iter().map(|named| named.entry));
            }
        }
        let outside: u64 = self.linked.values().sum();
        if outside > 0 {
            self.not_restored.push(format!("hard links to {outside} names outside of the captured path"));
        }
        Ok(())
    }

    /// Without root only our own files can be given their owner back.
    fn note_owner(&mut self, before: Option<&Entry>) {
        let us = rustix::process::geteuid();
        if !us.is_root() && before.is_some_and(|b| b.meta.uid != us.as_raw()) {
            self.foreign += 1;
        }
    }

    fn into_steps(
        mut self,
        captured: &Captured,
        before: &State,
        mut payload: Payload,
        mut ways: Ways<'_>,
    ) -> Result<Vec<Step>> {
        let parent = split_parent(before.path.as_slice()).0.to_vec();
        let full = |path: &[u8]| Bytes([parent.as_slice(), b"/", path].concat());
        payload.skip = std::mem::take(&mut self.skip);
        payload.skip_alone = std::mem::take(&mut self.skip_alone);
        if self.foreign > 0 {
            self.not_restored.push(format!("{OWNER} of {} entries that belong to others", self.foreign));
        }
        let complete = captured.before.is_complete() && self.not_captured.is_empty();
        let reversibility = match complete && self.not_restored.iter().all(|n| n.contains(super::swap::STAYS))
        {
            true => Reversibility::Exact,
            false => Reversibility::Recreate,
        };
        let mut steps = Vec::new();
        let acts = self.create + self.replace + self.metadata + self.remove;
        if acts > 0 || (self.conflicts.is_empty() && self.not_captured.is_empty()) {
            steps.push(Step {
                system: super::capture::ID,
                resource: captured.before.resource.clone(),
                action: self.in_words(),
                reversibility,
                verdict: if acts > 0 || (self.run == Run::Resumed && self.already > 0) {
                    StepVerdict::Restore
                } else {
                    StepVerdict::Already
                },
                not_restored: std::mem::take(&mut self.not_restored),
                locator: captured.before.locator.clone(),
                payload: encode(&payload)?,
                policy: None,
                ways: Vec::new(),
            });
        }
        // What a policy does about a path comes first: a directory is removed only when nothing is left in it.
        let rest = std::mem::take(&mut steps);
        for (at, reason) in self.conflicts.iter().take(NAMED) {
            steps.push(conflict_step(full(&at.path), at, reason, &payload, ways.at(at, &payload)?)?);
        }
        if let Some(more) = self.conflicts.len().checked_sub(NAMED).filter(|more| *more > 0) {
            let verdict = StepVerdict::Conflict { reason: format!("{more} more paths were changed since") };
            steps.push(path_step(before.path.clone(), "restore them", verdict, serde_json::Value::Null));
        }
        steps.extend(rest);
        for (path, reason) in self.not_captured.iter().take(NAMED) {
            steps.push(not_captured_step(full(path), reason));
        }
        if let Some(more) = self.not_captured.len().checked_sub(NAMED).filter(|more| *more > 0) {
            let verdict = StepVerdict::NotCaptured { reason: format!("{more} more paths") };
            steps.push(path_step(before.path.clone(), "restore them", verdict, serde_json::Value::Null));
        }
        Ok(steps)
    }

    fn in_words(&self) -> String {
        let mut parts = Vec::new();
        for (count, verb) in [
            (self.create, "bring back"),
            (self.replace, "put back the old version of"),
            (self.metadata, "set metadata back of"),
            (self.remove, "remove"),
        ] {
            match count {
                0 => {}
                1 => parts.push(format!("{verb} 1 path")),
                n => parts.push(format!("{verb} {n} paths")),
            }
        }
        if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
    }
}

/// The step of one path that stands in the way.
pub fn conflict_step(
    path: Bytes,
    at: &Difference,
    reason: &str,
    payload: &Payload,
    ways: Vec<Way>,
) -> Result<Step> {
    let verdict = StepVerdict::Conflict { reason: reason.to_owned() };
    let alone = encode(&only(payload, at, How::Overwrite))?;
    Ok(Step { ways, ..path_step(path, "restore it", verdict, alone) })
}

/// The step of one path that the capture does not hold.
pub fn not_captured_step(path: Bytes, reason: &str) -> Step {
    let verdict = StepVerdict::NotCaptured { reason: reason.to_owned() };
    path_step(path, "restore it", verdict, serde_json::Value::Null)
}

fn path_step(path: Bytes, action: &str, verdict: StepVerdict, payload: serde_json::Value) -> Step {
    Step {
        system: super::capture::ID,
        resource: Bytes([b"path:", path.as_slice()].concat()),
        action: action.to_owned(),
        reversibility: Reversibility::Exact,
        verdict,
        not_restored: Vec::new(),
        locator: Locator {
            at: path,
            opts: [("scope".to_owned(), Bytes::from(Scope::Node.word()))].into(),
            ..Locator::default()
        },
        payload,
        policy: None,
        ways: Vec::new(),
    }
}

/// An object file of git never changes, so it is the same to git whether it shares its inode (with a clone, with our own
/// vault) or not: `objects/ab/cdef…`, `objects/pack/…`.
pub fn is_git_object(path: &[u8]) -> bool {
    let mut names = path.rsplit(|b| *b == b'/').skip(1);
    let dir = names.next().unwrap_or_default();
    let of_objects = dir == b"pack" || (dir.len() == 2 && dir.iter().all(u8::is_ascii_hexdigit));
    of_objects && names.next() == Some(b"objects")
}

/// `path` is `top` or below it.
pub fn is_within(path: &[u8], top: &[u8]) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.first() == Some(&b'/'))
}

/// How a shortfall in owners begins, in a plan and when it is met while applying.
pub const OWNER: &str = "owner and group";

/// The payload of a step.
pub fn decode(step: &Step) -> Result<Payload> {
    serde_json::from_value(step.payload.clone())
        .map_err(|e| Error::failure(format!("the plan's step for files cannot be read: {e}")))
}

/// The other way round.
pub fn encode(payload: &Payload) -> Result<serde_json::Value> {
    serde_json::to_value(payload).map_err(|e| Error::failure(format!("cannot encode a plan: {e}")))
}
