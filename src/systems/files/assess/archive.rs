//! Archives and compressors.

use super::target::{Scope, Targets};
use crate::model::{EffectClass, Word};
use crate::shell::options::{Spec, read};

/// One of the tools of this file.
pub fn assess(program: &str, out: &mut Targets<'_>) {
    match program {
        "tar" | "gtar" | "bsdtar" => tar(out),
        "unzip" => unzip(out),
        "zip" => zip(out),
        "7z" | "7za" | "7zr" | "unrar" => seven(out),
        "cpio" => cpio(out),
        _ => compressor(program, out),
    }
}

const TAR: Spec = Spec {
    short: "CfTXbgHVIKNL",
    attached: "",
    long: &[
        "--directory",
        "--file",
        "--files-from",
        "--exclude",
        "--exclude-from",
        "--transform",
        "--xform",
        "--strip-components",
        "--use-compress-program",
        "--owner",
        "--group",
        "--mode",
        "--mtime",
        "--newer",
        "--listed-incremental",
        "--format",
        "--suffix",
        "--rsh-command",
        "--label",
        "--to-command",
    ],
    flags: &[
        "--extract",
        "--get",
        "--create",
        "--list",
        "--append",
        "--update",
        "--delete",
        "--concatenate",
        "--catenate",
        "--diff",
        "--compare",
        "--to-stdout",
        "--remove-files",
        "--gzip",
        "--bzip2",
        "--xz",
        "--zstd",
        "--verbose",
        "--help",
        "--version",
        "--overwrite",
        "--keep-old-files",
        "--skip-old-files",
        "--keep-newer-files",
    ],
    posix: false,
};

fn tar(out: &mut Targets<'_>) {
    let inv = out.inv;
    // The old form `tar xzf a.tgz` is a bundle without its dash, whose values follow in order.
    let mut words: Vec<Word> = inv.args().to_vec();
    if let Some(first) = words.first_mut().filter(|w| !w.text.as_slice().starts_with(b"-")) {
        let letters = first.text.0.clone();
        let mut at = 1;
        let mut expanded: Vec<Word> = Vec::new();
        for letter in letters {
            let is_valued = TAR.short.as_bytes().contains(&letter);
            expanded.push(Word::literal(vec![b'-', letter]));
            if is_valued {
                expanded.extend(inv.args().get(at).cloned());
                at += 1;
            }
        }
        expanded.extend(inv.args().iter().skip(at).cloned());
        words = expanded;
    }
    let found = read(&TAR, &words);
    if found.has(&["--help", "--version"]) {
        return;
    }
    let file = found.value(&["-f", "--file"]).filter(|f| f.as_str() != Some("-"));
    if found.has(&["-x", "--extract", "--get"]) {
        if found.has(&["-O", "--to-stdout"]) {
            return;
        }
        let keeps = found.has(&["-k", "--keep-old-files", "--skip-old-files"]);
        let class = if keeps { EffectClass::Create } else { EffectClass::Overwrite };
        let here = Word::literal(".");
        let dir = found.value(&["-C", "--directory"]).unwrap_or(&here);
        let how = format!("tar t members under {}", dir.text.lossy());
        out.below(class, dir, &how, false);
    } else if found.has(&["-c", "--create"]) {
        if let Some(file) = file {
            out.add(EffectClass::Create, file, Scope::Node);
        }
        if found.has(&["--remove-files"]) {
            for word in &found.operands {
                out.add(EffectClass::Destroy, word, Scope::Tree);
            }
        }
    } else if found.has(&["--delete"]) {
        file.into_iter().for_each(|f| out.add(EffectClass::Destroy, f, Scope::Node));
    } else if found.has(&["-r", "-u", "-A", "--append", "--update", "--concatenate", "--catenate"]) {
        file.into_iter().for_each(|f| out.add(EffectClass::Mutate, f, Scope::Node));
    }
}

fn unzip(out: &mut Targets<'_>) {
    let found = read(&Spec { short: "dPxI", ..Spec::default() }, out.inv.args());
    if found.has(&["-l", "-t", "-v", "-z", "-p", "-Z", "-c", "-h", "--help"]) || found.operands.is_empty() {
        return;
    }
    let class = if found.has(&["-n"]) { EffectClass::Create } else { EffectClass::Overwrite };
    let here = Word::literal(".");
    let dir = found.value(&["-d"]).unwrap_or(&here);
    let how = format!("unzip -Z1 members under {}", dir.text.lossy());
    out.below(class, dir, &how, false);
}

