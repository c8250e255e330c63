//! Tools that write the files that they are told to: `dd`, `truncate`, `tee`, `touch`, `sort -o`, `curl -o` …

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
        "sort" | "shuf" | "uniq" | "iconv" | "xxd" | "openssl" => filters(program, out),
        "curl" => curl(out),
        "http" | "https" | "httpie" | "xh" => httpie(out),
        _ => wget(out),
    }
}

fn asks(found: &Options<'_>) -> bool {
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
fn is_sink(word: &Word) -> bool {
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

fn curl(out: &mut Targets<'_>) {
    let spec = Spec {
        short: "AbcCdDeEFhHKmoPQrtTuUwxXyYz",
        long: &[
            "--output",
            "--request",
            "--data",
            "--data-raw",
            "--data-binary",
            "--data-urlencode",
            "--json",
            "--header",
            "--user",
            "--user-agent",
            "--cookie",
            "--cookie-jar",
            "--form",
            "--url",
            "--proxy",
            "--cert",
            "--key",
            "--cacert",
            "--max-time",
            "--connect-timeout",
            "--retry",
            "--upload-file",
            "--write-out",
            "--referer",
            "--range",
            "--output-dir",
            "--dump-header",
            "--config",
            "--resolve",
            "--retry-delay",
            "--limit-rate",
            "--interface",
            "--oauth2-bearer",
        ],
        flags: &[
            "--remote-name",
            "--remote-name-all",
            "--location",
            "--silent",
            "--fail",
            "--help",
            "--version",
            "--head",
            "--get",
        ],
        ..Spec::default()
    };
    let inv = out.inv;
    let found = read(&spec, inv.args());
    if asks(&found) || found.has(&["-h", "-V"]) {
        return;
    }
    for file in found.values(&["-o", "--output", "-c", "--cookie-jar", "-D", "--dump-header"]) {
        if !is_sink(file) {
            out.add(EffectClass::Overwrite, file, Scope::Node);
        }
    }
    let urls: Vec<&Word> = found.operands.iter().copied().chain(found.values(&["--url"])).collect();
    if found.has(&["-O", "--remote-name", "--remote-name-all"]) {
        for url in &urls {
            remote_name(out, EffectClass::Overwrite, found.value(&["--output-dir"]), url);
        }
    }
    let sends = found.has(&[
        "-d",
        "--data",
        "--data-raw",
        "--data-binary",
        "--data-urlencode",
        "-F",
        "--form",
        "-T",
        "--upload-file",
        "--json",
    ]);
    let method = found.value(&["-X", "--request"]).and_then(Word::as_str).map(str::to_ascii_uppercase);
    let reads = match method.as_deref() {
        Some("GET" | "HEAD" | "OPTIONS" | "TRACE") => true,
        Some(_) => false,
        None => !sends || found.has(&["-G", "--get"]),
    };
    if !reads {
        for url in urls {
            out.url(url);
        }
    }
}

/// `http [METHOD] url [item…]`: an item with a value makes it a POST.
fn httpie(out: &mut Targets<'_>) {
    let inv = out.inv;
    let found = read(
        &Spec { short: "oapAs", long: &["--output", "--auth", "--session"], ..Spec::default() },
        inv.args(),
    );
    if asks(&found) || found.has(&["--offline"]) {
        return;
    }
    if let Some(file) = found.value(&["-o", "--output"]) {
        out.add(EffectClass::Overwrite, file, Scope::Node);
    }
    let method =
        found.operands.first().and_then(|w| w.as_str()).filter(|m| m.bytes().all(|c| c.is_ascii_uppercase()));
    let items = found.operands.get(1 + usize::from(method.is_some())..).unwrap_or_default();
    let sends = items
        .iter()
        .any(|w| w.text.as_slice().contains(&b'=') && !w.text.as_slice().windows(2).any(|p| p == b"=="));
    let reads = method.map_or(!sends, |m| matches!(m, "GET" | "HEAD" | "OPTIONS"));
    let url = found.operands.get(usize::from(method.is_some())).copied();
    if !reads {
        url.into_iter().for_each(|url| out.url(url));
    }
}

/// The file that a URL's last part names, in a directory that may be named elsewhere.
fn remote_name(out: &mut Targets<'_>, class: EffectClass, dir: Option<&Word>, url: &Word) {
    let text = url.text.lossy().into_owned();
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, p)| p);
    let name = path.rsplit_once('/').map(|(_, n)| n).filter(|n| !n.is_empty());
    match name {
        Some(name) => {
            let dir = dir.filter(|d| !d.text.is_empty());
            let certain = url.certain && dir.is_none_or(|d| d.certain);
            let text = match dir {
                Some(dir) => format!("{}/{name}", dir.text.lossy().trim_end_matches('/')),
                None => name.to_owned(),
            };
            out.add(class, &Word { text: text.as_str().into(), certain, glob: false }, Scope::Node)
        }
        None => out.named(EffectClass::Create, "the file wget names"),
    }
}

