//! The command that describes what another one names, as a locator: its words, and what chooses project and account.

use crate::model::{Bytes, Invocation, Locator, Word};
use crate::systems::AssessCx;
use crate::systems::things::locator_of;
use crate::systems::words::Words;

/// Why nothing is described.
pub const NOT_KEPT: &str = "not-kept";
/// How options with variables begin.
pub const ENV: &str = "env.";

/// Variables that choose a configuration, a project, a zone, an endpoint; none is a secret.
const VARIABLES: &[&str] = &[
    "HOME",
    "CLOUDSDK_CONFIG",
    "CLOUDSDK_ACTIVE_CONFIG_NAME",
    "CLOUDSDK_CORE_PROJECT",
    "CLOUDSDK_CORE_ACCOUNT",
    "CLOUDSDK_COMPUTE_ZONE",
    "CLOUDSDK_COMPUTE_REGION",
    "CLOUDSDK_CONTAINER_CLUSTER",
    "CLOUDSDK_AUTH_DISABLE_CREDENTIALS",
    "AZURE_CONFIG_DIR",
    "AZURE_DEFAULTS_GROUP",
    "AZURE_DEFAULTS_LOCATION",
    "AZURE_CLOUD_NAME",
];
const ENDPOINTS: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_";
/// What a directory of configuration may bring along runs when the program starts (extensions of az, credentials that a
/// program gives): one that the command itself names is not used before the command is allowed.
const DIRECTORIES: &[&str] = &["HOME", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR"];

/// A thing by the words that describe it: `compute instances/["gcloud","compute","instances","describe","vm1"]`.
pub fn named(group: &str, argv: &[String]) -> String {
    format!("{group}/{}", serde_json::to_string(argv).unwrap_or_default())
}

/// Reads it back: what it is, and the words.
pub fn split(name: &str) -> Option<(&str, Vec<String>)> {
    let (group, argv) = name.split_once('/')?;
    Some((group, serde_json::from_str(argv).ok()?))
}

/// Options that choose, with their values, as they were given. `None` where one is not known before the command runs.
pub fn kept(words: &Words<'_>, choose: &[&str]) -> Option<Vec<String>> {
    let mut out = Vec::new();
    for (name, values) in words.options.iter().filter(|(name, _)| choose.contains(&name.as_str())) {
        out.push(name.clone());
        for value in values {
            out.push(value.as_str()?.to_owned());
        }
    }
    Some(out)
}

/// Where a thing is found.
pub fn place(name: &str, inv: &Invocation, cx: &AssessCx<'_>) -> Locator {
    let at = inv.cwd.clone().unwrap_or_else(|| Bytes::from("/"));
    let mut locator = Locator { at, ..Locator::default() };
    match environment(inv, cx, &mut locator) {
        Ok(()) => locator_of(locator, std::iter::once(name)),
        Err(why) => {
            locator.opts.clear();
            locator.opts.insert(NOT_KEPT.to_owned(), Bytes::from(why));
            locator
        }
    }
}

/// The place of what no command describes.
pub fn unknown(inv: &Invocation) -> Locator {
    let why = "fr knows no command that describes it: it is recorded, and the way back is by hand";
    let at = inv.cwd.clone().unwrap_or_else(|| Bytes::from("/"));
    let opts = [(NOT_KEPT.to_owned(), Bytes::from(why))].into();
    Locator { at, opts, ..Locator::default() }
}

fn environment(inv: &Invocation, cx: &AssessCx<'_>, locator: &mut Locator) -> Result<(), String> {
    let is_root = cx.env.get("HOME").is_some_and(|home| home.as_slice() == b"/root");
    let other = |w: &String| matches!(w.as_str(), "sudo" | "doas" | "su" | "runuser" | "pkexec");
    if !is_root && inv.wrappers.iter().any(other) {
        return Err("it runs as another user, whose credentials are not ours to use".to_owned());
    }
    let known = |name: &str| VARIABLES.contains(&name) || name.starts_with(ENDPOINTS);
    for (name, value) in cx.env.iter().filter(|(name, _)| known(name)) {
        locator.opts.insert(format!("{ENV}{name}"), value.clone());
    }
    for (name, value) in inv.env.iter().filter(|(name, _)| known(name)) {
        let value =
            value.as_ref().ok_or_else(|| format!("the value of {name} is not known before it runs"))?;
        if DIRECTORIES.contains(&name.as_str()) && cx.env.get(name) != Some(value) {
            return Err(format!(
                "the {name} that the command names may run programs, and it is not allowed yet"
            ));
        }
        locator.opts.insert(format!("{ENV}{name}"), value.clone());
    }
    Ok(())
}

/// Words whose values are known.
pub fn certain(words: &[&Word]) -> Option<Vec<String>> {
    words.iter().map(|word| word.as_str().map(str::to_owned)).collect()
}
