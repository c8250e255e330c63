//! Words: quotes, variables, substitutions, braces, tilde, splitting, globs. What cannot be known keeps its text as
//! written and is marked; nothing is guessed.

use super::scan::{self, Scan};
use super::state::{Shell, Value};
use super::walk::Walker;
use super::{brace, glob, param, text};
use crate::model::Word;

/// The deepest nesting of expansions that is followed.
pub const MAX_DEPTH: usize = 16;

/// The longest word that is put together, in bytes: Linux takes no argument beyond 128 KiB (execve(2)).
const MAX_FIELD: usize = 256 << 10;

/// A part of a word after expansion.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Text.
    Text {
        /// The value, or the text as written.
        text: String,
        /// Neither split nor globbed.
        quoted: bool,
        /// The value is known.
        certain: bool,
        /// It came from an unquoted expansion: it is split at blanks.
        split: bool,
    },
    /// `"$@"` begins a new word here.
    Break,
}

impl Piece {
    /// Literal text.
    pub fn literal(text: impl Into<String>, quoted: bool) -> Piece {
        Piece::Text { text: text.into(), quoted, certain: true, split: false }
    }
    /// The result of an expansion.
    pub fn expanded(value: Value, quoted: bool) -> Piece {
        Piece::Text { split: !quoted && value.certain, text: value.text, quoted, certain: value.certain }
    }
}

/// What quoting means where the text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A word of a command.
    Word,
    /// Inside double quotes from the start, where `"` is an ordinary character: a here-document.
    Here,
}

/// A word being put together.
#[derive(Default)]
struct Field {
    text: String,
    pattern: String,
    certain: bool,
    glob: bool,
    any: bool,
}

impl Field {
    fn new() -> Field {
        Field { certain: true, ..Field::default() }
    }

    fn push(&mut self, text: &str, quoted: bool, certain: bool) {
        self.any = true;
        if self.text.len() > MAX_FIELD {
            self.certain = false;
            return;
        }
        self.certain &= certain;
        self.text.push_str(text);
        if quoted || !certain {
            glob::escape_into(text, &mut self.pattern);
        } else {
            self.glob |= glob::has_magic(text);
            self.pattern.push_str(text);
        }
    }
}

