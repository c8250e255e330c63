//! A step that a policy made out of a conflict, as an ordinary one about that path alone: what comes back is the old
//! version or the result of a merge, and what is expected there is the present that the plan saw.

use super::beside;
use super::compare::entry_at;
use super::entry::Entry;
use super::merge::{Sides, merged};
use super::plan::{How, Only};
use super::tree::{Parent, State};
use super::ways::{fingerprint, present_bytes};
use crate::error::Result;
use crate::model::{Bytes, ObjectId, ObjectKind, ObjectSource, StepOutcome};
use crate::platform::fs::split_parent;
use crate::systems::ApplyCx;

/// What is to be done about the one path.
pub enum Forced {
    /// Nothing more.
    Settled(StepOutcome),
    /// To be written.
    Write {
        /// What comes back.
        before: Box<State>,
        /// What is expected there.
        after: Box<State>,
        /// What is not there now was removed since, and comes back all the same: of a directory no more than what the
        /// command had changed in it.
        gone: bool,
        /// The text of a merge, which is stored nowhere.
        text: Option<Vec<u8>>,
    },
}

/// Prepares the step. Everything that is not what the plan saw is a conflict.
pub fn forced(only: &Only, before: &State, after: Option<&State>, cx: &ApplyCx<'_>) -> Result<Forced> {
    let path = Bytes([split_parent(before.path.as_slice()).0, b"/", only.path.as_slice()].concat());
    let old = entry_at(cx.source, before, only.path.as_slice())?;
    let moved = || {
        let reason = format!("{}: it was changed a moment ago", path.lossy());
        Ok(Forced::Settled(StepOutcome::Conflict { reason }))
    };
    let left = after.map(|after| entry_at(cx.source, after, only.path.as_slice())).transpose()?.flatten();
    let state = |entry, parents| Box::new(State { path: path.clone(), parents, entry });
    let (comes, expected, gone, text) = match &only.how {
        How::Beside { name } => {
            let Some(old) = old else { return moved() };
            return beside::apply(&path, name, &old, cx).map(Forced::Settled);
        }
        How::Overwrite => {
            let now = beside::look(&path, old.as_ref())?;
            match fingerprint(now.as_ref()) {
                found if found == only.now && now.is_some() => (old, now, false, None),
                found if found == only.now => (old, left, true, None),
                // Back already, perhaps all but some of what is in it.
                found if found == fingerprint(old.as_ref()) => (old, left, true, None),
                _ => return moved(),
            }
        }
        How::Merge { result } => {
            let now = beside::look(&path, old.as_ref())?;
            let found = fingerprint(now.as_ref());
            if found == *result {
                return Ok(Forced::Settled(StepOutcome::Done));
            }
            let (Some(old), Some(left), Some(now)) = (old, left, now) else { return moved() };
            let sides = Sides { before: &old, after: &left, now: &now };
            let merged = match merged(sides, cx.source, || present_bytes(&path, &now)) {
                Ok(merged) if found == only.now && fingerprint(Some(&merged.entry)) == *result => merged,
                _ => return moved(),
            };
            (Some(merged.entry), Some(now), false, merged.text)
        }
    };
    let parents = parents_of(cx.source, before, only.path.as_slice())?;
    // The time of the directory goes back where the command was the last to change its names.
    let mut reported = after
        .map(|after| parents_of(cx.source, after, only.path.as_slice()))
        .transpose()?
        .unwrap_or_default();
    reported.truncate(parents.len());
    Ok(Forced::Write { before: state(comes, parents), after: state(expected, reported), gone, text })
}

/// The directories above a path below a captured one.
fn parents_of(source: &dyn ObjectSource, before: &State, path: &[u8]) -> Result<Vec<Parent>> {
    let mut parents = before.parents.clone();
    let above =
        split_parent(before.path.as_slice()).0.split(|b| *b == b'/').filter(|n| !n.is_empty()).count();
    // Numbered from the top: with one missing, the next would be taken for it.
    if parents.len() < above {
        return Ok(parents);
    }
    for (at, _) in path.iter().enumerate().filter(|(_, b)| **b == b'/') {
        let Some(Entry { meta, .. }) = entry_at(source, before, path.get(..at).unwrap_or_default())? else {
            break;
        };
        parents.push(Parent { mode: meta.mode, uid: meta.uid, gid: meta.gid, mtime_ns: meta.mtime_ns });
    }
    Ok(parents)
}

/// Stored objects, and a text that is not stored.
pub struct WithText<'a> {
    /// What is stored.
    pub under: &'a dyn ObjectSource,
    /// The text.
    pub text: Option<Vec<u8>>,
}

impl ObjectSource for WithText<'_> {
    fn get(&self, id: &ObjectId) -> Result<Vec<u8>> {
        match &self.text {
            Some(text) if ObjectId::of(ObjectKind::Blob, text) == *id => Ok(text.clone()),
            _ => self.under.get(id),
        }
    }
}
