//! Programs that read what they are given and write only where an option says so: compilers, converters, formatters.

use super::target::{Scope, Targets};
use crate::model::{EffectClass, Word};
use crate::shell::options::{Options, Spec, read};

/// Formatters that print or only judge, unless one of these options tells them to rewrite the files.
const REWRITES: &[(&str, &[&str])] = &[
    ("clang-format", &["-i"]),
    ("shfmt", &["-w", "--write"]),
    ("goimports", &["-w"]),
    ("autopep8", &["-i", "--in-place"]),
    ("yapf", &["-i", "--in-place"]),
    ("rubocop", &["-a", "-A", "--autocorrect", "--autocorrect-all", "--auto-correct", "--auto-correct-all"]),
    ("golangci-lint", &["--fix"]),
    ("stylelint", &["--fix"]),
    ("markdownlint", &["-f", "--fix"]),
    ("ktlint", &["-F", "--format"]),
];

/// One of the programs of this file.
pub fn assess(program: &str, out: &mut Targets<'_>) {
    match program {
        "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++" => compiler(out),
        "ffmpeg" => ffmpeg(out),
        "convert" | "magick" => last_word(out),
        "mogrify" => rest(out, "the images that mogrify is given"),
        "dos2unix" | "unix2dos" => line_ends(out),
        "pandoc" | "tree" | "dot" | "xmllint" => named(out),
        "exiftool" => tags(out),
        "isort" => {
            let found = read(&Spec { short: "lswdotpbfrm", ..Spec::default() }, out.inv.args());
            if !found.has(&["-c", "--check", "--check-only", "--diff", "--stdout", "--show-settings"]) {
                files(out, &found, "isort");
            }
        }
        _ => formatter(program, out),
    }
}

fn written(out: &mut Targets<'_>, file: &Word) {
    if file.as_str() != Some("-") {
        out.add(EffectClass::Overwrite, file, Scope::Node);
    }
}

/// `-o file`, `--output file`; else it prints.
fn named(out: &mut Targets<'_>) {
    let short = match out.inv.program() {
        Some("pandoc") => "oftVMHABcLFT",
        Some("tree") => "oLPIHT",
        Some("dot") => "oTKGNEAls",
        _ => "o",
    };
    let long = &[
        "--output",
        "--from",
        "--to",
        "--xpath",
        "--pattern",
        "--schema",
        "--relaxng",
        "--encode",
        "--template",
    ];
    let spec = Spec { short, long, ..Spec::default() };
    let found = read(&spec, out.inv.args());
    let file = found.value(&["-o", "--output"]).cloned();
    file.iter().for_each(|f| written(out, f));
    if out.inv.program() == Some("dot") && found.has(&["-O"]) {
        out.workspace(EffectClass::Overwrite, "pictures that dot -O names");
    }
}

/// `cc -o app main.c`; without a name `a.out`, with `-c` one object a source.
fn compiler(out: &mut Targets<'_>) {
    let spec = Spec { short: "oILlDUxTeu", attached: "WOgfmstdnpM", ..Spec::default() };
    let found = read(&spec, out.inv.args());
    let asks = ["-E", "-v", "-###"];
    let checks = out.inv.args().iter().any(|w| {
        w.as_str().is_some_and(|t| {
            matches!(t, "-fsyntax-only" | "-dumpversion" | "-dumpmachine") || t.starts_with("-print-")
        })
    });
    if let Some(file) = found.value(&["-o"]) {
        let file = file.clone();
        return written(out, &file);
    }
    if checks || found.has(&asks) || found.operands.is_empty() {
        return;
    }
    let wanted = if found.has(&["-c"]) {
        ".o"
    } else if found.has(&["-S"]) {
        ".s"
    } else {
        return out.add(EffectClass::Overwrite, &Word::literal("a.out"), Scope::Node);
    };
    for source in found.operands.clone() {
        let text = source.text.lossy().into_owned();
        let name = text.rsplit('/').next().unwrap_or(&text);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let object = Word { text: format!("{stem}{wanted}").as_str().into(), ..source.clone() };
        out.add(EffectClass::Overwrite, &object, Scope::Node);
    }
}

