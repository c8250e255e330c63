//! What an earlier capture holds of what a later one covers: a command seen as it is executed, inside a line.

use super::{State, View};
use crate::error::Result;
use crate::model::{Capture, ObjectSource};
use crate::systems::Held;

/// Compares two captures of one database.
pub fn held(outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
    let (outer, inner) = (State::load(&outer.state, source)?, State::load(&inner.state, source)?);
    if outer.server != inner.server || !inner.databases.is_empty() || !outer.databases.is_empty() {
        return Ok(if outer.server == inner.server && outer.digest() == inner.digest() {
            Held::Same
        } else {
            Held::Nothing
        });
    }
    let covers = |name: &String| {
        let (Some(o), Some(i)) = (outer.read.get(name), inner.read.get(name)) else { return false };
        o.view == View::All || o.view == i.view && o.covers == i.covers
    };
    if !inner.read.keys().all(covers) || (inner.defined.is_some() && outer.defined.is_none()) {
        return Ok(Held::Nothing);
    }
    let same =
        inner.read.iter().all(|(name, i)| {
            outer.read.get(name).is_some_and(|o| o.digest == i.digest && o.there == i.there)
        }) && (inner.defined.is_none() || inner.defined == outer.defined);
    Ok(if same { Held::Same } else { Held::Other })
}
