//! The plan: every ref and every file on its own, by what it was before the command (B), after it (A) and is now (N).
//! What the command did not change is not touched, whatever happened to it since.

use std::collections::{BTreeSet, HashSet};

use git2::Oid;

use super::action::{Action, Payload, Target, short};
use super::look::Area;
use super::objects::listed;
use super::rebuild;
use super::state::{FileKind, FileState, RepoState, is_worktree_setting};
use super::ways::{Clash, Found, ways};
use super::what::What;
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Capture, Captured, EventId, Missing, ObjectSource, Reversibility, StateRef, Step, StepVerdict,
    SystemId,
};
use crate::systems::PlanCx;

/// How a capture names the side that it cannot hold.
pub const REMOTE: &[u8] = b"remote";

/// One step for the whole repository: HEAD, refs and index belong together. No step where the command changed nothing
/// of it (`git clean`, a failed merge).
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let Some(before) = RepoState::load(&captured.before.state, cx.source)? else {
        let reason = "it would remove the whole repository; do that yourself".to_owned();
        return in_the_way(captured, "remove the repository again", reason);
    };
    let after = match &captured.after {
        Some(state) => Some(RepoState::load(state, cx.source)?),
        None => None,
    };
    let now = RepoState::load(now, cx.source)?;
    // Gone, and as far as is known by the command itself.
    let create = now.is_none() && !matches!(after, Some(Some(_)));
    let empty = RepoState::new();
    let (after, now) = match (after, now) {
        (_, None) if create && rebuild::is_possible(&captured.before.locator) => (Some(empty.clone()), empty),
        // Made anew since.
        (Some(None), Some(now)) => (Some(empty), now),
        (_, None) => {
            let reason = "the repository is not there any more; bring its files back first".to_owned();
            return in_the_way(captured, "restore the repository", reason);
        }
        (Some(Some(after)), Some(now)) => (Some(after), now),
        (None, Some(now)) => (None, now),
    };
    let mut planner = Planner::of(&captured.before, (&before, after.as_ref(), &now), cx.source)?;
    planner.create = create;
    planner.finish(captured, cx.event)
}

/// What the three states of a repository ask for.
pub struct Planner<'a> {
    before: &'a RepoState,
    after: Option<&'a RepoState>,
    now: &'a RepoState,
    missing: &'a [Missing],
    source: &'a dyn ObjectSource,
    /// What can be done.
    pub actions: Vec<Action>,
    /// What stands in the way.
    pub clashes: Vec<Clash>,
    /// What stays as it is, in words for people.
    pub left: Vec<String>,
    already: usize,
    create: bool,
    /// Recorded conflicts were looked at.
    rerere: bool,
}

/// A step that cannot be taken.
fn in_the_way(captured: &Captured, action: &str, reason: String) -> Result<Vec<Step>> {
    let before = captured.before.state;
    let payload = Payload { before, actions: Vec::new(), create: false, conflicts: vec![reason.clone()] };
    let verdict = StepVerdict::Conflict { reason };
    Ok(vec![step(captured, action, verdict, &payload, Vec::new())?])
}

/// What the three states of one thing ask for.
enum Case {
    Untouched,
    Already,
    Restore,
    Moved,
}

/// The B/A/N table. Without A (the command never reported back) only what is gone now can be restored.
fn case<T: PartialEq>(before: Option<T>, after: Option<Option<T>>, now: Option<T>) -> Case {
    match after {
        Some(after) if after == before => Case::Untouched,
        None if now == before => Case::Untouched,
        Some(_) if now == before => Case::Already,
        Some(after) if now == after => Case::Restore,
        None if now.is_none() => Case::Restore,
        _ => Case::Moved,
    }
}

