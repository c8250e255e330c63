//! Safety nets of the clusters that agents used: volumes that outlive their claims, and whose credentials agents have. Only
//! questions are asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::kubectl::Kubectl;
use super::query::{self, Access};
use crate::error::{Error, Result};
use crate::model::{Bytes, Locator};
use crate::systems::{Safeguard, SafeguardCx, Safety};

/// How many clusters are asked.
const CLUSTERS: usize = 4;
/// What agents should not be allowed to delete everywhere.
const DESTRUCTIVE: &[&str] = &["namespaces", "persistentvolumes", "deployments.apps"];

/// Flags by which a command names credentials.
const CREDENTIALS: &[&str] =
    &["--user", "--as", "--as-group", "--token", "--client-certificate", "--client-key", "--username"];

/// Asks every cluster that agents used.
pub fn safeguards(cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
    let accesses = accesses(cx.ways);
    let ask = |access: &Access| of_cluster(access, cx);
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            accesses.iter().take(CLUSTERS).map(|access| scope.spawn(move || ask(access))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

/// Each way to a cluster once, whatever the namespace.
fn accesses(ways: &[Locator]) -> Vec<Access> {
    let mut found: Vec<Access> = Vec::new();
    let mut seen = BTreeSet::new();
    for way in ways {
        let Some(flags) = query::flags(way) else { continue };
        let access = Access { flags: without(&flags, &["--namespace", "-n"]), ..Access::of(way) };
        if seen.insert((access.flags.clone(), access.env.clone())) {
            found.push(access);
        }
    }
    found
}

/// Flags without these and their values.
fn without(flags: &[String], names: &[&str]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = flags.iter();
    while let Some(word) = words.next() {
        if names.contains(&word.as_str()) {
            words.next();
        } else {
            kept.push(word.clone());
        }
    }
    kept
}

fn shown(access: &Access) -> String {
    let mut pairs = access.flags.iter().zip(access.flags.iter().skip(1));
    match pairs.find(|(flag, _)| *flag == "--context") {
        Some((_, context)) => format!("context {context}"),
        None => "the current context".to_owned(),
    }
}

fn of_cluster(access: &Access, cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
    let name = shown(access);
    // A kubeconfig that a command names may run programs; they are not run for a question.
    let kubectl = match Kubectl::of(access, cx.until) {
        Ok(kubectl) => kubectl,
        Err(e) => return vec![Safeguard::unknown(Safety::VolumesRetained, name, e.what)],
    };
    let mut found = volumes(&kubectl, &name);
    found.push(least(&kubectl, &name));
    found.push(identity(&kubectl, access, &name, cx));
    found
}

fn volumes(kubectl: &Kubectl, name: &str) -> Vec<Safeguard> {
    let safety = Safety::VolumesRetained;
    let got = match kubectl.get(&["persistentvolumes"]) {
        Ok(got) => got,
        Err(e) => return vec![Safeguard::unknown(safety, name, e.what)],
    };
    let mut found = Vec::new();
    for raw in got.items {
        let Ok(volume) = serde_json::from_str::<Value>(raw.get()) else { continue };
        let text = |at: &str| volume.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        let claim = match text("/spec/claimRef/name") {
            claim if claim.is_empty() => continue,
            claim => format!("{}/{claim}", text("/spec/claimRef/namespace")),
        };
        let (volume, policy) = (text("/metadata/name"), text("/spec/persistentVolumeReclaimPolicy"));
        let flags = match name.strip_prefix("context ") {
            Some(context) => format!(" --context {context}"),
            None => String::new(),
        };
        found.push(
            Safeguard::found(
                safety,
                format!("volume {volume} of {claim}"),
                policy == "Retain",
                format!("reclaim policy {policy}, {name}"),
            )
            .next(format!(
                "kubectl{flags} patch pv {volume} -p '{{\"spec\":{{\"persistentVolumeReclaimPolicy\":\"Retain\"}}}}'"
            )),
        );
    }
    found
}

fn least(kubectl: &Kubectl, name: &str) -> Safeguard {
    let safety = Safety::LeastPrivilege;
    let mut may = Vec::new();
    for kind in DESTRUCTIVE {
        let done = match kubectl.run(&["auth", "can-i", "delete", kind, "--all-namespaces"], b"") {
            Ok(done) => done,
            Err(e) => return Safeguard::unknown(safety, name, e.what),
        };
        // kubectl says `yes` or `no`, and ends with 1 at `no`.
        match String::from_utf8_lossy(&done.stdout).trim() {
            "yes" => may.push(*kind),
            text if text == "no" || text.starts_with("no -") => {}
            _ => return Safeguard::unknown(safety, name, super::kubectl::said(&done).what),
        }
    }
    match may.is_empty() {
        true => Safeguard::found(
            safety,
            name,
            true,
            format!("may not delete {} everywhere", DESTRUCTIVE.join(", ")),
        ),
        false => {
            Safeguard::found(safety, name, false, format!("may delete {} in every namespace", may.join(", ")))
        }
    }
}

fn identity(kubectl: &Kubectl, access: &Access, name: &str, cx: &SafeguardCx<'_>) -> Safeguard {
    let safety = Safety::SeparateIdentity;
    if !cx.person {
        return Safeguard::unknown(
            safety,
            name,
            "no person asks: which credentials are a person's is not known",
        );
    }
    // The same context, with our own kubeconfig and user.
    let own = std::env::var_os("KUBECONFIG").map(|list| Bytes::from(PathBuf::from(list)));
    let mut env: BTreeMap<String, Bytes> = access.env.clone();
    env.remove("KUBECONFIG");
    env.extend(own.map(|list| ("KUBECONFIG".to_owned(), list)));
    let mut theirs_alone = vec!["--kubeconfig"];
    theirs_alone.extend(CREDENTIALS);
    let flags = without(&access.flags, &theirs_alone);
    let mine = Kubectl::trusted(&Access { flags, env, ..access.clone() }, cx.until);
    let names_own = access.flags.iter().any(|flag| CREDENTIALS.contains(&flag.as_str()));
    match (user(kubectl), user(&mine)) {
        (Ok(theirs), Ok(mine)) => {
            Safeguard::found(safety, name, theirs != mine, format!("agents are {theirs}, you are {mine}"))
        }
        (_, Err(e)) if e.what.contains("does not exist") => {
            Safeguard::found(safety, name, true, "your kubeconfig does not know that context")
        }
        // A cluster before 1.28 does not say who asks: then the credentials themselves are compared.
        _ if names_own => {
            Safeguard::found(safety, name, true, "their commands name credentials of their own")
        }
        (Err(e), _) | (_, Err(e)) => match (credentials(kubectl), credentials(&mine)) {
            (Some(theirs), Some(mine)) if theirs == mine => {
                Safeguard::found(safety, name, false, "agents' commands use the credentials that yours use")
            }
            (Some(_), Some(_)) => {
                Safeguard::found(safety, name, true, "the credentials in their kubeconfig are not yours")
            }
            _ => Safeguard::unknown(safety, name, e.what),
        },
    }
}

/// The credentials that kubectl would use, as the kubeconfig holds them. They are compared and go nowhere.
fn credentials(kubectl: &Kubectl) -> Option<Value> {
    let view = kubectl.ask(&["config", "view", "--minify", "--raw", "--flatten", "-o", "json"]).ok()?;
    let view: Value = serde_json::from_slice(&view).ok()?;
    view.pointer("/users/0/user").filter(|user| user.is_object()).cloned()
}

/// Who the cluster takes us for (kubectl since 1.28).
fn user(kubectl: &Kubectl) -> Result<String> {
    let answer = kubectl.ask(&["auth", "whoami", "-o", "json"])?;
    let review: Value =
        serde_json::from_slice(&answer).map_err(|_| Error::failure("kubectl does not say who it is"))?;
    let name = review.pointer("/status/userInfo/username").and_then(Value::as_str);
    name.map(str::to_owned).ok_or_else(|| Error::failure("the cluster does not say who asks"))
}
