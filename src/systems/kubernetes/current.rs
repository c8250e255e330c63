//! The context that is current and its namespace, where a command names none: read from the kubeconfig as data. What the
//! cluster really is, is asked when it is captured; this is for the names by which people know it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::assess::{CONTEXT, NAMESPACE};
use crate::model::{Bytes, Effect};
use crate::platform::yaml;

/// The most bytes of a kubeconfig that are looked at.
const MOST: u64 = 1 << 20;

/// A kubeconfig, without its credentials.
#[derive(Debug, Default, Deserialize)]
struct Config {
    #[serde(rename = "current-context", default)]
    current: Option<String>,
    #[serde(default)]
    contexts: Option<Vec<Named>>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    context: Option<Context>,
}

#[derive(Debug, Deserialize)]
struct Context {
    #[serde(default)]
    namespace: Option<String>,
}

/// In the place of a context that nothing names.
const UNKNOWN: &str = "?";

/// Puts the current context and its namespace into the names of effects that assume them. `list` is `KUBECONFIG`, `home` the
/// user's directory. Where no file names a context they keep the one that the words of all examples assume.
pub fn name_contexts(effects: &mut [Effect], list: Option<&Bytes>, home: Option<&Path>) {
    name(effects, list, home, None);
}

/// The same for the record: there a made-up name would send somebody to the wrong cluster.
pub fn name_contexts_or_none(effects: &mut [Effect], list: Option<&Bytes>, home: Option<&Path>) {
    name(effects, list, home, Some(UNKNOWN));
}

fn name(effects: &mut [Effect], list: Option<&Bytes>, home: Option<&Path>, unknown: Option<&str>) {
    let mut last: Option<(Vec<PathBuf>, Vec<Config>)> = None;
    for effect in effects.iter_mut().filter(|e| e.system.0 == "kubernetes") {
        let text = effect.resource.lossy().into_owned();
        let Some((context, rest)) = text.strip_prefix("k8s:").and_then(|t| t.split_once('/')) else {
            continue;
        };
        let flags = effect.locator.as_ref().and_then(super::query::flags);
        let has = |name: &str| flags.as_ref().is_some_and(|flags| flags.iter().any(|flag| flag == name));
        let assumes_context = context == CONTEXT && !has("--context");
        let own = rest
            .split_once('/')
            .filter(|(namespace, _)| *namespace == NAMESPACE && flags.is_some() && !has("--namespace"));
        if !assumes_context && own.is_none() {
            continue;
        }
        let named = effect.locator.as_ref().and_then(super::query::kubeconfig);
        let files = files(named.as_ref().or(list), home);
        if last.as_ref().is_none_or(|(known, _)| *known != files) {
            let read = files.iter().filter_map(|file| config(file)).collect();
            last = Some((files, read));
        }
        let configs = last.as_ref().map(|(_, configs)| configs.as_slice()).unwrap_or_default();
        let current = || configs.iter().find_map(|c| c.current.clone().filter(|name| is_name(name)));
        let context = match assumes_context {
            true => match current().or_else(|| unknown.map(str::to_owned)) {
                Some(name) => name,
                None => continue,
            },
            false => context.to_owned(),
        };
        let namespace = own.and_then(|(_, object)| Some((namespace(configs, &context)?, object)));
        effect.resource = Bytes::from(match namespace {
            Some((namespace, object)) => format!("k8s:{context}/{namespace}/{object}"),
            None => format!("k8s:{context}/{rest}"),
        });
    }
}

/// The namespace of a context; the first file that has it counts.
fn namespace(configs: &[Config], context: &str) -> Option<String> {
    let all = configs.iter().flat_map(|config| config.contexts.iter().flatten());
    let found = all.filter(|named| named.name == context).find_map(|named| named.context.as_ref());
    found?.namespace.clone().filter(|name| is_name(name))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

/// The files in which kubectl looks, the first that says something counts.
fn files(list: Option<&Bytes>, home: Option<&Path>) -> Vec<PathBuf> {
    match list.filter(|list| !list.is_empty()) {
        Some(list) => std::env::split_paths(list.as_path()).collect(),
        None => home.map(|home| home.join(".kube/config")).into_iter().collect(),
    }
}

/// Reads one; nothing where it is none.
fn config(file: &Path) -> Option<Config> {
    // A FIFO would keep the shell waiting.
    let file = File::open(file).ok().filter(|_| file.metadata().is_ok_and(|meta| meta.is_file()))?;
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).ok()?;
    yaml::documents(&text).ok()?.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_say_which_context_is_current_and_its_namespace() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        let cases = [
            ("kind: Config\ncurrent-context: prod-eu\n", Some("prod-eu"), None),
            (
                "contexts:\n- name: \"a/b:c\"\n  context: {cluster: x, namespace: team}\ncurrent-context: \"a/b:c\"\n",
                Some("a/b:c"),
                Some("team"),
            ),
            ("{\n  \"current-context\": \"x\", \"contexts\": null}", Some("x"), None),
            ("other:\n  current-context: nested\n", None, None),
            ("", None, None),
        ];
        for (text, current, space) in cases {
            std::fs::write(&file, text).unwrap();
            let config = config(&file).unwrap_or_default();
            assert_eq!(config.current.as_deref(), current, "{text}");
            let space_of = namespace(std::slice::from_ref(&config), current.unwrap_or_default());
            assert_eq!(space_of.as_deref(), space, "{text}");
        }
        assert!(config(dir.path()).is_none());
    }
}
