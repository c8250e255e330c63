//! The options of a command, read by a typed table: bundles (`-rf`), `--long=value`, unique abbreviations, `--`.

use crate::model::{Bytes, Word};

/// What options a program has. Unlisted short options are flags, unlisted long options too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spec {
    /// Short options that take a value, attached or in the next word.
    pub short: &'static str,
    /// Short options whose value can only be attached (`sed -i.bak`).
    pub attached: &'static str,
    /// Long options that take a value, attached or in the next word; with their dashes.
    pub long: &'static [&'static str],
    /// Long options without a value in the next word: what abbreviations are completed to.
    pub flags: &'static [&'static str],
    /// Options end at the first operand.
    pub posix: bool,
}

/// The options and operands that were found.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// Options by full name, in order, with their values.
    pub options: Vec<(String, Option<Word>)>,
    /// What is no option.
    pub operands: Vec<&'a Word>,
    /// How many of the operands stood before `--`; all of them where there is none.
    pub before_dashes: usize,
    /// `--` was given.
    pub dashes: bool,
}

impl Options<'_> {
    /// True where one of the options is given. Names carry their dashes.
    pub fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(n, _)| names.contains(&n.as_str()))
    }

    /// The last value of one of the options.
    pub fn value(&self, names: &[&str]) -> Option<&Word> {
        self.options
            .iter()
            .rev()
            .find(|(n, v)| names.contains(&n.as_str()) && v.is_some())
            .and_then(|(_, v)| v.as_ref())
    }

    /// All values of one of the options.
    pub fn values<'s>(&'s self, names: &'s [&str]) -> impl Iterator<Item = &'s Word> {
        self.options.iter().filter(move |(n, _)| names.contains(&n.as_str())).filter_map(|(_, v)| v.as_ref())
    }

    /// Which of the names was given last.
    pub fn last<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        self.options.iter().rev().find_map(|(n, _)| names.iter().copied().find(|name| name == n))
    }
}

/// Reads the options of `args` (without the command word).
pub fn read<'a>(spec: &Spec, args: &'a [Word]) -> Options<'a> {
    let mut out = Options::default();
    let mut at = 0;
    while let Some(word) = args.get(at) {
        at += 1;
        let text = word.text.as_slice();
        if text == b"--" {
            out.dashes = true;
            out.before_dashes = out.operands.len();
            out.operands.extend(args.get(at..).unwrap_or_default());
            return out;
        }
        if text.len() < 2 || !text.starts_with(b"-") || (word.glob && !word.certain) {
            out.operands.push(word);
            if spec.posix {
                out.operands.extend(args.get(at..).unwrap_or_default());
                break;
            }
        } else if text.starts_with(b"--") {
            at += usize::from(long(spec, word, args.get(at), &mut out));
        } else {
            at += usize::from(short(spec, word, args.get(at), &mut out));
        }
    }
    out.before_dashes = out.operands.len();
    out
}

/// One long option; true where it took the next word.
fn long(spec: &Spec, word: &Word, next: Option<&Word>, out: &mut Options<'_>) -> bool {
    let text = word.text.as_slice();
    let cut = text.iter().position(|c| *c == b'=');
    let name =
        String::from_utf8_lossy(text.get(..cut.unwrap_or(text.len())).unwrap_or_default()).into_owned();
    let name = complete(spec, name);
    if let Some(cut) = cut {
        let value = text.get(cut + 1..).unwrap_or_default();
        out.options.push((name, Some(Word { text: Bytes::from(value), ..word.clone() })));
        return false;
    }
    let takes = spec.long.contains(&name.as_str());
    out.options.push((name, if takes { next.cloned() } else { None }));
    takes
}

/// The full name of an abbreviated long option, where it is unique.
fn complete(spec: &Spec, name: String) -> String {
    let all = || spec.long.iter().chain(spec.flags).copied();
    if all().any(|n| n == name) {
        return name;
    }
    let fits = || all().filter(|n| n.starts_with(name.as_str()));
    // `--forc` fits --force and --force-with-lease: the one that all others extend is meant.
    let shortest = fits().min_by_key(|n| n.len());
    match shortest.filter(|s| fits().all(|n| n.starts_with(*s))) {
        Some(full) => full.to_owned(),
        None => name,
    }
}

/// A word of short options; true where the last took the next word.
fn short(spec: &Spec, word: &Word, next: Option<&Word>, out: &mut Options<'_>) -> bool {
    let text = word.text.as_slice();
    for (i, c) in text.iter().enumerate().skip(1) {
        let name = format!("-{}", char::from(*c));
        let rest = text.get(i + 1..).unwrap_or_default();
        if spec.short.as_bytes().contains(c) {
            if rest.is_empty() {
                out.options.push((name, next.cloned()));
                return true;
            }
            out.options.push((name, Some(Word { text: Bytes::from(rest), ..word.clone() })));
            return false;
        }
        if spec.attached.as_bytes().contains(c) {
            let value = Word { text: Bytes::from(rest), ..word.clone() };
            out.options.push((name, (!rest.is_empty()).then_some(value)));
            return false;
        }
        out.options.push((name, None));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Spec, read};
    use crate::model::Word;

    #[test]
    fn bundles_values_abbreviations_and_dashes() {
        let spec = Spec {
            short: "o",
            attached: "i",
            long: &["--output"],
            flags: &["--force", "--follow"],
            posix: false,
        };
        let words: Vec<Word> = ["-rfo", "x", "a", "--out", "y", "--forc", "--fo", "-i.bak", "--", "-b"]
            .map(Word::literal)
            .into();
        let found = read(&spec, &words);
        let names: Vec<&str> = found.options.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["-r", "-f", "-o", "--output", "--force", "--fo", "-i"]);
        assert_eq!(found.value(&["-o"]).and_then(Word::as_str), Some("x"));
        assert_eq!(found.value(&["-o", "--output"]).and_then(Word::as_str), Some("y"));
        assert_eq!(found.value(&["-i"]).and_then(Word::as_str), Some(".bak"));
        assert_eq!(found.operands.iter().filter_map(|w| w.as_str()).collect::<Vec<_>>(), ["a", "-b"]);
        assert_eq!(found.before_dashes, 1);
    }
}