impl<'a> Planner<'a> {
    /// Compares the states before, after and now, part by part.
    pub fn of(
        capture: &'a Capture,
        (before, after, now): (&'a RepoState, Option<&'a RepoState>, &'a RepoState),
        source: &'a dyn ObjectSource,
    ) -> Result<Planner<'a>> {
        let mut planner = Planner {
            before,
            after,
            now,
            missing: &capture.missing,
            source,
            actions: Vec::new(),
            clashes: Vec::new(),
            left: Vec::new(),
            already: 0,
            create: false,
            rerere: What::of(&capture.locator).rerere,
        };
        planner.objects()?;
        planner.refs();
        planner.name_obstacles();
        planner.head();
        planner.index();
        planner.files()?;
        Ok(planner)
    }

    fn objects(&mut self) -> Result<()> {
        let (Some(before), Some(now)) = (self.before.objects, self.now.objects) else { return Ok(()) };
        let (old, present) = (self.source.get(&before)?, self.source.get(&now)?);
        let present: HashSet<Oid> = listed(&present).collect();
        let count = listed(&old).filter(|id| !present.contains(id)).count();
        if count > 0 {
            self.actions.push(Action::Objects { list: before, count });
        } else if self.after.and_then(|a| a.objects).is_some_and(|after| after != before) {
            self.already += 1;
        }
        Ok(())
    }

    fn refs(&mut self) {
        let all = [Some(self.before), self.after, self.now_if_after_unknown()];
        let names: BTreeSet<&Bytes> = all.into_iter().flatten().flat_map(|s| s.refs.keys()).collect();
        for name in names {
            if self.not_captured(&Area::Common.key(name.as_slice()))
                || self.not_captured(&Area::Own.key(name.as_slice()))
            {
                continue;
            }
            let (b, n) = (self.before.refs.get(name), self.now.refs.get(name));
            let a = self.after.map(|a| a.refs.get(name));
            if self.pushes() && name.as_slice().starts_with(b"refs/remotes/") {
                // It says where the remote's branch is, and that one does not move back.
                continue;
            }
            match case(b, a, n) {
                Case::Untouched => {}
                Case::Already => self.already += 1,
                Case::Restore => self.actions.push(Action::Ref {
                    name: name.clone(),
                    expect: n.cloned(),
                    want: b.cloned(),
                }),
                // Nobody's work: the next fetch writes them again.
                Case::Moved if name.as_slice().starts_with(b"refs/remotes/") => {
                    self.left.push(format!("{} moved on since and stays at {}", name.lossy(), value(n)));
                }
                Case::Moved => {
                    let expected = a.map_or("not known".to_owned(), value);
                    let reason = format!(
                        "{} is at {}, expected {expected}: somebody moved it since",
                        name.lossy(),
                        value(n)
                    );
                    let force = Action::Ref { name: name.clone(), expect: n.cloned(), want: b.cloned() };
                    self.clash(reason, Some(force));
                }
            }
        }
    }

    /// True for what the capture could not read: that it is not in the state before does not mean that the command
    /// made it.
    fn not_captured(&self, key: &Bytes) -> bool {
        let key = key.as_slice();
        let covers =
            |what: &[u8]| key.strip_prefix(what).is_some_and(|r| r.is_empty() || r.starts_with(b"/"));
        self.missing.iter().any(|m| covers(m.what.as_slice()))
    }

    /// As files, `refs/heads/a` and `refs/heads/a/b` exclude each other: a ref made since may stand in the way.
    fn name_obstacles(&mut self) {
        let mut gone = BTreeSet::new();
        let mut coming = Vec::new();
        for action in &self.actions {
            match action {
                Action::Ref { name, want: None, .. } => drop(gone.insert(name)),
                Action::Ref { name, expect: None, .. } => coming.push(name),
                _ => {}
            }
        }
        let below = |a: &Bytes, b: &Bytes| {
            a.as_slice().strip_prefix(b.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
        };
        for name in coming {
            let stays = self.now.refs.keys().filter(|n| !gone.contains(n));
            for other in stays.filter(|n| below(n, name) || below(name, n)).take(1) {
                let (name, other) = (name.lossy(), other.lossy());
                let reason = format!("{name} cannot come back beside {other}, which was made since");
                self.clashes.push(Clash { reason, force: None });
            }
        }
    }

    /// The command also changed other repositories, which are not captured.
    pub fn pushes(&self) -> bool {
        self.missing.iter().any(|m| m.what.as_slice() == REMOTE)
    }

    /// Things that only the present has matter when the post-state is not known: the command may have made them.
    fn now_if_after_unknown(&self) -> Option<&'a RepoState> {
        self.after.is_none().then_some(self.now)
    }

