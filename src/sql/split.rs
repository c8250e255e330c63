//! Cuts a script into statements and client commands. Comments go; strings and quoted names stay whole.
//! Sources: PostgreSQL's manual 4.1 (lexical structure) and psql's reference page, MySQL's manual 11.1 and 11.7, SQLite's
//! `lang_keywords` and `cli` pages.

use super::Dialect;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or an unquoted name.
    Word,
    /// A quoted name.
    Quoted,
    /// A string or a number.
    Value,
    /// One character of punctuation.
    Mark,
}

/// A token.
#[derive(Clone, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// In upper case; of a string, `''`.
    pub upper: String,
    /// As written, names without their quotes; of a string, `''`.
    pub text: String,
    /// Where it begins in the statement's text.
    pub at: usize,
}

/// A piece of a script.
#[derive(Clone, Debug)]
pub enum Piece {
    /// A statement, without comments.
    Statement {
        /// Its text.
        text: String,
        /// Its tokens.
        tokens: Vec<Token>,
        /// psql puts the value of a variable into it.
        open: bool,
    },
    /// A command for the client: `\dt`, `.tables`; without its first character.
    Client(String),
}

struct Splitter<'a> {
    chars: &'a [char],
    at: usize,
    dialect: Dialect,
    text: String,
    tokens: Vec<Token>,
    open: bool,
    /// What ends a statement.
    delimiter: Vec<char>,
    out: Vec<Piece>,
}

/// Cuts a script.
pub fn split(script: &str, dialect: Dialect) -> Vec<Piece> {
    let chars: Vec<char> = script.chars().collect();
    let mut splitter = Splitter {
        chars: &chars,
        at: 0,
        dialect,
        text: String::new(),
        tokens: Vec::new(),
        open: false,
        delimiter: vec![';'],
        out: Vec::new(),
    };
    splitter.run();
    splitter.out
}

