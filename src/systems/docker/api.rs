//! One request to the Engine API, over the connection that `docker system dial-stdio` makes with the user's own contexts,
//! certificates and ssh keys. Needed where the CLI's flags say less than an inspected configuration.

use serde_json::Value;

use super::cli::Cli;
use crate::error::{Error, Result};

/// What the engine answered.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its JSON; null where there is none.
    pub body: Value,
}

impl Answer {
    /// Why it did not do it.
    pub fn message(&self) -> String {
        let text = self.body.get("message").and_then(Value::as_str);
        text.map_or_else(|| format!("the engine answered {}", self.status), str::to_owned)
    }
}

/// Posts JSON.
pub fn post(cli: &Cli, path: &str, body: &Value) -> Result<Answer> {
    let body = body.to_string();
    let question = format!(
        "POST {path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    read(&cli.converse(question.as_bytes())?)
}

/// A value in a path (RFC 3986).
pub fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn read(answer: &[u8]) -> Result<Answer> {
    let unreadable = || Error::failure("the engine's answer cannot be read");
    let end = memchr::memmem::find(answer, b"\r\n\r\n").ok_or_else(unreadable)?;
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).into_owned();
    let rest = answer.get(end + 4..).unwrap_or_default();
    let status = head.split_whitespace().nth(1).and_then(|s| s.parse().ok()).ok_or_else(unreadable)?;
    let chunked = head.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("transfer-encoding:") && line.contains("chunked")
    });
    let body = if chunked { unchunked(rest).ok_or_else(unreadable)? } else { rest.to_vec() };
    Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}

/// RFC 9112, 7.1.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = memchr::memmem::find(rest, b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..end)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(out);
        }
        let from = end + 2;
        out.extend_from_slice(rest.get(from..from.checked_add(size)?)?);
        rest = rest.get(from + size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_body_are_read_and_damaged_ones_are_no_answer() {
        let plain = b"HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{\"Id\": \"x\"}";
        let answer = read(plain).unwrap();
        assert_eq!((answer.status, answer.body["Id"].as_str()), (201, Some("x")));
        let chunked = b"HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"message\r\n6\r\n\":\"a\"}\r\n0\r\n\r\n";
        let answer = read(chunked).unwrap();
        assert_eq!((answer.status, answer.message().as_str()), (409, "a"));
        for damaged in [
            &b""[..],
            b"HTTP/1.1 200",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        ] {
            assert!(read(damaged).is_err());
        }
        assert_eq!(encoded("a b/c"), "a%20b%2Fc");
    }
}
