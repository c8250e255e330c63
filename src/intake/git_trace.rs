//! What git itself says it ran: the files of its trace2 event target (git's api-trace2, event format, version 3 and 4),
//! one for each git that somebody started. An IDE's git, which no hook, no shell and no shim of ours sees, writes them
//! too. They are read afterwards, so they complete the record; nothing was captured in time.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use chrono::DateTime;
use serde_json::Value;

use super::{Env, attribution};
use crate::model::{Bytes, Outcome};
use crate::platform::fs;

/// A trace is a few kilobytes; of a bigger one the beginning tells what ran.
const MAX_BYTES: u64 = 1 << 20;

/// Where git says that it wrote no trace because there were too many (git-config(1), `trace2.maxFiles`).
pub const FULL: &str = "git-trace2-discard";

/// The variables that git is asked to note (`trace2.envVars`): who ran it.
pub fn variables() -> String {
    attribution::variables().collect::<Vec<_>>().join(",")
}

/// A git that somebody ran.
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    /// Its words, `git` first. Where it was told to work is not in them: [`Traced::cwd`].
    pub argv: Vec<Bytes>,
    /// The top of its work tree; empty where it had none, or did not get so far.
    pub cwd: Bytes,
    /// When it started, nanoseconds since 1970.
    pub began_ns: i64,
    /// When it ended, nanoseconds since 1970.
    pub ended_ns: i64,
    /// How.
    pub outcome: Outcome,
    /// Its process.
    pub pid: u32,
    /// Names of the processes above it, the parent first, where git could tell.
    pub above: Vec<String>,
    /// What of [`variables`] it had.
    pub env: Env,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Traces {
    /// The gits that somebody ran, in order; not those that git started to do a part of its own work.
    pub ran: Vec<Traced>,
    /// The outermost of them has not ended yet, as far as the file tells.
    pub runs_still: bool,
}

/// Reads one file.
///
/// # Errors
/// Where it cannot be read. Lines that are no trace are passed over: git writes them one by one and may be killed.
pub fn read(path: &Path) -> std::io::Result<Traces> {
    let mut bytes = Vec::new();
    // Not through a link, and no FIFO: the directory is ours, but git's user could be somebody else's agent.
    let file = open(path)?;
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    let mut processes: BTreeMap<String, Told> = BTreeMap::new();
    let mut order = Vec::new();
    for line in bytes.split(|b| *b == b'\n') {
        let Ok(event) = serde_json::from_slice::<Value>(line) else { continue };
        let Some(sid) = event.get("sid").and_then(Value::as_str) else { continue };
        if !processes.contains_key(sid) {
            order.push(sid.to_owned());
        }
        processes.entry(sid.to_owned()).or_default().hear(&event);
    }
    let runs_still = order.iter().any(|sid| processes.get(sid).is_some_and(|told| !told.ended));
    let ran = order.iter().filter_map(|sid| processes.remove(sid)?.into_traced(sid)).collect();
    Ok(Traces { ran, runs_still })
}

fn open(path: &Path) -> std::io::Result<std::fs::File> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(std::io::ErrorKind::InvalidInput.into());
    };
    fs::open_file(std::fs::File::open(dir)?.as_fd(), name.as_bytes())
}

/// One process as its lines tell it.
#[derive(Debug, Default)]
struct Told {
    argv: Vec<String>,
    /// `push/send-pack`: the git commands above it and its own.
    hierarchy: String,
    worktree: Option<String>,
    began_ns: Option<i64>,
    ended_ns: Option<i64>,
    outcome: Option<Outcome>,
    above: Vec<String>,
    env: Env,
    ended: bool,
}

impl Told {
    fn hear(&mut self, event: &Value) {
        let text = |key: &str| event.get(key).and_then(Value::as_str);
        let number = |key: &str| event.get(key).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
        match text("event").unwrap_or_default() {
            "version" => self.began_ns = text("time").and_then(moment),
            "start" => self.argv = texts(event.get("argv")),
            "cmd_ancestry" => self.above = texts(event.get("ancestry")),
            "cmd_name" => self.hierarchy = text("hierarchy").unwrap_or_default().to_owned(),
            "def_repo" if self.worktree.is_none() => self.worktree = text("worktree").map(str::to_owned),
            "def_param" => {
                if let (Some(name), Some(value)) = (text("param"), text("value")) {
                    self.env.insert(name.to_owned(), Bytes::from(value));
                }
            }
            "signal" => {
                self.outcome = number("signo").map(|signal| Outcome::Signalled { signal });
                self.ended = true;
            }
            "exit" => self.outcome = number("code").map(|code| Outcome::Exited { code }),
            "atexit" => {
                self.ended_ns = text("time").and_then(moment);
                self.ended = true;
            }
            _ => {}
        }
    }

    /// `None` for what git ran for itself: below a push, a rebase. What it runs for an alias is the user's.
    fn into_traced(self, sid: &str) -> Option<Traced> {
        let (above, own) = self.hierarchy.rsplit_once('/').unwrap_or(("", &self.hierarchy));
        let is_door = |name: &str| name.is_empty() || name.starts_with("_run_");
        if own.starts_with("_run_") || !above.split('/').all(is_door) || self.argv.is_empty() {
            return None;
        }
        let began_ns = self.began_ns?;
        Some(Traced {
            argv: words(&self.argv),
            cwd: self.worktree.map(Bytes::from).unwrap_or_default(),
            began_ns,
            ended_ns: self.ended_ns.unwrap_or(began_ns),
            outcome: self.outcome.unwrap_or(Outcome::Unknown),
            pid: pid(sid)?,
            above: self.above,
            env: self.env,
        })
    }
}

