//! Build tools, package managers, formatters: what of them only asks, and what of the rest is known.

use super::target::{Scope, Targets};
use crate::model::{EffectClass, Reversibility, Word};
use crate::shell::options::{Spec, read};

/// Words (sub-commands) of a tool that change nothing.
const READS: &[(&str, &[&str])] = &[
    (
        "npm",
        &[
            "ls", "list", "view", "info", "show", "outdated", "audit", "search", "whoami", "ping", "root",
            "prefix", "bin", "fund", "why", "explain", "help", "docs", "repo", "diff", "query", "v",
        ],
    ),
    ("pnpm", &["ls", "list", "view", "outdated", "why", "audit", "root", "bin", "help", "store-path"]),
    ("yarn", &["list", "info", "why", "outdated", "audit", "help", "versions", "licenses"]),
    (
        "cargo",
        &[
            "tree",
            "metadata",
            "search",
            "version",
            "help",
            "locate-project",
            "pkgid",
            "info",
            "verify-project",
            "read-manifest",
        ],
    ),
    ("go", &["version", "env", "list", "vet", "doc", "help"]),
    (
        "gem",
        &[
            "list",
            "search",
            "info",
            "env",
            "environment",
            "help",
            "which",
            "outdated",
            "contents",
            "dependency",
        ],
    ),
    ("bundle", &["list", "show", "outdated", "info", "check", "help", "platform"]),
    ("composer", &["show", "outdated", "validate", "search", "help", "why", "about", "diagnose", "status"]),
    ("poetry", &["show", "check", "search", "version", "about", "help"]),
    ("rustup", &["show", "which", "help", "check", "doc"]),
    ("conda", &["list", "info", "search", "help"]),
    ("pip", &["list", "show", "freeze", "check", "search", "help", "index", "debug", "inspect", "hash"]),
];

/// The first word that is no option.
fn verb(args: &[Word]) -> Option<(&str, &[Word])> {
    let at = args.iter().position(|w| !w.text.as_slice().starts_with(b"-"))?;
    Some((args.get(at)?.as_str()?, args.get(at + 1..)?))
}

fn has(args: &[Word], names: &[&str]) -> bool {
    args.iter()
        .take_while(|w| w.as_str() != Some("--"))
        .any(|w| w.as_str().is_some_and(|t| names.contains(&t)))
}

fn reads(tool: &str, verb: &str) -> bool {
    READS.iter().any(|(t, verbs)| *t == tool && verbs.contains(&verb))
}

/// One of the tools without a file of its own.
pub fn assess(program: &str, out: &mut Targets<'_>) {
    let inv = out.inv;
    let args = inv.args();
    match program {
        "make" | "gmake" | "ninja" | "just" => make(program, args, out),
        "npm" | "pnpm" | "yarn" => npm(program, args, out),
        "npx" => runner(program, &Word::literal("npx"), out),
        "pip" | "pip3" => pip(args, ("pip", &[]), out),
        "pipx" | "uv" => uv(program, args, out),
        "cargo" => cargo(args, out),
        "date" => {
            if has(args, &["-s", "--set"]) || args.iter().any(|w| w.text.as_slice().starts_with(b"--set=")) {
                out.other(EffectClass::Mutate, "host:clock".to_owned(), Reversibility::Compensating);
            }
        }
        "hostname" => {
            if args.iter().any(|w| !w.text.as_slice().starts_with(b"-")) {
                out.other(EffectClass::Mutate, "host:name".to_owned(), Reversibility::Exact);
            }
        }
        "rustc" if args.iter().any(|w| w.as_str() == Some("-o")) => {
            let file = args.windows(2).find(|p| p.first().and_then(Word::as_str) == Some("-o"));
            file.and_then(<[Word]>::last)
                .into_iter()
                .for_each(|w| out.add(EffectClass::Overwrite, w, Scope::Node));
        }
        "tsc" if has(args, &["--noEmit"]) => {}
        "prettier"
            if has(args, &["--check", "-c", "-l", "--list-different"]) || !has(args, &["--write", "-w"]) => {}
        "eslint" if !has(args, &["--fix"]) => {}
        "ruff" if verb(args).is_some_and(|(v, _)| v == "check") && !has(args, &["--fix"]) => {}
        "ruff" | "black" | "rustfmt" if has(args, &["--check", "--diff"]) => {}
        "gofmt" if !has(args, &["-w"]) => {}
        "black" | "rustfmt" | "gofmt" | "prettier" | "eslint" | "ruff" => formatter(program, args, out),
        "xdg-open" | "open" | "sftp" => out.workspace(EffectClass::Opaque, program),
        _ => match verb(args) {
            Some((verb, _)) if reads(program, verb) => {}
            Some(("yank", _)) if program == "gem" => {
                out.other(EffectClass::Destroy, "dyn:gem".to_owned(), Reversibility::Irreversible);
            }
            Some((verb, rest)) if publishes(program, verb) => {
                if !has(rest, &["--dry-run"]) {
                    let what = format!("dyn:what {program} {verb} sends");
                    out.other(EffectClass::Publish, what, Reversibility::Compensating);
                }
            }
            found => {
                out.workspace(EffectClass::Opaque, program);
                installs(program, found.map_or("", |(verb, _)| verb), out);
            }
        },
    }
}

