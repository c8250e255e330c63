//! `--plan-out` and `--plan`: what was reviewed is what is carried out. The file names the events; the plan is made again
//! and must come out the same.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Desk, Wishes, planned, take_back};
use crate::cli::Out;
use crate::cli::render::safe;
use crate::error::{Error, ExitCode, Result};
use crate::journal::index::Event;
use crate::model::{Bytes, Captured, ObjectId, Step, StepVerdict};
use crate::recover::{Scope, UndoPlan};

/// The version of [`Reviewed`]. A reader refuses what is newer.
const VERSION: u32 = 1;

/// The largest file that is read as a plan, bytes.
const LARGEST: u64 = 1 << 30;

/// A plan on its way through a review.
#[derive(Serialize, Deserialize)]
struct Reviewed {
    version: u32,
    scope: Scope,
    plan: UndoPlan,
    /// For each place of a net effect: what is brought about and what is there, by digest. The objects themselves also
    /// hold times of directories above, which a plan file that is written there changes.
    net: Vec<(Bytes, ObjectId, Option<ObjectId>)>,
}

/// Writes a plan. The file is new and private: targets and old values may be nobody else's business.
pub fn write(file: &Path, plan: &UndoPlan, scope: &Scope, out: &mut Out) -> Result<u8> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let reviewed =
        Reviewed { version: VERSION, scope: scope.clone(), plan: plan.clone(), net: digests(plan) };
    let text = serde_json::to_vec_pretty(&reviewed)
        .map_err(|e| Error::failure(format!("cannot encode the plan: {e}")))?;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|mut made| made.write_all(&text)).map_err(|e| Error::io("write", file, &e))?;
    let shown = safe(file.as_os_str().as_encoded_bytes());
    out.talk(format!("{} steps are in {shown}; `fr undo --plan {shown}` applies them", plan.steps.len()));
    Ok(super::plan_code(plan))
}

/// Applies a plan that would come out the same now.
pub fn apply(file: &Path, wishes: Wishes, desk: &Desk<'_>, out: &mut Out) -> Result<u8> {
    let reviewed = read(file)?;
    let Reviewed { scope, plan, .. } = &reviewed;
    let events =
        plan.events.iter().map(|id| desk.index.find(&id.to_string())).collect::<Result<Vec<Event>>>()?;
    let wishes = Wishes { policy: plan.policy, ..wishes };
    let now = planned(&events, scope, wishes.policy, desk)?;
    if let Some(what) = difference(&reviewed, &now) {
        return Err(Error::new(
            ExitCode::Conflict,
            format!("the plan does not come out the same any more, nothing was written: {what}"),
        )
        .hint("make it again with --plan-out, and review what has changed"));
    }
    take_back(&events, scope, wishes, desk, out)
}

fn read(file: &Path) -> Result<Reviewed> {
    use std::io::Read as _;
    let mut text = Vec::new();
    let opened = std::fs::File::open(file).and_then(|f| f.take(LARGEST).read_to_end(&mut text));
    opened.map_err(|e| Error::io("read", file, &e))?;
    let no = |why: String| {
        let shown = safe(file.as_os_str().as_encoded_bytes());
        Error::new(ExitCode::Usage, format!("{shown} is no plan: {why}"))
            .hint("`fr undo … --plan-out FILE` writes one")
    };
    let reviewed: Reviewed = serde_json::from_slice(&text).map_err(|e| no(e.to_string()))?;
    match reviewed.version {
        VERSION => Ok(reviewed),
        other => Err(no(format!("it has version {other}, this fr knows {VERSION}"))),
    }
}

fn digests(plan: &UndoPlan) -> Vec<(Bytes, ObjectId, Option<ObjectId>)> {
    let digest = |captured: &Captured| {
        let after = captured.after.map(|state| state.digest);
        (captured.before.resource.clone(), captured.before.state.digest, after)
    };
    plan.net.iter().map(digest).collect()
}

/// The first thing that is not as it was reviewed.
fn difference(reviewed: &Reviewed, now: &UndoPlan) -> Option<String> {
    let Reviewed { plan, net, .. } = reviewed;
    let is_net =
        |step: &Step| !net.is_empty() && step.verdict == StepVerdict::Restore && step.policy.is_none();
    let shown = |step: &Step| match is_net(step) {
        true => Step { payload: serde_json::Value::Null, ..step.clone() },
        false => step.clone(),
    };
    let pairs = plan.steps.iter().zip(&now.steps);
    let changed = pairs.clone().find(|(was, is)| shown(was) != shown(is)).map(|(was, _)| was);
    let changed = changed.or_else(|| plan.steps.get(now.steps.len()));
    let changed = changed.or_else(|| now.steps.get(plan.steps.len())).map(|step| step.resource.clone());
    let digests = digests(now);
    let moved = || net.iter().zip(&digests).find(|(was, is)| was != is).map(|(was, _)| was.0.clone());
    match changed.or_else(moved) {
        Some(resource) => Some(safe(resource.as_slice())),
        None if plan.residue != now.residue
            || plan.uncaptured != now.uncaptured
            || plan.left_out != now.left_out
            || net.len() != digests.len() =>
        {
            Some("what does not come back".to_owned())
        }
        None => None,
    }
}
