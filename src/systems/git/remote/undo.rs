//! The way back of a push: each ref on its own, by what it was before (B), after (A) and is now (N).

use std::collections::BTreeSet;
use std::ffi::OsString;

use serde::{Deserialize, Serialize};

use super::shadow::{Shadow, refused};
use super::state::RemoteState;
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Captured, ObjectId, Policy, Reversibility, StateRef, Step, StepOutcome, StepVerdict, SystemId, Way,
};
use crate::systems::git::place::Place;
use crate::systems::git::vault::Vault;
use crate::systems::{ApplyCx, PlanCx};

/// The payload of a step. The URL is not in it: plans are printed, and it may hold a password.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Payload {
    /// The stored state, which knows where the remote is.
    state: ObjectId,
    /// The full name of the ref.
    name: String,
    /// The value there now; `None`: it does not exist.
    expect: Option<String>,
    /// The value to give; `None`: remove it.
    want: Option<String>,
}

/// Plans: one step for each ref that the push changed.
pub fn plan(captured: &Captured, now: &StateRef, cx: &PlanCx<'_>) -> Result<Vec<Step>> {
    let before = RemoteState::expect(&captured.before.state, cx.source)?;
    let after = captured.after.map(|state| RemoteState::expect(&state, cx.source)).transpose()?;
    let now = RemoteState::expect(now, cx.source)?;
    let mut names: BTreeSet<&String> = before.refs.keys().chain(now.refs.keys()).collect();
    names.extend(after.iter().flat_map(|after| after.refs.keys()));
    names.retain(|name| before.is_about(name, after.as_ref().unwrap_or(&now)));
    let mut steps = Vec::new();
    for name in names {
        let (b, n) = (before.value(name), now.value(name));
        let a = after.as_ref().map(|a| a.value(name));
        // The command did not change it: whatever has happened to it since is not ours.
        if a == Some(b) || (a.is_none() && n == b) {
            continue;
        }
        steps.push(step(captured, &before, name, (b, a, n))?);
    }
    Ok(steps)
}

/// What a ref was before, after (`None`: not known) and is now.
pub type Values<'a> = (Option<&'a str>, Option<Option<&'a str>>, Option<&'a str>);

/// The step of one ref.
pub fn step(captured: &Captured, before: &RemoteState, name: &str, (b, a, n): Values<'_>) -> Result<Step> {
    let verdict = match a {
        _ if n == b => StepVerdict::Already,
        Some(a) if a == n => unless_missing(captured, before, name),
        // The push never reported back: what is gone can be put back, what moved may be somebody's.
        None if n.is_none() => unless_missing(captured, before, name),
        _ => StepVerdict::Conflict { reason: conflict(before, name, a, n) },
    };
    let mut action = match (b, n) {
        (Some(b), None) => format!("bring back {name} at {}", short(Some(b))),
        (Some(b), Some(n)) => format!("move {name} back to {} (now {})", short(Some(b)), short(Some(n))),
        (None, _) => format!("remove {name}, which the push made"),
    };
    if !before.forces && matches!(verdict, StepVerdict::Restore) {
        action.push_str("; who has fetched it keeps it, and what the push set off (builds, reviews) stays");
    }
    let state = captured.before.state.object;
    let payload = Payload {
        state: state.ok_or_else(|| Error::corrupt("a capture of a remote without its state"))?,
        name: name.to_owned(),
        expect: n.map(str::to_owned),
        want: b.map(str::to_owned),
    };
    let ways = match verdict {
        StepVerdict::Conflict { .. } => closed_ways(),
        _ => Vec::new(),
    };
    let payload = serde_json::to_value(&payload)
        .map_err(|e| Error::failure(format!("cannot encode a step for a remote: {e}")))?;
    Ok(Step {
        system: SystemId::new("git"),
        resource: Bytes::from(format!("git:{}/{name}", before.remote)),
        action,
        reversibility: if before.forces { Reversibility::Exact } else { Reversibility::Compensating },
        verdict,
        not_restored: Vec::new(),
        locator: captured.before.locator.clone(),
        payload,
        policy: None,
        ways,
    })
}

