//! The use case "a command is about to run, has run": find what it will destroy, store that, write it down.
//! Words are assessed first ([`assess`]); only what changes something opens the store.

mod after;
mod aims;
mod alarm;
pub mod assess;
mod before;
mod captures;
mod chosen;
mod config;
pub mod containment;
pub mod context;
mod exec_time;
pub mod explain;
mod guard;
mod nesting;
mod open_events;
pub mod own;
mod policy;
pub mod production;
pub mod redact;
mod reported;
mod runaway;
pub mod settings;
mod spoken;
mod through;
pub mod traced;
mod wanted;

pub use after::{after, post_states, session};
pub use alarm::Reaction as AlarmReaction;
pub use before::{Reading, Recorded, before, gap, new_uid, quoted, read};
pub use captures::{Capturing, LONGEST, capture_all, observe, observe_since};
pub use config::{Config, PlaybookReach};
pub use containment::{Orders, Standing};
pub use exec_time::{Seen, at_exec, is_harmless};
pub use nesting::Traces;
pub use policy::{Mode, Reaction, on_failure};
pub use runaway::Runaway;
