//! Taking events back on a repository's state in memory, newest first, each on what the later ones leave.

use std::collections::BTreeSet;

use super::enact::{enact, has_same};
use crate::error::Result;
use crate::model::{Bytes, Captured, ObjectId, Policy, Step, StepVerdict, Way};
use crate::systems::git::action::Action;
use crate::systems::git::plan::Planner;
use crate::systems::git::state::{RepoState, put_new};
use crate::systems::{NetCx, Taken};

/// What taking events back in memory leaves of a repository.
pub struct Rewound {
    /// What is to be there.
    pub value: RepoState,
    /// What does not come back, in words for people.
    pub residue: Vec<String>,
    /// Conflicts, and what was not captured.
    pub steps: Vec<Step>,
}

/// Takes events back in memory, newest first.
pub fn rewound(taken: &[&Taken], start: &RepoState, cx: &NetCx<'_>) -> Result<Rewound> {
    let first = Rewind::of(start, cx, BTreeSet::new()).through(taken)?;
    let back = settled(taken, start, cx, &first)?;
    let done = if back.is_empty() { first } else { Rewind::of(start, cx, back).through(taken)? };
    let Rewind { mut value, lists, residue, steps, .. } = done;
    value.objects = united(&lists, value.objects, cx)?;
    let peeled = std::mem::replace(&mut value.peeled, start.peeled.clone());
    if value != *start {
        value.peeled = peeled;
    }
    Ok(Rewound { value, residue, steps })
}

/// Parts that an event of the set finds changed, and an older one finds to be as they were before it: an undo that ended
/// in part has put them back, or somebody else has. They are in nobody's way.
fn settled(
    taken: &[&Taken],
    start: &RepoState,
    cx: &NetCx<'_>,
    first: &Rewind<'_>,
) -> Result<BTreeSet<Bytes>> {
    let (mut settled, mut open) = (BTreeSet::new(), BTreeSet::new());
    if first.stuck.is_empty() {
        return Ok(settled);
    }
    // Here each part goes its own way: with one in conflict the others of the same event are still taken back.
    let mut each = Rewind::of(start, cx, BTreeSet::new());
    for one in taken {
        let Some(States { before, after }) = States::of(one, cx)? else { continue };
        let now = each.value.clone();
        let planner = Planner::of(&one.captured.before, (&before, after.as_ref(), &now), cx.source)?;
        for part in &planner.already {
            if open.remove(part) {
                settled.insert(part.clone());
            }
        }
        let stuck = planner.clashes.iter().map(|clash| &clash.part);
        let stuck = stuck.chain(planner.left.iter().map(|(part, _)| part));
        open.extend(stuck.filter(|part| has_same(part, &now, start)).cloned());
        for action in planner.actions {
            if !open.contains(&action.part()) {
                each.take(action)?;
            }
        }
    }
    Ok(settled)
}

/// The states of one event.
struct States {
    before: RepoState,
    after: Option<RepoState>,
}

impl States {
    /// Nothing where there was no repository: of that nothing can be taken back here.
    fn of(one: &Taken, cx: &NetCx<'_>) -> Result<Option<States>> {
        let Captured { before, after } = &one.captured;
        let Some(before) = RepoState::load(&before.state, cx.source)? else { return Ok(None) };
        let after = match after {
            None => None,
            Some(state) => match RepoState::load(state, cx.source)? {
                Some(after) => Some(after),
                None => return Ok(None),
            },
        };
        Ok(Some(States { before, after }))
    }
}

/// Taking events back, one after the other.
struct Rewind<'a> {
    start: &'a RepoState,
    cx: &'a NetCx<'a>,
    /// Parts that are back already ([`settled`]).
    back: BTreeSet<Bytes>,
    value: RepoState,
    /// Lists of objects that were pruned.
    lists: BTreeSet<ObjectId>,
    residue: Vec<String>,
    steps: Vec<Step>,
    /// Parts that an event could not be taken back in.
    stuck: BTreeSet<Bytes>,
}

impl<'a> Rewind<'a> {
    fn of(start: &'a RepoState, cx: &'a NetCx<'a>, back: BTreeSet<Bytes>) -> Rewind<'a> {
        Rewind {
            start,
            cx,
            back,
            value: start.clone(),
            lists: BTreeSet::new(),
            residue: Vec::new(),
            steps: Vec::new(),
            stuck: BTreeSet::new(),
        }
    }

    fn through(mut self, taken: &[&Taken]) -> Result<Rewind<'a>> {
        for one in taken {
            self.take_back(one)?;
        }
        Ok(self)
    }

    fn take_back(&mut self, one: &Taken) -> Result<()> {
        let Some(States { before, after }) = States::of(one, self.cx)? else { return Ok(()) };
        self.value.peeled.extend(before.peeled.clone());
        let now = self.value.clone();
        let capture = &one.captured.before;
        let mut planner = Planner::of(capture, (&before, after.as_ref(), &now), self.cx.source)?;
        planner.settle(&self.back);
        self.stuck.extend(planner.clashes.iter().map(|clash| clash.part.clone()));
        self.stuck.extend(planner.left.iter().map(|(part, _)| part.clone()));
        if !planner.clashes.is_empty() || (planner.actions.is_empty() && planner.pushes()) {
            let parts = planner.actions.iter().map(Action::part);
            let mut parts = parts.chain(planner.clashes.iter().map(|clash| clash.part.clone()));
            let moved = parts.any(|part| !has_same(&part, &now, self.start));
            let mut steps = planner.finish(&one.captured, one.event)?;
            steps.iter_mut().for_each(|step| named(step, one, moved));
            self.steps.extend(steps);
            return Ok(());
        }
        self.residue.extend(planner.left.into_iter().map(|(_, why)| why));
        for action in planner.actions {
            self.take(action)?;
        }
        Ok(())
    }

    fn take(&mut self, action: Action) -> Result<()> {
        match action {
            Action::Objects { list, .. } => drop(self.lists.insert(list)),
            other => enact(&other, &mut self.value, self.cx.source, self.cx.made)?,
        }
        Ok(())
    }
}

/// A conflict says whose it is. What a policy would do was worked out for the present: it counts only if later events of
/// the set leave these parts of the repository alone.
fn named(step: &mut Step, one: &Taken, moved: bool) {
    if let StepVerdict::Conflict { reason } = &mut step.verdict {
        *reason = format!("{reason} (event {})", one.event);
    }
    if moved {
        let why = format!("later events changed it too: take those back first, then event {}", one.event);
        let closed = |policy| Way::closed(policy, why.clone());
        step.ways = [Policy::Merge, Policy::SideBySide, Policy::Force].map(closed).into();
    }
}

/// One list of all objects that were pruned, and of those that are there.
fn united(lists: &BTreeSet<ObjectId>, now: Option<ObjectId>, cx: &NetCx<'_>) -> Result<Option<ObjectId>> {
    if lists.is_empty() {
        return Ok(now);
    }
    let mut all: BTreeSet<Vec<u8>> = BTreeSet::new();
    for list in lists.iter().chain(&now) {
        all.extend(cx.source.get(list)?.chunks_exact(20).map(<[u8]>::to_vec));
    }
    Ok(Some(put_new(cx.made, &all.into_iter().collect::<Vec<_>>().concat())?))
}