fn wget(out: &mut Targets<'_>) {
    let spec = Spec {
        short: "aADeGiIloOpPQRStTUwX",
        long: &[
            "--output-document",
            "--output-file",
            "--append-output",
            "--directory-prefix",
            "--input-file",
            "--tries",
            "--timeout",
            "--header",
            "--user-agent",
            "--post-data",
            "--post-file",
            "--method",
            "--body-data",
            "--user",
            "--password",
            "--level",
            "--accept",
            "--reject",
            "--domains",
            "--wait",
            "--limit-rate",
        ],
        flags: &[
            "--help",
            "--version",
            "--spider",
            "--recursive",
            "--continue",
            "--no-clobber",
            "--mirror",
            "--timestamping",
            "--quiet",
        ],
        ..Spec::default()
    };
    let inv = out.inv;
    let found = read(&spec, inv.args());
    if asks(&found) || found.has(&["-h", "-V", "--spider"]) {
        return;
    }
    if let Some(file) = found.value(&["-O", "--output-document"]) {
        if !is_sink(file) {
            out.add(EffectClass::Overwrite, file, Scope::Node);
        }
    } else if found.has(&["-r", "-m", "-i", "-p", "--recursive", "--mirror", "--input-file"]) {
        out.workspace(EffectClass::Create, "the files wget gets");
    } else {
        // Without these a file that is there stays, and the new one is called `name.1` (wget(1), `-nc`).
        let over = found.has(&["-N", "-c", "--timestamping", "--continue"]);
        let class = if over { EffectClass::Overwrite } else { EffectClass::Create };
        let dir = found.value(&["-P", "--directory-prefix"]);
        for url in &found.operands {
            remote_name(out, class, dir, url);
        }
    }
    if let Some(log) = found.value(&["-o", "--output-file"]) {
        out.add(EffectClass::Overwrite, log, Scope::Node);
    }
    let method = found.value(&["--method"]).and_then(Word::as_str).map(str::to_ascii_uppercase);
    let writes =
        found.has(&["--post-data", "--post-file"]) || method.is_some_and(|m| m != "GET" && m != "HEAD");
    if writes {
        found.operands.iter().for_each(|url| out.url(url));
    }
}

impl Targets<'_> {
    /// A device: its content cannot be captured.
    pub fn device(&mut self, class: EffectClass, path: &str) {
        self.other(class, format!("dev:{path}"), Reversibility::Irreversible);
    }

    /// A request that may change something at a URL.
    pub fn url(&mut self, url: &Word) {
        let text = url.text.lossy();
        let text = if url.certain { format!("url:{text}") } else { format!("dyn:{text}") };
        self.other(EffectClass::Opaque, text, Reversibility::Compensating);
    }

    /// An effect on something new whose name only run time knows, outside what is captured.
    pub fn named(&mut self, class: EffectClass, how: &str) {
        self.other(class, format!("dyn:{how}"), Reversibility::Exact);
    }
}
