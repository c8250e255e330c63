//! Commands that make objects or bring them to what a manifest says.

use super::Reader;
use super::manifest;
use super::words::Words;
use crate::model::{EffectClass as C, Reversibility as R, Stdin, Word};
use crate::systems::kubernetes::query::{Mode, UNNAMED};

/// What `kubectl create KIND NAME` makes: the words, and the kind with version and group.
const MADE: &[(&[&str], &str)] = &[
    (&["namespace", "ns"], "Namespace.v1."),
    (&["deployment", "deploy"], "Deployment.v1.apps"),
    (&["configmap", "cm"], "ConfigMap.v1."),
    (&["secret"], "Secret.v1."),
    (&["service", "svc"], "Service.v1."),
    (&["serviceaccount", "sa"], "ServiceAccount.v1."),
    (&["job"], "Job.v1.batch"),
    (&["cronjob", "cj"], "CronJob.batch"),
    (&["ingress", "ing"], "Ingress.v1.networking.k8s.io"),
    (&["role"], "Role.v1.rbac.authorization.k8s.io"),
    (&["rolebinding"], "RoleBinding.v1.rbac.authorization.k8s.io"),
    (&["clusterrole"], "ClusterRole.v1.rbac.authorization.k8s.io"),
    (&["clusterrolebinding"], "ClusterRoleBinding.v1.rbac.authorization.k8s.io"),
    (&["quota", "resourcequota"], "ResourceQuota.v1."),
    (&["poddisruptionbudget", "pdb"], "PodDisruptionBudget.policy"),
    (&["priorityclass", "pc"], "PriorityClass.v1.scheduling.k8s.io"),
];

/// Asks for the objects of the manifests that the options name. What comes through standard input is known where its text
/// stands in the command.
pub fn files(mode: Mode, out: &mut Reader<'_>) {
    out.ask.mode = mode;
    out.ask_options();
    let from_stdin = out.words.values("--filename").any(|w| w.as_str() == Some("-"));
    if !from_stdin {
        return;
    }
    let stdin = match &out.inv.stdin {
        Stdin::File(file) => {
            let is_dash = |w: &mut Word| w.as_str() == Some("-");
            if let Some(dash) = out.ask.words.iter_mut().find_map(|w| is_dash(w).then_some(w)) {
                *dash = file.clone();
            }
            return;
        }
        Stdin::Text(word) => word.as_str().and_then(manifest::names),
        _ => None,
    };
    match stdin {
        Some(names) if out.words.values("--filename").count() == 1 => {
            out.ask.mode = Mode::Names;
            out.ask.words = names.into_iter().map(Word::literal).collect();
        }
        _ => out.not_kept(UNNAMED[2]),
    }
}

/// `kubectl apply`.
pub fn apply(out: &mut Reader<'_>) {
    match out.words.operand(1) {
        "view-last-applied" => return,
        "edit-last-applied" => {
            let rest: Vec<&Word> = out.words.from(2).to_vec();
            out.ask(&rest);
            out.ask_options();
            return out.add(C::Mutate, "dyn:the last applied configuration", R::Exact);
        }
        _ => {}
    }
    if out.words.has("--prune") {
        out.add(C::Destroy, "dyn:objects that apply --prune removes", R::Recreate);
        out.ask.destroys = true;
        files(Mode::Prune, out);
        return prune_options(out);
    }
    out.add(C::Mutate, "dyn:objects named in manifests", R::Exact);
    files(Mode::Manifests, out);
}

fn prune_options(out: &mut Reader<'_>) {
    if out.words.any(&["--applyset"]) {
        return out.not_kept("what an apply set removes is not understood");
    }
    if out.ask.mode == Mode::Names {
        return out.not_kept("what --prune removes beside a manifest on standard input is not looked up");
    }
    for option in ["--prune-allowlist", "--prune-whitelist"] {
        let values: Vec<Word> = out.words.values(option).cloned().collect();
        out.ask.words.extend(values.into_iter().flat_map(|v| [Word::literal("--prune-allowlist"), v]));
    }
}

/// `kubectl create`.
pub fn create(out: &mut Reader<'_>) {
    let of_kind = out.words.operand(1).to_owned();
    if out.has_files() || out.words.operands.len() < 3 {
        out.add(C::Create, "dyn:objects named in manifests", R::Exact);
        return files(Mode::Manifests, out);
    }
    let name = out.words.operand(name_at(&out.words)).to_owned();
    let access =
        matches!(of_kind.as_str(), "role" | "rolebinding" | "clusterrole" | "clusterrolebinding" | "token");
    let object = out.place.object(&of_kind, &name);
    let promise = if of_kind == "token" { R::Irreversible } else { R::Exact };
    out.add(if access { C::Access } else { C::Create }, object, promise);
    if of_kind == "token" {
        return out.not_kept("a token that was given out cannot be taken back");
    }
    match kind_made(&of_kind) {
        Some(kind) => absent(kind, &name, out),
        None => out.not_kept("this kind is not understood"),
    }
}

