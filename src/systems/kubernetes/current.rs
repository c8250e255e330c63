//! The context that is current, where a command names none: one line of the kubeconfig, read as data. What the cluster
//! really is, is asked when it is captured; this is for the name by which people know it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::assess::CONTEXT;
use crate::model::{Bytes, Effect};

/// The most bytes of a kubeconfig that are looked at.
const MOST: u64 = 1 << 20;

/// Puts the current context into the names of effects that assume one. `list` is `KUBECONFIG`, `home` the user's directory.
pub fn name_contexts(effects: &mut [Effect], list: Option<&Bytes>, home: Option<&Path>) {
    let assumed = format!("k8s:{CONTEXT}/");
    let is_named = |effect: &Effect| effect.locator.as_ref().is_some_and(super::query::names_context);
    let unnamed = effects.iter_mut().filter(|e| e.system.0 == "kubernetes" && !is_named(e));
    for effect in unnamed {
        let Some(rest) = effect.resource.lossy().strip_prefix(&assumed).map(str::to_owned) else { continue };
        let own = effect.locator.as_ref().and_then(super::query::kubeconfig);
        let Some(name) = files(own.as_ref().or(list), home).iter().find_map(|file| current(file)) else {
            continue;
        };
        effect.resource = Bytes::from(format!("k8s:{name}/{rest}"));
    }
}

/// The files in which kubectl looks, the first that says something counts.
fn files(list: Option<&Bytes>, home: Option<&Path>) -> Vec<PathBuf> {
    match list.filter(|list| !list.is_empty()) {
        Some(list) => std::env::split_paths(list.as_path()).collect(),
        None => home.map(|home| home.join(".kube/config")).into_iter().collect(),
    }
}

/// `current-context` of a kubeconfig, which is YAML or JSON: a plain or quoted scalar on a line of its own, at the top.
fn current(file: &Path) -> Option<String> {
    // A FIFO would keep the shell waiting.
    let file = File::open(file).ok().filter(|_| file.metadata().is_ok_and(|meta| meta.is_file()))?;
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).ok()?;
    let value = text.lines().find_map(|line| {
        let json = line.trim_start().strip_prefix("\"current-context\":");
        line.strip_prefix("current-context:").or(json)
    })?;
    let name = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
    (!name.is_empty() && !name.contains(char::is_whitespace)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_say_it_on_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        let cases = [
            ("kind: Config\ncurrent-context: prod-eu\n", Some("prod-eu")),
            ("current-context: \"a/b:c\"\n", Some("a/b:c")),
            ("{\n  \"current-context\": \"x\",\n}", Some("x")),
            ("  current-context: nested\n", None),
            ("current-context: \"\"\n", None),
            ("", None),
        ];
        for (text, name) in cases {
            std::fs::write(&file, text).unwrap();
            assert_eq!(current(&file).as_deref(), name, "{text}");
        }
        assert_eq!(current(dir.path()), None);
    }
}
