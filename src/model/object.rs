//! Stored objects as systems see them: something to put bytes into, something to read them back from.

use serde::{Deserialize, Serialize};

use super::ObjectId;
use crate::error::Result;

/// What an object is. The kind is part of its address, so a blob can never be mistaken for a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum ObjectKind {
    /// Raw bytes: a file's content or one chunk of it.
    Blob = 1,
    /// A list of chunk ids that make up a large file.
    Chunks = 2,
    /// A directory: names, metadata, content ids.
    Tree = 3,
    /// A system's own state document (git refs, a Kubernetes object…).
    State = 4,
    /// The exact argv or command line of an event, kept apart from the readable record so that it can be sealed.
    Argv = 5,
}

impl ObjectKind {
    /// The kind of a byte read from a pack, `None` where it is none of ours.
    pub fn from_u8(byte: u8) -> Option<ObjectKind> {
        match byte {
            1 => Some(ObjectKind::Blob),
            2 => Some(ObjectKind::Chunks),
            3 => Some(ObjectKind::Tree),
            4 => Some(ObjectKind::State),
            5 => Some(ObjectKind::Argv),
            _ => None,
        }
    }
}

/// Where captured bytes go. Shared by the threads of a capture.
pub trait ObjectSink: Sync {
    /// Stores `content` and returns its address. Not durable until the batch behind the sink is committed.
    fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId>;

    /// True where the object is certainly stored already, so that it need not be read and put again.
    /// `false` may also mean "not known".
    fn has(&self, id: &ObjectId) -> bool;
}

/// Where captured bytes come from.
pub trait ObjectSource: Sync {
    /// The content of an object, checked against its address.
    fn get(&self, id: &ObjectId) -> Result<Vec<u8>>;
}
