//! How plain structs become text: terminal-safe bytes, times, sizes, tables, styles.

mod event;
pub mod export;
mod hint;
mod maturity;
mod plan;
mod playbook;
pub mod progress;
mod quantity;
pub mod style;
mod table;
pub mod when;

pub use crate::platform::escape::safe;
pub use event::{EventView, GapView, class_of, command_cell, event_details, outcome_sentence, outcome_word};
pub use hint::next_step;
pub use plan::{plan_text, report_text};
pub use playbook::{run_exit, run_words};
pub use quantity::{bytes, count};
pub use table::{Table, cut};
