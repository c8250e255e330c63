//! `helm`: what it does to a release. A release is kept in Secrets of its namespace (`owner=helm`), and its manifest names
//! the objects.

use super::words::Words;
use super::{Ask, Reader};
use crate::model::{Effect, EffectClass as C, Invocation, Reversibility as R, Word};
use crate::systems::AssessCx;
use crate::systems::kubernetes::assess::place::Place;
use crate::systems::kubernetes::query::{self, Mode};

/// Options that take the next word as their value (`helm COMMAND --help`, Helm 3).
const VALUED: &[&str] = &[
    "--namespace",
    "--kube-context",
    "--kubeconfig",
    "--kube-apiserver",
    "--kube-as-user",
    "--kube-as-group",
    "--kube-ca-file",
    "--kube-token",
    "--values",
    "--set",
    "--set-string",
    "--set-file",
    "--set-json",
    "--set-literal",
    "--version",
    "--timeout",
    "--repo",
    "--output",
    "--description",
    "--history-max",
    "--max",
    "--revision",
    "--username",
    "--password",
    "--ca-file",
    "--cert-file",
    "--key-file",
    "--keyring",
    "--post-renderer",
    "--cascade",
    "--burst-limit",
    "--qps",
    "--registry-config",
    "--repository-config",
    "--repository-cache",
    "--labels",
];

const SHORT: &[(char, &str)] =
    &[('n', "--namespace"), ('f', "--values"), ('o', "--output"), ('l', "--labels")];

/// helm's flags, and kubectl's for the same.
const AS_KUBECTL: &[(&str, &str)] = &[
    ("--kube-context", "--context"),
    ("--kube-apiserver", "--server"),
    ("--kube-as-user", "--as"),
    ("--kube-as-group", "--as-group"),
    ("--kube-ca-file", "--certificate-authority"),
    ("--kube-token", "--token"),
];

/// helm's variables for its flags: they are not followed, so a cluster that they choose is not guessed.
const VARIABLES: &[&str] =
    &["HELM_KUBECONTEXT", "HELM_NAMESPACE", "HELM_KUBEAPISERVER", "HELM_KUBETOKEN", "HELM_DRIVER"];

/// helm's words, with kubectl's names for the flags that choose the cluster.
pub fn words<'a>(inv: &'a Invocation) -> Words<'a> {
    let mut words = Words::split_by(inv.args(), VALUED, SHORT);
    for (name, _) in &mut words.options {
        if let Some((_, kubectl)) = AS_KUBECTL.iter().find(|(helm, _)| helm == name) {
            *name = (*kubectl).to_owned();
        }
    }
    words
}

/// True for the verbs that uninstall.
pub fn uninstalls(words: &Words<'_>) -> bool {
    matches!(words.operand(0), "uninstall" | "delete" | "del" | "un")
}

/// Reads a helm command.
pub fn read(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let words = words(inv);
    if words.is_dry() {
        return Vec::new();
    }
    let place = Place::of(&words);
    let mut out =
        Reader { words, place, inv, cx, program: "kubectl", effects: Vec::new(), ask: Ask::default() };
    out.ask.mode = Mode::Helm;
    if VARIABLES.iter().any(|name| inv.env.iter().any(|(n, _)| n == name) || cx.env.contains_key(*name)) {
        out.not_kept("a HELM_ variable chooses its cluster, which is not followed");
    }
    verb(&mut out);
    out.finish()
}

/// `helmfile`: helm on all releases of a file, which is a template and not read here.
pub fn helmfile(inv: &Invocation) -> Vec<Effect> {
    const FILE: &[&str] =
        &["--file", "--environment", "--selector", "--namespace", "--kube-context", "--log-level"];
    const LETTERS: &[(char, &str)] =
        &[('f', "--file"), ('e', "--environment"), ('l', "--selector"), ('n', "--namespace")];
    let words = Words::split_by(inv.args(), FILE, LETTERS);
    let (class, reversibility) = match words.operand(0) {
        "destroy" | "delete" => (C::Destroy, R::Recreate),
        "sync" | "apply" => (C::Mutate, R::Recreate),
        "diff" | "list" | "template" | "lint" | "status" | "build" | "test" | "version" | "" => {
            return Vec::new();
        }
        verb => return vec![super::opaque(&format!("helmfile {verb}"))],
    };
    let why = "its releases stand in a template; helm itself is seen where it runs through a shim";
    vec![Effect {
        system: crate::model::SystemId::new("kubernetes"),
        class,
        resource: "dyn:releases of the helmfile".into(),
        reversibility,
        certain: false,
        locator: Some(query::not_kept(inv.cwd.clone().unwrap_or_else(|| "/".into()), why)),
    }]
}

fn verb(out: &mut Reader<'_>) {
    let force = out.words.has("--force") || out.words.has("--force-replace");
    let first: Vec<&Word> = out.words.from(1).iter().take(1).copied().collect();
    match out.words.operand(0).to_owned().as_str() {
        "uninstall" | "delete" | "del" | "un" => {
            out.ask.destroys = true;
            let all: Vec<&Word> = out.words.from(1).to_vec();
            releases(C::Destroy, &all, R::Recreate, out);
        }
        "upgrade" if force => releases(C::Overwrite, &first, R::Recreate, out),
        "upgrade" => releases(C::Mutate, &first, R::Exact, out),
        "rollback" if force || out.words.has("--recreate-pods") => {
            releases(C::Overwrite, &first, R::Recreate, out);
        }
        "rollback" => releases(C::Mutate, &first, R::Exact, out),
        "install" => {
            // Of one word it is the chart (`--generate-name`).
            if out.words.from(1).len() < 2 {
                out.not_kept(
                    "the release gets its name when it is installed; `helm uninstall` takes it back",
                );
            }
            releases(C::Create, &first, R::Exact, out);
        }
        "repo" | "plugin" | "registry" if matches!(out.words.operand(1), "list" | "ls") => {}
        // What a registry has, others may have taken.
        "push" => {
            out.not_kept("what a registry had under that version is not read; its tag can be deleted there");
            out.add(C::Publish, "dyn:what helm push sends", R::Compensating);
        }
        verb @ ("repo" | "plugin" | "registry" | "dependency" | "package" | "pull" | "create") => {
            out.opaque(&format!("helm {verb}"));
        }
        "list" | "ls" | "status" | "get" | "history" | "template" | "show" | "inspect" | "search"
        | "lint" | "diff" | "env" | "verify" | "test" | "completion" | "version" | "" => {}
        verb => out.opaque(&format!("helm {verb}")),
    }
}

fn releases(class: C, names: &[&Word], reversibility: R, out: &mut Reader<'_>) {
    out.ask(names);
    if let (true, Some(source)) = (names.is_empty(), out.inv.dynamic_args.clone()) {
        // `helm ls -q | xargs helm uninstall`
        return out.add(class, format!("dyn:{source}"), reversibility);
    }
    for name in names {
        let text = name.text.lossy();
        let object = match name.certain {
            true => format!("k8s:{}/{}/helm/{text}", out.place.context, out.place.namespace),
            false => format!("dyn:{text}"),
        };
        out.add(class, object, reversibility);
    }
}
