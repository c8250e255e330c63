//! `mv`, `cp`, `install`, `ln`, `rsync`: something is put where something else may be.

use std::borrow::Cow;

use super::target::{Scope, Targets, absolute};
use crate::model::{Bytes, EffectClass, Invocation, Word};
use crate::shell::options::{Options, Spec, read};

const COPY: Spec = Spec {
    short: "tS",
    attached: "",
    long: &["--target-directory", "--suffix"],
    flags: &[
        "--help",
        "--version",
        "--no-clobber",
        "--force",
        "--interactive",
        "--update",
        "--verbose",
        "--no-target-directory",
        "--backup",
        "--recursive",
        "--archive",
        "--link",
        "--symbolic-link",
        "--parents",
        "--preserve",
        "--remove-destination",
        "--strip-trailing-slashes",
        "--reflink",
        "--sparse",
        "--dereference",
        "--no-dereference",
        "--one-file-system",
        "--attributes-only",
        "--copy-contents",
        "--exchange",
        "--debug",
    ],
    posix: false,
};

fn base(word: &Word) -> Option<Bytes> {
    let text = word.text.as_slice();
    let end = text.iter().rposition(|c| *c != b'/')? + 1;
    let text = text.get(..end)?;
    let name = text.rsplit(|c| *c == b'/').next()?;
    (word.certain && !matches!(name, b"." | b"..")).then(|| Bytes::from(name))
}

/// The sources and the destination of a command of this family.
fn split<'w>(out: &Targets<'_>, found: &'w Options<'w>) -> (Vec<Cow<'w, Word>>, Option<Cow<'w, Word>>) {
    let mut operands = out.with_dynamic(&found.operands);
    let into = found.value(&["-t", "--target-directory"]).map(Cow::Borrowed);
    let to = into.or_else(|| {
        // What xargs appends goes last: then the destination is not known.
        (operands.len() > 1).then(|| operands.pop()).flatten()
    });
    (operands, to)
}

/// Only what its words say is inside the destination, in case that is a directory.
fn names(sources: &[Cow<'_, Word>]) -> Vec<Bytes> {
    let names: Option<Vec<Bytes>> = sources.iter().map(|w| base(w)).collect();
    names.unwrap_or_default()
}

/// `mv`, `rename`
pub fn mv(program: &str, out: &mut Targets<'_>) {
    let found = read(&COPY, out.inv.args());
    if found.has(&["--help", "--version"]) {
        return;
    }
    if program == "rename" {
        if found.has(&["-n", "--nono", "--no-act"]) {
            return;
        }
        out.workspace(EffectClass::Overwrite, "names that rename makes");
        return;
    }
    let keeps = found.last(&["-n", "--no-clobber", "-f", "--force", "-i", "--interactive"]);
    let keeps = matches!(keeps, Some("-n" | "--no-clobber"));
    let (sources, to) = split(out, &found);
    let class = if keeps { EffectClass::Mutate } else { EffectClass::Overwrite };
    for source in &sources {
        out.add(EffectClass::Mutate, source, Scope::Tree);
    }
    if let Some(to) = to {
        out.add_into(class, &to, Scope::Tree, &names(&sources));
    }
}

/// `cp`, `install`, `scp`
pub fn cp(program: &str, out: &mut Targets<'_>) {
    let spec = match program {
        "install" => Spec {
            short: "tSgmo",
            long: &["--target-directory", "--suffix", "--mode", "--owner", "--group"],
            ..COPY
        },
        "scp" => Spec { short: "cDFiJloPSX", long: &[], flags: &[], ..COPY },
        _ => COPY,
    };
    let found = read(&spec, out.inv.args());
    if found.has(&["--help", "--version"]) {
        return;
    }
    if program == "install" && found.has(&["-d", "--directory"]) {
        for word in &found.operands {
            out.add(EffectClass::Create, word, Scope::Node);
        }
        return;
    }
    let keeps = program != "scp"
        && matches!(
            found.last(&["-n", "--no-clobber", "-f", "--force", "-i", "--interactive"]),
            Some("-n" | "--no-clobber")
        );
    let (sources, to) = split(out, &found);
    let Some(to) = to else { return };
    if program == "scp" && is_remote(&to) {
        remote(out, &to);
        return;
    }
    let tree = found.has(&["-r", "-R", "-a", "--recursive", "--archive"]);
    let class = if keeps { EffectClass::Create } else { EffectClass::Overwrite };
    out.add_into(class, &to, if tree { Scope::Tree } else { Scope::Node }, &names(&sources));
}

/// `host:/srv` is `ssh:host:path:/srv`; `host::module` is an rsync daemon's.
fn remote(out: &mut Targets<'_>, to: &Word) {
    let text = to.text.lossy();
    let place = match text.split_once(':') {
        Some((host, rest)) if rest.starts_with(':') => format!("rsync:{host}:{rest}"),
        Some((host, path)) => format!("ssh:{host}:path:{path}"),
        None => format!("ssh:{text}"),
    };
    let place = if to.certain { place } else { format!("dyn:{text}") };
    out.other(EffectClass::Opaque, place, crate::model::Reversibility::Irreversible);
}

fn is_remote(word: &Word) -> bool {
    let text = word.text.as_slice();
    let colon = text.iter().position(|c| *c == b':');
    colon.is_some_and(|at| !text.get(..at).unwrap_or_default().contains(&b'/'))
}

/// `ln`: without force it never replaces.
pub fn ln(out: &mut Targets<'_>) {
    let found = read(&COPY, out.inv.args());
    if found.has(&["--help", "--version"]) {
        return;
    }
    let forced = found.has(&["-f", "--force"]);
    let class = if forced { EffectClass::Overwrite } else { EffectClass::Create };
    let (sources, to) = split(out, &found);
    match to {
        Some(to) => out.add_into(class, &to, Scope::Node, &names(&sources)),
        None => {
            let here = Word::literal(".");
            let name = sources.first().and_then(|w| base(w)).map(Word::literal);
            out.add(class, &name.unwrap_or(here), Scope::Node);
        }
    }
}

/// What a command puts under a new name, as far as its words tell. Both paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// A symbolic or hard link.
    Link {
        /// The new name.
        at: Bytes,
        /// What it leads to.
        to: Bytes,
        /// The text of a symbolic link, which a copy of it keeps.
        text: Option<Bytes>,
    },
    /// A copy, or the thing itself, with the links in it.
    Copy {
        /// The new name.
        at: Bytes,
        /// The old one.
        from: Bytes,
    },
}

