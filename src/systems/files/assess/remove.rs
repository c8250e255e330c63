//! `rm` and its kin, `find -delete`.

use super::target::{Scope, Targets};
use crate::model::{EffectClass, Word};
use crate::shell::options::{Spec, read};

/// `rm`
pub fn rm(out: &mut Targets<'_>) {
    let spec = Spec {
        flags: &[
            "--recursive",
            "--force",
            "--dir",
            "--verbose",
            "--help",
            "--version",
            "--one-file-system",
            "--preserve-root",
            "--no-preserve-root",
            "--interactive",
        ],
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    if found.has(&["--help", "--version"]) {
        return;
    }
    let scope = if found.has(&["-r", "-R", "--recursive"]) { Scope::Tree } else { Scope::Node };
    for word in out.with_dynamic(&found.operands) {
        out.add(EffectClass::Destroy, &word, scope);
    }
}

/// `rmdir`, `unlink`, `shred`, trash tools.
pub fn others(program: &str, out: &mut Targets<'_>) {
    let spec = match program {
        "shred" => Spec {
            short: "ns",
            long: &["--iterations", "--size", "--random-source"],
            flags: &["--remove", "--zero", "--force", "--exact", "--verbose", "--help", "--version"],
            ..Spec::default()
        },
        _ => Spec {
            flags: &["--help", "--version", "--parents", "--ignore-fail-on-non-empty"],
            ..Spec::default()
        },
    };
    let found = read(&spec, out.inv.args());
    if found.has(&["--help", "--version"]) {
        return;
    }
    let scope = if program.starts_with("trash") { Scope::Tree } else { Scope::Node };
    let parents = program == "rmdir" && found.has(&["-p", "--parents"]);
    for word in out.with_dynamic(&found.operands) {
        out.add(EffectClass::Destroy, &word, scope);
        if parents && word.certain {
            for above in above(word.text.as_slice()) {
                out.add(EffectClass::Destroy, &Word { text: above.into(), ..(*word).clone() }, scope);
            }
        }
    }
}

/// The directories that `rmdir -p a/b/c` removes after `a/b/c`: `a/b`, `a`.
fn above(path: &[u8]) -> Vec<&[u8]> {
    const MOST: usize = 64;
    let mut out = Vec::new();
    let mut rest = path;
    while out.len() < MOST
        && let Some(end) = rest.iter().rposition(|c| *c == b'/').filter(|end| *end > 0)
    {
        let tail = rest.get(end + 1..).unwrap_or_default();
        rest = rest.get(..end).unwrap_or_default();
        if !tail.is_empty() && !rest.is_empty() {
            out.push(rest);
        }
    }
    out
}

/// `find`: what it deletes and what it prints into files. Its `-exec` commands are invocations of their own.
pub fn find(program: &str, out: &mut Targets<'_>) {
    if program != "find" {
        return;
    }
    let inv = out.inv;
    let mut starts: Vec<&Word> = crate::shell::find_starts(&inv.argv).collect();
    let here = Word::literal(".");
    if starts.is_empty() {
        starts.push(&here);
    }
    let mut words = inv.args().iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            Some("-delete") => {
                for start in &starts {
                    out.below(EffectClass::Destroy, start, "what the same find prints with -print0", false);
                    if spares_repositories(inv.args()) {
                        out.spares_repositories();
                    }
                }
            }
            Some(print @ ("-fprint" | "-fprint0" | "-fls" | "-fprintf")) => {
                if let Some(file) = words.next() {
                    out.add(EffectClass::Overwrite, file, Scope::Node);
                }
                if print == "-fprintf" {
                    words.next();
                }
            }
            Some("-exec" | "-execdir" | "-ok" | "-okdir") => {
                words.by_ref().find(|w| matches!(w.as_str(), Some(";" | "+")));
            }
            Some(test) => {
                for _ in 0..crate::shell::find_values(test) {
                    words.next();
                }
            }
            None => {}
        }
    }
}

/// What such a `find` is about is nothing that a repository keeps in files of its own beside refs and logs: it leaves `.git`
/// out, or asks for names with an ending that nothing there has (gitrepository-layout(5)).
fn spares_repositories(words: &[Word]) -> bool {
    const OWN: [&str; 14] = [
        "pack", "idx", "rev", "bitmap", "keep", "sample", "lock", "graph", "mtimes", "promisor", "chain",
        "midx", "git", "tmp",
    ];
    let text: Vec<&str> = words.iter().filter(|w| w.certain).filter_map(Word::as_str).collect();
    let value_of = |option: &'static [&'static str]| {
        text.windows(2).filter(move |pair| option.contains(&pair[0])).map(|pair| pair[1])
    };
    let is_own_path = |path: &str| matches!(path, "./.git/*" | "*/.git/*" | "./.git" | "*/.git");
    let leaves_out = text
        .windows(3)
        .any(|w| matches!(w[0], "-not" | "!") && matches!(w[1], "-path" | "-wholename") && is_own_path(w[2]));
    let has_foreign_ending = |name: &str| {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|e| {
            !e.is_empty() && e.bytes().all(|b| b.is_ascii_alphanumeric()) && !OWN.contains(&e)
        })
    };
    let mut names = value_of(&["-name", "-iname"]).peekable();
    let alternatives = text.iter().any(|w| matches!(*w, "-o" | "-or" | ","));
    leaves_out && !alternatives || names.peek().is_some() && !alternatives && names.all(has_foreign_ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_find_leaves_of_a_repository() {
        let spares =
            |line: &str| spares_repositories(&line.split(' ').map(Word::literal).collect::<Vec<_>>());
        for line in [
            ". -name *.pyc -delete",
            ". -type f -iname .DS_Store.bak -delete",
            ". -not -path ./.git/* -type f -delete",
            ". ! -path */.git/* -delete",
        ] {
            assert!(spares(line), "{line}");
        }
        for line in [
            ". -delete",
            ". -name * -delete",
            ". -name a* -delete",
            ". -name *.pack -delete",
            ". -name *.md -o -name HEAD -delete",
            ". -not -path ./.git/* -o -name x -delete",
            ". -mindepth 1 -delete",
        ] {
            assert!(!spares(line), "{line}");
        }
    }
}
