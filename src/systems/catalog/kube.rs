//! kubectl and helm.

use super::words::{Reader, Takes, Words};
use crate::model::{EffectClass as C, Reversibility as R, Word};

/// The context where none is named.
const CONTEXT: &str = "dev";

const TAKES: Takes<'static> = Takes::One(&[
    "-n",
    "--namespace",
    "--context",
    "--cluster",
    "--user",
    "--kubeconfig",
    "-s",
    "--server",
    "--as",
    "--as-group",
    "-f",
    "--filename",
    "-k",
    "--kustomize",
    "-l",
    "--selector",
    "--field-selector",
    "-o",
    "--output",
    "-p",
    "--patch",
    "--type",
    "-c",
    "--container",
    "--raw",
    "--grace-period",
    "--timeout",
    "--replicas",
    "--image",
    "--port",
    "--overrides",
    "--token",
    "--current-replicas",
    "--to-revision",
    "--from-literal",
    "--from-file",
    "--min",
    "--max",
    "--cpu-percent",
    "--since",
    "--tail",
    "--clusterrole",
    "--role",
    "--serviceaccount",
    "--name",
    "--target-port",
    "--patch-file",
    "--sort-by",
    "-L",
    "--env",
    "--request-timeout",
    "-v",
    "--field-manager",
    "--subresource",
]);

/// Short names of kinds, and kinds that have no namespace.
const KINDS: &[(&str, &[&str])] = &[
    ("pod", &["po", "pods"]),
    ("deployment", &["deploy", "deployments", "deployment.apps"]),
    ("service", &["svc", "services"]),
    ("namespace", &["ns", "namespaces"]),
    ("configmap", &["cm", "configmaps"]),
    ("secret", &["secrets"]),
    ("persistentvolumeclaim", &["pvc", "persistentvolumeclaims"]),
    ("persistentvolume", &["pv", "persistentvolumes"]),
    ("statefulset", &["sts", "statefulsets"]),
    ("daemonset", &["ds", "daemonsets"]),
    ("replicaset", &["rs", "replicasets"]),
    ("ingress", &["ing", "ingresses"]),
    ("job", &["jobs"]),
    ("cronjob", &["cj", "cronjobs"]),
    ("node", &["no", "nodes"]),
    ("serviceaccount", &["sa", "serviceaccounts"]),
    ("customresourcedefinition", &["crd", "crds", "customresourcedefinitions"]),
    ("clusterrole", &["clusterroles"]),
    ("clusterrolebinding", &["clusterrolebindings"]),
    ("role", &["roles"]),
    ("rolebinding", &["rolebindings"]),
    ("storageclass", &["sc", "storageclasses"]),
    ("horizontalpodautoscaler", &["hpa", "horizontalpodautoscalers"]),
    ("networkpolicy", &["netpol", "networkpolicies"]),
    ("poddisruptionbudget", &["pdb"]),
    ("priorityclass", &["pc"]),
];

const CLUSTER_WIDE: &[&str] = &[
    "namespace",
    "persistentvolume",
    "node",
    "customresourcedefinition",
    "clusterrole",
    "clusterrolebinding",
    "storageclass",
    "priorityclass",
    "validatingwebhookconfiguration",
    "mutatingwebhookconfiguration",
    "apiservice",
    "certificatesigningrequest",
    "ingressclass",
    "runtimeclass",
    "project",
];

fn kind(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let full = KINDS
        .iter()
        .find(|(full, short)| *full == name || short.contains(&name.as_str()))
        .map(|(full, _)| (*full).to_owned());
    full.unwrap_or(name)
}

struct Place {
    context: String,
    namespace: String,
}

impl Place {
    fn of(words: &Words<'_>) -> Place {
        Place {
            context: words.text(&["--context"]).unwrap_or_else(|| CONTEXT.to_owned()),
            namespace: words.text(&["-n", "--namespace"]).unwrap_or_else(|| "default".to_owned()),
        }
    }

