//! Programs that keep objects as they want them: they may change back what an undo writes, so it names them.

use super::object::Object;

/// Labels or annotations, and who leaves them.
const MARKS: &[(&str, &str)] = &[
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
    ("meta.helm.sh/release-name", "Helm"),
    ("fleet.cattle.io/bundle-id", "Fleet"),
    ("config.k8s.io/owning-inventory", "Config Sync"),
];

/// Names under which they write fields (`managedFields`), where they leave no mark.
const MANAGERS: &[(&str, &str)] = &[
    ("argocd-controller", "Argo CD"),
    ("argocd-application-controller", "Argo CD"),
    ("kustomize-controller", "Flux"),
    ("helm-controller", "Flux"),
    ("helm", "Helm"),
    ("fleetagent", "Fleet"),
    ("configsync", "Config Sync"),
    ("pulumi-kubernetes", "Pulumi"),
    ("Terraform", "Terraform"),
];

/// Who manages an object, for people; `None` where nobody is known.
pub fn manager(object: &Object) -> Option<String> {
    let mark = |name: &str| object.label(name).or_else(|| object.annotation(name)).map(str::to_owned);
    let of = |(name, who): &(&str, &str)| mark(name).map(|value| format!("{who} ({value})"));
    MARKS.iter().find_map(of).or_else(|| {
        let fields = object.value.pointer("/metadata/managedFields").and_then(|f| f.as_array());
        let mut managers = fields.into_iter().flatten().filter_map(|f| f.get("manager")?.as_str());
        managers
            .find_map(|name| MANAGERS.iter().find(|(known, _)| *known == name))
            .map(|(_, who)| (*who).to_owned())
    })
}
