//! A call of a shim: under which name, by which path, and whether there is anything to look at.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::find::{self, Avoid, NotFound};
use super::{PROGRAMS, own};
use crate::intake::attribution::{self, RUN_SESSION, ancestry, ci};
use crate::intake::{Action, Env, Request, current_dir, text};
use crate::model::{Actor, ActorKind, Answers, Bytes, Source};
use crate::platform::process::{self, Process};

/// What a shim leaves in the environment of the real program: `PID:COUNT:DIR:DIR…`, or `<PID:…` where it waits for the
/// program's end. Where the process (or the one that waits for it) is still the same, somebody on the way to the real
/// program has called the name again: a version manager, or the shim of another `fr`.
pub const TRAIL: &str = "FR_SHIM";
/// The value of [`TRAIL`] that switches shims off: for what `fr` itself starts.
pub const OFF: &str = "off";
/// How often one process may come by before somebody is going round in circles.
const MAX_ROUNDS: u32 = 16;

/// A call of a shim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The program's name, one of [`PROGRAMS`].
    pub name: &'static str,
    /// The arguments as they came, the program's own name first: whatever the caller chose.
    pub argv: Vec<OsString>,
    /// The path that was executed.
    path: PathBuf,
    /// Directories in which this process has come by before.
    been: Vec<PathBuf>,
    rounds: u32,
    off: bool,
}

impl Call {
    /// The call that this process is; `None` where it was called as `fr`.
    pub fn of_this_process() -> Option<Call> {
        let path = executed()?;
        let name = base_name(path.as_os_str());
        let name = PROGRAMS.iter().copied().find(|known| OsStr::new(known) == name)?;
        let trail = std::env::var_os(TRAIL).unwrap_or_default();
        let mut call = Call {
            name,
            argv: std::env::args_os().collect(),
            path,
            been: Vec::new(),
            rounds: 0,
            off: trail == OFF,
        };
        let mut words = trail.as_bytes().split(|b| *b == b':').map(OsStr::from_bytes);
        if words.next().is_some_and(is_ours) {
            call.rounds = words.next().and_then(|n| n.to_str()?.parse().ok()).unwrap_or(0);
            call.been = words.map(PathBuf::from).collect();
        }
        Some(call)
    }

    /// The real program: the next of its name on PATH that is no shim.
    ///
    /// # Errors
    /// Where there is none, or it goes round in circles.
    pub fn real(&self) -> Result<PathBuf, NotFound> {
        if self.rounds >= MAX_ROUNDS {
            return Err(NotFound::Circle);
        }
        let own = self.path.parent().map(Path::to_path_buf);
        let avoid = Avoid::new(own.into_iter().chain(self.been.iter().cloned()));
        find::find(self.name, std::env::var_os("PATH").as_deref(), &avoid)
    }

    /// What the real program finds in [`TRAIL`]; `waiting` for its end, or gone.
    pub fn trail(&self, waiting: bool) -> OsString {
        let mark = if waiting { "<" } else { "" };
        let mut trail = OsString::from(format!("{mark}{}:{}", std::process::id(), self.rounds + 1));
        let own = self.path.parent().filter(|own| !self.been.iter().any(|been| been == own));
        for dir in self.been.iter().map(PathBuf::as_path).chain(own) {
            trail.push(":");
            trail.push(dir);
        }
        trail
    }

    /// True where nothing is to be looked at: this process was looked at already, shims are off, or an agent runs the
    /// program for itself.
    pub fn is_passed_on(&self, env: &Env) -> bool {
        self.off || self.rounds > 0 || own::is_own(env)
    }

    /// True where shims are switched off: `fr` itself has started it.
    pub fn is_off(&self) -> bool {
        self.off
    }

    /// What the program is asked to do, under its own name whatever the caller calls it.
    pub fn action(&self) -> Action {
        let args = self.argv.iter().skip(1).map(|word| Bytes::from(word.as_os_str()));
        Action::Argv(std::iter::once(Bytes::from(self.name)).chain(args).collect())
    }

    /// Where it runs.
    pub fn directory() -> Bytes {
        current_dir()
    }

    /// What is asked of the recorder, with all that the environment and the processes above tell.
    pub fn request(&self, env: &Env, lineage: &[Process]) -> Request {
        let actor = attribution::actor_among(env, lineage);
        Request {
            session: session(&actor, env, lineage),
            call: process::own().map(|own| format!("shim-{}-{:x}", own.pid, own.start)),
            actor,
            source: Source::Shim,
            cwd: current_dir(),
            background: false,
            answers: Answers::Nothing,
            action: self.action(),
            env: env.clone(),
        }
    }

    /// The sessions and the call that the environment names.
    pub fn names(env: &Env) -> (Vec<String>, Option<String>) {
        (named_sessions(env), text(env, CALL).map(str::to_string))
    }

    /// What a message calls the one who called us: the name of the process above, as shells do.
    pub fn caller() -> String {
        process::name(process::parent()).unwrap_or_else(|| "fr".to_string())
    }
}

/// The process of a trail is this one, or the one that waits for this one.
fn is_ours(pid: &OsStr) -> bool {
    let Some(pid) = pid.to_str() else { return false };
    match pid.strip_prefix('<') {
        Some(waits) => process::parent().to_string() == waits,
        None => std::process::id().to_string() == pid,
    }
}

/// The path that was executed. Not the first argument: that is the caller's to choose (`exec -a`).
fn executed() -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        let path = OsStr::from_bytes(rustix::param::linux_execfn().to_bytes());
        // fexecve(3) leaves a descriptor's path.
        if !path.is_empty() && !path.as_bytes().starts_with(b"/dev/fd/") {
            return Some(PathBuf::from(path));
        }
    }
    std::env::args_os().next().map(PathBuf::from)
}

fn base_name(path: &OsStr) -> &OsStr {
    Path::new(path).file_name().unwrap_or_default()
}

/// Variables in which agents tell their commands the session (agents.md 3).
const SESSIONS: &[&str] =
    &["CLAUDE_CODE_SESSION_ID", "CODEX_SESSION_ID", "CODEX_THREAD_ID", "COPILOT_AGENT_SESSION_ID"];

/// The one variable in which an agent tells its commands the call (agents.md 9).
const CALL: &str = "CODEX_TOOL_CALL_ID";

/// The sessions that the environment names.
fn named_sessions(env: &Env) -> Vec<String> {
    let named = SESSIONS.iter().chain([&RUN_SESSION]).filter_map(|name| text(env, name));
    named.map(str::to_string).collect()
}

/// The session of a command that no recorded line runs: the agent's or the CI job's, else that of the terminal.
fn session(actor: &Actor, env: &Env, lineage: &[Process]) -> String {
    if let Some(named) = named_sessions(env).into_iter().next().filter(|_| actor.kind == ActorKind::Agent) {
        return named;
    }
    if let Some(agent) = ancestry::nearest_agent(lineage).and_then(|(at, _)| lineage.get(at)) {
        return format!("{}-{}-{:x}", actor.name, agent.pid, agent.start);
    }
    if let Some(session) = text(env, RUN_SESSION) {
        return session.to_string();
    }
    let job = (actor.kind == ActorKind::Ci).then(|| ci::session(&actor.name, env)).flatten();
    job.unwrap_or_else(|| {
        let leader = process::own().map_or(0, |own| own.leader);
        format!("shims-{leader}-{:x}", process::look(leader).map_or(0, |leader| leader.start))
    })
}
