//! What differs between two recorded states, by address.

use std::collections::{BTreeMap, BTreeSet};

use super::snapshot::Resource;
use super::state::RootState;
use crate::error::Result;
use crate::model::{Bytes, Change, ChangeKind, ObjectSource, StateRef};

/// What differs. `after` is `None` where it is not known.
pub fn changes(
    before: &StateRef,
    after: Option<&StateRef>,
    source: &dyn ObjectSource,
) -> Result<Vec<Change>> {
    let before = RootState::load(before, source)?;
    let Some(after) = after else {
        let all = before.resources().iter();
        return Ok(all.map(|r| change(&r.address, ChangeKind::Unknown, Some(r), None)).collect());
    };
    let after = RootState::load(after, source)?;
    let mut found = resources(before.resources(), after.resources());
    let mut differ = |what: &str, old: String, new: String| {
        if old != new {
            let (old, new) = (Bytes::from(old), Bytes::from(new));
            let what = Bytes::from(format!("tf:{what}"));
            found.push(Change { what, how: ChangeKind::Changed, before: Some(old), after: Some(new) });
        }
    };
    if before.exists.is_some() && after.exists.is_some() {
        let word =
            |state: &RootState| if state.exists == Some(true) { "there" } else { "not there" }.to_owned();
        differ(&format!("workspace {}", before.workspace), word(&before), word(&after));
    }
    differ("selected workspace", before.selected.clone(), after.selected.clone());
    differ("backend", before.backend.clone(), after.backend.clone());
    Ok(found)
}

fn resources(before: &[Resource], after: &[Resource]) -> Vec<Change> {
    let by_address = |all: &'_ [Resource]| -> BTreeMap<String, Resource> {
        all.iter().map(|r| (r.address.clone(), r.clone())).collect()
    };
    let (old, new) = (by_address(before), by_address(after));
    let addresses: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let one = |address: &&String| {
        let (old, new) = (old.get(*address), new.get(*address));
        let how = match (old, new) {
            (Some(a), Some(b)) if a.content == b.content => return None,
            (Some(_), Some(_)) => ChangeKind::Changed,
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
        };
        Some(change(address, how, old, new))
    };
    addresses.iter().filter_map(one).collect()
}

fn change(address: &str, how: ChangeKind, old: Option<&Resource>, new: Option<&Resource>) -> Change {
    let id = |r: &Resource| r.id.clone().map(|id| Bytes::from(format!("id {id}")));
    Change {
        what: Bytes::from(format!("tf:{address}")),
        how,
        before: old.and_then(id),
        after: new.and_then(id),
    }
}
