//! Which cluster it really is: the server's URL and a hash of its CA, as the kubeconfig resolves them now. A context's name
//! may mean another cluster tomorrow.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kubectl::Kubectl;
use super::query::Access;
use crate::error::{Error, Result};
use crate::model::Bytes;

/// A cluster, and how it was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The server's URL.
    pub server: String,
    /// The start of a blake3 hash of its CA; empty where none is configured.
    pub ca: String,
    /// The context's name; empty where there is none.
    pub context: String,
    /// The namespace where none is named.
    pub namespace: String,
}

/// How long an answer counts within one process: an undo asks before each step, and a kubectl takes 0.1 s.
const FRESH: Duration = Duration::from_secs(10);

/// A kubeconfig's file as it was: name, time and size.
type Stamp = (PathBuf, Option<(SystemTime, u64)>);

/// An answer, and of what it is one.
struct Known {
    access: Access,
    files: Vec<Stamp>,
    at: Instant,
    identity: Identity,
}

impl Identity {
    /// Which cluster it is. An answer of a moment ago counts as long as no kubeconfig was written since.
    pub fn read(kubectl: &Kubectl, access: &Access) -> Result<Identity> {
        static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
        let files = stamps(access);
        {
            let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
            let counts = |k: &&Known| k.access == *access && k.files == files && k.at.elapsed() < FRESH;
            if let Some(known) = known.as_ref().filter(counts) {
                return Ok(known.identity.clone());
            }
        }
        let identity = Identity::ask(kubectl, access)?;
        let known = Known { access: access.clone(), files, at: Instant::now(), identity: identity.clone() };
        *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(identity)
    }

    /// Reads the user's kubeconfig. Its credentials are in what kubectl answers and are dropped here.
    fn ask(kubectl: &Kubectl, access: &Access) -> Result<Identity> {
        let text = kubectl.ask(&["config", "view", "--raw", "-o", "json"])?;
        let config: Value = serde_json::from_slice(&text)
            .map_err(|e| Error::failure(format!("the kubeconfig cannot be read: {e}")))?;
        Ok(Identity::of(&config, access))
    }

    fn of(config: &Value, access: &Access) -> Identity {
        let flag = |name: &str| {
            let pairs = access.flags.iter().zip(access.flags.iter().skip(1));
            pairs.filter(|(n, _)| *n == name).map(|(_, v)| v.clone()).next_back()
        };
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let named = |list: &str, name: &str, inner: &str| -> Value {
            let mut found = config.get(list).and_then(Value::as_array).into_iter().flatten();
            let found = found.rfind(|entry| text(entry, "name") == name);
            found.and_then(|entry| entry.get(inner)).cloned().unwrap_or_default()
        };
        let context = flag("--context").unwrap_or_else(|| text(config, "current-context"));
        let entry = named("contexts", &context, "context");
        let cluster =
            named("clusters", &flag("--cluster").unwrap_or_else(|| text(&entry, "cluster")), "cluster");
        let own = text(&entry, "namespace");
        let own = if own.is_empty() { "default".to_owned() } else { own };
        Identity {
            server: flag("--server").unwrap_or_else(|| text(&cluster, "server")),
            ca: authority(&cluster, flag("--certificate-authority"), access),
            context,
            namespace: flag("--namespace").unwrap_or(own),
        }
    }

    /// True for the same cluster, however it is called.
    pub fn is_same(&self, other: &Identity) -> bool {
        self.server == other.server && self.ca == other.ca
    }

    /// How it is reached later, when another context may be current: by the context that counted.
    pub fn pinned(&self, access: &Access) -> Access {
        let mut pinned = access.clone();
        // The namespace is each object's own.
        while let Some(at) = pinned.flags.iter().position(|f| f == "--namespace") {
            pinned.flags.drain(at..(at + 2).min(pinned.flags.len()));
        }
        if !self.context.is_empty() && !pinned.flags.iter().any(|f| f == "--context") {
            pinned.flags.extend(["--context".to_owned(), self.context.clone()]);
        }
        pinned
    }
}

/// The files in which kubectl looks (`--kubeconfig`, else `KUBECONFIG`, else the user's).
fn stamps(access: &Access) -> Vec<Stamp> {
    let pairs = access.flags.iter().zip(access.flags.iter().skip(1));
    let named =
        pairs.filter(|(name, _)| *name == "--kubeconfig").map(|(_, path)| PathBuf::from(path)).next_back();
    let files: Vec<PathBuf> = match (named, access.env.get("KUBECONFIG"), access.env.get("HOME")) {
        (Some(file), _, _) => vec![file],
        (None, Some(list), _) if !list.is_empty() => std::env::split_paths(list.as_path()).collect(),
        (None, _, Some(home)) => vec![home.as_path().join(".kube/config")],
        (None, _, None) => Vec::new(),
    };
    let stamp = |file: PathBuf| {
        let at = access.cwd.as_path().join(file);
        let meta = std::fs::metadata(&at).ok();
        (at, meta.and_then(|meta| Some((meta.modified().ok()?, meta.len()))))
    };
    files.into_iter().map(stamp).collect()
}

/// A hash of the CA's certificate: of its text in the kubeconfig, or of the file that it names.
fn authority(cluster: &Value, flag: Option<String>, access: &Access) -> String {
    let field = |name: &str| cluster.get(name).and_then(Value::as_str).filter(|v| !v.is_empty());
    let path = flag.or_else(|| field("certificate-authority").map(str::to_owned));
    let bytes = match (path, field("certificate-authority-data")) {
        (_, Some(data)) => decoded(data),
        (Some(path), None) => {
            let at: Bytes = access.cwd.join(path.as_bytes());
            std::fs::read(at.as_path()).unwrap_or_default()
        }
        (None, None) => return String::new(),
    };
    blake3::hash(&bytes).to_hex().chars().take(16).collect()
}

/// Base64 (RFC 4648): a certificate in the kubeconfig and the same in a file are the same.
fn decoded(text: &str) -> Vec<u8> {
    let (mut out, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_leads_to_its_server() {
        let config = serde_json::json!({
            "current-context": "dev",
            "contexts": [
                {"name": "dev", "context": {"cluster": "one", "user": "u", "namespace": "team"}},
                {"name": "prod", "context": {"cluster": "two", "user": "u"}},
            ],
            "clusters": [
                {"name": "one", "cluster": {"server": "https://one", "certificate-authority-data": "aGVsbG8="}},
                {"name": "two", "cluster": {"server": "https://two"}},
            ],
            "users": [{"name": "u", "user": {"token": "secret"}}],
        });
        let mut access = Access::default();
        let dev = Identity::of(&config, &access);
        assert_eq!((dev.server.as_str(), dev.namespace.as_str()), ("https://one", "team"));
        assert_eq!(dev.ca, blake3::hash(b"hello").to_hex()[..16]);
        access.flags = vec!["--context".into(), "prod".into(), "--namespace".into(), "x".into()];
        let prod = Identity::of(&config, &access);
        assert_eq!((prod.server.as_str(), prod.namespace.as_str()), ("https://two", "x"));
        assert!(!prod.is_same(&dev));
        assert_eq!(prod.pinned(&access).flags, ["--context", "prod"]);
        assert_eq!(dev.pinned(&Access::default()).flags, ["--context", "dev"]);
    }
}
