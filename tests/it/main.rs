//! Integration tests: one binary, a module per verb.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod journal;
mod samples;
mod store;
