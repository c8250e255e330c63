//! A place to rehearse: a project directory, a store of its own, and an agent that works there.

use std::cell::Cell;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::look::Look;
use super::scenario::Promise;
use crate::error::{Error, Result};
use crate::intake::shims::PROGRAMS;
use crate::platform::runner::{self, Finished};

/// A scratch project with its own HOME and store. Nothing of the user's environment but `PATH` gets in.
pub struct Scene {
    /// Holds all of it.
    pub root: PathBuf,
    /// Where the agent works.
    pub project: PathBuf,
    env: Vec<(OsString, OsString)>,
    fr: OsString,
    calls: Cell<usize>,
    cluster: Option<Cluster>,
    words: Vec<(&'static str, String)>,
}

/// What the user gave for a scenario that reaches further than this machine.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// More variables.
    pub env: Vec<(OsString, OsString)>,
    /// What lines say in the place of `$NAME`: a recorder has to see it.
    pub words: Vec<(&'static str, String)>,
    /// Why it cannot be rehearsed here.
    pub absent: Option<String>,
}

impl Scene {
    /// Makes one in `root`, which must be there.
    pub fn set(root: &Path) -> Result<Scene> {
        Scene::set_in(root, None, Given::default())
    }

    /// The same, with what leads to a cluster or an account too.
    pub fn set_in(root: &Path, cluster: Option<Cluster>, given: Given) -> Result<Scene> {
        let project = root.join("project");
        std::fs::create_dir(&project).map_err(|e| Error::io("create", &project, &e))?;
        let fr = std::env::current_exe()
            .map_err(|e| Error::failure(format!("cannot find the path of fr itself: {e}")))?;
        let set = |name: &str, value: OsString| (OsString::from(name), value);
        let mut env = vec![
            set("PATH", search_path()),
            set("HOME", root.into()),
            set("FR_HOME", root.join("store").into()),
            set("GIT_CONFIG_NOSYSTEM", "1".into()),
            set("LC_ALL", "C.UTF-8".into()),
        ];
        // Which container engine is meant; a drill that uses one is only run where it is named.
        let chosen =
            ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];
        env.extend(chosen.iter().filter_map(|name| Some(set(name, std::env::var_os(name)?))));
        env.extend(cluster.iter().flat_map(|cluster| cluster.environment(root)));
        env.extend(given.env);
        let (root, words) = (root.to_owned(), given.words);
        Ok(Scene { root, project, env, fr: fr.into(), calls: Cell::new(0), cluster, words })
    }

    /// A line as it runs in this scene: with the names of its cluster, or of what was made in an account.
    pub fn line(&self, line: &str) -> String {
        let line = self.cluster.as_ref().map_or_else(|| line.to_owned(), |cluster| cluster.named(line));
        let named = |line: String, (name, value): &(&str, String)| line.replace(&format!("${name}"), value);
        self.words.iter().fold(line, named)
    }

    /// What these lines of shell say, each by itself.
    pub fn look(&self, lines: &[&str]) -> Result<Look> {
        let mut look = Look::default();
        for line in lines {
            let said = self.run(&["bash", "--norc", "-c", line].map(OsString::from), b"")?;
            match said.code {
                0 => look.add_lines(line, &said.stdout),
                code => look.add(*line, format!("exit code {code}: {}", tail(&said.stderr))),
            }
        }
        Ok(look)
    }

    /// One tool call of the agent: before-hook, the line in a shell, after-hook. Returns how the line ended.
    pub fn agent_runs(&self, line: &str) -> Result<Finished> {
        let call = self.calls.replace(self.calls.get() + 1);
        self.hook(&self.payload("PreToolUse", call, line))?;
        let ran = self.run(&["bash".into(), "--norc".into(), "-c".into(), line.into()], b"")?;
        let mut payload = self.payload("PostToolUse", call, line);
        if ran.code != 0 {
            payload = self.payload("PostToolUseFailure", call, line);
            payload["error"] = json!(format!("Exit code {}\n", ran.code));
        } else {
            payload["tool_response"] = json!({"stdout": "", "stderr": "", "interrupted": false});
        }
        self.hook(&payload)?;
        Ok(ran)
    }

