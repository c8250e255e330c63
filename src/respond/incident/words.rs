//! Texts of the record as a report may hold them. Command lines are on record without their secrets; names of files, branches
//! and buckets are on record as they are, since they have to be found again. Whatever is shown of either is redacted here (once
//! more), and control characters become visible.

use chrono::{DateTime, Utc};

use crate::platform::escape::safe;
use crate::platform::home::Home;
use crate::record::redact::{TagKey, redact};

/// How texts and times are put.
pub struct Words {
    key: TagKey,
}

impl Words {
    /// With the redaction key of this store.
    pub fn of(home: &Home) -> Words {
        Words { key: TagKey::load(home) }
    }

    /// Without its secrets, for the record: line ends stay.
    pub fn redacted(&self, text: &str) -> String {
        String::from_utf8_lossy(&redact(text.as_bytes(), &self.key)).into_owned()
    }

    /// One line that can be shown.
    pub fn line(&self, text: impl AsRef<[u8]>) -> String {
        safe(&redact(text.as_ref(), &self.key))
    }

    /// Its lines, each of which can be shown.
    pub fn lines(&self, text: &str) -> Vec<String> {
        let redacted = self.redacted(text);
        redacted.lines().map(|line| safe(line.trim_end().as_bytes())).collect()
    }
}

/// RFC 3339 in UTC to the millisecond.
pub fn utc(at_ns: i64) -> String {
    DateTime::<Utc>::from_timestamp_nanos(at_ns).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// For people: `2026-11-27 14:02:10`.
pub fn moment(at_ns: i64) -> String {
    DateTime::<Utc>::from_timestamp_nanos(at_ns).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A span for people: `12 ms`, `3.4 s`, `2 min 5 s`, `1 h 4 min`, `3 d 2 h`.
pub fn span(ns: i64) -> String {
    let ms = ns.max(0) / 1_000_000;
    let s = ms / 1000;
    match s {
        0 if ms < 1000 => format!("{ms} ms"),
        0..=59 => format!("{}.{} s", s, ms % 1000 / 100),
        60..=3_599 => format!("{} min {} s", s / 60, s % 60),
        3_600..=86_399 => format!("{} h {} min", s / 3600, s % 3600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3600),
    }
}

/// `1 command`, `2 commands`.
pub fn count(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_grow_coarser() {
        let s = 1_000_000_000;
        let spans: Vec<String> =
            [12_000_000, 3 * s + 400_000_000, 125 * s, 3840 * s, 266_400 * s, -5].map(span).into();
        assert_eq!(spans, ["12 ms", "3.4 s", "2 min 5 s", "1 h 4 min", "3 d 2 h", "0 ms"]);
    }
}
