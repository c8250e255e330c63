//! What a line of shell will run: text in, invocations out. Nothing is executed; every step is bounded. What is not
//! understood is named in [`Understood::opaque`], never passed over.
//!
//! [`parse`] makes a syntax tree, [`walk`] goes through it as the shell would, [`word`] expands the words, [`wrap`]
//! peels off what runs another command.

mod ast;
mod brace;
mod builtin;
mod flow;
mod glob;
mod known;
pub mod options;
mod param;
mod parse;
mod readers;
mod salvage;
mod scan;
mod simple;
mod state;
mod text;
mod walk;
mod word;
mod wrap;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

pub use readers::is_reader;
pub use wrap::{find_starts, find_values};

use crate::model::{Bytes, Invocation, Word};

/// What is known of the shell that will run the line.
#[derive(Clone, Copy)]
pub struct ShellCx<'a> {
    /// Its directory, absolute.
    pub cwd: &'a Bytes,
    /// Its environment.
    pub env: &'a BTreeMap<String, Bytes>,
    /// The user's home directory, for `~` where `HOME` is not set.
    pub home: Option<&'a Path>,
    /// Globs may be expanded by looking at the file system.
    pub globs: bool,
    /// When to give up.
    pub deadline: Option<Instant>,
}

/// What a line will run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Understood {
    /// The directory it starts in: what relative resources are relative to.
    pub cwd: Bytes,
    /// Its simple commands, in order, as if every branch ran.
    pub invocations: Vec<Invocation>,
    /// Reasons why something was not understood. Not empty: anything may happen.
    pub opaque: Vec<String>,
}

/// Lines longer than this, or with more bytes that may open a level of nesting, get a stack of their own.
const INLINE_LENGTH: usize = 256;
const INLINE_NESTING: usize = 12;
/// That stack. Only what is touched is ever allocated.
const STACK: usize = 128 << 20;

/// Understands a line of shell.
pub fn understand(line: &[u8], cx: &ShellCx<'_>) -> Understood {
    if line.len() > parse::MAX_LINE {
        let opaque = vec![format!("longer than {} bytes", parse::MAX_LINE)];
        return Understood { cwd: cx.cwd.clone(), opaque, ..Understood::default() };
    }
    let walk = || {
        let mut walker = walk::Walker::new(cx);
        walker.line(line);
        walker.finish()
    };
    let openers = line.iter().filter(|c| matches!(c, b'(' | b'{' | b'`' | b'$' | b';')).count();
    if openers <= INLINE_NESTING && line.len() <= INLINE_LENGTH {
        return walk();
    }
    let deep = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, walk);
        thread.ok().and_then(|t| t.join().ok())
    });
    deep.unwrap_or_else(|| Understood {
        cwd: cx.cwd.clone(),
        opaque: vec!["no thread to understand it on".to_owned()],
        ..Understood::default()
    })
}

/// Understands an argv that is executed without a shell: only wrappers are peeled.
pub fn from_argv(argv: &[Bytes], cx: &ShellCx<'_>) -> Understood {
    let mut walker = walk::Walker::new(cx);
    walker.argv(argv.iter().cloned().map(Word::literal).collect());
    walker.finish()
}

