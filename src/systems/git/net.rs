//! Several events as one, repository by repository: each is taken back in memory on what the later ones leave, part by
//! part (refs, HEAD, index, files); what that gives is then compared with the present once.

use std::collections::BTreeSet;

use super::action::Action;
use super::difference;
use super::lfs;
use super::plan::{Planner, REMOTE, plan};
use super::remote;
use super::state::{FileState, RepoState, put_new};
use crate::error::Result;
use crate::model::{
    Bytes, Capture, Captured, Locator, Missing, ObjectId, ObjectKind, Policy, StateRef, Step, StepVerdict,
    Way,
};
use crate::systems::{Net, NetCx, PlanCx, Run, Taken};

/// Works out the net effect of events on repositories and their remotes.
pub fn net(taken: &[Taken], cx: &NetCx<'_>) -> Result<Net> {
    let wanted = |one: &&Taken| cx.wants(one.captured.before.locator.at.as_slice());
    let (there, here): (Vec<&Taken>, Vec<&Taken>) =
        taken.iter().filter(wanted).partition(|one| remote::is_remote(&one.captured.before.locator));
    let mut net = Net::default();
    let mut done: BTreeSet<Key> = BTreeSet::new();
    for one in &here {
        let key = key(&one.captured.before.locator);
        if done.insert(key.clone()) {
            let same = here.iter().copied().filter(|other| self::key(&other.captured.before.locator) == key);
            repository(&same.collect::<Vec<_>>(), cx, &mut net)?;
        }
    }
    remote::net(&there, cx, &mut net)?;
    Ok(net)
}

/// What tells repositories apart: where they are, not what was asked of them.
type Key = (Bytes, Vec<(String, Bytes)>);

