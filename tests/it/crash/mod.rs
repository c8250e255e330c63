//! Killed at every system call, refused at every system call: nothing that was acknowledged is lost, nothing is torn,
//! what failed is said, and the next one works. The faults are put in by strace; a run without faults tells which calls
//! there are to hit. The normal run hits a spread of them, `FR_EXHAUSTIVE=1` every one, `FR_EXHAUSTIVE=openat2:20-40` those of one kind.

mod databases;
mod fault;
mod given_up;
mod hook;
mod policies;
mod undo;
mod world;

pub use fault::can_trace;
