//! What commands on files will do, from their words alone. One table of programs; a file per kind of tool.

mod archive;
mod code;
mod copy;
mod edit;
mod fetch;
mod meta;
mod output;
mod reach;
mod remove;
mod target;
mod tools;
mod write;

use super::super::AssessCx;
use crate::model::{Effect, EffectClass, Invocation, RedirectMode};
pub use edit::patch_text;

pub use copy::{Placed, placed};
use target::{Scope, Targets};

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &[
    "rm",
    "rmdir",
    "unlink",
    "shred",
    "srm",
    "trash",
    "trash-put",
    "rimraf",
    "mv",
    "cp",
    "gcp",
    "install",
    "ln",
    "rename",
    "dd",
    "truncate",
    "tee",
    "sponge",
    "touch",
    "mkdir",
    "mkfifo",
    "mknod",
    "mktemp",
    "fallocate",
    "chmod",
    "chown",
    "chgrp",
    "setfacl",
    "setfattr",
    "chattr",
    "sed",
    "gsed",
    "perl",
    "sort",
    "uniq",
    "find",
    "fd",
    "fdfind",
    "rsync",
    "tar",
    "gtar",
    "bsdtar",
    "unzip",
    "7z",
    "7za",
    "7zr",
    "unrar",
    "zip",
    "gzip",
    "gunzip",
    "xz",
    "unxz",
    "bzip2",
    "bunzip2",
    "zstd",
    "unzstd",
    "lz4",
    "compress",
    "uncompress",
    "patch",
    "apply_patch",
    "applypatch",
    "split",
    "csplit",
    "curl",
    "wget",
    "http",
    "https",
    "httpie",
    "xh",
    "ed",
    "ex",
    "vim",
    "vi",
    "view",
    "nvim",
    "nano",
    "emacs",
    "emacsclient",
    "code",
    "subl",
    "pico",
    "micro",
    "hx",
    "sudoedit",
    "visudo",
    "awk",
    "gawk",
    "mawk",
    "nawk",
    "jq",
    "yq",
    "python",
    "python2",
    "python3",
    "node",
    "nodejs",
    "ruby",
    "php",
    "deno",
    "bun",
    "lua",
    "Rscript",
    "make",
    "gmake",
    "ninja",
    "just",
    "npm",
    "pnpm",
    "yarn",
    "npx",
    "pip",
    "pip3",
    "pipx",
    "uv",
    "poetry",
    "cargo",
    "go",
    "rustc",
    "xdg-open",
    "open",
    "openssl",
    "iconv",
    "xxd",
    "scp",
    "sftp",
    "wipe",
    "mkdirp",
    "date",
    "hostname",
    "bundle",
    "gem",
    "composer",
    "rustup",
    "tsc",
    "gradle",
    "mvn",
    "prettier",
    "eslint",
    "black",
    "ruff",
    "gofmt",
    "rustfmt",
    "conda",
    "gcc",
    "g++",
    "cc",
    "c++",
    "clang",
    "clang++",
    "pandoc",
    "ffmpeg",
    "convert",
    "magick",
    "mogrify",
    "dos2unix",
    "unix2dos",
    "tree",
    "dot",
    "xmllint",
    "clang-format",
    "shfmt",
    "goimports",
    "autopep8",
    "yapf",
    "isort",
    "rubocop",
    "golangci-lint",
    "stylelint",
    "markdownlint",
    "ktlint",
    "exiftool",
    "shuf",
    "cpio",
];

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let Some(program) = inv.program() else { return Vec::new() };
    let mut out = Targets::new(inv, cx);
    if is_question(program, inv) {
        return out.into_effects();
    }
    match program {
        "rm" | "srm" | "rimraf" => remove::rm(&mut out),
        "rmdir" | "unlink" | "shred" | "wipe" | "trash" | "trash-put" => remove::others(program, &mut out),
        "find" | "fd" | "fdfind" => remove::find(program, &mut out),
        "mv" | "rename" => copy::mv(program, &mut out),
        "cp" | "gcp" | "install" | "scp" => copy::cp(program, &mut out),
        "ln" => copy::ln(&mut out),
        "rsync" => copy::rsync(&mut out),
        "dd" | "truncate" | "tee" | "sponge" | "touch" | "mkdir" | "mkfifo" | "mknod" | "mktemp"
        | "fallocate" | "split" | "csplit" | "sort" | "shuf" | "uniq" | "openssl" | "iconv" | "xxd" => {
            write::assess(program, &mut out)
        }
        "curl" | "wget" | "http" | "https" | "httpie" | "xh" => fetch::assess(program, &mut out),
        "chmod" | "chown" | "chgrp" | "setfacl" | "setfattr" | "chattr" => meta::assess(program, &mut out),
        "sed" | "gsed" | "perl" | "ed" | "ex" | "vim" | "vi" | "view" | "nvim" | "nano" | "emacs"
        | "emacsclient" | "code" | "subl" | "pico" | "micro" | "hx" | "sudoedit" | "visudo" | "patch"
        | "apply_patch" | "applypatch" | "awk" | "gawk" | "mawk" | "nawk" | "jq" | "yq" => {
            edit::assess(program, &mut out)
        }
        "tar" | "gtar" | "bsdtar" | "unzip" | "7z" | "7za" | "7zr" | "cpio" | "unrar" | "zip" | "gzip"
        | "gunzip" | "xz" | "unxz" | "bzip2" | "bunzip2" | "zstd" | "unzstd" | "lz4" | "compress"
        | "uncompress" => archive::assess(program, &mut out),
        "python" | "python2" | "python3" | "node" | "nodejs" | "ruby" | "php" | "deno" | "bun" | "lua"
        | "Rscript" => {
            code::interpreter(program, &mut out);
        }
        "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++" | "pandoc" | "ffmpeg" | "convert" | "magick"
        | "mogrify" | "dos2unix" | "unix2dos" | "tree" | "dot" | "xmllint" | "clang-format" | "shfmt"
        | "goimports" | "autopep8" | "yapf" | "isort" | "rubocop" | "golangci-lint" | "stylelint"
        | "markdownlint" | "ktlint" | "exiftool" => output::assess(program, &mut out),
        _ => tools::assess(program, &mut out),
    }
    out.into_effects()
}

