//! Whether agents can reach production: what lies in the files that they can read, and what they did reach.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::measures::{Measured, Reading};
use super::scene::{Scene, captures, effects, few, named};
use crate::model::{Bytes, Context, ContextKind};
use crate::platform::yaml;
use crate::record::Config;

/// The most bytes of a file that are looked at.
const MOST: u64 = 4 << 20;

/// A kubeconfig, without its credentials.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kubeconfig {
    contexts: Option<Vec<NamedContext>>,
    clusters: Option<Vec<NamedCluster>>,
}

#[derive(Debug, Deserialize)]
struct NamedContext {
    name: String,
}

#[derive(Debug, Deserialize)]
struct NamedCluster {
    #[serde(default)]
    cluster: Option<Cluster>,
}

#[derive(Debug, Deserialize)]
struct Cluster {
    #[serde(default)]
    server: Option<String>,
}

/// Places that a file names, or why it cannot be read.
type Places = Result<Vec<Context>, String>;

/// How many places of production the files name that agents can read.
pub fn reachable(scene: &Scene<'_>) -> Measured {
    let production = match scene.config.as_ref().map(|config: &Config| &config.production) {
        Ok(production) => production,
        Err(error) => return Measured::unknown(format!("the settings cannot be read: {}", error.what)),
    };
    let (mut files, mut places, mut unread): (Vec<String>, Vec<(String, Context)>, Vec<String>) =
        Default::default();
    let kube = kubeconfigs(scene).into_iter().map(|path| (kubeconfig(&path), path));
    let aws = aws_files(scene).into_iter().map(|path| (profiles(&path), path));
    for (found, path) in kube.chain(aws) {
        let name = path.display().to_string();
        match found {
            Ok(found) if found.is_empty() => {}
            Ok(found) => {
                files.push(format!("{name}: {} names", found.len()));
                places.extend(found.into_iter().map(|context| (name.clone(), context)));
            }
            Err(why) => unread.push(format!("{name}: {why}")),
        }
    }
    if let Some(first) = unread.first() {
        return Measured::unknown(format!("a file cannot be read: {first}")).with(few(&files));
    }
    if places.is_empty() {
        return Measured::of(Reading::Number(0.0)).with("no kubeconfig and no AWS profile is here");
    }
    let marked = [ContextKind::Cluster, ContextKind::Account].map(|kind| production.patterns(kind).1.len());
    if marked == [0, 0] {
        let what = "no cluster and no account is marked as production";
        return Measured::unknown(what).with(few(&files)).next("fr config set production.clusters 'prod-*'");
    }
    let mut hits: Vec<String> = Vec::new();
    for (file, context) in &places {
        if let Some(pattern) = production.pattern_for(context) {
            let Context { kind, name } = context;
            hits.push(format!("{} {name} in {file} (marked by {pattern})", kind.as_str()));
        }
    }
    let measured = Measured::of(Reading::Number(hits.len() as f64)).with(few(&files));
    if hits.is_empty() { measured } else { measured.with(few(&hits)) }
}

/// How often agents destroyed something on production.
pub fn hit(scene: &Scene<'_>) -> Measured {
    let production = match scene.config.as_ref() {
        Ok(config) if config.production.is_empty() => {
            return Measured::unknown("nothing is marked as production")
                .next("fr config set production.branches main 'release/*'");
        }
        Ok(config) => &config.production,
        Err(error) => return Measured::unknown(format!("the settings cannot be read: {}", error.what)),
    };
    if !scene.has_agents() {
        return Measured::unknown(format!("no agent is on record {}", scene.wanted.time()));
    }
    let mut hits: Vec<String> = Vec::new();
    for event in scene.by_agents() {
        let stored: Vec<_> = captures(event).cloned().collect();
        let destroys = effects(event).filter(|effect| effect.class.is_destructive());
        if let Some(found) = destroys.filter_map(|effect| production.of_effect(effect, &stored)).next() {
            hits.push(format!("{}: {}", named(event), found.place()));
        }
    }
    let measured = Measured::of(Reading::Number(hits.len() as f64));
    if hits.is_empty() { measured.with("none on record") } else { measured.with(few(&hits)) }
}

