//! The `fs` system on real files and with the real commands: capture, run, observe, plan, apply, compare.

mod bench;
mod big;
mod honest;
mod kinds;
mod random;
mod round_trip;
mod workspace;
