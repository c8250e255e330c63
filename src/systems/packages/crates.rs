//! cargo: yanks, owners, versions. What is yanked only the index tells, which cargo has no command for: it is read from where
//! cargo reads it (the sparse index, doc.rust-lang.org/cargo/reference/registry-index.html).

use std::path::PathBuf;

use super::run::Run;
use crate::error::{Error, Result};

/// The things that a command is about to change.
pub fn things(run: &Run, verb: &str, words: &[&str]) -> Result<Vec<String>> {
    let at = |registry: &str| if registry.is_empty() { String::new() } else { format!(" {registry}") };
    match (verb, words) {
        ("yank", [name, version, registry]) => {
            let name = if name.is_empty() { own(run, "Cargo.toml")?.0 } else { (*name).to_owned() };
            Ok(vec![format!("crate-yanked/{name} {version}{}", at(registry))])
        }
        ("owner", [name, user, registry]) if !user.is_empty() => {
            let name = if name.is_empty() { own(run, "Cargo.toml")?.0 } else { (*name).to_owned() };
            Ok(vec![format!("crate-owner/{name} {user}{}", at(registry))])
        }
        ("publish", [manifest, registry]) => {
            let (name, version) = own(run, manifest)?;
            Ok(vec![format!("crate-version/{name} {version}{}", at(registry))])
        }
        _ => Err(Error::failure("cargo does not tell what it was before")),
    }
}

/// One thing's value; `None`: it is not there.
pub fn look(run: &Run, kind: &str, name: &str, which: &str, registry: &str) -> Result<Option<String>> {
    match kind {
        "crate-yanked" => Ok(Some(indexed(run, name, which, registry)?.unwrap_or(false).to_string())),
        "crate-version" => Ok(indexed(run, name, which, registry)?.map(|_| which.to_owned())),
        "crate-owner" => {
            let mut argv = vec!["cargo", "owner", "--list", name];
            if !registry.is_empty() {
                argv.extend(["--registry", registry]);
            }
            let text = run.ask(&argv)?;
            let is_it = |line: &str| line.split_whitespace().next() == Some(which);
            Ok(text.lines().any(is_it).then(|| which.to_owned()))
        }
        _ => Err(Error::corrupt(format!("{kind} is nothing of cargo that this fr knows"))),
    }
}

/// The command that gives a thing its value.
pub fn write(
    kind: &str,
    name: &str,
    which: &str,
    registry: &str,
    value: Option<&str>,
) -> Option<Vec<String>> {
    let mut words: Vec<&str> = match (kind, value) {
        ("crate-yanked", Some("true")) => vec!["cargo", "yank", name, "--version", which],
        ("crate-yanked", Some(_)) => vec!["cargo", "yank", "--undo", name, "--version", which],
        ("crate-owner", Some(_)) => vec!["cargo", "owner", "--add", which, name],
        ("crate-owner", None) => vec!["cargo", "owner", "--remove", which, name],
        _ => return None,
    };
    if !registry.is_empty() {
        words.extend(["--registry", registry]);
    }
    Some(words.into_iter().map(str::to_owned).collect())
}

/// Whether a version is yanked; `None`: there is no such version.
fn indexed(run: &Run, name: &str, version: &str, registry: &str) -> Result<Option<bool>> {
    let index = index_of(run, registry)?;
    let url = format!("{}{}", index, place(name));
    let text = match run.run(&["curl", "-sSfL", "--max-time", "20", &url])? {
        done if done.code == 0 => String::from_utf8_lossy(&done.stdout).into_owned(),
        // curl's code for an HTTP error: there is no such crate.
        done if done.code == 22 => return Ok(None),
        done => return Err(super::run::said(&["curl"], &done)),
    };
    let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut lines = lines.filter(|line| line.get("vers").and_then(|v| v.as_str()) == Some(version));
    Ok(lines.next().map(|line| line.get("yanked").and_then(serde_json::Value::as_bool) == Some(true)))
}

/// Where in an index a crate is.
fn place(name: &str) -> String {
    let name = name.to_lowercase();
    match name.len() {
        0..=2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", name.get(..1).unwrap_or_default()),
        _ => format!("{}/{}/{name}", name.get(..2).unwrap_or_default(), name.get(2..4).unwrap_or_default()),
    }
}

/// The address of a registry's sparse index.
fn index_of(run: &Run, registry: &str) -> Result<String> {
    let table = settings(run);
    let named = |key: &[&str]| {
        let mut at = table.iter().map(|t| toml::Value::Table(t.clone())).collect::<Vec<_>>();
        at.retain(|value| key.iter().try_fold(value, |v, k| v.get(k)).is_some());
        let value = at.first()?;
        key.iter().try_fold(value, |v, k| v.get(k))?.as_str().map(str::to_owned)
    };
    let default = || std::env::var("CARGO_REGISTRY_DEFAULT").ok().or_else(|| named(&["registry", "default"]));
    let registry = if registry.is_empty() { default().unwrap_or_default() } else { registry.to_owned() };
    if registry.is_empty() || registry == "crates-io" {
        return Ok("https://index.crates.io/".to_owned());
    }
    let variable = format!("CARGO_REGISTRIES_{}_INDEX", registry.to_uppercase().replace('-', "_"));
    let index = std::env::var(variable).ok().or_else(|| named(&["registries", &registry, "index"]));
    let index = index.and_then(|index| index.strip_prefix("sparse+").map(str::to_owned));
    let index = index.ok_or_else(|| {
        Error::failure(format!("the registry {registry} has no sparse index that fr can read"))
    })?;
    Ok(if index.ends_with('/') { index } else { format!("{index}/") })
}

/// cargo's settings, the nearest first.
fn settings(run: &Run) -> Vec<toml::Table> {
    let near = run.cwd.ancestors().map(|dir| dir.join(".cargo"));
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let files = near.chain(home).flat_map(|dir| [dir.join("config.toml"), dir.join("config")]);
    files.filter_map(|file| std::fs::read_to_string(file).ok()?.parse::<toml::Table>().ok()).collect()
}

/// Name and version in a manifest.
fn own(run: &Run, manifest: &str) -> Result<(String, String)> {
    let path = run.cwd.join(manifest);
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, &e))?;
    let table: toml::Table = text.parse().map_err(|_| Error::failure("Cargo.toml cannot be read"))?;
    let field = |name: &str| table.get("package").and_then(|p| p.get(name)).and_then(|v| v.as_str());
    let name = field("name").ok_or_else(|| Error::failure("Cargo.toml names no package"))?;
    Ok((name.to_owned(), field("version").unwrap_or("0.0.0").to_owned()))
}
