//! Integration tests: one binary, a module per verb.

mod files;
mod fs_compare;
