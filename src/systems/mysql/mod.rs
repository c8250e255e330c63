//! MySQL and MariaDB: the rows and definitions of databases, read and written by the user's own client with the connection
//! of the recorded command. `docs/systems/mysql.md` says what is captured, what equality means and what cannot come back.

mod apply;
mod assess;
mod capture;
mod catalog;
mod config;
mod connection;
mod define;
mod into;
mod look;
mod plan;
mod session;
mod swap;
mod value;
mod want;
mod write;

use super::functions::{self, Functions};
use super::tables::{self, State};

/// The name in records.
const NAME: &str = "mysql";

/// The `mysql` system.
pub static MYSQL: Functions = Functions {
    id: NAME,
    programs: assess::PROGRAMS,
    contexts: |locator| locator.map(connection::contexts_of).unwrap_or_default(),
    assess: assess::assess,
    capture: capture::capture,
    observe: look::observe,
    plan: plan::plan,
    net: |taken, cx, plan| tables::net(taken, cx, plan, true),
    waiting: Some(tables::waiting),
    apply: apply::apply,
    arrange: None,
    verify: Some(apply::verify),
    aim: Some(tables::aim),
    same_place: tables::same_place,
    changes: |before, after, cx| tables::changes(before, after, cx.source),
    references: |kind, content| State::references(kind, content, NAME),
    held: tables::held,
    owns: functions::nothing,
    restore_to: tables::restore_to,
    restore_into: Some(into::restore_into),
};
