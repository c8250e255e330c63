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
