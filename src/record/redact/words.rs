//! A line cut into commands and words, as far as redaction needs it: quotes are seen, nothing is expanded. The real
//! parser is `shell`; this one must work on error texts and half a line too, and must never give up.

use std::ops::Range;

/// The words of one simple command, as ranges of the line.
pub type Command = Vec<Range<usize>>;

/// The longest word whose quotes are taken off for comparison; no name is longer.
const COMPARED: usize = 512;

/// Cuts a range of the text into commands.
pub fn commands(text: &[u8], range: Range<usize>) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut command = Command::new();
    let mut cursor = Cursor { text, at: range.start, end: range.end, open: [false; 2] };
    loop {
        match cursor.next() {
            Token::Word(word) => command.push(word),
            Token::Separator => {
                if !command.is_empty() {
                    commands.push(std::mem::take(&mut command));
                }
            }
            Token::End => break,
        }
    }
    if !command.is_empty() {
        commands.push(command);
    }
    commands
}

/// A word without its quotes and backslashes. Long words are cut short: they are data, not names.
pub fn unquoted(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len().min(COMPARED));
    let mut quote = None;
    let mut bytes = word.iter().take(COMPARED);
    while let Some(&byte) = bytes.next() {
        match (byte, quote) {
            (b'\'' | b'"', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            (b'\\', None | Some(b'"')) => out.extend(bytes.next()),
            _ => out.push(byte),
        }
    }
    out
}

/// The inside of a word that is one quoted string; else the whole word.
pub fn inside(text: &[u8], word: Range<usize>) -> Range<usize> {
    let body = text.get(word.clone()).unwrap_or_default();
    let dollar = usize::from(body.starts_with(b"$'") || body.starts_with(b"$\""));
    match body.get(dollar..) {
        Some([open @ (b'\'' | b'"'), middle @ .., close])
            if open == close && memchr::memchr(*open, middle).is_none() =>
        {
            word.start + dollar + 1..word.end - 1
        }
        _ => word,
    }
}

enum Token {
    Word(Range<usize>),
    Separator,
    End,
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    end: usize,
    /// No closing `'` or `"` is left: later ones are plain characters. Keeps the scan linear.
    open: [bool; 2],
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        if self.at < self.end { self.text.get(self.at).copied() } else { None }
    }

    fn next(&mut self) -> Token {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
        let start = self.at;
        match self.peek() {
            None => return Token::End,
            Some(byte) if separates(byte) => {
                self.at += 1;
                return Token::Separator;
            }
            Some(_) => {}
        }
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' => break,
                b'\\' => self.at = (self.at + 2).min(self.end),
                b'\'' | b'"' => self.skip_quoted(byte),
                byte if separates(byte) => break,
                _ => self.at += 1,
            }
        }
        Token::Word(start..self.at)
    }

    /// Moves behind the closing quote, or over the quote alone where there is none.
    fn skip_quoted(&mut self, quote: u8) {
        let slot = usize::from(quote == b'"');
        self.at += 1;
        if self.open[slot] {
            return;
        }
        let mut at = self.at;
        while at < self.end {
            match self.text.get(at) {
                Some(b'\\') if quote == b'"' => at += 1,
                Some(byte) if *byte == quote => {
                    self.at = at + 1;
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        self.open[slot] = true;
    }
}

fn separates(byte: u8) -> bool {
    matches!(byte, b';' | b'&' | b'|' | b'(' | b')' | b'\n' | b'`' | b'<' | b'>')
}
