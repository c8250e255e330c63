//! Carrying out a step: everything is checked first, objects come before what names them, and each write is a
//! compare-and-swap under git's own lock. What is done already is passed over, so a second run is harmless.

mod moved;
mod objects;
mod tables;

use super::action::{Action, Payload, Target};
use super::dir::Root;
use super::look::Area;
use super::objects::parse_oid;
use super::place::{Place, Roots};
use super::rebuild;
use super::reflog;
use super::refs::{self, Swap};
use super::reftable::Tables;
use super::state::{RepoState, has_pieces};
use crate::error::{Error, Result};
use crate::model::{Bytes, Locator, ObjectId, ObjectKind, Step, StepOutcome, Verification};
use crate::systems::ApplyCx;
use crate::systems::git_index::Index;

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload: Payload = serde_json::from_value(step.payload.clone())
        .map_err(|e| Error::corrupt(format!("a step of the git system cannot be read: {e}")))?;
    if !payload.conflicts.is_empty() {
        return Ok(StepOutcome::Conflict { reason: payload.conflicts.join("; ") });
    }
    let before = RepoState::load(&payload.before, cx.source)?
        .ok_or_else(|| Error::corrupt("a step without the state it restores"))?;
    let place = match Place::find(&step.locator) {
        Ok(place) => place,
        Err(_) if payload.create => rebuild::frame(&step.locator, before.ref_storage == "reftable")?,
        Err(e) => return Ok(StepOutcome::Conflict { reason: e.to_string() }),
    };
    let job = Job::new(place, before, payload, step, cx)?;
    match job.run() {
        Ok(outcome) => Ok(outcome),
        Err(e) => Ok(StepOutcome::Failed { reason: with_hints(&e) }),
    }
}

/// Everything that the step was to write is there.
pub fn verify(step: &Step, cx: &ApplyCx<'_>) -> Result<Verification> {
    let payload: Payload = serde_json::from_value(step.payload.clone())
        .map_err(|e| Error::corrupt(format!("a step of the git system cannot be read: {e}")))?;
    let before = RepoState::load(&payload.before, cx.source)?
        .ok_or_else(|| Error::corrupt("a step without the state it restores"))?;
    let place = Place::find(&step.locator)?;
    let job = Job::new(place, before, payload, step, cx)?;
    let tables = job.tables()?;
    for action in &job.payload.actions {
        if !matches!(job.look_at(action, tables.as_ref())?, Found::Wanted) {
            return Ok(Verification::Failed { reason: format!("still to do: {}", action.describe()) });
        }
    }
    Ok(Verification::Verified)
}

fn with_hints(error: &Error) -> String {
    let hints = error.hints.iter().map(|h| format!(" ({h})"));
    std::iter::once(error.what.clone()).chain(hints).collect()
}

struct Job<'a> {
    place: Place,
    roots: Roots,
    before: RepoState,
    payload: Payload,
    locator: Locator,
    cx: &'a ApplyCx<'a>,
}

/// What one thing is now, measured against an action.
enum Found {
    Wanted,
    Expected,
    Other(String),
}

