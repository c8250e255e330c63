//! pulumi: what its verbs do. Nothing of it is captured.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

/// Options that take the next word (`pulumi COMMAND --help`, 3.x).
const VALUED: &[&str] = &[
    "-C",
    "--cwd",
    "-s",
    "--stack",
    "-c",
    "--config",
    "--config-file",
    "-t",
    "--target",
    "--target-replace",
    "--replace",
    "--exclude",
    "-p",
    "--parallel",
    "-m",
    "--message",
    "--color",
    "--secrets-provider",
    "--policy-pack",
    "--policy-pack-config",
    "--profiling",
    "--tracing",
    "-v",
    "--verbose",
    "--file",
    "--plan",
    "--save-plan",
    "--exec-agent",
    "--exec-kind",
    "--source",
    "--dest",
    "--provider",
    "--parent",
];

/// What of it only looks, whatever follows.
const READS: &[&str] =
    &["preview", "about", "whoami", "logs", "history", "schema", "gen-completion", "console", "query"];

/// Reads a command.
pub fn read(out: &mut Reader<'_>) {
    let args = out.inv.args().to_vec();
    let words = Words::split(&args, Takes::One(VALUED));
    let only_looks = words.has(&["--preview-only"]);
    let targets: Vec<&Word> = words.values(&["--target", "-t"]).collect();
    let sub = words.operand(1);
    match words.operand(0) {
        "destroy" | "down" | "up" | "update" | "refresh" | "import" if only_looks => {}
        "destroy" | "down" if !targets.is_empty() => out.each(C::Destroy, "tf:", &targets, R::Recreate),
        "destroy" | "down" => out.add(C::Destroy, "dyn:pulumi preview --diff", R::Recreate),
        "up" | "update" if !targets.is_empty() => out.each(C::Mutate, "tf:", &targets, R::Recreate),
        "up" | "update" | "watch" => out.add(C::Mutate, "dyn:pulumi preview --diff", R::Recreate),
        "refresh" => out.add(C::StateOnly, "tf:state", R::StateOnly),
        "import" => out.add(C::StateOnly, "tf:state", R::StateOnly),
        "stack" => stack(&words, out),
        "state" => state(&words, out),
        "config" if matches!(sub, "set" | "rm" | "set-all" | "rm-all" | "cp" | "refresh") => {
            out.add(C::Mutate, "dyn:the stack's configuration file", R::Exact)
        }
        "config" => {}
        "cancel" => out.add(C::Disrupt, "dyn:the update in progress", R::Irreversible),
        "deployment" if sub == "run" => deployment(words.operand(2), out),
        "login" | "logout" => out.add(C::Access, "path:~/.pulumi/credentials.json", R::Exact),
        "env" => environment(sub, out),
        "new" => out.add(C::Create, "dyn:files and a stack that pulumi makes", R::Exact),
        "plugin" | "org" | "policy" | "package" | "template"
            if matches!(sub, "ls" | "get-default" | "info" | "get-schema" | "") => {}
        "" => {}
        verb if READS.contains(&verb) => {}
        verb => out.opaque(&format!("pulumi {verb}")),
    }
}

fn stack(words: &Words<'_>, out: &mut Reader<'_>) {
    let named = words.operands.get(2);
    let chosen = words.value(&["--stack", "-s"]);
    match (words.operand(1), named) {
        ("rm", name) => match name.copied().or(chosen) {
            Some(name) => out.word(C::Destroy, "tf:workspace ", name, R::StateOnly),
            None => out.add(C::Destroy, "dyn:the selected stack", R::StateOnly),
        },
        ("select", Some(name)) => out.word(C::StateOnly, "tf:workspace ", name, R::Exact),
        ("init" | "new", Some(name)) => out.word(C::Create, "tf:workspace ", name, R::Exact),
        ("init" | "new", None) => out.add(C::Create, "dyn:a stack", R::Exact),
        ("rename", Some(name)) => out.word(C::StateOnly, "tf:workspace ", name, R::Exact),
        ("import", _) => out.add(C::StateOnly, "tf:state", R::StateOnly),
        ("export", _) => {
            if let Some(file) = words.value(&["--file"]).cloned() {
                out.file(C::Overwrite, &file, "node");
            }
        }
        ("unselect", _) => out.add(C::StateOnly, "dyn:which stack is selected", R::Exact),
        ("tag", Some(verb)) if matches!(verb.as_str(), Some("rm" | "set")) => {
            out.add(C::Mutate, "dyn:the stack's tags", R::Exact);
        }
        ("change-secrets-provider", _) => {
            out.add(C::Mutate, "dyn:how the stack's secrets are encrypted", R::Compensating)
        }
        _ => {}
    }
}

/// What only changes what pulumi believes.
fn state(words: &Words<'_>, out: &mut Reader<'_>) {
    let named = words.from(2);
    match words.operand(1) {
        // The mark that keeps a resource from being destroyed.
        "unprotect" if named.is_empty() => {
            out.add(C::Weaken, "dyn:what protects the stack's resources", R::Exact)
        }
        "unprotect" => out.each(C::Weaken, "tf:", named, R::Exact),
        "delete" | "protect" | "rename" | "move" | "taint" | "untaint" if !named.is_empty() => {
            out.each(C::StateOnly, "tf:", named, R::Exact);
        }
        "" => {}
        _ => out.add(C::StateOnly, "tf:state", R::StateOnly),
    }
}

/// Pulumi Cloud does it.
fn deployment(operation: &str, out: &mut Reader<'_>) {
    match operation {
        "destroy" => out.add(C::Destroy, "dyn:pulumi preview --diff", R::Recreate),
        "update" => out.add(C::Mutate, "dyn:pulumi preview --diff", R::Recreate),
        "refresh" => out.add(C::StateOnly, "tf:state", R::StateOnly),
        "preview" => {}
        other => out.opaque(&format!("pulumi deployment run {other}")),
    }
}

/// Environments of Pulumi ESC; `run` starts a program in one.
fn environment(verb: &str, out: &mut Reader<'_>) {
    match verb {
        "rm" => out.add(C::Destroy, "dyn:an environment of pulumi's", R::Irreversible),
        "ls" | "get" | "diff" | "open" | "" => {}
        "init" | "clone" => out.add(C::Create, "dyn:an environment of pulumi's", R::Exact),
        "set" | "edit" | "tag" | "rotate" => {
            out.add(C::Mutate, "dyn:an environment of pulumi's", R::Compensating)
        }
        verb => out.opaque(&format!("pulumi env {verb}")),
    }
}
