//! `fr install` and `fr uninstall`: our hooks in other programs' settings, put in beside what people have there and
//! taken out again to the byte.
//!
//! An agent is a row of [`agents::AGENTS`]. From it comes a [`plan`], which is shown before [`apply()`] carries it out.
//! [`edit`] changes a file's text, [`mod@file`] its bytes on disk, [`record`] remembers both. `docs/install.md` is the page
//! for people.

pub mod agents;
mod apply;
mod block;
pub mod codex;
mod edit;
mod file;
pub mod gitconfig;
mod json;
mod line;
pub mod look;
mod plan;
mod record;
mod version;
mod world;

pub use apply::apply;
pub use line::is_exactly_ours;
pub use plan::{Action, Change, Plan, Wishes, install, present, uninstall};
pub use world::{Presence, Scope, World, is_program};
