//! `fr hook <agent>`: what every command of every agent pays. It answers by exit code 0 and silence unless it means
//! to act; whatever goes wrong is one line on stderr, a recorded gap, and exit code 0: the command still runs, unless the
//! user's settings say otherwise (`docs/answers.md`).

use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use crate::cli::render::{next_step, safe};
use crate::error::{Error, Result};
use crate::intake::agents::{AgentSpec, Reply, Verdict};
use crate::intake::{self, Env, Happening, Heard, Malformed, Request};
use crate::platform::home::{self, Home};
use crate::platform::stall;
use crate::record;

/// Seconds without any progress before a shell's hook gives up; `FR_HOOK_PATIENCE` sets another number. Writing a large
/// capture back to a slow disk is one long system call: hence a minute.
const PATIENCE: u64 = 60;

/// Runs the verb. The exit code is 0 unless the answer of the agent that speaks has another one: any other code means
/// something to some agent.
pub fn run(args: &[OsString]) -> u8 {
    let Some(agent) = args.first().and_then(|a| a.to_str()) else {
        let error = Error::failure("the hook does not say which agent it is")
            .hint("register it as `fr hook <agent>`");
        talk_error("fr: not recorded", &error);
        return 0;
    };
    // A crash must not leave a core file with captured secrets in the project. The hook starts no recorded command, so
    // nothing inherits the limit.
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let env = intake::current_env();
    if agent == "shell" {
        watch(&env);
    }
    let stdin = std::io::stdin().lock();
    let heard = match agent {
        "shell" => Heard { happening: intake::shell_hook(&args[1..], stdin, &env), speaker: None },
        _ => intake::hear(agent, stdin, &env),
    };
    // A shell numbers its lines itself.
    let registration = Some(agent).filter(|name| *name != "shell");
    let (verdict, failure) = match handle(heard.happening, registration) {
        Ok(verdict) => (verdict, None),
        Err((verdict, error)) => (verdict, Some(error)),
    };
    if let Some(error) = failure {
        talk_error("fr: not recorded", &error);
    }
    answer(&verdict, heard.speaker)
}

/// Tells the agent that speaks, in its own form; the exit code.
fn answer(verdict: &Verdict, speaker: Option<&AgentSpec>) -> u8 {
    if *verdict == Verdict::Allow {
        return 0;
    }
    let Reply { stdout, stderr, code } = speaker.map_or_else(Reply::silent, |agent| (agent.reply)(verdict));
    // An agent that closed its end of the pipe has stopped listening.
    let _ = std::io::stdout().write_all(stdout.as_bytes());
    let _ = std::io::stderr().write_all(stderr.as_bytes());
    code
}

/// Agents end a hook that hangs; a prompt waits for ever. A line that was not recorded is better than a dead terminal.
fn watch(env: &Env) {
    let asked = env.get("FR_HOOK_PATIENCE").and_then(|value| value.as_str()?.parse().ok());
    let patience = Duration::from_secs(asked.unwrap_or(PATIENCE).max(1));
    stall::watch(patience, move || {
        talk(&format!("fr: not recorded: nothing moved for {} s", patience.as_secs()));
        talk("  hint: is the file system of the store there? `fr store stats` says where it is");
        std::process::exit(0);
    });
}

/// Records what happened. The answer, also where that failed.
fn handle(
    happening: Happening,
    registration: Option<&str>,
) -> std::result::Result<Verdict, (Verdict, Error)> {
    if happening == Happening::Ignore {
        return Ok(Verdict::Allow);
    }
    let let_run = |error| (Verdict::Allow, error);
    let home = Home::at(home::state_dir().map_err(let_run)?);
    let done = match happening {
        Happening::Ignore => Ok(()),
        Happening::Before(request) => return before(&request, registration, &home),
        Happening::After(ending) => record::after(&ending, registration, &home),
        Happening::Session(signal) => record::session(&signal, &home),
        Happening::Malformed(malformed) => note_malformed(&malformed, &home),
    };
    done.map(|()| Verdict::Allow).map_err(let_run)
}

fn before(
    request: &Request,
    registration: Option<&str>,
    home: &Home,
) -> std::result::Result<Verdict, (Verdict, Error)> {
    let error = match record::before(request, registration, home) {
        // Of a second report the first one has been answered.
        Ok(recorded) => return Ok(recorded.map_or(Verdict::Allow, |recorded| recorded.verdict)),
        Err(error) => error,
    };
    let verdict = record::on_failure(request, &error, home);
    match verdict.reason() {
        None => gap(home, &error),
        Some(_) => {
            let answer = verdict.as_str();
            let reason = format!("a command was not recorded, and the agent was told to {answer}: {error}");
            let _ = record::gap(home, &reason, None);
        }
    }
    Err((verdict, error))
}

fn note_malformed(malformed: &Malformed, home: &Home) -> Result<()> {
    let Malformed { reason, hint, detail } = malformed;
    let mut error = Error::failure(reason.as_str()).hint(hint.as_str());
    if let Err(why) = record::gap(home, reason, Some(detail)) {
        error = error.hint(format!("this gap is not on record either: {why}"));
    }
    Err(error)
}

/// Writes down that a command was not recorded. Best effort: where even that fails, stderr is all there is.
pub(super) fn gap(home: &Home, error: &Error) {
    let _ = record::gap(home, &format!("a command was not recorded: {error}"), None);
}

/// One line on stderr, and one for each hint; where the error has none, for what its cause asks.
pub(super) fn talk_error(what: &str, error: &Error) {
    talk(&format!("{what}: {}", safe(error.what.as_bytes())));
    for hint in &error.hints {
        talk(&format!("  hint: {}", safe(hint.as_bytes())));
    }
    if error.hints.is_empty() {
        talk(&format!("  hint: {}", next_step(error).unwrap_or("`fr store verify` checks the store")));
    }
}

fn talk(text: &str) {
    // A closed stderr is nobody's failure.
    let _ = writeln!(std::io::stderr(), "{text}");
}