/// What a tool has installed for all projects, where this verb changes that.
fn installs(program: &str, verb: &str, out: &mut Targets<'_>) {
    let changes = matches!(
        verb,
        "install"
            | "uninstall"
            | "remove"
            | "upgrade"
            | "update"
            | "uninstall-all"
            | "upgrade-all"
            | "cleanup"
    );
    let manager = if matches!(program, "mamba" | "micromamba") { "conda" } else { program };
    if changes && matches!(manager, "gem" | "cargo" | "pipx" | "conda") {
        out.other(EffectClass::Opaque, format!("dyn:packages of {program}"), Reversibility::Recreate);
        out.on_packages(manager, &[]);
    }
}

/// Words of a tool by which something leaves for a registry that keeps it.
fn publishes(program: &str, verb: &str) -> bool {
    matches!(
        (program, verb),
        ("gem", "push") | ("poetry" | "uv", "publish") | ("mvn", "deploy") | ("gradle", "publish")
    )
}

fn make(program: &str, args: &[Word], out: &mut Targets<'_>) {
    let dry = read(&Spec { short: "fCIjloW", ..Spec::default() }, args);
    if dry.has(&[
        "-n",
        "-q",
        "-p",
        "--just-print",
        "--dry-run",
        "--recon",
        "--question",
        "--help",
        "--version",
        "--list",
        "--summary",
    ]) {
        return;
    }
    out.workspace(EffectClass::Opaque, program);
}

fn npm(program: &str, args: &[Word], out: &mut Targets<'_>) {
    let Some((verb, rest)) = verb(args) else {
        if program == "yarn" && !has(args, &["--help", "--version", "-v"]) {
            packages(program, out);
        }
        return;
    };
    if reads(program, verb) || has(args, &["--dry-run", "--help", "-h"]) && verb != "run" {
        return;
    }
    match verb {
        "install" | "i" | "add" | "in" | "remove" | "uninstall" | "un" | "rm" | "update" | "up"
        | "upgrade" | "dedupe" | "prune" | "link" | "unlink" | "rebuild" => {
            if has(rest, &["-g", "--global"]) {
                out.other(EffectClass::Opaque, "dyn:global packages".to_owned(), Reversibility::Recreate);
                if program != "yarn" {
                    out.on_packages(program, &[]);
                }
            } else {
                packages(program, out);
            }
        }
        "run" | "run-script" if verb_count(rest) == 0 => {}
        "ci" => out.add(EffectClass::Opaque, &Word::literal("node_modules/"), Scope::Tree),
        "publish" | "unpublish" | "deprecate" | "dist-tag" | "owner" | "access" | "login" | "logout"
        | "token" | "team" => {
            registry(verb, rest, out);
        }
        "undeprecate" | "unstar" | "star" | "profile" | "org" | "hook" => {
            registry(verb, rest, out);
        }
        "version" if program == "npm" && verb_count(rest) == 0 => {}
        "config" | "get"
            if matches!(rest.first().and_then(Word::as_str), Some("get" | "list" | "ls"))
                || verb == "get" => {}
        "cache" if matches!(rest.first().and_then(Word::as_str), Some("ls" | "list" | "verify" | "dir")) => {}
        // The package's own script: it may do anything below the package, and needs what is installed.
        "test" | "t" | "tst" => out.workspace_as(EffectClass::Opaque, "path:node_modules/"),
        _ => out.workspace(EffectClass::Opaque, &format!("{program} {verb}")),
    }
}

fn verb_count(args: &[Word]) -> usize {
    args.iter().filter(|w| !w.text.as_slice().starts_with(b"-")).count()
}

