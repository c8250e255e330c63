//! Reflogs. A ref that is moved back gets a new line, as every other move of it does: history is not rewritten.

use super::dir::Root;
use crate::error::Result;
use crate::platform::clock;

/// The value that the last line names as new.
fn last_value(log: &[u8]) -> Option<&[u8]> {
    log.trim_ascii_end().rsplit(|b| *b == b'\n').next()?.split(|b| *b == b' ').nth(1)
}

/// Notes in the log of `name` (`HEAD`, `refs/heads/x`) that it now has the value `to`, unless the last line says so
/// already: doing it twice adds one line. A ref without a log does not get one.
pub fn note(root: &Root, name: &[u8], from: Option<&[u8]>, to: &[u8], message: &str) -> Result<()> {
    let log_name = [b"logs/", name].concat();
    let Some(log) = root.read(&log_name)? else { return Ok(()) };
    if let Some(line) = line(&log.bytes, from, to, message) {
        root.append(&log_name, &line)?;
    }
    Ok(())
}

/// The line that is missing at the end of a log.
pub fn line(log: &[u8], from: Option<&[u8]>, to: &[u8], message: &str) -> Option<Vec<u8>> {
    if last_value(log) == Some(to) {
        return None;
    }
    let zeros = vec![b'0'; to.len()];
    let from = from.unwrap_or(&zeros);
    let seconds = clock::now_ns() / 1_000_000_000;
    let who = format!(" fr <fr@localhost> {seconds} +0000\t{message}\n");
    Some([from, b" ", to, who.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_names_the_value() {
        let log = b"0 a A <a> 1 +0000\tx\na b A <a> 1 +0000\ty z\n";
        assert_eq!(last_value(log), Some(&b"b"[..]));
        assert_eq!(last_value(b""), None);
    }
}
