//! Tools that write the files that they are told to: `dd`, `truncate`, `tee`, `touch`, `sort -o` …

use super::target::{Scope, Targets};
use crate::model::{EffectClass, Reversibility, Word};
use crate::shell::options::{Options, Spec, read};

/// One of the tools of this file.
pub fn assess(program: &str, out: &mut Targets<'_>) {
    match program {
        "dd" => dd(out),
        "tee" | "sponge" => tee(out),
        "truncate" | "fallocate" => sized(out),
        "touch" | "mkdir" | "mkfifo" | "mknod" | "mktemp" => made(program, out),
        "split" | "csplit" => pieces(program, out),
        _ => filters(program, out),
    }
}

/// Only help or the version is asked for.
pub fn asks(found: &Options<'_>) -> bool {
    found.has(&["--help", "--version"])
}

/// `dd of=…`; a device does not come back.
fn dd(out: &mut Targets<'_>) {
    let inv = out.inv;
    for word in inv.args() {
        let Some(path) = word.text.as_slice().strip_prefix(b"of=") else { continue };
        let target = Word { text: path.into(), ..word.clone() };
        let text = target.text.lossy().into_owned();
        if word.certain
            && matches!(text.as_str(), "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/tty" | "/dev/zero")
        {
            continue;
        }
        if word.certain && text.starts_with("/dev/") && !text.starts_with("/dev/shm/") {
            out.device(EffectClass::Destroy, &text);
            continue;
        }
        out.add(EffectClass::Overwrite, &target, Scope::Node);
    }
}

