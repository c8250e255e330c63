//! terragrunt: terraform in one unit, or in all units below. terraform and tofu are a system of their own
//! (`systems/terraform`); through shims the one that terragrunt starts is seen as it is executed.

use crate::model::{EffectClass as C, Invocation, Reversibility as R, Word};
use crate::systems::AssessCx;
use crate::systems::words::{Reader, Takes, Words};

/// Verbs that read, terraform's and its own.
const READS: &[&str] = &[
    "plan",
    "show",
    "output",
    "validate",
    "version",
    "graph",
    "console",
    "get",
    "metadata",
    "modules",
    "query",
    "find",
    "list",
    "dag",
    "info",
    "graph-dependencies",
    "terragrunt-info",
    "validate-inputs",
    "hclvalidate",
];

/// Options that take the next word: terraform's, and its own, which had a `terragrunt-` in front until 0.73.
const VALUED: &[&str] = &[
    "-target",
    "-replace",
    "-var",
    "-var-file",
    "-state",
    "-state-out",
    "-out",
    "-backup",
    "-lock-timeout",
    "-config",
    "-working-dir",
    "-tf-path",
    "-tfpath",
    "-download-dir",
    "-source",
    "-source-map",
    "-iam-role",
    "-iam-assume-role",
    "-exclude-dir",
    "-include-dir",
    "-queue-exclude-dir",
    "-queue-include-dir",
    "-queue-excludes-file",
    "-excludes-file",
    "-queue-include-units-reading",
    "-queue-exclude-units-reading",
    "-units-that-include",
    "-modules-that-include",
    "-parallelism",
    "-log-level",
    "-log-format",
    "-log-custom-format",
    "-out-dir",
    "-json-out-dir",
    "-report-file",
    "-report-format",
    "-filter",
    "-feature",
    "-experiment",
    "-strict-control",
    "-provider-cache-dir",
    "-auth-provider-cmd",
    "-inputs",
];

/// Reads a command.
pub fn read(out: &mut Reader<'_>, cx: &AssessCx<'_>) {
    let args: Vec<Word> = with_env(out.inv, cx).into_iter().filter_map(plain).collect();
    let words = Words::split(&args, Takes::One(VALUED));
    let (verb, at, all) = verb(&words);
    let rest = words.from(at);
    match verb {
        "stack" => stack(words.operand(1), out),
        "backend" => backend(words.operand(1), out),
        "hcl" if !matches!(words.operand(1), "fmt" | "format") => {}
        "hcl" | "hclfmt" if words.has(&["-check"]) => {}
        "hcl" | "hclfmt" => out.add(C::Overwrite, "dyn:files that terragrunt hcl fmt names", R::Exact),
        "render" if !words.has(&["-write", "-w"]) => {}
        "render" | "render-json" => out.add(C::Create, "dyn:terragrunt_rendered.json", R::Exact),
        "scaffold" | "catalog" => out.add(C::Create, "dyn:files that terragrunt writes", R::Exact),
        "" => {}
        _ => terraform(verb, &words, rest, all, out),
    }
}

/// Dashes are single or double, and what follows `--` is terraform's: its options count too.
fn plain(word: Word) -> Option<Word> {
    let text = word.text.as_slice();
    let name = text.strip_prefix(b"--").filter(|name| !name.is_empty());
    let name = name.map(|name| name.strip_prefix(b"terragrunt-").unwrap_or(name));
    match (text, name) {
        (b"--", _) => None,
        (_, Some(name)) => Some(Word { text: [b"-", name].concat().into(), ..word }),
        _ => Some(word),
    }
}

/// The verb for terraform, where what follows begins, and whether it is for all units below.
fn verb<'w>(words: &'w Words<'_>) -> (&'w str, usize, bool) {
    let all = words.has(&["-all", "-graph"]);
    match (words.operand(0), words.operand(1)) {
        ("run-all", verb) => (verb, 2, true),
        ("run", verb) => (verb, 2, all),
        ("stack", "run") => (words.operand(2), 3, true),
        ("graph", verb) if !verb.is_empty() => (verb, 2, true),
        (verb, _) => match verb.strip_suffix("-all") {
            Some(verb) => (verb, 1, true),
            None => (verb, 1, all),
        },
    }
}

fn stack(verb: &str, out: &mut Reader<'_>) {
    match verb {
        "clean" => out.add(C::Destroy, "dyn:the .terragrunt-stack directories below", R::Recreate),
        "generate" => out.add(C::Create, "dyn:the .terragrunt-stack directories below", R::Exact),
        "output" | "" => {}
        verb => out.opaque(&format!("terragrunt stack {verb}")),
    }
}

/// The state itself and the bucket that it is in.
fn backend(verb: &str, out: &mut Reader<'_>) {
    match verb {
        "delete" => out.add(C::Destroy, "dyn:the unit's state in its backend", R::StateOnly),
        "migrate" => out.add(C::StateOnly, "dyn:the unit's state in its backend", R::StateOnly),
        "bootstrap" => out.add(C::Create, "dyn:the unit's backend", R::Compensating),
        "" => {}
        verb => out.opaque(&format!("terragrunt backend {verb}")),
    }
}

