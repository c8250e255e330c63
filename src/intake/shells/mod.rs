//! People's shells: the integration scripts that `fr init` prints, and what they report back.
//!
//! The scripts call `fr hook shell before SESSION CALL` with the line on standard input, wait for it, and afterwards
//! `fr hook shell after SESSION CALL CODE MILLISECONDS`. CALL counts the lines of a prompt; it is `whole` for a script or
//! `-c`, of which there is one in a shell. `docs/shells.md` says what they promise and what they miss.

mod wrapped;

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

use super::agents::payload;
use super::{Action, Ending, Env, Happening, Malformed, Request, attribution, bytes, current_dir, text};
use crate::error::{Error, ExitCode, Result};
use crate::model::{Answers, Outcome, Source};

/// The shells that `fr` integrates with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// bash 4.4 or later.
    Bash,
    /// zsh 5.
    Zsh,
    /// fish 3.
    Fish,
}

impl Shell {
    /// All of them.
    pub const ALL: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

    /// Its name, as `fr init` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Shell::Bash => include_str!("bash.sh"),
            Shell::Zsh => include_str!("zsh.zsh"),
            Shell::Fish => include_str!("fish.fish"),
        }
    }
}

/// The call of a script or `-c`.
const WHOLE: &str = "whole";

/// What stands in the scripts for the quoted path of the binary.
const BINARY: &str = "@FR@";

/// The integration script of a shell. It calls `binary`, which must be absolute: `PATH` may change later.
///
/// # Errors
/// Usage, where the path is not UTF-8.
pub fn script(shell: Shell, binary: &Path) -> Result<String> {
    Ok(shell.script().replace(BINARY, &quoted(binary)?))
}

/// A line that puts `dir` first on PATH where it is not on it yet.
///
/// # Errors
/// Usage, where the path is not UTF-8.
pub fn path_line(shell: Shell, dir: &Path) -> Result<String> {
    let dir = quoted(dir)?;
    Ok(match shell {
        Shell::Bash | Shell::Zsh => {
            format!("case \":${{PATH-}}:\" in *:{dir}:*) ;; *) PATH={dir}\"${{PATH:+:$PATH}}\" ;; esac\n")
        }
        Shell::Fish => format!("contains -- {dir} $PATH; or set -gx PATH {dir} $PATH\n"),
    })
}

fn quoted(path: &Path) -> Result<String> {
    let path = path.to_str().ok_or_else(|| {
        Error::new(ExitCode::Usage, format!("the path of fr is not UTF-8: {}", path.display()))
            .hint("install fr under a plain path")
    })?;
    // One form of quoting that bash, zsh and fish read alike.
    Ok(format!("'{}'", path.replace('\\', r"'\\'").replace('\'', r"'\''")))
}

/// Understands what a script reports. `args` are the words behind `fr hook shell`.
pub fn hook(args: &[OsString], stdin: impl Read, env: &Env) -> Happening {
    let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        ["before", session, call] => match payload::read(stdin) {
            Ok(line) => match without_newline(line) {
                line if *call == WHOLE && wrapped::is_hook(&line) => Happening::Ignore,
                line if *call == WHOLE => {
                    before(session, call, Action::Shell(wrapped::command(&line, env)), env)
                }
                line => before(session, call, Action::Shell(line), env),
            },
            Err(malformed) => Happening::Malformed(malformed),
        },
        // The shell keeps the line from us as well as from its history: something runs, and that is all we know.
        ["before", session, call, "hidden"] => {
            let raw = br#"{"line":"kept out of the shell's history"}"#.to_vec();
            before(session, call, Action::OtherTool { name: "shell".to_string(), raw }, env)
        }
        ["after", session, call, code, milliseconds] => Happening::After(Ending {
            session: (*session).to_string(),
            call: Some(call_id(call, env)),
            outcome: code.parse().map_or(Outcome::Unknown, |code| Outcome::Exited { code }),
            duration_ms: milliseconds.parse().ok(),
            note: None,
            action: None,
            edit: None,
            task: None,
        }),
        _ => {
            let came = args.iter().map(|arg| bytes(arg)).collect::<Vec<_>>().join(&b' ');
            let hint = "print the integration again with `fr init` and start a new shell";
            Happening::Malformed(Malformed::new("malformed report of a shell", hint, &came))
        }
    }
}

fn before(session: &str, call: &str, action: Action, env: &Env) -> Happening {
    if matches!(&action, Action::Shell(line) if line.iter().all(u8::is_ascii_whitespace)) {
        return Happening::Ignore;
    }
    Happening::Before(Box::new(Request {
        session: session.to_string(),
        call: Some(call_id(call, env)),
        actor: attribution::actor(env),
        source: Source::Shell,
        cwd: current_dir(),
        background: false,
        answers: Answers::Nothing,
        action,
        env: env.clone(),
    }))
}

/// The call as recorded. Codex tells its commands the `tool_use_id` that its hook names (agents.md 9); lines typed into a
/// shell that such a call has started are calls of their own.
fn call_id(call: &str, env: &Env) -> String {
    let named = if call == WHOLE { text(env, "CODEX_TOOL_CALL_ID") } else { None };
    named.unwrap_or(call).to_string()
}

/// bash's here-strings end with a newline that nobody typed.
fn without_newline(mut line: Vec<u8>) -> Vec<u8> {
    if line.ends_with(b"\n") {
        line.pop();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn reports_are_understood() {
        let env = Env::from([("USER".to_string(), "ann".into())]);
        let Happening::Before(request) =
            hook(&args(&["before", "shell-1-2", "3"]), &b"rm caf\xe9\n"[..], &env)
        else {
            panic!("no request")
        };
        assert_eq!(request.action, Action::Shell(b"rm caf\xe9".to_vec()));
        assert_eq!((request.actor.name.as_str(), request.source), ("ann", Source::Shell));
        let Happening::After(ending) = hook(&args(&["after", "s", "3", "130", "12"]), &b""[..], &env) else {
            panic!("no ending")
        };
        assert_eq!((ending.outcome, ending.duration_ms), (Outcome::Exited { code: 130 }, Some(12)));
        assert_eq!(hook(&args(&["before", "s", "1"]), &b" \n"[..], &env), Happening::Ignore);
        assert!(matches!(hook(&args(&["befor"]), &b""[..], &env), Happening::Malformed(_)));
    }

    #[test]
    fn a_whole_carries_the_call_of_codex_and_a_typed_line_its_own() {
        let env = Env::from([("CODEX_TOOL_CALL_ID".to_string(), "exec-7".into())]);
        let call = |call: &str| match hook(&args(&["before", "s", call]), &b"ls"[..], &env) {
            Happening::Before(request) => request.call.unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!((call(WHOLE).as_str(), call("3").as_str()), ("exec-7", "3"));
        let Happening::After(ending) = hook(&args(&["after", "s", WHOLE, "1", "12"]), &b""[..], &env) else {
            panic!("no ending")
        };
        assert_eq!(ending.call.as_deref(), Some("exec-7"));
    }

    #[test]
    fn the_path_is_quoted_for_every_shell() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(shell, Path::new("/o'dd/fr")).unwrap();
            assert!(script.contains(r"'/o'\''dd/fr'") && !script.contains(BINARY), "{shell:?}");
        }
    }
}
