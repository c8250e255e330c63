//! The edge of the world: clock, processes, safe file system calls. What is of one operating system stays in here.

pub mod clock;
pub mod disk;
pub mod escape;
pub mod fs;
pub mod home;
pub mod interrupt;
pub mod libgit;
pub mod process;
pub mod processes;
pub mod random;
pub mod reader;
pub mod replace;
pub mod runner;
pub mod scratch;
pub mod served;
pub mod signal;
pub mod stall;
pub mod stream;
pub mod talk;
pub mod task;
pub mod terminal;
pub mod unix_http;
pub mod yaml;
