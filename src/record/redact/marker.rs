//! `[REDACTED:rule:tag]`: what stands in a secret's place.

use memchr::memmem;

use super::{Span, TagKey};

const OPEN: &[u8] = b"[REDACTED:";

/// The marker for a secret.
pub fn make(rule: &str, secret: &[u8], key: &TagKey) -> Vec<u8> {
    format!("[REDACTED:{rule}:{}]", key.tag(secret)).into_bytes()
}

/// The whole value is a marker.
pub fn is_marker(value: &[u8]) -> bool {
    length(value) == Some(value.len())
}

/// Takes the markers that are in the text already out of the spans. What is left of a span and holds no letter or
/// digit (quotes round a marker) is no secret.
pub fn subtract(text: &[u8], spans: Vec<Span>) -> Vec<Span> {
    let markers = positions(text);
    let mut out = Vec::with_capacity(spans.len());
    let mut next = 0;
    for span in spans {
        let mut start = span.start;
        while markers.get(next).is_some_and(|marker| marker.1 <= start) {
            next += 1;
        }
        for &(from, to) in markers.get(next..).unwrap_or_default() {
            if from >= span.end {
                break;
            }
            out.push(Span { start, end: from.max(start), ..span });
            start = to;
        }
        out.push(Span { start, end: span.end.max(start), ..span });
    }
    out.retain(|span| {
        let piece = text.get(span.start..span.end).unwrap_or_default();
        piece.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
    });
    out
}

fn positions(text: &[u8]) -> Vec<(usize, usize)> {
    memmem::find_iter(text, OPEN)
        .filter_map(|start| Some((start, start + length(text.get(start..)?)?)))
        .collect()
}

/// The length of the marker that the text starts with.
fn length(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(OPEN)?;
    let rule = rest.iter().position(|b| !(b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-'))?;
    let tag = rest.get(rule..)?.strip_prefix(b":")?;
    let digits = tag.iter().position(|b| !(b.is_ascii_hexdigit() || *b == b'-'))?;
    let whole = (1..=40).contains(&rule) && (1..=8).contains(&digits) && tag.get(digits) == Some(&b']');
    whole.then_some(OPEN.len() + rule + 1 + digits + 1)
}
