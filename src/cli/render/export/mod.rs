//! What is on record in the formats of others, oldest first (`docs/export.md` has each mapping). A format gets events and gaps
//! one after the other and gives text for each: nothing is held in memory but what is open.

mod asciicast;
mod csv;
mod jsonl;
mod ocsf;
mod otlp;

use crate::error::{Error, Result};
use crate::journal::index::Event;
use crate::model::{EventKind, Gap};

/// One thing that is exported.
#[derive(Clone, Copy)]
pub enum Item<'a> {
    /// An event.
    Event(&'a Event),
    /// Something was not recorded as it should have been.
    Gap(&'a Gap),
}

impl Item<'_> {
    /// When it was, nanoseconds since 1970.
    pub fn at_ns(&self) -> i64 {
        match self {
            Item::Event(event) => event.before.at_ns,
            Item::Gap(gap) => gap.at_ns,
        }
    }
}

/// A format of others.
pub trait Format {
    /// What stands before the first item.
    fn begin(&mut self) -> Result<String> {
        Ok(String::new())
    }

    /// One item.
    fn item(&mut self, item: Item<'_>) -> Result<String>;

    /// What stands behind the last one.
    fn end(&mut self) -> Result<String> {
        Ok(String::new())
    }
}

/// The formats there are, by name.
pub fn format(name: FormatName) -> Box<dyn Format> {
    match name {
        FormatName::Jsonl => Box::new(jsonl::Jsonl),
        FormatName::Ocsf => Box::new(ocsf::Ocsf::here()),
        FormatName::Otlp => Box::new(otlp::Otlp::here()),
        FormatName::Csv => Box::new(csv::Csv),
        FormatName::Asciicast => Box::new(asciicast::Asciicast::default()),
    }
}

/// The names of the formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FormatName {
    /// A JSON object a line: the record itself.
    Jsonl,
    /// Open Cybersecurity Schema Framework: Process Activity and others, a JSON object a line.
    Ocsf,
    /// OpenTelemetry logs as OTLP/JSON, a batch a line.
    Otlp,
    /// Comma-separated values (RFC 4180).
    Csv,
    /// A terminal recording to play back (asciicast v2).
    Asciicast,
}

/// One line of JSON.
fn line(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map(|text| text + "\n")
        .map_err(|e| Error::failure(format!("cannot render JSON: {e}")))
}

/// The name of this machine; empty where it has none.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The kind of an event as a word: `command`, `undo`, `contain`, …
fn kind_word(kind: &EventKind) -> String {
    let value = serde_json::to_value(kind).unwrap_or_default();
    value.get("kind").and_then(|word| word.as_str()).unwrap_or("event").to_owned()
}