fn tee(out: &mut Targets<'_>) {
    let spec = Spec {
        flags: &["--append", "--ignore-interrupts", "--help", "--version", "--output-error"],
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    if asks(&found) {
        return;
    }
    let class = if found.has(&["-a", "--append"]) { EffectClass::Mutate } else { EffectClass::Overwrite };
    for word in out.with_dynamic(&found.operands) {
        if !is_sink(&word) {
            out.add(class, &word, Scope::Node);
        }
    }
}

/// Places where bytes written are not kept.
pub fn is_sink(word: &Word) -> bool {
    matches!(word.as_str(), Some(p) if matches!(p, "-" | "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/tty") || p.starts_with("/dev/fd/"))
}

fn sized(out: &mut Targets<'_>) {
    let spec = Spec {
        short: "srlo",
        long: &["--size", "--reference", "--length", "--offset"],
        flags: &["--no-create", "--io-blocks", "--help", "--version"],
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    if asks(&found) {
        return;
    }
    for word in out.with_dynamic(&found.operands) {
        out.add(EffectClass::Overwrite, &word, Scope::Node);
    }
}

fn made(program: &str, out: &mut Targets<'_>) {
    let spec = match program {
        "touch" => Spec {
            short: "drt",
            long: &["--date", "--reference", "--time"],
            flags: &["--no-create", "--help", "--version"],
            ..Spec::default()
        },
        "mktemp" => Spec {
            short: "p",
            long: &["--suffix"],
            flags: &["--dry-run", "--directory", "--quiet", "--help", "--version"],
            ..Spec::default()
        },
        _ => Spec {
            short: "m",
            long: &["--mode"],
            flags: &["--parents", "--help", "--version", "--verbose"],
            ..Spec::default()
        },
    };
    let found = read(&spec, out.inv.args());
    if asks(&found) {
        return;
    }
    if program == "mktemp" {
        if !found.has(&["-u", "--dry-run"]) {
            out.named(EffectClass::Create, "a new temporary file");
        }
        return;
    }
    let operands =
        if program == "mknod" { found.operands.get(..1).unwrap_or_default() } else { &found.operands };
    // `touch -c` only sets times.
    let times = program == "touch" && found.has(&["-c", "--no-create"]);
    let class = if times { EffectClass::Mutate } else { EffectClass::Create };
    for word in out.with_dynamic(operands) {
        out.add(class, &word, Scope::Node);
    }
}

fn pieces(program: &str, out: &mut Targets<'_>) {
    let spec = Spec {
        short: "abCltnf",
        long: &[
            "--lines",
            "--bytes",
            "--number",
            "--suffix-length",
            "--prefix",
            "--suffix-format",
            "--digits",
            "--filter",
            "--separator",
            "--additional-suffix",
            "--line-bytes",
        ],
        flags: &["--help", "--version"],
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    if asks(&found) {
        return;
    }
    let prefix = match program {
        "csplit" => found.value(&["-f", "--prefix"]).map(|w| w.text.lossy().into_owned()),
        _ => found.operands.get(1).map(|w| w.text.lossy().into_owned()),
    };
    let prefix = prefix.unwrap_or_else(|| "x".to_owned());
    out.workspace(EffectClass::Overwrite, &format!("pieces {prefix}*"));
}

/// Filters that can be told to write: `sort -o`, `uniq in out`, `iconv -o`, `xxd in out`, `openssl -out`.
fn filters(program: &str, out: &mut Targets<'_>) {
    let inv = out.inv;
    match program {
        "shuf" => {
            let spec = Spec {
                short: "ino",
                long: &["--output", "--head-count", "--input-range", "--random-source"],
                ..Spec::default()
            };
            let found = read(&spec, inv.args());
            found
                .value(&["-o", "--output"])
                .into_iter()
                .for_each(|w| out.add(EffectClass::Overwrite, w, Scope::Node));
        }
        "sort" => {
            let spec = Spec {
                short: "kotST",
                long: &[
                    "--output",
                    "--key",
                    "--field-separator",
                    "--buffer-size",
                    "--temporary-directory",
                    "--files0-from",
                    "--parallel",
                    "--compress-program",
                    "--batch-size",
                    "--random-source",
                ],
                flags: &["--help", "--version", "--reverse", "--unique", "--numeric-sort"],
                ..Spec::default()
            };
            let found = read(&spec, inv.args());
            found
                .value(&["-o", "--output"])
                .into_iter()
                .for_each(|w| out.add(EffectClass::Overwrite, w, Scope::Node));
        }
        "iconv" => {
            let spec =
                Spec { short: "fto", long: &["--output", "--from-code", "--to-code"], ..Spec::default() };
            let found = read(&spec, inv.args());
            found
                .value(&["-o", "--output"])
                .into_iter()
                .for_each(|w| out.add(EffectClass::Overwrite, w, Scope::Node));
        }
        "openssl" => {
            // `openssl req -newkey … -keyout k.pem -out c.pem` writes both.
            for pair in inv.args().windows(2) {
                let [option, file] = pair else { continue };
                if matches!(option.as_str(), Some("-out" | "-keyout" | "-certout")) {
                    out.add(EffectClass::Overwrite, file, Scope::Node);
                }
            }
        }
        _ => {
            let spec = match program {
                "uniq" => Spec {
                    short: "fsw",
                    long: &["--skip-fields", "--skip-chars", "--check-chars"],
                    ..Spec::default()
                },
                _ => Spec { short: "clgsonR", ..Spec::default() },
            };
            let found = read(&spec, inv.args());
            let target = found.operands.get(1).copied().filter(|w| !is_sink(w));
            target.into_iter().for_each(|w| out.add(EffectClass::Overwrite, w, Scope::Node));
        }
    }
}

impl Targets<'_> {
    /// A device: its content cannot be captured.
    pub fn device(&mut self, class: EffectClass, path: &str) {
        self.other(class, format!("dev:{path}"), Reversibility::Irreversible);
    }

    /// An effect on something new whose name only run time knows, outside what is captured.
    pub fn named(&mut self, class: EffectClass, how: &str) {
        self.other(class, format!("dyn:{how}"), Reversibility::Exact);
    }
}
