//! How far the code of `python -c` or `node -e` reaches: only its own input and output, only the paths that it names,
//! or anything. What is not recognised reaches anything.

mod names;

use names::{COMPUTES, MODULES, NAMED, REACHES};

/// The code changes nothing outside itself.
pub fn only_computes(program: &str, text: &str) -> bool {
    if !is_followed(program) || text.contains("require") && !requires_data(text) {
        return false;
    }
    let Some(code) = without_strings(program, text) else { return false };
    imports_known(&code)
        && !words(&code).any(|w| REACHES.contains(&w))
        && calls(&code).all(|c| COMPUTES.contains(&c) || c == "require")
        && !text.contains('`')
        && opens_to_read(text)
}

/// The code does more than what its literal calls name.
pub fn goes_beyond(program: &str, text: &str) -> bool {
    if !is_followed(program) {
        return false;
    }
    let Some(code) = without_strings(program, text) else { return true };
    !calls(&code).all(|c| COMPUTES.contains(&c) || NAMED.contains(&c))
        || NAMED.iter().any(|name| *name != "require" && called_without_literal(text, name))
        || words(&code).any(|w| matches!(w, "subprocess" | "child_process" | "ctypes" | "importlib"))
}

/// Languages whose calls are written `name(…)`.
fn is_followed(program: &str) -> bool {
    program.starts_with("python") || matches!(program, "node" | "nodejs" | "bun" | "deno")
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !is_name(c)).filter(|w| !w.is_empty())
}

/// The names before an opening parenthesis.
fn calls(code: &str) -> impl Iterator<Item = &str> {
    code.match_indices('(').filter_map(|(at, _)| {
        let before = code.get(..at)?.trim_end_matches([' ', '\t']);
        // `f()(x)` and `a[0](x)` call what cannot be told.
        if before.ends_with([')', ']']) {
            return Some("()");
        }
        let start = before.rfind(|c: char| !is_name(c)).map_or(0, |i| i + 1);
        before.get(start..).filter(|name| !name.is_empty())
    })
}

/// Every imported module is one of [`MODULES`], under its own name.
fn imports_known(code: &str) -> bool {
    code.split(['\n', ';']).map(str::trim).all(|line| {
        let Some(rest) = line.strip_prefix("import ").or_else(|| line.strip_prefix("from ")) else {
            return true;
        };
        !rest.contains(" as ")
            && rest
                .split(|c: char| !is_name(c))
                .filter(|w| !w.is_empty() && *w != "import")
                .all(|w| MODULES.contains(&w))
    })
}

/// `require('./a.json')`, `require('fs')`: a module of the project may do anything.
fn requires_data(text: &str) -> bool {
    text.match_indices("require").all(|(at, _)| {
        let rest = text.get(at + "require".len()..).unwrap_or_default();
        let name = rest.strip_prefix('(').and_then(super::code::first_literal);
        name.is_some_and(|n| {
            n.ends_with(".json") || matches!(n.trim_start_matches("node:"), "fs" | "path" | "os" | "util")
        })
    })
}

/// Every `open(` is without a mode or with one that only reads.
fn opens_to_read(text: &str) -> bool {
    text.match_indices("open(").all(|(at, _)| {
        let rest = text.get(at + 5..).unwrap_or_default();
        let Some(args) = arguments(rest) else { return false };
        let mut parts = split_arguments(args).into_iter().skip(1);
        parts.all(|p| {
            let p = p.trim().trim_start_matches("mode=");
            matches!(p.trim_matches(['"', '\'']), "r" | "rb" | "rt" | "") || p.starts_with("encoding")
        })
    })
}

/// Some call of that name has an argument, or is called on a path, that is no literal.
fn called_without_literal(text: &str, name: &str) -> bool {
    let pattern = format!("{name}(");
    text.match_indices(&pattern).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        if before.ends_with(is_name) {
            return false;
        }
        let rest = text.get(at + pattern.len()..).unwrap_or_default().trim_start();
        let on_literal = before.ends_with("').") || before.ends_with("\").");
        !on_literal && super::code::first_literal(rest).is_none()
    })
}

/// What stands between an opening parenthesis and its end.
fn arguments(rest: &str) -> Option<&str> {
    let mut depth = 0usize;
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')') if depth == 0 => return rest.get(..at),
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn split_arguments(args: &str) -> Vec<&str> {
    let (mut depth, mut start, mut quote) = (0usize, 0, None);
    let mut out = Vec::new();
    for (at, c) in args.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                out.extend(args.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    out.extend(args.get(start..));
    out
}

/// The code without the contents of its strings and without comments; strings that hold code (Python's `f''`, Ruby's
/// `"#{}"`) stay. `None` where a string does not end: then nothing that was read can be relied on.
pub fn without_strings(program: &str, text: &str) -> Option<String> {
    let comment = match program {
        "node" | "nodejs" | "bun" | "deno" | "php" => "//",
        "lua" => "--",
        _ => "#",
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with(comment) {
            rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
            continue;
        }
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        if !matches!(c, '"' | '\'') {
            out.push(c);
            rest = after;
            continue;
        }
        let triple = [c; 3].iter().collect::<String>();
        let is_triple = program.starts_with("python") && rest.starts_with(&triple);
        let (open, close) = if is_triple { (3, triple.as_str()) } else { (1, triple.get(..1)?) };
        let inner = string_end(rest.get(open..)?, close)?;
        let prefix = out.trim_end_matches(['r', 'R', 'b', 'B']);
        let formatted = prefix.ends_with(['f', 'F']) || inner.contains("#{") || inner.contains("@{");
        out.push(' ');
        if formatted {
            out.push_str(inner);
        }
        out.push(' ');
        rest = rest.get(open + inner.len() + open..)?;
    }
    Some(out)
}

/// What a string holds before its end.
fn string_end<'t>(text: &'t str, close: &str) -> Option<&'t str> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if text.get(at..)?.starts_with(close) {
            return text.get(..at);
        } else if c == '\n' && close.len() == 1 {
            return None;
        }
    }
    None
}
