//! What `fr maturity` left on record, for people.

use super::safe;
use crate::model::{Attested, Stood};
use crate::platform::clock::day;

/// Who vouches for what; taken back where it lapsed as it was written.
pub fn attest_words(attested: &Attested, at_ns: i64) -> String {
    let Attested { criterion, owner, until_ns, .. } = attested;
    let words = match *until_ns > at_ns {
        true => format!("{owner} vouches for {criterion} until {}", day(*until_ns)),
        false => format!("nobody vouches for {criterion} any more ({owner})"),
    };
    safe(words.as_bytes())
}

/// The level, and how many criteria were met.
pub fn stood_words(stood: &Stood) -> String {
    let Stood { level, name, met, of, .. } = stood;
    safe(format!("maturity: level {level} ({name}), {met} of {of} criteria met").as_bytes())
}
