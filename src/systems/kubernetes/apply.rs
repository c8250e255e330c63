//! Carries out a step: connects to the recorded cluster, and to no other.

use std::time::{Duration, Instant};

use super::action::{Action, Payload};
use super::amend::{self, Desk, How};
use super::api::Api;
use super::kubectl::Kubectl;
use super::query::Access;
use super::resources::Server;
use super::{capture, recreate, remove};
use crate::error::Result;
use crate::model::{Step, StepOutcome, Verification};
use crate::systems::ApplyCx;

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(1800);
/// How long something that is being deleted is waited for.
pub const GOING: Duration = Duration::from_secs(60);

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload = Payload::of(step)?;
    let before = payload.before(cx.source)?;
    let access = Access::of(&step.locator);
    let until = Instant::now() + LIMIT;
    let kubectl = Kubectl::trusted(&access, until);
    capture::same_cluster(&kubectl, &access, &before.cluster)?;
    let api = Api::start(&kubectl, until)?;
    let server = Server::of(&api);
    let place = (&kubectl, &server);
    let desk = Desk { kubectl: &kubectl, server: &server, before: &before, cx };
    match &payload.action {
        Action::Recreate { objects, elsewhere } => {
            recreate::recreate(place, &before, (objects, elsewhere), cx)
        }
        Action::Remove { objects } => remove::remove(place, objects, cx),
        Action::Amend { object, left } => amend::amend(&desk, object, How::Back(left)),
        Action::AmendAll { objects } => amend::amend_all(&desk, objects),
        Action::Force { object, left } => amend::amend(&desk, object, How::Force(left.as_ref())),
        Action::Merge { object, left, goal } => amend::amend(&desk, object, How::Merge(left, goal)),
    }
}

/// Reads again what was merged.
pub fn verify(step: &Step, cx: &ApplyCx<'_>) -> Result<Verification> {
    let payload = Payload::of(step)?;
    let Action::Merge { object, goal, .. } = &payload.action else {
        return Ok(Verification::NotVerified { reason: "it was not merged".to_owned() });
    };
    let (before, key) = (payload.before(cx.source)?, object.key()?);
    let access = Access::of(&step.locator);
    let until = Instant::now() + LIMIT;
    let kubectl = Kubectl::trusted(&access, until);
    capture::same_cluster(&kubectl, &access, &before.cluster)?;
    let version = before.entry(&key).map(|entry| entry.version.clone());
    let now = super::look::look(&kubectl, &[(key, version)])?;
    Ok(match now.first() {
        Some((now, _)) if now.digest() == *goal => Verification::Verified,
        Some(_) => Verification::Failed { reason: "it is not what the merge was to give".to_owned() },
        None => Verification::Failed { reason: "it is gone".to_owned() },
    })
}