impl Splitter<'_> {
    fn run(&mut self) {
        while let Some(c) = self.peek(0) {
            if self.dialect == Dialect::MySql && self.begins_line() && self.worded() {
                continue;
            }
            if self.chars.get(self.at..).is_some_and(|rest| rest.starts_with(&self.delimiter)) {
                self.at += self.delimiter.len();
                self.end();
                continue;
            }
            match c {
                '-' if self.peek(1) == Some('-') => self.skip_line(),
                '#' if self.dialect == Dialect::MySql => self.skip_line(),
                '/' if self.peek(1) == Some('*') => self.comment(),
                // The end of a MySQL comment whose text counts.
                '*' if self.peek(1) == Some('/') && self.dialect == Dialect::MySql => self.at += 2,
                '\\' if self.dialect != Dialect::Sqlite => self.backslash(),
                '.' if self.dialect == Dialect::Sqlite && self.tokens.is_empty() => {
                    let line = self.line();
                    self.out.push(Piece::Client(line.get(1..).unwrap_or_default().to_owned()));
                }
                c if c.is_whitespace() => {
                    self.at += 1;
                    self.space();
                }
                _ => self.token(c),
            }
        }
        self.end();
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Two tokens that stood apart stay apart.
    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.at += 1;
        }
    }

    fn line(&mut self) -> String {
        let start = self.at;
        self.skip_line();
        self.chars.get(start..self.at).unwrap_or_default().iter().collect()
    }

    fn comment(&mut self) {
        self.space();
        // MySQL runs what stands in `/*! … */` and, from a version on, in `/*!50100 … */`.
        if self.dialect == Dialect::MySql && (self.peek(2) == Some('!') || self.peek(2) == Some('M')) {
            self.at += if self.peek(2) == Some('M') { 4 } else { 3 };
            while self.peek(0).is_some_and(|c| c.is_ascii_digit()) {
                self.at += 1;
            }
            return;
        }
        let mut depth = 0usize;
        while self.peek(0).is_some() {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth = if self.dialect == Dialect::Postgres { depth + 1 } else { 1 };
                    self.at += 2;
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// No statement is open, and nothing but blanks stands before on its line.
    fn begins_line(&self) -> bool {
        let before = self.chars.get(..self.at).unwrap_or_default().iter().rev();
        let mut blanks = before.take_while(|c| **c != '\n');
        self.tokens.is_empty() && blanks.all(|c| c.is_whitespace())
    }

    /// Commands of MySQL's client that are words, to the end of their line: true where one stands here.
    fn worded(&mut self) -> bool {
        let rest: String =
            self.chars.get(self.at..).unwrap_or_default().iter().take_while(|c| **c != '\n').collect();
        let (word, value) = rest.trim_start().split_once(char::is_whitespace).unwrap_or_default();
        let value = value.trim();
        let command = match word.to_ascii_lowercase().as_str() {
            "delimiter" if !value.is_empty() => {
                self.delimiter = value.split_whitespace().next().unwrap_or(";").chars().collect();
                self.skip_line();
                return true;
            }
            "source" => format!(".{}", value.trim_end_matches(';')),
            "system" => format!("!{}", value.trim_end_matches(';')),
            _ => return false,
        };
        self.skip_line();
        self.out.push(Piece::Client(command));
        true
    }

    /// A command for the client. Those that send what was typed so far end the statement.
    fn backslash(&mut self) {
        if self.peek(1) == Some(';') {
            self.at += 2;
            return self.end();
        }
        let line = self.line();
        let command = line.get(1..).unwrap_or_default().to_owned();
        if self.dialect == Dialect::MySql {
            // One letter: `\G` and `\g` end a statement, the rest of the line goes on.
            let letter = command.chars().next().unwrap_or(' ');
            if !matches!(letter, '!' | '.' | 'u' | 'r' | 'T' | 'P' | 'd' | 'R' | 'C') {
                self.at -= line.chars().count().saturating_sub(2);
                return self.end();
            }
        }
        if command.starts_with('g') || command.starts_with("watch") || command.starts_with("cross") {
            self.end();
        }
        self.out.push(Piece::Client(command));
    }

    fn token(&mut self, c: char) {
        let start = self.at;
        let my = self.dialect == Dialect::MySql;
        match c {
            '\'' => self.string('\'', my),
            '"' if my => self.string('"', true),
            '"' => return self.name('"'),
            '`' if self.dialect != Dialect::Postgres => return self.name('`'),
            '[' if self.dialect == Dialect::Sqlite => return self.name(']'),
            '$' if self.dialect == Dialect::Postgres && self.dollar() => {}
            ':' if self.dialect == Dialect::Postgres => return self.colon(),
            c if c.is_alphanumeric() || c == '_' => {
                let escapes = matches!((c, self.peek(1)), ('e' | 'E', Some('\'')));
                if escapes || matches!((c, self.peek(1)), ('b' | 'B' | 'x' | 'X' | 'n' | 'N', Some('\''))) {
                    self.at += 1;
                    self.string('\'', my || escapes);
                } else {
                    while self.peek(0).is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
                        self.at += 1;
                    }
                    let kind = if c.is_ascii_digit() { Kind::Value } else { Kind::Word };
                    return self.push(kind, start, None);
                }
            }
            _ => {
                self.at += 1;
                return self.push(Kind::Mark, start, None);
            }
        }
        self.push(Kind::Value, start, Some("''".to_owned()));
    }

    fn push(&mut self, kind: Kind, start: usize, text: Option<String>) {
        let written: String = self.chars.get(start..self.at).unwrap_or_default().iter().collect();
        let at = self.text.len();
        self.text.push_str(&written);
        let text = text.unwrap_or(written);
        self.tokens.push(Token { kind, upper: text.to_uppercase(), text, at });
    }

    fn string(&mut self, quote: char, escapes: bool) {
        self.at += 1;
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == '\\' && escapes {
                self.at += 1;
            } else if c == quote {
                if self.peek(0) != Some(quote) {
                    return;
                }
                self.at += 1;
            }
        }
        self.at = self.at.min(self.chars.len());
    }

    fn name(&mut self, close: char) {
        let start = self.at;
        let mut name = String::new();
        self.at += 1;
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == close {
                if self.peek(0) != Some(close) || close == ']' {
                    break;
                }
                self.at += 1;
            }
            name.push(c);
        }
        self.push(Kind::Quoted, start, Some(name));
    }

    /// `$tag$ … $tag$`: true where it is one.
    fn dollar(&mut self) -> bool {
        let mut end = self.at + 1;
        while self.chars.get(end).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
            end += 1;
        }
        let is_tag = self.chars.get(end) == Some(&'$')
            && !self.chars.get(self.at + 1).is_some_and(char::is_ascii_digit);
        if !is_tag {
            return false;
        }
        let tag: Vec<char> = self.chars.get(self.at..=end).unwrap_or_default().to_vec();
        self.at = end + 1;
        while self.at < self.chars.len() {
            if self.chars.get(self.at) == Some(&'$')
                && self.chars.get(self.at..self.at + tag.len()) == Some(tag.as_slice())
            {
                self.at += tag.len();
                return true;
            }
            self.at += 1;
        }
        true
    }

    /// `::` is a cast; `:name`, `:'name'` and `:"name"` are psql's variables.
    fn colon(&mut self) {
        let start = self.at;
        self.at += 1;
        match self.peek(0) {
            Some(':') => self.at += 1,
            Some(c) if c.is_alphabetic() || matches!(c, '\'' | '"' | '_' | '{') => {
                self.open = true;
                while self.peek(0).is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '\'' | '"')) {
                    self.at += 1;
                }
            }
            _ => {}
        }
        self.push(Kind::Mark, start, None);
    }

    fn end(&mut self) {
        let tokens = std::mem::take(&mut self.tokens);
        let text = std::mem::take(&mut self.text).trim().to_owned();
        let open = std::mem::take(&mut self.open);
        if tokens.is_empty() {
            return;
        }
        let has = |word: &str| tokens.iter().any(|t| t.upper == word);
        let copies = self.dialect == Dialect::Postgres
            && tokens.first().is_some_and(|t| t.upper == "COPY")
            && has("FROM")
            && has("STDIN");
        self.out.push(Piece::Statement { text, tokens, open });
        if copies {
            self.skip_copied();
        }
    }

    /// The data after `COPY … FROM STDIN` ends with `\.` on a line of its own.
    fn skip_copied(&mut self) {
        self.skip_line();
        while self.at < self.chars.len() {
            self.at += 1;
            if self.line().trim_end() == "\\." {
                return;
            }
        }
    }
}
