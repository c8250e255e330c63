//! Several events as one, repository by repository: each is taken back in memory on what the later ones leave, part by
//! part (refs, HEAD, index, files); what that gives is then compared with the present once.

mod enact;
mod rewind;

use std::collections::BTreeSet;

pub use enact::aim;
use rewind::{Rewound, rewound};

use super::difference;
use super::plan::{REMOTE, plan};
use super::remote;
use super::state::RepoState;
use crate::error::Result;
use crate::model::{Bytes, Capture, Captured, Locator, Missing, ObjectKind, StateRef};
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

/// What tells repositories apart: where they are, not what was asked of them, nor where in them a command ran.
type Key = Vec<(String, Bytes)>;

fn key(locator: &Locator) -> Key {
    let opts =
        locator.opts.iter().filter(|(name, _)| matches!(name.as_str(), "git-dir" | "work-tree" | "bare"));
    opts.map(|(name, value)| (name.clone(), value.clone())).collect()
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
    let present = (cx.observe)(&asked, None)?;
    let Some(start) = RepoState::load(&present, cx.source)? else {
        return gone(taken, &present, cx, net);
    };
    let Rewound { mut value, residue, steps } = rewound(taken, &start, cx)?;
    net.residue.extend(residue);
    net.steps.extend(steps);
    if value == start {
        return Ok(());
    }
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

/// The repository is not there: one step says so for all of its events.
fn gone(taken: &[&Taken], present: &StateRef, cx: &NetCx<'_>, net: &mut Net) -> Result<()> {
    let Some(newest) = taken.first() else { return Ok(()) };
    let plan_cx = PlanCx { source: cx.source, run: Run::First, event: newest.event, except: cx.except };
    net.steps.extend(plan(&newest.captured, present, &plan_cx)?);
    Ok(())
}
