//! The git system against the real git: the state before a command, the command, undo, the same state again.

mod hostile;
mod rounds;
mod scene;
mod worlds;
