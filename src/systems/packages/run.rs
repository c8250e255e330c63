//! Running npm, cargo and curl for our own reads and, at undo, our own writes: as the user, never through a shim.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::platform::runner::{self, Finished};

/// Where and until when.
pub struct Run {
    /// The directory of the command: it may have settings of its own.
    pub cwd: PathBuf,
    until: Instant,
    /// The registry that npm is to ask, as an option: the recorded one.
    pub registry: Option<String>,
}

impl Run {
    /// In a directory.
    pub fn of(cwd: &Path, until: Instant) -> Run {
        Run { cwd: if cwd.is_dir() { cwd.to_path_buf() } else { PathBuf::from("/") }, until, registry: None }
    }

    /// Runs a tool; a failing one is an answer.
    pub fn run(&self, argv: &[&str]) -> Result<Finished> {
        let mut argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
        if let Some(registry) =
            self.registry.as_ref().filter(|_| argv.first().is_some_and(|name| name == "npm"))
        {
            argv.push(registry.into());
        }
        let mut env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        for (name, value) in [
            ("FR_SHIM", "off"),
            ("npm_config_update_notifier", "false"),
            ("CARGO_TERM_COLOR", "never"),
            ("NO_COLOR", "1"),
        ] {
            env.push((name.into(), value.into()));
        }
        let left = self.until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        runner::errand(&argv, &env, &self.cwd, left).map_err(|e| e.context("the registry was not asked"))
    }

    /// Its output; only success is an answer.
    pub fn ask(&self, argv: &[&str]) -> Result<String> {
        let done = self.run(argv)?;
        if done.code == 0 {
            Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
        } else {
            Err(said(argv, &done))
        }
    }
}

/// What a failing tool said, in one line. Registries may repeat what they were sent: no line with a token.
pub fn said(argv: &[&str], done: &Finished) -> Error {
    let text = String::from_utf8_lossy(&done.stderr);
    let open = |l: &&str| !l.is_empty() && !l.to_lowercase().contains("token") && !l.contains("code E");
    let line = text.lines().map(str::trim).find(open).unwrap_or("it says nothing").to_owned();
    let line: String = line.chars().take(300).collect();
    Error::failure(format!("{}: {line}", argv.first().unwrap_or(&"")))
}
