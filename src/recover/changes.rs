//! What an event changed, or what has changed since it, from the recorded states.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::journal::index::Event;
use crate::model::{Capture, Change, StateRef};
use crate::platform::home::Home;
use crate::record;
use crate::store::{Scratch, Store};
use crate::systems::{self, PlanCx, Run};

use super::planning::captured_of;

/// What the event changed: before against after.
pub fn changes(event: &Event, home: &Home) -> Result<Vec<Change>> {
    let store = Store::open(home)?;
    let reader = store.reader();
    let mut found = Vec::new();
    for captured in captured_of(event) {
        found.extend(between(
            &captured.before,
            captured.after.as_ref(),
            &PlanCx { source: &reader, run: Run::First, event: event.id, except: &[] },
        )?);
    }
    Ok(once(found))
}

/// What differs between the state before the event and the present.
pub fn changes_until_now(event: &Event, home: &Home) -> Result<Vec<Change>> {
    let store = Store::open(home)?;
    let reader = store.reader();
    let scratch = Scratch::over(&reader);
    let mut found = Vec::new();
    for captured in captured_of(event) {
        let now = record::observe(&captured.before, &scratch, home, true)?;
        found.extend(between(
            &captured.before,
            Some(&now),
            &PlanCx { source: &scratch, run: Run::First, event: event.id, except: &[] },
        )?);
    }
    Ok(once(found))
}

/// A path that two captures cover (a named file inside a captured work tree) has changed once.
fn once(found: Vec<Change>) -> Vec<Change> {
    let mut seen = HashSet::new();
    found.into_iter().filter(|change| seen.insert((change.what.clone(), change.how))).collect()
}

/// What differs between two recorded states of one capture.
pub fn between(before: &Capture, after: Option<&StateRef>, cx: &PlanCx<'_>) -> Result<Vec<Change>> {
    let system = systems::by_id(&before.system.0);
    let system =
        system.ok_or_else(|| Error::failure(format!("this fr knows no system {}", before.system)))?;
    system.changes(&before.state, after, cx)
}
