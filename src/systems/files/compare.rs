//! Walks up to three states of one path together: before, after, and (if given) now. Equal subtrees are not entered.
//! The stack is explicit: stored trees may be deep.

use super::entry::Entry;
use super::tree::{Named, State, decode_state, decode_tree};
use crate::error::Result;
use crate::model::{Bytes, ObjectId, ObjectSource};

/// The state after the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// As reported; `None`: absent.
    Known(Option<Entry>),
    /// Nobody reported it.
    Unknown,
}

impl After {
    fn child(&self, earlier: &Trees, name: &[u8]) -> After {
        match self {
            After::Unknown => After::Unknown,
            After::Known(Some(entry)) if entry.why_skipped().is_some() => After::Unknown,
            After::Known(_) => After::Known(earlier.get(name)),
        }
    }

    /// What is known to have been there.
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            After::Known(entry) => entry.as_ref(),
            After::Unknown => None,
        }
    }
}

/// A path at which the states before and after differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Components below the parent of the captured path; the first is the captured path's own name.
    pub path: Vec<u8>,
    /// Before the command.
    pub before: Option<Entry>,
    /// After it.
    pub after: After,
    /// Now; meaningless where no present state was given.
    pub now: Option<Entry>,
    /// The names that the directory holds now and did not hold before or after the command.
    pub more: Vec<Bytes>,
}

impl Difference {
    /// The directory holds things that the command has nothing to do with.
    pub fn has_grown(&self) -> bool {
        !self.more.is_empty()
    }
}

/// Calls `visit` for every path that the event changed, directories before what is in them, names in order.
pub fn differences(
    source: &dyn ObjectSource,
    before: &State,
    after: Option<&State>,
    now: Option<&State>,
    mut visit: impl FnMut(Difference) -> Result<()>,
) -> Result<()> {
    let (_, name) = crate::platform::fs::split_parent(before.path.as_slice());
    let mut stack = vec![Difference {
        path: name.to_vec(),
        before: before.entry.clone(),
        after: after.map_or(After::Unknown, |a| After::Known(a.entry.clone())),
        now: now.and_then(|n| n.entry.clone()),
        more: Vec::new(),
    }];
    while let Some(mut at) = stack.pop() {
        if is_settled(&at, now.is_some()) {
            continue;
        }
        if enters(&at) {
            push_children(source, &mut at, &mut stack)?;
        }
        visit(at)?;
    }
    Ok(())
}

/// Nothing happened here, as far as the states tell.
fn is_settled(at: &Difference, has_now: bool) -> bool {
    match &at.after {
        After::Known(after) => match (&at.before, after) {
            (Some(before), Some(after)) => before.same_exactly(after),
            (None, None) => true,
            _ => false,
        },
        After::Unknown => match (&at.before, &at.now) {
            (Some(before), Some(now)) => has_now && before.same_exactly(now),
            _ => false,
        },
    }
}

/// A directory on either side, with what is below it known to differ.
fn enters(at: &Difference) -> bool {
    let closed = |e: &Entry| e.why_skipped().is_some() || e.is_unreadable_dir();
    // What could not be seen before or after is not known to have changed.
    if at.before.as_ref().is_some_and(closed) || at.after.entry().is_some_and(Entry::is_unreadable_dir) {
        return false;
    }
    let before = at.before.as_ref().and_then(Entry::tree);
    let after = at.after.entry().and_then(Entry::tree);
    before != after
}

fn push_children(source: &dyn ObjectSource, at: &mut Difference, stack: &mut Vec<Difference>) -> Result<()> {
    let before = Trees::of(source, at.before.as_ref())?;
    let after = Trees::of(source, at.after.entry())?;
    let now = Trees::of(source, at.now.as_ref())?;
    let mut names: Vec<&[u8]> = before.names().chain(after.names()).collect();
    names.sort_unstable();
    names.dedup();
    at.more = now.names().filter(|name| names.binary_search(name).is_err()).map(Bytes::from).collect();
    // Last first: the stack gives them back in order.
    for name in names.into_iter().rev() {
        let mut path = at.path.clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        let now = match &at.now {
            Some(entry) if entry.why_skipped().is_some() => Some(entry.clone()),
            Some(entry) if entry.is_unreadable_dir() => {
                Some(Entry::skipped("the directory that it is in cannot be read"))
            }
            _ => now.get(name),
        };
        let (before, after) = (before.get(name), at.after.child(&after, name));
        stack.push(Difference { path, before, after, now, more: Vec::new() });
    }
    Ok(())
}

/// The names of a directory object, or none.
struct Trees(Vec<Named>);

impl Trees {
    fn of(source: &dyn ObjectSource, entry: Option<&Entry>) -> Result<Trees> {
        match entry.and_then(Entry::tree) {
            Some(tree) => Ok(Trees(decode_tree(&source.get(&tree)?)?)),
            None => Ok(Trees(Vec::new())),
        }
    }
    fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|n| n.name.as_slice())
    }
    fn get(&self, name: &[u8]) -> Option<Entry> {
        let at = self.0.binary_search_by(|n| n.name.as_slice().cmp(name)).ok()?;
        self.0.get(at).map(|n| n.entry.clone())
    }
}

/// Reads the state behind an object id.
pub fn load_state(source: &dyn ObjectSource, id: &ObjectId) -> Result<State> {
    decode_state(&source.get(id)?)
}

/// What a state holds at a path below its parent.
pub fn entry_at(source: &dyn ObjectSource, state: &State, path: &[u8]) -> Result<Option<Entry>> {
    let mut at = state.entry.clone();
    // The first name is that of the captured path itself.
    for name in path.split(|b| *b == b'/').skip(1) {
        at = Trees::of(source, at.as_ref())?.get(name);
    }
    Ok(at)
}
