//! Secrets leave a command line, an environment value or an error text here, before any of it is written.
//!
//! Structural rules come first: they know where a secret stands (`--password X`, `-p` of mysql, `NAME_TOKEN=…`, the
//! user part of a URL, an `Authorization` header). Pattern rules find what looks like a well-known token wherever it
//! stands. A secret becomes `[REDACTED:rule:tag]`; the tag is keyed per store, so that equal secrets can be seen to be
//! equal without being guessable. Captured file contents are never altered: undo must be exact.
//! `docs/redaction.md` lists the rules and what they miss.

mod assign;
mod flags;
mod key;
mod marker;
mod names;
mod patterns;
mod url;
mod words;

pub use key::TagKey;

/// Redacts until nothing more is found: replacing one secret may bring another to light. Each round leaves less
/// unmarked text, so this ends; the bound only guards the time of hostile input.
const ROUNDS: usize = 8;

/// A stretch of text that holds a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    rule: &'static str,
}

/// The text with its secrets replaced. Works on any bytes; redacting twice changes nothing.
pub fn redact(text: &[u8], key: &TagKey) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..ROUNDS {
        let spans = find(&text);
        if spans.is_empty() {
            break;
        }
        text = replace(&text, &spans, key);
    }
    text
}

/// True where [`redact`] would change the text.
pub fn holds_secret(text: &[u8]) -> bool {
    !find(text).is_empty()
}

/// The value of an environment variable, redacted whole where the variable's name says that it is a secret.
pub fn redact_env(name: &str, value: &[u8], key: &TagKey) -> Vec<u8> {
    let secret = names::variable(name.as_bytes()).is_some_and(|kind| names::is_secret_value(kind, value));
    if secret && !marker::is_marker(value) { marker::make("env", value, key) } else { redact(value, key) }
}

/// All secrets in order, without overlaps and without what is redacted already.
fn find(text: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    flags::find(text, &mut spans);
    // Most lines hold neither sign. The plain search costs less there than the vector search's look at the processor,
    // which is ten trapping instructions (100 µs) on a virtual machine.
    let colon = text.contains(&b':');
    if colon || text.contains(&b'=') {
        assign::find(text, &mut spans);
    }
    if colon {
        url::find(text, &mut spans);
    }
    patterns::find(text, &mut spans);
    if spans.is_empty() {
        return spans;
    }
    marker::subtract(text, merge(spans))
}

/// Unites overlapping spans; the rule of the longest gives the name, a pattern's (added last) wins a tie.
fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.start < span.end);
    spans.sort_by_key(|span| span.start);
    let mut out: Vec<(Span, usize)> = Vec::new();
    for span in spans {
        let len = span.end - span.start;
        match out.last_mut() {
            Some((last, longest)) if span.start < last.end => {
                if len >= *longest {
                    *longest = len;
                    last.rule = span.rule;
                }
                last.end = last.end.max(span.end);
            }
            _ => out.push((span, len)),
        }
    }
    out.into_iter().map(|(span, _)| span).collect()
}

fn replace(text: &[u8], spans: &[Span], key: &TagKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        out.extend_from_slice(text.get(at..span.start).unwrap_or_default());
        let secret = text.get(span.start..span.end).unwrap_or_default();
        out.extend_from_slice(&marker::make(span.rule, secret, key));
        at = span.end;
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