/// The writing redirections of an invocation. Those of a command whose own effect is not known share its class:
/// what they open is captured all the same.
pub fn redirects(inv: &Invocation, cx: &AssessCx<'_>, opaque: bool) -> Vec<Effect> {
    let mut out = Targets::new(inv, cx);
    for redirect in &inv.redirects {
        let class = match redirect.mode {
            _ if opaque => EffectClass::Opaque,
            RedirectMode::Truncate if dumps(inv) => EffectClass::Create,
            RedirectMode::Truncate => EffectClass::Overwrite,
            RedirectMode::Append | RedirectMode::ReadWrite => EffectClass::Mutate,
        };
        out.add(class, &redirect.target, Scope::Node);
    }
    out.into_effects()
}

/// An invocation of a program that nobody knows: anything below its directory may change.
pub fn opaque(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let mut out = Targets::new(inv, cx);
    let name = inv.argv.first().map_or_else(|| "unknown".to_owned(), |w| w.text.lossy().into_owned());
    out.workspace(EffectClass::Opaque, &name);
    out.into_effects()
}

/// Tools whose output is a new dump.
fn dumps(inv: &Invocation) -> bool {
    matches!(inv.program(), Some("pg_dump" | "pg_dumpall" | "mysqldump" | "mongodump" | "mariadb-dump"))
}

/// `--help`, `--version`: nothing is done. Where these may be an operand of something else, the tool's own reader
/// decides.
fn is_question(program: &str, inv: &Invocation) -> bool {
    let [only] = inv.args() else { return false };
    match only.as_str() {
        Some("--help" | "--version") => true,
        Some("-V" | "-v" | "-h") => !matches!(program, "tar" | "rm" | "sort" | "rsync" | "awk"),
        Some("version" | "help") => {
            matches!(program, "npm" | "cargo" | "go" | "yarn" | "pnpm" | "pip" | "pip3")
        }
        _ => false,
    }
}
