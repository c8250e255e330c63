//! `${…}`: defaults, patterns, substrings, arrays; and the arithmetic of `$((…))`.

use super::glob;
use super::scan::Scan;
use super::state::{Shell, Value};
use super::text;
use super::walk::Walker;
use super::word::{MAX_DEPTH, Mode, Piece, unknown};

impl Walker<'_> {
    /// Expands what stood between `${` and `}`.
    pub fn parameter(&mut self, sh: &mut Shell, body: &str, quoted: bool, out: &mut Vec<Piece>) {
        let written = format!("${{{body}}}");
        if self.depth >= MAX_DEPTH {
            out.push(Piece::expanded(unknown(&written), quoted));
            return;
        }
        self.depth += 1;
        if !self.array(sh, body, quoted, out) {
            let value = self.scalar(sh, body).unwrap_or_else(|| unknown(&written));
            out.push(Piece::expanded(value, quoted));
        }
        self.depth -= 1;
    }

    /// `${a[@]}` of an array that the line set, and `${@}`.
    fn array(&mut self, sh: &Shell, body: &str, quoted: bool, out: &mut Vec<Piece>) -> bool {
        if body == "@" || body == "*" {
            self.all_args(sh, &format!("${body}"), quoted, out);
            return true;
        }
        let Some(name) = body.strip_suffix("[@]").or_else(|| body.strip_suffix("[*]")) else { return false };
        let Some(var) = sh.vars.get(name) else { return false };
        for (i, value) in var.values.iter().enumerate() {
            if i > 0 {
                out.push(Piece::Break);
            }
            out.push(Piece::expanded(value.clone(), quoted));
        }
        true
    }

    fn lookup(&self, sh: &Shell, name: &str, index: Option<&str>) -> Option<Value> {
        match index {
            None if name.bytes().all(|c| c.is_ascii_digit()) => self.special(sh, name),
            None => self.variable(sh, name),
            Some(index) => {
                let index: usize = index.parse().ok()?;
                sh.vars.get(name).filter(|v| v.array)?.values.get(index).cloned()
            }
        }
    }

    fn scalar(&mut self, sh: &mut Shell, body: &str) -> Option<Value> {
        if let Some(name) = body.strip_prefix('#').filter(|n| !n.is_empty()) {
            let value = self.lookup(sh, name, None).filter(|v| v.certain)?;
            return Some(Value { text: value.text.chars().count().to_string(), certain: true });
        }
        let end = body.bytes().position(|c| !c.is_ascii_alphanumeric() && c != b'_').unwrap_or(body.len());
        let (name, mut rest) = (body.get(..end)?, body.get(end..)?);
        if name.is_empty() {
            return None;
        }
        let mut index = None;
        if let Some(inner) = rest.strip_prefix('[') {
            let close = inner.find(']')?;
            (index, rest) = (inner.get(..close), inner.get(close + 1..)?);
        }
        let value = self.lookup(sh, name, index);
        if rest.is_empty() {
            return value;
        }
        self.operator(sh, name, value, rest)
    }

    fn operator(&mut self, sh: &mut Shell, name: &str, value: Option<Value>, rest: &str) -> Option<Value> {
        let (colon, op) = match rest.strip_prefix(':') {
            Some(r) if r.starts_with(['-', '=', '?', '+']) => (true, r),
            Some(range) => return substring(self, sh, &value?, range),
            None => (false, rest),
        };
        let word = op.get(1..).unwrap_or_default();
        match op.as_bytes().first()? {
            b'-' | b'=' | b'?' | b'+' => self.default(sh, name, value, colon, op),
            b'#' => strip(self, sh, &value?, word, true),
            b'%' => strip(self, sh, &value?, word, false),
            b'/' => replace(self, sh, &value?, word),
            b'^' if word == "^" => {
                value.filter(|v| v.certain).map(|v| Value { text: v.text.to_uppercase(), ..v })
            }
            b',' if word == "," => {
                value.filter(|v| v.certain).map(|v| Value { text: v.text.to_lowercase(), ..v })
            }
            _ => None,
        }
    }

    /// `:-`, `:=`, `:?`, `:+`. A variable that neither the line nor the environment sets may still be set by a
    /// start-up file, so its default is an answer but not a certain one.
    fn default(
        &mut self,
        sh: &mut Shell,
        name: &str,
        value: Option<Value>,
        colon: bool,
        op: &str,
    ) -> Option<Value> {
        let word = op.get(1..).unwrap_or_default();
        let unset = value.as_ref().is_none_or(|v| colon && v.certain && v.text.is_empty());
        let sure = value.is_some();
        if let Some(v) = value.clone().filter(|v| !v.certain) {
            return Some(v).filter(|_| !op.starts_with('+'));
        }
        match op.as_bytes().first()? {
            b'+' if !unset => Some(self.inner(sh, word)),
            b'+' => sure.then(|| Value { text: String::new(), certain: true }),
            _ if !unset => value,
            b'?' => None,
            kind => {
                let mut v = self.inner(sh, word);
                v.certain &= sure;
                if *kind == b'=' {
                    sh.set(name, v.clone());
                }
                Some(v)
            }
        }
    }

    /// The word inside an expansion, as one text.
    fn inner(&mut self, sh: &mut Shell, raw: &str) -> Value {
        {
            let mut value = Value { text: String::new(), certain: true };
            for piece in self.pieces(sh, raw, Mode::Word) {
                if let Piece::Text { text, certain, .. } = piece {
                    value.text.push_str(&text);
                    value.certain &= certain;
                }
            }
            value
        }
    }

    /// A pattern inside an expansion: what is quoted in it matches only itself.
    fn pattern(&mut self, sh: &mut Shell, raw: &str) -> Option<Vec<u8>> {
        let mut pattern = String::new();
        for piece in self.pieces(sh, raw, Mode::Word) {
            match piece {
                Piece::Text { text, quoted, certain: true, .. } if quoted => {
                    glob::escape_into(&text, &mut pattern)
                }
                Piece::Text { text, certain: true, .. } => pattern.push_str(&text),
                _ => return None,
            }
        }
        Some(text::to_bytes(&pattern).0)
    }
}

