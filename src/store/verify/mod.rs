//! `fr store verify`: reading every byte that is kept, and saying what is wrong where.

mod all;
mod finding;
mod packs;

pub use all::{Report, verify};
pub use finding::{Finding, Severity};