    fn payload(&self, event: &str, call: usize, line: &str) -> Value {
        json!({
            "session_id": "scratch-session", "cwd": self.project, "permission_mode": "acceptEdits",
            "hook_event_name": event, "tool_name": "Bash", "tool_input": {"command": line},
            "tool_use_id": format!("call-{call}"),
        })
    }

    fn hook(&self, payload: &Value) -> Result<()> {
        let said = self.fr(&["hook", "claude"], payload.to_string().as_bytes())?;
        if said.code == 0 && said.stderr.is_empty() {
            return Ok(());
        }
        Err(Error::failure(format!("the hook did not record the command: {}", tail(&said.stderr))))
    }

    /// The number of the event that was recorded last.
    pub fn latest_event(&self) -> Result<Option<u64>> {
        let listed = self.fr(&["timeline", "--limit", "1", "--json"], b"")?;
        let events: Value = serde_json::from_slice(&listed.stdout).unwrap_or_default();
        Ok(events.pointer("/0/id").and_then(Value::as_u64))
    }

    /// Takes an event back by the real `fr undo`, which may change infrastructure where that is what was promised; how it
    /// ended and how long it took.
    pub fn undo(&self, event: u64, promise: Promise) -> Result<(Finished, Duration)> {
        let started = Instant::now();
        let event = event.to_string();
        let args: &[&str] = match promise {
            Promise::Same => &["undo", &event, "--yes"],
            Promise::Anew => &["undo", &event, "--yes", "--apply-infra"],
        };
        let undo = self.fr(args, b"")?;
        Ok((undo, started.elapsed()))
    }

    /// Runs the `fr` that this is, on the scene's store.
    pub fn fr(&self, args: &[&str], stdin: &[u8]) -> Result<Finished> {
        let argv: Vec<OsString> =
            std::iter::once(self.fr.clone()).chain(args.iter().map(OsString::from)).collect();
        self.run(&argv, stdin)
    }

    /// Runs a script that must succeed, in bash with `-e`.
    pub fn script(&self, script: &str) -> Result<()> {
        let argv = ["bash", "--norc", "-ec", script].map(OsString::from);
        let done = self.run(&argv, b"")?;
        if done.code == 0 {
            return Ok(());
        }
        let why = format!("exit code {}: {}", done.code, tail(&done.stderr));
        Err(Error::failure(format!("the scratch project could not be set up: {why}")))
    }

    /// Runs a program with nothing but the scene's environment; however it ends.
    pub fn run(&self, argv: &[OsString], stdin: &[u8]) -> Result<Finished> {
        runner::output(argv, stdin, &self.env, &self.project)
    }
}

/// The user's `PATH` without directories of shims: they would record each part of a line as an event of its own.
pub(super) fn search_path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let same = |at: &Path| at.metadata().map(|found| (found.dev(), found.ino())).ok();
    let Some(own) = std::env::current_exe().ok().and_then(|exe| same(&exe)) else { return path };
    let shims = |dir: &PathBuf| PROGRAMS.iter().any(|name| same(&dir.join(name)) == Some(own));
    let dirs = std::env::split_paths(&path).filter(|dir| !shims(dir));
    std::env::join_paths(dirs).unwrap_or_else(|_| path.clone())
}

/// The first of these programs that `PATH` does not lead to.
pub(super) fn missing_tool(needs: &[&'static str]) -> Option<&'static str> {
    let path = search_path();
    let runs = |at: PathBuf| at.is_file() && rustix::fs::access(&at, rustix::fs::Access::EXEC_OK).is_ok();
    let found = |tool: &&&str| std::env::split_paths(&path).any(|dir| runs(dir.join(tool)));
    needs.iter().find(|tool| !found(tool)).copied()
}

/// The last line that is not empty: where programs say what went wrong.
pub(super) fn tail(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    last.trim().to_owned()
}
