//! Which cluster a command acts on, as its flags and its environment say.

use super::words::Words;
use crate::model::{Bytes, Invocation};
use crate::systems::AssessCx;
use crate::systems::kubernetes::query::Access;

/// Flags with a value that choose cluster, user and namespace. They are passed on as given.
const CHOOSE: &[&str] = &[
    "--kubeconfig",
    "--context",
    "--cluster",
    "--user",
    "--server",
    "--as",
    "--as-group",
    "--as-uid",
    "--certificate-authority",
    "--client-certificate",
    "--client-key",
    "--tls-server-name",
    "--namespace",
];

/// Flags whose values are secrets: the record does not keep them.
const SECRET: &[&str] = &["--token", "--password", "--username"];

/// Variables that choose kubeconfig and cluster.
const VARIABLES: &[&str] = &["KUBECONFIG", "HOME", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"];

/// How the command reaches its cluster.
///
/// # Errors
/// Where we could not reach the same one: the reason, for people.
pub fn read(program: &str, words: &Words<'_>, inv: &Invocation, cx: &AssessCx<'_>) -> Result<Access, String> {
    if words.any(SECRET) {
        return Err("its credentials are on the command line, which the record does not keep; a kubeconfig that holds \
                    them would do"
            .to_owned());
    }
    let mut access = Access { program: of(program).to_owned(), ..Access::default() };
    let env = |name: &str| -> Option<Option<&Bytes>> {
        match inv.env.iter().rev().find(|(n, _)| n == name) {
            Some((_, value)) => Some(value.as_ref()),
            None => cx.env.get(name).map(Some),
        }
    };
    for name in VARIABLES {
        match env(name) {
            Some(Some(value)) => drop(access.env.insert((*name).to_owned(), value.clone())),
            Some(None) => return Err(format!("the value of {name} is not known before it runs")),
            None => {}
        }
    }
    let is_root = access.env.get("HOME").is_some_and(|home| home.as_slice() == b"/root");
    let other_user = |w: &String| matches!(w.as_str(), "sudo" | "doas" | "su" | "runuser" | "pkexec");
    if !is_root && inv.wrappers.iter().any(other_user) {
        return Err("it runs as another user, whose kubeconfig is not ours to use".to_owned());
    }
    for name in CHOOSE {
        for value in words.values(name) {
            let value =
                value.as_str().ok_or_else(|| format!("the value of {name} is not known before it runs"))?;
            access.flags.extend([(*name).to_owned(), value.to_owned()]);
        }
    }
    if words.has("--insecure-skip-tls-verify") {
        access.flags.push("--insecure-skip-tls-verify".to_owned());
    }
    access.cwd = inv.cwd.clone().ok_or("the directory that it runs in is not known")?;
    Ok(access)
}

/// The program that reads: `k` and wrappers that colour are kubectl.
fn of(program: &str) -> &str {
    match program {
        "oc" | "microk8s.kubectl" => program,
        _ => "kubectl",
    }
}