fn packages(program: &str, out: &mut Targets<'_>) {
    let lock = match program {
        "yarn" => "yarn.lock",
        "pnpm" => "pnpm-lock.yaml",
        _ => "package-lock.json",
    };
    for (path, scope) in [("package.json", Scope::Node), (lock, Scope::Node), ("node_modules/", Scope::Tree)]
    {
        out.add(EffectClass::Opaque, &Word::literal(path), scope);
    }
}

/// What leaves the machine for npm's registry.
fn registry(verb: &str, rest: &[Word], out: &mut Targets<'_>) {
    use EffectClass as C;
    use Reversibility as R;
    let spec = Spec {
        long: &[
            "--access",
            "--tag",
            "--otp",
            "--registry",
            "--workspace",
            "--userconfig",
            "--scope",
            "--message",
        ],
        short: "w",
        ..Spec::default()
    };
    let found = read(&spec, rest);
    let what: Vec<&str> = found.operands.iter().filter_map(|w| w.as_str()).collect();
    let first = what.first().copied().unwrap_or("package");
    let tag = rest.windows(2).find(|w| w.first().and_then(Word::as_str) == Some("--tag"));
    let tag = tag.and_then(|w| w.get(1)?.as_str()).unwrap_or("latest");
    match verb {
        "publish" => {
            let name = what.first().copied().unwrap_or("dyn:package.json");
            out.other(C::Publish, format!("npm:{name}"), R::Compensating);
            // What is published is named by a file, not by the words.
            out.on_registry("npm", verb, &[what.first().copied().unwrap_or("."), tag]);
            return;
        }
        "unpublish" => out.other(C::Destroy, format!("npm:{first}"), R::Irreversible),
        "deprecate" | "undeprecate" => out.other(C::Mutate, format!("npm:{first}"), R::Exact),
        "dist-tag" | "dist-tags" => match what.as_slice() {
            ["ls" | "list", ..] | [_] | [] => return,
            [_, spec, tag, ..] => {
                let name = spec.rfind('@').filter(|i| *i > 0).and_then(|i| spec.get(..i)).unwrap_or(spec);
                out.other(C::Mutate, format!("npm:{name} dist-tag {tag}"), R::Exact);
            }
            [_, spec, ..] => out.other(C::Mutate, format!("npm:{spec} dist-tag latest"), R::Exact),
        },
        "owner" | "access" | "team" if matches!(first, "ls" | "list" | "get") => return,
        "profile" | "org" | "hook" if matches!(first, "ls" | "list" | "get" | "package") => return,
        "token" if matches!(first, "list" | "ls") || what.is_empty() => return,
        "token" => out.other(C::Access, format!("npm:token {}", first), R::Irreversible),
        "owner" | "access" => out.other(C::Access, format!("npm:{verb} {}", what.join(" ")), R::Exact),
        _ => out.other(C::Access, format!("npm:{verb} {}", what.join(" ")), R::Compensating),
    }
    // The text of a deprecation is no name.
    let names = if verb == "deprecate" { what.get(..1).unwrap_or_default() } else { &what };
    let names = if matches!(verb, "token" | "login") { &[] } else { names };
    out.on_registry("npm", verb, names);
}

/// `pip …`
pub fn pip(args: &[Word], (manager, own): (&str, &[&str]), out: &mut Targets<'_>) {
    let Some((verb, rest)) = verb(args) else { return };
    if reads("pip", verb) || has(args, &["--dry-run", "--help", "-h"]) {
        return;
    }
    let spec = Spec {
        short: "rceitf",
        long: &[
            "--requirement",
            "--constraint",
            "--editable",
            "--index-url",
            "--extra-index-url",
            "--target",
            "--find-links",
        ],
        ..Spec::default()
    };
    let found = read(&spec, rest);
    let class = match verb {
        "uninstall" => EffectClass::Mutate,
        "install" => EffectClass::Create,
        _ => {
            out.workspace(EffectClass::Opaque, &format!("pip {verb}"));
            return;
        }
    };
    for word in &found.operands {
        let name = word.text.lossy();
        let name = if word.certain { format!("pkg:{name}") } else { format!("dyn:{name}") };
        out.other(class, name, Reversibility::Recreate);
        out.on_packages(manager, own);
    }
    if found.operands.is_empty() || found.has(&["-e", "--editable"]) {
        out.other(
            EffectClass::Opaque,
            "dyn:packages of a requirements file".to_owned(),
            Reversibility::Recreate,
        );
        out.on_packages(manager, own);
        out.workspace(EffectClass::Opaque, "packages of a requirements file");
    }
}

