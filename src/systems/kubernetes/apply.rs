//! Carries out a step: connects to the recorded cluster, and to no other.

use std::time::{Duration, Instant};

use super::action::{Action, Payload};
use super::kubectl::Kubectl;
use super::query::Access;
use super::{amend, capture, recreate, remove};
use crate::error::Result;
use crate::model::{Step, StepOutcome};
use crate::systems::ApplyCx;

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(600);
/// How long something that is being deleted is waited for.
pub const GOING: Duration = Duration::from_secs(60);

/// Carries out one step.
pub fn apply(step: &Step, cx: &ApplyCx<'_>) -> Result<StepOutcome> {
    let payload = Payload::of(step)?;
    let before = payload.before(cx.source)?;
    let access = Access::of(&step.locator);
    let kubectl = Kubectl::trusted(&access, Instant::now() + LIMIT);
    capture::same_cluster(&kubectl, &access, &before.cluster)?;
    match &payload.action {
        Action::Recreate { objects } => recreate::recreate(&kubectl, &before, objects, cx),
        Action::Remove { objects } => remove::remove(&kubectl, objects, cx),
        Action::Amend { object, left } => amend::amend(&kubectl, &before, (object, left), cx),
    }
}