/// True for the name of a variable.
fn word_is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_')
        && bytes.all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{ShellCx, Understood, from_argv, understand};
    use crate::model::{Bytes, Stdin};

    fn look(cwd: &std::path::Path, line: &str) -> Understood {
        let env = BTreeMap::from([("NAME".to_owned(), Bytes::from("v w"))]);
        let cwd = Bytes::from(cwd);
        understand(
            line.as_bytes(),
            &ShellCx { cwd: &cwd, env: &env, home: None, globs: true, deadline: None },
        )
    }

    fn argv(u: &Understood, at: usize) -> Vec<String> {
        u.invocations[at].argv.iter().map(|w| w.text.lossy().into_owned()).collect()
    }

    #[test]
    fn globs_become_names_and_those_without_a_match_stay() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.log", "b.log", "x y.log"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let u = look(dir.path(), "rm *.log *.none");
        assert_eq!(argv(&u, 0), ["rm", "a.log", "b.log", "x y.log", "*.none"]);
        let last = u.invocations[0].argv.last().unwrap();
        assert!(last.certain && last.glob);
        let after_a_change = look(dir.path(), "make; rm *.none");
        assert!(!after_a_change.invocations[1].argv[1].certain);
        assert!(after_a_change.invocations[1].stale_risk);
    }

    #[test]
    fn behind_a_cd_that_fails_it_is_known_what_runs_and_where() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("sub/x")).unwrap();
        let runs = |line: &str, at: usize| {
            let inv = look(dir.path(), line).invocations[at].clone();
            let name = |path: Bytes| {
                let below = path.as_path().strip_prefix(dir.path()).map(|p| p.display().to_string());
                below.unwrap_or_else(|_| path.lossy().into_owned())
            };
            (inv.astray, inv.cwd.map(name).unwrap_or_default(), inv.instead.map(name))
        };
        let here = Some(String::new());
        assert_eq!(runs("cd no && rm a", 1), (true, "no".into(), None));
        assert_eq!(runs("cd no && rm a || rm b", 2), (true, "no".into(), here.clone()));
        assert_eq!(runs("cd no && rm a\nrm b", 1), (true, "no".into(), None));
        assert_eq!(runs("cd no && rm a\nrm b", 2), (true, "no".into(), here.clone()));
        assert_eq!(runs("cd no && cd on && rm a\nrm b", 3), (true, "no/on".into(), here.clone()));
        assert_eq!(runs("cd no && rm a\ncd sub && rm b", 3), (true, "no/sub".into(), Some("sub".into())));
        assert_eq!(runs("cd no && rm a\ncd /etc && rm b", 3), (false, "/etc".into(), None));
        assert_eq!(runs("cd no; rm b", 1), (false, "".into(), None));
        assert_eq!(runs("(cd no && rm a); rm b", 2), (false, "".into(), None));
        assert_eq!(runs("cd sub && rm a\nrm b", 2), (false, "sub".into(), None));
        assert_eq!(runs("cd no || exit 1; rm b", 2), (true, "no".into(), None));
        assert_eq!(runs("cd no || { echo; exit 1; }\nrm b", 3), (true, "no".into(), None));
        assert_eq!(runs("cd no || { echo; exit 1; } || rm a\nrm b", 4), (true, "no".into(), None));
        // Something before it may have made the directory.
        assert_eq!(runs("make && cd no && rm a || rm b", 3), (false, "no".into(), None));
    }

    #[test]
    fn a_cd_that_fails_stays() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        let here = Some(Bytes::from(dir.path()));
        assert_eq!(look(dir.path(), "cd nowhere; rm x").invocations[1].cwd, here);
        assert_eq!(
            look(dir.path(), "cd sub; rm x").invocations[1].cwd,
            Some(Bytes::from(dir.path().join("sub")))
        );
        let guarded = look(dir.path(), "cd nowhere && rm x");
        assert_eq!(guarded.invocations[1].cwd, Some(Bytes::from(dir.path().join("nowhere"))));
    }

    #[test]
    fn words_split_as_in_bash() {
        let dir = tempfile::tempdir().unwrap();
        let u = look(
            dir.path(),
            r#"a $NAME "$NAME" ${NAME#v } ${NAME%% *} ${#NAME} $((1 + 2)) ${NAME/v/z} '$NAME' \$x "" ${NAME:+y}"#,
        );
        assert_eq!(argv(&u, 0), ["a", "v", "w", "v w", "w", "v", "3", "3", "z", "w", "$NAME", "$x", "", "y"]);
    }

    #[test]
    fn wrappers_stdin_and_environment_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let u = look(dir.path(), "export A=1; B=2 sudo -u x env C=3 nice -n 5 tool <<< text");
        let tool = u.invocations.last().unwrap();
        assert_eq!(tool.wrappers, ["sudo", "env", "nice"]);
        assert_eq!(tool.program(), Some("tool"));
        for (name, value) in [("A", "1"), ("B", "2"), ("C", "3")] {
            assert_eq!(tool.env_value(name), Some(&Bytes::from(value)));
        }
        assert!(matches!(&tool.stdin, Stdin::Text(w) if w.text.as_slice() == b"text"));
    }

    #[test]
    fn an_argv_is_not_expanded() {
        let env = BTreeMap::new();
        let cwd = Bytes::from("/");
        let cx = ShellCx { cwd: &cwd, env: &env, home: None, globs: true, deadline: None };
        let words: Vec<Bytes> = ["sudo", "rm", "-rf", "*", "$HOME"].map(Bytes::from).into();
        let u = from_argv(&words, &cx);
        assert_eq!(argv(&u, 0), ["rm", "-rf", "*", "$HOME"]);
        assert_eq!(u.invocations[0].wrappers, ["sudo"]);
        let words: Vec<Bytes> = ["sh", "-c", "rm x; rm y"].map(Bytes::from).into();
        assert_eq!(from_argv(&words, &cx).invocations.len(), 2);
    }
}
