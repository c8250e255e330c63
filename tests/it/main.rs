//! Integration tests: one binary, a module per verb.
#[test]
fn placeholder() {}
