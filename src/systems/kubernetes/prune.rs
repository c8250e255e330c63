//! What `kubectl apply --prune` may change: the objects of the manifests, and all others that were applied before and that
//! the selector chooses.

use std::collections::BTreeSet;

use super::cluster::{self, Found};
use super::kubectl::Kubectl;
use crate::error::{Error, Result};

/// What is pruned where no allow list is given (kubectl's `pkg/util/prune`, all versions).
const DEFAULT: &str = "configmaps,endpoints,persistentvolumeclaims,pods,replicationcontrollers,secrets,services,\
                       jobs.batch,cronjobs.batch,ingresses.networking.k8s.io,daemonsets.apps,deployments.apps,\
                       replicasets.apps,statefulsets.apps";
const DEFAULT_CLUSTER_WIDE: &str = "namespaces,persistentvolumes";
/// What `kubectl apply` leaves on all that it applies.
pub const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Finds them.
pub fn find(kubectl: &Kubectl, words: &[&str]) -> Result<Found> {
    let value = |name: &str| {
        let pairs = words.iter().zip(words.iter().skip(1));
        pairs.filter(|(n, _)| **n == name).map(|(_, v)| *v).collect::<Vec<_>>()
    };
    let (selectors, allowed) = (value("--selector"), value("--prune-allowlist"));
    let mut found = cluster::by_manifests(kubectl, words)?;
    let keys = found.objects.iter().map(|(object, _)| &object.key).chain(&found.absent);
    let spaces: BTreeSet<String> = keys.map(|key| key.namespace.clone()).filter(|n| !n.is_empty()).collect();
    let allowed: Option<String> = match allowed.as_slice() {
        [] => None,
        kinds => Some(kinds.iter().map(|kind| kind_of(kind)).collect::<Result<Vec<_>>>()?.join(",")),
    };
    let selected: Vec<&str> = selectors.iter().flat_map(|s| ["--selector", s]).collect();
    for namespace in &spaces {
        let kinds = allowed.as_deref().unwrap_or(DEFAULT);
        let place = ["--namespace", namespace.as_str()];
        let args: Vec<&str> = [kinds].iter().chain(&selected).chain(&place).copied().collect();
        let got = kubectl.get(&args);
        found.extend_filtered(&format!("what would be pruned in {namespace}"), got, |object| {
            object.annotation(APPLIED).is_some()
        });
    }
    if allowed.is_none() {
        let args: Vec<&str> = [DEFAULT_CLUSTER_WIDE].iter().chain(&selected).copied().collect();
        let got = kubectl.get(&args);
        found.extend_filtered("what would be pruned cluster-wide", got, |o| o.annotation(APPLIED).is_some());
    }
    Ok(found)
}

/// `core/v1/ConfigMap`, `apps/v1/Deployment`.
fn kind_of(text: &str) -> Result<String> {
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        ["core" | "", version, kind] => Ok(format!("{kind}.{version}.")),
        [group, version, kind] => Ok(format!("{kind}.{version}.{group}")),
        _ => Err(Error::failure(format!("--prune-allowlist {text} is not understood"))),
    }
}
