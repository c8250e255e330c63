//! The user part of a URL: `https://user:SECRET@host/`, `https://TOKEN@host/` (RFC 3986, 3.2.1).

use memchr::memmem;

use super::Span;
use super::names::{self, Kind};

/// Adds the passwords, and the user names that look like tokens, of all URLs.
pub fn find(text: &[u8], spans: &mut Vec<Span>) {
    for at in memmem::find_iter(text, b"://") {
        let from = at + 3;
        let rest = text.get(from..).unwrap_or_default();
        let ends = |byte: &u8| {
            matches!(
                byte,
                b'/' | b'?' | b'#' | b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'<' | b'>' | b'\\'
            )
        };
        let authority = rest.split(ends).next().unwrap_or_default();
        let Some(user) = memchr::memrchr(b'@', authority).and_then(|end| authority.get(..end)) else {
            continue;
        };
        let (start, kind) = match memchr::memchr(b':', user) {
            Some(colon) => (colon + 1, Kind::Secret),
            None => (0, Kind::Maybe),
        };
        if names::is_secret_value(kind, user.get(start..).unwrap_or_default()) {
            spans.push(Span { start: from + start, end: from + user.len(), rule: "url" });
        }
    }
}
