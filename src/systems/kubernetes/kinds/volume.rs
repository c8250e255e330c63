//! PersistentVolumes. A volume knows its claim by uid; with the uid taken out, the claim of the same name binds to it again.

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct Volume;

impl Volume {
    /// Frees a volume for the next claim of the same name.
    pub fn without_claim_uid(object: &mut Object) {
        object.remove("/spec/claimRef", &["uid", "resourceVersion"]);
        object.remove("/metadata/annotations", &["pv.kubernetes.io/bound-by-controller"]);
    }
}

impl Kind for Volume {
    fn is(&self, key: &Key) -> bool {
        key.is("", "PersistentVolume")
    }
    fn normalise(&self, object: &mut Object) {
        Volume::without_claim_uid(object);
        object.remove("/spec/claimRef", &["apiVersion", "kind"]);
    }
    fn strip(&self, object: &mut Object) {
        Volume::without_claim_uid(object);
    }
}
