//! The `fs` system on real files and with the real commands: capture, run, observe, plan, apply, compare.

mod bench;
mod round_trip;
