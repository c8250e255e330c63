//! Signals to other processes.

use std::io;

use rustix::process::{self as sys, Pid};

use super::process::{self, Process};

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Stop, cannot be caught.
    Stop,
    /// Go on.
    Continue,
    /// End in good order.
    Terminate,
    /// End at once.
    Kill,
}

/// Sends it to this very process: one that has its number by now gets nothing (as far as a look just before can tell).
///
/// # Errors
/// Where it is gone, or may not be sent to.
pub fn send(process: &Process, signal: Signal) -> io::Result<()> {
    let gone = || io::Error::new(io::ErrorKind::NotFound, "it is gone");
    let raw = i32::try_from(process.pid).map_err(|_| gone())?;
    let pid = Pid::from_raw(raw).ok_or_else(gone)?;
    // A handle keeps the number from being given to another between the look and the signal (Linux 5.3).
    let handle = sys::pidfd_open(pid, sys::PidfdFlags::empty());
    if process::look(process.pid).is_none_or(|now| now.start != process.start) {
        return Err(gone());
    }
    let signal = match signal {
        Signal::Stop => sys::Signal::STOP,
        Signal::Continue => sys::Signal::CONT,
        Signal::Terminate => sys::Signal::TERM,
        Signal::Kill => sys::Signal::KILL,
    };
    match handle {
        Ok(handle) => sys::pidfd_send_signal(&handle, signal).map_err(io::Error::from),
        Err(_) => sys::kill_process(pid, signal).map_err(io::Error::from),
    }
}
