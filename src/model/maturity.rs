//! What `fr maturity` leaves on record: what somebody vouches for, and what was measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Somebody vouches for a criterion that nothing can measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested {
    /// The criterion's id.
    pub criterion: String,
    /// Who answers for it.
    pub owner: String,
    /// When it lapses, nanoseconds since 1970. At once: it was taken back.
    pub until_ns: i64,
    /// What it rests on, redacted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// How it stood at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// The level that was reached.
    pub level: u8,
    /// Its name.
    pub name: String,
    /// How many measured criteria were met.
    pub met: u64,
    /// Of how many.
    pub of: u64,
    /// The word for each criterion: `met`, `not-met`, `unknown`, …
    pub standings: BTreeMap<String, String>,
    /// The figure of each criterion that has one, in thousandths: 95 % is 95000.
    pub figures: BTreeMap<String, i64>,
    /// The start of a hash of the table of criteria: levels of different tables cannot be compared.
    pub table: String,
}
