//! The use case "take it back": choose events, plan, show, capture the present, apply, verify.
//! A plan is a value; nothing is written before it is complete and free of conflicts.

mod apply;
mod changes;
mod choose;
mod planning;
mod restore;
mod select;
mod verify;

pub use apply::{Applied, StepReport, apply, resume};
pub use changes::{changes, changes_until_now};
pub use planning::{UndoPlan, plan};
pub use restore::restore_to;
pub use select::{latest_undoable, latest_undone, unfinished};
pub use verify::{CaptureHealth, verify_event};
