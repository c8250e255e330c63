//! The use case "does recovery work, here and now?": scratch targets are destroyed by real commands through the real
//! hook, taken back by the real `fr undo`, and compared by means that are not `fr`'s own.
//!
//! The built `fr` runs as a process of its own, as an agent would run it, with a store of its own beside the target.
//! So a drill covers what a person would rely on, arguments to exit code, and shares nothing with what it checks.
//!
//! A system rehearses its recovery by one file here (a [`Scenario`]) and one line in `scenario.rs`.

mod aws;
mod cluster;
mod docker;
mod event;
mod files;
mod git;
mod git_look;
mod git_remote;
mod kubernetes;
mod look;
mod mysql;
mod postgres;
mod redis;
mod rehearse;
mod scenario;
mod scene;
mod server;
mod sqlite;
mod terraform;

pub use aws::Account;
pub use event::{exit_code, prepare, record};
pub use git_look::git_look;
pub use look::{Look, differences};
pub use rehearse::{Ground, Moment, Rehearsal, Round, rehearse};
pub use scenario::{Incident, Promise, SCENARIOS, Scenario, by_systems, systems};
pub use scene::Given;
pub use scene::Scene;
pub use server::Server;
