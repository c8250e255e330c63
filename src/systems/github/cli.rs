//! Asking GitHub through the user's own gh: its logins, its hosts, its proxies. Never through a shim, never a question to a
//! person, always with a deadline.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::query::{Access, VARIABLES};
use crate::error::{Error, Result};
use crate::platform::runner::{self, Finished};
use crate::platform::stream;

/// How long one request may take: a network that swallows packets must not keep a command for long.
const REQUEST: Duration = Duration::from_secs(20);

/// What GitHub answered.
pub struct Answer {
    /// The HTTP status; 200 stands for every success.
    pub status: u16,
    /// Its JSON; null where there is none.
    pub body: Value,
    /// What gh said of a failure.
    said: String,
}

impl Answer {
    /// The body of a success.
    pub fn good(self) -> Result<Value> {
        if self.status == 200 { Ok(self.body) } else { Err(Error::failure(self.said)) }
    }
}

/// gh, for one host and one directory.
pub struct Gh {
    cwd: PathBuf,
    host: Option<String>,
    env: Vec<(OsString, OsString)>,
    until: Instant,
}

impl Gh {
    /// As the recorded command reaches it.
    pub fn of(access: &Access, until: Instant) -> Gh {
        let kept = |name: &OsString| !VARIABLES.iter().any(|dropped| name == dropped);
        let mut env: Vec<(OsString, OsString)> = std::env::vars_os().filter(|(name, _)| kept(name)).collect();
        for (name, value) in [
            ("FR_SHIM", "off"),
            ("GH_PROMPT_DISABLED", "1"),
            ("GH_NO_UPDATE_NOTIFIER", "1"),
            ("GH_PAGER", "cat"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("NO_COLOR", "1"),
        ] {
            env.push((name.into(), value.into()));
        }
        env.extend(access.env.iter().map(|(name, value)| (name.into(), value.as_path().into())));
        let cwd = Some(access.cwd.as_path()).filter(|dir| dir.is_dir()).map_or("/".into(), PathBuf::from);
        Gh { cwd, host: access.host.clone(), env, until }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    fn argv(&self, words: &[&str]) -> Vec<OsString> {
        let mut argv: Vec<OsString> = vec!["gh".into()];
        argv.extend(words.iter().map(OsString::from));
        if let (Some(host), Some(&"api")) = (&self.host, words.first()) {
            argv.extend(["--hostname".into(), OsString::from(host)]);
        }
        argv
    }

    /// Runs gh; a failing one is an answer.
    pub fn run(&self, words: &[&str], stdin: &[u8]) -> Result<Finished> {
        runner::errand_fed(&self.argv(words), stdin, &self.env, &self.cwd, self.left().min(REQUEST))
            .map_err(|e| e.context("GitHub was not asked"))
    }

    /// Runs gh; only success is an answer.
    pub fn ask(&self, words: &[&str]) -> Result<String> {
        let done = self.run(words, b"")?;
        match done.code {
            0 => Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned()),
            _ => Err(Error::failure(said(&done))),
        }
    }

    /// One request to the API.
    pub fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut words = vec!["api", "-X", method, path, "-H", "Accept: application/vnd.github+json"];
        if body.is_some() {
            words.extend(["--input", "-"]);
        }
        let done = self.run(&words, text.as_bytes())?;
        let status = if done.code == 0 { 200 } else { status_of(&done).unwrap_or(0) };
        let body = serde_json::from_slice(&done.stdout).unwrap_or(Value::Null);
        match status {
            // gh itself failed: no login, no network.
            0 => Err(Error::failure(said(&done)).context("GitHub was not reached")),
            _ => Ok(Answer { status, body, said: said(&done) }),
        }
    }

    /// What is at a path; `None`: nothing that we may see.
    pub fn get(&self, path: &str) -> Result<Option<Value>> {
        let answer = self.api("GET", path, None)?;
        if matches!(answer.status, 404 | 410) { Ok(None) } else { answer.good().map(Some) }
    }

    /// All pages of a list, as far as they are few.
    pub fn list(&self, path: &str) -> Result<Vec<Value>> {
        const PAGES: usize = 10;
        let join = if path.contains('?') { '&' } else { '?' };
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let Some(body) = self.get(&format!("{path}{join}per_page=100&page={page}"))? else { break };
            let inner = body.as_object().and_then(|map| map.values().find_map(Value::as_array).cloned());
            let list = body.as_array().cloned().or(inner).unwrap_or_default();
            let full = list.len() == 100;
            all.extend(list);
            if !full {
                break;
            }
        }
        Ok(all)
    }

    /// The bytes at a path, while they come.
    pub fn read<T>(&self, path: &str, take: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
        let argv = self.argv(&["api", path, "-H", "Accept: application/octet-stream"]);
        let (taken, done) = stream::read_from(&argv, self.place(), take)?;
        if done.code == 0 { Ok(taken) } else { Err(Error::failure(said(&done))) }
    }

    /// Sends bytes.
    pub fn send(
        &self,
        url: &str,
        content_type: &str,
        give: impl FnOnce(&mut dyn std::io::Write) -> Result<()> + Send,
    ) -> Result<()> {
        let kind = format!("Content-Type: {content_type}");
        let argv = self.argv(&["api", "-X", "POST", url, "-H", &kind, "--input", "-"]);
        let done = stream::write_to(&argv, self.place(), give)?;
        if done.code == 0 { Ok(()) } else { Err(Error::failure(said(&done))) }
    }

    fn place(&self) -> stream::Place<'_> {
        stream::Place { env: &self.env, cwd: &self.cwd, limit: self.left() }
    }

    /// Runs git with gh's login, as `gh repo clone` does.
    pub fn git(&self, words: &[&str], cwd: &Path) -> Result<()> {
        let done = runner::errand(&git_argv(words), &self.env, cwd, self.left())?;
        if done.code == 0 { Ok(()) } else { Err(Error::failure(said(&done))) }
    }

    /// What git writes, while it comes.
    pub fn git_read<T>(
        &self,
        words: &[&str],
        cwd: &Path,
        take: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        let place = stream::Place { env: &self.env, cwd, limit: self.left() };
        let (taken, done) = stream::read_from(&git_argv(words), place, take)?;
        if done.code == 0 { Ok(taken) } else { Err(Error::failure(said(&done))) }
    }

    /// The host that answers.
    pub fn host(&self) -> String {
        let set = self.env.iter().rev().find(|(name, _)| name == "GH_HOST");
        let set = set.map(|(_, value)| value.to_string_lossy().into_owned()).filter(|host| !host.is_empty());
        self.host.clone().or(set).unwrap_or_else(|| "github.com".to_owned())
    }
}

fn git_argv(words: &[&str]) -> Vec<OsString> {
    let login = ["git", "-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential"];
    login.iter().chain(words).map(OsString::from).collect()
}

/// `gh: Not Found (HTTP 404)`
fn status_of(done: &Finished) -> Option<u16> {
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    let (_, rest) = text.rsplit_once("HTTP ")?;
    rest.get(..3)?.parse().ok()
}

/// What gh said, in one line.
fn said(done: &Finished) -> String {
    const MOST: usize = 300;
    let text = String::from_utf8_lossy(&done.stderr);
    let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("gh says nothing").to_owned();
    let end = line.char_indices().nth(MOST).map_or(line.len(), |(at, _)| at);
    line.get(..end).unwrap_or_default().to_owned()
}
