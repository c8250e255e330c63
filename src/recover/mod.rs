//! The use case "take it back": choose events, plan, show, capture the present, apply, verify.
//! A plan is a value; nothing is written before it is complete and free of conflicts.

mod apply;
mod begin;
mod changes;
mod choose;
mod decided;
mod dependents;
mod lineage;
mod planning;
mod promised;
mod rest;
mod restore;
mod rounds;
mod said;
mod scope;
mod select;
mod settled;
mod together;
mod uncaptured;
mod unseen;
mod verify;
mod waiting;

pub use apply::{Applied, StepReport, apply, end, resume};
pub use changes::{changes, changes_until_now};
pub use dependents::{Later, with_dependents};
pub use planning::UndoPlan;
pub use rest::plan_back;
pub use restore::{Beside, Chosen, Put, Restored, restore};
pub use rounds::{first_round, foreseen};
pub use said::meant;
pub use scope::Scope;
pub use select::{Selection, latest_undoable, latest_undone, passed_over, selected, standing, unfinished};
pub use unseen::unseen;
pub use verify::{CaptureHealth, verify_event};

use crate::error::Result;
use crate::journal::index::Event;
use crate::platform::home::Home;
use crate::store::Store;

/// Plans the undo of events, newest first, against the world as it is now. Writes nothing.
pub fn plan(events: &[Event], scope: &Scope, store: &Store, home: &Home) -> Result<UndoPlan> {
    match events {
        [event] if scope.is_whole() && rest::has_net(event) => rest::plan_redo(event, store, home),
        [event] if scope.is_whole() && !lineage::has_later_life(event, store, home)? => {
            planning::plan_one(event, store, home)
        }
        _ => together::plan_together(events, scope, store, home),
    }
}
