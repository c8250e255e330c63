//! As much of terraform's language as is needed to find blocks and plain attributes in it (hashicorp/hcl
//! `hclsyntax/spec.md`): comments, texts with templates in them, here-documents and braces.

/// `kind "label" { body }`
#[derive(Debug, PartialEq, Eq)]
pub struct Block<'t> {
    /// Its first word.
    pub kind: String,
    /// What stands between it and the brace.
    pub labels: Vec<String>,
    /// What stands between the braces.
    pub body: &'t str,
}

/// The blocks of a text that are in no other block.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let bytes = text.as_bytes();
    let (mut at, mut words, mut is_value) = (0, Vec::<String>::new(), false);
    let mut out = Vec::new();
    while let Some(byte) = bytes.get(at) {
        if let Some(end) = skipped(bytes, at) {
            let inner = text.get(at + 1..end.saturating_sub(1)).unwrap_or_default();
            if *byte == b'"' {
                words.push(inner.to_owned());
            }
            at = end;
            continue;
        }
        match byte {
            b'{' => {
                let end = closing(bytes, at);
                if let (Some(kind), false) = (words.first().cloned(), is_value) {
                    let labels = words.get(1..).unwrap_or_default().to_vec();
                    out.push(Block { kind, labels, body: text.get(at + 1..end).unwrap_or_default() });
                }
                at = end + 1;
                words.clear();
            }
            b'\n' => {
                (is_value, at) = (false, at + 1);
                words.clear();
            }
            b'=' => (is_value, at) = (true, at + 1),
            _ if is_word(*byte) => {
                let end = bytes.iter().skip(at).position(|b| !is_word(*b)).map_or(bytes.len(), |n| at + n);
                words.push(text.get(at..end).unwrap_or_default().to_owned());
                at = end;
            }
            _ => at += 1,
        }
    }
    out
}

/// The expression behind `name =` in a body, on its own level.
pub fn attribute(body: &str, name: &str) -> Option<String> {
    let bytes = body.as_bytes();
    let mut at = 0;
    let mut begins = true;
    while let Some(byte) = bytes.get(at) {
        if let Some(end) = skipped(bytes, at) {
            (at, begins) = (end, false);
            continue;
        }
        match byte {
            b'{' => (at, begins) = (closing(bytes, at) + 1, false),
            b'\n' => (at, begins) = (at + 1, true),
            b' ' | b'\t' | b'\r' => at += 1,
            _ if begins && is_word(*byte) => {
                let end = bytes.iter().skip(at).position(|b| !is_word(*b)).map_or(bytes.len(), |n| at + n);
                let word = body.get(at..end).unwrap_or_default();
                let after = body.get(end..).unwrap_or_default().trim_start_matches([' ', '\t']);
                if word == name && after.starts_with('=') && !after.starts_with("==") {
                    return Some(expression(after.get(1..).unwrap_or_default()));
                }
                (at, begins) = (end, false);
            }
            _ => (at, begins) = (at + 1, false),
        }
    }
    None
}

/// Up to the end of the line, without a comment.
fn expression(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, skipped(bytes, at)) {
            (b'\n', _) => break,
            (b'#' | b'/', Some(_)) => break,
            (_, Some(end)) => at = end,
            (_, None) => at += 1,
        }
    }
    text.get(..at).unwrap_or_default().trim().to_owned()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || byte >= 0x80
}

/// Where a comment, a text or a here-document ends that begins here; `None` where none does.
fn skipped(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let line =
        |from: usize| rest.iter().skip(from).position(|b| *b == b'\n').map_or(bytes.len(), |n| at + from + n);
    match rest {
        [b'#', ..] | [b'/', b'/', ..] => Some(line(0)),
        [b'/', b'*', ..] => {
            let end = rest.windows(2).skip(2).position(|two| two == b"*/");
            Some(end.map_or(bytes.len(), |n| at + n + 4))
        }
        [b'"', ..] => Some(text_end(bytes, at + 1)),
        [b'<', b'<', ..] => here_document(bytes, at),
        _ => None,
    }
}

/// Where a text ends; templates in it may hold texts of their own.
fn text_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'\\', _) => at += 2,
            (b'"', _) => return at + 1,
            (b'$' | b'%', Some(b'{')) => at = closing(bytes, at + 1) + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The brace that closes the one at `from`.
fn closing(bytes: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0usize);
    while let Some(byte) = bytes.get(at) {
        if let Some(end) = skipped(bytes, at) {
            at = end;
            continue;
        }
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at,
            b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// `<<EOT` or `<<-EOT` to the line that is `EOT` alone.
fn here_document(bytes: &[u8], at: usize) -> Option<usize> {
    let name_at = at + 2 + usize::from(bytes.get(at + 2) == Some(&b'-'));
    let name: Vec<u8> = bytes.iter().skip(name_at).take_while(|b| is_word(**b)).copied().collect();
    if name.is_empty() {
        return None;
    }
    let mut start = name_at;
    loop {
        let Some(end) = bytes.iter().skip(start).position(|b| *b == b'\n') else { return Some(bytes.len()) };
        start += end + 1;
        let line: Vec<u8> = bytes.iter().skip(start).take_while(|b| **b != b'\n').copied().collect();
        if line.trim_ascii() == name.as_slice() {
            return Some(start + line.len());
        }
        if start >= bytes.len() {
            return Some(bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_attributes_are_found_where_they_stand() {
        let text = "a \"x\" \"y\" {\n  b = { c = 1 }\n  d {\n    e = 2\n  }\n  f = \"}\" # }\n}\nlocals { g = 3 }\n/* h { } */\n";
        let found = blocks(text);
        let names: Vec<_> = found.iter().map(|b| (b.kind.as_str(), b.labels.join(" "))).collect();
        assert_eq!(names, [("a", "x y".to_owned()), ("locals", String::new())]);
        let body = found[0].body;
        assert_eq!(attribute(body, "f").as_deref(), Some("\"}\""));
        assert_eq!((attribute(body, "e"), attribute(body, "c")), (None, None), "deeper down");
        assert_eq!(attribute(found[1].body, "g").as_deref(), Some("3"));
        assert_eq!(blocks(body).iter().map(|b| b.kind.as_str()).collect::<Vec<_>>(), ["d"]);
    }

    #[test]
    fn what_is_broken_off_ends_at_the_end() {
        for text in [
            "a {",
            "a \"",
            "a { \"${",
            "/*",
            "<<EOT\nx",
            "<<",
            "a = <<-E",
            "}",
            "a { b = \"\\",
            "\"${{",
            "é {",
        ] {
            let _ = (blocks(text), attribute(text, "b"));
        }
    }
}