fn terraform(verb: &str, words: &Words<'_>, rest: &[&Word], all: bool, out: &mut Reader<'_>) {
    let targets: Vec<&Word> = words.values(&["-target"]).collect();
    match verb {
        "destroy" => destroy(out, all, &targets),
        "apply" if words.has(&["-destroy"]) => destroy(out, all, &targets),
        "apply" if words.has(&["-refresh-only"]) => out.add(C::StateOnly, "tf:state", R::StateOnly),
        "apply" => apply(words, rest, all, &targets, out),
        "refresh" => out.add(C::StateOnly, "tf:state", R::StateOnly),
        "taint" | "untaint" | "import" => {
            let rest: Vec<&Word> = rest.iter().take(1).copied().collect();
            out.each(C::StateOnly, "tf:", &rest, R::Exact);
        }
        "force-unlock" => out.add(C::Weaken, "tf:state lock", R::Irreversible),
        "state" => state(rest, words.has(&["-dry-run"]), words.has(&["-force"]), out),
        "workspace" => match (rest.first().and_then(|w| w.as_str()), rest.get(1)) {
            (Some("delete"), Some(name)) => out.word(C::Destroy, "tf:workspace ", name, R::StateOnly),
            (Some("new"), Some(name)) => out.word(C::Create, "tf:workspace ", name, R::Exact),
            (Some("select"), Some(name)) => out.word(C::StateOnly, "tf:workspace ", name, R::Exact),
            _ => {}
        },
        "init" if words.has(&["-migrate-state", "-reconfigure", "-force-copy"]) => {
            out.add(C::StateOnly, "tf:backend", R::StateOnly);
        }
        "init" => out.add(C::Create, "path:.terraform", R::Exact),
        "test" => {
            out.add(C::Mutate, "dyn:what the run blocks of its tests make and destroy", R::Compensating);
        }
        "providers" if matches!(rest.first().and_then(|w| w.as_str()), Some("lock" | "mirror")) => {
            out.add(C::Overwrite, "dyn:.terraform.lock.hcl or the mirror's directory", R::Exact);
        }
        "providers" => {}
        "fmt" if words.has(&["-check", "-diff"]) && !words.has(&["-write"]) => {}
        "fmt" => out.add(C::Overwrite, "dyn:files that fmt -list names", R::Exact),
        "login" | "logout" => out.add(C::Access, "path:~/.terraform.d/credentials.tfrc.json", R::Exact),
        "plan" => {
            if let Some(file) = words.value(&["-out"]) {
                out.word(C::Create, "path:", file, R::Exact);
            }
        }
        verb if READS.contains(&verb) => {}
        verb => out.opaque(&format!("terragrunt {verb}")),
    }
}

fn apply(words: &Words<'_>, rest: &[&Word], all: bool, targets: &[&Word], out: &mut Reader<'_>) {
    let replaced: Vec<&Word> = words.values(&["-replace"]).collect();
    if !replaced.is_empty() {
        out.each(C::Destroy, "tf:", &replaced, R::Recreate);
    } else if !targets.is_empty() {
        out.each(C::Mutate, "tf:", targets, R::Recreate);
    } else if let Some(plan) = rest.first() {
        // A saved plan may destroy; it looks like any other.
        out.add(C::Opaque, format!("dyn:show -json {}", plan.text.lossy()), R::Recreate);
    } else {
        out.add(C::Mutate, if all { "dyn:every unit below" } else { "dyn:plan -out" }, R::Recreate);
    }
}

fn destroy(out: &mut Reader<'_>, all: bool, targets: &[&Word]) {
    if targets.is_empty() {
        out.add(C::Destroy, if all { "dyn:every unit below" } else { "dyn:plan -destroy" }, R::Recreate);
    } else {
        out.each(C::Destroy, "tf:", targets, R::Recreate);
    }
}

fn state(rest: &[&Word], is_dry: bool, force: bool, out: &mut Reader<'_>) {
    match rest.first().and_then(|word| word.as_str()).unwrap_or_default() {
        "rm" | "mv" if is_dry => {}
        "rm" | "mv" => out.each(C::StateOnly, "tf:", rest.get(1..).unwrap_or_default(), R::Exact),
        "replace-provider" => out.add(C::StateOnly, "tf:state", R::StateOnly),
        "push" => {
            let class = if force { C::Overwrite } else { C::StateOnly };
            out.add(class, "tf:state", R::StateOnly);
        }
        "list" | "show" | "pull" | "identities" | "" => {}
        verb => out.opaque(&format!("terraform state {verb}")),
    }
}

/// `TF_CLI_ARGS` and `TF_CLI_ARGS_<command>` are words that nobody sees on the line.
fn with_env(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Word> {
    let mut args = inv.args().to_vec();
    let verbs: Vec<String> =
        args.iter().filter_map(Word::as_str).filter(|w| !w.starts_with('-')).map(str::to_owned).collect();
    let names = verbs.iter().take(3).map(|verb| format!("TF_CLI_ARGS_{verb}"));
    for name in std::iter::once("TF_CLI_ARGS".to_owned()).chain(names) {
        let Some(value) = inv.env_value(&name).or_else(|| cx.env.get(&name)) else { continue };
        args.extend(value.lossy().split_whitespace().map(Word::literal));
    }
    args
}
