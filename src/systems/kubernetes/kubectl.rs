//! Running kubectl for our own reads and, at undo, our own writes: the user's program with the flags and the environment of
//! the recorded command, with a deadline, and never through a shim of ours.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::query::Access;
use crate::error::{Error, Result};
use crate::platform::runner::{self, Finished};
use crate::platform::served::Served;

/// Variables that change what kubectl prints or runs, and those that choose a cluster: only the recorded ones count.
const DROPPED: &[&str] =
    &["KUBECONFIG", "KUBECTL_EXTERNAL_DIFF", "KUBE_EDITOR", "KUBECTL_KUBERC", "KUBECTL_COMMAND_HEADERS"];

/// kubectl, for one cluster.
#[derive(Clone)]
pub struct Kubectl {
    program: OsString,
    cwd: PathBuf,
    flags: Vec<String>,
    env: Vec<(OsString, OsString)>,
    until: Instant,
}

/// What a `get` gave.
#[derive(Default)]
pub struct Got {
    /// The objects, as received.
    pub items: Vec<Box<RawValue>>,
    /// What the server would not give, in its own words.
    pub refused: Vec<String>,
}

#[derive(Deserialize)]
struct List {
    kind: String,
    #[serde(default)]
    items: Option<Vec<Box<RawValue>>>,
}

impl Kubectl {
    /// For the cluster of a recorded command.
    ///
    /// # Errors
    /// Where a kubeconfig that the command itself names runs programs: the command has not been allowed yet, so nothing
    /// that it names is started.
    pub fn of(access: &Access, until: Instant) -> Result<Kubectl> {
        let kubectl = Kubectl::trusted(access, until);
        kubectl.refuse_programs(access)?;
        Ok(kubectl)
    }

    /// For the cluster of a command that has run, or of an undo that somebody asked for.
    pub fn trusted(access: &Access, until: Instant) -> Kubectl {
        let kept = |name: &OsString| !DROPPED.iter().any(|dropped| name == dropped);
        let mut env: Vec<(OsString, OsString)> = std::env::vars_os().filter(|(name, _)| kept(name)).collect();
        env.push(("FR_SHIM".into(), "off".into()));
        env.push(("KUBECTL_KUBERC".into(), "false".into()));
        env.extend(access.env.iter().map(|(name, value)| (name.into(), value.as_path().into())));
        Kubectl {
            program: access.program.as_str().into(),
            cwd: Some(access.cwd.as_path()).filter(|dir| dir.is_dir()).map_or("/".into(), PathBuf::from),
            flags: access.flags.clone(),
            env,
            until,
        }
    }

    /// `exec` and `auth-provider` of a kubeconfig name programs.
    fn refuse_programs(&self, access: &Access) -> Result<()> {
        let own = std::env::var_os("KUBECONFIG").unwrap_or_default();
        let listed = access.env.get("KUBECONFIG").map(|l| OsString::from(l.as_path())).filter(|l| *l != own);
        let listed = listed.iter().flat_map(std::env::split_paths);
        let flags = access.flags.iter().zip(access.flags.iter().skip(1));
        let named = flags.filter(|(name, _)| *name == "--kubeconfig").map(|(_, path)| PathBuf::from(path));
        for path in named.chain(listed) {
            let text = std::fs::read_to_string(self.cwd.join(&path)).unwrap_or_default();
            if text.contains("exec:") || text.contains("\"exec\"") || text.contains("auth-provider") {
                let what = format!("{} runs a program for credentials", path.display());
                return Err(Error::failure(format!(
                    "{what}, and the command that names it is not allowed yet"
                )));
            }
        }
        Ok(())
    }

    /// The same, with another deadline.
    pub fn until(&self, until: Instant) -> Kubectl {
        Kubectl { until, ..self.clone() }
    }

    /// When it must have answered.
    pub fn deadline(&self) -> Instant {
        self.until
    }

    /// The flags that choose the cluster.
    pub fn flags(&self) -> &[String] {
        &self.flags
    }

    /// Runs kubectl.
    ///
    /// # Errors
    /// Where it cannot be started or does not end in time. A failing kubectl is an answer.
    pub fn run(&self, args: &[&str], stdin: &[u8]) -> Result<Finished> {
        let flags = self.flags.iter().map(OsString::from);
        let argv: Vec<OsString> = std::iter::once(self.program.clone())
            .chain(flags)
            .chain(args.iter().map(OsString::from))
            .collect();
        let left = self.until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        runner::errand_fed(&argv, stdin, &self.env, &self.cwd, left)
            .map_err(|e| Error { what: format!("the cluster was not reached in time: {}", e.what), ..e })
    }

