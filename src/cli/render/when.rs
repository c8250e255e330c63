//! Times for people, and the times that people type.

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, TimeZone, Utc};

use crate::cli::usage;
use crate::error::Result;

const SECOND: i64 = 1_000_000_000;

/// RFC 3339 in UTC with milliseconds, for JSON.
pub fn rfc3339(at_ns: i64) -> String {
    DateTime::<Utc>::from_timestamp_nanos(at_ns).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// Local date and time to the second.
pub fn absolute(at_ns: i64) -> String {
    DateTime::<Utc>::from_timestamp_nanos(at_ns).with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Local time of day to the second.
pub fn clock(at_ns: i64) -> String {
    DateTime::<Utc>::from_timestamp_nanos(at_ns).with_timezone(&Local).format("%H:%M:%S").to_string()
}

/// `12s ago`, `5m ago`, `3h ago`, `2d ago`; a time ahead of the clock says so.
pub fn relative(at_ns: i64, now_ns: i64) -> String {
    let seconds = now_ns.saturating_sub(at_ns) / SECOND;
    match seconds {
        i64::MIN..=-2 => format!("in {}", span(seconds.unsigned_abs())),
        -1..=1 => "now".to_owned(),
        _ => format!("{} ago", span(seconds.unsigned_abs())),
    }
}

fn span(seconds: u64) -> String {
    match seconds {
        0..=99 => format!("{seconds}s"),
        100..=5_999 => format!("{}m", seconds / 60),
        6_000..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A duration in milliseconds: `12ms`, `3.4s`, `2m05s`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..=999 => format!("{ms}ms"),
        1_000..=59_999 => format!("{}.{}s", ms / 1000, ms % 1000 / 100),
        _ => format!("{}m{:02}s", ms / 60_000, ms % 60_000 / 1000),
    }
}

/// The nanoseconds of an age such as `30s`, `10m`, `2h`, `90d`, `4w`.
pub fn parse_age(text: &str) -> Result<i64> {
    let bad =
        || usage(format!("not an age: {text}")).hint("write a number and a unit: 30s, 10m, 2h, 90d, 4w");
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
    let (number, unit) = text.split_at(unit_at);
    let number: i64 = number.parse().map_err(|_| bad())?;
    let seconds = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(bad()),
    };
    number.checked_mul(seconds).and_then(|s| s.checked_mul(SECOND)).ok_or_else(bad)
}

/// A moment: an age (`2h` means two hours ago), a local date, a local date and time, or RFC 3339.
pub fn parse_moment(text: &str, now_ns: i64) -> Result<i64> {
    if let Ok(age) = parse_age(text) {
        return Ok(now_ns.saturating_sub(age));
    }
    let ns = |t: DateTime<Utc>| t.timestamp_nanos_opt();
    let local = |t: NaiveDateTime| Local.from_local_datetime(&t).earliest().map(|t| t.with_timezone(&Utc));
    let parsed = DateTime::parse_from_rfc3339(text).ok().map(|t| t.with_timezone(&Utc)).or_else(|| {
        ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|d| d.and_hms_opt(0, 0, 0)))
            .and_then(local)
    });
    parsed.and_then(ns).ok_or_else(|| {
        usage(format!("not a time: {text}"))
            .hint("write an age (2h, 3d), a date (2026-11-22) or a time (2026-11-22T14:00)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_times_grow_coarser() {
        let now = 1_000_000 * SECOND;
        assert_eq!(relative(now, now), "now");
        assert_eq!(relative(now - 42 * SECOND, now), "42s ago");
        assert_eq!(relative(now - 3600 * SECOND, now), "60m ago");
        assert_eq!(relative(now - 3 * 86_400 * SECOND, now), "3d ago");
        assert_eq!(relative(now + 600 * SECOND, now), "in 10m");
    }

    #[test]
    fn ages_and_moments_parse() {
        assert_eq!(parse_age("2h").unwrap(), 7200 * SECOND);
        assert!(parse_age("2 fortnights").is_err());
        assert_eq!(parse_moment("1m", 100 * SECOND).unwrap(), 40 * SECOND);
        assert_eq!(parse_moment("1970-01-01T00:00:07Z", 0).unwrap(), 7 * SECOND);
        assert!(parse_moment("yesterday-ish", 0).is_err());
    }
}
