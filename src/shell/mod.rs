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
