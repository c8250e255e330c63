//! Tools that fetch, and write what they got: `curl -o`, `wget`, `http`. Some requests change something at the other side.

use super::target::{Scope, Targets};
use super::write::{asks, is_sink};
use crate::model::{EffectClass, Reversibility, Word};
use crate::shell::options::{Spec, read};

/// One of the tools of this file.
pub fn assess(program: &str, out: &mut Targets<'_>) {
    match program {
        "curl" => curl(out),
        "http" | "https" | "httpie" | "xh" => httpie(out),
        _ => wget(out),
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
    /// A request that may change something at a URL.
    pub fn url(&mut self, url: &Word) {
        let text = url.text.lossy();
        let text = if url.certain { format!("url:{text}") } else { format!("dyn:{text}") };
        self.other(EffectClass::Opaque, text, Reversibility::Compensating);
    }
}