/// What `ln`, `cp` and `mv` put where. The destination may be a directory or not: both readings are given.
pub fn placed(inv: &Invocation) -> Vec<Placed> {
    let links = match inv.program() {
        Some("ln") => true,
        Some("mv") => false,
        Some("cp" | "gcp") => {
            let found = read(&COPY, inv.args());
            if !found.has(KEEPS_LINKS) {
                return Vec::new();
            }
            found.has(&["-s", "--symbolic-link", "-l", "--link"])
        }
        _ => return Vec::new(),
    };
    let found = read(&COPY, inv.args());
    let symbolic = found.has(&["-s", "--symbolic", "--symbolic-link"]);
    let mut sources = found.operands.clone();
    let to = match found.value(&["-t", "--target-directory"]) {
        Some(dir) => Some(dir.clone()),
        None if sources.len() > 1 => sources.pop().cloned(),
        None => Some(Word::literal(".")),
    };
    let Some(to) = to.filter(|w| w.certain).and_then(|w| absolute(inv.cwd.as_ref(), w.text.as_slice()))
    else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for source in sources.into_iter().filter(|w| w.certain) {
        let inside = base(source).map(|name| to.join(name.as_slice()));
        for at in [Some(to.clone()), inside].into_iter().flatten() {
            // A symbolic link's text is read from where the link lies.
            let above = at.as_path().parent().filter(|_| symbolic && links).map(Bytes::from);
            let from = absolute(above.as_ref().or(inv.cwd.as_ref()), source.text.as_slice());
            out.extend(from.filter(|from| *from != at).map(|from| match links {
                true => {
                    let text = symbolic.then(|| source.text.clone());
                    Placed::Link { at: at.clone(), to: from, text }
                }
                false => Placed::Copy { at: at.clone(), from },
            }));
        }
    }
    out
}

/// Options with which `cp` makes links, or copies them as such.
const KEEPS_LINKS: &[&str] = &[
    "-r",
    "-R",
    "-a",
    "-P",
    "-d",
    "-s",
    "-l",
    "--recursive",
    "--archive",
    "--no-dereference",
    "--symbolic-link",
    "--link",
];

/// `rsync`
pub fn rsync(out: &mut Targets<'_>) {
    let spec = Spec {
        short: "eBTMf@",
        long: &[
            "--exclude",
            "--include",
            "--filter",
            "--files-from",
            "--rsh",
            "--exclude-from",
            "--include-from",
            "--backup-dir",
            "--suffix",
            "--chmod",
            "--chown",
            "--bwlimit",
            "--max-size",
            "--min-size",
            "--rsync-path",
            "--password-file",
            "--log-file",
            "--port",
            "--temp-dir",
            "--compare-dest",
            "--copy-dest",
            "--link-dest",
            "--out-format",
            "--timeout",
            "--partial-dir",
            "--info",
            "--debug",
            "--block-size",
            "--modify-window",
        ],
        flags: &[
            "--dry-run",
            "--delete",
            "--delete-after",
            "--delete-before",
            "--delete-during",
            "--delete-delay",
            "--delete-excluded",
            "--help",
            "--version",
            "--archive",
            "--verbose",
            "--list-only",
            "--remove-source-files",
            "--inplace",
            "--ignore-existing",
            "--update",
        ],
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    if found.has(&["-n", "--dry-run", "--help", "--version", "--list-only"]) || found.operands.len() < 2 {
        return;
    }
    let Some((to, sources)) = found.operands.split_last() else { return };
    let deletes = found.options.iter().any(|(n, _)| n == "--del" || n.starts_with("--delete"));
    if found.has(&["--remove-source-files"]) {
        for source in sources.iter().filter(|s| !is_remote(s)) {
            out.add(EffectClass::Destroy, source, Scope::Tree);
        }
    }
    if is_remote(to) {
        remote(out, to);
        return;
    }
    if deletes {
        out.below(EffectClass::Destroy, to, "what rsync -n --itemize-changes lists", false);
    } else {
        let keeps = found.has(&["--ignore-existing"]);
        let class = if keeps { EffectClass::Create } else { EffectClass::Overwrite };
        out.below(class, to, "what rsync -n --itemize-changes lists", false);
    }
}
