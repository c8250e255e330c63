//! The `fr` binary. Verbs that sit before every command are dispatched before anything else is touched.

fn main() {}
