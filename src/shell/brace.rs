//! Brace expansion: `a{b,c}d` and `{1..3}`, before anything else, within bounds.

/// The most words one word may become.
const MAX_WORDS: usize = 1024;
/// The deepest nesting that is expanded.
const MAX_DEPTH: usize = 12;

/// The words that braces make of a word. What is beyond the bounds stays as written.
pub fn expand(raw: &str) -> Vec<String> {
    if !raw.contains('{') {
        return vec![raw.to_owned()];
    }
    expand_bounded(raw, MAX_DEPTH).unwrap_or_else(|| vec![raw.to_owned()])
}

fn expand_bounded(raw: &str, depth: usize) -> Option<Vec<String>> {
    let mut from = 0;
    while let Some((open, close, commas)) = group(raw, from) {
        let inner = raw.get(open + 1..close)?;
        let parts: Option<Vec<String>> = if commas.is_empty() {
            sequence(inner)
        } else {
            let mut parts = Vec::new();
            let mut start = open + 1;
            for end in commas.into_iter().chain([close]) {
                parts.push(raw.get(start..end)?.to_owned());
                start = end + 1;
            }
            Some(parts)
        };
        let Some(parts) = parts else {
            from = open + 1;
            continue;
        };
        if depth == 0 {
            return None;
        }
        let (prefix, suffix) = (raw.get(..open)?, raw.get(close + 1..)?);
        let tails = expand_bounded(suffix, depth - 1)?;
        let mut out = Vec::new();
        for part in parts {
            for middle in expand_bounded(&part, depth - 1)? {
                for tail in &tails {
                    if out.len() >= MAX_WORDS {
                        return None;
                    }
                    out.push(format!("{prefix}{middle}{tail}"));
                }
            }
        }
        return Some(out);
    }
    Some(vec![raw.to_owned()])
}

/// The first closed, unquoted group at or after `from`: its braces and the commas between them.
fn group(raw: &str, from: usize) -> Option<(usize, usize, Vec<usize>)> {
    let bytes = raw.as_bytes();
    let mut stack: Vec<(usize, Vec<usize>)> = Vec::new();
    let (mut at, mut quote) = (0, 0u8);
    while let Some(&c) = bytes.get(at) {
        match (quote, c) {
            (b'\'', _) => quote = if c == b'\'' { 0 } else { quote },
            (_, b'\\') => at += 1,
            (b'"', _) => quote = if c == b'"' { 0 } else { quote },
            (_, b'\'' | b'"' | b'`') if quote == 0 => quote = c,
            (b'`', _) => quote = if c == b'`' { 0 } else { quote },
            (_, b'$') if matches!(bytes.get(at + 1), Some(b'{' | b'(')) => at = skip(bytes, at + 1),
            (_, b'{') if at >= from => stack.push((at, Vec::new())),
            (_, b',') => {
                if let Some(top) = stack.last_mut() {
                    top.1.push(at);
                }
            }
            (_, b'}') => {
                if let Some((open, commas)) = stack.pop()
                    && stack.is_empty()
                {
                    return Some((open, at, commas));
                }
            }
            _ => {}
        }
        at += 1;
    }
    // An opener that is never closed hides nothing: look behind it.
    let first = stack.first()?.0;
    (stack.len() <= MAX_DEPTH).then(|| group(raw, first + 1)).flatten()
}

/// The position of the partner of the opener at `at`.
fn skip(bytes: &[u8], at: usize) -> usize {
    let (open, close) = if bytes.get(at) == Some(&b'{') { (b'{', b'}') } else { (b'(', b')') };
    let mut depth = 0usize;
    for (i, &c) in bytes.iter().enumerate().skip(at) {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return i;
            }
        }
    }
    bytes.len()
}

fn sequence(inner: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = inner.split("..").collect();
    let (from, to, step) = match parts.as_slice() {
        [a, b] => (*a, *b, 1),
        [a, b, s] => (*a, *b, s.parse::<i64>().ok()?),
        _ => return None,
    };
    let step = step.checked_abs()?.max(1);
    if let (Ok(a), Ok(b)) = (from.parse::<i64>(), to.parse::<i64>()) {
        let padded = [from, to].iter().any(|s| s.trim_start_matches('-').starts_with('0') && s.len() > 1);
        let width = if padded { from.len().max(to.len()) } else { 0 };
        return range(a, b, step).map(|r| r.iter().map(|n| format!("{n:0width$}")).collect());
    }
    let one = |s: &str| match s.as_bytes() {
        [c] if c.is_ascii_alphabetic() => Some(i64::from(*c)),
        _ => None,
    };
    let letters = range(one(from)?, one(to)?, step)?;
    Some(letters.iter().filter_map(|n| u8::try_from(*n).ok()).map(|c| (c as char).to_string()).collect())
}

fn range(a: i64, b: i64, step: i64) -> Option<Vec<i64>> {
    let count = a.checked_sub(b)?.checked_abs()? / step + 1;
    if count > MAX_WORDS as i64 {
        return None;
    }
    Some((0..count).map(|i| if a <= b { a + i * step } else { a - i * step }).collect())
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn braces_as_bash_expands_them() {
        assert_eq!(expand("a{b,c}d"), ["abd", "acd"]);
        assert_eq!(expand("{a,b}{1..2}"), ["a1", "a2", "b1", "b2"]);
        assert_eq!(expand("x{a,{b,c}}"), ["xa", "xb", "xc"]);
        assert_eq!(expand("{3..1}"), ["3", "2", "1"]);
        assert_eq!(expand("{01..03}"), ["01", "02", "03"]);
        assert_eq!(expand("{a..e..2}"), ["a", "c", "e"]);
        assert_eq!(expand("f{,.bak}"), ["f", "f.bak"]);
        for same in ["{a}", "{}", "'{a,b}'", "\"{a,b}\"", "\\{a,b}", "${V:-a,b}", "{1..99999999}", "{", "a{b"]
        {
            assert_eq!(expand(same), [same]);
        }
    }
}
