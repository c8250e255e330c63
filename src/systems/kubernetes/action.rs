//! What a step does, as its payload: names and identities only. Plans are printed, so no field of an object is in it.

use serde::{Deserialize, Serialize};

use super::object::Key;
use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectSource, StateRef, Step};

/// A step's instructions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The stored state before the command.
    pub state: ObjectId,
    /// What is done.
    #[serde(flatten)]
    pub action: Action,
}

/// What is done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Action {
    /// Makes objects anew that are gone.
    Recreate {
        /// Their names.
        objects: Vec<String>,
        /// Services among them whose address somebody else has by now.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        elsewhere: Vec<String>,
    },
    /// Removes objects that the command made, and only these.
    Remove {
        /// Their names and identities.
        objects: Vec<Guarded>,
    },
    /// Gives fields of an object their old values.
    Amend {
        /// Which object, as the command left it.
        object: Guarded,
        /// The object as the command left it.
        left: ObjectId,
    },
    /// The same for many.
    AmendAll {
        /// Which, and each as the command left it.
        objects: Vec<(Guarded, ObjectId)>,
    },
    /// Gives an object its old fields, whatever somebody has written into them since; one whose fields cannot be changed is
    /// made anew.
    Force {
        /// Which object, as it is now.
        object: Guarded,
        /// The object as the command left it: only what it changed is written. All of it, where that is not known.
        left: Option<ObjectId>,
    },
    /// Takes what the command changed out of an object into which somebody has written since.
    Merge {
        /// Which object, as it is now.
        object: Guarded,
        /// The object as the command left it.
        left: ObjectId,
        /// The normal form that it is to have.
        goal: ObjectId,
    },
}

impl Action {
    /// Nothing is done.
    pub fn nothing() -> Action {
        Action::Recreate { objects: Vec::new(), elsewhere: Vec::new() }
    }
}

/// An object with the identity and the normal form that it must have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Guarded {
    /// Its name.
    pub key: String,
    /// Its own identity.
    pub uid: String,
    /// Its normal form's.
    pub digest: ObjectId,
}

impl Guarded {
    /// The name, read.
    pub fn key(&self) -> Result<Key> {
        key(&self.key)
    }
}

/// Reads a name.
pub fn key(text: &str) -> Result<Key> {
    Key::parse(text).ok_or_else(|| Error::corrupt("a step for a cluster names no object"))
}

impl Payload {
    /// A step's.
    pub fn of(step: &Step) -> Result<Payload> {
        serde_json::from_value(step.payload.clone())
            .map_err(|e| Error::failure(format!("the plan's step for a cluster cannot be read: {e}")))
    }

    /// For a step.
    pub fn encode(&self) -> Result<serde_json::Value> {
        serde_json::to_value(self)
            .map_err(|e| Error::failure(format!("cannot encode a step for a cluster: {e}")))
    }

    /// The state before the command.
    pub fn before(&self, source: &dyn ObjectSource) -> Result<Snapshot> {
        Snapshot::load(&StateRef { digest: self.state, object: Some(self.state) }, source)
    }
}
