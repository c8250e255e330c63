//! Carrying out a playbook: step by step, each on record before and after it, so that the run can be gone on with after
//! a crash or a day, by whoever is there.
//!
//! An undo is run as `fr undo` in a process of its own, by its arguments: what runs is what a person can copy, a time-out
//! can end it, and what it does is one more event with its own proof. What may write runs through the recorder, so that it
//! can be taken back.

mod act;
mod begin;
mod carry;
mod consent;
mod judge;
mod person;
mod record;
mod replay;

pub use begin::{Begin, Given, Planned, Resume, begin, dry_run, resume, short};
pub use carry::{Ended, Line};
pub use person::{Answer, Person, Prompt, Told};
pub use replay::{RunState, Tally, find_run, run_of, runs};

/// What stands at the end of an answer that was too long to be kept whole.
pub const CUT: &str = "[cut]";
