//! `name=value`, `name: value`, `"name": "value"` where the name says that the value is a secret: environment
//! assignments, flags with `=`, JSON, YAML, headers, URL queries.

use std::ops::Range;

use super::Span;
use super::names::{self, Kind};

/// The longest name that is looked at.
const NAME: usize = 80;
/// How far a closing quote may be; keeps the time linear where quotes never close.
const FAR: usize = 16 << 10;
/// The most blanks between name, sign and value.
const BLANKS: usize = 4;

/// Adds the values of secret names.
pub fn find(text: &[u8], spans: &mut Vec<Span>) {
    let mut done = 0;
    for at in memchr::memchr2_iter(b'=', b':', text) {
        if at >= done
            && let Some(span) = look(text, at)
        {
            done = span.end;
            spans.push(span);
        }
    }
}

/// `NAME=…`, as it may stand before a command.
pub fn is_assignment(word: &[u8]) -> bool {
    let name = word.split(|byte| *byte == b'=').next().unwrap_or_default();
    name.len() < word.len()
        && !name.is_empty()
        && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

struct Name {
    range: Range<usize>,
    quoted: bool,
    spaced: bool,
}

fn look(text: &[u8], at: usize) -> Option<Span> {
    let colon = text.get(at) == Some(&b':');
    let next = text.get(at + 1).copied();
    let previous = at.checked_sub(1).and_then(|before| text.get(before)).copied();
    // The second half of `==`, `!=`, `<=`, `>=`, `:=`.
    if !colon && matches!(previous, Some(b'=' | b'!' | b'<' | b'>' | b':')) {
        return None;
    }
    if next == Some(b'=') && (colon || !takes_any_value(text, at)) {
        return None;
    }
    if colon && (matches!(next, Some(b':')) || text.get(at + 1..at + 3) == Some(b"//")) {
        return None;
    }
    let sign = if !colon && previous == Some(b'+') { at - 1 } else { at };
    let name = name_before(text, sign)?;
    let word = text.get(name.range.clone())?;
    if colon && names::header(word) {
        return header(text, at + 1);
    }
    if !colon && name.range.start > 0 && text.get(name.range.start - 1) == Some(&b'$') {
        return None;
    }
    let kind = names::variable(word)?;
    let arrow = !colon && next == Some(b'>');
    let from = at + 1 + usize::from(arrow);
    let value = value_after(text, from)?;
    let body = text.get(value.range.clone())?;
    let sure = if colon { sure_colon(text, &name, word, &value) } else { !value.spaced && !name.spaced };
    let spaced_but_quoted = !colon && value.quoted;
    let secret =
        names::is_secret_value(kind, body) && (sure || spaced_but_quoted || names::looks_random(body));
    let number = word.to_ascii_lowercase().ends_with(b"tokens") && body.iter().all(u8::is_ascii_digit);
    (secret && !number).then_some(Span { start: value.range.start, end: value.range.end, rule: "assign" })
}

/// `--password==x` and `PASSWORD==x` are no comparisons: the value begins with `=`.
fn takes_any_value(text: &[u8], at: usize) -> bool {
    let Some(name) = name_before(text, at).filter(|name| !name.spaced && !name.quoted) else { return false };
    let word = text.get(name.range.clone()).unwrap_or_default();
    let variable = name.range.start > 0 && matches!(text.get(name.range.start - 1), Some(b'$' | b'{'));
    !variable && (word.starts_with(b"--") || !word.iter().any(u8::is_ascii_lowercase))
}

/// `name: value` is prose as often as data: it counts where the name is quoted, is a header's, or begins its line.
fn sure_colon(text: &[u8], name: &Name, word: &[u8], value: &Value) -> bool {
    if name.quoted {
        return value.quoted;
    }
    let hyphenated = word.contains(&b'-') || word.starts_with(b"X-");
    let line =
        memchr::memrchr(b'\n', text.get(..name.range.start).unwrap_or_default()).map_or(0, |at| at + 1);
    let lead = text.get(line..name.range.start).unwrap_or_default();
    let begins = lead.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'-' | b'"' | b'\''));
    let openssl = !value.spaced && word == b"pass";
    hyphenated || openssl || (begins && value.spaced)
}

/// The name that ends before `sign`.
fn name_before(text: &[u8], sign: usize) -> Option<Name> {
    let mut end = sign;
    let blanks = |end: usize| end > 0 && matches!(text.get(end - 1), Some(b' ' | b'\t'));
    while blanks(end) && sign - end < BLANKS {
        end -= 1;
    }
    let spaced = end < sign;
    let quoted = end > 0 && matches!(text.get(end - 1), Some(b'"' | b'\''));
    if quoted {
        end -= 1;
        if end > 0 && text.get(end - 1) == Some(&b'\\') {
            end -= 1;
        }
    }
    let mut start = end;
    while start > 0 && end - start < NAME && text.get(start - 1).is_some_and(|byte| names_byte(*byte)) {
        start -= 1;
    }
    (start < end).then_some(Name { range: start..end, quoted, spaced })
}

