//! Plugins of kubectl (krew's index, sigs.k8s.io/krew-index): those that only look. What no table names is opaque: a plugin
//! is any program.

/// Plugins that change nothing, neither in the cluster nor here.
const READ: &[&str] = &[
    "access-matrix",
    "count",
    "deprecations",
    "df-pv",
    "doctor",
    "explore",
    "get-all",
    "images",
    "ktop",
    "kubesec-scan",
    "kurt",
    "lineage",
    "neat",
    "outdated",
    "pod-dive",
    "pod-inspect",
    "pod-lens",
    "pods-on",
    "popeye",
    "rbac-lookup",
    "rbac-tool",
    "rbac-view",
    "resource-capacity",
    "rolesum",
    "score",
    "sick-pods",
    "status",
    "stern",
    "tail",
    "tree",
    "unused-volumes",
    "view-allocations",
    "view-cert",
    "view-quotas",
    "view-secret",
    "view-serviceaccount-kubeconfig",
    "view-utilization",
    "view-webhook",
    "viewnode",
    "who-can",
    "whoami",
];

/// Plugins whose changes are known.
const WRITE: &[&str] = &["ctx", "ns", "modify-secret", "evict-pod"];

/// True for a plugin of which it is known what it does.
pub fn knows(name: &str) -> bool {
    reads(name) || WRITE.contains(&name)
}

/// True for a plugin that changes nothing.
pub fn reads(name: &str) -> bool {
    READ.contains(&name)
}
