//! `fr exec -- argv…` and `fr exec -c 'line'`: a command that comes to us by name and that we run ourselves.

use std::ffi::OsString;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Action, Ending, Env, Request, attribution, bytes, current_dir};
use crate::error::{Error, ExitCode, Result};
use crate::model::{Answers, Bytes, Outcome, Source};
use crate::platform::runner::{self, Ended};

/// Set in the environment of a command that is recorded already, so that shell integration inside it keeps still.
pub const INSIDE: &str = "FR_SHELL_TOP";

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exec {
    /// A program with its arguments.
    Argv(Vec<OsString>),
    /// A line of shell.
    Line(OsString),
}

impl Exec {
    /// Reads the arguments behind `fr exec`.
    ///
    /// # Errors
    /// Usage, where they are neither `-- argv…`, `argv…` nor `-c line`.
    pub fn parse(args: &[OsString]) -> Result<Exec> {
        let usage = |what: &str| {
            Err(Error::new(ExitCode::Usage, what.to_string())
                .hint("run a program: `fr exec -- rm -rf build`")
                .hint("run a line of shell: `fr exec -c 'rm -rf build && make'`"))
        };
        match args {
            [flag, line] if flag == "-c" => Ok(Exec::Line(line.clone())),
            [flag, ..] if flag == "-c" => usage("-c takes exactly one line"),
            [dashes, argv @ ..] if dashes == "--" && !argv.is_empty() => Ok(Exec::Argv(argv.to_vec())),
            [first, ..] if first != "--" && !bytes(first).starts_with(b"-") => Ok(Exec::Argv(args.to_vec())),
            _ => usage("no command to run"),
        }
    }

    /// What is asked of the recorder before it runs.
    pub fn request(&self, env: &Env) -> Request {
        let action = match self {
            Exec::Argv(argv) => Action::Argv(argv.iter().map(|arg| Bytes::from(arg.as_os_str())).collect()),
            Exec::Line(line) => Action::Shell(bytes(line).to_vec()),
        };
        Request {
            session: session(),
            call: Some("1".to_string()),
            actor: attribution::actor_here(env),
            source: Source::Exec,
            cwd: current_dir(),
            background: false,
            answers: Answers::Nothing,
            action,
            env: env.clone(),
        }
    }

    /// Runs it on our terminal. `before` records it and sees the request; it is called before anything starts, and where it
    /// gives a reason nothing does. `after` records the ending. The result is the exit code to end with: where a
    /// signal ended the command, this process ends by the same signal and this does not return.
    ///
    /// # Errors
    /// Where the command could not be started: exit code 127 or 126 goes with it, as in shells.
    pub fn run(
        &self,
        env: &Env,
        before: impl FnOnce(&Request) -> Option<String>,
        after: impl FnOnce(&Ending),
    ) -> std::result::Result<u8, (u8, Error)> {
        let request = self.request(env);
        if let Some(why) = before(&request) {
            return Err((
                126,
                Error::failure(format!("not run: {why}")).hint("`fr contain --status` says who holds it"),
            ));
        }
        let ended = runner::run(&self.argv(), &[(INSIDE, std::process::id().to_string().into())]);
        let (outcome, duration, failure) = match ended {
            Ok(Ended { outcome, duration }) => (outcome, Some(duration), None),
            Err(cause) => {
                let code = if cause.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
                (Outcome::Exited { code: code.into() }, None, Some((code, cause)))
            }
        };
        after(&Ending {
            session: request.session,
            call: request.call,
            outcome,
            duration_ms: duration.and_then(|ran| u64::try_from(ran.as_millis()).ok()),
            note: failure.as_ref().map(|(_, cause)| cause.to_string().into_bytes()),
            action: None,
            edit: None,
            task: None,
        });
        match failure {
            None => Ok(runner::exit_code(outcome)),
            Some((code, cause)) => {
                let program = self.argv().first().map(|program| program.to_string_lossy().into_owned());
                let what = format!("cannot run {}: {cause}", program.unwrap_or_default());
                Err((code, Error::failure(what).hint("check the name and its permissions")))
            }
        }
    }

    fn argv(&self) -> Vec<OsString> {
        match self {
            Exec::Argv(argv) => argv.clone(),
            Exec::Line(line) => vec![runner::shell().into(), "-c".into(), line.clone()],
        }
    }
}

/// `exec-<pid>-<start>`: each run is a session of its own. The start (nanoseconds since 1970) tells reused process
/// ids apart.
fn session() -> String {
    let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("exec-{}-{start:x}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Exec> {
        Exec::parse(&args.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn forms() {
        assert_eq!(parse(&["-c", "ls | wc"]).unwrap(), Exec::Line("ls | wc".into()));
        assert_eq!(parse(&["--", "-c", "x"]).unwrap(), Exec::Argv(vec!["-c".into(), "x".into()]));
        assert_eq!(
            parse(&["rm", "-rf", "x"]).unwrap(),
            Exec::Argv(vec!["rm".into(), "-rf".into(), "x".into()])
        );
        for wrong in [&[][..], &["--"], &["-c"], &["-c", "a", "b"], &["--frobnicate", "x"]] {
            assert_eq!(parse(wrong).unwrap_err().code, ExitCode::Usage, "{wrong:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_reach_the_request() {
        use std::os::unix::ffi::OsStringExt;
        let name = OsString::from_vec(b"caf\xe9".to_vec());
        let exec = Exec::parse(&["rm".into(), name]).unwrap();
        let request = exec.request(&Env::new());
        assert_eq!(request.action, Action::Argv(vec!["rm".into(), Bytes(b"caf\xe9".to_vec())]));
    }

    #[test]
    fn endings_come_back() {
        let run = |line: &str| {
            let mut seen = Vec::new();
            let code = Exec::Line(line.into()).run(&Env::new(), |_| None, |ending| seen.push(ending.outcome));
            (code.map_err(|(code, _)| code), seen)
        };
        assert_eq!(run("exit 7"), (Ok(7), vec![Outcome::Exited { code: 7 }]));
        let missing = Exec::Argv(vec!["/nonexistent/program".into()]);
        let mut seen = None;
        let code = missing.run(&Env::new(), |_| None, |ending| seen = Some(ending.clone()));
        assert_eq!(code.unwrap_err().0, 127);
        assert_eq!(seen.unwrap().outcome, Outcome::Exited { code: 127 });
    }
}
