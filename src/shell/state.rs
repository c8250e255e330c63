//! What the shell would know at one point of a line: directory, variables, functions, arguments.

use std::collections::HashMap;
use std::rc::Rc;

use super::ast::{Compound, Redir};
use crate::model::{Bytes, Stdin, Word};

/// The longest value that is followed, in bytes.
const MAX_VALUE: usize = 64 << 10;

/// A variable set by the line itself. The value is known where `certain`, else the text as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Var {
    /// The elements; a scalar has one.
    pub values: Vec<Value>,
    /// Children see it.
    pub exported: bool,
    /// An array.
    pub array: bool,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The text.
    pub text: String,
    /// It is what the shell will see.
    pub certain: bool,
}

/// The body of a function and the redirections after it.
pub type Function = Rc<(Compound, Vec<Redir>)>;

/// How the commands being walked are run: what was peeled off around them.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Wrappers, outermost first.
    pub wrappers: Vec<String>,
    /// Whom `sudo -u` names.
    pub user: Option<Word>,
    /// `ssh:prod`
    pub remote: Option<String>,
    /// Where more arguments come from.
    pub dynamic: Option<String>,
    /// The command whose whole output those are, as it is written.
    pub dynamic_from: Option<String>,
    /// The simple command at the other end of the pipe that it reads, as it is written.
    pub piped: Option<String>,
    /// The directories that those arguments are below, where the line names them (`find DIR -exec`).
    pub roots: Vec<Word>,
    /// Assignments before the command and those of `env`.
    pub env: Vec<(String, Option<Bytes>)>,
    /// What it reads.
    pub stdin: Stdin,
}

/// The state of one shell; a subshell gets a clone.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The directory; `None` after a `cd` that could not be followed.
    pub cwd: Option<String>,
    /// The `cd` that led there fails; see [`crate::model::Invocation::astray`].
    pub astray: bool,
    /// The directory that was not left by it, where the commands being walked run although it failed.
    pub instead: Option<String>,
    /// The one before.
    pub oldpwd: Option<String>,
    /// `pushd`'s stack.
    pub dirs: Vec<Option<String>>,
    /// Variables set by the line.
    pub vars: Rc<HashMap<String, Var>>,
    /// Functions defined by the line.
    pub functions: Rc<HashMap<String, Function>>,
    /// `$1`… where known.
    pub args: Option<Vec<Word>>,
    /// More than 0 inside what may or may not run.
    pub maybe: u32,
    /// An `exit` was certainly reached.
    pub stopped: bool,
    /// A command that fails ends the shell (`set -e`).
    pub errexit: bool,
    /// How its commands are run.
    pub frame: Frame,
}

impl Shell {
    /// A fresh shell in `cwd`.
    pub fn new(cwd: String) -> Shell {
        Shell {
            cwd: Some(cwd),
            astray: false,
            instead: None,
            oldpwd: None,
            dirs: Vec::new(),
            vars: Rc::default(),
            functions: Rc::default(),
            args: None,
            maybe: 0,
            stopped: false,
            errexit: false,
            frame: Frame::default(),
        }
    }

    /// Sets a scalar; an export stays one.
    pub fn set(&mut self, name: &str, value: Value) {
        self.set_all(name, vec![value], false);
    }

    /// Sets a variable to all its values.
    pub fn set_all(&mut self, name: &str, mut values: Vec<Value>, array: bool) {
        // `x+=$x` doubles it every time.
        for value in values.iter_mut().filter(|v| v.text.len() > MAX_VALUE) {
            *value = Value { text: format!("${name}"), certain: false };
        }
        let exported = self.vars.get(name).is_some_and(|v| v.exported);
        Rc::make_mut(&mut self.vars).insert(name.to_owned(), Var { values, exported, array });
    }

    /// Makes a variable's value unknown.
    pub fn forget(&mut self, name: &str) {
        self.set(name, Value { text: format!("${name}"), certain: false });
    }

    /// After something that may or may not have run: what differs from `before` is not known any more.
    pub fn merge(&mut self, before: &Shell) {
        if self.cwd != before.cwd {
            // Where it was is one of the places where it may be.
            self.instead = before.cwd.clone().or_else(|| before.instead.clone());
            self.cwd = None;
        }
        if Rc::ptr_eq(&self.vars, &before.vars) {
            return;
        }
        let changed: Vec<String> = self
            .vars
            .iter()
            .filter(|(name, var)| before.vars.get(*name).is_some_and(|old| old.values != var.values))
            .map(|(name, _)| name.clone())
            .collect();
        // A variable that was not set before the branch keeps the branch's text, but not as a certainty.
        let fresh: Vec<String> =
            self.vars.keys().filter(|name| !before.vars.contains_key(*name)).cloned().collect();
        for name in changed {
            self.forget(&name);
        }
        for name in fresh {
            if let Some(var) = Rc::make_mut(&mut self.vars).get_mut(&name) {
                var.values.iter_mut().for_each(|v| v.certain = false);
            }
        }
    }
}
