//! Integration tests: one binary, a module per verb.

// Clippy knows tests by `#[test]`; the helpers they share need the same freedom.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::print_stdout)]

mod agent_shells;
mod answers;
mod aws;
mod browser;
mod clouds;
mod corpus;
mod crash;
mod crowd;
mod docker;
mod doctor;
mod drill;
mod env;
mod exec;
mod export;
mod files;
mod fs_compare;
mod git;
mod github;
mod histories;
mod host;
mod incidents;
mod install;
mod intake;
mod journal;
mod json;
mod kubernetes;
mod live;
mod mysql;
mod payloads;
mod playbook;
mod postgres;
mod prompts;
mod pty;
mod redis;
mod registries;
mod reported;
mod reports;
mod respond;
mod samples;
mod shell;
mod shell_failures;
mod shell_world;
mod shells;
mod shims;
mod sqlite;
mod store;
mod terraform;
mod timeline;
mod traces;
mod tui;
mod undo;
mod wires;
mod wrong;
