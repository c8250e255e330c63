//! Not a verb: `fr` called as `rm`, `git`… through a shim. It records what is to be recorded, and becomes the real
//! program. Whatever goes wrong with the recorder, the program runs.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::hook::{gap, talk_error};
use crate::error::{Error, Result};
use crate::intake::attribution::{self, RUN_ACTOR};
use crate::intake::exec::INSIDE;
use crate::intake::shims::{Call, NotFound, TRAIL};
use crate::intake::{self, Ending, Env, Request, field_manager, wire};
use crate::model::{ActorKind, Answers, Confidence, Outcome};
use crate::platform::home::{self, Home};
use crate::platform::process::{self, Process};
use crate::platform::{replace, runner};
use crate::record::{self, Config, Seen, Traces, containment};

/// Runs the real program where this process was called as a shim; returns only where it was not, or with the exit code.
pub fn run_if_called() -> Option<u8> {
    let call = Call::of_this_process()?;
    let real = match call.real() {
        Ok(real) => real,
        Err(why) => return Some(not_found(&call, &why)),
    };
    Some(run(call, &real))
}

/// What is done with a call that was looked at.
enum Next {
    /// The program takes our place.
    Become,
    /// It runs, and its end is ours to report.
    WaitFor(Box<Request>, Home),
    /// It does not run, and why.
    Refuse(String),
}

fn run(mut call: Call, real: &Path) -> u8 {
    let env = intake::current_env();
    if let Some(why) = held(&call, &env) {
        return say(&format!("fr: {} is not run: {why}", call.name), 126);
    }
    let mut extra = vec![(TRAIL, call.trail(false))];
    if call.is_passed_on(&env) {
        return become_it(&call, real, &extra);
    }
    if let Some(argv) = named_kubectl(&call, &env) {
        call.argv = argv;
    }
    match watched(&call, real, &env, &mut extra) {
        Next::WaitFor(request, home) => wait_for(&call, real, &extra, *request, &home),
        Next::Become => become_it(&call, real, &extra),
        Next::Refuse(why) => say(&format!("fr: {} is not run: {why}", call.name), 126),
    }
}

/// Why an agent's call is refused, where an order of containment holds it. That it was refused is on record, where that
/// can be written.
fn held(call: &Call, env: &Env) -> Option<String> {
    let home = Home::at(home::state_dir().ok()?);
    if call.is_off() || !containment::is_any(&home) {
        return None;
    }
    let request = Request { answers: Answers::Deny, ..call.request(env, &process::lineage()) };
    let why = containment::held(&request, &home)?;
    if writable_home().is_some()
        && let Err(error) = record::before(&request, None, &home)
    {
        not_recorded(&error, &home);
    }
    Some(why)
}

/// An agent's kubectl with the agent as field manager, where the user wants that. The record has what was executed.
fn named_kubectl(call: &Call, env: &Env) -> Option<Vec<OsString>> {
    let marked = attribution::agent(env).is_some() || env.contains_key(RUN_ACTOR);
    if call.name != "kubectl" || !marked {
        return None;
    }
    let home = writable_home().filter(|home| home.config().exists())?;
    if !Config::load(&home).is_ok_and(|config| config.kubectl_field_manager) {
        return None;
    }
    let actor = call.request(env, &process::lineage()).actor;
    let known = actor.kind == ActorKind::Agent && actor.confidence > Confidence::Low;
    known.then(|| field_manager::named(&call.argv, &actor.name)).flatten()
}

/// Looks at the call with the process made safe for it: no core file with what was captured, and a fault of ours ends
/// in the real program too.
fn watched(call: &Call, real: &Path, env: &Env, extra: &mut Vec<(&'static str, OsString)>) -> Next {
    let (program, argv, vars) = (real.to_path_buf(), call.argv.clone(), extra.clone());
    std::panic::set_hook(Box::new(move |_| {
        let _ = replace::replace(&program, &argv, &vars);
    }));
    let core = rustix::process::getrlimit(rustix::process::Resource::Core);
    let none = rustix::process::Rlimit { current: Some(0), maximum: core.maximum };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let seen = watch(call, env, extra);
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, core);
    let _ = std::panic::take_hook();
    seen
}

