//! The plan: every ref and every file on its own, by what it was before the command (B), after it (A) and is now (N).
//! What the command did not change is not touched, whatever happened to it since.

mod files;

use std::collections::{BTreeSet, HashSet};

use git2::Oid;

use super::action::{Action, Payload, short};
use super::difference;
use super::lfs;
use super::look::Area;
use super::objects::listed;
use super::rebuild;
use super::state::{FileKind, RepoState};
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
    if let Some(reason) = kept_otherwise(&before, &now).filter(|_| !create) {
        return in_the_way(captured, "restore the repository", reason);
    }
    let missing = difference::lacking(captured, cx.source)?;
    let captured = &Captured { before: Capture { missing, ..captured.before.clone() }, ..captured.clone() };
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
    /// What stays as it is, in words for people, each with the part that it is about.
    pub left: Vec<(Bytes, String)>,
    /// The parts that are as they were before the command already.
    pub already: BTreeSet<Bytes>,
    create: bool,
    /// Recorded conflicts were looked at.
    rerere: bool,
}

/// Refs that are kept in tables cannot come back as files, nor ids of one length as those of another.
fn kept_otherwise(before: &RepoState, now: &RepoState) -> Option<String> {
    let way = "`git refs migrate` changes that, then undo again; `fr restore ID --to DIR` puts the old state beside";
    if before.object_format != now.object_format {
        return Some(format!(
            "its objects have {} ids now, and had {}",
            now.object_format, before.object_format
        ));
    }
    let (is, was) = (&now.ref_storage, &before.ref_storage);
    (is != was).then(|| format!("its refs are kept as {is} now, and were as {was}: {way}"))
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
            already: BTreeSet::new(),
            create: false,
            rerere: What::of(&capture.locator).rerere,
        };
        planner.objects()?;
        planner.large_files()?;
        planner.refs();
        planner.name_obstacles();
        planner.head();
        planner.index();
        planner.files()?;
        planner.place(capture.locator.opts.get("git-dir"));
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
            self.already.insert(Bytes::from("objects"));
        }
        Ok(())
    }

    fn large_files(&mut self) -> Result<()> {
        let load = |state: &RepoState| -> Result<HashSet<[u8; 32]>> {
            let list = state.lfs.map(|id| self.source.get(&id)).transpose()?.unwrap_or_default();
            Ok(lfs::listed(&list).collect())
        };
        let Some(list) = self.before.lfs else { return Ok(()) };
        let present = load(self.now)?;
        let left = self.after.map(load).transpose()?;
        // What went later is not the command's.
        let was_removed = |name: &[u8; 32]| left.as_ref().is_none_or(|left| !left.contains(name));
        let removed: Vec<[u8; 32]> = load(self.before)?.into_iter().filter(was_removed).collect();
        let count = removed.iter().filter(|name| !present.contains(*name)).count();
        if count > 0 {
            self.actions.push(Action::Lfs { list, count });
        } else if !removed.is_empty() {
            self.already.insert(Bytes::from("lfs"));
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
                Case::Already => drop(self.already.insert(name.clone())),
                Case::Restore => self.actions.push(Action::Ref {
                    name: name.clone(),
                    expect: n.cloned(),
                    want: b.cloned(),
                }),
                // Nobody's work: the next fetch writes them again.
                Case::Moved if name.as_slice().starts_with(b"refs/remotes/") => {
                    self.leave(name, format!("{} moved on since and stays at {}", name.lossy(), value(n)));
                }
                Case::Moved => {
                    let expected = a.map_or("not known".to_owned(), value);
                    let reason = format!(
                        "{} is at {}, expected {expected}: somebody moved it since",
                        name.lossy(),
                        value(n)
                    );
                    let force = Action::Ref { name: name.clone(), expect: n.cloned(), want: b.cloned() };
                    self.clash(name.clone(), reason, Some(force));
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
                self.clashes.push(Clash { part: Bytes::default(), reason, force: None });
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
            Case::Already => drop(self.already.insert(Bytes::from("HEAD"))),
            Case::Restore => {
                if let Some(want) = self.before.head.clone() {
                    self.actions.push(Action::Head { expect: n, want });
                }
            }
            Case::Moved => {
                let found = n.as_ref().map_or("missing".to_owned(), short);
                let force = self.before.head.clone().map(|want| Action::Head { expect: n, want });
                self.clash(Bytes::from("HEAD"), format!("HEAD is {found}: somebody switched since"), force);
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
            Case::Already => drop(self.already.insert(Bytes::from("index"))),
            Case::Restore => {
                self.actions.push(Action::Index { expect: digest(self.now), want: self.before.index.clone() })
            }
            Case::Moved => {
                let force = Action::Index { expect: digest(self.now), want: self.before.index.clone() };
                let reason = "the index was changed since".to_owned();
                self.clash(Bytes::from("index"), reason, Some(force));
            }
        }
    }

    /// Where the git directory is; `home`: where the capture found it.
    fn place(&mut self, home: Option<&Bytes>) {
        let Some(home) = home else { return };
        let (b, n) = (self.before.moved.as_ref(), self.now.moved.as_ref());
        match case(b, self.after.map(|a| a.moved.as_ref()), n) {
            Case::Untouched => {}
            Case::Already => drop(self.already.insert(Bytes::from("git-dir"))),
            Case::Restore => {
                self.actions.push(Action::Move { home: home.clone(), expect: n.cloned(), want: b.cloned() })
            }
            Case::Moved => {
                let here = n.unwrap_or(home).lossy().into_owned();
                let reason = format!("its git directory is {here}: somebody moved it since");
                self.clash(Bytes::from("git-dir"), reason, None);
            }
        }
    }

    fn clash(&mut self, part: Bytes, reason: String, force: Option<Action>) {
        self.clashes.push(Clash { part, reason, force });
    }

    fn leave(&mut self, part: &Bytes, why: String) {
        self.left.push((part.clone(), why));
    }

    /// Leaves out what stands in the way of these parts: they are back.
    pub fn settle(&mut self, parts: &BTreeSet<Bytes>) {
        self.clashes.retain(|clash| !parts.contains(&clash.part));
        self.left.retain(|(part, _)| !parts.contains(part));
        self.already.extend(parts.iter().cloned());
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
        } else if self.already.is_empty() && self.left.is_empty() {
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
        let left = self.left.into_iter().map(|(_, why)| why).collect();
        Ok(vec![Step { ways, ..step(captured, &action, verdict, &payload, left)? }])
    }
}

fn value(value: Option<&Bytes>) -> String {
    value.map_or("nothing".to_owned(), short)
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
