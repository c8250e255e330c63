//! Several operations in one process of the user's AWS command line, where that is a Python program (version 1, and version
//! 2 as distributions package it): `batch.py` makes them with its session, its configuration and its credentials.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::cli::{Answers, Call, Refusal, Reply, late};
use crate::error::{Error, Result};
use crate::platform::runner;

const SCRIPT: &str = include_str!("batch.py");
/// Its exit code where it cannot do what it is for.
const CANNOT: i32 = 70;
/// How many requests it makes at once.
const AT_ONCE: usize = 8;

/// The Python that runs the AWS command line.
pub struct Python {
    argv: Vec<OsString>,
}

#[derive(Deserialize)]
struct Said {
    region: Option<String>,
    answers: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    answer: Option<Value>,
    code: Option<String>,
    #[serde(default)]
    message: String,
}

impl Python {
    /// By the first line of the `aws` that the user's `PATH` finds.
    pub fn find(env: &[(OsString, OsString)], cwd: &Path) -> Option<Python> {
        let path = env.iter().rfind(|(name, _)| name == "PATH").map(|(_, path)| path.clone())?;
        let own = std::env::current_exe().and_then(std::fs::canonicalize).ok();
        let is_program = |file: &PathBuf| file.is_file() && std::fs::canonicalize(file).ok() != own;
        let file = std::env::split_paths(&path)
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
    /// Where it does not end in time.
    pub fn ask_all(
        &self,
        flags: &[String],
        calls: &[Call],
        env: &[(OsString, OsString)],
        cwd: &Path,
        limit: Duration,
    ) -> Result<Option<Answers>> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let calls: Vec<Value> = calls
            .iter()
            .map(|c| json!({"service": c.service, "op": c.op, "input": c.input, "loose": c.loose, "one_page": c.one_page, "fetch": c.fetch, "out": path(&c.out), "body": path(&c.body)}))
            .collect();
        let asked = json!({"flags": flags, "calls": calls, "threads": AT_ONCE}).to_string();
        let mut argv = self.argv.clone();
        argv.extend(["-c", SCRIPT].map(OsString::from));
        let done = runner::errand_fed(&argv, asked.as_bytes(), env, cwd, limit).map_err(|e| late(&e))?;
        if done.code == CANNOT {
            return Ok(None);
        }
        let said: Said = serde_json::from_slice(&done.stdout).map_err(|_| {
            let text = String::from_utf8_lossy(&done.stderr);
            let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
            Error::failure(format!(
                "the AWS command line failed: {}",
                last.chars().take(200).collect::<String>()
            ))
        })?;
        let replies = said.answers.into_iter().map(reply).collect();
        Ok(Some(Answers { region: said.region, replies }))
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
