//! A step's instructions: what tells the states apart. The work is worked out once more when it is carried out.

use serde::{Deserialize, Serialize};

use super::{Aimed, State};
use crate::error::{Error, Result};
use crate::model::{Captured, ObjectId, ObjectSource, StateRef, Step};

/// A step's instructions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The stored state before the command.
    pub before: ObjectId,
    /// The stored state after it; `None` where nobody told it, or where it is the present.
    pub after: Option<ObjectId>,
    /// The state after the command is the present.
    pub left_alone: bool,
    /// The identity of the present.
    pub now: ObjectId,
    /// Rows in conflict that a policy writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aimed: Option<Aimed>,
}

impl Payload {
    /// What is taken back, and the present.
    pub fn of(captured: &Captured, now: &StateRef) -> Result<Payload> {
        let left_alone = captured.after.is_some_and(|after| after.digest == now.digest);
        let before = captured.before.state.object;
        Ok(Payload {
            before: before.ok_or_else(|| Error::corrupt("a capture of a database without its state"))?,
            after: captured.after.and_then(|after| after.object).filter(|_| !left_alone),
            left_alone,
            now: now.digest,
            aimed: None,
        })
    }

    /// Those of a step.
    pub fn read(step: &Step) -> Result<Payload> {
        serde_json::from_value(step.payload.clone())
            .map_err(|e| Error::failure(format!("the plan's step for a database cannot be read: {e}")))
    }

    /// As a step holds them.
    pub fn value(&self) -> Result<serde_json::Value> {
        serde_json::to_value(self)
            .map_err(|e| Error::failure(format!("cannot encode a step for a database: {e}")))
    }

    /// The state before the command.
    pub fn before(&self, source: &dyn ObjectSource) -> Result<State> {
        load(self.before, source)
    }

    /// The state after it, given the present.
    pub fn after(&self, now: &State, source: &dyn ObjectSource) -> Result<Option<State>> {
        match (self.left_alone, self.after) {
            (true, _) => Ok(Some(now.clone())),
            (false, id) => id.map(|id| load(id, source)).transpose(),
        }
    }
}

fn load(id: ObjectId, source: &dyn ObjectSource) -> Result<State> {
    State::load(&StateRef { digest: id, object: Some(id) }, source)
}
