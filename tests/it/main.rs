//! Integration tests: one binary, a module per verb.

mod corpus;
mod shell;