    /// Starts kubectl as something that serves; what it says goes into a file.
    pub fn serve(&self, args: &[OsString], said: &Path) -> Result<Served> {
        let flags = self.flags.iter().map(OsString::from);
        let argv: Vec<OsString> =
            std::iter::once(self.program.clone()).chain(flags).chain(args.iter().cloned()).collect();
        Served::start(&argv, &self.env, &self.cwd, said)
    }

    /// Runs kubectl; only success is an answer.
    pub fn ask(&self, args: &[&str]) -> Result<Vec<u8>> {
        let done = self.run(args, b"")?;
        if done.code == 0 { Ok(done.stdout) } else { Err(said(&done)) }
    }

    /// `kubectl get … -o json`. What the server refuses for some kinds is no error of the others.
    pub fn get(&self, args: &[&str]) -> Result<Got> {
        let fixed = ["get", "-o", "json", "--ignore-not-found"];
        let with = |more: &[&'static str]| -> Vec<&str> {
            fixed.iter().chain(more).copied().chain(args.iter().copied()).collect()
        };
        // Since 1.21 kubectl leaves the managed fields out unless it is asked for them; before, it knows no such flag.
        let mut done = self.run(&with(&["--show-managed-fields"]), b"")?;
        if done.code != 0 && String::from_utf8_lossy(&done.stderr).contains("unknown flag: --show-managed") {
            done = self.run(&with(&[]), b"")?;
        }
        let items = objects(&done.stdout)?;
        let refused: Vec<String> = errors(&done).collect();
        let by_server =
            |line: &String| line.starts_with("Error from server (") && !line.contains("(NotFound)");
        let partial = refused.iter().all(|line| by_server(line) || line.contains("(NotFound)"));
        if done.code != 0 && !(partial && !(items.is_empty() && refused.is_empty())) {
            return Err(said(&done));
        }
        // Of several kinds those that may not be read are named; of one, nothing is known.
        let several = args.iter().any(|arg| arg.contains(','));
        if items.is_empty()
            && !several
            && let Some(line) = refused.iter().find(|line| by_server(line))
        {
            return Err(Error::failure(short(line)));
        }
        let refused = refused.iter().filter(|line| by_server(line)).map(|line| short(line)).collect();
        Ok(Got { items, refused })
    }
}

/// The objects in kubectl's output: one, a list, or several one after the other.
pub fn objects(stdout: &[u8]) -> Result<Vec<Box<RawValue>>> {
    let unreadable = |e: serde_json::Error| Error::failure(format!("kubectl's answer cannot be read: {e}"));
    let mut out = Vec::new();
    for raw in serde_json::Deserializer::from_slice(stdout).into_iter::<Box<RawValue>>() {
        let raw = raw.map_err(unreadable)?;
        let list: List = serde_json::from_str(raw.get()).map_err(unreadable)?;
        match list.items {
            Some(items) if list.kind.ends_with("List") => out.extend(items),
            _ => out.push(raw),
        }
    }
    Ok(out)
}

/// What kubectl said went wrong, a line each.
fn errors(done: &Finished) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    let lines: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|l| l.starts_with("Error from server") || l.starts_with("error:") || l.starts_with("Unable"))
        .map(str::to_owned)
        .collect();
    lines.into_iter()
}

/// What a failing kubectl said, in one line.
pub fn said(done: &Finished) -> Error {
    let text = String::from_utf8_lossy(&done.stderr);
    let is_noise = |l: &&str| {
        l.is_empty()
            || l.starts_with("WARNING")
            || l.starts_with("Warning")
            || l.contains("] \"Unhandled Error\"")
            || l.contains("memcache.go")
    };
    let mut lines = text.lines().map(str::trim).filter(|l| !is_noise(l));
    let first = lines.next().unwrap_or("kubectl says nothing");
    // "The Deployment "web" is invalid: " goes on with a list.
    let rest: Vec<&str> = lines.filter(|l| l.starts_with("* ")).take(3).collect();
    Error::failure(short(format!("{first} {}", rest.join(" ")).trim()))
}

/// Error texts may quote an object.
fn short(line: &str) -> String {
    const MOST: usize = 400;
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}