impl Walker<'_> {
    /// All words that one word as written becomes.
    pub fn fields(&mut self, sh: &mut Shell, raw: &str) -> Vec<Word> {
        if scan::is_plain(raw) {
            return vec![Word::literal(text::to_bytes(raw))];
        }
        let mut out = Vec::new();
        for raw in brace::expand(raw) {
            let pieces = self.pieces(sh, &raw, Mode::Word);
            for field in split(pieces, self.separators(sh).as_deref()) {
                self.finish_field(sh, field, &mut out);
            }
        }
        out
    }

    /// The one word of an assignment, a redirection, a here-string: neither split nor globbed.
    pub fn single(&mut self, sh: &mut Shell, raw: &str) -> Word {
        if scan::is_plain(raw) {
            return Word::literal(text::to_bytes(raw));
        }
        let pieces = self.pieces(sh, raw, Mode::Word);
        whole(&pieces)
    }

    /// A redirection's target: a glob that matches one file names that file.
    pub fn target(&mut self, sh: &mut Shell, raw: &str) -> Word {
        let mut words = self.fields(sh, raw);
        if words.len() == 1
            && let Some(word) = words.pop()
        {
            return word;
        }
        let mut word = self.single(sh, raw);
        word.certain = false;
        word
    }

    /// The body of a here-document that is expanded.
    pub fn here(&mut self, sh: &mut Shell, raw: &str) -> Word {
        let pieces = self.pieces(sh, raw, Mode::Here);
        whole(&pieces)
    }

    fn separators(&self, sh: &Shell) -> Option<String> {
        match sh.vars.get("IFS") {
            None => Some(" \t\n".to_owned()),
            Some(var) => var.values.first().filter(|v| v.certain).map(|v| v.text.clone()),
        }
    }

    fn finish_field(&mut self, sh: &Shell, field: Field, out: &mut Vec<Word>) {
        let text = text::to_bytes(&field.text);
        if !field.glob {
            out.push(Word { text, certain: field.certain, glob: false });
            return;
        }
        let may_look = field.certain && self.cx.globs && sh.frame.remote.is_none();
        let found = match &sh.cwd {
            Some(cwd) if may_look => glob::expand(&field.pattern, &text::to_bytes(cwd), self.cx.deadline),
            _ => None,
        };
        match found {
            Some(names) if !names.is_empty() => out.extend(names.into_iter().map(Word::literal)),
            // Nothing matches and nothing has run yet: the shell will pass the pattern itself on.
            Some(_) if !self.changed() => out.push(Word { text, certain: true, glob: true }),
            _ => out.push(Word { text, certain: false, glob: true }),
        }
    }

    /// The parts of a word, expanded.
    pub fn pieces(&mut self, sh: &mut Shell, raw: &str, mode: Mode) -> Vec<Piece> {
        let mut out = Vec::new();
        let mut scan = Scan::new(raw);
        if mode == Mode::Word {
            self.tilde(sh, &mut scan, &mut out);
        }
        self.scan_pieces(sh, &mut scan, mode, &mut out);
        out
    }

    fn scan_pieces(&mut self, sh: &mut Shell, scan: &mut Scan<'_>, mode: Mode, out: &mut Vec<Piece>) {
        let here = mode == Mode::Here;
        let mut quoted = here;
        while let Some(c) = scan.peek() {
            if self.given_up() {
                out.push(Piece::expanded(unknown("…"), true));
                return;
            }
            match c {
                b'\\' => {
                    scan.bump();
                    escape(scan, quoted, here, out);
                }
                b'\'' if !quoted => {
                    scan.bump();
                    out.push(Piece::literal(scan.until(b'\''), true));
                }
                b'"' if !here => {
                    scan.bump();
                    quoted = !quoted;
                    out.push(Piece::literal("", true));
                }
                b'`' => {
                    scan.bump();
                    let body = scan.backquoted();
                    let value = self.substitute(sh, &body);
                    out.push(Piece::expanded(value, quoted));
                }
                b'$' => self.dollar(sh, scan, quoted, out),
                _ => out.push(Piece::literal(scan.plain_run(), quoted)),
            }
        }
    }

    fn tilde(&mut self, sh: &Shell, scan: &mut Scan<'_>, out: &mut Vec<Piece>) {
        let Some(prefix) = scan.tilde_prefix() else { return };
        let known = match prefix {
            "" => self.variable(sh, "HOME").filter(|v| v.certain).map(|v| v.text),
            "+" => sh.cwd.clone(),
            "-" => sh.oldpwd.clone(),
            _ => None,
        };
        match known {
            Some(dir) => out.push(Piece::literal(dir, true)),
            None => {
                let text = format!("~{prefix}");
                out.push(Piece::Text { text, quoted: true, certain: false, split: false });
            }
        }
    }

    fn dollar(&mut self, sh: &mut Shell, scan: &mut Scan<'_>, quoted: bool, out: &mut Vec<Piece>) {
        let start = scan.position();
        scan.bump();
        match scan.peek() {
            Some(b'\'') if !quoted => {
                scan.bump();
                out.push(Piece::literal(scan.ansi_c(), true));
            }
            Some(b'"') if !quoted => {}
            Some(b'(') if scan.second() == Some(b'(') && scan.is_arithmetic() => {
                let body = scan.parenthesised();
                let inner = body.strip_prefix('(').and_then(|b| b.strip_suffix(')')).unwrap_or(&body);
                let value = self.arithmetic(sh, inner);
                out.push(Piece::expanded(value, quoted));
            }
            Some(b'(') => {
                let body = scan.parenthesised();
                let value = self.substitute(sh, &body);
                out.push(Piece::expanded(value, quoted));
            }
            Some(b'[') => {
                let body = scan.bracketed();
                let value = self.arithmetic(sh, &body);
                out.push(Piece::expanded(value, quoted));
            }
            Some(b'{') => {
                let body = scan.braced();
                self.parameter(sh, &body, quoted, out);
            }
            Some(c) if c.is_ascii_alphabetic() || c == b'_' => {
                let name = scan.name().to_owned();
                self.named(sh, &name, scan.since(start), quoted, out);
            }
            Some(b'@' | b'*') => {
                scan.bump();
                self.all_args(sh, scan.since(start), quoted, out);
            }
            Some(c) if c.is_ascii_digit() || b"#?-$!".contains(&c) => {
                scan.bump();
                let name = &scan.since(start)[1..];
                let value = self.special(sh, name).unwrap_or_else(|| unknown(scan.since(start)));
                out.push(Piece::expanded(value, quoted));
            }
            _ => out.push(Piece::literal("$", quoted)),
        }
    }

    fn named(&mut self, sh: &Shell, name: &str, written: &str, quoted: bool, out: &mut Vec<Piece>) {
        let value = self.variable(sh, name).unwrap_or_else(|| unknown(written));
        out.push(Piece::expanded(value, quoted));
    }

    /// `$@` and `$*`.
    pub fn all_args(&mut self, sh: &Shell, written: &str, quoted: bool, out: &mut Vec<Piece>) {
        let Some(args) = &sh.args else {
            out.push(Piece::expanded(unknown(written), quoted));
            return;
        };
        for (i, word) in args.iter().skip(1).enumerate() {
            if i > 0 {
                out.push(if quoted && written.contains('*') {
                    Piece::literal(" ", true)
                } else {
                    Piece::Break
                });
            }
            let text = text::from_bytes(word.text.as_slice()).into_owned();
            // A glob that matches nothing now may match when the command runs.
            let certain = word.certain && !word.glob;
            out.push(Piece::expanded(Value { text, certain }, quoted));
        }
    }

    /// The value of a parameter that is not a name.
    pub fn special(&self, sh: &Shell, name: &str) -> Option<Value> {
        let args = sh.args.as_ref()?;
        if name == "#" {
            let certain = !args.iter().any(|w| w.glob);
            return Some(Value { text: args.len().saturating_sub(1).to_string(), certain });
        }
        let n: usize = name.parse().ok()?;
        Some(match args.get(n) {
            Some(w) => {
                let text = text::from_bytes(w.text.as_slice()).into_owned();
                Value { text, certain: w.certain && !w.glob }
            }
            None => Value { text: String::new(), certain: true },
        })
    }

    /// The value of a variable: of the line, of the environment, or one the shell sets itself.
    pub fn variable(&self, sh: &Shell, name: &str) -> Option<Value> {
        if let Some(var) = sh.vars.get(name) {
            return var.values.first().cloned().or(Some(Value { text: String::new(), certain: true }));
        }
        let certain = |text: String| Some(Value { text, certain: true });
        match name {
            "PWD" => return sh.cwd.clone().and_then(certain),
            "OLDPWD" if sh.oldpwd.is_some() => return sh.oldpwd.clone().and_then(certain),
            _ => {}
        }
        if sh.frame.remote.is_some() {
            return None;
        }
        if let Some(value) = self.cx.env.get(name) {
            return certain(text::from_bytes(value.as_slice()).into_owned());
        }
        match name {
            "HOME" => {
                use std::os::unix::ffi::OsStrExt;
                let home = self.cx.home?.as_os_str().as_bytes();
                certain(text::from_bytes(home).into_owned())
            }
            _ => None,
        }
    }

    /// `$((…))` where it is a number or a sum of what is known.
    pub fn arithmetic(&mut self, sh: &mut Shell, expr: &str) -> Value {
        self.depth += 1;
        let known = if self.depth < MAX_DEPTH { param::arithmetic(self, sh, expr) } else { None };
        self.depth -= 1;
        known
            .map(|n| Value { text: n.to_string(), certain: true })
            .unwrap_or_else(|| unknown(&format!("$(({expr}))")))
    }
}