    fn object(&self, of_kind: &str, name: &str) -> String {
        let of_kind = kind(of_kind);
        let namespace = if CLUSTER_WIDE.contains(&of_kind.as_str()) { "" } else { &self.namespace };
        format!("k8s:{}/{namespace}/{of_kind}/{name}", self.context)
    }
}

/// The objects that operands name: `TYPE NAME…`, `TYPE/NAME`.
fn objects(place: &Place, operands: &[&Word]) -> Vec<String> {
    let unknown = |w: &&Word| !w.certain;
    if operands.iter().any(unknown) {
        let text: Vec<_> = operands.iter().map(|w| w.text.lossy()).collect();
        return vec![format!("dyn:{}", text.join(" "))];
    }
    let mut out = Vec::new();
    let mut names = operands.iter().map(|w| w.text.lossy().into_owned());
    let Some(first) = names.next() else { return out };
    if let Some((of_kind, name)) = first.split_once('/') {
        out.push(place.object(of_kind, name));
        out.extend(names.filter_map(|n| n.split_once('/').map(|(k, n)| place.object(k, n))));
        return out;
    }
    for name in names {
        out.extend(first.split(',').map(|k| place.object(k, &name)));
    }
    out
}

/// `kubectl`, `k`, `oc`, and the small tools around it.
pub fn kubectl(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(out.inv.args(), TAKES);
    if matches!(program, "kubectx" | "kubens") {
        if let Some(name) = words.operands.first() {
            out.word(C::Mutate, "path:~/.kube/config ", name, R::Exact);
            if let Some(e) = out.effects.first_mut() {
                e.resource = "path:~/.kube/config".into();
            }
        }
        return;
    }
    if program == "kustomize" {
        if words.operand(0) != "build" {
            out.opaque("kustomize edits");
        }
        return;
    }
    let dry = words.options.iter().rev().find(|(n, _)| n == "--dry-run");
    if dry.is_some_and(|(_, v)| v.first().and_then(Word::as_str) != Some("none")) {
        return;
    }
    let place = Place::of(&words);
    let rest = words.from(1);
    match words.operand(0) {
        "delete" => delete(&words, &place, out),
        "apply" if words.has(&["--prune"]) => {
            out.add(C::Destroy, "dyn:objects that apply --prune removes", R::Recreate)
        }
        "apply" => match rest.first().map(|w| w.text.lossy().into_owned()).as_deref() {
            Some("view-last-applied") => {}
            _ => out.add(C::Mutate, "dyn:objects named in manifests", R::Exact),
        },
        "create" => create(&words, &place, out),
        "replace" if words.has(&["--force"]) => {
            out.add(C::Destroy, "dyn:objects named in manifests (deleted then created)", R::Recreate)
        }
        "replace" => out.add(C::Overwrite, "dyn:objects named in manifests", R::Exact),
        "label" | "annotate" | "set" if words.has(&["--list"]) => {}
        "autoscale" if !words.has(&["-f", "--filename"]) => {
            let targets = objects(&place, words.from(1));
            for name in targets.iter().filter_map(|t| t.rsplit('/').next()) {
                out.add(C::Create, place.object("horizontalpodautoscaler", name), R::Exact);
            }
        }
        "patch" | "edit" | "label" | "annotate" | "autoscale" => mutate(&words, &place, out, C::Mutate),
        "scale" => {
            let zero = words.text(&["--replicas"]).as_deref() == Some("0");
            mutate(&words, &place, out, if zero { C::Disrupt } else { C::Mutate });
        }
        "set" => {
            if let Some(found) = words.from(2).first() {
                objects(&place, &[found]).into_iter().for_each(|o| out.add(C::Mutate, o, R::Exact));
            }
        }
        "rollout" => match words.operand(1) {
            "status" | "history" => {}
            "restart" => objects(&place, words.from(2))
                .into_iter()
                .for_each(|o| out.add(C::Disrupt, o, R::Compensating)),
            _ => objects(&place, words.from(2)).into_iter().for_each(|o| out.add(C::Mutate, o, R::Exact)),
        },
        "drain" => out.each(C::Disrupt, &format!("k8s:{}//node/", place.context), rest, R::Compensating),
        "cordon" | "uncordon" => {
            out.each(C::Mutate, &format!("k8s:{}//node/", place.context), rest, R::Exact)
        }
        "taint" => {
            let name: Vec<&Word> = words.from(2).iter().take(1).copied().collect();
            out.each(C::Disrupt, &format!("k8s:{}//node/", place.context), &name, R::Compensating);
        }
        "run" => {
            let name: Vec<&Word> = rest.iter().take(1).copied().collect();
            out.each(C::Create, &format!("k8s:{}/{}/pod/", place.context, place.namespace), &name, R::Exact);
        }
        "expose" => {
            let name = rest.last().map(|w| w.text.lossy().into_owned()).unwrap_or_default();
            let name = words
                .text(&["--name"])
                .unwrap_or_else(|| name.rsplit('/').next().unwrap_or_default().to_owned());
            out.add(C::Create, place.object("service", &name), R::Exact);
        }
        "port-forward" | "proxy" => {}
        "exec" | "attach" | "debug" => out.opaque("kubectl session"),
        "cp" => {
            let to = rest.get(1).map(|w| w.text.lossy().into_owned()).unwrap_or_default();
            let remote = to.contains(':');
            out.add(
                C::Overwrite,
                if remote {
                    format!("k8s:{}/{}/pod/{to}", place.context, place.namespace)
                } else {
                    format!("path:{to}")
                },
                R::Exact,
            );
        }
        "config" => {
            if !matches!(
                words.operand(1),
                "view" | "current-context" | "get-contexts" | "get-clusters" | "get-users" | ""
            ) {
                out.add(C::Mutate, "path:~/.kube/config", R::Exact);
            }
        }
        "certificate" => out.each(
            C::Access,
            &format!("k8s:{}//certificatesigningrequest/", place.context),
            words.from(2),
            R::Compensating,
        ),
        "auth" if words.operand(1) == "reconcile" => {
            out.add(C::Access, "dyn:roles named in manifests", R::Exact)
        }
        "get" | "describe" | "logs" | "explain" | "api-resources" | "api-versions" | "cluster-info"
        | "version" | "top" | "auth" | "diff" | "wait" | "completion" | "events" | "kustomize"
        | "options" | "plugin" | "whoami" | "status" | "project" | "projects" | "" => {}
        verb => out.opaque(&format!("kubectl {verb}")),
    }
}

