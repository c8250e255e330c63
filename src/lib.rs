//! `fr`, the flight recorder for AI coding agents.
//!
//! Before a command may destroy something, its targets are found and their state is stored; always there is a record;
//! afterwards the record is enough to tell the story, to take the command back, and to prove that it came back.
//! `docs/architecture.md` is the map of the rooms below.

// The documentation is read by those who work on it, with private items: a room's text links into the room.
#![allow(rustdoc::private_intra_doc_links)]

pub mod cli;
pub mod doctor;
pub mod drill;
pub mod error;
pub mod intake;
pub mod journal;
pub mod maturity;
pub mod model;
pub mod platform;
pub mod record;
pub mod recover;
pub mod respond;
pub mod shell;
pub mod sql;
pub mod store;
pub mod systems;