/// What is not an option or its value is an output; every option but these flags has a value (ffmpeg(1)).
fn ffmpeg(out: &mut Targets<'_>) {
    const FLAGS: &[&str] = &[
        "-y",
        "-n",
        "-vn",
        "-an",
        "-sn",
        "-dn",
        "-hide_banner",
        "-nostdin",
        "-nostats",
        "-stats",
        "-shortest",
        "-re",
        "-version",
        "-codecs",
        "-formats",
        "-encoders",
        "-decoders",
        "-filters",
        "-h",
        "-copyts",
    ];
    let inv = out.inv;
    let (mut at, mut skips, mut null) = (0, false, false);
    while let Some(word) = inv.args().get(at) {
        at += 1;
        let text = word.text.as_str().unwrap_or_default();
        if text.starts_with('-') && text.len() > 1 {
            skips |= text == "-n";
            if !FLAGS.contains(&text) {
                null = text == "-f" && inv.args().get(at).and_then(Word::as_str) == Some("null");
                at += 1;
            }
            continue;
        }
        if !null && !text.starts_with("pipe:") && text != "-" && !text.contains("://") {
            let class = if skips { EffectClass::Create } else { EffectClass::Overwrite };
            out.add(class, word, Scope::Node);
        }
    }
}

/// ImageMagick writes the last word.
fn last_word(out: &mut Targets<'_>) {
    let inv = out.inv;
    let sub = matches!(inv.args().first().and_then(Word::as_str), Some("identify" | "compare"));
    let lists = inv.args().first().is_some_and(|w| matches!(w.as_str(), Some("-list" | "-version")));
    if let Some(file) = inv.args().last().filter(|_| inv.args().len() > 1 && !sub && !lists) {
        let plain = !matches!(file.as_str(), Some("-" | "info:" | "null:"));
        if plain {
            out.add(EffectClass::Overwrite, file, Scope::Node);
        }
    }
}

/// `exiftool -Artist=x a.jpg` writes tags; without an assignment it prints them.
fn tags(out: &mut Targets<'_>) {
    let inv = out.inv;
    let assigns = |w: &&Word| w.text.as_slice().starts_with(b"-") && w.text.as_slice().contains(&b'=');
    if inv.args().iter().any(|w| assigns(&w)) {
        let files: Vec<&Word> = inv.args().iter().filter(|w| !w.text.as_slice().starts_with(b"-")).collect();
        for word in out.with_dynamic(&files) {
            out.add(EffectClass::Overwrite, &word, Scope::Tree);
        }
    }
}

fn rest(out: &mut Targets<'_>, how: &str) {
    out.workspace(EffectClass::Overwrite, how);
}

/// `dos2unix a b` edits in place; `-n in out` writes the second.
fn line_ends(out: &mut Targets<'_>) {
    let found = read(&Spec { short: "cD", long: &["--convmode"], ..Spec::default() }, out.inv.args());
    if found.has(&["-i", "--info", "-h", "-V", "-L", "-O", "--to-stdout"]) {
        return;
    }
    let pairs = found.has(&["-n", "--newfile"]);
    for (at, word) in out.with_dynamic(&found.operands).into_iter().enumerate() {
        if !pairs || at % 2 == 1 || !word.certain {
            out.add(EffectClass::Overwrite, &word, Scope::Node);
        }
    }
}

fn formatter(program: &str, out: &mut Targets<'_>) {
    let found = read(&Spec { posix: false, ..Spec::default() }, out.inv.args());
    let names = REWRITES.iter().find(|(name, _)| *name == program).map_or(&[][..], |(_, names)| *names);
    let given = |w: &Word| w.as_str().is_some_and(|t| names.contains(&t));
    if found.has(names) || out.inv.args().iter().any(given) {
        files(out, &found, program);
    }
}

/// The files that are rewritten; without any, those that the tool finds.
fn files(out: &mut Targets<'_>, found: &Options<'_>, program: &str) {
    let operands: Vec<&Word> =
        found.operands.iter().copied().filter(|w| !matches!(w.as_str(), Some("run"))).collect();
    let words = out.with_dynamic(&operands);
    if words.is_empty() {
        out.workspace(EffectClass::Overwrite, program);
    }
    for word in words {
        out.add(EffectClass::Overwrite, &word, Scope::Tree);
    }
}
