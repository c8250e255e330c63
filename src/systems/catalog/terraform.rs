//! terragrunt and pulumi. terraform and tofu are a system of their own (`systems/terraform`).

use crate::model::{EffectClass as C, Invocation, Reversibility as R, Word};
use crate::systems::AssessCx;
use crate::systems::words::{Reader, Takes, Words};

const READS: &[&str] = &[
    "plan",
    "show",
    "output",
    "validate",
    "version",
    "graph",
    "providers",
    "console",
    "get",
    "metadata",
    "test",
    "modules",
    "render-json",
    "graph-dependencies",
    "output-all",
    "plan-all",
    "validate-all",
    "preview",
    "about",
    "whoami",
];

/// One of them.
pub fn read(program: &str, out: &mut Reader<'_>, cx: &AssessCx<'_>) {
    let args = with_env(out.inv, cx);
    // Single and double dashes are the same.
    let args: Vec<Word> = args
        .into_iter()
        .map(|w| match w.text.as_slice().strip_prefix(b"--") {
            Some(rest) if !rest.is_empty() => Word { text: [b"-", rest].concat().into(), ..w },
            _ => w,
        })
        .collect();
    let takes = Takes::One(&[
        "-target",
        "-replace",
        "-var",
        "-var-file",
        "-state",
        "-state-out",
        "-out",
        "-C",
        "-s",
        "-backup",
        "-lock-timeout",
        "-parallelism",
    ]);
    let words = Words::split(&args, takes);
    if program == "pulumi" {
        return pulumi(&words, out);
    }
    let mut verb = words.operand(0);
    let mut at = 1;
    let all = matches!(verb, "run-all" | "stack") || (verb == "run" && words.has(&["-all"]));
    if matches!(verb, "run-all" | "run") {
        verb = words.operand(1);
        at = 2;
    } else if verb == "stack" {
        verb = words.operand(if words.operand(1) == "run" { 2 } else { 1 });
        at = 3;
    }
    let verb = verb.strip_suffix("-all").unwrap_or(verb);
    let rest = words.from(at);
    let targets: Vec<&Word> = words.values(&["-target"]).collect();
    match verb {
        "destroy" => destroy(out, all, &targets),
        "apply" if words.has(&["-destroy"]) => destroy(out, all, &targets),
        "apply" if words.has(&["-refresh-only"]) => out.add(C::StateOnly, "tf:state", R::StateOnly),
        "apply" => {
            let replaced: Vec<&Word> = words.values(&["-replace"]).collect();
            if !replaced.is_empty() {
                out.each(C::Destroy, "tf:", &replaced, R::Recreate);
            } else if !targets.is_empty() {
                out.each(C::Mutate, "tf:", &targets, R::Recreate);
            } else if let Some(plan) = rest.first() {
                // A saved plan may destroy; it looks like any other.
                out.add(C::Opaque, format!("dyn:show -json {}", plan.text.lossy()), R::Recreate);
            } else {
                out.add(C::Mutate, "dyn:plan -out", R::Recreate);
            }
        }
        "refresh" => out.add(C::StateOnly, "tf:state", R::StateOnly),
        "taint" | "untaint" | "import" => {
            let rest: Vec<&Word> = rest.iter().take(1).copied().collect();
            out.each(C::StateOnly, "tf:", &rest, R::Exact);
        }
        "force-unlock" => out.add(C::Weaken, "tf:state lock", R::Irreversible),
        "state" => state(&words, out),
        "workspace" => match (words.operand(1), words.operands.get(2)) {
            ("delete", Some(name)) => out.word(C::Destroy, "tf:workspace ", name, R::StateOnly),
            ("new", Some(name)) => out.word(C::Create, "tf:workspace ", name, R::Exact),
            ("select", Some(name)) => out.word(C::StateOnly, "tf:workspace ", name, R::Exact),
            _ => {}
        },
        "init" => {
            if words.has(&["-migrate-state", "-reconfigure", "-force-copy"]) {
                out.add(C::StateOnly, "tf:backend", R::StateOnly);
            } else {
                out.add(C::Create, "path:.terraform", R::Exact);
            }
        }
        "fmt" if words.has(&["-check", "-diff"]) && !words.has(&["-write"]) => {}
        "fmt" => out.add(C::Overwrite, "dyn:files that fmt -list names", R::Exact),
        "login" | "logout" => out.add(C::Access, "path:~/.terraform.d/credentials.tfrc.json", R::Exact),
        "" => {}
        verb if READS.contains(&verb) => {
            if verb == "plan"
                && let Some(file) = words.value(&["-out"]).cloned()
            {
                out.word(C::Create, "path:", &file, R::Exact);
            }
        }
        verb => out.opaque(&format!("{program} {verb}")),
    }
}

