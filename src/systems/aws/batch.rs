//! Several operations in one process of the user's AWS command line, where that is a Python program (version 1, and version
//! 2 as distributions package it): `batch.py` makes them with its session, its configuration and its credentials. It is
//! started once and asked as often as this run of `fr` needs: a plan and its steps share it, and it ends with us.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::cli::{Answers, Call, Refusal, Reply, late};
use crate::error::{Error, Result};
use crate::platform::runner;
use crate::platform::talk::Talk;

const SCRIPT: &str = include_str!("batch.py");
/// How long it may be idle.
const IDLE: Duration = Duration::from_secs(3600);

/// The Python that runs the AWS command line.
#[derive(Clone)]
pub struct Python {
    argv: Vec<OsString>,
}

#[derive(Deserialize)]
struct Said {
    cannot: Option<String>,
    region: Option<String>,
    #[serde(default)]
    answers: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    answer: Option<Value>,
    code: Option<String>,
    #[serde(default)]
    message: String,
}

/// What chooses the account: a process answers for one.
#[derive(Clone, PartialEq)]
struct Whose {
    argv: Vec<OsString>,
    flags: Vec<String>,
    env: Vec<(OsString, OsString)>,
    cwd: PathBuf,
}

/// Nothing: it is to be started. `None` in it: it cannot do what it is for.
type Slot = Arc<Mutex<Option<Option<Talk>>>>;

/// The processes of this run.
static RUNNING: Mutex<Vec<(Whose, Slot)>> = Mutex::new(Vec::new());

/// Where the `aws` of a `PATH` was found, seen from a directory.
type Place = (OsString, PathBuf);
static FOUND: Mutex<Vec<(Place, Option<Python>)>> = Mutex::new(Vec::new());

impl Python {
    /// By the first line of the `aws` that the user's `PATH` finds.
    pub fn find(env: &[(OsString, OsString)], cwd: &Path) -> Option<Python> {
        let path = env.iter().rfind(|(name, _)| name == "PATH").map(|(_, path)| path.clone())?;
        let place = (path, cwd.to_path_buf());
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, python)) = found.iter().find(|(known, _)| *known == place) {
            return python.clone();
        }
        let python = Python::look(&place.0, env, cwd);
        found.push((place, python.clone()));
        python
    }

    fn look(path: &OsStr, env: &[(OsString, OsString)], cwd: &Path) -> Option<Python> {
        let own = std::env::current_exe().and_then(std::fs::canonicalize).ok();
        let is_program = |file: &PathBuf| file.is_file() && std::fs::canonicalize(file).ok() != own;
        let file = std::env::split_paths(path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join("aws"))
            .find(is_program)?;
        match first_line(&file) {
            Some(line) if line.contains("python") => of_line(&line),
            // pyenv puts a script of its own in front of it.
            Some(line) if line.contains("sh") && file.parent().is_some_and(|dir| dir.ends_with("shims")) => {
                let argv = ["pyenv", "which", "aws"].map(OsString::from);
                let done = runner::errand(&argv, env, cwd, Duration::from_secs(5))
                    .ok()
                    .filter(|done| done.code == 0)?;
                let real = PathBuf::from(String::from_utf8(done.stdout).ok()?.trim());
                of_line(&first_line(&real).filter(|line| line.contains("python"))?)
            }
            _ => None,
        }
    }

    /// Asks; `None` where it cannot, and nothing was asked.
    ///
    /// # Errors
    /// Where it does not answer in time.
    pub fn ask_all(
        &self,
        flags: &[String],
        calls: &[Call],
        env: &[(OsString, OsString)],
        cwd: &Path,
        until: Instant,
    ) -> Result<Option<Answers>> {
        let slot = self.slot(flags, env, cwd);
        let mut running = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let mut talk = match running.take() {
            Some(None) => {
                *running = Some(None);
                return Ok(None);
            }
            Some(Some(mut talk)) => {
                talk.last_until(until);
                talk
            }
            None => {
                let mut argv = self.argv.clone();
                argv.extend(["-c", SCRIPT].map(OsString::from));
                Talk::start(&argv, env, cwd, until)?
            }
        };
        let said = ask(&mut talk, &asked(flags, calls), until)?;
        if said.cannot.is_some() {
            *running = Some(None);
            return Ok(None);
        }
        talk.last_until(Instant::now() + IDLE);
        *running = Some(Some(talk));
        let replies = said.answers.into_iter().map(reply).collect();
        Ok(Some(Answers { region: said.region, replies }))
    }

    fn slot(&self, flags: &[String], env: &[(OsString, OsString)], cwd: &Path) -> Slot {
        let whose = Whose {
            argv: self.argv.clone(),
            flags: flags.to_vec(),
            env: env.to_vec(),
            cwd: cwd.to_path_buf(),
        };
        let mut all = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, slot)) = all.iter().find(|(known, _)| *known == whose) {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        all.push((whose, Arc::clone(&slot)));
        slot
    }
}

/// A line that asks.
fn asked(flags: &[String], calls: &[Call]) -> String {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    let calls: Vec<Value> = calls
        .iter()
        .map(|c| json!({"service": c.service, "op": c.op, "input": c.input, "loose": c.loose, "one_page": c.one_page, "fetch": c.fetch, "out": path(&c.out), "body": path(&c.body)}))
        .collect();
    format!("{}\n", json!({"flags": flags, "calls": calls}))
}

fn ask(talk: &mut Talk, text: &str, until: Instant) -> Result<Said> {
    let mut line = Vec::new();
    let said = talk.say(text.as_bytes()).and_then(|()| Ok(talk.line(&mut line)?.map(<[u8]>::to_vec)))?;
    let failed = |what: &str| Error::failure(format!("the AWS command line failed: {what}"));
    match said {
        Some(text) => serde_json::from_slice(&text).map_err(|_| failed("its answer is no JSON")),
        None if Instant::now() >= until => Err(late(&talk.ended())),
        None => Err(failed(&talk.ended().what)),
    }
}

fn reply(one: One) -> Reply {
    match (one.code, one.answer) {
        (Some(code), _) => Err(Refusal { code, message: one.message }),
        (None, answer) => Ok(answer.unwrap_or_else(|| json!({}))),
    }
}

/// `#!/usr/bin/python3`, `#!/usr/bin/env python3`.
fn of_line(line: &str) -> Option<Python> {
    let argv: Vec<OsString> = line.strip_prefix("#!")?.split_whitespace().map(OsString::from).collect();
    let is_absolute = argv.first().is_some_and(|program| Path::new(program).is_absolute());
    is_absolute.then_some(Python { argv })
}

fn first_line(file: &Path) -> Option<String> {
    let mut head = Vec::new();
    std::fs::File::open(file).ok()?.take(256).read_to_end(&mut head).ok()?;
    let line = head.split(|b| *b == b'\n').next()?;
    OsStr::to_str(std::os::unix::ffi::OsStrExt::from_bytes(line)).map(str::to_owned)
}
