//! Refs and reflogs that are kept in tables (`extensions.refStorage = reftable`), read and written by the format's own
//! rules (gitformat-reftable, git's `reftable/` directory), without git: a table is added under the lock of
//! `tables.list`, which makes refs, HEAD and logs move together or not at all. To the rest of the system such a repository
//! looks as if it had files: [`Tables`] gives refs as names and values, logs and root refs as the files that they would be.

mod block;
mod change;
mod log;
mod stack;
mod table;
mod tables;
mod wire;

pub use change::Change;
pub use table::Table;
pub use tables::{Kept, Tables, kept_as};

/// The list of the tables that count, oldest first; its lock is the lock of them all.
pub const LIST: &[u8] = b"reftable/tables.list";
/// What HEAD holds as a file where HEAD is kept in the tables: enough for git to take the directory for a repository.
pub const HEAD_STUB: &[u8] = b"ref: refs/heads/.invalid\n";
/// What stands in the place of `refs/heads`, so that a git that knows no tables writes nothing there.
pub const HEADS_STUB: &[u8] = b"this repository uses the reftable format\n";
