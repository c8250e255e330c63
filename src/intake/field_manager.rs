//! `kubectl --field-manager`: the one documented place in which a change of a Kubernetes object can say who made it
//! (`metadata.managedFields`). It is an argument, not a variable, and it decides whom a server-side apply finds in
//! conflict: so it is added only where the user has said so (`kubectl-field-manager = true`), only for agents, and never
//! to a server-side apply, whose conflicts it would change.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The setting's argument.
const FLAG: &str = "--field-manager";

/// Commands of kubectl 1.20 to 1.32 that take it, by their help. `delete`, `scale`, `cordon` and `drain` do not.
const TAKE_IT: &[&str] = &[
    "annotate",
    "apply",
    "autoscale",
    "create",
    "edit",
    "expose",
    "label",
    "patch",
    "replace",
    "run",
    "set",
    "taint",
];

/// Global options whose value is the next word (`kubectl options`).
const WITH_VALUE: &[&str] = &[
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
    "--as-uid",
    "--token",
    "--cache-dir",
    "--certificate-authority",
    "--client-certificate",
    "--client-key",
    "--request-timeout",
    "--tls-server-name",
    "--username",
    "--password",
    "-v",
];

/// The command line with an agent's name as field manager; `None` where it stays as it was typed.
pub fn named(argv: &[OsString], agent: &str) -> Option<Vec<OsString>> {
    let end = argv.iter().position(|word| word == "--").unwrap_or(argv.len());
    let ours = argv.get(1..end)?;
    let command = command(ours)?;
    let says = |flag: &str| {
        ours.iter().any(|word| {
            let rest = word.as_bytes().strip_prefix(flag.as_bytes());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"="))
        })
    };
    let asks_only = ["-h", "--help", "--server-side"].into_iter().any(says);
    if !TAKE_IT.contains(&command.to_str()?) || asks_only || says(FLAG) {
        return None;
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
    let name: String = agent.chars().map(plain).take(60).collect();
    let mut changed = argv.to_vec();
    changed.insert(end, format!("{FLAG}=fr-{name}").into());
    Some(changed)
}

/// The first word that is neither an option nor an option's value.
fn command(words: &[OsString]) -> Option<&OsStr> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.as_bytes().starts_with(b"-") {
            return Some(word);
        }
        if word.to_str().is_some_and(|word| WITH_VALUE.contains(&word)) {
            words.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: &str) -> Option<String> {
        let argv: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let changed = named(&argv, "claude code")?;
        Some(changed.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_makes_or_changes_fields_says_who() {
        let cases = [
            ("kubectl apply -f x.yaml", "kubectl apply -f x.yaml --field-manager=fr-claude-code"),
            (
                "kubectl -n prod patch d x -p {}",
                "kubectl -n prod patch d x -p {} --field-manager=fr-claude-code",
            ),
            (
                "kubectl run x --image=y -- sh -c z",
                "kubectl run x --image=y --field-manager=fr-claude-code -- sh -c z",
            ),
            (
                "kubectl --context=a create ns x",
                "kubectl --context=a create ns x --field-manager=fr-claude-code",
            ),
        ];
        for (typed, run) in cases {
            assert_eq!(line(typed).as_deref(), Some(run));
        }
    }

    #[test]
    fn everything_else_stays_as_typed() {
        for typed in [
            "kubectl",
            "kubectl get pods",
            "kubectl delete pod apply",
            "kubectl -n apply get pods",
            "kubectl scale deploy x --replicas=0",
            "kubectl apply --server-side -f x.yaml",
            "kubectl apply --field-manager=mine -f x.yaml",
            "kubectl apply --field-manager mine -f x.yaml",
            "kubectl create --help",
            "kubectl exec x -- kubectl apply -f y",
        ] {
            assert_eq!(line(typed), None, "{typed}");
        }
    }
}
