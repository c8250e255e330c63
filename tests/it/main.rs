//! Integration tests: one binary, a module per verb.

// Helpers outside of #[test] functions may fail loudly too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod corpus;
mod env;
mod exec;
mod files;
mod fs_compare;
mod payloads;
mod pty;
mod shells;
