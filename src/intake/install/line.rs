//! The line that an agent runs for each event.
//!
//! It must not outlive its welcome: with the binary moved or gone, Copilot CLI and Gemini block every command on any
//! exit code that is not 0 (agents.md 1, measured). So it looks before it calls, it ends with 0 whatever `fr` or an
//! unrelated program called `fr` returns, and it prints nothing of its own.
//!
//! The binary's own path comes first: agents started from a desktop have another `PATH` than a terminal, and a `PATH`
//! with `.` in it must not make a repository's `./fr` a hook. Where that path is empty by now, `PATH` is asked.

use std::path::Path;

use super::agents::{Runner, Spec};
use crate::error::{Error, ExitCode, Result};

/// The variable that begins every line that `fr install` wrote; by it they are found again.
const MARK: &str = "FR_BIN=";
/// What stands before the path where it is an argument: the name that the shell goes by.
const ARGUMENT: &str = " fr-hook ";

/// The line for an agent's hook. Without a path (a file that is shared with others) only `PATH` is asked.
///
/// # Errors
/// Usage, where the path is not UTF-8: it could not stand in a JSON file.
pub fn hook_line(spec: &Spec, fr: Option<&Path>) -> Result<String> {
    let path = fr.map(text).transpose()?.map(quote);
    let wrapped = spec.runner == Runner::Unknown;
    let find = match &path {
        // A shell that we bring ourselves is given the path as an argument: quoting it twice, no two shells agree on.
        Some(path) => {
            let first = if wrapped { "$1" } else { path };
            format!(
                "{MARK}{first}; [ -f \"$FR_BIN\" ] && [ -x \"$FR_BIN\" ] || {MARK}$(command -v fr) || exit 0"
            )
        }
        None => format!("{MARK}$(command -v fr) || exit 0"),
    };
    let pass = if spec.runner == Runner::ShellPassingTwo { "; [ $? = 2 ] && exit 2" } else { "" };
    // An alias, a function or a relative path is not the program that we mean.
    let line = format!("{find}; case $FR_BIN in /*) \"$FR_BIN\" hook {}{pass};; esac; exit 0", spec.hook);
    Ok(match (wrapped, path) {
        (false, _) => line,
        (true, None) => format!("sh -c {}", quote(&line)),
        (true, Some(path)) => format!("sh -c {}{ARGUMENT}{path}", quote(&line)),
    })
}

/// A path as text.
///
/// # Errors
/// Usage, where it is not UTF-8.
pub fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        Error::new(ExitCode::Usage, format!("the path of fr is not UTF-8: {}", path.display()))
            .hint("install fr under a plain path")
    })
}

/// True for a line that `fr install` wrote.
pub fn is_ours(line: &str) -> bool {
    line.contains(MARK) && line.contains(" hook ")
}

/// True for exactly a line that `fr install` writes, and for nothing that only looks like one.
pub fn is_exactly_ours(line: &str) -> bool {
    if !is_ours(line) {
        return false;
    }
    let binary = binary_of(line).map(std::path::PathBuf::from);
    let same = |spec: &Spec| hook_line(spec, binary.as_deref()).is_ok_and(|ours| ours == line);
    super::agents::AGENTS.iter().any(same)
}

/// True for a line that calls `fr hook` and that somebody wrote by hand.
pub fn is_by_hand(line: &str) -> bool {
    !is_ours(line)
        && line.match_indices(" hook ").any(|(at, _)| {
            let before = line.get(..at).unwrap_or_default().trim_end_matches(['"', '\'']);
            before
                .strip_suffix("fr")
                .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-'))
        })
}

/// The path of the binary that a line of ours calls first; `None` where it asks `PATH` alone.
pub fn binary_of(line: &str) -> Option<String> {
    let word = match line.strip_prefix("sh -c ") {
        Some(rest) => rest.split_once(ARGUMENT)?.1,
        None => line.strip_prefix(MARK)?,
    };
    word.starts_with('\'').then(|| unquote(word))
}

/// One word of a POSIX shell, whatever is in it. fish reads it alike, unless there is a backslash in it.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The first word of what [`quote`] wrote.
pub fn unquote(word: &str) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some(open) = rest.strip_prefix('\'') {
        let Some((inside, after)) = open.split_once('\'') else { break };
        out.push_str(inside);
        rest = match after.strip_prefix(r"\'") {
            Some(more) => {
                out.push('\'');
                more
            }
            None => break,
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::install::agents;

    #[test]
    fn a_line_tells_its_binary_whatever_stands_in_the_path() {
        for path in ["/usr/bin/fr", "/o'dd pl\"ace/$HOME/fr", "/''/'fr'"] {
            for spec in agents::AGENTS {
                let line = hook_line(spec, Some(Path::new(path))).unwrap();
                assert_eq!(binary_of(&line).as_deref(), Some(path), "{line}");
                assert!(is_ours(&line) && !is_by_hand(&line), "{line}");
                assert!(is_exactly_ours(&line) && !is_exactly_ours(&format!("{line}; rm x")), "{line}");
            }
        }
        let shared = hook_line(&agents::AGENTS[0], None).unwrap();
        assert_eq!((binary_of(&shared), is_ours(&shared)), (None, true));
    }

    #[test]
    fn lines_by_hand_are_told_from_other_peoples() {
        for line in [
            "fr hook claude",
            "/usr/bin/fr hook claude",
            "command -v fr >/dev/null || exit 0; exec fr hook claude",
            "'/o dd/fr' hook claude",
        ] {
            assert!(is_by_hand(line), "{line}");
        }
        for line in ["surfer hook claude", "my-fr hook x", "fr timeline", "./hook fr", "hook "] {
            assert!(!is_by_hand(line) && !is_ours(line), "{line}");
        }
    }
}
