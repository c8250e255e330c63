//! Time. Tests and reproducible demos freeze it with `FR_FAKE_TIME` (nanoseconds since 1970).

use std::time::{SystemTime, UNIX_EPOCH};

/// Wall time, nanoseconds since 1970. Never used for order: that is the journal's.
pub fn now_ns() -> i64 {
    if let Some(fake) = std::env::var("FR_FAKE_TIME").ok().and_then(|v| v.parse().ok()) {
        return fake;
    }
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX),
    }
}

/// The local date of a moment, for people.
pub fn day(at_ns: i64) -> String {
    use chrono::{DateTime, Local, Utc};
    DateTime::<Utc>::from_timestamp_nanos(at_ns).with_timezone(&Local).format("%Y-%m-%d").to_string()
}
