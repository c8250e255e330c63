//! Objects kept in memory over a source: for looking at the present without storing it.

use std::sync::Mutex;

use super::catalog::ById;
use super::reader::locked;
use crate::error::Result;
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource};

/// A sink whose objects live as long as it does, and a source that has them and what lies under it.
pub struct Scratch<'a> {
    under: &'a dyn ObjectSource,
    own: Mutex<ById<(ObjectKind, Vec<u8>)>>,
}

impl<'a> Scratch<'a> {
    /// An empty one over a source.
    pub fn over(under: &'a dyn ObjectSource) -> Scratch<'a> {
        Scratch { under, own: Mutex::default() }
    }

    /// What was put, to be stored after all.
    pub fn into_objects(self) -> Vec<(ObjectKind, Vec<u8>)> {
        let own = self.own.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        own.into_values().collect()
    }
}

impl ObjectSink for Scratch<'_> {
    fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId> {
        let id = ObjectId::of(kind, content);
        locked(&self.own).entry(id).or_insert_with(|| (kind, content.to_vec()));
        Ok(id)
    }

    fn has(&self, id: &ObjectId) -> bool {
        locked(&self.own).contains_key(id)
    }
}

impl ObjectSource for Scratch<'_> {
    fn get(&self, id: &ObjectId) -> Result<Vec<u8>> {
        let own = locked(&self.own).get(id).map(|(_, content)| content.clone());
        own.map_or_else(|| self.under.get(id), Ok)
    }
}
