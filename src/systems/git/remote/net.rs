//! Several pushes as one, ref by ref: a branch that was forced twice goes back once.

use std::collections::{BTreeMap, BTreeSet};

use super::capture::STATE;
use super::state::RemoteState;
use super::undo::step;
use crate::error::Result;
use crate::model::{Bytes, Capture, Captured, Step, StepVerdict};
use crate::systems::{Net, NetCx, Taken};

/// One remote: an event's capture of it, and its refs as they are and as undoing leaves them.
struct Remote {
    capture: Capture,
    present: RemoteState,
    value: RemoteState,
    /// Refs that an event cannot be taken back in, and whether a later event had moved them by then.
    stuck: BTreeMap<String, (bool, Vec<Step>)>,
}

/// Adds the net effect of pushes, newest first.
pub fn net(taken: &[&Taken], cx: &NetCx<'_>, net: &mut Net) -> Result<()> {
    let mut remotes: BTreeMap<String, Remote> = BTreeMap::new();
    for one in taken {
        let captured = &one.captured;
        let before = RemoteState::expect(&captured.before.state, cx.source)?;
        let after = captured.after.map(|state| RemoteState::expect(&state, cx.source)).transpose()?;
        let now = RemoteState::expect(&(cx.observe)(&captured.before, None)?, cx.source)?;
        // A ref of it is the same ref, whichever clone it was pushed from.
        let remote = remotes.entry(before.url.clone()).or_insert_with(|| Remote {
            capture: captured.before.clone(),
            present: empty(&before),
            value: RemoteState { forces: before.forces, ..empty(&before) },
            stuck: BTreeMap::new(),
        });
        remote.value.forces |= before.forces;
        let mut names: BTreeSet<&String> = before.refs.keys().collect();
        names.extend(after.iter().flat_map(|after| after.refs.keys()));
        names.retain(|name| before.is_about(name, after.as_ref().unwrap_or(&now)));
        for name in names {
            let seen = now.value(name).map(str::to_owned);
            remote.present.refs.entry(name.clone()).or_insert_with(|| seen.clone());
            let value = remote.value.refs.entry(name.clone()).or_insert(seen);
            let (b, n) = (before.value(name), value.clone());
            let a = after.as_ref().map(|a| a.value(name));
            if a == Some(b) || (a.is_none() && n.as_deref() == b) {
                continue;
            }
            let found = step(captured, &before, name, (b, a, n.as_deref()))?;
            match found.verdict {
                StepVerdict::Restore => *value = b.map(str::to_owned),
                // Back already, by an undo that ended in part or by somebody: then no later event is in the way.
                StepVerdict::Already => {
                    if remote.stuck.get(name).is_some_and(|(moved, _)| !moved) {
                        remote.stuck.remove(name);
                    }
                }
                StepVerdict::Conflict { .. }
                | StepVerdict::NotCaptured { .. }
                | StepVerdict::OnRequest { .. } => {
                    let moved = remote.present.value(name) != n.as_deref();
                    let (_, steps) = remote.stuck.entry(name.clone()).or_insert((moved, Vec::new()));
                    steps.push(found);
                }
            }
        }
    }
    for Remote { capture, present, value, stuck } in remotes.into_values() {
        net.steps.extend(stuck.into_values().flat_map(|(_, steps)| steps));
        if present.refs == value.refs {
            continue;
        }
        let mut before = Capture { state: value.store(cx.made)?, missing: Vec::new(), ..capture };
        if let Some(id) = before.state.object {
            before.locator.opts.insert(STATE.to_owned(), Bytes::from(id.to_string()));
        }
        net.captured.push(Captured { before, after: Some(present.store(cx.made)?) });
    }
    Ok(())
}

/// The same remote, reached the same way, none of whose refs were asked for.
fn empty(of: &RemoteState) -> RemoteState {
    RemoteState { settings: of.settings.clone(), ..RemoteState::new(&of.remote, &of.url) }
}
