//! The edge of the world: clock, processes, safe file system calls. What is of one operating system stays in here.

pub mod clock;
pub mod fs;
pub mod home;
pub mod interrupt;
pub mod libgit;
pub mod process;
pub mod processes;
pub mod random;
pub mod replace;
pub mod runner;
pub mod scratch;
pub mod signal;
pub mod stall;
pub mod talk;
pub mod terminal;
