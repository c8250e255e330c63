//! `fr run -- agent…`: an agent, or any program, with everything around it that lets its commands be recorded: shims on
//! PATH, shell integration for the shells that it starts, and a name for what it does.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::attribution::{self, RUN_ACTOR, RUN_SESSION, ancestry};
use super::exec::INSIDE;
use super::shells::{self, Shell};
use super::{Env, current_dir, wire};
use crate::error::{Error, Result};
use crate::intake::SessionSignal;
use crate::model::{Actor, ActorKind, Confidence, SessionMoment};
use crate::platform::{process, runner};

/// Agents that must find BASH_ENV unset: with it, Codex no longer reads ~/.bashrc in its login shell (agents.md 9).
const WITHOUT_BASH_ENV: &[&str] = &["codex"];

/// Where zsh finds the person's own start-up files, handed on by our `.zshenv`.
const OWN_ZDOTDIR: &str = "FR_ZDOTDIR";

/// Our `.zshenv`: the person's own first, and nothing of ours left in the way of `.zshrc`.
const ZSHENV: &str = "\
# Written by `fr run`.
if [[ -n ${FR_ZDOTDIR-} ]]; then ZDOTDIR=$FR_ZDOTDIR; else unset ZDOTDIR; fi
unset FR_ZDOTDIR
if [[ -r ${ZDOTDIR:-$HOME}/.zshenv ]]; then source \"${ZDOTDIR:-$HOME}/.zshenv\"; fi
";

/// A program to be run as an agent's, or as nobody's in particular.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    argv: Vec<OsString>,
    agent: Option<String>,
    session: String,
}

impl Run {
    /// `agent` is the name that the caller gave; else the program's name tells, where it is a known one's.
    pub fn new(argv: &[OsString], agent: Option<&str>) -> Run {
        let program = argv.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default();
        let known = || ancestry::agent_called(&program).map(str::to_string);
        let start = process::own().map_or(0, |own| own.start);
        Run {
            argv: argv.to_vec(),
            agent: agent.map(str::to_string).or_else(known),
            session: format!("run-{}-{start:x}", std::process::id()),
        }
    }

    /// The start or the end of its session.
    pub fn signal(&self, moment: SessionMoment, env: &Env) -> SessionSignal {
        SessionSignal { session: self.session.clone(), moment, actor: self.actor(env), cwd: current_dir() }
    }

    fn actor(&self, env: &Env) -> Actor {
        match &self.agent {
            Some(name) => Actor {
                kind: ActorKind::Agent,
                name: name.clone(),
                version: None,
                subagent: None,
                evidence: format!("started by `fr run`, process {}", std::process::id()),
                confidence: Confidence::High,
            },
            None => attribution::actor_here(env),
        }
    }

    /// What it finds in its environment. `files` is a directory of ours for start-up files of shells.
    pub fn environment(&self, env: &Env, shims: &Path, files: &StartFiles) -> Vec<(&'static str, OsString)> {
        let mut vars = vec![
            ("PATH", path_with(shims)),
            (RUN_SESSION, self.session.clone().into()),
            // A shell above has recorded the line that started us, not what is run from here on.
            (INSIDE, OsString::new()),
        ];
        if let Some(agent) = &self.agent {
            vars.push((RUN_ACTOR, agent.into()));
            vars.extend(wire::for_all(agent, &self.session, env));
        }
        let safe = self.agent.as_deref().is_none_or(|agent| !WITHOUT_BASH_ENV.contains(&agent));
        if safe && std::env::var_os("BASH_ENV").is_none() {
            vars.push(("BASH_ENV", files.bash.clone().into()));
        }
        if safe {
            vars.push((OWN_ZDOTDIR, std::env::var_os("ZDOTDIR").unwrap_or_default()));
            vars.push(("ZDOTDIR", files.zsh.clone().into()));
        }
        vars
    }

    /// Runs it on our terminal to its end; the exit code to end with. Where a signal ended it, this process ends by the
    /// same signal, after `ended`.
    ///
    /// # Errors
    /// Where it could not be started: exit code 127 or 126 goes with it.
    pub fn run(&self, vars: &[(&str, OsString)], ended: impl FnOnce()) -> Result<u8, (u8, Error)> {
        let done = runner::run(&self.argv, vars);
        ended();
        done.map(|done| runner::exit_code(done.outcome)).map_err(|cause| {
            let code = if cause.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
            let program = self.argv.first().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
            let error = Error::failure(format!("cannot run {program}: {cause}"));
            (code, error.hint("check the name and its permissions"))
        })
    }
}

/// PATH with the shims first, and only there.
fn path_with(shims: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).filter(|dir| dir != shims);
    let all = std::iter::once(shims.to_path_buf()).chain(others);
    std::env::join_paths(all).unwrap_or(path)
}

/// Start-up files for shells, written by us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartFiles {
    bash: PathBuf,
    zsh: PathBuf,
}

impl StartFiles {
    /// Writes them below `dir`. They call `binary`.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn write(dir: &Path, binary: &Path) -> Result<StartFiles> {
        let files = StartFiles { bash: dir.join("bash_env"), zsh: dir.join("zsh") };
        let mut make = std::fs::DirBuilder::new();
        make.recursive(true).mode(0o700).create(&files.zsh).map_err(|e| Error::io("create", dir, &e))?;
        put(&files.bash, &shells::script(Shell::Bash, binary)?)?;
        put(&files.zsh.join(".zshenv"), &format!("{ZSHENV}{}", shells::script(Shell::Zsh, binary)?))?;
        Ok(files)
    }
}

/// Written beside and renamed: a shell that starts right now must not read half of it.
fn put(path: &Path, text: &str) -> Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    let mut name = path.as_os_str().to_owned();
    name.push(OsStr::new(&format!(".{}", std::process::id())));
    let beside = PathBuf::from(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(&beside).and_then(|mut file| file.write_all(text.as_bytes()));
    written.and_then(|()| std::fs::rename(&beside, path)).map_err(|e| Error::io("write", path, &e))
}
