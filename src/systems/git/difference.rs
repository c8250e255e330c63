//! What an undo left undone: the parts of a repository that a command changed and that are not as before it.

use super::plan::REMOTE;
use super::state::{FileKind, RepoState, is_worktree_setting};
use super::vault::UNPINNED;
use crate::error::Result;
use crate::model::{Bytes, Captured, Missing, ObjectSource, StateRef};

/// Names the parts that differ between `before` and `now`, of those that the command changed (all of them where
/// `after` is not known). Empty: the command is taken back, whatever others did to the rest of the repository.
/// Reflogs and notes do not count, as they do not for equality.
pub fn difference(
    before: &StateRef,
    after: Option<&StateRef>,
    now: &StateRef,
    source: &dyn ObjectSource,
) -> Result<Vec<String>> {
    if before.digest == now.digest {
        return Ok(Vec::new());
    }
    let (Some(b), Some(n)) = (RepoState::load(before, source)?, RepoState::load(now, source)?) else {
        return Ok(vec!["the repository".to_owned()]);
    };
    let a = after.map(|a| RepoState::load(a, source)).transpose()?.flatten();
    let parts = [Some(parts(&b)), a.as_ref().map(parts), Some(parts(&n))];
    let [Some(b), a, Some(n)] = parts else { return Ok(Vec::new()) };
    let mut names: Vec<&String> = b.keys().chain(n.keys()).collect();
    names.sort();
    names.dedup();
    let touched = |name: &String| a.as_ref().is_none_or(|a| a.get(name) != b.get(name));
    Ok(names.into_iter().filter(|name| touched(name) && b.get(*name) != n.get(*name)).cloned().collect())
}

/// What a capture left out and the command may have taken: objects that were too many to pin are all there where the names
/// after it are those of before.
pub fn lacking(captured: &Captured, source: &dyn ObjectSource) -> Result<Vec<Missing>> {
    let mut missing = captured.before.missing.clone();
    let is_unpinned = |m: &Missing| m.what.as_slice() == UNPINNED.as_bytes();
    let went_nowhere = |m: &Missing| m.what.as_slice() == REMOTE && m.why.contains(NOWHERE);
    let in_doubt = missing.iter().any(|m| is_unpinned(m) || went_nowhere(m));
    let Some(after) = captured.after.filter(|_| in_doubt) else { return Ok(missing) };
    let (before, after) =
        (RepoState::load(&captured.before.state, source)?, RepoState::load(&after, source)?);
    let (Some(before), Some(after)) = (before, after) else { return Ok(missing) };
    if before.loose.is_some() && before.loose == after.loose {
        missing.retain(|m| !is_unpinned(m));
    }
    let config = |state: &RepoState| state.files.get(&Bytes::from("common/config")).map(|f| f.blobs.clone());
    if config(&before) == config(&after) {
        missing.retain(|m| !went_nowhere(m));
    }
    Ok(missing)
}

/// What git says of a push in a repository without remotes. Where none came by the line, nothing was pushed.
const NOWHERE: &str = "No configured push destination";

/// Every part that equality looks at, by a name for people.
pub fn parts(state: &RepoState) -> std::collections::BTreeMap<String, Bytes> {
    let mut parts = std::collections::BTreeMap::new();
    if let Some(head) = state.head_value() {
        parts.insert("HEAD".to_owned(), head);
    }
    if let Some(index) = &state.index {
        parts.insert("the index".to_owned(), Bytes::from(index.digest.0.as_slice()));
    }
    if let Some(to) = &state.moved {
        parts.insert("the place of the git directory".to_owned(), to.clone());
    }
    for (name, value) in &state.refs {
        parts.insert(name.lossy().into_owned(), value.clone());
    }
    for (key, file) in &state.files {
        let counts = match file.kind {
            FileKind::Log | FileKind::Note => false,
            FileKind::Worktree => is_worktree_setting(key.as_slice()),
            _ => true,
        };
        if counts {
            let mut value: Vec<u8> = file.blobs.iter().flat_map(|b| b.0).collect();
            value.push(u8::from(file.mode & 0o111 != 0));
            parts.insert(key.lossy().into_owned(), Bytes(value));
        }
    }
    parts
}
