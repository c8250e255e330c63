//! Names of objects as the record shows them: `k8s:CONTEXT/NAMESPACE/KIND/NAME`.

use super::words::Words;
use crate::model::Word;

/// The context where the words name none. What is current is read beside them ([`super::super::current`]).
pub const CONTEXT: &str = "dev";
/// The namespace where neither the words nor the context name one.
pub const NAMESPACE: &str = "default";

/// Kinds with their short names (`kubectl api-resources`).
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

/// The full name of a kind. `deployments.apps` and `deployments.v1.apps` are deployments, as far as the first word is known.
pub fn kind(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    if let Some((first, group)) = name.split_once('.').filter(|(_, group)| is_own(group)) {
        let full = kind(first);
        return if full == first && !KINDS.iter().any(|(k, _)| *k == full) {
            format!("{first}.{group}")
        } else {
            full
        };
    }
    let full = KINDS
        .iter()
        .find(|(full, short)| *full == name || short.contains(&name.as_str()))
        .map(|(full, _)| (*full).to_owned());
    full.unwrap_or(name)
}

/// Groups of Kubernetes' own, a version before them or not.
fn is_own(group: &str) -> bool {
    let group = match group.split_once('.') {
        Some((version, rest))
            if version.starts_with('v') && version[1..].starts_with(|c: char| c.is_ascii_digit()) =>
        {
            rest
        }
        _ => group,
    };
    matches!(group, "apps" | "batch" | "autoscaling" | "policy" | "extensions" | "")
        || group.ends_with(".k8s.io")
}

/// Where a command's words say that it acts.
pub struct Place {
    /// The context's name.
    pub context: String,
    /// The namespace's name.
    pub namespace: String,
}

impl Place {
    /// As the options say.
    pub fn of(words: &Words<'_>) -> Place {
        Place {
            context: words.text("--context").unwrap_or_else(|| CONTEXT.to_owned()),
            namespace: words.text("--namespace").unwrap_or_else(|| NAMESPACE.to_owned()),
        }
    }

    /// An object's name for the record.
    pub fn object(&self, of_kind: &str, name: &str) -> String {
        let of_kind = kind(of_kind);
        let namespace = if CLUSTER_WIDE.contains(&of_kind.as_str()) { "" } else { &self.namespace };
        format!("k8s:{}/{namespace}/{of_kind}/{name}", self.context)
    }

    /// The objects that operands name: `TYPE NAME…`, `TYPE/NAME…`.
    pub fn objects(&self, operands: &[&Word]) -> Vec<String> {
        if operands.iter().any(|w| !w.certain) {
            let text: Vec<_> = operands.iter().map(|w| w.text.lossy()).collect();
            return vec![format!("dyn:{}", text.join(" "))];
        }
        let mut names = operands.iter().map(|w| w.text.lossy().into_owned());
        let Some(first) = names.next() else { return Vec::new() };
        if first.contains('/') {
            let all = std::iter::once(first).chain(names);
            return all.filter_map(|n| n.split_once('/').map(|(k, n)| self.object(k, n))).collect();
        }
        names.flat_map(|name| first.split(',').map(|k| self.object(k, &name)).collect::<Vec<_>>()).collect()
    }
}
