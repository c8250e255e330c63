//! One file's edit: our part put in, our part taken out, whatever kind of file it is.

use serde::{Deserialize, Serialize};

use super::agents::{JsonShape, Shape, Spec};
use super::codex::{self, Trust};
use super::record::Record;
use super::{agents, block, json};
use crate::error::{Error, Result};

/// How our part stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Elements of the `hooks` of a JSON file.
    Json,
    /// The whole file.
    Plugin,
    /// A block in a shell's start-up file, or in git's configuration.
    Block,
    /// Trusted hashes in Codex's `config.toml`.
    Trust,
}

/// What is to be put into a file.
pub enum Edit {
    /// Hooks that run a line.
    Json(&'static Spec, JsonShape, String),
    /// A plugin's text.
    Plugin(String),
    /// A block.
    Block(String),
    /// Trusted hashes.
    Trust(Vec<Trust>),
}

/// The first words of a plugin that we wrote.
pub(super) const PLUGIN_MARK: &str = "// fr install wrote this file";

impl Edit {
    /// How it stands in the file.
    pub fn kind(&self) -> Kind {
        match self {
            Edit::Json(..) => Kind::Json,
            Edit::Plugin(_) => Kind::Plugin,
            Edit::Block(_) => Kind::Block,
            Edit::Trust(_) => Kind::Trust,
        }
    }

    /// The file's text with it.
    pub fn insert(&self, text: &str) -> Result<String> {
        match self {
            Edit::Json(spec, shape, line) => json::insert(text, spec, shape, line),
            Edit::Plugin(plugin) if text.is_empty() || text.starts_with(PLUGIN_MARK) => Ok(plugin.clone()),
            Edit::Plugin(_) => Err(Error::failure("a file that fr did not write is in its place")
                .hint("move it away, then run this again")),
            Edit::Block(block) => block::insert(text, block),
            Edit::Trust(trust) => codex::insert(text, trust),
        }
    }
}

/// The file as it would be without us; `None` where there would be none.
///
/// Where nothing else changed since we wrote it, that is the file as it was, byte for byte. Else our part is taken out
/// of what is there now. First by a three-way merge, which gives back the old bytes of everything that nobody touched;
/// that counts only where it means the same as the careful way, which edits the syntax tree.
pub fn without_us(
    kind: Kind,
    spec: Option<&Spec>,
    now: &[u8],
    record: Option<&Record>,
) -> Result<Option<Vec<u8>>> {
    if let Some(record) = record.filter(|record| record.written == now) {
        return Ok(record.original.clone());
    }
    let text = std::str::from_utf8(now).map_err(|_| Error::failure("it is not UTF-8"))?;
    let before = record.and_then(|r| std::str::from_utf8(r.original.as_deref().unwrap_or_default()).ok());
    let written = record.and_then(|r| std::str::from_utf8(&r.written).ok());
    let careful = take_out(kind, spec, text, before, written)?;
    if careful == text {
        return Ok(Some(now.to_vec()));
    }
    let merged = before.zip(written).and_then(|(before, written)| diffy::merge(written, text, before).ok());
    let left = merged.filter(|merged| same(kind, merged, &careful)).unwrap_or(careful);
    // A file with a name that only we give needs no record to be known as ours.
    let made_by_us = match record {
        Some(record) => record.original.is_none(),
        None => kind == Kind::Plugin || spec.is_some_and(|spec| spec.file.ends_with("fr.json")),
    };
    let nothing = match kind {
        Kind::Json => json::holds_nothing(&left),
        _ => left.trim().is_empty(),
    };
    Ok(if made_by_us && nothing { None } else { Some(left.into_bytes()) })
}

fn take_out(
    kind: Kind,
    spec: Option<&Spec>,
    text: &str,
    before: Option<&str>,
    written: Option<&str>,
) -> Result<String> {
    match kind {
        Kind::Json => match spec.map(|spec| spec.shape) {
            Some(Shape::Json(shape)) => json::remove(text, &shape, before),
            _ => Err(Error::failure("no agent is known that has hooks in it")),
        },
        Kind::Plugin if text.starts_with(PLUGIN_MARK) => Ok(String::new()),
        Kind::Plugin => Ok(text.to_string()),
        Kind::Block => block::remove(text),
        // Without a record nothing tells our consent from the user's.
        Kind::Trust => match before.zip(written) {
            Some((before, written)) => codex::remove(text, before, written),
            None => Ok(text.to_string()),
        },
    }
}

/// True where two texts mean the same.
fn same(kind: Kind, one: &str, other: &str) -> bool {
    match kind {
        Kind::Json => matches!((json::value(one), json::value(other)), (Ok(one), Ok(other)) if one == other),
        Kind::Trust => {
            let value = |text: &str| text.parse::<toml::Table>().ok();
            value(one).is_some() && value(one) == value(other)
        }
        // The last newline may have been ours.
        Kind::Plugin | Kind::Block => one.trim_end() == other.trim_end(),
    }
}

/// The agent whose hooks a record is about.
pub fn spec_of(record: &Record) -> Option<&'static Spec> {
    record.agents.iter().find_map(|name| agents::find(name))
}
