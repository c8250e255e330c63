//! Leases and events: who leads is settled anew, what happened has happened.

use std::collections::BTreeSet;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct Lease;

impl Kind for Lease {
    fn is(&self, key: &Key) -> bool {
        key.is("coordination.k8s.io", "Lease") || key.is("", "Event") || key.is("events.k8s.io", "Event")
    }
    fn is_left(&self, _: &Object, _: &BTreeSet<String>) -> bool {
        true
    }
}