impl<'a> Job<'a> {
    fn new(
        place: Place,
        before: RepoState,
        payload: Payload,
        step: &Step,
        cx: &'a ApplyCx<'a>,
    ) -> Result<Job<'a>> {
        let mut roots = place.open()?;
        // One that is made anew has no configuration yet that says so.
        roots.tables |= payload.create && before.ref_storage == "reftable";
        Ok(Job { place, roots, before, payload, locator: step.locator.clone(), cx })
    }

    fn tables(&self) -> Result<Option<Tables>> {
        if self.roots.tables { Tables::read(&self.roots).map(Some) } else { Ok(None) }
    }

    fn run(&self) -> Result<StepOutcome> {
        let mut open = Vec::new();
        let mut reasons = Vec::new();
        let tables = self.tables()?;
        for action in &self.payload.actions {
            match self.look_at(action, tables.as_ref())? {
                Found::Wanted => self.clear_dead_lock(action),
                Found::Expected => open.push(action),
                Found::Other(reason) => reasons.push(reason),
            }
        }
        if !reasons.is_empty() {
            return Ok(StepOutcome::Conflict { reason: reasons.join("; ") });
        }
        let head_was = self.head_oid();
        let lost = self.bring_objects()? + self.bring_large_files()?;
        let mut done = 0;
        if self.roots.tables {
            let in_tables = open.len();
            open.retain(|action| tables::kept(action).is_none());
            if let Found::Other(reason) = self.write_tables(head_was.as_ref())? {
                return Ok(StepOutcome::Conflict { reason });
            }
            done = in_tables - open.len();
        }
        for action in open {
            if let Found::Other(reason) = self.carry_out(action)? {
                return Ok(if done == 0 {
                    StepOutcome::Conflict { reason }
                } else {
                    StepOutcome::Failed { reason: format!("{reason}; what came before it is restored") }
                });
            }
            done += 1;
            (self.cx.progress)(done as u64);
        }
        if !self.roots.tables {
            self.note_moves(head_was.as_ref())?;
        } else if self.payload.create {
            rebuild::close_tables(&self.roots.own)?;
        }
        if lost > 0 {
            let reason = format!("all but {lost} pruned objects are back; the vault does not have those");
            return Ok(StepOutcome::Failed { reason });
        }
        Ok(StepOutcome::Done)
    }

    /// What is done already may have been done by a run that was killed before it gave its lock back.
    fn clear_dead_lock(&self, action: &Action) {
        let (root, name) = match action {
            _ if self.roots.tables && tables::kept(action).is_some() => return self.clear_dead_table_locks(),
            Action::Objects { .. } | Action::Lfs { .. } | Action::Move { .. } => return,
            Action::Ref { name, .. } => (refs::root_of(&self.roots, name.as_slice()), name.as_slice()),
            Action::Head { .. } => (&self.roots.own, &b"HEAD"[..]),
            Action::Index { .. } => (&self.roots.own, &b"index"[..]),
            Action::File { key, .. } => match self.file(key) {
                Ok(file) => file,
                Err(_) => return,
            },
        };
        // Held by a living process: then it is not ours to clear.
        let _ = root.clear_dead_lock(name);
    }

    /// `tables`: where refs are kept in tables, what these say.
    fn look_at(&self, action: &Action, tables: Option<&Tables>) -> Result<Found> {
        Ok(match action {
            // Brought by `bring_objects` and `bring_large_files`, which look at each of them.
            Action::Objects { .. } | Action::Lfs { .. } => Found::Wanted,
            Action::Move { home, expect, want } => self.look_at_place(home, expect.as_ref(), want.as_ref()),
            Action::Ref { name, expect, want } => {
                let found = self.value(name.as_slice(), tables)?;
                judge(found.as_ref() == want.as_ref(), found == *expect, || {
                    format!("{} is at {}", name.lossy(), show(found.as_ref()))
                })
            }
            Action::Head { expect, want } => {
                let found = self.value(b"HEAD", tables)?;
                judge(found == refs::value_of(want.as_slice()), found == *expect, || {
                    format!("HEAD is {}", show(found.as_ref()))
                })
            }
            Action::Index { expect, want } => {
                let found = self.index_digest()?;
                judge(found == want.as_ref().map(|w| w.digest), found == *expect, || {
                    "the index was changed since".to_owned()
                })
            }
            Action::File { key, kind, expect, want } => {
                let (root, name) = self.file(key)?;
                let found = match tables.zip(tables::kept(action)) {
                    Some((tables, kept)) => tables.content(kept),
                    None => root.read(name)?.map(|content| content.bytes),
                };
                let wanted = want.as_ref().map(|t| self.content(t)).transpose()?;
                let is_wanted = found == wanted;
                let is_expected = match (&found, expect) {
                    (Some(content), Some(pieces)) => has_pieces(*kind, content, pieces),
                    (None, None) => true,
                    _ => false,
                };
                judge(is_wanted, is_expected, || format!("{} was changed since", key.lossy()))
            }
        })
    }

    fn carry_out(&self, action: &Action) -> Result<Found> {
        match action {
            Action::Objects { .. } | Action::Lfs { .. } => {}
            Action::Move { home, expect, want } => {
                return self.move_dir(expect.as_ref().unwrap_or(home), want.as_ref().unwrap_or(home));
            }
            Action::Ref { name, expect, want } => {
                let name = name.as_slice();
                let swapped = refs::swap(&self.roots, name, expect.as_ref(), want.as_ref())?;
                if let Swap::Moved(found) = swapped {
                    let name = Bytes::from(name);
                    return Ok(Found::Other(format!("{} is at {}", name.lossy(), show(found.as_ref()))));
                }
                if want.is_none() {
                    refs::root_of(&self.roots, name).remove(&[b"logs/", name].concat(), 3)?;
                }
            }
            Action::Head { expect, want } => {
                let lock = self.roots.own.lock(b"HEAD")?;
                let found = refs::read_one(&self.roots, b"HEAD")?;
                if found != *expect {
                    return Ok(Found::Other(format!("HEAD is {}", show(found.as_ref()))));
                }
                lock.commit(want.as_slice(), None, None)?;
            }
            Action::Index { expect, want } => {
                let lock = self.roots.own.lock(b"index")?;
                if self.index_digest()? != *expect {
                    return Ok(Found::Other("the index was changed since".to_owned()));
                }
                match want {
                    Some(index) => {
                        let bytes = self.cx.source.get(&index.blob)?;
                        lock.commit(&bytes, Some(index.mode), Some(index.mtime))?;
                    }
                    None => {
                        self.roots.own.remove(b"index", 0)?;
                    }
                }
            }
            Action::File { key, want, .. } => {
                let (root, name) = self.file(key)?;
                root.clear_empty_dir(name)?;
                let lock = root.lock(name)?;
                if let Found::Other(reason) = self.look_at(action, None)? {
                    return Ok(Found::Other(reason));
                }
                match want {
                    Some(target) => lock.commit(&self.content(target)?, Some(target.mode), None)?,
                    None => {
                        root.remove(name, 0)?;
                        drop(lock);
                        root.remove_empty_above(name, keep_dirs(name))?;
                        if let Some(refs) = empty_refs_beside(name) {
                            root.remove_empty_above(&refs, keep_dirs(name))?;
                        }
                    }
                }
            }
        }
        Ok(Found::Wanted)
    }

    fn file<'k>(&self, key: &'k Bytes) -> Result<(&Root, &'k [u8])> {
        let (area, name) = Area::split(key.as_slice())
            .ok_or_else(|| Error::corrupt(format!("\"{}\" names no file of a repository", key.lossy())))?;
        Ok((area.root(&self.roots), name))
    }

    fn content(&self, target: &Target) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for piece in &target.pieces {
            bytes.extend_from_slice(&self.cx.source.get(piece)?);
        }
        bytes.extend_from_slice(target.then.as_slice());
        Ok(bytes)
    }

    fn oid_len(&self) -> usize {
        if self.before.object_format == "sha256" { 32 } else { 20 }
    }

    fn index_digest(&self) -> Result<Option<ObjectId>> {
        let content = self.roots.own.read(b"index")?;
        Ok(content.map(|c| match Index::parse(&c.bytes, self.oid_len()) {
            Ok(index) => index.digest(),
            Err(_) => ObjectId::of(ObjectKind::Blob, &c.bytes),
        }))
    }

    fn value(&self, name: &[u8], tables: Option<&Tables>) -> Result<Option<Bytes>> {
        tables.map_or_else(|| refs::read_one(&self.roots, name), |tables| Ok(tables.value(name)))
    }

    /// The object that HEAD leads to.
    fn head_oid(&self) -> Option<Bytes> {
        let value = refs::read_one(&self.roots, b"HEAD").ok()??;
        match value.as_slice().strip_prefix(b"ref: ") {
            Some(target) => refs::read_one(&self.roots, target).ok()?,
            None => Some(value),
        }
    }

    /// What the reflogs say of it.
    fn message(&self) -> String {
        format!("fr: {}", self.cx.label.replace(['\n', '\r'], " "))
    }

    /// Adds a line to the log of each ref that moved, and to HEAD's.
    fn note_moves(&self, head_was: Option<&Bytes>) -> Result<()> {
        let message = self.message();
        for action in &self.payload.actions {
            // The log of the stash is the stash list: it comes back as it was, and no line is added.
            if let Action::Ref { name, expect, want: Some(want) } = action
                && name.as_slice() != b"refs/stash"
                && parse_oid(want.as_slice()).is_some()
            {
                let root = refs::root_of(&self.roots, name.as_slice());
                let from = expect.as_ref().map(Bytes::as_slice);
                reflog::note(root, name.as_slice(), from, want.as_slice(), &message)?;
            }
        }
        let head_is = self.head_oid();
        if let Some(to) = head_is.as_ref()
            && head_is.as_ref() != head_was
        {
            reflog::note(&self.roots.own, b"HEAD", head_was.map(Bytes::as_slice), to.as_slice(), &message)?;
        }
        Ok(())
    }
}

fn judge(is_wanted: bool, is_expected: bool, reason: impl FnOnce() -> String) -> Found {
    if is_wanted {
        Found::Wanted
    } else if is_expected {
        Found::Expected
    } else {
        Found::Other(reason())
    }
}

/// How many directories above a removed file stay although they are empty: git's own fixed ones.
fn keep_dirs(name: &[u8]) -> usize {
    if name.starts_with(b"logs/refs/") {
        return 3;
    }
    usize::from(
        [&b"info/"[..], b"hooks/", b"logs/", b"reftable/"].iter().any(|fixed| name.starts_with(fixed)),
    )
}

/// git makes an empty directory for refs in that of a linked working tree, which would outlive it: a path in it.
fn empty_refs_beside(name: &[u8]) -> Option<Vec<u8>> {
    let mut parts = name.splitn(3, |b| *b == b'/');
    let (top, tree) = (parts.next()?, parts.next()?);
    (top == b"worktrees").then(|| [top, b"/", tree, b"/refs/none"].concat())
}

fn show(value: Option<&Bytes>) -> String {
    value.map_or("missing".to_owned(), super::action::short)
}
