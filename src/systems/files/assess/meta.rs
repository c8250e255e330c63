//! Modes, owners, ACLs, attributes.

use super::target::{Scope, Targets};
use crate::model::EffectClass;
use crate::shell::options::{Spec, read};

/// `chmod`, `chown`, `chgrp`, `setfacl`, `setfattr`, `chattr`
pub fn assess(program: &str, out: &mut Targets<'_>) {
    let spec = match program {
        "setfacl" => Spec {
            short: "mxMX",
            long: &[
                "--modify",
                "--remove",
                "--modify-file",
                "--remove-file",
                "--set",
                "--set-file",
                "--restore",
            ],
            flags: &["--recursive", "--test", "--remove-all", "--remove-default", "--help", "--version"],
            ..Spec::default()
        },
        "setfattr" => {
            Spec { short: "nvx", long: &["--name", "--value", "--remove", "--restore"], ..Spec::default() }
        }
        _ => Spec {
            long: &["--reference", "--from"],
            flags: &[
                "--recursive",
                "--changes",
                "--silent",
                "--quiet",
                "--verbose",
                "--help",
                "--version",
                "--no-dereference",
                "--dereference",
                "--preserve-root",
                "--no-preserve-root",
            ],
            ..Spec::default()
        },
    };
    let inv = out.inv;
    // `chmod -x file`: a mode that begins with a dash is no option.
    let is_mode = |w: &crate::model::Word| {
        program == "chmod"
            && w.text
                .as_slice()
                .strip_prefix(b"-")
                .is_some_and(|m| !m.is_empty() && m.iter().all(|c| b"rwxXst,ugoa+-=01234567".contains(c)))
    };
    let words: Vec<_> = inv.args().iter().filter(|w| !is_mode(w)).cloned().collect();
    let dashed_mode = words.len() < inv.args().len();
    let found = read(&spec, &words);
    if found.has(&["--help", "--version", "--test"]) {
        return;
    }
    let skip = match program {
        "chmod" | "chown" | "chgrp" | "chattr" => usize::from(!found.has(&["--reference"]) && !dashed_mode),
        _ => 0,
    };
    let skip = if program == "chattr" {
        found
            .operands
            .iter()
            .take_while(|w| w.text.as_slice().starts_with(b"+") || w.text.as_slice().starts_with(b"="))
            .count()
    } else {
        skip
    };
    if found.has(&["--restore"]) {
        out.workspace(EffectClass::Access, &format!("files that {program} --restore reads"));
        return;
    }
    let all = out.with_dynamic(&found.operands);
    let recursive = found.has(&["-R", "--recursive"]);
    for word in all.iter().skip(skip) {
        if recursive && word.certain {
            let how = format!("tree under {}", word.text.lossy());
            out.below(EffectClass::Access, word, &how, true);
        } else {
            out.add(EffectClass::Access, word, Scope::Meta);
        }
    }
}