/// The words without those that say where: the work tree is told, the directory that they start from is not.
fn words(argv: &[String]) -> Vec<Bytes> {
    let mut words = vec![Bytes::from("git")];
    let mut rest = argv.iter().skip(1);
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-C" | "--git-dir" | "--work-tree" => drop(rest.next()),
            "-c" | "--namespace" | "--config-env" => {
                words.push(Bytes::from(word.as_str()));
                words.extend(rest.next().map(|value| Bytes::from(value.as_str())));
            }
            word if word.starts_with("--git-dir=") || word.starts_with("--work-tree=") => {}
            word if word.starts_with('-') => words.push(Bytes::from(word)),
            // The command: what follows is its own, a `-C` there means something else.
            word => {
                words.push(Bytes::from(word));
                words.extend(rest.by_ref().map(|word| Bytes::from(word.as_str())));
            }
        }
    }
    words
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn moment(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt()
}

/// `20261127T131339.096534Z-H0a7c9cdf-P000045c3`, the outer ones before it, separated by slashes.
fn pid(sid: &str) -> Option<u32> {
    let own = sid.rsplit('/').next()?;
    u32::from_str_radix(own.rsplit("-P").next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Traces {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trace");
        std::fs::write(&path, text).unwrap();
        read(&path).unwrap()
    }

    /// As git 2.47 wrote it, shortened.
    const ALIAS: &str = r#"{"event":"version","sid":"S-H0-P000045d4","time":"2026-11-27T13:13:39.187360Z","evt":"4","exe":"2.47.3"}
{"event":"start","sid":"S-H0-P000045d4","t_abs":0.000528,"argv":["git","-C","r","wipe"]}
{"event":"cmd_ancestry","sid":"S-H0-P000045d4","ancestry":["node","code"]}
{"event":"cmd_name","sid":"S-H0-P000045d4","name":"_run_dashed_","hierarchy":"_run_dashed_"}
{"event":"cmd_name","sid":"S-H0-P000045d4","name":"_run_shell_alias_","hierarchy":"_run_dashed_/_run_shell_alias_"}
{"event":"atexit","sid":"S-H0-P000045d4","time":"2026-11-27T13:13:39.205185Z","code":0}
{"event":"version","sid":"S-H0-P000045d4/T-H0-P000045d7","time":"2026-11-27T13:13:39.199020Z","evt":"4"}
{"event":"start","sid":"S-H0-P000045d4/T-H0-P000045d7","argv":["git","-C","../r","-c","a.b=c","reset","--hard","-C"]}
{"event":"def_repo","sid":"S-H0-P000045d4/T-H0-P000045d7","repo":1,"worktree":"/tmp/tr/r"}
{"event":"cmd_name","sid":"S-H0-P000045d4/T-H0-P000045d7","name":"reset","hierarchy":"_run_dashed_/_run_shell_alias_/reset"}
{"event":"def_param","sid":"S-H0-P000045d4/T-H0-P000045d7","param":"CLAUDECODE","value":"1"}
{"event":"exit","sid":"S-H0-P000045d4/T-H0-P000045d7","code":1}
{"event":"atexit","sid":"S-H0-P000045d4/T-H0-P000045d7","time":"2026-11-27T13:13:39.200998Z","code":1}
{"event":"version","sid":"S-H0-P000045d4/T-H0-P000045d7/U-H0-P000045d9","time":"2026-11-27T13:13:39.2Z"}
{"event":"start","sid":"S-H0-P000045d4/T-H0-P000045d7/U-H0-P000045d9","argv":["git","gc"]}
{"event":"cmd_name","sid":"S-H0-P000045d4/T-H0-P000045d7/U-H0-P000045d9","hierarchy":"_run_dashed_/_run_shell_alias_/reset/gc"}
{"event":"atexit","sid":"S-H0-P000045d4/T-H0-P000045d7/U-H0-P000045d9","time":"2026-11-27T13:13:39.3Z","code":0}
"#;

    #[test]
    fn what_an_alias_runs_is_the_users_and_what_git_runs_for_itself_is_not() {
        let traces = read_text(ALIAS);
        assert!(!traces.runs_still);
        let [reset] = traces.ran.as_slice() else { panic!("{:?}", traces.ran) };
        let argv: Vec<_> = reset.argv.iter().map(|word| word.lossy().into_owned()).collect();
        assert_eq!(argv, ["git", "-c", "a.b=c", "reset", "--hard", "-C"]);
        assert_eq!((reset.cwd.as_slice(), reset.pid), (b"/tmp/tr/r".as_slice(), 0x45d7));
        assert_eq!(reset.outcome, Outcome::Exited { code: 1 });
        assert_eq!(reset.ended_ns - reset.began_ns, 1_978_000);
        assert_eq!(reset.env.get("CLAUDECODE").map(|value| value.as_slice()), Some(b"1".as_slice()));
    }

    #[test]
    fn a_trace_that_is_cut_off_or_is_none_is_no_trap() {
        let half: String = ALIAS.lines().take(2).map(|line| format!("{line}\n")).collect();
        assert!(read_text(&half).runs_still);
        for rubbish in
            ["", "\0\0", "{\"sid\":7}\n", "{\"event\":\"start\",\"sid\":\"x\",\"argv\":{}}\n", "[1]\n"]
        {
            assert_eq!(read_text(rubbish).ran, [], "{rubbish:?}");
        }
    }
}
