//! The cluster that a drill works in: the context that somebody named, and a namespace of the drill's own in it. Nothing
//! else of the cluster is written to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::scene::{Scene, tail};
use crate::error::{Error, Result};
use crate::platform::random;
use crate::platform::runner;

/// What the namespace is known by, also where a drill was killed and could not remove it.
pub const LABEL: &str = "app.kubernetes.io/managed-by=fr-drill";

/// Says, as a file in the scene, that the namespace was made.
const MADE: &str = "namespace-made";

/// How long a namespace gets to go.
const GOING: &str = "--timeout=180s";

/// Variables by which a cluster and its credentials are reached. Nothing else of the user's environment gets in.
const REACHING: &[&str] = &[
    "KUBERNETES_SERVICE_",
    "AWS_",
    "AZURE_",
    "GOOGLE_",
    "CLOUDSDK_",
    "SSL_CERT_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// A context, and the namespace that is made in it.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The context of the user's kubeconfig.
    pub context: String,
    /// The namespace's name, which nobody can guess.
    pub namespace: String,
}

impl Cluster {
    /// A new namespace's name in this context; nothing is made yet.
    pub fn of(context: &str) -> Cluster {
        let mut noise = [0u8; 5];
        random::fill(&mut noise);
        let noise: String = noise.iter().map(|b| format!("{b:02x}")).collect();
        Cluster { context: context.to_owned(), namespace: format!("fr-drill-{noise}") }
    }

    /// A line in which `CONTEXT` and `NAMESPACE` stand for what they are.
    pub fn named(&self, line: &str) -> String {
        line.replace("CONTEXT", &quoted(&self.context)).replace("NAMESPACE", &self.namespace)
    }

    /// The variables that lead a program to it. A HOME of its own keeps kubectl from writing to the user's; only where the
    /// kubeconfig has a program fetch the credentials, that one needs to find the user's.
    pub fn environment(&self, cwd: &Path) -> Vec<(OsString, OsString)> {
        let mut env: Vec<(OsString, OsString)> = std::env::vars_os()
            .filter(|(name, _)| REACHING.iter().any(|front| name.to_string_lossy().starts_with(front)))
            .collect();
        env.push(("KUBECONFIG".into(), kubeconfig()));
        // Aliases and defaults of the user's kuberc (kubectl 1.33 and later) would make other commands of these.
        env.push(("KUBECTL_KUBERC".into(), "false".into()));
        if self.runs_a_program(cwd)
            && let Some(home) = std::env::var_os("HOME")
        {
            env.push(("HOME".into(), home));
        }
        env
    }

    fn runs_a_program(&self, cwd: &Path) -> bool {
        let argv: Vec<OsString> =
            ["kubectl", "config", "view", "--minify", "-o", "json", "--context", &self.context]
                .map(OsString::from)
                .into();
        let env = [
            ("PATH".into(), std::env::var_os("PATH").unwrap_or_default()),
            ("KUBECONFIG".into(), kubeconfig()),
            ("HOME".into(), cwd.into()),
        ];
        let said = runner::output(&argv, b"", &env, cwd).map(|done| done.stdout).unwrap_or_default();
        let view: Value = serde_json::from_slice(&said).unwrap_or_default();
        ["/users/0/user/exec", "/users/0/user/auth-provider"].iter().any(|at| view.pointer(at).is_some())
    }
}

/// The user's, named from everywhere.
fn kubeconfig() -> OsString {
    match std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
        Some(list) => {
            let here = std::env::current_dir().unwrap_or_default();
            let files = std::env::split_paths(&list).filter(|file| !file.as_os_str().is_empty());
            std::env::join_paths(files.map(|file| here.join(file))).unwrap_or(list)
        }
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".kube/config").into(),
    }
}

/// A word of a shell line.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Makes the namespace.
pub fn make(scene: &Scene) -> Result<()> {
    let create = "kubectl --context CONTEXT create namespace NAMESPACE";
    if let Err(said) = kubectl(scene, create)? {
        let what = scene.line("the namespace NAMESPACE could not be made in the context CONTEXT");
        return Err(Error::failure(format!("{what}: {said}")));
    }
    std::fs::write(scene.root.join(MADE), "").map_err(|e| Error::io("write", scene.root.join(MADE), &e))?;
    match kubectl(scene, &format!("kubectl --context CONTEXT label namespace NAMESPACE {LABEL}"))? {
        Ok(()) => Ok(()),
        Err(said) => Err(Error::failure(format!("the namespace could not be marked: {said}"))),
    }
}

/// Removes the namespace and all that is in it.
pub fn remove(scene: &Scene) -> Result<()> {
    let delete = "kubectl --context CONTEXT delete namespace NAMESPACE";
    let said = match kubectl(scene, &format!("{delete} --ignore-not-found {GOING}"))? {
        Err(said) if scene.root.join(MADE).exists() => said,
        _ => return Ok(()),
    };
    Err(Error::failure(scene.line(&format!("the namespace NAMESPACE may still be there ({said}): {delete}"))))
}

/// Runs it; what it says where it fails.
fn kubectl(scene: &Scene, line: &str) -> Result<std::result::Result<(), String>> {
    let argv: Vec<OsString> = ["bash", "--norc", "-c", &scene.line(line)].map(OsString::from).into();
    let done = scene.run(&argv, b"")?;
    Ok(if done.code == 0 { Ok(()) } else { Err(tail(&done.stderr)) })
}
