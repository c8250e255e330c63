//! What is read while a step is carried out: kept in memory, over what is stored.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};

/// Objects in memory over stored ones.
pub struct Overlay<'a> {
    source: &'a dyn ObjectSource,
    own: Mutex<HashMap<ObjectId, Vec<u8>>>,
}

impl<'a> Overlay<'a> {
    /// Nothing in memory yet.
    pub fn new(source: &'a dyn ObjectSource) -> Overlay<'a> {
        Overlay { source, own: Mutex::default() }
    }
}

impl ObjectSink for Overlay<'_> {
    fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId> {
        let id = ObjectId::of(kind, content);
        self.own.lock().unwrap_or_else(PoisonError::into_inner).insert(id, content.to_vec());
        Ok(id)
    }
    fn has(&self, _: &ObjectId) -> bool {
        false
    }
}

impl ObjectSource for Overlay<'_> {
    fn get(&self, id: &ObjectId) -> Result<Vec<u8>> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        own.map_or_else(|| self.source.get(id), Ok)
    }
}
