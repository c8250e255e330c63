//! What differs between two recorded states of a repository, for `fr diff`.

use super::difference::parts;
use super::state::RepoState;
use crate::error::Result;
use crate::model::{Bytes, Change, ChangeKind, ObjectSource, StateRef};

/// Every ref, the index and every counted file that differs. Refs and HEAD show their values.
pub fn changes(
    before: &StateRef,
    after: Option<&StateRef>,
    source: &dyn ObjectSource,
) -> Result<Vec<Change>> {
    let Some(b) = RepoState::load(before, source)? else { return Ok(Vec::new()) };
    let Some(after) = after else {
        let what = Bytes::from("the repository");
        return Ok(vec![Change { what, how: ChangeKind::Unknown, before: None, after: None }]);
    };
    let a = RepoState::load(after, source)?.unwrap_or_default();
    let (old, new) = (parts(&b), parts(&a));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    Ok(differing.map(|name| change(name, old.get(name), new.get(name))).collect())
}

fn change(name: &str, before: Option<&Bytes>, after: Option<&Bytes>) -> Change {
    let how = match (before, after) {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        _ => ChangeKind::Changed,
    };
    let is_ref = name == "HEAD" || name.starts_with("refs/");
    let shown =
        |value: Option<&Bytes>| value.filter(|_| is_ref).map(|v| Bytes::from(format!("{}\n", v.lossy())));
    Change { what: Bytes::from(name), how, before: shown(before), after: shown(after) }
}