/// Values of a variable that agents' commands carried, the machine's own, and the default.
fn named_by(scene: &Scene<'_>, variable: &str, default: &[&str]) -> BTreeSet<PathBuf> {
    let option = format!("env.{variable}");
    let recorded = scene.by_agents().flat_map(effects).filter_map(|effect| effect.locator.as_ref());
    let mut lists: BTreeSet<Bytes> = recorded
        .filter_map(|place| place.opts.get(&option))
        .filter(|list| !list.is_empty())
        .cloned()
        .collect();
    let own = std::env::var_os(variable).filter(|list| !list.is_empty());
    lists.extend(own.as_ref().map(|list| Bytes::from(PathBuf::from(list))));
    let mut files: BTreeSet<PathBuf> =
        lists.iter().flat_map(|list| std::env::split_paths(list.as_path()).collect::<Vec<_>>()).collect();
    // Where the variable is set the default does not count, but an agent that unsets it is there.
    files.extend(default.iter().map(|name| scene.world.home.join(name)));
    files.retain(|path| path.is_absolute());
    files
}

fn kubeconfigs(scene: &Scene<'_>) -> BTreeSet<PathBuf> {
    named_by(scene, "KUBECONFIG", &[".kube/config"])
}

fn aws_files(scene: &Scene<'_>) -> BTreeSet<PathBuf> {
    let mut files = named_by(scene, "AWS_CONFIG_FILE", &[".aws/config"]);
    files.extend(named_by(scene, "AWS_SHARED_CREDENTIALS_FILE", &[".aws/credentials"]));
    files
}

/// The text of a file; empty where there is none.
fn text(path: &Path) -> Result<String, String> {
    match path.metadata() {
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(String::new())
        }
        // A FIFO would be waited for.
        Ok(meta) if !meta.is_file() || meta.len() > MOST => Err("it is no configuration".to_owned()),
        _ => std::fs::read_to_string(path).map_err(|e| e.to_string()),
    }
}

fn kubeconfig(path: &Path) -> Places {
    let text = text(path)?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    // What a reader of YAML says quotes the line, which may hold a token.
    let configs: Vec<Kubeconfig> = yaml::documents(&text).map_err(|_| "it is no kubeconfig".to_owned())?;
    let mut found = Vec::new();
    for config in configs {
        let names = config.contexts.into_iter().flatten().map(|context| context.name);
        let servers = config.clusters.into_iter().flatten().filter_map(|named| named.cluster?.server);
        found.extend(names.chain(servers).map(|name| Context::new(ContextKind::Cluster, name)));
    }
    Ok(found)
}

/// `[profile prod]` and `[prod]`, and the numbers of accounts that they lead to.
fn profiles(path: &Path) -> Places {
    let mut found = Vec::new();
    for line in text(path)?.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let name = head.trim().strip_prefix("profile ").unwrap_or(head).trim().trim_matches('"');
            if !name.starts_with("sso-session ") && !name.starts_with("services ") {
                found.push(Context::new(ContextKind::Account, name));
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let account = match key.trim() {
                "sso_account_id" => Some(value.trim()),
                // arn:aws:iam::123456789012:role/name
                "role_arn" => value.trim().split(':').nth(4),
                _ => None,
            };
            found.extend(account.map(|id| Context::new(ContextKind::Account, id)));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_in_configurations_are_found_and_nothing_secret() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        let names = |places: Places| places.unwrap().into_iter().map(|c| c.name).collect::<Vec<_>>();
        write(
            "[default]\nregion = x\n[profile prod eu]\nrole_arn = arn:aws:iam::123:role/a\n[sso-session s]\n[p]\nsso_account_id=7\naws_secret_access_key = k\n",
        );
        assert_eq!(names(profiles(&file)), ["default", "prod eu", "123", "p", "7"]);
        write(
            "contexts:\n- name: prod\n  context: {cluster: c}\nclusters:\n- name: c\n  cluster: {server: https://x}\nusers: [{name: u, user: {token: t}}]\n",
        );
        assert_eq!(names(kubeconfig(&file)), ["prod", "https://x"]);
        write("token: [s3cret\n");
        assert_eq!(kubeconfig(&file).unwrap_err(), "it is no kubeconfig");
        assert_eq!(names(kubeconfig(&dir.path().join("none"))), [""; 0]);
    }
}