fn key(locator: &Locator) -> Key {
    let opts =
        locator.opts.iter().filter(|(name, _)| matches!(name.as_str(), "git-dir" | "work-tree" | "bare"));
    (locator.at.clone(), opts.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// The words of a locator's `what`, but for the other side, which has captures of its own.
fn parts(locator: &Locator) -> Vec<String> {
    let list = locator.opts.get("what").map(|what| what.lossy().into_owned()).unwrap_or_default();
    list.split(',')
        .filter(|word| !matches!(*word, "" | "remote" | "modules" | "embedded"))
        .map(str::to_owned)
        .collect()
}

fn repository(taken: &[&Taken], cx: &NetCx<'_>, net: &mut Net) -> Result<()> {
    // The list of all objects is only made where it was asked for.
    let lists = |one: &&&Taken| {
        let what = one.captured.before.locator.opts.get("what");
        what.is_some_and(|what| what.lossy().split(',').any(|word| word == "objects"))
    };
    let Some(first) = taken.iter().find(lists).or(taken.first()) else { return Ok(()) };
    // One look for all of them: at every part that any of them was looked at for.
    let mut asked = first.captured.before.clone();
    let all: BTreeSet<String> = taken.iter().flat_map(|one| parts(&one.captured.before.locator)).collect();
    asked.locator.opts.insert("what".to_owned(), Bytes::from(all.into_iter().collect::<Vec<_>>().join(",")));
    let present = (cx.observe)(&asked)?;
    let Some(start) = RepoState::load(&present, cx.source)? else {
        return gone(taken, &present, cx, net);
    };
    let mut value = start.clone();
    let mut lists: BTreeSet<ObjectId> = BTreeSet::new();
    for one in taken {
        rewind(one, &start, &mut value, &mut lists, cx, net)?;
    }
    value.objects = united(&lists, value.objects, cx)?;
    let peeled = std::mem::replace(&mut value.peeled, start.peeled.clone());
    if value == start {
        return Ok(());
    }
    value.peeled = peeled;
    // What was lacking is worked out: the names of the present say nothing of it.
    value.loose = None;
    let (missing, named): (Vec<Missing>, Vec<Missing>) = taken
        .iter()
        .map(|one| difference::lacking(&one.captured, cx.source))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .partition(|m| m.what.as_slice() == REMOTE || m.what.as_slice() == b"objects");
    net.residue.extend(named.iter().map(|m| format!("{}: {}", m.what.lossy(), m.why)));
    cx.made.put(ObjectKind::State, &cx.source.get(&present.object.unwrap_or(present.digest))?)?;
    let before = Capture { state: value.store(cx.made)?, missing, ..asked };
    net.captured.push(Captured { before, after: Some(present) });
    Ok(())
}

/// Takes one event back in memory. Of one without a state nothing is known: it changes nothing.
fn rewind(
    one: &Taken,
    start: &RepoState,
    value: &mut RepoState,
    lists: &mut BTreeSet<ObjectId>,
    cx: &NetCx<'_>,
    net: &mut Net,
) -> Result<()> {
    let Captured { before: capture, after } = &one.captured;
    let Some(before) = RepoState::load(&capture.state, cx.source)? else { return Ok(()) };
    let after = match after {
        None => None,
        Some(state) => match RepoState::load(state, cx.source)? {
            Some(after) => Some(after),
            None => return Ok(()),
        },
    };
    value.peeled.extend(before.peeled.clone());
    let now = value.clone();
    let planner = Planner::of(capture, (&before, after.as_ref(), &now), cx.source)?;
    if !planner.clashes.is_empty() || (planner.actions.is_empty() && planner.pushes()) {
        let mut steps = planner.finish(&one.captured, one.event)?;
        steps.iter_mut().for_each(|step| named(step, one, now != *start));
        net.steps.extend(steps);
        return Ok(());
    }
    net.residue.extend(planner.left.iter().cloned());
    for action in planner.actions {
        enact(action, value, lists, cx)?;
    }
    Ok(())
}

/// A conflict says whose it is. What a policy would do was worked out for the present: it counts only if later events of
/// the set leave the repository alone.
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

/// The same as applying an action, on a state in memory.
fn enact(
    action: Action,
    value: &mut RepoState,
    lists: &mut BTreeSet<ObjectId>,
    cx: &NetCx<'_>,
) -> Result<()> {
    match action {
        Action::Objects { list, .. } => drop(lists.insert(list)),
        Action::Lfs { list, .. } => value.lfs = both(list, value.lfs, cx)?,
        Action::Ref { name, want: Some(want), .. } => drop(value.refs.insert(name, want)),
        Action::Ref { name, want: None, .. } => drop(value.refs.remove(&name)),
        Action::Head { want, .. } => value.head = Some(want),
        Action::Index { want, .. } => value.index = want,
        Action::Move { want, .. } => value.moved = want,
        Action::File { key, want: None, .. } => drop(value.files.remove(&key)),
        Action::File { key, kind, want: Some(target), .. } => {
            let mut blobs = target.pieces;
            if !target.then.is_empty() {
                blobs.push(put_new(cx.made, target.then.as_slice())?);
            }
            let size = value.files.get(&key).map_or(0, |file| file.size);
            value.files.insert(key, FileState { kind, mode: target.mode, size, blobs });
        }
    }
    Ok(())
}

/// The names of two lists of contents of git-lfs.
fn both(list: ObjectId, other: Option<ObjectId>, cx: &NetCx<'_>) -> Result<Option<ObjectId>> {
    let mut names: BTreeSet<[u8; 32]> = lfs::listed(&cx.source.get(&list)?).collect();
    if let Some(other) = other {
        names.extend(lfs::listed(&cx.source.get(&other)?));
    }
    let list = names.into_iter().flatten().collect::<Vec<u8>>();
    put_new(cx.made, &list).map(Some)
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

/// The repository is not there: one step says so for all of its events.
fn gone(taken: &[&Taken], present: &StateRef, cx: &NetCx<'_>, net: &mut Net) -> Result<()> {
    let Some(newest) = taken.first() else { return Ok(()) };
    let plan_cx = PlanCx { source: cx.source, run: Run::First, event: newest.event, except: cx.except };
    net.steps.extend(plan(&newest.captured, present, &plan_cx)?);
    Ok(())
}