fn strip(w: &mut Walker<'_>, sh: &mut Shell, value: &Value, word: &str, prefix: bool) -> Option<Value> {
    let longest = word.starts_with(if prefix { '#' } else { '%' });
    let pattern = w.pattern(sh, if longest { word.get(1..)? } else { word })?;
    if !value.certain || value.text.len() > 4096 {
        return None;
    }
    let text = &value.text;
    let cuts = text.char_indices().map(|(i, _)| i).chain([text.len()]);
    let fits = |at: &usize| {
        let part = if prefix { text.get(..*at) } else { text.get(*at..) };
        part.is_some_and(|p| glob::matches(&pattern, text::to_bytes(p).as_slice()))
    };
    let mut hits = cuts.filter(fits);
    let cut = if prefix == longest { hits.next_back() } else { hits.next() };
    let kept = match cut {
        None => text.clone(),
        Some(at) => (if prefix { text.get(at..)? } else { text.get(..at)? }).to_owned(),
    };
    Some(Value { text: kept, certain: true })
}

/// `${v/from/to}` where `from` is plain text.
fn replace(w: &mut Walker<'_>, sh: &mut Shell, value: &Value, word: &str) -> Option<Value> {
    let (all, word) = match word.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let (from, to) = word.split_once('/').unwrap_or((word, ""));
    if !value.certain || from.is_empty() || from.starts_with(['#', '%']) || glob::has_magic(from) {
        return None;
    }
    let (from, to) = (w.inner(sh, from), w.inner(sh, to));
    if !from.certain || !to.certain || from.text.is_empty() {
        return None;
    }
    let text = if all {
        value.text.replace(&from.text, &to.text)
    } else {
        value.text.replacen(&from.text, &to.text, 1)
    };
    (text.len() < 1 << 16).then_some(Value { text, certain: true })
}

fn substring(w: &mut Walker<'_>, sh: &mut Shell, value: &Value, range: &str) -> Option<Value> {
    let (offset, length) = match range.split_once(':') {
        Some((o, l)) => (o, Some(l)),
        None => (range, None),
    };
    let offset = usize::try_from(arithmetic(w, sh, offset)?).ok()?;
    let length = match length {
        Some(l) => Some(usize::try_from(arithmetic(w, sh, l)?).ok()?),
        None => None,
    };
    let chars = value.text.chars().skip(offset).take(length.unwrap_or(usize::MAX));
    value.certain.then(|| Value { text: chars.collect(), certain: true })
}

/// Sums and products of integers and known variables; anything else is not known.
pub fn arithmetic(w: &mut Walker<'_>, sh: &mut Shell, expr: &str) -> Option<i64> {
    let mut resolved = String::new();
    if expr.contains(['$', '`']) {
        for piece in w.pieces(sh, expr, Mode::Here) {
            match piece {
                Piece::Text { text, certain: true, .. } => resolved.push_str(&text),
                _ => return None,
            }
        }
    } else {
        resolved.push_str(expr);
    }
    if resolved.len() > 256 {
        return None;
    }
    let mut sum = Sum { scan: Scan::new(&resolved), w, sh };
    let n = sum.sum()?;
    sum.blank();
    sum.scan.peek().is_none().then_some(n)
}

struct Sum<'a, 'b, 'c> {
    scan: Scan<'a>,
    w: &'a Walker<'b>,
    sh: &'c Shell,
}

impl Sum<'_, '_, '_> {
    fn blank(&mut self) {
        while matches!(self.scan.peek(), Some(b' ' | b'\t' | b'\n')) {
            self.scan.bump();
        }
    }

    fn next_op(&mut self, of: &[u8]) -> Option<u8> {
        self.blank();
        let op = self.scan.peek().filter(|c| of.contains(c))?;
        self.scan.bump();
        Some(op)
    }

    fn sum(&mut self) -> Option<i64> {
        let mut n = self.product()?;
        while let Some(op) = self.next_op(b"+-") {
            let m = self.product()?;
            n = if op == b'+' { n.checked_add(m)? } else { n.checked_sub(m)? };
        }
        Some(n)
    }

    fn product(&mut self) -> Option<i64> {
        let mut n = self.atom()?;
        while let Some(op) = self.next_op(b"*/%") {
            let m = self.atom()?;
            n = match op {
                b'*' => n.checked_mul(m)?,
                b'/' => n.checked_div(m)?,
                _ => n.checked_rem(m)?,
            };
        }
        Some(n)
    }

    fn atom(&mut self) -> Option<i64> {
        self.blank();
        if self.scan.peek() == Some(b'-') {
            self.scan.bump();
            return self.digits_or_name()?.checked_neg();
        }
        self.digits_or_name()
    }

    fn digits_or_name(&mut self) -> Option<i64> {
        let name = self.scan.name();
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return if name.len() > 1 && name.starts_with('0') { None } else { name.parse().ok() };
        }
        let value = self.w.variable(self.sh, name).filter(|v| v.certain)?;
        value.text.trim().parse().ok()
    }
}
