//! A command that is run for somebody who watches: its output is collected, it has no terminal and no input but what it is
//! fed, and it ends with all that it started: after a time, or when its watcher is interrupted.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{Error, Result};
use crate::model::Outcome;

/// The most bytes of each stream that are kept; the rest is read and let go.
const KEPT: usize = 1 << 20;
/// How long what it started may hold its output open after it has ended.
const LINGER: Duration = Duration::from_millis(500);
/// How long it may take to end by itself when it is asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// How it went.
#[derive(Clone, Debug)]
pub struct Done {
    /// How it ended.
    pub outcome: Outcome,
    /// The beginning of what it wrote.
    pub stdout: Vec<u8>,
    /// The beginning of what it wrote on standard error.
    pub stderr: Vec<u8>,
    /// How long it ran.
    pub took: Duration,
    /// It was ended because it took too long.
    pub timed_out: bool,
    /// It was ended because its watcher was asked to stop.
    pub interrupted: bool,
}

impl Done {
    /// The exit code; 128 + the signal's number where one ended it.
    pub fn code(&self) -> i32 {
        match self.outcome {
            Outcome::Exited { code } => code,
            Outcome::Signalled { signal } => 128 + signal,
            _ => -1,
        }
    }
}

/// Runs it in our environment with `env` on top. `stop` is asked again and again whether to end it.
///
/// # Errors
/// Where it cannot be started.
pub fn task(
    argv: &[OsString],
    stdin: &[u8],
    env: &[(String, OsString)],
    cwd: Option<&Path>,
    limit: Duration,
    stop: &dyn Fn() -> bool,
) -> Result<Done> {
    let Some((program, args)) = argv.split_first() else { return Err(Error::failure("no command to run")) };
    let failed = |e: io::Error| Error::io("run", program, &e);
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.envs(env.iter().map(|(name, value)| (name, value)));
    if let Some(dir) = cwd {
        command.current_dir(dir);
    }
    // SAFETY: setsid(2) is async-signal-safe and touches nothing of ours.
    unsafe { command.pre_exec(|| rustix::process::setsid().map(|_| ()).map_err(io::Error::from)) };
    let started = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let group = Pid::from_child(&child);
    let fed = stdin.to_vec();
    if let Some(mut pipe) = child.stdin.take() {
        // One that does not read it all has its reasons.
        std::thread::spawn(move || drop(pipe.write_all(&fed)));
    }
    let streams = [child.stdout.take().map(collect), child.stderr.take().map(collect)];
    let (status, timed_out, interrupted) = end(&mut child, group, started + limit, stop).map_err(failed)?;
    let took = started.elapsed();
    let deadline = Instant::now() + LINGER;
    let [stdout, stderr] =
        streams.map(|stream| stream.map(|stream| stream.wait(deadline)).unwrap_or_default());
    // What it left behind in its group, and what still holds the pipes.
    let _ = kill_process_group(group, Signal::KILL);
    let outcome = match (status.code(), status.signal()) {
        (Some(code), _) => Outcome::Exited { code },
        (None, Some(signal)) => Outcome::Signalled { signal },
        (None, None) => Outcome::Unknown,
    };
    Ok(Done { outcome, stdout, stderr, took, timed_out, interrupted })
}

/// Waits for the end, or brings it about: asked first, then killed, with its whole group.
fn end(
    child: &mut Child,
    group: Pid,
    deadline: Instant,
    stop: &dyn Fn() -> bool,
) -> io::Result<(ExitStatus, bool, bool)> {
    let mut nap = Duration::from_millis(1);
    let (mut asked, mut timed_out, mut interrupted) = (None, false, false);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, timed_out, interrupted));
        }
        match asked {
            None => {
                timed_out = Instant::now() >= deadline;
                interrupted = stop();
                if timed_out || interrupted {
                    let _ = kill_process_group(group, Signal::TERM);
                    asked = Some(Instant::now());
                }
            }
            Some(since) if since.elapsed() >= PATIENCE => {
                let _ = kill_process_group(group, Signal::KILL);
            }
            Some(_) => {}
        }
        std::thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(20));
    }
}

/// A stream that is being read.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: std::thread::JoinHandle<()>,
}

fn collect(mut pipe: impl Read + Send + 'static) -> Stream {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&bytes);
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count) = pipe.read(&mut buffer) {
            if count == 0 {
                break;
            }
            let mut kept = into.lock().unwrap_or_else(PoisonError::into_inner);
            let room = KEPT.saturating_sub(kept.len()).min(count);
            kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
        }
    });
    Stream { bytes, reader }
}

impl Stream {
    /// What has come until the pipe is closed, or until then.
    fn wait(self, deadline: Instant) -> Vec<u8> {
        while !self.reader.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(line: &str, limit: u64) -> Done {
        let argv = ["sh", "-c", line].map(OsString::from);
        task(&argv, b"fed", &[], None, Duration::from_millis(limit), &|| false).unwrap()
    }

    #[test]
    fn what_it_wrote_and_how_it_ended() {
        let done = sh("cat; echo err >&2; exit 7", 5000);
        assert_eq!((done.code(), &*done.stdout, &*done.stderr), (7, &b"fed"[..], &b"err\n"[..]));
        assert!(!done.timed_out);
    }

    #[test]
    fn after_its_time_the_whole_group_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x");
        let line =
            format!("trap '' TERM; (while :; do echo x >> {}; sleep 0.05; done) & wait", file.display());
        let done = sh(&line, 200);
        assert!(done.timed_out && done.took < Duration::from_secs(5), "{done:?}");
        std::thread::sleep(Duration::from_millis(100));
        let size = || std::fs::metadata(&file).unwrap().len();
        let before = size();
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(size(), before, "something goes on writing");
    }

    #[test]
    fn what_stays_in_the_background_does_not_hold_us() {
        let started = Instant::now();
        assert_eq!(sh("sleep 30 & echo x", 20_000).stdout, b"x\n");
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
