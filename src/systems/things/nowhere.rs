//! A sink that keeps nothing: what is only compared needs its identity alone.

use crate::error::Result;
use crate::model::{ObjectId, ObjectKind, ObjectSink};

/// Takes descriptions that are only compared.
pub struct Nowhere;

impl ObjectSink for Nowhere {
    fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId> {
        Ok(ObjectId::of(kind, content))
    }
    fn has(&self, _id: &ObjectId) -> bool {
        false
    }
}
