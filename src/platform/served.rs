//! A program of the user's that serves us for a while (`kubectl proxy`): in a session of its own, so that a Ctrl-C on the
//! terminal does not take it from under us, and ended with us however we end.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal};

use super::runner::without_shims;
use crate::error::{Error, Result};

/// A serving child. It is killed, with all that it started, when this is dropped.
#[derive(Debug)]
pub struct Served {
    child: Child,
}

impl Served {
    /// Starts it with nothing but `env` in its environment. What it says goes into the file `said`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(argv: &[OsString], env: &[(OsString, OsString)], cwd: &Path, said: &Path) -> Result<Served> {
        let Some((program, args)) = argv.split_first() else {
            return Err(Error::failure("no command to run"));
        };
        let failed = |e: io::Error| Error::io("run", program, &e);
        let out = File::create_new(said).map_err(|e| Error::io("make", said, &e))?;
        let err = out.try_clone().map_err(|e| Error::io("open", said, &e))?;
        let mut command = Command::new(program);
        command.args(args).env_clear().envs(env.iter().map(|(name, value)| (name, value))).current_dir(cwd);
        if let Some((_, path)) = env.iter().rfind(|(name, _)| name == "PATH") {
            command.env("PATH", without_shims(program, path));
        }
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        // SAFETY: setsid(2) and prctl(2) are async-signal-safe and touch nothing of ours.
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                // Its socket gives access with the user's credentials: it must not outlive us.
                rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
                Ok(())
            });
        }
        Ok(Served { child: command.spawn().map_err(failed)? })
    }

    /// False once it has ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
