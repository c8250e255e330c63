//! Running terraform: with the environment of the command, no terminal, no questions, a deadline. What it says goes to
//! people by its summary only: details may hold secrets.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::model::Bytes;
use crate::platform::runner::{self, Finished};

/// How long a look at a state may take where a person waits for it. Before a command, `caps.backend_seconds` ends it sooner.
pub const LOOK: Duration = Duration::from_secs(60);
/// How long a state may take to be written.
pub const WRITE: Duration = Duration::from_secs(120);
/// How long a plan may take: it asks every provider.
pub const PLAN: Duration = Duration::from_secs(300);
/// How long infrastructure may take to be made.
pub const APPLY: Duration = Duration::from_secs(4 * 3600);

/// Variables that would change what is asked, or start something: they are ours to set, or nobody's.
const DROPPED: &[&str] = &[
    "TF_CLI_ARGS",
    "TF_LOG",
    "TF_REATTACH",
    "TF_WORKSPACE",
    "TF_DATA_DIR",
    "TF_INPUT",
    "TF_PLUGIN_CACHE_MAY",
];

/// Switches shims off: what the recorder asks is not recorded (`intake::shims`).
const SHIMS_OFF: (&str, &str) = ("FR_SHIM", "off");

/// A terraform that is asked about one workspace of one root module.
#[derive(Clone, Debug)]
pub struct Cli {
    /// `terraform` or `tofu`, found on PATH: a path that the command names may lead to anything.
    pub program: String,
    /// Where it runs.
    pub root: PathBuf,
    /// Its data directory.
    pub data_dir: PathBuf,
    /// The workspace.
    pub workspace: String,
    /// Variables that the command carried.
    pub env: BTreeMap<String, Bytes>,
    /// When all has to be done.
    pub until: Option<Instant>,
}

impl Cli {
    /// Runs it.
    ///
    /// # Errors
    /// Where it cannot be started or does not end in time. A failing terraform is an answer.
    pub fn run(&self, args: &[&OsStr], limit: Duration) -> Result<Finished> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        let limit = left.map_or(limit, |left| left.min(limit));
        let argv: Vec<OsString> = std::iter::once(OsString::from(&self.program))
            .chain(args.iter().map(|arg| (*arg).to_owned()))
            .collect();
        runner::errand(&argv, &self.environment(), &self.root, limit)
    }

    /// The same, where only success is an answer.
    ///
    /// # Errors
    /// Also where it fails: with what it says.
    pub fn ask(&self, args: &[&str], limit: Duration) -> Result<Vec<u8>> {
        let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        let done = self.run(&args, limit)?;
        if done.code == 0 { Ok(done.stdout) } else { Err(refused(&self.program, &done)) }
    }

    /// The names of the workspaces.
    ///
    /// # Errors
    /// Where it cannot be asked; some backends have none.
    pub fn workspaces(&self) -> Result<Vec<String>> {
        let plain = Cli { workspace: "default".to_owned(), ..self.clone() };
        let text = plain.ask(&["workspace", "list", "-no-color"], LOOK)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let name = |line: &str| line.trim_start_matches(['*', ' ']).trim().to_owned();
        Ok(text.lines().map(name).take_while(|name| !name.is_empty()).collect())
    }

    /// The same terraform, which takes the workspace that its data directory selects: verbs that change that refuse to
    /// run where the environment names one.
    pub fn without_workspace(self) -> Cli {
        Cli { workspace: String::new(), ..self }
    }

    /// The bytes of the state; `None` where there is none yet.
    ///
    /// # Errors
    /// Where it cannot be asked. An empty answer of a failing terraform is no state.
    pub fn pull(&self) -> Result<Option<Vec<u8>>> {
        // Asking many backends for the state of a workspace makes the workspace.
        if self.workspace != "default" && !self.workspaces()?.contains(&self.workspace) {
            return Ok(None);
        }
        let text = self.ask(&["state", "pull", "-no-color"], LOOK)?;
        Ok(Some(text).filter(|text| !text.trim_ascii().is_empty()))
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let dropped = |name: &str| DROPPED.iter().any(|front| name.starts_with(front));
        let mut env: BTreeMap<OsString, OsString> =
            std::env::vars_os().filter(|(name, _)| !dropped(&name.to_string_lossy())).collect();
        for (name, value) in self.env.iter().filter(|(name, _)| !dropped(name)) {
            env.insert(name.into(), value.as_path().as_os_str().to_owned());
        }
        // A file that is not there makes every command warn, some of them on stdout.
        if env.get(OsStr::new("TF_CLI_CONFIG_FILE")).is_some_and(|file| !Path::new(file).exists()) {
            env.remove(OsStr::new("TF_CLI_CONFIG_FILE"));
        }
        let mut set = |name: &str, value: &OsStr| drop(env.insert(name.into(), value.to_owned()));
        if !self.workspace.is_empty() {
            set("TF_WORKSPACE", OsStr::new(&self.workspace));
        }
        set("TF_DATA_DIR", self.data_dir.as_os_str());
        for (name, value) in [
            ("TF_INPUT", "0"),
            ("TF_IN_AUTOMATION", "1"),
            ("CHECKPOINT_DISABLE", "1"),
            ("NO_COLOR", "1"),
            SHIMS_OFF,
        ] {
            set(name, OsStr::new(value));
        }
        env.into_iter().collect()
    }
}

/// What a failing terraform said, in one line: the summary of its first error, without what looks like a password.
pub fn refused(program: &str, done: &Finished) -> Error {
    let text = said(done);
    let summary = text.lines().find_map(|line| line.strip_prefix("Error: "));
    let line = summary.or_else(|| text.lines().find(|line| !line.is_empty())).unwrap_or("it says nothing");
    Error::failure(format!("{program} exited with {}: {}", done.code, without_password(line)))
}

/// What it said on standard error, without the bars that it draws beside errors.
pub fn said(done: &Finished) -> String {
    let text = String::from_utf8_lossy(&done.stderr);
    let text = without_colours(&text);
    let line = |line: &str| line.trim_start_matches(['│', '╷', '╵', ' ']).trim_end().to_owned();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Without the sequences that colour text: some verbs know no `-no-color`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    out
}

/// `scheme://user:password@host` without the middle.
fn without_password(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (front, tail) = rest.split_at(at + 3);
        out.push_str(front);
        let end = tail.find(['/', ' ', '"', '\'']).unwrap_or(tail.len());
        let (host, after) = tail.split_at(end);
        out.push_str(host.rsplit_once('@').map_or(host, |(_, host)| host));
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_repeated() {
        let line = "Get \"http://me:secret@host/x\": refused, see postgres://u:p@db/y?z and http://plain/";
        let told = "Get \"http://host/x\": refused, see postgres://db/y?z and http://plain/";
        assert_eq!(without_password(line), told);
    }
}
