//! Errands whose input or output is too large to be held in memory, or that have to be listened to before they are
//! answered. Like [`super::runner::errand`]: a session of its own, no terminal, an end after a limit, never through a shim.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::runner::{self, Finished};
use crate::error::{Error, Result};

/// The most bytes of an error text that are read.
const MOST_SAID: u64 = 1 << 20;

/// Where and how long a command runs.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Its whole environment.
    pub env: &'a [(OsString, OsString)],
    /// Its directory.
    pub cwd: &'a Path,
    /// How long it may take.
    pub limit: Duration,
}

/// Runs a command and gives its output to `take` while it comes. What `take` leaves is thrown away, and a command that is
/// still writing then ends by its broken pipe.
///
/// # Errors
/// Where it cannot be started or does not end in time, and those of `take`.
pub fn read_from<T>(
    argv: &[OsString],
    place: Place<'_>,
    take: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<(T, Finished)> {
    talk(argv, place, |from, to| {
        drop(to);
        take(from)
    })
}

/// Runs a command and lets `give` write its input.
///
/// # Errors
/// Where it cannot be started or does not end in time, and those of `give`; one that does not read it all has its reasons.
pub fn write_to(
    argv: &[OsString],
    place: Place<'_>,
    give: impl FnOnce(&mut dyn Write) -> Result<()> + Send,
) -> Result<Finished> {
    let (given, done) = talk(argv, place, |from, mut to| {
        std::thread::scope(|scope| {
            let giving = scope.spawn(move || match to.as_mut() {
                Some(to) => give(to),
                None => Ok(()),
            });
            let mut said = Vec::new();
            let _ = from.take(MOST_SAID).read_to_end(&mut said);
            let lost = || Err(Error::failure("its input was not written"));
            Ok(giving.join().unwrap_or_else(|_| lost()))
        })
    })?;
    // Its own words tell more than our broken pipe.
    if done.code == 0 { given.map(|()| done) } else { Ok(done) }
}

/// Runs a command, lets `give` write its input and `take` read its output at the same time.
///
/// # Errors
/// Where it cannot be started or does not end in time, and those of `take` and `give`.
pub fn exchange<T>(
    argv: &[OsString],
    place: Place<'_>,
    give: impl FnOnce(&mut dyn Write) -> Result<()> + Send,
    take: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<(T, Finished)> {
    talk(argv, place, |from, mut to| {
        std::thread::scope(|scope| {
            let giving = scope.spawn(move || match to.as_mut() {
                Some(to) => give(to),
                None => Ok(()),
            });
            let taken = take(from);
            // One that has said why it stops reads no more.
            let _ = giving.join();
            taken
        })
    })
}

/// Asks a command and hears its answer; its input stays open until it has closed its output, since one that passes both on
/// to a server would take the end of the question for a hang-up.
///
/// # Errors
/// Where it cannot be started or does not end in time.
pub fn ask(argv: &[OsString], place: Place<'_>, question: &[u8]) -> Result<Finished> {
    let (answer, done) = talk(argv, place, |from, mut to| {
        if let Some(to) = to.as_mut() {
            to.write_all(question).and_then(|()| to.flush()).map_err(|e| broken(&e))?;
        }
        let mut answer = Vec::new();
        from.read_to_end(&mut answer).map_err(|e| broken(&e))?;
        Ok(answer)
    })?;
    Ok(Finished { stdout: answer, ..done })
}

fn broken(cause: &io::Error) -> Error {
    Error::failure(format!("a conversation was cut off: {cause}"))
}

fn talk<T>(
    argv: &[OsString],
    place: Place<'_>,
    with: impl FnOnce(&mut ChildStdout, Option<ChildStdin>) -> Result<T>,
) -> Result<(T, Finished)> {
    let Some((program, _)) = argv.split_first() else { return Err(Error::failure("no command to run")) };
    let failed = |e: io::Error| Error::io("run", program, &e);
    let mut child = start(argv, place).map_err(failed)?;
    let (to, from, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let Some(mut from) = from else { return Err(Error::failure("a command without an output")) };
    let pid = Pid::from_child(&child);
    let (ended, is_ended) = channel::<()>();
    std::thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let late = is_ended.recv_timeout(place.limit) == Err(RecvTimeoutError::Timeout);
            if late {
                // The child has not been waited for yet, so that its number is still its own.
                let _ = rustix::process::kill_process_group(pid, Signal::KILL);
            }
            late
        });
        let said = scope.spawn(move || {
            let mut text = Vec::new();
            if let Some(err) = err {
                let _ = err.take(MOST_SAID).read_to_end(&mut text);
            }
            text
        });
        let done = with(&mut from, to);
        drop(from);
        if done.is_err() {
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
        let _ = rustix::process::waitid(
            rustix::process::WaitId::Pid(pid),
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
        );
        drop(ended);
        let late = watch.join().unwrap_or(false);
        let status = child.wait().map_err(failed)?;
        let stderr = said.join().unwrap_or_default();
        if late {
            let what = format!("{} did not end within {} s", program.display(), place.limit.as_secs());
            return Err(Error::failure(what));
        }
        let code = status.code().or_else(|| status.signal().map(|s| 128 + s)).unwrap_or(-1);
        Ok((done?, Finished { code, stdout: Vec::new(), stderr }))
    })
}

fn start(argv: &[OsString], place: Place<'_>) -> io::Result<Child> {
    let Some((program, args)) = argv.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no command"));
    };
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(place.env.iter().map(|(n, v)| (n, v))).current_dir(place.cwd);
    if let Some((_, path)) = place.env.iter().rfind(|(name, _)| name == "PATH") {
        command.env("PATH", runner::without_shims(program, path));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: setsid(2) is async-signal-safe and touches nothing of ours.
    unsafe { command.pre_exec(|| rustix::process::setsid().map(|_| ()).map_err(io::Error::from)) };
    command.spawn()
}