fn delete(words: &Words<'_>, place: &Place, out: &mut Reader<'_>) {
    if let Some(path) = words.text(&["--raw"]) {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let named = match parts.as_slice() {
            ["api", _, "namespaces", name] => Some(place.object("namespace", name)),
            ["api", _, "namespaces", ns, k, name] | ["apis", _, _, "namespaces", ns, k, name] => {
                Some(Place { namespace: (*ns).to_owned(), context: place.context.clone() }.object(k, name))
            }
            _ => None,
        };
        out.add(C::Destroy, named.unwrap_or_else(|| format!("dyn:{path}")), R::Recreate);
        return;
    }
    if words.has(&["-f", "--filename", "-k", "--kustomize"]) {
        out.add(C::Destroy, "dyn:objects named in manifests", R::Recreate);
        return;
    }
    let rest = words.from(1);
    let selected = words.has(&["--all", "-l", "--selector", "--field-selector", "-A", "--all-namespaces"]);
    let named = objects(place, rest);
    if selected || named.is_empty() {
        out.add(C::Destroy, "dyn:objects that the same get lists", R::Recreate);
        return;
    }
    for object in named {
        let everything = object.contains("/namespace/");
        let object = if everything { format!("{object} + everything in it") } else { object };
        out.add(C::Destroy, object, R::Recreate);
    }
}

