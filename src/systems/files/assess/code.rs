//! Interpreters: what code will do is not known, but paths in its deletion calls are, and questions are answered.

use super::reach;
use super::target::{Scope, Targets};
use crate::model::{EffectClass, Stdin, Word};

/// Calls whose first literal argument names what they change.
const CALLS: &[&str] = &[
    "rmtree(",
    "os.remove(",
    "os.unlink(",
    "os.rmdir(",
    "os.removedirs(",
    "os.rename(",
    "os.replace(",
    "os.truncate(",
    "shutil.move(",
    "send2trash(",
    "rmSync(",
    "rmdirSync(",
    "unlinkSync(",
    "writeFileSync(",
    "appendFileSync(",
    "truncateSync(",
    "renameSync(",
    "fs.rm(",
    "fs.unlink(",
    "fs.rmdir(",
    "fs.writeFile(",
    "rm_rf(",
    "rm_r(",
    "rm_f(",
    "remove_dir(",
    "File.delete(",
    "File.unlink(",
    "Dir.rmdir(",
    "FileUtils.rm(",
    "unlink(",
    "rmdir(",
    "removeSync(",
    "emptyDirSync(",
    "Deno.remove(",
    "rimraf(",
    "rm_rf ",
    "rm_r ",
    "unlink ",
    "File.write(",
    "file_put_contents(",
    "os.remove (",
    "File.rename(",
];

/// `python -c`, `node -e`, `ruby -e`, a script's file, or code on standard input.
pub fn interpreter(program: &str, out: &mut Targets<'_>) {
    let inv = out.inv;
    if program == "ruby" && super::edit::ruby_in_place(out) {
        return;
    }
    let mut args = inv.args().iter();
    let mut code: Option<Word> = None;
    let mut script: Option<&Word> = None;
    while let Some(word) = args.next() {
        let text = word.text.lossy().into_owned();
        match text.as_str() {
            "--version" | "--help" | "-V" | "-h" => return,
            "-v" if matches!(program, "node" | "nodejs" | "ruby" | "php" | "lua") => return,
            "-c" | "-wc" | "-cw" if matches!(program, "ruby" | "perl") => return,
            "-l" if program == "php" => return,
            "--check" if program == "node" => return,
            "-m" if program.starts_with("python") => {
                module(args.next(), args.as_slice(), out);
                return;
            }
            "-W" | "-X" | "-Q" if program.starts_with("python") => {
                args.next();
            }
            "-r" | "--require" | "--import" | "--loader" if matches!(program, "node" | "nodejs" | "ruby") => {
                args.next();
            }
            "--" => {
                script = args.next();
                break;
            }
            _ => match text.strip_prefix("--eval=").or(text.strip_prefix("--print=")) {
                Some(inline) => code = Some(Word { text: inline.into(), ..word.clone() }),
                None if takes_code(program, &text) => {
                    code = args.next().cloned();
                    break;
                }
                None if text.starts_with('-') && text.len() > 1 => {}
                None => {
                    script = Some(word);
                    break;
                }
            },
        }
    }
    let code = code.or_else(|| match &inv.stdin {
        Stdin::Text(word) if script.is_none_or(|s| s.as_str() == Some("-")) => Some(word.clone()),
        _ => None,
    });
    match (code, script) {
        (Some(code), _) => literal_paths(program, &code, out),
        (None, Some(script)) if matches!(program, "deno" | "bun") => {
            super::tools::runner(program, script, out)
        }
        (None, Some(script)) => out.workspace(EffectClass::Opaque, &script.text.lossy()),
        (None, None) => out.workspace(EffectClass::Opaque, program),
    }
}

fn takes_code(program: &str, option: &str) -> bool {
    let Some(letters) = option.strip_prefix('-') else { return false };
    match program {
        p if p.starts_with("python") => !letters.starts_with('-') && letters.ends_with('c'),
        "node" | "nodejs" => matches!(option, "-e" | "-p" | "-pe" | "--eval" | "--print"),
        "php" => option == "-r",
        "bun" => option == "-e" || option == "--eval",
        "deno" => option == "eval",
        // In `-MFile::Path=remove_tree`, `-rrake`, `-I/usr/lib/node` the rest of the word is a name, not options.
        _ => {
            !letters.starts_with('-')
                && !letters.contains(['M', 'm', 'I', 'r', 'x', 'F'])
                && (letters.ends_with('e') || letters.ends_with('E'))
        }
    }
}

