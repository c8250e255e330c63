//! What a step does, as its payload: names and identities only. Plans are printed, so no value of AWS is in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// Brings one thing back to what it was.
    Thing {
        /// Its name.
        key: String,
        /// The identity of what must be there now; `None`: nothing.
        left: Option<ObjectId>,
        /// It was not there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        removes: bool,
    },
    /// Brings objects of a bucket back.
    Objects {
        /// The bucket.
        bucket: String,
        /// Their keys, each with the identity of what must be there now.
        objects: BTreeMap<String, Option<ObjectId>>,
    },
    /// Nothing: it is there to be shown.
    Nothing,
}

impl Payload {
    /// A step's.
    pub fn of(step: &Step) -> Result<Payload> {
        serde_json::from_value(step.payload.clone())
            .map_err(|e| Error::failure(format!("the plan's step for AWS cannot be read: {e}")))
    }

    /// For a step.
    pub fn encode(&self) -> Result<serde_json::Value> {
        serde_json::to_value(self).map_err(|e| Error::failure(format!("cannot encode a step for AWS: {e}")))
    }

    /// The state before the command.
    pub fn before(&self, source: &dyn ObjectSource) -> Result<Snapshot> {
        Snapshot::load(&StateRef { digest: self.state, object: Some(self.state) }, source)
    }
}
