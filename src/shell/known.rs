//! What is certain without running anything: the output of `echo` and its kind, the variables a body assigns.

use super::ast::{AndOr, Arg, Command, Compound, List, Pipeline};
use crate::model::{Bytes, Stdin, Word};

/// What a command certainly prints.
pub fn output(argv: &[Word], stdin: &Stdin, cwd: Option<&str>) -> Option<Word> {
    if !argv.iter().all(|w| w.certain) {
        return None;
    }
    let name = argv.first()?.as_str()?;
    let args = argv.get(1..)?;
    match name.rsplit('/').next()? {
        "echo" => echo(args),
        "printf" => printf(args),
        "pwd" if args.is_empty() => Some(Word::literal(super::text::to_bytes(cwd?))),
        "cat" if args.is_empty() || matches!(args, [w] if w.as_str() == Some("-")) => match stdin {
            Stdin::Text(word) if word.certain => Some(word.clone()),
            _ => None,
        },
        "tee" => match stdin {
            Stdin::Text(word) if word.certain => Some(word.clone()),
            _ => None,
        },
        "dirname" | "basename" => path_part(name, args),
        "seq" => seq(args),
        _ => None,
    }
}

fn echo(args: &[Word]) -> Option<Word> {
    let mut args = args;
    let mut newline = true;
    while let [first, rest @ ..] = args {
        match first.text.as_slice() {
            b"-n" => newline = false,
            b"-e" | b"-ne" | b"-en" => {
                if rest.iter().any(|w| w.text.as_slice().contains(&b'\\')) {
                    return None;
                }
            }
            b"-E" => {}
            _ => break,
        }
        args = rest;
    }
    let mut out = args.iter().map(|w| w.text.as_slice()).collect::<Vec<_>>().join(&b' ');
    if newline {
        out.push(b'\n');
    }
    Some(Word::literal(out))
}

/// `printf` of a format whose only directive is `%s`.
fn printf(args: &[Word]) -> Option<Word> {
    let [format, values @ ..] = args else { return None };
    let format = unescape(format.as_str()?)?;
    let pieces: Vec<&[u8]> = split_at(&format, b"%s");
    if pieces.iter().any(|p| p.contains(&b'%')) {
        return None;
    }
    let mut out = Vec::new();
    let mut values = values.iter();
    let rounds = if pieces.len() > 1 { values.len().div_ceil(pieces.len() - 1).max(1) } else { 1 };
    for _ in 0..rounds {
        for (i, piece) in pieces.iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(values.next().map(|w| w.text.as_slice()).unwrap_or_default());
            }
            out.extend_from_slice(piece);
        }
    }
    Some(Word::literal(out))
}

fn split_at<'a>(text: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at + by.len() <= text.len() {
        if text.get(at..at + by.len()) == Some(by) {
            out.push(text.get(start..at).unwrap_or_default());
            at += by.len();
            start = at;
        } else {
            at += 1;
        }
    }
    out.push(text.get(start..).unwrap_or_default());
    out
}

fn unescape(format: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bytes = format.bytes();
    while let Some(c) = bytes.next() {
        if c != b'\\' {
            out.push(c);
            continue;
        }
        out.push(match bytes.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            _ => return None,
        });
    }
    Some(out)
}

/// `seq last`, `seq first last`, of few numbers.
fn seq(args: &[Word]) -> Option<Word> {
    let numbers: Option<Vec<i64>> = args.iter().map(|w| w.as_str()?.parse().ok()).collect();
    let (first, last) = match numbers?.as_slice() {
        [last] => (1, *last),
        [first, last] => (*first, *last),
        _ => return None,
    };
    if last.checked_sub(first)? > 1000 {
        return None;
    }
    let lines: Vec<String> = (first..=last).map(|n| n.to_string()).collect();
    Some(Word::literal(lines.join("\n")))
}

fn path_part(name: &str, args: &[Word]) -> Option<Word> {
    let [path] = args else { return None };
    let path = path.as_str()?.trim_end_matches('/');
    let (dir, base) = path.rsplit_once('/').unwrap_or((".", path));
    let dir = if dir.is_empty() { "/" } else { dir };
    Some(Word::literal(Bytes::from(if name.ends_with("dirname") { dir } else { base })))
}

/// The variables that a body sets.
pub fn assigned(list: &List, names: &mut Vec<String>) {
    for (and_or, _) in list {
        let AndOr { first, rest } = and_or;
        for pipeline in std::iter::once(first).chain(rest.iter().map(|(_, p)| p)) {
            let Pipeline { commands, .. } = pipeline;
            commands.iter().for_each(|c| assigned_by(c, names));
        }
    }
}

fn assigned_by(command: &Command, names: &mut Vec<String>) {
    match command {
        Command::Simple(simple) => {
            names.extend(simple.assigns.iter().map(|a| a.name.clone()));
            let mut words = simple.words.iter();
            let first = match words.next() {
                Some(Arg::Word(w)) => w.as_str(),
                _ => "",
            };
            let takes_names =
                matches!(first, "read" | "mapfile" | "readarray" | "getopts" | "let" | "printf");
            for arg in words {
                match arg {
                    Arg::Assign(a, _) => names.push(a.name.clone()),
                    Arg::Word(w) if takes_names && super::word_is_name(w) => names.push(w.clone()),
                    _ => {}
                }
            }
        }
        Command::Compound(compound, _) => match compound {
            Compound::Group(l) | Compound::ArithFor(_, l) | Compound::Subshell(l) => assigned(l, names),
            Compound::For(name, _, l) => {
                names.push(name.clone());
                assigned(l, names);
            }
            Compound::Case(_, arms) => arms.iter().for_each(|(_, l)| assigned(l, names)),
            Compound::If(arms) => arms.iter().for_each(|(_, l)| assigned(l, names)),
            Compound::While(_, c, l) => {
                assigned(c, names);
                assigned(l, names);
            }
            Compound::Arith(_) | Compound::Coproc(_) => {}
        },
        Command::Function(..) | Command::Test(..) => {}
    }
}
