//! PersistentVolumeClaims. The binder notes on a claim what it has done; a new claim must not have these notes, or it is
//! `Lost` for ever. Whether it may name its old volume again is for the plan to say.

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

/// What binder and provisioner write.
const NOTES: &[&str] = &[
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
];

pub struct Claim;

impl Kind for Claim {
    fn is(&self, key: &Key) -> bool {
        key.is("", "PersistentVolumeClaim")
    }
    fn normalise(&self, object: &mut Object) {
        object.remove("/metadata/annotations", NOTES);
        // The binder sets it in its own time.
        object.remove("/spec", &["volumeName"]);
    }
    fn strip(&self, object: &mut Object) {
        object.remove("/metadata/annotations", NOTES);
    }
}