/// Records what is to be recorded, adds an agent's marks to `extra`.
fn watch(call: &Call, env: &Env, extra: &mut Vec<(&'static str, OsString)>) -> Next {
    let marked = attribution::agent(env).is_some() || env.contains_key(RUN_ACTOR);
    let sends_marks = marked && wire::has_field(call.name);
    let reading = record::read(&call.action(), &Call::directory(), env);
    let looked_at = !record::is_harmless(&reading) || is_nobody_elses(env);
    if !looked_at && !sends_marks {
        return Next::Become;
    }
    let lineage = process::lineage();
    let mut request = call.request(env, &lineage);
    if sends_marks && request.actor.kind == ActorKind::Agent && request.actor.confidence > Confidence::Low {
        extra.extend(wire::for_program(call.name, &request.actor.name, &request.session, env));
    }
    let Some(home) = writable_home().filter(|_| looked_at) else { return Next::Become };
    match record(&mut request, &reading, &lineage, env, &home) {
        Ok(Seen::Alone(_)) => Next::WaitFor(Box::new(request), home),
        Ok(Seen::Part(_) | Seen::Nothing) => Next::Become,
        Ok(Seen::Held(why)) => Next::Refuse(why),
        Err(error) => {
            not_recorded(&error, &home);
            Next::Become
        }
    }
}

fn record(
    request: &mut Request,
    reading: &record::Reading,
    lineage: &[Process],
    env: &Env,
    home: &Home,
) -> Result<Seen> {
    let (sessions, call) = Call::names(env);
    let traces = Traces { lineage, sessions: &sessions, call: call.as_deref() };
    record::at_exec(request, reading, &traces, home)
}

/// Harmless commands are recorded here only where no hook and no shell has told them already, and where they are not a
/// person's: prompts and completions call git all day.
fn is_nobody_elses(env: &Env) -> bool {
    let above = env.get(INSIDE).is_some_and(|top| !top.is_empty());
    !above && attribution::is_without_hooks(env)
}

/// The store, where this process may write to it. A sandbox forbids that (agents.md 4.10), and so does another user's
/// home: then the one outside has recorded the line, and silence is right.
fn writable_home() -> Option<Home> {
    let home = Home::at(home::state_dir().ok()?);
    let format = std::fs::metadata(home.format_file()).ok()?;
    let ours = std::os::unix::fs::MetadataExt::uid(&format) == rustix::process::geteuid().as_raw();
    let writable = rustix::fs::access(home.journal(), rustix::fs::Access::WRITE_OK).is_ok();
    (ours && writable).then_some(home)
}

/// What a sandbox forbids after all is not worth a word either; anything else is.
fn not_recorded(error: &Error, home: &Home) {
    use rustix::io::Errno;
    let forbidden = [Errno::PERM, Errno::ACCESS, Errno::ROFS].map(Errno::raw_os_error);
    if error.errno.is_none_or(|errno| !forbidden.contains(&errno)) {
        gap(home, error);
        talk_error("fr: not recorded", error);
    }
}

fn become_it(call: &Call, real: &Path, extra: &[(&'static str, OsString)]) -> u8 {
    let cause = replace::replace(real, &call.argv, extra);
    cannot_run(real, &cause)
}

fn wait_for(
    call: &Call,
    real: &Path,
    extra: &[(&'static str, OsString)],
    request: Request,
    home: &Home,
) -> u8 {
    let mut extra = extra.to_vec();
    extra.retain(|(name, _)| *name != TRAIL);
    extra.push((TRAIL, call.trail(true)));
    let ended = runner::run_program(real.as_os_str(), &call.argv, &extra);
    let (outcome, duration, failed) = match ended {
        Ok(ended) => (ended.outcome, u64::try_from(ended.duration.as_millis()).ok(), None),
        Err(cause) => {
            let code = cannot_run(real, &cause);
            (Outcome::Exited { code: code.into() }, None, Some(code))
        }
    };
    let (session, call) = (request.session, request.call);
    let ending = Ending {
        session,
        call,
        outcome,
        duration_ms: duration,
        note: None,
        action: None,
        edit: None,
        task: None,
    };
    if let Err(error) = record::after(&ending, None, home) {
        not_recorded(&error, home);
    }
    failed.unwrap_or_else(|| runner::exit_code(outcome))
}

fn not_found(call: &Call, why: &NotFound) -> u8 {
    let name = call.name;
    match why {
        NotFound::Missing => say(&format!("{}: {name}: command not found", Call::caller()), 127),
        NotFound::Forbidden(path) => {
            say(&format!("{}: {}: Permission denied", Call::caller(), path.display()), 126)
        }
        NotFound::Circle => {
            say(&format!("fr: the programs called {name} on PATH call each other without end"), 126)
        }
    }
}

fn cannot_run(real: &Path, cause: &std::io::Error) -> u8 {
    let code = if cause.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
    let path: PathBuf = real.to_path_buf();
    say(&format!("{}: {}: {cause}", Call::caller(), path.display()), code)
}

fn say(text: &str, code: u8) -> u8 {
    // A closed stderr is nobody's failure.
    let _ = writeln!(std::io::stderr(), "{text}");
    code
}