/// `cpio -i` unpacks below the directory, `-p dir` copies; `-o` and `-t` print.
fn cpio(out: &mut Targets<'_>) {
    let spec = Spec {
        short: "CDEFHIMNOR",
        long: &["--file", "--format", "--directory", "--owner"],
        flags: &[
            "--extract",
            "--list",
            "--create",
            "--pass-through",
            "--make-directories",
            "--unconditional",
        ],
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    let file = found.value(&["-F", "-O", "--file"]).cloned();
    if found.has(&["-t", "--list"]) {
    } else if found.has(&["-o", "--create"]) {
        file.iter().for_each(|f| out.add(EffectClass::Create, f, Scope::Node));
    } else if found.has(&["-i", "--extract"]) {
        let here = Word::literal(".");
        let dir = found.value(&["-D", "--directory"]).unwrap_or(&here).clone();
        out.below(EffectClass::Overwrite, &dir, "cpio -t members", false);
    } else if let Some(dir) = found.operands.last().filter(|_| found.has(&["-p", "--pass-through"])) {
        out.below(EffectClass::Overwrite, dir, "what cpio -p copies", false);
    }
}

/// `7z x`, `7z a`, `unrar x`
fn seven(out: &mut Targets<'_>) {
    let found = read(&Spec { attached: "opt", ..Spec::default() }, out.inv.args());
    let archive = found.operands.get(1).copied();
    match found.operands.first().and_then(|w| w.as_str()) {
        Some("x" | "e") => out.workspace(EffectClass::Overwrite, "members of the archive"),
        Some("a" | "u") => archive.into_iter().for_each(|w| out.add(EffectClass::Create, w, Scope::Node)),
        Some("d") => archive.into_iter().for_each(|w| out.add(EffectClass::Destroy, w, Scope::Node)),
        _ => {}
    }
}

fn zip(out: &mut Targets<'_>) {
    let found = read(&Spec { short: "bntPsOx", ..Spec::default() }, out.inv.args());
    let Some((archive, members)) = found.operands.split_first() else { return };
    if found.has(&["-h", "--help", "-T", "--version"]) || archive.as_str() == Some("-") {
        return;
    }
    let class = if found.has(&["-d", "--delete"]) { EffectClass::Destroy } else { EffectClass::Create };
    out.add(class, archive, Scope::Node);
    if found.has(&["-m", "--move"]) {
        for member in members {
            out.add(EffectClass::Destroy, member, Scope::Tree);
        }
    }
}

/// `gzip f` puts `f.gz` in the place of `f`; zstd and lz4 keep it.
fn compressor(program: &str, out: &mut Targets<'_>) {
    let spec = Spec {
        short: "STbDMo",
        long: &["--suffix", "--threads", "--format"],
        flags: &[
            "--keep",
            "--stdout",
            "--to-stdout",
            "--test",
            "--list",
            "--decompress",
            "--uncompress",
            "--force",
            "--rm",
            "--help",
            "--version",
            "--recursive",
        ],
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    if found.has(&[
        "-c",
        "-t",
        "-l",
        "-h",
        "-V",
        "--stdout",
        "--to-stdout",
        "--test",
        "--list",
        "--help",
        "--version",
    ]) {
        return;
    }
    if let Some(file) = found.value(&["-o"]) {
        out.add(EffectClass::Overwrite, file, Scope::Node);
    }
    let keeps = found.has(&["-k", "--keep"])
        || (matches!(program, "zstd" | "unzstd" | "lz4") && !found.has(&["--rm"]));
    let unpacks = found.has(&["-d", "--decompress", "--uncompress"])
        || matches!(program, "gunzip" | "unxz" | "bunzip2" | "unzstd" | "uncompress");
    if found.has(&["-o"]) {
        return;
    }
    let plain = !found.has(&["-r", "--recursive", "-S", "--suffix", "-F", "--format"]);
    let made = if found.has(&["-f", "--force"]) { EffectClass::Overwrite } else { EffectClass::Create };
    for word in out.with_dynamic(&found.operands) {
        if !keeps {
            out.add(EffectClass::Overwrite, &word, Scope::Tree);
        }
        let known = plain && word.certain && !word.glob;
        match output_name(program, unpacks, word.text.as_slice()).filter(|_| known) {
            Some(name) => out.add(made, &Word::literal(name), Scope::Node),
            None if keeps => {
                out.workspace(made, &format!("the {program} output of {}", word.text.lossy()));
            }
            None => {}
        }
    }
}

/// What `gzip f` and its kin make beside `f`.
fn output_name(program: &str, unpacks: bool, path: &[u8]) -> Option<Vec<u8>> {
    let suffix: &[u8] = match program {
        "gzip" | "gunzip" => b".gz",
        "xz" | "unxz" => b".xz",
        "bzip2" | "bunzip2" => b".bz2",
        "zstd" | "unzstd" => b".zst",
        "lz4" => b".lz4",
        "compress" | "uncompress" => b".Z",
        _ => return None,
    };
    if !unpacks {
        return Some([path, suffix].concat());
    }
    let short = [b".t".as_slice(), suffix.strip_prefix(b".")?].concat();
    if let Some(base) = path.strip_suffix(short.as_slice()) {
        return Some([base, b".tar"].concat());
    }
    path.strip_suffix(suffix).filter(|base| !base.is_empty()).map(<[u8]>::to_vec)
}
