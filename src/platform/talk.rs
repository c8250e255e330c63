//! A program of our own that is spoken with: text in, lines out, with a moment at which all of it is ended.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::runner;
use crate::error::{Error, Result};

/// The most of its standard error that is kept.
const MOST_SAID: u64 = 64 << 10;

/// A program that is running. Dropping it ends it.
pub struct Talk {
    name: String,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    said: Option<JoinHandle<Vec<u8>>>,
    watch: Option<(Sender<Option<Instant>>, JoinHandle<bool>)>,
    limit: Duration,
}

impl Talk {
    /// Starts a program with nothing but `env` in its environment and a session of its own, so that it can ask no person.
    /// At `until` it is killed with all that it started.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        argv: &[OsString],
        env: &[(OsString, OsString)],
        cwd: &Path,
        until: Instant,
    ) -> Result<Talk> {
        let mut command = runner::own(argv, env, cwd)?;
        let name = argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let failed = |e: io::Error| Error::io("run", &name, &e);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // SAFETY: setsid(2) is async-signal-safe and touches nothing of ours.
        unsafe { command.pre_exec(|| rustix::process::setsid().map(|_| ()).map_err(io::Error::from)) };
        let mut child = command.spawn().map_err(failed)?;
        let pid = Pid::from_child(&child);
        let to = child.stdin.take();
        let lost = || failed(io::Error::other("it has no pipes"));
        let from = BufReader::with_capacity(256 << 10, child.stdout.take().ok_or_else(lost)?);
        let error = child.stderr.take().ok_or_else(lost)?;
        let said = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut error = error;
            let _ = (&mut error).take(MOST_SAID).read_to_end(&mut bytes);
            // What it says beyond that is read away, so that it does not wait for us.
            let _ = io::copy(&mut error, &mut io::sink());
            bytes
        });
        let (stop, stopped) = channel();
        let limit = until.saturating_duration_since(Instant::now());
        let watch = std::thread::spawn(move || watch(pid, until, &stopped));
        Ok(Talk { name, child, to, from, said: Some(said), watch: Some((stop, watch)), limit })
    }

    /// Gives it another moment at which it is ended.
    pub fn last_until(&mut self, until: Instant) {
        self.limit = until.saturating_duration_since(Instant::now());
        if let Some((watch, _)) = &self.watch {
            let _ = watch.send(Some(until));
        }
    }

    /// Gives it text.
    ///
    /// # Errors
    /// Where it does not read any more.
    pub fn say(&mut self, text: &[u8]) -> Result<()> {
        let wrote = self.to.as_mut().map_or(Ok(()), |to| to.write_all(text));
        wrote.map_err(|_| self.ended())
    }

    /// Its next line, without the end of line; `None` at its end.
    ///
    /// # Errors
    /// Where its output cannot be read.
    pub fn line<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>> {
        buffer.clear();
        let read = self.from.read_until(b'\n', buffer).map_err(|e| Error::io("run", &self.name, &e))?;
        if read == 0 {
            return Ok(None);
        }
        if buffer.last() == Some(&b'\n') {
            buffer.pop();
        }
        Ok(Some(buffer.as_slice()))
    }

    /// Tells it that nothing more is to come.
    pub fn close(&mut self) {
        self.to = None;
    }

    /// Why it has ended, in its own words: the line of its standard error that says so.
    pub fn ended(&mut self) -> Error {
        self.close();
        let late = self.stop_watch();
        if late {
            return Error::failure(format!("{} did not end within {} s", self.name, self.limit.as_secs()));
        }
        let _ = self.child.wait();
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        let mut lines = said.lines().map(str::trim).filter(|l| !l.is_empty());
        let is_error = |l: &&str| l.contains("rror") || l.contains("FATAL");
        let line = lines.clone().find(is_error).or(lines.next_back()).unwrap_or("it says nothing");
        Error::failure(format!("{} ended: {}", self.name, short(line)))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Where its exit code is not 0: in its own words.
    pub fn finish(mut self) -> Result<()> {
        self.close();
        let status = self.child.wait().map_err(|e| Error::io("run", &self.name, &e))?;
        if status.success() { Ok(()) } else { Err(self.ended()) }
    }

    fn stop_watch(&mut self) -> bool {
        let Some((stop, watch)) = self.watch.take() else { return false };
        // It may be waiting no more.
        let ended = matches!(self.child.try_wait(), Ok(Some(_)));
        if !ended {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = stop.send(None);
        watch.join().unwrap_or(false)
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.close();
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
        self.stop_watch();
    }
}

/// Ends the program at its time, which may be put off; true where that was needed.
fn watch(pid: Pid, mut until: Instant, told: &Receiver<Option<Instant>>) -> bool {
    loop {
        match told.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Some(other)) => until = other,
            Err(RecvTimeoutError::Timeout) => {
                let _ = rustix::process::kill_process_group(pid, Signal::KILL);
                return true;
            }
            Ok(None) | Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

fn short(line: &str) -> String {
    const MOST: usize = 300;
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}
