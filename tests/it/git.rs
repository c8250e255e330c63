//! The git system against the real git: the state before a command, the command, undo, the same state again.

mod aims;
mod histories;
mod hostile;
mod matrix;
mod pushes;
mod rounds;
mod scene;
mod vaults;
mod worlds;