fn names_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

struct Value {
    range: Range<usize>,
    quoted: bool,
    spaced: bool,
}

/// The value that begins at `from`, after blanks.
fn value_after(text: &[u8], from: usize) -> Option<Value> {
    let mut start = from;
    while matches!(text.get(start), Some(b' ' | b'\t')) && start - from < BLANKS {
        start += 1;
    }
    let spaced = start > from;
    let rest = text.get(start..)?;
    let dollar = usize::from(rest.starts_with(b"$'"));
    let (open, quote) = match rest.get(dollar..)? {
        [b'\\', quote @ (b'"' | b'\''), ..] => (dollar + 2, Some(*quote)),
        [quote @ (b'"' | b'\''), ..] => (dollar + 1, Some(*quote)),
        _ => (0, None),
    };
    let range = match quote {
        Some(quote) => {
            let escaped = open - dollar == 2;
            let inner = start + open..start + open + quoted_length(rest.get(open..)?, quote, escaped);
            // `'abc'def` goes on after its quotes.
            let after = inner.end + 1 + usize::from(escaped);
            let more = if escaped { 0 } else { bare_length(text.get(after..).unwrap_or_default()) };
            if more > 0 { start..after + more } else { inner }
        }
        None => start..start + bare_length(rest),
    };
    (!range.is_empty()).then_some(Value { range, quoted: quote.is_some(), spaced })
}

/// Up to the closing quote; up to the end of the line where there is none near.
fn quoted_length(rest: &[u8], quote: u8, escaped: bool) -> usize {
    let near = rest.get(..FAR).unwrap_or(rest);
    let mut line = None;
    let mut at = 0;
    while let Some(&byte) = near.get(at) {
        match byte {
            b'\\' if escaped && near.get(at + 1) == Some(&quote) => return at,
            b'\\' if quote == b'"' && !escaped => at += 1,
            byte if byte == quote && !escaped => return at,
            b'\n' if line.is_none() => line = Some(at),
            _ => {}
        }
        at += 1;
    }
    line.unwrap_or(near.len())
}

/// A value without quotes ends where a shell word, a URL parameter or a list item ends.
fn bare_length(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        let next = rest.get(at + 1).copied();
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' | b'`' => {
                return at;
            }
            b',' | b'}' | b']' if ends_item(rest.get(at + 1..).unwrap_or_default()) => return at,
            b'\'' | b'"' if !next.is_some_and(continues) => return at,
            b'\'' | b'"' => {
                match memchr::memchr(byte, rest.get(at + 1..rest.len().min(at + FAR)).unwrap_or_default()) {
                    Some(length) => at += length + 1,
                    None => return at,
                }
            }
            b'\\' if matches!(next, Some(b'"' | b'\'' | b'n')) => return at,
            b'\\' => at += 1,
            _ => {}
        }
        at += 1;
    }
    rest.len()
}

/// What follows a comma or bracket says that the value ended there: nothing, a blank, a quote, or another `name=`.
fn ends_item(rest: &[u8]) -> bool {
    match rest.first() {
        None => true,
        Some(byte) if !continues(*byte) => true,
        Some(_) => {
            let name = rest.iter().take(NAME).take_while(|byte| names_byte(**byte)).count();
            name > 0 && matches!(rest.get(name), Some(b'=' | b':'))
        }
    }
}

fn continues(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || !byte.is_ascii()
        || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'$' | b'!' | b'@')
}

/// A header's value goes to the closing quote or the end of the line; its scheme stays readable.
fn header(text: &[u8], from: usize) -> Option<Span> {
    const SCHEMES: &[&str] =
        &["bearer", "basic", "token", "digest", "apikey", "negotiate", "bot", "key", "sso-key"];
    let rest = text.get(from..)?;
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\')).count();
    let rest = rest.get(blanks..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'\n' | b'\r')).unwrap_or(rest.len());
    let value = rest.get(..end)?;
    let word = value.iter().take_while(|byte| !matches!(byte, b' ' | b'\\')).count();
    let scheme = String::from_utf8_lossy(value.get(..word)?).to_ascii_lowercase();
    let mut start = 0;
    if SCHEMES.contains(&scheme.as_str()) {
        let tail = value.get(word..)?;
        start = word + tail.iter().take_while(|byte| matches!(byte, b' ' | b'\\')).count();
    }
    let secret = value.get(start..)?;
    names::is_secret_value(Kind::Secret, secret).then_some(Span {
        start: from + blanks + start,
        end: from + blanks + end,
        rule: "header",
    })
}