/// Text as written whose value is not known.
pub fn unknown(written: &str) -> Value {
    Value { text: written.to_owned(), certain: false }
}

fn escape(scan: &mut Scan<'_>, quoted: bool, here: bool, out: &mut Vec<Piece>) {
    let Some(c) = scan.peek() else {
        out.push(Piece::literal("\\", true));
        return;
    };
    if c == b'\n' {
        scan.bump();
        return;
    }
    let special = !quoted || matches!(c, b'$' | b'`' | b'\\') || (c == b'"' && !here);
    if !special {
        out.push(Piece::literal("\\", true));
    }
    out.push(Piece::literal(scan.one_char(), true));
}

fn whole(pieces: &[Piece]) -> Word {
    let (mut value, mut sure) = (String::new(), true);
    for piece in pieces {
        match piece {
            Piece::Text { text, certain, .. } => {
                value.push_str(text);
                sure &= certain;
            }
            Piece::Break => value.push(' '),
        }
    }
    Word { text: text::to_bytes(&value), certain: sure, glob: false }
}

/// Splits expansions at `separators` (`None`: not known) into the words they become.
fn split(pieces: Vec<Piece>, separators: Option<&str>) -> Vec<Field> {
    let mut out = Vec::new();
    let mut field = Field::new();
    for piece in pieces {
        match piece {
            Piece::Break => out.push(std::mem::replace(&mut field, Field::new())),
            Piece::Text { text, quoted, certain, split: true } => match separators {
                None => field.push(&text, quoted, false),
                Some(separators) => {
                    let is_separator = |c: char| separators.contains(c);
                    let mut parts = text.split(is_separator).peekable();
                    while let Some(part) = parts.next() {
                        if !part.is_empty() {
                            field.push(part, quoted, certain);
                        }
                        if parts.peek().is_some() && field.any {
                            out.push(std::mem::replace(&mut field, Field::new()));
                        }
                    }
                }
            },
            Piece::Text { text, quoted, certain, .. } => field.push(&text, quoted, certain),
        }
    }
    if field.any {
        out.push(field);
    }
    out
}
