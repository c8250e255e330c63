//! Container engines: docker and podman, through the user's own CLI with the flags and the environment of the recorded
//! command. `docs/systems/docker.md` says what is captured and what cannot come back.

mod api;
mod apply;
pub mod assess;
mod capture;
mod cli;
mod container;
mod file;
mod find;
mod hands;
mod image;
mod look;
mod network;
mod plan;
mod pod;
mod query;
mod shown;
mod swarm;
mod volume;

use super::functions::{self, Functions};
use super::things::{self, Things};

/// The id, also in documents.
const ID: &str = "docker";

/// Where the paths are that a command removes inside of a container.
pub use assess::removed;

/// The `docker` system.
pub static DOCKER: Functions = Functions {
    id: ID,
    programs: assess::PROGRAMS,
    contexts: |locator| locator.map(query::contexts_of).unwrap_or_default(),
    assess: assess::assess,
    capture: capture::capture,
    observe: capture::observe,
    plan: plan::plan,
    net: |taken, cx, plan| things::net(taken, cx, &plan, &hands::Engine::default()),
    waiting: None,
    apply: apply::apply,
    arrange: Some(|steps| things::arrange(steps, &hands::Engine::default())),
    verify: None,
    aim: None,
    same_place: functions::by_words,
    changes: |before, after, cx| things::changes(before, after, cx.source, &shown::shown),
    references: |kind, content| Things::references(ID, kind, content),
    held: things::held,
    owns: functions::nothing,
    restore_to: |captured, to, cx| things::restore_to(captured, to, cx, ".json"),
    restore_into: None,
};
