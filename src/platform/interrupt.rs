//! Being asked to stop, for work that has something to clear away first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{Error, ExitCode, Result};

/// From its making on, Ctrl-C, a hang-up and `kill` are remembered instead of ending the process.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens. A second signal is remembered as well: whoever cannot wait has `kill -9`.
    pub fn listen() -> Interrupt {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // Where it cannot be installed, the signal ends the process as ever.
            let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
        }
        Interrupt(flag)
    }

    /// True where a signal has come.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error with exit code 130 where a signal has come.
    pub fn check(&self) -> Result<()> {
        if self.came() {
            return Err(Error::new(ExitCode::Interrupted, "interrupted")
                .hint("what was made for it is removed again; nothing was recorded"));
        }
        Ok(())
    }
}