/// Others have fetched what is on a remote: nothing there is written over for a conflict's sake.
fn closed_ways() -> Vec<Way> {
    let shared = "a remote is never forced: others may have fetched what is there";
    vec![
        Way::closed(Policy::Merge, "a remote's branch is not merged: fetch, then revert or merge"),
        Way::closed(
            Policy::SideBySide,
            "nothing is put on a remote; `fr restore ID --to DIR` gives the old commits",
        ),
        Way::closed(Policy::Force, shared),
    ]
}

/// What could not be fetched before the push cannot be pushed back.
fn unless_missing(captured: &Captured, before: &RemoteState, name: &str) -> StepVerdict {
    let what = format!("{} {name}", before.remote);
    match captured.before.missing.iter().find(|m| m.what.as_slice() == what.as_bytes()) {
        Some(missing) if before.value(name).is_some() => {
            StepVerdict::NotCaptured { reason: missing.why.clone() }
        }
        _ => StepVerdict::Restore,
    }
}

fn conflict(before: &RemoteState, name: &str, after: Option<Option<&str>>, now: Option<&str>) -> String {
    let expected = match after {
        Some(value) => format!("expected {}", short(value)),
        None => "what the push left there is not known".to_owned(),
    };
    let old = short(before.value(name));
    format!(
        "{name} on {} is at {}, {expected}: somebody pushed since. Moving it back would drop their work: fetch, then \
         revert or merge {old}; `fr restore ID --to DIR` gives the old commits",
        before.remote,
        short(now)
    )
}

/// What is left where a remote does not let a ref be moved back or deleted (`receive.denyNonFastForwards`,
/// `receive.denyDeletes`, a protected branch, a hook).
fn way_out(payload: &Payload, remote: &str) -> String {
    let name = payload.name.rsplit_once('/').map_or(payload.name.as_str(), |(_, name)| name);
    match &payload.want {
        None => format!("Its administrator can allow deletion or delete {} on {remote}", payload.name),
        Some(want) => format!(
            "Revert on top and push that (`git revert {}..{name}`), or have its administrator move it; `fr restore ID \
             --to DIR` gives the old commits",
            short(Some(want))
        ),
    }
}

fn short(value: Option<&str>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |id| id.chars().take(7).collect())
}

/// Pushes one ref back. The remote compares and swaps: where the ref is not what is expected it refuses.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload: Payload = serde_json::from_value(step.payload.clone())
        .map_err(|e| Error::failure(format!("the plan's step for a remote cannot be read: {e}")))?;
    let state = StateRef { digest: payload.state, object: Some(payload.state) };
    let remote = RemoteState::expect(&state, cx.source)?;
    let place = Place::find(&step.locator).ok();
    let vault = Vault::of(&cx.vault, &step.locator)?;
    let shadow =
        Shadow::make(place.as_ref(), &vault, &cx.vault, None)?.with(remote.settings.clone().into_iter());
    let Payload { name, expect, want, .. } = &payload;
    let lease = format!("--force-with-lease={name}:{}", expect.as_deref().unwrap_or_default());
    let spec = format!("{}:{name}", want.as_deref().unwrap_or_default());
    let args =
        ["push", "--porcelain", "--no-verify", "--no-signed", lease.as_str(), "--", &remote.url, &spec];
    let done = shadow.git(&args.map(OsString::from))?;
    if done.code == 0 {
        return Ok(StepOutcome::Done);
    }
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let verdict = text.lines().find(|line| line.starts_with("!\t")).map(|line| line.replace('\t', " "));
    if verdict.as_ref().is_some_and(|line| line.contains("stale info")) {
        return Ok(StepOutcome::Conflict { reason: format!("{name} on {} moved just now", remote.remote) });
    }
    let said = match verdict {
        Some(line) => format!("the remote refused: {line}. {}", way_out(&payload, &remote.remote)),
        None => refused(&done).to_string(),
    };
    Ok(StepOutcome::Failed { reason: said })
}
