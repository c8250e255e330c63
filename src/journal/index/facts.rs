//! What the index takes from a before-half.

use crate::model::{Before, Bytes, EffectClass, EventKind};

/// The number of containments.
pub(crate) const CONTAIN: i64 = 5;
/// The number of releases.
pub(crate) const RELEASE: i64 = 6;
/// The number of alarms.
pub(crate) const ALARM: i64 = 7;
/// The number of what happens in runs of playbooks. 8 to 19 are other kinds'.
pub(super) const PLAYBOOK: i64 = 20;
/// The number of an attestation.
pub(crate) const ATTEST: i64 = 9;
/// The number of a measurement.
pub(crate) const MATURITY: i64 = 10;

/// The number of a kind in `event.kind`.
pub(crate) fn kind_number(kind: &EventKind) -> i64 {
    match kind {
        EventKind::Command => 0,
        EventKind::Undo(_) => 1,
        EventKind::Redo(_) => 2,
        EventKind::Restore { .. } => 3,
        EventKind::Drill { .. } => 4,
        EventKind::Contain { .. } => CONTAIN,
        EventKind::Release { .. } => RELEASE,
        EventKind::Alarm { .. } => ALARM,
        EventKind::Playbook { .. } => PLAYBOOK,
        EventKind::Incident { .. } => 8,
        EventKind::Attest { .. } => ATTEST,
        EventKind::Maturity { .. } => MATURITY,
    }
}

/// What an undo, redo or restore takes back.
pub(crate) fn targets(kind: &EventKind) -> Vec<u64> {
    match kind {
        EventKind::Undo(reversal) | EventKind::Redo(reversal) => reversal.of.iter().map(|id| id.0).collect(),
        EventKind::Restore { of, .. } => vec![of.0],
        _ => Vec::new(),
    }
}

/// The places an event touches: resources and places of effects that change something.
pub(crate) fn places(before: &Before) -> Vec<Bytes> {
    let mut places = Vec::new();
    for effect in before.effects.iter().filter(|e| e.class != EffectClass::None) {
        places.push(effect.resource.clone());
        places.extend(effect.locator.iter().map(|l| l.at.clone()));
    }
    for capture in &before.captures {
        places.push(capture.resource.clone());
        places.push(capture.locator.at.clone());
    }
    places.retain(|p| !p.is_empty());
    places.sort_unstable();
    places.dedup();
    places
}