/// The paths of deletion calls; the whole work tree where the code does more than a known reader would.
fn literal_paths(program: &str, code: &Word, out: &mut Targets<'_>) {
    let text = code.text.lossy().into_owned();
    if code.certain && (is_harmless(program, &text) || reach::only_computes(program, &text)) {
        return;
    }
    let mut found: Vec<String> = Vec::new();
    for call in CALLS {
        let mut rest = text.as_str();
        while let Some(at) = rest.find(call) {
            rest = rest.get(at + call.len()..).unwrap_or_default();
            if let Some(path) = first_literal(rest).filter(|p| !found.contains(p)) {
                found.push(path);
            }
        }
    }
    for path in opened_for_writing(&text) {
        if !found.contains(&path) {
            found.push(path);
        }
    }
    if found.is_empty() || !code.certain || reach::goes_beyond(program, &text) {
        out.workspace(EffectClass::Opaque, &format!("{program} code"));
    }
    for path in found {
        out.add(EffectClass::Opaque, &Word::literal(path), Scope::Tree);
    }
}

/// Code that only computes and prints: no call that could reach files, processes or the network.
fn is_harmless(program: &str, text: &str) -> bool {
    const FREE: &[&str] = &[
        "print",
        "import",
        "json",
        "sys",
        "stdin",
        "load",
        "loads",
        "dumps",
        "for",
        "in",
        "if",
        "else",
        "len",
        "str",
        "int",
        "range",
        "math",
        "console",
        "log",
        "process",
        "version",
        "versions",
        "argv",
        "JSON",
        "parse",
        "stringify",
        "puts",
        "datetime",
        "time",
        "now",
        "join",
        "sorted",
        "sum",
        "list",
        "dict",
        "set",
        "platform",
        "machine",
        "python_version",
        "from",
        "as",
        "not",
        "and",
        "or",
        "is",
        "None",
        "True",
        "False",
        "true",
        "false",
        "null",
        "indent",
        "isoformat",
        "lower",
        "upper",
        "split",
        "strip",
        "get",
        "keys",
        "values",
        "items",
        "format",
        "round",
        "min",
        "max",
        "random",
        "hashlib",
        "base64",
        "b64encode",
        "b64decode",
        "encode",
        "decode",
        "say",
        "echo",
        "p",
        "x",
        "i",
        "d",
        "k",
        "v",
        "n",
        "s",
        "r",
        "e",
        "require",
        "node",
        "pi",
        "sqrt",
        "executable",
        "path",
        "map",
        "lambda",
        "__version__",
        "stdout",
    ];
    let Some(quoted) = reach::without_strings(program, text) else { return false };
    quoted
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|w| !w.is_empty() && !w.bytes().all(|c| c.is_ascii_digit()))
        .all(|w| FREE.contains(&w))
        && !quoted.contains("require")
}

/// The string literal that an argument list begins with.
pub fn first_literal(text: &str) -> Option<String> {
    let text = text.trim_start();
    let text = text.strip_prefix("pathlib.Path(").or_else(|| text.strip_prefix("Path(")).unwrap_or(text);
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inner = text.get(1..)?;
    let end = inner.find(quote)?;
    let value = inner.get(..end)?;
    (!value.is_empty() && !value.contains(['\\', '$', '#', '\n'])).then(|| value.to_owned())
}

/// `open('f', 'w')` and the `Path('f').unlink()` family.
fn opened_for_writing(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("open(") {
        rest = rest.get(at + 5..).unwrap_or_default();
        let Some(path) = first_literal(rest) else { continue };
        let after = rest.find(&path).and_then(|i| rest.get(i + path.len() + 1..)).unwrap_or_default();
        let mode = after
            .trim_start()
            .strip_prefix(',')
            .and_then(|m| first_literal(m.trim_start().trim_start_matches("mode=")));
        if mode.is_some_and(|m| m.contains(['w', 'a', 'x', '+'])) {
            out.push(path);
        }
    }
    let mut rest = text;
    while let Some(at) = rest.find("Path(") {
        rest = rest.get(at + 5..).unwrap_or_default();
        let Some(path) = first_literal(rest) else { continue };
        let after = rest.find(&path).and_then(|i| rest.get(i + path.len() + 1..)).unwrap_or_default();
        let call = after.trim_start_matches(')').trim_start_matches('.');
        if ["unlink(", "rmdir(", "write_text(", "write_bytes(", "rename(", "replace(", "touch("]
            .iter()
            .any(|c| call.starts_with(c))
        {
            out.push(path);
        }
    }
    out
}

/// `python -m …`: the few modules that are known to read only, or are tools of their own.
fn module(name: Option<&Word>, args: &[Word], out: &mut Targets<'_>) {
    let name = name.map(|w| w.text.lossy().into_owned()).unwrap_or_default();
    match name.as_str() {
        "json.tool" | "this" | "platform" | "site" | "sysconfig" | "timeit" | "dis" | "calendar"
        | "tokenize" | "http.server" | "pydoc" | "ast" | "base64" | "uuid" | "tabnanny" | "zoneinfo" => {}
        "pip" => super::tools::pip(args, ("pip", &["-m", "pip"]), out),
        "venv" | "virtualenv" => args.iter().filter(|w| !w.text.as_slice().starts_with(b"-")).for_each(|w| {
            out.add(EffectClass::Create, w, Scope::Tree);
        }),
        _ => out.workspace(EffectClass::Opaque, &format!("python module {name}")),
    }
}
