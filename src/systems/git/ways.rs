//! The ways out of a conflict in a repository. HEAD, refs and index belong together, so there is one way for all of it:
//! old commits under names of their own, or everything moved back. Histories are not merged: git does that.

use std::collections::BTreeSet;

use super::action::{Action, Payload};
use super::plan::summary;
use super::refs::Refs;
use super::state::FileKind;
use crate::error::{Error, Result};
use crate::model::{Bytes, EventId, Policy, StateRef, StepVerdict, Way};

/// How many names are tried for an old branch.
const TRIES: u32 = 20;

/// Something that stands in the way.
pub struct Clash {
    /// The part of the repository that it is about ([`Action::part`]); empty: more than one.
    pub part: Bytes,
    /// For people.
    pub reason: String,
    /// What would write over it, with the present as its guard; `None` where nothing may.
    pub force: Option<Action>,
}

/// What ways are worked out from.
pub struct Found<'a> {
    /// The state that comes back.
    pub before: StateRef,
    /// What can be done in any case.
    pub actions: &'a [Action],
    /// What cannot.
    pub clashes: &'a [Clash],
    /// All refs now.
    pub refs: &'a Refs,
    /// The branch that HEAD is on now.
    pub head: Option<Bytes>,
    /// The event that is taken back.
    pub event: EventId,
}

/// One way for each policy.
pub fn ways(found: &Found<'_>) -> Result<Vec<Way>> {
    let merge = "fr does not merge histories: `git merge`, `git revert` or `git cherry-pick` do";
    Ok(vec![Way::closed(Policy::Merge, merge), beside(found)?, force(found)?])
}

fn beside(found: &Found<'_>) -> Result<Way> {
    let mut actions = Vec::new();
    let mut places = Vec::new();
    for clash in found.clashes {
        let Some(Action::Ref { name, want: Some(want), .. }) = &clash.force else { continue };
        match free_name(name, want, found) {
            Some(new) => {
                places.push(format!("{} as {}", name.lossy(), new.lossy()));
                let expect = found.refs.get(&new).cloned();
                actions.push(Action::Ref { name: new, expect, want: Some(want.clone()) });
            }
            None => {
                return Ok(Way::closed(Policy::SideBySide, format!("no name is free for {}", name.lossy())));
            }
        }
    }
    if actions.is_empty() {
        let why = "no branch or tag has an old commit that could be put beside";
        return Ok(Way::closed(Policy::SideBySide, why));
    }
    // An index of before over a branch that stays would show the difference of the two as staged changes.
    let stays = found.clashes.iter().any(|clash| belongs_to_head(clash.force.as_ref(), found.head.as_ref()));
    let others = found.actions.iter().filter(|action| {
        !(stays
            && matches!(
                action,
                Action::Head { .. } | Action::Index { .. } | Action::File { kind: FileKind::Progress, .. }
            ))
    });
    let mut all: Vec<Action> = others.cloned().collect();
    let mut action = format!("put old commits beside: {}", places.join("; "));
    if !all.is_empty() {
        action.push_str(&format!("; {}", summary(&all)));
    }
    let is_new = |action: &Action| !matches!(action, Action::Ref { expect, want, .. } if expect == want);
    let verdict = match actions.iter().chain(&all).any(is_new) {
        true => StepVerdict::Restore,
        false => StepVerdict::Already,
    };
    all.extend(actions);
    way(Policy::SideBySide, action, verdict, found.before, all)
}

fn force(found: &Found<'_>) -> Result<Way> {
    let mut all = found.actions.to_vec();
    for clash in found.clashes {
        match &clash.force {
            Some(action) => all.push(action.clone()),
            None => return Ok(Way::closed(Policy::Force, clash.reason.clone())),
        }
    }
    let action = format!("write over what is there now, after it was captured: {}", summary(&all));
    way(Policy::Force, action, StepVerdict::Restore, found.before, all)
}

fn way(
    policy: Policy,
    action: String,
    verdict: StepVerdict,
    before: StateRef,
    mut actions: Vec<Action>,
) -> Result<Way> {
    actions.sort_by_key(Action::rank);
    let payload = Payload { before, actions, create: false, conflicts: Vec::new() };
    let payload =
        serde_json::to_value(&payload).map_err(|e| Error::failure(format!("cannot encode a step: {e}")))?;
    Ok(Way { policy, action, verdict, locator: None, payload })
}

fn belongs_to_head(action: Option<&Action>, head: Option<&Bytes>) -> bool {
    match action {
        Some(Action::Ref { name, .. }) => Some(name) == head,
        Some(Action::Head { .. } | Action::Index { .. }) => true,
        _ => false,
    }
}

/// `refs/heads/fr/undo-42/main` for `refs/heads/main`: free, or with this value already.
fn free_name(name: &Bytes, want: &Bytes, found: &Found<'_>) -> Option<Bytes> {
    let text = name.as_slice();
    let cut = text.strip_prefix(b"refs/").and_then(|rest| rest.iter().position(|b| *b == b'/'));
    let (space, rest) = text.split_at(cut.map_or(0, |at| b"refs/".len() + at + 1));
    let taken: BTreeSet<&[u8]> = found.refs.keys().map(Bytes::as_slice).collect();
    (1..=TRIES).find_map(|n| {
        let more = if n > 1 { format!("-{n}") } else { String::new() };
        let folder = format!("fr/undo-{}{more}/", found.event);
        let new = [space, folder.as_bytes(), rest].concat();
        let is_free = match found.refs.get(&Bytes::from(new.as_slice())) {
            Some(value) => value == want,
            None => !excludes(&taken, &new),
        };
        is_free.then_some(Bytes(new))
    })
}

/// As files, `a` and `a/b` exclude each other.
fn excludes(taken: &BTreeSet<&[u8]>, new: &[u8]) -> bool {
    let above = new.iter().enumerate().filter(|(_, b)| **b == b'/').filter_map(|(at, _)| new.get(..at));
    let below = [new, b"/"].concat();
    above.into_iter().any(|part| taken.contains(part))
        || taken.range(below.as_slice()..).next().is_some_and(|name| name.starts_with(&below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_branch_finds_a_free_name() {
        let id = |c: &str| Bytes::from(c.repeat(40));
        let name = |refs: &[(&str, Bytes)]| {
            let refs: Refs = refs.iter().map(|(n, v)| (Bytes::from(*n), v.clone())).collect();
            let before = StateRef { digest: crate::model::ObjectId([0; 32]), object: None };
            let found =
                Found { before, actions: &[], clashes: &[], refs: &refs, head: None, event: EventId(4) };
            free_name(&Bytes::from("refs/heads/a/b"), &id("1"), &found).map(|n| n.lossy().into_owned())
        };
        assert_eq!(name(&[]).unwrap(), "refs/heads/fr/undo-4/a/b");
        let other = ("refs/heads/fr/undo-4/a/b", id("2"));
        assert_eq!(name(std::slice::from_ref(&other)).unwrap(), "refs/heads/fr/undo-4-2/a/b");
        assert_eq!(name(&[("refs/heads/fr/undo-4/a/b", id("1"))]).unwrap(), "refs/heads/fr/undo-4/a/b");
        assert_eq!(name(&[("refs/heads/fr/undo-4/a/b/c", id("2"))]).unwrap(), "refs/heads/fr/undo-4-2/a/b");
        assert_eq!(name(&[("refs/heads/fr", id("2"))]), None);
    }
}