    fn head(&mut self) {
        let (b, n) = (self.before.head_value(), self.now.head_value());
        match case(b, self.after.map(RepoState::head_value), n.clone()) {
            Case::Untouched => {}
            Case::Already => self.already += 1,
            Case::Restore => {
                if let Some(want) = self.before.head.clone() {
                    self.actions.push(Action::Head { expect: n, want });
                }
            }
            Case::Moved => {
                let found = n.as_ref().map_or("missing".to_owned(), short);
                let force = self.before.head.clone().map(|want| Action::Head { expect: n, want });
                self.clash(format!("HEAD is {found}: somebody switched since"), force);
            }
        }
    }

    fn index(&mut self) {
        if self.before.index.is_none() && self.not_captured(&Bytes::from("index")) {
            return;
        }
        let digest = |s: &RepoState| s.index.as_ref().map(|i| i.digest);
        match case(digest(self.before), self.after.map(digest), digest(self.now)) {
            Case::Untouched => {}
            Case::Already => self.already += 1,
            Case::Restore => {
                self.actions.push(Action::Index { expect: digest(self.now), want: self.before.index.clone() })
            }
            Case::Moved => {
                let force = Action::Index { expect: digest(self.now), want: self.before.index.clone() };
                self.clash("the index was changed since".to_owned(), Some(force));
            }
        }
    }

