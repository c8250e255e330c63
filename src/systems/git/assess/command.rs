//! A git command while it is read: its words, and the effects that its reader adds.

use crate::model::{Bytes, Effect, EffectClass, Reversibility, SystemId, Word};
use crate::shell::options::{Options, Spec, read};

/// A git command being read.
pub struct Git<'a> {
    /// The sub-command.
    pub verb: String,
    /// Its arguments.
    pub args: Vec<Word>,
    /// `-c` settings.
    pub settings: Vec<(String, String)>,
    /// Arguments arrive at run time.
    pub dynamic: Option<&'a str>,
    /// The directory of `-C`, as written.
    pub(super) dir: String,
    /// Where git runs; empty where it is not known.
    pub(super) at: Bytes,
    /// The user's home.
    pub(super) home: Option<std::path::PathBuf>,
    /// Trees outside of what the repository's own captures cover (`FILES`).
    pub(super) files: Vec<Vec<u8>>,
    /// What it will do.
    pub(super) effects: Vec<Effect>,
}

impl Git<'_> {
    /// Adds an effect on a resource.
    pub fn add(&mut self, class: EffectClass, resource: impl Into<Vec<u8>>) {
        let resource = Bytes(resource.into());
        let certain = !resource.as_slice().starts_with(b"dyn:");
        self.effects.push(Effect {
            system: SystemId::new("git"),
            class,
            resource,
            reversibility: Reversibility::Exact,
            certain,
            locator: None,
        });
    }

    /// Adds an effect on a ref of this repository.
    pub fn local(&mut self, class: EffectClass, name: &str) {
        self.add(class, format!("git:local/{name}"));
    }

    /// Adds an effect on a path, as written, seen from where the command was typed.
    pub fn path(&mut self, class: EffectClass, word: &Word) {
        if !word.certain {
            let how = if word.glob { "glob " } else { "" };
            self.add(class, format!("dyn:{how}{}", word.text.lossy()));
            return;
        }
        let text = word.text.as_slice();
        if self.dir.is_empty() || text.starts_with(b"/") {
            self.add(class, [b"path:", text].concat());
        } else {
            self.add(class, [b"path:", self.dir.as_bytes(), b"/", text].concat());
        }
    }

    /// Adds an effect on a path that neither the repository nor its working tree covers, and has it captured as a file
    /// or tree. With `new`, only where nothing is there: a capture of what is made, not of what happens in it.
    pub fn tree(&mut self, class: EffectClass, word: &Word, new: bool) {
        self.path(class, word);
        if word.certain {
            self.also(word.text.as_slice(), new);
        }
    }

    /// Has a path captured as a file or tree; `~/` is the user's home, `$GIT/` the shared git directory.
    pub fn also(&mut self, path: &[u8], new: bool) {
        let full = match path.strip_prefix(b"~/") {
            Some(rest) => self.home.as_ref().map(|home| Bytes::from(home.as_path()).join(rest).0),
            None if path.starts_with(b"/") || path.starts_with(b"$GIT/") => Some(path.to_vec()),
            None => (!self.at.is_empty()).then(|| self.at.join(path).0),
        };
        let mark: &[u8] = if new { b"new:" } else { b"" };
        self.files.extend(full.map(|full| [mark, &full].concat()));
    }

    /// Paths of which `.` and pathspecs stand for whatever is modified below them.
    pub fn paths(&mut self, class: EffectClass, words: &[&Word], what: &str) {
        for word in words {
            match word.as_str() {
                Some(".") | Some("./") => self.add(class, format!("dyn:{what} under .")),
                Some(spec) if spec.starts_with(':') || spec.contains('*') => {
                    self.add(class, format!("dyn:{what} matching {spec}"))
                }
                _ => self.path(class, word),
            }
        }
    }

    /// Reads the sub-command's options.
    pub fn options(&self, spec: &Spec) -> Options<'_> {
        read(spec, &self.args)
    }

    /// A `-c` setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().rev().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}
