//! What a session runs: statements, scripts and those that they read in turn.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Bytes, EffectClass, Missing, Reversibility};
use crate::sql::{self, Act, Dialect, Touch};

/// How deep scripts may read scripts, and how long one may be.
const DEPTH: usize = 8;
const LONGEST: u64 = 16 << 20;

/// A part of what a session runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Its text.
    Text(String),
    /// A file that holds it.
    File(String),
    /// An archive that is restored.
    Archive(String),
    /// A database that goes or is made.
    Database {
        /// Its name.
        name: String,
        /// It goes.
        dropped: bool,
    },
    /// Rows of a file are put into a table; `emptied`: after all others were taken out.
    Table {
        /// Which.
        name: String,
        /// Its rows go first.
        emptied: bool,
    },
    /// It comes from another program.
    Unknown,
}

/// What is not told by the words.
pub struct Reading<'a> {
    /// Where relative paths start.
    pub dir: &'a Path,
    /// Whose SQL it is.
    pub dialect: Dialect,
    /// What is not read.
    pub missing: &'a mut Vec<Missing>,
}

impl Reading<'_> {
    /// What the session will do, scripts included. `archive`: what restoring one does.
    pub fn acts(&mut self, inputs: &[Input], archive: &dyn Fn(&str) -> Result<Vec<Act>>) -> Vec<Act> {
        let mut text = String::new();
        let mut acts = Vec::new();
        for input in inputs {
            match input {
                Input::Text(part) => text.push_str(part),
                Input::File(path) => match read(&self.dir.join(path)) {
                    Ok(part) => text.push_str(&part),
                    Err(e) => self.miss(path.as_str().into(), e.what),
                },
                Input::Archive(path) => match archive(path) {
                    Ok(more) => acts.extend(more),
                    Err(e) => self.miss(path.as_str().into(), e.what),
                },
                Input::Database { name, dropped } => {
                    let touch = Touch::Database { name: name.clone(), dropped: *dropped };
                    acts.push(Act::new(EffectClass::Destroy, "", Reversibility::Recreate, touch));
                }
                Input::Table { name, emptied } => {
                    let name = sql::Name::plain(name);
                    match emptied {
                        true => acts.push(sql::overwritten(&name)),
                        false => acts.push(Act::added(&name, None)),
                    }
                }
                Input::Unknown => acts.push(Act::anything("statements from another program")),
            }
            text.push_str("\n;\n");
        }
        let dir = self.dir.to_owned();
        acts.extend(self.included(&text, &dir, DEPTH));
        acts
    }

    /// Acts of a script and of those that it reads. `own`: where it lies.
    fn included(&mut self, text: &str, own: &Path, depth: usize) -> Vec<Act> {
        let reading = sql::read(text, self.dialect);
        let mut acts = reading.acts;
        for include in reading.includes {
            let path: PathBuf =
                if include.beside { own.join(&include.path) } else { self.dir.join(&include.path) };
            match read(&path) {
                Ok(more) if depth > 0 => {
                    let beside = path.parent().unwrap_or(own).to_path_buf();
                    acts.extend(self.included(&more, &beside, depth - 1));
                }
                Ok(_) => self.miss(path.as_path().into(), "scripts that read scripts too deep".to_owned()),
                Err(e) => self.miss(path.as_path().into(), e.what),
            }
        }
        acts
    }

    fn miss(&mut self, what: Bytes, why: String) {
        self.missing.push(Missing { what, why });
    }
}

fn read(path: &Path) -> Result<String> {
    let failed = |e: std::io::Error| Error::io("read", path, &e);
    let meta = std::fs::metadata(path).map_err(failed)?;
    if !meta.is_file() {
        return Err(Error::failure("it is no plain file, so it was not read beforehand"));
    }
    if meta.len() > LONGEST {
        return Err(Error::failure("it is too long to be read beforehand"));
    }
    Ok(String::from_utf8_lossy(&std::fs::read(path).map_err(failed)?).into_owned())
}
