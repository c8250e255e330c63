//! A cursor over one word as written: where quotes, parentheses and braces end.

/// True for a word in which nothing can be expanded or unquoted.
pub fn is_plain(raw: &str) -> bool {
    !raw.is_empty() && !raw.bytes().any(|c| b"\\'\"`$*?[](){}~".contains(&c))
}

/// The cursor. Positions are bytes; it only ever stops at character boundaries.
pub struct Scan<'a> {
    src: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// At the start of `src`.
    pub fn new(src: &'a str) -> Scan<'a> {
        Scan { src, at: 0 }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.src.as_bytes().get(at).copied()
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    /// The byte after the next.
    pub fn second(&self) -> Option<u8> {
        self.byte(self.at + 1)
    }

    /// Steps over an ASCII byte.
    pub fn bump(&mut self) {
        self.at += 1;
    }

    /// Where it stands.
    pub fn position(&self) -> usize {
        self.at
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.src.get(from..to.min(self.src.len())).unwrap_or_default()
    }

    /// The text since a position.
    pub fn since(&self, start: usize) -> &'a str {
        self.slice(start, self.at)
    }

    /// Text up to an ASCII byte, which is stepped over.
    pub fn until(&mut self, end: u8) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(|c| c != end) {
            self.at += 1;
        }
        let text = self.since(start);
        self.at = (self.at + 1).min(self.src.len().max(self.at));
        text
    }

    /// Text without a character that means something.
    pub fn plain_run(&mut self) -> &'a str {
        let start = self.at;
        self.at += 1;
        while self.peek().is_some_and(|c| !b"\\'\"`$".contains(&c)) {
            self.at += 1;
        }
        self.since(start)
    }

    /// One character.
    pub fn one_char(&mut self) -> &'a str {
        let start = self.at;
        self.at += self.src.get(start..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8);
        self.since(start)
    }

    /// A variable name.
    pub fn name(&mut self) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == b'_') {
            self.at += 1;
        }
        self.since(start)
    }

    /// The user name of a leading `~`, which is stepped over.
    pub fn tilde_prefix(&mut self) -> Option<&'a str> {
        if self.at != 0 || self.peek() != Some(b'~') {
            return None;
        }
        let rest = self.slice(1, self.src.len());
        let end = rest.find('/').unwrap_or(rest.len());
        let prefix = rest.get(..end)?;
        let is_name = prefix.bytes().all(|c| c.is_ascii_alphanumeric() || b"._+-".contains(&c));
        is_name.then(|| {
            self.at = 1 + end;
            prefix
        })
    }

    /// The text between the parenthesis that stands next and its partner.
    pub fn parenthesised(&mut self) -> String {
        self.nested(b'(', b')')
    }

    /// The text between the brace that stands next and its partner.
    pub fn braced(&mut self) -> String {
        self.nested(b'{', b'}')
    }

    /// The text between the bracket that stands next and its partner.
    pub fn bracketed(&mut self) -> String {
        self.nested(b'[', b']')
    }

    fn nested(&mut self, open: u8, close: u8) -> String {
        let start = self.at + 1;
        let end = self.closing(open, close);
        self.at = (end + 1).min(self.src.len());
        self.slice(start, end).to_owned()
    }

    /// Where the partner of the opener that stands next is; the end of the text where there is none.
    fn closing(&self, open: u8, close: u8) -> usize {
        let (mut at, mut depth, mut quote) = (self.at, 0usize, 0u8);
        while let Some(c) = self.byte(at) {
            match (quote, c) {
                (b'\'', b'\'') => quote = 0,
                (b'\'', _) => {}
                (_, b'\\') => at += 1,
                (b'"', b'"') => quote = 0,
                (0, b'\'' | b'"') => quote = c,
                (0, c) if c == open => depth += 1,
                (0, c) if c == close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        self.src.len()
    }

    /// `((` begins an arithmetic expansion, not a subshell in a substitution: its partner is `))`.
    pub fn is_arithmetic(&self) -> bool {
        let end = self.closing(b'(', b')');
        end > 0 && self.byte(end) == Some(b')') && self.byte(end - 1) == Some(b')') && {
            let inner = Scan { src: self.slice(0, end), at: self.at + 1 };
            inner.closing(b'(', b')') == end - 1
        }
    }

    /// The command between backquotes; the opening one was stepped over.
    pub fn backquoted(&mut self) -> String {
        let mut out = String::new();
        while let Some(c) = self.peek() {
            if c == b'`' {
                self.at += 1;
                break;
            }
            if c == b'\\' {
                self.at += 1;
                if !matches!(self.peek(), Some(b'`' | b'\\' | b'$')) {
                    out.push('\\');
                }
            }
            out.push_str(self.one_char());
        }
        out
    }

    /// The value of `$'…'`; the opening quote was stepped over.
    pub fn ansi_c(&mut self) -> String {
        let mut out: Vec<u8> = Vec::new();
        while let Some(c) = self.peek() {
            if c == b'\'' {
                self.at += 1;
                break;
            }
            if c != b'\\' {
                out.extend(self.one_char().bytes());
                continue;
            }
            self.at += 1;
            self.ansi_escape(&mut out);
        }
        super::text::from_bytes(&out).into_owned()
    }

    fn ansi_escape(&mut self, out: &mut Vec<u8>) {
        let Some(c) = self.peek() else { return };
        let simple = match c {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 7,
            b'b' => 8,
            b'e' | b'E' => 27,
            b'f' => 12,
            b'v' => 11,
            b'\\' | b'\'' | b'"' | b'?' => c,
            b'x' | b'u' | b'U' => {
                self.at += 1;
                let most = match c {
                    b'x' => 2,
                    b'u' => 4,
                    _ => 8,
                };
                let n = self.digits(16, most);
                match char::from_u32(n) {
                    Some(ch) if c != b'x' => out.extend(ch.encode_utf8(&mut [0; 4]).bytes()),
                    _ => out.push(n as u8),
                }
                return;
            }
            b'0'..=b'7' => {
                let n = self.digits(8, 3);
                out.push(n as u8);
                return;
            }
            _ => {
                out.push(b'\\');
                out.extend(self.one_char().bytes());
                return;
            }
        };
        self.at += 1;
        out.push(simple);
    }

    fn digits(&mut self, radix: u32, most: usize) -> u32 {
        let (mut n, mut seen) = (0u32, 0);
        while seen < most {
            let Some(d) = self.peek().and_then(|c| (c as char).to_digit(radix)) else { break };
            n = n.wrapping_mul(radix).wrapping_add(d);
            self.at += 1;
            seen += 1;
        }
        n
    }
}
