//! Times as playbooks say them: `30s`, `5m`, `2h`.

use std::time::Duration;

/// The longest that anything may take.
const LONGEST: u64 = 24 * 60 * 60;

/// `None` where it is none, or more than a day.
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        _ => return None,
    };
    let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let seconds = digits.parse::<u64>().ok().filter(|_| all_digits)?.checked_mul(unit)?;
    (1..=LONGEST).contains(&seconds).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_time() {
        assert_eq!(parse("30s"), Some(Duration::from_secs(30)));
        assert_eq!(parse("2h"), Some(Duration::from_secs(7200)));
        for wrong in ["", "s", "5", "5d", "-5s", "+5s", "0s", "25h", "5 m", "99999999999999999999s", "5µ"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
