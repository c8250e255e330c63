//! One simple command after parsing: what a system assesses.

use serde::{Deserialize, Serialize};

use super::Bytes;

/// One word of a command after expansion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// The value where it is certain; else the text as written, unquoted as far as that is known.
    pub text: Bytes,
    /// Everything in it was resolved: no open variable, substitution or glob.
    pub certain: bool,
    /// It holds an unquoted glob that was not (or could not be) expanded.
    pub glob: bool,
}

impl Word {
    /// A literal word.
    pub fn literal(text: impl Into<Bytes>) -> Word {
        Word { text: text.into(), certain: true, glob: false }
    }

    /// The text where it is certain and UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        if self.certain { self.text.as_str() } else { None }
    }
}

/// How a redirection opens its target. Reading ones and duplications are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RedirectMode {
    /// `>`, `>|`, `&>`: the old content is lost.
    Truncate,
    /// `>>`, `&>>`.
    Append,
    /// `<>`: opened for reading and writing, not truncated.
    ReadWrite,
}

/// A redirection that writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// How it opens the file.
    pub mode: RedirectMode,
    /// The file.
    pub target: Word,
}

/// What a command reads on its standard input, as far as the text tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stdin {
    /// Not redirected.
    #[default]
    Inherited,
    /// A here-document or here-string, expanded as far as it is certain.
    Text(Word),
    /// A file (`< f`).
    File(Word),
    /// The output of the pipeline's earlier commands, which is not known.
    Pipe,
}

/// One simple command with its wrappers (`sudo`, `env`, `xargs`, `bash -c` …) peeled off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// Command word and arguments; never empty unless the command is only redirections or assignments.
    pub argv: Vec<Word>,
    /// The absolute directory it runs in; `None` where an earlier `cd` could not be resolved.
    pub cwd: Option<Bytes>,
    /// Assignments that precede it, and those that `env`/`export` set: last one wins. `None` value: set, not known.
    pub env: Vec<(String, Option<Bytes>)>,
    /// Redirections that write.
    pub redirects: Vec<Redirect>,
    /// Its standard input.
    pub stdin: Stdin,
    /// Wrappers that were peeled, outermost first: `["sudo", "env"]`.
    pub wrappers: Vec<String>,
    /// Whom `sudo -u` names: it runs as that user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Word>,
    /// It runs on another machine or in a container: `ssh:prod`, `docker:web`. Its paths are not ours.
    pub remote: Option<String>,
    /// More arguments arrive at run time (xargs, `find -exec {}`, `parallel`): how to resolve them.
    pub dynamic_args: Option<String>,
    /// The command whose whole output those arguments are, as it is written (`docker ps -aq | xargs …`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic_from: Option<String>,
    /// The directories that those arguments are below, as `find` was given them; empty where that is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic_roots: Vec<Word>,
    /// An earlier part of the line may have changed what it acts on.
    pub stale_risk: bool,
    /// The `cd` before it fails: what it names is not there, and nothing earlier in the line can have made it. So it does not
    /// run in its `cwd`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub astray: bool,
    /// Where it runs instead, if it runs then at all (`cd nowhere || …`, `cd nowhere && …; …`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<Bytes>,
}

impl Invocation {
    /// The command's base name (`/bin/rm` is `rm`), where the command word is certain and UTF-8.
    pub fn program(&self) -> Option<&str> {
        let word = self.argv.first()?.as_str()?;
        Some(word.rsplit('/').next().unwrap_or(word))
    }

    /// The arguments after the command word.
    pub fn args(&self) -> &[Word] {
        self.argv.get(1..).unwrap_or_default()
    }

    /// The value of an environment assignment of this command, where it is known.
    pub fn env_value(&self, name: &str) -> Option<&Bytes> {
        self.env.iter().rev().find(|(n, _)| n == name).and_then(|(_, v)| v.as_ref())
    }
}