fn create(words: &Words<'_>, place: &Place, out: &mut Reader<'_>) {
    if words.has(&["-f", "--filename", "-k", "--kustomize"]) || words.operands.len() < 3 {
        out.add(C::Create, "dyn:objects named in manifests", R::Exact);
        return;
    }
    let of_kind = words.operand(1);
    let at = if of_kind == "secret" || (of_kind == "service" && words.operands.len() > 3) { 3 } else { 2 };
    let name = words.operand(at.min(words.operands.len() - 1));
    let access = matches!(of_kind, "role" | "rolebinding" | "clusterrole" | "clusterrolebinding" | "token");
    out.add(if access { C::Access } else { C::Create }, place.object(of_kind, name), R::Exact);
}

fn mutate(words: &Words<'_>, place: &Place, out: &mut Reader<'_>, class: C) {
    if words.has(&["-f", "--filename", "-l", "--selector", "--all"]) {
        out.add(class, "dyn:objects that the same get lists", R::Exact);
        return;
    }
    let rest = words.from(1);
    // Labels and annotations follow the name: `env=prod`, `env-`.
    let is_change = |w: &&&Word| w.text.as_str().is_some_and(|t| t.contains('=') || t.ends_with('-'));
    let named: Vec<&Word> = rest.iter().filter(|w| !is_change(w)).copied().collect();
    let finalizers = words.text(&["-p", "--patch"]).is_some_and(|p| p.contains("finalizers"));
    let class = if finalizers { C::Weaken } else { class };
    objects(place, &named).into_iter().for_each(|o| out.add(class, o, R::Exact));
}

/// `helm`
pub fn helm(out: &mut Reader<'_>) {
    let takes = Takes::One(&[
        "-n",
        "--namespace",
        "--kube-context",
        "-f",
        "--values",
        "--set",
        "--set-string",
        "--version",
        "--timeout",
        "--repo",
        "-o",
        "--output",
        "--kubeconfig",
        "--description",
        "--history-max",
        "--set-file",
        "--max",
    ]);
    let words = Words::split(out.inv.args(), takes);
    if words.has(&["--dry-run"]) && words.text(&["--dry-run"]).as_deref() != Some("none") {
        return;
    }
    let context = words.text(&["--kube-context"]).unwrap_or_else(|| CONTEXT.to_owned());
    let namespace = words.text(&["-n", "--namespace"]).unwrap_or_else(|| "default".to_owned());
    let prefix = format!("k8s:{context}/{namespace}/helm/");
    let first: Vec<&Word> = words.from(1).iter().take(1).copied().collect();
    match words.operand(0) {
        "uninstall" | "delete" | "del" | "un" => out.each(C::Destroy, &prefix, words.from(1), R::Recreate),
        "upgrade" if words.has(&["--force"]) => out.each(C::Overwrite, &prefix, &first, R::Recreate),
        "upgrade" => out.each(C::Mutate, &prefix, &first, R::Exact),
        "rollback" if words.has(&["--force", "--recreate-pods"]) => {
            out.each(C::Overwrite, &prefix, &first, R::Recreate)
        }
        "rollback" => out.each(C::Mutate, &prefix, &first, R::Exact),
        "install" => out.each(C::Create, &prefix, &first, R::Exact),
        "repo" | "plugin" | "registry" if matches!(words.operand(1), "list" | "ls") => {}
        "repo" | "plugin" | "registry" | "dependency" | "package" | "pull" | "push" | "create" => {
            out.opaque(&format!("helm {}", words.operand(0)));
        }
        "list" | "ls" | "status" | "get" | "history" | "template" | "show" | "inspect" | "search"
        | "lint" | "diff" | "env" | "verify" | "test" | "completion" | "version" | "" => {}
        verb => out.opaque(&format!("helm {verb}")),
    }
}
