//! The same as applying an action, on a state in memory.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::model::{Bytes, Captured, ObjectId, ObjectSink, ObjectSource, StateRef, Step};
use crate::systems::git::action::{Action, Payload};
use crate::systems::git::lfs;
use crate::systems::git::look::Area;
use crate::systems::git::remote::is_remote;
use crate::systems::git::state::{FileState, RepoState, put_new};

/// Changes the state as the action changes the repository. New content goes into `made`. Objects are not part of it.
pub fn enact(
    action: &Action,
    value: &mut RepoState,
    source: &dyn ObjectSource,
    made: &dyn ObjectSink,
) -> Result<()> {
    match action {
        Action::Objects { .. } => {}
        Action::Lfs { list, .. } => value.lfs = both(list, value.lfs, source, made)?,
        Action::Move { want, .. } => value.moved.clone_from(want),
        Action::Ref { name, want: Some(want), .. } => drop(value.refs.insert(name.clone(), want.clone())),
        Action::Ref { name, want: None, .. } => {
            value.refs.remove(name);
            value.files.remove(&Area::Common.key(&[b"logs/", name.as_slice()].concat()));
        }
        Action::Head { want, .. } => value.head = Some(want.clone()),
        Action::Index { want, .. } => value.index.clone_from(want),
        Action::File { key, want: None, .. } => drop(value.files.remove(key)),
        Action::File { key, kind, want: Some(target), .. } => {
            let mut blobs = target.pieces.clone();
            if !target.then.is_empty() {
                blobs.push(put_new(made, target.then.as_slice())?);
            }
            let size = value.files.get(key).map_or(0, |file| file.size);
            value.files.insert(key.clone(), FileState { kind: *kind, mode: target.mode, size, blobs });
        }
    }
    Ok(())
}

/// The names of two lists of contents of git-lfs.
fn both(
    list: &ObjectId,
    other: Option<ObjectId>,
    source: &dyn ObjectSource,
    made: &dyn ObjectSink,
) -> Result<Option<ObjectId>> {
    let mut names: BTreeSet<[u8; 32]> = lfs::listed(&source.get(list)?).collect();
    if let Some(other) = other {
        names.extend(lfs::listed(&source.get(&other)?));
    }
    let list = names.into_iter().flatten().collect::<Vec<u8>>();
    put_new(made, &list).map(Some)
}

/// What a policy's step makes of the present ([`crate::systems::System::aim`]): it is about the whole repository.
pub fn aim(
    step: &Step,
    captured: &Captured,
    source: &dyn ObjectSource,
    made: &dyn ObjectSink,
) -> Result<Option<StateRef>> {
    let is_same = step.locator.opts.get("git-dir") == captured.before.locator.opts.get("git-dir");
    let Some(without) = captured.after.filter(|_| is_same && !is_remote(&step.locator)) else {
        return Ok(None);
    };
    let Some(mut state) = RepoState::load(&without, source)? else { return Ok(None) };
    let payload: Payload = serde_json::from_value(step.payload.clone())
        .map_err(|e| Error::corrupt(format!("a step of the git system cannot be read: {e}")))?;
    for action in &payload.actions {
        enact(action, &mut state, source, made)?;
    }
    state.store(made).map(Some)
}

/// Two states of a repository are equal in a part ([`Action::part`]).
pub fn has_same(part: &Bytes, one: &RepoState, other: &RepoState) -> bool {
    let index = |state: &RepoState| state.index.as_ref().map(|index| index.digest);
    let file =
        |state: &RepoState| state.files.get(part).map(|file| (file.mode & 0o111 != 0, file.blobs.clone()));
    match part.as_slice() {
        b"git-dir" => one.moved == other.moved,
        b"lfs" => one.lfs == other.lfs,
        b"HEAD" => one.head_value() == other.head_value(),
        b"index" => index(one) == index(other),
        name if name.starts_with(b"own/") || name.starts_with(b"common/") => file(one) == file(other),
        _ => one.refs.get(part) == other.refs.get(part),
    }
}
