//! From a file's text to a playbook. The text may come from anybody: its size, its depth and its aliases are bounded.

use super::format::Playbook;
use crate::error::{Error, Result};
use crate::platform::yaml;

/// The largest file, bytes: the shipped ones have 8 KiB at most.
pub const LARGEST: usize = 256 * 1024;

/// Reads a playbook. What it says is checked by [`mod@super::lint`].
///
/// # Errors
/// Where it is no YAML, too much of it, or of another shape. In one line, with the place.
pub fn parse(text: &[u8]) -> Result<Playbook> {
    if text.len() > LARGEST {
        let what = format!("a playbook has {} KiB at most, this has {}", LARGEST / 1024, text.len() / 1024);
        return Err(Error::failure(what));
    }
    let text =
        std::str::from_utf8(text).map_err(|_| Error::failure("a playbook is UTF-8 text, this is not"))?;
    let mut documents: Vec<Playbook> = yaml::documents(text)?;
    match (documents.pop(), documents.is_empty()) {
        (Some(playbook), true) => Ok(playbook),
        (None, _) => Err(Error::failure("there is no playbook in it")),
        (Some(_), false) => Err(Error::failure("there is more than one document in it")),
    }
}
