//! Errors: what went wrong, where, what to do next, and the one table of exit codes.

use std::fmt;
use std::path::Path;

/// `fr`'s result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The exit codes of `fr` (`docs/exit-codes.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// All done.
    Ok = 0,
    /// It failed.
    Failure = 1,
    /// Wrong usage. In `fr hook` this is the agents' "block".
    Usage = 2,
    /// Done in part; what is left was named.
    Partial = 3,
    /// The world has moved on; nothing was written.
    Conflict = 4,
    /// There is nothing to undo.
    NothingToUndo = 5,
    /// There is no store yet.
    NoStore = 10,
    /// Another process holds the lock.
    Locked = 11,
    /// The key is missing or wrong.
    Key = 12,
    /// The store was written by a newer `fr`.
    NewerStore = 13,
    /// Ctrl-C.
    Interrupted = 130,
}

/// What went wrong, with the exit code it means and hints for the next step.
/// Messages are lower-case fragments without a full stop.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    /// The exit code.
    pub code: ExitCode,
    /// What failed, where, on what.
    pub what: String,
    /// What to do next, each on a line of its own.
    pub hints: Vec<String>,
    /// The operating system's error number, where there is one.
    pub errno: Option<i32>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error {
    /// An error with an exit code of its own.
    pub fn new(code: ExitCode, what: impl Into<String>) -> Error {
        Error { code, what: what.into(), hints: Vec::new(), errno: None }
    }

    /// A plain failure, exit code 1.
    pub fn failure(what: impl Into<String>) -> Error {
        Error::new(ExitCode::Failure, what)
    }

    /// A failed file operation: `Error::io("read", path, &e)` says "cannot read /x: permission denied".
    pub fn io(doing: &str, path: impl AsRef<Path>, cause: &std::io::Error) -> Error {
        let mut error = Error::failure(format!("cannot {doing} {}: {cause}", path.as_ref().display()));
        error.errno = cause.raw_os_error();
        error
    }

    /// Stored bytes that are not what they should be.
    pub fn corrupt(what: impl Into<String>) -> Error {
        Error::failure(what).hint("run `fr store verify` to see what is damaged")
    }

    /// Adds a hint for the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hints.push(hint.into());
        self
    }

    /// Puts what was being done before the message.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Error {
        self.what = format!("{doing}: {}", self.what);
        self
    }
}