fn destroy(out: &mut Reader<'_>, all: bool, targets: &[&Word]) {
    if targets.is_empty() {
        out.add(C::Destroy, if all { "dyn:every unit below" } else { "dyn:plan -destroy" }, R::Recreate);
    } else {
        out.each(C::Destroy, "tf:", targets, R::Recreate);
    }
}

fn state(words: &Words<'_>, out: &mut Reader<'_>) {
    match words.operand(1) {
        "rm" | "mv" if words.has(&["-dry-run"]) => {}
        "rm" | "mv" => out.each(C::StateOnly, "tf:", words.from(2), R::Exact),
        "replace-provider" => out.add(C::StateOnly, "tf:state", R::StateOnly),
        "push" => {
            let class = if words.has(&["-force"]) { C::Overwrite } else { C::StateOnly };
            out.add(class, "tf:state", R::StateOnly);
        }
        "list" | "show" | "pull" | "identities" => {}
        verb => out.opaque(&format!("terraform state {verb}")),
    }
}

/// `TF_CLI_ARGS` and `TF_CLI_ARGS_<command>` are words that nobody sees on the line.
fn with_env(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Word> {
    let mut args = inv.args().to_vec();
    let verb =
        args.iter().filter_map(Word::as_str).find(|w| !w.starts_with('-')).unwrap_or_default().to_owned();
    for name in ["TF_CLI_ARGS".to_owned(), format!("TF_CLI_ARGS_{verb}")] {
        let Some(value) = inv.env_value(&name).or_else(|| cx.env.get(&name)) else { continue };
        args.extend(value.lossy().split_whitespace().map(Word::literal));
    }
    args
}

fn pulumi(words: &Words<'_>, out: &mut Reader<'_>) {
    match words.operand(0) {
        "destroy" | "down" if words.has(&["-preview-only"]) => {}
        "destroy" | "down" => out.add(C::Destroy, "dyn:pulumi preview --diff", R::Recreate),
        "up" | "update" => out.add(C::Mutate, "dyn:pulumi preview --diff", R::Recreate),
        "refresh" => out.add(C::StateOnly, "tf:state", R::StateOnly),
        "stack" if words.operand(1) == "rm" => {
            out.add(C::Destroy, format!("tf:workspace {}", words.operand(2)), R::StateOnly)
        }
        "state" if words.operand(1) == "delete" => out.each(C::StateOnly, "tf:", words.from(2), R::Exact),
        "stack" => match (words.operand(1), words.operands.get(2)) {
            ("select", Some(name)) => out.word(C::StateOnly, "tf:workspace ", name, R::Exact),
            ("init" | "new", Some(name)) => out.word(C::Create, "tf:workspace ", name, R::Exact),
            ("import", _) => out.add(C::StateOnly, "tf:state", R::StateOnly),
            _ => {}
        },
        "config" if matches!(words.operand(1), "set" | "rm" | "set-all" | "rm-all" | "cp" | "refresh") => {
            out.add(C::Mutate, "dyn:the stack's configuration file", R::Exact)
        }
        "cancel" => out.add(C::Disrupt, "dyn:the update in progress", R::Irreversible),
        "preview" | "config" | "about" | "whoami" | "logs" | "history" | "" => {}
        verb => out.opaque(&format!("pulumi {verb}")),
    }
}
