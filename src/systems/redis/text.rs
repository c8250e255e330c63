//! Strings as `redis-cli` reads and writes them: in double quotes, with `\xHH` for bytes that are not printable
//! (sdscatrepr, sdssplitargs).

/// In quotes.
pub fn quoted(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = Vec::with_capacity(bytes.len() * 2 + 2);
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b' '..=b'~' => out.push(byte),
            _ => out.extend([b'\\', b'x', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
        }
    }
    out.push(b'"');
    out
}

/// The string that begins at the first quote of a line.
pub fn unquoted(line: &[u8]) -> Option<Vec<u8>> {
    let from = memchr::memchr(b'"', line)? + 1;
    let mut rest = line.get(from..)?.iter().copied();
    let mut out = Vec::with_capacity(line.len());
    loop {
        match rest.next()? {
            b'"' => return Some(out),
            b'\\' => out.push(match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'a' => 7,
                b'b' => 8,
                b'x' => {
                    let digit = |byte: u8| char::from(byte).to_digit(16);
                    let value = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
                    u8::try_from(value).ok()?
                }
                other => other,
            }),
            byte => out.push(byte),
        }
    }
}

/// The words of a line of commands (sdssplitargs); `None` where its quotes do not close.
pub fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim().chars().peekable();
    while rest.peek().is_some() {
        let mut word = String::new();
        let mut quote = None;
        loop {
            match (rest.next(), quote) {
                (None, None) => break,
                (None, Some(_)) => return None,
                (Some(c), None) if c.is_whitespace() => break,
                (Some(c @ ('"' | '\'')), None) => quote = Some(c),
                (Some(c), Some(open)) if c == open => quote = None,
                (Some('\\'), Some('"')) => word.push(match rest.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                }),
                (Some(c), _) => word.push(c),
            }
        }
        words.push(word);
        while rest.peek().is_some_and(|c| c.is_whitespace()) {
            rest.next();
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive_the_way_to_the_cli_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unquoted(&quoted(&all)).as_deref(), Some(all.as_slice()));
        assert_eq!(unquoted(b"2) \"a\\n\\x00\\\"b\"").as_deref(), Some(&b"a\n\0\"b"[..]));
        assert_eq!(unquoted(b"(nil)"), None);
        assert_eq!(unquoted(b"\"open"), None);
        assert_eq!(words("SET 'a b' \"c\\\"d\"").unwrap(), ["SET", "a b", "c\"d"]);
        assert_eq!(words("SET 'a"), None);
    }
}
