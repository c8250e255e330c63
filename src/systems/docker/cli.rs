//! Running the engine's CLI for our own reads and, at undo, our own writes: with a deadline, and never through a shim.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::query::{Access, Kind};
use crate::error::{Error, Result};
use crate::platform::runner::{self, Finished};
use crate::platform::stream;

/// Variables that choose an engine: only the recorded ones count.
pub const VARIABLES: &[&str] = &[
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
    "DOCKER_API_VERSION",
    "CONTAINER_HOST",
    "CONTAINER_CONNECTION",
    "CONTAINER_SSHKEY",
    "CONTAINERS_CONF",
    "CONTAINERS_STORAGE_CONF",
    "CONTAINERD_NAMESPACE",
    "CONTAINERD_ADDRESS",
];

/// The CLI, for one engine.
pub struct Cli {
    program: String,
    cwd: PathBuf,
    flags: Vec<String>,
    env: Vec<(OsString, OsString)>,
    until: Instant,
}

impl Cli {
    /// For the engine of a recorded command.
    pub fn of(access: &Access, until: Instant) -> Cli {
        let kept = |name: &OsString| !VARIABLES.iter().any(|dropped| name == dropped);
        let mut env: Vec<(OsString, OsString)> = std::env::vars_os().filter(|(name, _)| kept(name)).collect();
        env.push(("FR_SHIM".into(), "off".into()));
        env.extend(access.env.iter().map(|(name, value)| (name.into(), value.as_path().into())));
        Cli {
            program: access.program.clone(),
            cwd: Some(access.cwd.as_path()).filter(|dir| dir.is_dir()).map_or("/".into(), PathBuf::from),
            flags: access.flags.clone(),
            env,
            until,
        }
    }

    /// podman's own words and formats.
    pub fn is_podman(&self) -> bool {
        self.program == "podman"
    }

    fn argv(&self, args: &[&str]) -> Vec<OsString> {
        let words = std::iter::once(self.program.as_str()).chain(self.flags.iter().map(String::as_str));
        words.chain(args.iter().copied()).map(OsString::from).collect()
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    fn place(&self) -> stream::Place<'_> {
        stream::Place { env: &self.env, cwd: &self.cwd, limit: self.left() }
    }

    /// Runs it. A failing CLI is an answer.
    ///
    /// # Errors
    /// Where it cannot be started or does not end in time.
    pub fn run(&self, args: &[&str]) -> Result<Finished> {
        runner::errand(&self.argv(args), &self.env, &self.cwd, self.left()).map_err(unreached)
    }

    /// Runs it; only success is an answer.
    pub fn ask(&self, args: &[&str]) -> Result<String> {
        self.ask_with(args, &[])
    }

    /// The same with more variables.
    pub fn ask_with(&self, args: &[&str], more: &[(String, String)]) -> Result<String> {
        let mut env = self.env.clone();
        env.extend(more.iter().map(|(name, value)| (name.into(), value.into())));
        let done = runner::errand(&self.argv(args), &env, &self.cwd, self.left()).map_err(unreached)?;
        match done.code {
            0 => Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned()),
            _ => Err(said(&done)),
        }
    }

    /// The lines of an answer.
    pub fn lines(&self, args: &[&str]) -> Result<Vec<String>> {
        Ok(self.ask(args)?.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect())
    }

    /// Runs it and hears its output while it comes.
    pub fn read<T>(&self, args: &[&str], take: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
        let (taken, done) = stream::read_from(&self.argv(args), self.place(), take).map_err(unreached)?;
        if done.code == 0 { Ok(taken) } else { Err(said(&done)) }
    }

    /// Runs it with an input.
    pub fn write(
        &self,
        args: &[&str],
        give: impl FnOnce(&mut dyn Write) -> Result<()> + Send,
    ) -> Result<String> {
        let done = stream::write_to(&self.argv(args), self.place(), give).map_err(unreached)?;
        if done.code == 0 { Ok(String::new()) } else { Err(said(&done)) }
    }

    /// Asks the engine itself, through the CLI's connection to it.
    pub fn converse(&self, question: &[u8]) -> Result<Vec<u8>> {
        let argv = self.argv(&["system", "dial-stdio"]);
        let done = stream::ask(&argv, self.place(), question).map_err(unreached)?;
        if done.stdout.is_empty() { Err(said(&done)) } else { Ok(done.stdout) }
    }

    /// Descriptions of those things of a kind that are there. Words that name nothing are left out.
    pub fn inspect(&self, kind: Kind, names: &[String]) -> Result<Vec<Value>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut args = vec![kind.word(), "inspect"];
        args.extend(names.iter().map(String::as_str));
        let done = self.run(&args)?;
        let text = String::from_utf8_lossy(&done.stderr);
        let other = text.lines().map(str::trim).find(|line| !line.is_empty() && !is_absence(line));
        if let (Some(_), true) = (other, done.code != 0) {
            return Err(said(&done));
        }
        let text =
            if done.stdout.iter().all(u8::is_ascii_whitespace) { b"[]" } else { done.stdout.as_slice() };
        let all: Value = serde_json::from_slice(text)
            .map_err(|e| Error::failure(format!("the engine's answer cannot be read: {e}")))?;
        match all {
            Value::Array(all) => Ok(all),
            one => Ok(vec![one]),
        }
    }
}

/// What the CLIs say of a name that names nothing: docker 20 to 28 and podman 4.
fn is_absence(line: &str) -> bool {
    let line = line.to_lowercase();
    [
        "no such",
        "not found",
        "not known",
        "unable to find",
        "no container with",
        "does not exist",
        "error: no",
    ]
    .iter()
    .any(|said| line.contains(said))
}

fn unreached(e: Error) -> Error {
    Error { what: format!("the container engine was not reached: {}", e.what), ..e }
}

/// What a failing CLI said, in one line.
pub fn said(done: &Finished) -> Error {
    const MOST: usize = 300;
    let text = String::from_utf8_lossy(&done.stderr);
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("time="));
    let line = lines.next().unwrap_or("the container engine says nothing").to_owned();
    let end = line.char_indices().nth(MOST).map_or(line.len(), |(at, _)| at);
    Error::failure(line.get(..end).unwrap_or_default())
}