    fn files(&mut self) -> Result<()> {
        let all = [Some(self.before), self.after, self.now_if_after_unknown()];
        let keys: BTreeSet<&Bytes> = all.into_iter().flatten().flat_map(|s| s.files.keys()).collect();
        for key in keys {
            if self.not_captured(key) || (!self.rerere && key.as_slice().starts_with(b"common/rr-cache/")) {
                continue;
            }
            let states = [Some(self.before), self.after, Some(self.now)];
            let kind = states.iter().flatten().find_map(|s| s.files.get(key)).map(|f| f.kind);
            match kind {
                Some(FileKind::Log) => self.log(key)?,
                Some(FileKind::Worktree) => self.worktree_file(key)?,
                Some(kind) => self.file(key, kind)?,
                None => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, key: &Bytes, kind: FileKind) -> Result<()> {
        let (b, n) = (self.before.files.get(key), self.now.files.get(key));
        let a = self.after.map(|a| a.files.get(key));
        match case(b.map(Same), a.map(|a| a.map(Same)), n.map(Same)) {
            Case::Untouched => {}
            Case::Already => self.already += 1,
            // Another index may name it, and git clears up by itself.
            Case::Restore if b.is_none() && is_shared_index(key) => {}
            Case::Restore => self.put(key, kind, n, b.map(stored)),
            Case::Moved if kind == FileKind::Note => {}
            Case::Moved => match self.merged_config(key, b, a.flatten(), n)? {
                Some(target) => self.put(key, kind, n, Some(target)),
                None => {
                    let what = match kind {
                        FileKind::StashLog => "the stash list".to_owned(),
                        _ => name_of(key),
                    };
                    let force = file_action(key, kind, n, b.map(stored));
                    self.clash(format!("{what} was changed since"), Some(force));
                }
            },
        }
        Ok(())
    }

    fn put(&mut self, key: &Bytes, kind: FileKind, now: Option<&FileState>, want: Option<Target>) {
        self.actions.push(file_action(key, kind, now, want));
    }

    fn clash(&mut self, reason: String, force: Option<Action>) {
        self.clashes.push(Clash { reason, force });
    }

    /// Sections that the command took out of a configuration which was edited since.
    fn merged_config(
        &self,
        key: &Bytes,
        before: Option<&FileState>,
        after: Option<&FileState>,
        now: Option<&FileState>,
    ) -> Result<Option<Target>> {
        let (Some(b), Some(a), Some(n)) = (before, after, now) else { return Ok(None) };
        if key.as_slice() != b"common/config" {
            return Ok(None);
        }
        let (b, a, text) = (b.load(self.source)?, a.load(self.source)?, n.load(self.source)?);
        let merged = super::config_text::with_removed_sections(&b, &a, &text);
        Ok(merged.map(|text| Target { mode: n.mode, pieces: Vec::new(), then: Bytes(text) }))
    }

    /// A log that the command only appended to stays: it tells what happened. One that it removed, expired or
    /// replaced comes back, with what was appended since.
    fn log(&mut self, key: &Bytes) -> Result<()> {
        let (Some(b), n) = (self.before.files.get(key), self.now.files.get(key)) else { return Ok(()) };
        let Some(n) = n else {
            if self.after.is_none_or(|a| !a.files.contains_key(key)) {
                self.put(key, FileKind::Log, None, Some(stored(b)));
            } else {
                self.left.push(format!("{} was removed since", name_of(key)));
            }
            return Ok(());
        };
        if n.blobs == b.blobs {
            return Ok(());
        }
        let (old, text) = (b.load(self.source)?, n.load(self.source)?);
        if text.starts_with(&old) {
            return Ok(());
        }
        let after = self.after.and_then(|a| a.files.get(key));
        let after = after.map(|a| a.load(self.source)).transpose()?;
        match after.and_then(|after| text.strip_prefix(after.as_slice()).map(<[u8]>::to_vec)) {
            Some(since) => {
                let target = Target { then: Bytes(since), ..stored(b) };
                self.put(key, FileKind::Log, Some(n), Some(target));
            }
            None => self.left.push(format!("{} was rewritten since and stays as it is", name_of(key))),
        }
        Ok(())
    }

    /// Another working tree's directory is restored or removed as a whole; what happens inside it is its own affair.
    /// Where it is, its lock and its reflog are the repository's to keep.
    fn worktree_file(&mut self, key: &Bytes) -> Result<()> {
        let gitdir = gitdir_key(key);
        let has = |s: &RepoState| s.files.contains_key(&gitdir);
        let (was, is) = (has(self.before), has(self.now));
        let Some(after) = self.after.map(has) else { return Ok(()) };
        let (b, n) = (self.before.files.get(key), self.now.files.get(key));
        match (was, after, is) {
            (true, false, false) => self.put(key, FileKind::Worktree, n, b.map(stored)),
            (true, false, true) if b.map(Same) == n.map(Same) => self.already += 1,
            (false, true, false) => self.already += 1,
            (true, false, true) if gitdir == *key => {
                self.clash(format!("{} was made again since", name_of(key)), None);
            }
            (false, true, true) => {
                let a = self.after.and_then(|a| a.files.get(key));
                if a.map(|f| &f.blobs) == n.map(|f| &f.blobs) {
                    self.put(key, FileKind::Worktree, n, None);
                } else if !key.as_slice().ends_with(b"/index") {
                    self.clash(format!("{} was changed since", name_of(key)), None);
                }
            }
            (true, true, true) if is_worktree_setting(key.as_slice()) => {
                self.file(key, FileKind::Worktree)?
            }
            (true, true, true) if key.as_slice().ends_with(b"/logs/HEAD") => self.log(key)?,
            _ => {}
        }
        Ok(())
    }

    /// The step that does it, or says why not; none where the command changed nothing.
    pub fn finish(mut self, captured: &Captured, event: EventId) -> Result<Vec<Step>> {
        self.actions.sort_by_key(Action::rank);
        let mut action = summary(&self.actions);
        if self.create {
            action = format!("make the repository anew: {action}");
        }
        let conflicts: Vec<String> = self.clashes.iter().map(|clash| clash.reason.clone()).collect();
        let verdict = if !conflicts.is_empty() {
            StepVerdict::Conflict { reason: conflicts.join("; ") }
        } else if !self.actions.is_empty() {
            StepVerdict::Restore
        } else if self.pushes() {
            StepVerdict::NotCaptured { reason: "what the remote had is not captured".to_owned() }
        } else if self.already == 0 && self.left.is_empty() {
            return Ok(Vec::new());
        } else {
            StepVerdict::Already
        };
        let before = captured.before.state;
        let ways = match self.clashes.is_empty() {
            true => Vec::new(),
            false => ways(&Found {
                before,
                actions: &self.actions,
                clashes: &self.clashes,
                refs: &self.now.refs,
                head: branch(self.now),
                event,
            })?,
        };
        let payload = Payload { before, actions: self.actions, create: self.create, conflicts };
        Ok(vec![Step { ways, ..step(captured, &action, verdict, &payload, self.left)? }])
    }
}

/// Files are equal by content and executable bit.
struct Same<'a>(&'a FileState);

impl PartialEq for Same<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.same(other.0)
    }
}