fn uv(program: &str, args: &[Word], out: &mut Targets<'_>) {
    match verb(args) {
        Some(("pip", rest)) => pip(rest, ("uv", &["pip"]), out),
        Some(("tree" | "version" | "help" | "list", _)) => {}
        Some((verb, rest)) if publishes(program, verb) => {
            if !has(rest, &["--dry-run"]) {
                let what = "dyn:what uv publish sends".to_owned();
                out.other(EffectClass::Publish, what, Reversibility::Compensating);
            }
        }
        found => {
            out.workspace(EffectClass::Opaque, program);
            installs(program, found.map_or("", |(verb, _)| verb), out);
        }
    }
}

fn cargo(args: &[Word], out: &mut Targets<'_>) {
    let args = match args.first().and_then(Word::as_str) {
        Some(toolchain) if toolchain.starts_with('+') => args.get(1..).unwrap_or_default(),
        _ => args,
    };
    let Some((verb, rest)) = verb(args) else { return };
    if reads("cargo", verb) || has(args, &["--help", "-h"]) {
        return;
    }
    use EffectClass as C;
    use Reversibility as R;
    let value = |names: &[&str]| {
        let at = rest.iter().position(|w| w.as_str().is_some_and(|t| names.contains(&t)))?;
        rest.get(at + 1)?.as_str()
    };
    match verb {
        "clean" => {
            if has(rest, &["-n", "--dry-run"]) {
                return;
            }
            let dir = value(&["--target-dir"]).unwrap_or("target/");
            out.add(C::Destroy, &Word::literal(dir), Scope::Tree);
            out.promise(R::Recreate);
        }
        "publish" => {
            if !has(rest, &["-n", "--dry-run"]) {
                out.other(C::Publish, "dyn:the crate and version of Cargo.toml".to_owned(), R::Irreversible);
                let manifest = value(&["--manifest-path"]).unwrap_or("Cargo.toml");
                out.on_registry("cargo", verb, &[manifest, value(&["--registry"]).unwrap_or_default()]);
            }
        }
        "yank" => {
            let version = value(&["--version", "--vers"]).map(str::to_owned);
            let version = version.or_else(|| {
                rest.iter()
                    .filter_map(Word::as_str)
                    .find_map(|w| w.strip_prefix("--version=").map(str::to_owned))
            });
            let operand = rest.iter().filter_map(Word::as_str).find(|w| {
                !w.starts_with('-')
                    && Some(*w) != version.as_deref()
                    && Some(*w) != value(&["--registry", "--index", "--token"])
            });
            let name = operand.unwrap_or("crate");
            let (name, version) = match (name.split_once('@'), version) {
                (Some((name, version)), None) => (name, version.to_owned()),
                (_, version) => (name, version.unwrap_or_default()),
            };
            out.other(C::Mutate, format!("crates:{name}@{version}"), R::Exact);
            let name = if operand.is_none() { "" } else { name };
            out.on_registry("cargo", verb, &[name, &version, value(&["--registry"]).unwrap_or_default()]);
        }
        "owner" if has(rest, &["-l", "--list"]) => {}
        "owner" => {
            out.other(C::Access, "crates:owner".to_owned(), R::Compensating);
            let user = value(&["-a", "--add", "-r", "--remove"]).unwrap_or_default();
            let registry = value(&["--registry"]).unwrap_or_default();
            let is_name = |w: &&str| !w.starts_with('-') && *w != user && *w != registry;
            let name = rest.iter().filter_map(Word::as_str).find(is_name).unwrap_or_default();
            out.on_registry("cargo", verb, &[name, user, registry]);
        }
        "login" | "logout" => out.other(C::Access, format!("crates:{verb}"), R::Compensating),
        "fmt" if has(rest, &["--check"]) => {}
        _ => {
            out.workspace(C::Opaque, &format!("cargo {verb}"));
            installs("cargo", if verb == "update" { "" } else { verb }, out);
        }
    }
}

fn formatter(program: &str, args: &[Word], out: &mut Targets<'_>) {
    let files = args
        .iter()
        .filter(|w| !w.text.as_slice().starts_with(b"-"))
        .filter(|w| !matches!(w.as_str(), Some("check" | "format")));
    let mut any = false;
    for file in files {
        any = true;
        out.add(EffectClass::Overwrite, file, Scope::Tree);
    }
    if !any {
        out.workspace(EffectClass::Overwrite, program);
    }
}

/// A tool that runs something named by its words.
pub fn runner(program: &str, what: &Word, out: &mut Targets<'_>) {
    out.workspace(EffectClass::Opaque, &format!("{program} {}", what.text.lossy()));
}
