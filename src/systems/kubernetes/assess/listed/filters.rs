//! What stands between a list of objects and the command that reads it, and whether it can put in other names.

use crate::model::{Invocation, Word};

/// Programs that pass on what they read, or do not touch it.
const HARMLESS: &[&str] = &["cat", "echo", "sleep", "ls", "grep", "diff", "kubectl", "true", "printf"];

/// What a text went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filtered {
    /// It is as it was listed.
    Not,
    /// These texts (a dot is any letter) were replaced in it.
    Replaced(Vec<String>),
    /// Nobody knows.
    Anyhow,
}

impl Filtered {
    /// The one and then the other.
    pub fn then(self, next: Filtered) -> Filtered {
        match (self, next) {
            (Filtered::Anyhow, _) | (_, Filtered::Anyhow) => Filtered::Anyhow,
            (Filtered::Not, one) | (one, Filtered::Not) => one,
            (Filtered::Replaced(mut all), Filtered::Replaced(more)) => {
                all.extend(more);
                Filtered::Replaced(all)
            }
        }
    }

    /// What is sure of it, as long as none of the patterns is in a name.
    pub fn and(self, sure: Option<Vec<String>>) -> Option<Vec<String>> {
        match self {
            Filtered::Not => sure,
            Filtered::Replaced(patterns) => sure.map(|known| known.into_iter().chain(patterns).collect()),
            Filtered::Anyhow => None,
        }
    }
}

/// What the later commands of a pipe do to what goes through.
pub fn of(pipe: &[Invocation]) -> Filtered {
    pipe.iter().fold(Filtered::Not, |all, inv| {
        all.then(match inv.program() {
            Some("cat" | "tee") => Filtered::Not,
            Some("sed") => sed(inv),
            _ => Filtered::Anyhow,
        })
    })
}

/// What was done to a file.
pub fn since(file: &str, line: &[Invocation]) -> Filtered {
    line.iter().fold(Filtered::Not, |all, inv| {
        let names_it = inv.argv.iter().any(|word| word.as_str() == Some(file));
        all.then(match inv.program() {
            Some("sed") if names_it => sed(inv),
            Some(name) if name == "sed" || HARMLESS.contains(&name) => Filtered::Not,
            _ => Filtered::Anyhow,
        })
    })
}

/// `sed s/a/b/`, whose texts are plain: it makes no lines, and changes only lines that hold the text.
fn sed(inv: &Invocation) -> Filtered {
    let known = || -> Option<Vec<String>> {
        let mut scripts: Vec<&str> = Vec::new();
        let mut plain: Vec<&str> = Vec::new();
        let mut words = inv.args().iter();
        while let Some(word) = words.next() {
            match Word::as_str(word)? {
                "-e" | "--expression" => scripts.push(words.next()?.as_str()?),
                "-i" | "--in-place" | "-E" | "-r" => {}
                text if text.starts_with("-i") => {}
                text if text.starts_with('-') => return None,
                text => plain.push(text),
            }
        }
        if scripts.is_empty() {
            scripts.push(plain.first()?);
        }
        scripts.into_iter().flat_map(|script| script.split(';')).map(|one| replaced(one.trim())).collect()
    };
    known().map_or(Filtered::Anyhow, Filtered::Replaced)
}

/// The text that a command of `sed` replaces, if it is such a command.
fn replaced(script: &str) -> Option<String> {
    let rest = script.strip_prefix('s')?;
    let mark = rest.chars().next().filter(|c| "/|#,@!:".contains(*c))?;
    let mut parts = rest.get(mark.len_utf8()..)?.split(mark);
    let (from, to, flags) = (parts.next()?, parts.next()?, parts.next()?);
    let is_plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " :/_@=,\"'.-".contains(c));
    let ends = parts.next().is_none() && matches!(flags, "" | "g");
    (ends && !from.is_empty() && is_plain(from) && is_plain(to)).then(|| from.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_replacements_are_understood() {
        let of = |words: &[&str]| {
            sed(&Invocation { argv: words.iter().map(|w| Word::literal(*w)).collect(), ..Default::default() })
        };
        let replaced = |texts: &[&str]| Filtered::Replaced(texts.iter().map(|t| (*t).to_owned()).collect());
        assert_eq!(of(&["sed", "s/replicas: 3/replicas: 5/"]), replaced(&["replicas: 3"]));
        assert_eq!(
            of(&["sed", "-i", "-e", "s|a/b|c|g", "-e", "s/x/y/;s/z//", "f"]),
            replaced(&["a/b", "x", "z"])
        );
        for odd in ["s/a.*/b/", "s/a/b\\n/", "/x/d", "s/a/&b/", "1i x", "s/a/b/e", "s/a/b/w f", "$d"] {
            assert_eq!(of(&["sed", odd]), Filtered::Anyhow, "{odd}");
        }
        assert_eq!(of(&["sed", "-n", "s/a/b/"]), Filtered::Anyhow);
        assert_eq!(of(&["sed", "-f", "script"]), Filtered::Anyhow);
    }
}