fn file_action(key: &Bytes, kind: FileKind, now: Option<&FileState>, want: Option<Target>) -> Action {
    Action::File { key: key.clone(), kind, expect: now.map(|f| f.blobs.clone()), want }
}

fn stored(file: &FileState) -> Target {
    Target { mode: file.mode, pieces: file.blobs.clone(), then: Bytes::default() }
}

fn value(value: Option<&Bytes>) -> String {
    value.map_or("nothing".to_owned(), short)
}

fn name_of(key: &Bytes) -> String {
    let text = key.lossy();
    text.split_once('/').map_or(text.as_ref(), |(_, name)| name).to_owned()
}

/// `common/worktrees/x/gitdir` for any file below `common/worktrees/x/`.
fn gitdir_key(key: &Bytes) -> Bytes {
    let parts: Vec<&[u8]> = key.as_slice().splitn(4, |b| *b == b'/').take(3).collect();
    Bytes([parts.join(&b'/').as_slice(), b"/gitdir"].concat())
}

/// The shared part of a split index.
fn is_shared_index(key: &Bytes) -> bool {
    key.as_slice().strip_prefix(b"own/").is_some_and(|name| name.starts_with(super::index_file::SHARED))
}

/// The branch that HEAD is on.
fn branch(state: &RepoState) -> Option<Bytes> {
    state.head_value().and_then(|value| value.as_slice().strip_prefix(b"ref: ").map(Bytes::from))
}

/// Actions for people.
pub fn summary(actions: &[Action]) -> String {
    const SHOWN: usize = 8;
    if actions.is_empty() {
        return "nothing to restore".to_owned();
    }
    let quiet = |a: &&Action| !matches!(a, Action::File { kind: FileKind::Note, .. });
    let mut words: Vec<String> = actions.iter().filter(quiet).map(Action::describe).collect();
    let more = words.len().saturating_sub(SHOWN);
    words.truncate(SHOWN);
    if more > 0 {
        words.push(format!("{more} more"));
    }
    if words.is_empty() { "restore ORIG_HEAD and the like".to_owned() } else { words.join("; ") }
}

fn step(
    captured: &Captured,
    action: &str,
    verdict: StepVerdict,
    payload: &Payload,
    left: Vec<String>,
) -> Result<Step> {
    let before = &captured.before;
    let remote = before.missing.iter().any(|m| m.what.as_slice() == REMOTE);
    let gaps = before.missing.iter().map(|m| format!("{}: {}", m.what.lossy(), m.why));
    Ok(Step {
        system: SystemId::new("git"),
        resource: before.resource.clone(),
        action: action.to_owned(),
        reversibility: if remote { Reversibility::Compensating } else { Reversibility::Exact },
        verdict,
        not_restored: gaps.chain(left).collect(),
        locator: before.locator.clone(),
        payload: serde_json::to_value(payload)
            .map_err(|e| Error::failure(format!("cannot encode a step: {e}")))?,
        policy: None,
        ways: Vec::new(),
    })
}
