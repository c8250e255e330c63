//! What a line of shell will run: text in, invocations out. Nothing is executed; every step is bounded. What is not
//! understood is named in [`Understood::opaque`], never passed over.
//!
//! [`parse`] makes a syntax tree, [`walk`] goes through it as the shell would, [`word`] expands the words, [`wrap`]
//! peels off what runs another command.

mod ast;
mod brace;
mod builtin;
mod glob;
mod known;
pub mod options;
mod param;
mod parse;
mod readers;
mod scan;
mod state;
mod text;
mod walk;
mod word;
mod wrap;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

pub use readers::is_reader;
pub use wrap::find_starts;

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

/// Understands a line of shell.
pub fn understand(line: &[u8], cx: &ShellCx<'_>) -> Understood {
    let mut walker = walk::Walker::new(cx);
    walker.line(line);
    walker.finish()
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
