//! Editors and filters that change files in place.

use super::target::{Scope, Targets};
use crate::model::{EffectClass, Invocation, PatchedFile, Stdin, Word, patched_files};
use crate::shell::options::{Spec, read};

/// One of the tools of this file.
pub fn assess(program: &str, out: &mut Targets<'_>) {
    match program {
        "sed" | "gsed" => sed(out),
        "perl" => perl(out),
        "patch" => patch(out),
        "apply_patch" | "applypatch" => apply_patch(out),
        "awk" | "gawk" | "mawk" | "nawk" => awk(program, out),
        "jq" => {}
        "yq" => yq(out),
        "ed" | "ex" | "vim" | "vi" | "nvim" => vi(program, out),
        "view" => {}
        _ => editor(out),
    }
}

/// `sed -i`, and the `w` command of a script.
fn sed(out: &mut Targets<'_>) {
    let spec = Spec {
        short: "efl",
        attached: "i",
        long: &["--expression", "--file", "--line-length"],
        flags: &[
            "--in-place",
            "--quiet",
            "--silent",
            "--regexp-extended",
            "--separate",
            "--null-data",
            "--help",
            "--version",
            "--debug",
            "--follow-symlinks",
        ],
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    if found.has(&["--help", "--version"]) {
        return;
    }
    let given = found.has(&["-e", "-f", "--expression", "--file"]);
    let mut operands = found.operands.clone();
    if found.has(&["-i"]) && operands.first().is_some_and(|w| w.text.is_empty()) {
        // BSD's `-i ''`.
        operands.remove(0);
    }
    let first = if given || operands.is_empty() { None } else { Some(operands.remove(0)) };
    if found.has(&["-i", "--in-place"]) {
        operands.retain(|w| !w.text.is_empty());
        in_place(out, &operands, found.value(&["-i", "--in-place"]));
    }
    let scripts = found.values(&["-e", "--expression"]).chain(first);
    for script in scripts.filter_map(Word::as_str) {
        if let Some(file) = sed_writes(script) {
            out.add(EffectClass::Overwrite, &Word::literal(file), Scope::Node);
        }
    }
}

/// The file of a script that is only `w file` or `s/…/…/w file`.
fn sed_writes(script: &str) -> Option<&str> {
    let (before, file) = script.rsplit_once("w ")?;
    let is_flag = before.is_empty()
        || before.ends_with('/')
        || before.ends_with("/g")
        || before.ends_with("/p")
        || before.ends_with("/gp");
    let file = file.trim();
    (is_flag && !file.is_empty() && !file.contains(['/', ';', '}']) && file != "/dev/stdout").then_some(file)
}

/// `perl -pi -e`; other perl is code.
fn perl(out: &mut Targets<'_>) {
    let spec = Spec { short: "eEIMmxF", attached: "iClD0", posix: true, ..Spec::default() };
    let found = read(&spec, out.inv.args());
    if !found.has(&["-i"]) {
        let texts: Vec<&Word> = found.values(&["-e", "-E"]).collect();
        if !texts.is_empty() && !found.has(&["-M", "-m"]) && texts.iter().all(|t| perl_only_computes(t)) {
            return;
        }
        return super::code::interpreter("perl", out);
    }
    in_place(out, &found.operands, found.value(&["-i"]));
}

/// `ruby -pi -e`: true where it was one.
pub fn ruby_in_place(out: &mut Targets<'_>) -> bool {
    let spec = Spec { short: "eCEIrx", attached: "iFKTW0", posix: true, ..Spec::default() };
    let found = read(&spec, out.inv.args());
    let edits = found.has(&["-i"]) && found.has(&["-e"]);
    if edits {
        in_place(out, &found.operands, found.value(&["-i"]));
    }
    edits
}

/// Files that are edited in place, and the copies that a suffix (`-i.bak`) keeps: what has their name is replaced.
fn in_place(out: &mut Targets<'_>, files: &[&Word], suffix: Option<&Word>) {
    let suffix = suffix.filter(|s| s.certain && !s.text.is_empty());
    for word in out.with_dynamic(files) {
        out.add(EffectClass::Overwrite, &word, Scope::Node);
        if let Some(suffix) = suffix.filter(|_| word.certain && !word.glob) {
            let text = backup_name(word.text.as_slice(), suffix.text.as_slice());
            out.add(EffectClass::Overwrite, &Word::literal(text), Scope::Node);
        }
    }
}

/// The suffix is appended; where it holds a `*`, it is the name with `*` for the file's own (sed(1), perlrun(1)).
fn backup_name(path: &[u8], suffix: &[u8]) -> Vec<u8> {
    if !suffix.contains(&b'*') {
        return [path, suffix].concat();
    }
    let cut = path.iter().rposition(|c| *c == b'/').map_or(0, |at| at + 1);
    let (dir, name) = path.split_at(cut);
    let named = suffix.split(|c| *c == b'*').collect::<Vec<_>>().join(name);
    if named.contains(&b'/') { named } else { [dir, named.as_slice()].concat() }
}

/// A text that names none of the builtins by which perl reaches anything but its own input and output.
fn perl_only_computes(text: &Word) -> bool {
    const REACHES: &[&str] = &[
        "unlink", "system", "exec", "open", "rename", "rmdir", "mkdir", "truncate", "require", "use", "do",
        "eval", "link", "symlink", "chmod", "chown", "utime", "syscall", "socket", "fork", "kill", "qx",
        "sysopen", "connect", "glob", "dbmopen", "readpipe", "ee", "sub",
    ];
    let Some(code) = text.as_str() else { return false };
    let mut words = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    !code.contains(['`', '<', '>']) && !words.any(|w| REACHES.contains(&w))
}

/// The patch tool of OpenAI's models as a command. Codex applies it itself where it stands in a command, starts no
/// process and reports no end (agents.md 4.2); other agents have a program of that name.
fn apply_patch(out: &mut Targets<'_>) {
    let files = text_of(out.inv).map(patched_files).unwrap_or_default();
    if files.is_empty() {
        out.workspace(EffectClass::Opaque, "apply_patch");
    }
    for file in files {
        let class = match file {
            PatchedFile::Written(_) => EffectClass::Overwrite,
            PatchedFile::Removed(_) => EffectClass::Destroy,
        };
        out.add(class, &Word::literal(file.path().clone()), Scope::Node);
    }
}

fn text_of(inv: &Invocation) -> Option<&[u8]> {
    let word = match (inv.args(), &inv.stdin) {
        ([patch], _) => patch,
        (_, Stdin::Text(patch)) => patch,
        _ => return None,
    };
    Some(word.text.as_slice())
}

/// The patch that an invocation of the patch tool applies.
pub fn patch_text(inv: &Invocation) -> Option<&[u8]> {
    if matches!(inv.program(), Some("apply_patch" | "applypatch")) { text_of(inv) } else { None }
}

fn patch(out: &mut Targets<'_>) {
    let spec = Spec {
        short: "BdDFgiopYzrVp",
        long: &[
            "--input",
            "--directory",
            "--strip",
            "--output",
            "--reject-file",
            "--prefix",
            "--suffix",
            "--fuzz",
            "--get",
            "--ifdef",
        ],
        flags: &[
            "--dry-run",
            "--reverse",
            "--forward",
            "--backup",
            "--help",
            "--version",
            "--force",
            "--batch",
        ],
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    if found.has(&["--dry-run", "--help", "--version", "-C"]) {
        return;
    }
    if let Some(file) = found.value(&["-o", "--output"]).or(found.operands.first().copied()) {
        out.add(EffectClass::Overwrite, file, Scope::Node);
        return;
    }
    match found.value(&["-d", "--directory"]) {
        Some(dir) => out.below(EffectClass::Overwrite, dir, "files named in the patch", false),
        None => out.workspace(EffectClass::Overwrite, "files named in the patch"),
    }
}

/// awk changes nothing unless its program redirects, pipes or calls `system`.
fn awk(program: &str, out: &mut Targets<'_>) {
    let spec = Spec {
        short: "FvfeiEL",
        long: &["--field-separator", "--assign", "--file", "--source", "--include", "--exec"],
        flags: &["--help", "--version", "--sandbox", "--csv"],
        posix: true,
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    if found.has(&["--help", "--version", "--sandbox"]) {
        return;
    }
    if found.values(&["-i", "--include"]).any(|w| w.as_str() == Some("inplace")) {
        let skip = usize::from(!found.has(&["-f", "--file"]));
        for word in found.operands.iter().skip(skip) {
            out.add(EffectClass::Overwrite, word, Scope::Node);
        }
        return;
    }
    if found.has(&["-f", "--file", "-E", "--exec"]) {
        // A program in a file may do anything.
        out.workspace(EffectClass::Opaque, &format!("{program} program file"));
        return;
    }
    let texts = found.values(&["-e", "--source"]).chain(found.operands.first().copied());
    for text in texts {
        if !text.certain || awk_writes(&text.text.lossy()) {
            out.workspace(EffectClass::Opaque, "awk output files");
            return;
        }
    }
}

/// The program holds a redirection after print, a pipe or `system(`, outside strings and patterns.
fn awk_writes(text: &str) -> bool {
    let mut code = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut last = '{';
    while let Some(c) = chars.next() {
        let ends = match c {
            '"' => '"',
            '/' if "{}(,!~;&|\n".contains(last) => '/',
            '#' => '\n',
            _ => {
                if !c.is_whitespace() {
                    last = c;
                }
                code.push(c);
                continue;
            }
        };
        while let Some(c) = chars.next() {
            if c == '\\' {
                chars.next();
            } else if c == ends {
                break;
            }
        }
        last = '"';
        code.push('"');
    }
    if code.contains("system(") || code.contains("system (") {
        return true;
    }
    let prints = code.find("print");
    let Some(at) = prints else { return code.contains('|') && code.contains("getline") };
    let after = code.get(at..).unwrap_or_default();
    after.replace("||", "").contains('|') || {
        // `print a > b` redirects; `print (a > b)` and `x > y` in a pattern compare.
        let mut depth = 0i32;
        after.chars().any(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            c == '>' && depth == 0
        })
    }
}

fn yq(out: &mut Targets<'_>) {
    let found = read(&Spec { short: "opIs", ..Spec::default() }, out.inv.args());
    if found.has(&["-i", "--inplace", "--in-place"]) {
        for word in found.operands.iter().skip(1) {
            out.add(EffectClass::Overwrite, word, Scope::Node);
        }
    }
}

/// `vim -es`, `ex`, `ed` with a script change their file; a session at the terminal may.
fn vi(program: &str, out: &mut Targets<'_>) {
    let spec = Spec {
        short: "cSuUTiwWpqt",
        long: &["--cmd", "--startuptime"],
        flags: &["--help", "--version", "--clean", "--noplugin", "--headless"],
        ..Spec::default()
    };
    let found = read(&spec, out.inv.args());
    if found.has(&["--help", "--version", "-R", "-M"]) {
        return;
    }
    let batch = matches!(program, "ed" | "ex") || found.has(&["-e", "-s", "-E", "--headless"]);
    let class = if batch { EffectClass::Overwrite } else { EffectClass::Opaque };
    for word in found.operands.iter().filter(|w| !w.text.as_slice().starts_with(b"+")) {
        out.add(class, word, Scope::Node);
    }
    if found.operands.is_empty() {
        out.workspace(EffectClass::Opaque, program);
    }
}

fn editor(out: &mut Targets<'_>) {
    let found = read(&Spec { long: &["--goto", "--diff", "--eval"], ..Spec::default() }, out.inv.args());
    if found.has(&["--help", "--version", "--list-extensions", "--status"]) {
        return;
    }
    if out.inv.program() == Some("visudo") && found.has(&["-c", "--check"]) {
        return;
    }
    let mut any = false;
    for word in found.operands.iter().filter(|w| !w.text.as_slice().starts_with(b"+")) {
        any = true;
        out.add(EffectClass::Opaque, word, Scope::Node);
    }
    if !any {
        let name = out.inv.program().unwrap_or("editor").to_owned();
        out.workspace(EffectClass::Opaque, &name);
    }
}
