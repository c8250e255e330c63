//! The next step for a failed system call, where the error that came of it names none.

use rustix::io::Errno;

use crate::error::Error;

/// What to do about an error that has no hint of its own; `None` where its cause does not say.
pub fn next_step(error: &Error) -> Option<&'static str> {
    if !error.hints.is_empty() {
        return None;
    }
    match Errno::from_raw_os_error(error.errno?) {
        Errno::NOSPC | Errno::DQUOT => Some("free some space, or run `fr store gc`"),
        Errno::ROFS => Some("make that place writable, or set FR_HOME to one that is"),
        Errno::ACCESS | Errno::PERM => Some("check who owns that path and who may write it"),
        Errno::NOTDIR => Some("something on that path is no directory: move it, or set FR_HOME elsewhere"),
        _ => None,
    }
}