fn kind_made(word: &str) -> Option<&'static str> {
    MADE.iter().find(|(words, _)| words.contains(&word)).map(|(_, kind)| *kind)
}

/// `create secret TYPE NAME`, `create service TYPE NAME`, `create KIND NAME`.
fn name_at(words: &Words<'_>) -> usize {
    let of_kind = words.operand(1);
    let sub = of_kind == "secret" || (matches!(of_kind, "service" | "svc") && words.operands.len() > 3);
    (if sub { 3 } else { 2 }).min(words.operands.len().saturating_sub(1))
}

/// The kind and the name of what `kubectl create` makes, where its words are all known.
pub fn made(words: &Words<'_>) -> Option<(&'static str, String)> {
    if words.operands.len() < 3 || words.any(&["--filename", "--kustomize"]) {
        return None;
    }
    let name = words.operands.get(name_at(words))?.as_str()?.to_owned();
    Some((kind_made(words.operand(1))?, name))
}

/// An object that is about to be made.
fn absent(kind: &str, name: &str, out: &mut Reader<'_>) {
    out.ask.mode = Mode::Names;
    out.ask.words.push(Word::literal(format!("|{kind}/{name}")));
}

/// `kubectl replace`.
pub fn replace(out: &mut Reader<'_>) {
    if let Some(path) = out.words.text("--raw") {
        out.not_kept("it replaces by a path");
        // `/api/v1/namespaces/NS/finalize` takes the finalizers away, and with them what waits for others to clean up.
        if path.trim_end_matches('/').ends_with("/finalize") {
            return out.add(C::Weaken, format!("dyn:finalizers by {path}"), R::Recreate);
        }
        return out.add(C::Overwrite, "dyn:a raw path", R::Exact);
    }
    if out.words.has("--force") {
        out.ask.destroys = true;
        out.add(C::Destroy, "dyn:objects named in manifests (deleted then created)", R::Recreate);
    } else {
        out.add(C::Overwrite, "dyn:objects named in manifests", R::Exact);
    }
    files(Mode::Manifests, out);
}

/// `kubectl auth reconcile`.
pub fn reconcile(out: &mut Reader<'_>) {
    out.add(C::Access, "dyn:roles named in manifests", R::Exact);
    files(Mode::Manifests, out);
}

/// `kubectl run NAME`.
pub fn run(out: &mut Reader<'_>) {
    let Some(name) = out.words.from(1).first().copied().cloned() else { return };
    let text = name.text.lossy().into_owned();
    if !name.certain {
        out.not_kept("its name is not known before it runs");
        return out.add(C::Create, format!("dyn:{text}"), R::Exact);
    }
    let object = out.place.object("pod", &text);
    out.add(C::Create, object, R::Exact);
    absent("Pod.v1.", &text, out);
}

/// `kubectl expose`: a service by the target's name, or its own.
pub fn expose(out: &mut Reader<'_>) {
    let last = out.words.from(1).last().map(|w| w.text.lossy().into_owned()).unwrap_or_default();
    let name = out.words.text("--name");
    let name = name.unwrap_or_else(|| last.rsplit('/').next().unwrap_or_default().to_owned());
    let object = out.place.object("service", &name);
    out.add(C::Create, object, R::Exact);
    if out.has_files() && out.words.text("--name").is_none() {
        return out.not_kept("the service gets its name from a manifest");
    }
    absent("Service.v1.", &name, out);
}

/// `kubectl autoscale`: a HorizontalPodAutoscaler by the target's name, or its own.
pub fn autoscale(out: &mut Reader<'_>) {
    if out.has_files() {
        out.add(C::Mutate, "dyn:objects that the same get lists", R::Exact);
        return out.not_kept("the autoscaler gets its name from a manifest");
    }
    let rest: Vec<&Word> = out.words.from(1).to_vec();
    let named = out.words.text("--name");
    let targets = out.place.objects(&rest);
    for target in &targets {
        let name = target.rsplit('/').next().unwrap_or_default();
        let name = named.as_deref().unwrap_or(name);
        let object = out.place.object("horizontalpodautoscaler", name);
        out.add(C::Create, object, R::Exact);
        absent("HorizontalPodAutoscaler.autoscaling", name, out);
    }
}
